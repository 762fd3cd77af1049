//! Searches of text: the languages that there are, and the signs between words that `fts` may have.

/// The languages that PostgreSQL brings; others would be a matter of each database.
pub(super) const LANGUAGES: [&str; 29] = [
    "simple",
    "arabic",
    "armenian",
    "basque",
    "catalan",
    "danish",
    "dutch",
    "english",
    "finnish",
    "french",
    "german",
    "greek",
    "hindi",
    "hungarian",
    "indonesian",
    "irish",
    "italian",
    "lithuanian",
    "nepali",
    "norwegian",
    "portuguese",
    "romanian",
    "russian",
    "serbian",
    "spanish",
    "swedish",
    "tamil",
    "turkish",
    "yiddish",
];

/// A language by its name.
pub(super) fn language(name: &str) -> Option<&'static str> {
    LANGUAGES.iter().copied().find(|known| *known == name)
}

/// Whether a text is a search with signs: words, `!`, `&`, `|`, `<->`, `<2>` and brackets
/// (PostgreSQL, "Text Search Types", `tsquery`).
pub(super) fn check(text: &str) -> Result<(), String> {
    let mut open = 0_usize;
    let mut word_expected = true;
    let mut letters = text.chars().peekable();
    let fault = |what: &str| {
        Err(format!("{what}; words stand with `&`, `|`, `!` or `<->` between them, or ask `wfts`"))
    };
    while let Some(letter) = letters.next() {
        match letter {
            letter if letter.is_whitespace() => {}
            '!' | '(' if word_expected => {
                open += usize::from(letter == '(');
                if open > DEPTH_MAX {
                    return fault("there are too many brackets");
                }
            }
            ')' if !word_expected && open > 0 => open -= 1,
            '&' | '|' if !word_expected => word_expected = true,
            '<' if !word_expected => {
                let distance: String = letters.by_ref().take_while(|letter| *letter != '>').take(5).collect();
                let is_number = distance.len() < 5 && distance.parse::<u16>().is_ok();
                if distance != "-" && !is_number {
                    return fault("a distance is `<->` or a number such as `<2>`");
                }
                word_expected = true;
            }
            // Quotes, backslashes and weights are the database's own way to write words.
            '!' | '(' | ')' | '&' | '|' | '<' | '>' | '\'' | '\\' | ':' | '*' | '\0' => {
                return fault(&format!("`{}` cannot stand there", letter.escape_default()));
            }
            _ if !word_expected => return fault("two words follow each other"),
            _ => {
                while letters
                    .next_if(|letter| letter.is_alphanumeric() || "_-.'".contains(*letter) && *letter != '\'')
                    .is_some()
                {}
                // `word:*` stands for all words that begin so.
                if letters.next_if_eq(&':').is_some() && letters.next_if_eq(&'*').is_none() {
                    return fault("`:` stands only in `:*`, behind the beginning of a word");
                }
                word_expected = false;
            }
        }
    }
    if word_expected || open > 0 { fault("the search is not complete") } else { Ok(()) }
}

/// Brackets within brackets.
const DEPTH_MAX: usize = 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_with_signs_is_whole_or_refused() {
        for good in ["cat", "cat & rat", "!cat | (rat & !bat)", "super <-> cat", "cat<2>rat", "ca:*", "été-x"]
        {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for bad in [
            "",
            " ",
            "cat rat",
            "cat &",
            "& cat",
            "(cat",
            "cat)",
            "cat <x> rat",
            "cat <",
            "cat:",
            "cat:A",
            "'cat",
            "cat\\",
            "!",
            "cat !rat",
            "<-> cat",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        assert!(check(&format!("{}a{}", "(".repeat(100), ")".repeat(100))).is_err());
    }
}
