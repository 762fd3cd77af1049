//! The nearest valid name to a wrong one, for hints in problems and diagnostics.

/// The candidate that differs least from `name`, if it is close enough to be what was meant: a third of its
/// letters may differ, and swapped neighbours count once.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wanted: Vec<char> = name.chars().take(LETTERS_MAX + 1).flat_map(char::to_lowercase).collect();
    if wanted.is_empty() || wanted.len() > LETTERS_MAX {
        return None;
    }
    let most = (wanted.len() / 3).max(1);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= LETTERS_MAX * 4)
        .map(|candidate| (distance(&wanted, candidate), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Longer names are not compared: the cost grows with the product of both lengths.
const LETTERS_MAX: usize = 64;

/// Insertions, deletions, substitutions and swaps of neighbours that lead from one to the other.
fn distance(wanted: &[char], candidate: &str) -> usize {
    let candidate: Vec<char> = candidate.chars().flat_map(char::to_lowercase).collect();
    if wanted.len().abs_diff(candidate.len()) > wanted.len() {
        return usize::MAX;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=candidate.len()).collect();
    for (row, letter) in wanted.iter().enumerate() {
        let mut line = Vec::with_capacity(candidate.len() + 1);
        line.push(row + 1);
        for (column, other) in candidate.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != other);
            let mut least = replaced.min(above[column + 1] + 1).min(line[column] + 1);
            let swapped =
                row > 0 && column > 0 && *letter == candidate[column - 1] && wanted[row - 1] == *other;
            if swapped {
                least = least.min(before[column - 1] + 1);
            }
            line.push(least);
        }
        before = std::mem::replace(&mut above, line);
    }
    above[candidate.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised_and_another_word_is_not() {
        let names = ["id", "title", "price", "category"];
        let cases = [
            ("pirce", Some("price")),
            ("Price", Some("price")),
            ("categry", Some("category")),
            ("titel", Some("title")),
            ("ids", Some("id")),
            ("colour", None),
            ("", None),
        ];
        for (wrong, expected) in cases {
            assert_eq!(nearest(wrong, names), expected, "{wrong}");
        }
        assert_eq!(nearest(&"x".repeat(10_000), names), None);
    }
}
