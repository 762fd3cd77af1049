//! Who may use a route, for each method.

use http::Method;
use kasoku_pipeline::Caller;

/// Who may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Requirement {
    /// Whoever asks, known or not.
    Anyone,
    /// Who was identified.
    Caller,
    /// Who was identified and has one of these roles.
    AnyRole(Vec<Box<str>>),
}

/// Who may use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requires {
    /// With `GET` and `HEAD`.
    pub read: Requirement,
    /// With any other method, but for those below.
    pub write: Requirement,
    /// With these methods.
    pub methods: Vec<(Method, Requirement)>,
}

/// Whether somebody may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Admitted,
    /// Who asks has to say who it is.
    Unknown,
    /// Who asks is known, and may not.
    LacksRole,
}

impl Requires {
    /// The same for all methods.
    pub fn all(requirement: Requirement) -> Self {
        Self { read: requirement.clone(), write: requirement, methods: Vec::new() }
    }

    /// What is required for a method.
    pub fn of(&self, method: &Method) -> &Requirement {
        let named = self.methods.iter().find(|(known, _)| known == method);
        match named {
            Some((_, requirement)) => requirement,
            None if matches!(*method, Method::GET | Method::HEAD) => &self.read,
            // A browser asks before it sends credentials, and is told no more than which methods there are.
            None if *method == Method::OPTIONS => &Requirement::Anyone,
            None => &self.write,
        }
    }
}

impl Requirement {
    pub(super) fn judge(&self, caller: Option<&Caller>) -> Verdict {
        match (self, caller) {
            (Self::Anyone, _) | (Self::Caller, Some(_)) => Verdict::Admitted,
            (Self::Caller | Self::AnyRole(_), None) => Verdict::Unknown,
            (Self::AnyRole(roles), Some(caller)) if caller.has_any(roles) => Verdict::Admitted,
            (Self::AnyRole(_), Some(_)) => Verdict::LacksRole,
        }
    }
}
