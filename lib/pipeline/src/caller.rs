//! Who asks, once identified.
//!
//! What is known of a caller is read by name: its id, and claims as texts. A [`CallerPart`] is such a name; a source
//! says in its promises by which of them its answers differ, and a cache takes exactly those into its keys and hides all
//! others.

use std::fmt;

/// Who asks. Nothing of it is shown by `Debug` but its kind: the rest is about a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Caller {
    kind: CallerKind,
    id: Option<Box<str>>,
    roles: Vec<Box<str>>,
    claims: Vec<(Box<str>, Box<str>)>,
}

/// How a caller was identified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallerKind {
    /// By a signed token.
    Token,
    /// By an API key.
    ApiKey,
}

/// Something that is known of a caller, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CallerPart {
    /// Its id.
    Id,
    /// A claim with this name.
    Claim(Box<str>),
}

impl Caller {
    /// A caller with an id and nothing else.
    pub fn new(kind: CallerKind, id: &str) -> Self {
        Self { kind, id: Some(id.into()), roles: Vec::new(), claims: Vec::new() }
    }

    /// With these roles.
    #[must_use]
    pub fn with_roles<'a>(mut self, roles: impl IntoIterator<Item = &'a str>) -> Self {
        self.roles.extend(roles.into_iter().map(Box::from));
        self
    }

    /// With this claim, unless one of that name is there.
    #[must_use]
    pub fn with_claim(mut self, name: &str, text: &str) -> Self {
        if self.text(&CallerPart::Claim(name.into())).is_none() {
            self.claims.push((name.into(), text.into()));
        }
        self
    }

    /// How it was identified.
    pub fn kind(&self) -> CallerKind {
        self.kind
    }

    /// Its id; `None` where that is hidden.
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Whether it has one of these roles.
    pub fn has_any(&self, roles: &[Box<str>]) -> bool {
        roles.iter().any(|role| self.roles.contains(role))
    }

    /// What is known of it under this name.
    pub fn text(&self, part: &CallerPart) -> Option<&str> {
        match part {
            CallerPart::Id => self.id(),
            CallerPart::Claim(name) => {
                self.claims.iter().find(|(known, _)| known == name).map(|(_, text)| &**text)
            }
        }
    }

    /// The same caller, of whom no more is known than this.
    #[must_use]
    pub fn only(&self, parts: &[CallerPart]) -> Self {
        let mut shown = Self { kind: self.kind, id: None, roles: Vec::new(), claims: Vec::new() };
        for part in parts {
            match (part, self.text(part)) {
                (CallerPart::Id, id) => shown.id = id.map(Box::from),
                (CallerPart::Claim(name), Some(text)) => shown = shown.with_claim(name, text),
                (CallerPart::Claim(_), None) => {}
            }
        }
        shown
    }
}

impl CallerPart {
    /// The part of this name: `id`, or a claim's name.
    pub fn named(name: &str) -> Self {
        if name == "id" { Self::Id } else { Self::Claim(name.into()) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Id => "id",
            Self::Claim(name) => name,
        }
    }
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_of_a_caller_but_what_was_asked_for() {
        let caller = Caller::new(CallerKind::Token, "7").with_roles(["editor"]);
        let caller = caller.with_claim("tenant", "a").with_claim("tenant", "b").with_claim("team", "c");
        let [id, tenant, none] = ["id", "tenant", "nothing"].map(CallerPart::named);
        assert_eq!([&id, &tenant, &none].map(|part| caller.text(part)), [Some("7"), Some("a"), None]);
        let shown = caller.only(&[tenant.clone(), none]);
        assert_eq!((shown.id(), shown.text(&tenant)), (None, Some("a")));
        assert_eq!(shown.text(&CallerPart::named("team")), None);
        assert!(caller.has_any(&["editor".into()]) && !shown.has_any(&["editor".into()]));
        assert!(!format!("{caller:?}").contains('7'));
    }
}
