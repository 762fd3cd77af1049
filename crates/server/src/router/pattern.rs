//! What a path pattern says of its parameters.

use std::sync::Arc;

/// Where the first parameter of a pattern begins, if it is the pattern's end.
pub(super) fn tail_from(pattern: &str) -> Option<usize> {
    let begins = pattern.find('{')?;
    let is_end = pattern[begins..].find('}')? + begins + 1 == pattern.len();
    // Doubled braces are one in a path, and what is behind them begins earlier there.
    let has_literal = pattern.contains("{{") || pattern.contains("}}");
    (is_end && !has_literal).then_some(begins)
}

/// The names of a pattern's parameters, in order. Doubled braces are literal ones.
pub(super) fn param_names(pattern: &str) -> Vec<Arc<str>> {
    let text = pattern.replace("{{", "").replace("}}", "");
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.trim_start_matches('*').into())
        .collect()
}
