//! Casts: `price::text`.

use kasoku_problem::Problem;

use crate::ColumnKind;
use crate::fault::invalid_name;

/// What a value is turned into before it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cast {
    Text,
    Integer,
    Real,
    Boolean,
}

const NAMES: [(&str, Cast); 14] = [
    ("text", Cast::Text),
    ("varchar", Cast::Text),
    ("int", Cast::Integer),
    ("integer", Cast::Integer),
    ("int2", Cast::Integer),
    ("int4", Cast::Integer),
    ("int8", Cast::Integer),
    ("smallint", Cast::Integer),
    ("bigint", Cast::Integer),
    ("float8", Cast::Real),
    ("real", Cast::Real),
    ("double precision", Cast::Real),
    ("numeric", Cast::Real),
    ("boolean", Cast::Boolean),
];

impl Cast {
    pub(crate) fn read(parameter: &str, name: &str) -> Result<Self, Problem> {
        let name = name.trim();
        let known = NAMES.iter().find(|(known, _)| *known == name).map(|(_, cast)| *cast);
        known.ok_or_else(|| {
            invalid_name(parameter, "type to cast to", name, NAMES.iter().map(|(name, _)| *name))
        })
    }

    pub(crate) fn kind(self) -> ColumnKind {
        match self {
            Self::Text => ColumnKind::Text,
            Self::Integer => ColumnKind::Integer,
            Self::Real => ColumnKind::Real,
            Self::Boolean => ColumnKind::Boolean,
        }
    }
}
