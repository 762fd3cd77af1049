//! Coded forms of an answer, kept beside it so that each is made once.

use std::fmt;

use bytes::Bytes;
use http::HeaderValue;
use kasoku_http_caching::coding::Coding;

/// A coded form of a body, ready to be sent.
#[derive(Debug, Clone)]
pub struct CodedForm {
    /// The coded bytes.
    pub body: Bytes,
    /// The entity tag of this form, which differs from the identity form's if that is strong.
    pub etag: Option<HeaderValue>,
}

/// What is known of a coded form.
#[derive(Debug, Clone)]
pub enum KeptForm {
    /// Nobody has made it yet.
    Missing,
    /// It was made and is no smaller than the identity form: there is no point in sending it.
    Useless,
    /// Here it is.
    Made(CodedForm),
}

/// Keeps coded forms of one answer. A stored response does; whoever makes a form puts it there.
pub trait Forms: fmt::Debug + Send + Sync + 'static {
    /// Whether the answer is worth coding; who asks first judges for all.
    fn is_worth_coding(&self, judge: &dyn Fn() -> bool) -> bool;

    /// What is known of the form.
    fn get(&self, coding: Coding) -> KeptForm;

    /// Keeps a form, or (`None`) that it is useless; if it is known already, nothing changes.
    fn put(&self, coding: Coding, form: Option<CodedForm>);
}
