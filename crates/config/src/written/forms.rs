//! Forms of values that several settings share: durations, sizes, secrets, and "this or `false`".

use std::borrow::Cow;
use std::fmt;

use kasoku_units::{ByteSize, Period};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// The member of a JSON Schema that names one of our own forms of strings; the check and the reference read it.
pub(crate) const FORM: &str = "x-form";

/// A duration such as `"30s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct DurationText(pub(crate) Period);

/// A size such as `"64KiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SizeText(pub(crate) ByteSize);

/// A secret as it is written: the text itself, `env:NAME` or `file:PATH`.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SecretText(pub(crate) String);

/// A setting that `false` switches off.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum OrFalse<T> {
    /// Switched off.
    Off(False),
    /// Switched on, like this.
    On(T),
}

/// The word `false`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct False;

impl DurationText {
    /// A number of milliseconds, for defaults.
    pub(crate) const fn millis(ms: u64) -> Self {
        Self(Period(std::time::Duration::from_millis(ms)))
    }

    /// A number of seconds, for defaults.
    pub(crate) const fn seconds(seconds: u64) -> Self {
        Self::millis(seconds * 1_000)
    }

    /// The duration.
    pub(crate) fn duration(self) -> std::time::Duration {
        self.0.0
    }
}

impl SizeText {
    /// A number of bytes, for defaults.
    pub(crate) const fn bytes(bytes: u64) -> Self {
        Self(ByteSize(bytes))
    }

    /// Kibibytes, for defaults.
    pub(crate) const fn kib(count: u64) -> Self {
        Self::bytes(count << 10)
    }

    /// Mebibytes, for defaults.
    pub(crate) const fn mib(count: u64) -> Self {
        Self::bytes(count << 20)
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl Serialize for False {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bool(false)
    }
}

impl<'de> Deserialize<'de> for False {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if bool::deserialize(deserializer)? {
            return Err(de::Error::custom("only `false` switches it off"));
        }
        Ok(Self)
    }
}

impl JsonSchema for DurationText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Duration".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "x-form": "duration",
            "pattern": r"^\s*([0-9]+(ms|s|m|h|d)\s*)+$|\$\{",
        })
    }
}

impl JsonSchema for SizeText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "x-form": "size",
            "pattern": r"^\s*[0-9]+\s*([KkMmGgTt]i?)?[Bb]\s*$|\$\{",
        })
    }
}

impl JsonSchema for SecretText {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "x-form": "secret" })
    }
}

impl JsonSchema for False {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "False".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean", "const": false })
    }
}
