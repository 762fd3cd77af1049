//! The valid name that was probably meant, or else what there is.

pub(crate) use kasoku_sql_plan::nearest;

/// More names than this are no help.
const LISTED_MAX: usize = 40;

/// A hint for a name that does not exist.
pub(crate) fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(name, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<String> = candidates.into_iter().map(|candidate| format!("`{candidate}`")).collect();
    (1..=LISTED_MAX).contains(&all.len()).then(|| format!("there is {}", listed(&all)))
}

/// Names as people list them: `a, b and c`.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_names_the_nearest_or_lists_all() {
        let names = ["listen", "admin", "id"];
        assert_eq!(did_you_mean("lisen", names).as_deref(), Some("did you mean `listen`?"));
        assert_eq!(did_you_mean("zzz", names).as_deref(), Some("there is `listen`, `admin` and `id`"));
        assert_eq!(did_you_mean("zzz", []), None);
    }
}
