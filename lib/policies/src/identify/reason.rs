//! Why credentials are refused. Operators read it in their logs; callers are told no more than that they are.

/// Why credentials are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is longer than a token may be.
    #[error("the token is too long")]
    TooLong,
    /// It is no token, or its parts cannot be read.
    #[error("the token cannot be read")]
    Malformed,
    /// `alg` is `none`, unknown, or not one of those that are accepted.
    #[error("the token's algorithm is not accepted")]
    Algorithm,
    /// `crit` demands something, or the token is encrypted.
    #[error("the token demands what is not understood here")]
    Critical,
    /// `typ` says that it is for something else.
    #[error("the token is of another type")]
    Purpose,
    /// No key has its id.
    #[error("no key has the token's id")]
    UnknownKey,
    /// The signature is not of any key.
    #[error("the token's signature is wrong")]
    Signature,
    /// `exp` is missing or no number.
    #[error("the token does not say until when it is valid")]
    NoExpiry,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` has not come.
    #[error("the token is not valid yet")]
    NotYet,
    /// `iat` has not come, or is no number.
    #[error("the token was issued in the future")]
    IssuedLater,
    /// `iss` is another.
    #[error("the token is of another issuer")]
    Issuer,
    /// `aud` does not have this server.
    #[error("the token is for another audience")]
    Audience,
    /// The claim that names the caller is missing.
    #[error("the token names no caller")]
    NoSubject,
    /// No API key has this hash.
    #[error("the API key is unknown")]
    ApiKey,
    /// Tokens are not accepted at all.
    #[error("no tokens are accepted here")]
    NoTokens,
}
