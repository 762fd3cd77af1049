//! The normal forms of fields, and that different meanings never share one.

use http::HeaderValue;
use proptest::prelude::*;

use super::*;

fn headers(name: &str, lines: &[&[u8]]) -> HeaderMap {
    let name: HeaderName = name.parse().unwrap();
    lines.iter().map(|line| (name.clone(), HeaderValue::from_bytes(line).unwrap())).fold(
        HeaderMap::new(),
        |mut headers, (name, value)| {
            headers.append(name, value);
            headers
        },
    )
}

fn selected(name: &str, lines: &[&str]) -> Vec<u8> {
    let lines: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
    selecting(&[name.parse().unwrap()], &headers(name, &lines))
}

#[test]
fn rfc_9110_section_12_5_5_names_are_read_from_all_lines_or_everything_varies() {
    let by = |names: &[&'static str]| {
        Varying::By(names.iter().map(|name| HeaderName::from_static(name)).collect())
    };
    let check = |lines: &[&str], expected: Varying| {
        let bytes: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        assert_eq!(Varying::of(&headers("vary", &bytes)), expected, "{lines:?}");
    };
    check(&[], Varying::Nothing);
    check(&[""], Varying::Nothing);
    check(&[" , ,\t"], Varying::Nothing);
    check(&["Accept-Encoding"], by(&["accept-encoding"]));
    check(&["b, A ,,a", "B,c"], by(&["a", "b", "c"]));
    check(&["*"], Varying::Everything);
    check(&[" * "], Varying::Everything);
    check(&[", *"], Varying::Everything);
    check(&["*, foo"], Varying::Everything);
    check(&["foo, *"], Varying::Everything);
    check(&["foo", "*"], Varying::Everything);
    check(&["*, *"], Varying::Everything);
    // What is no name cannot be looked for in a request.
    check(&["foo bar"], Varying::Everything);
    check(&["foo; bar"], Varying::Everything);
    check(&["\"foo\""], Varying::Everything);
}

#[test]
fn an_answer_that_varies_by_more_than_sixteen_fields_varies_by_too_many() {
    let list = |count: usize| (0..count).map(|n| format!("x-{n:02}")).collect::<Vec<_>>().join(",");
    let of = |text: &str| Varying::of(&headers("vary", &[text.as_bytes()]));
    assert!(matches!(of(&list(16)), Varying::By(names) if names.len() == 16));
    assert!(matches!(of(&format!("{},{}", list(16), list(16))), Varying::By(names) if names.len() == 16));
    assert_eq!(of(&list(17)), Varying::TooMany);
    assert_eq!(of(&format!("{},*", list(17))), Varying::Everything);
}

#[test]
fn rfc_9111_section_4_1_requests_that_mean_the_same_agree() {
    let check = |name: &str, alike: &[&[&str]]| {
        for lines in alike {
            assert_eq!(
                selected(name, lines),
                selected(name, alike[0]),
                "{name}: {lines:?} and {:?}",
                alike[0]
            );
        }
    };
    check(
        "accept-encoding",
        &[
            &["gzip, br"],
            &["br,gzip"],
            &["GZIP\t,  Br"],
            &["gzip", "br"],
            &["br", ",gzip;q=1,"],
            &["gzip; q=1.000, br ;Q=1"],
            &["gzip, br, gzip"],
        ],
    );
    check("accept-encoding", &[&["gzip;q=0.5, br"], &["br, gzip;q=0.50"], &["gzip ; q=0.500", "br"]]);
    check("accept-encoding", &[&[""], &[" "], &[",,"], &["", ""]]);
    check("accept-language", &[&["en;q=0.5, de"], &["DE", "EN;q=0.5"], &["de,en;q=0.50"]]);
    check("accept-charset", &[&["utf-8, iso-8859-1;q=.5"], &["UTF-8 ,iso-8859-1;q=.5"]]);
    check(
        "accept",
        &[
            &["text/html, application/json;v=A"],
            &["Text/HTML,application/json ; V=A"],
            &["text/html", "application/json;\tv=A"],
        ],
    );
    check("accept", &[&[r#"a/b;p="x, y";q=1"#], &[r#"A/B; P="x, y" ;Q=1"#]]);
    check("cookie", &[&["a=1; b=2"], &["a=1", "b=2"]]);
    check("x-other", &[&["a, b"], &["a", "b"], &[" a", "b "]]);
}

#[test]
fn rfc_9111_section_4_1_requests_that_differ_do_not_agree() {
    let check = |name: &str, all_different: &[&[&str]]| {
        for (place, lines) in all_different.iter().enumerate() {
            for others in &all_different[place + 1..] {
                assert_ne!(selected(name, lines), selected(name, others), "{name}: {lines:?} and {others:?}");
            }
        }
    };
    check(
        "accept-encoding",
        &[
            &[],
            &[""],
            &["gzip"],
            &["gzip;q=0"],
            &["gzip;q=0.001"],
            &["br"],
            &["gzip, br"],
            &["gzip;q=x"],
            &["*"],
        ],
    );
    check("accept-language", &[&["de, en"], &["en, de"], &["de"], &["de, en;q=0.9"]]);
    check(
        "accept",
        &[
            &["a/b, c/d"],
            &["c/d, a/b"],
            &["a/b;v=A"],
            &["a/b;v=a"],
            &[r#"a/b;v="A; B""#],
            &[r#"a/b;v="A;B""#],
        ],
    );
    check("x-other", &[&["a,b"], &["a, b"], &["A, b"], &["a"], &[""], &[]]);
    check("cookie", &[&["a=1; b=2"], &["b=2; a=1"], &["a=1;b=2"]]);
}

#[test]
fn parts_cannot_be_taken_for_one_another() {
    let [a, b] = ["x-a", "x-b"].map(HeaderName::from_static);
    let names = [a.clone(), b.clone()];
    let with = |fields: &[(&HeaderName, &'static str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        selecting(&names, &headers)
    };
    let all = [
        with(&[]),
        with(&[(&a, "")]),
        with(&[(&b, "")]),
        with(&[(&a, "1")]),
        with(&[(&b, "1")]),
        with(&[(&a, "1"), (&b, "2")]),
        with(&[(&a, "2"), (&b, "1")]),
        with(&[(&a, "1, 2")]),
    ];
    let different: std::collections::HashSet<_> = all.iter().collect();
    assert_eq!(different.len(), all.len());
    assert_ne!(selecting(&names[..1], &HeaderMap::new()), selecting(&names[1..], &HeaderMap::new()));
}

/// What `Accept-Encoding` means: words, each with one weight in thousandths.
type Meaning = std::collections::BTreeMap<&'static str, u16>;

/// How it may be written: in which order, case, spacing and number of lines.
#[derive(Debug, Clone)]
struct Hand {
    rotate: usize,
    upper: bool,
    blanks: [String; 3],
    digits: usize,
    lines: usize,
}

fn meanings() -> impl Strategy<Value = Meaning> {
    let words = prop::sample::select(vec!["gzip", "br", "zstd", "identity", "*", "deflate"]);
    let weights = prop_oneof![Just(1_000_u16), Just(0), Just(500), 0..=1_000_u16];
    prop::collection::btree_map(words, weights, 0..5)
}

fn hands() -> impl Strategy<Value = Hand> {
    (0..5_usize, any::<bool>(), ["[ \t]{0,2}", "[ \t]{0,2}", "[ \t]{0,2}"], 0..=3_usize, 1..4_usize)
        .prop_map(|(rotate, upper, blanks, digits, lines)| Hand { rotate, upper, blanks, digits, lines })
}

fn write(meaning: &Meaning, hand: &Hand) -> HeaderMap {
    let mut members: Vec<String> = meaning.iter().map(|(word, weight)| member(word, *weight, hand)).collect();
    let turn = hand.rotate % members.len().max(1);
    members.rotate_left(turn);
    let mut headers = HeaderMap::new();
    let size = members.len().div_ceil(hand.lines).max(1);
    let [before, after, _] = &hand.blanks;
    let lines: Vec<_> = members.chunks(size).map(|line| line.join(&format!("{before},{after}"))).collect();
    for line in if lines.is_empty() { vec![String::new()] } else { lines } {
        headers.append("accept-encoding", line.parse().unwrap());
    }
    headers
}

fn member(word: &str, weight: u16, hand: &Hand) -> String {
    let word = if hand.upper { word.to_uppercase() } else { word.to_owned() };
    if weight == 1_000 && hand.digits == 0 {
        return word;
    }
    // As many decimals as there have to be, and as many more as the hand likes.
    let decimals = format!("{:03}", weight % 1_000);
    let needed = decimals.trim_end_matches('0').len().max(hand.digits);
    let point = if needed == 0 { "" } else { "." };
    let [before, after, _] = &hand.blanks;
    format!("{word}{before};{after}q={}{point}{}", weight / 1_000, &decimals[..needed])
}

proptest! {
    #[test]
    fn requests_agree_exactly_if_they_mean_the_same(
        one in meanings(), other in meanings(), hand in hands(), other_hand in hands(),
    ) {
        let names = [http::header::ACCEPT_ENCODING];
        let bytes = |meaning, hand| selecting(&names, &write(meaning, hand));
        prop_assert_eq!(bytes(&one, &hand), bytes(&one, &other_hand));
        prop_assert_eq!(bytes(&one, &hand) == bytes(&other, &other_hand), one == other);
    }

    #[test]
    fn unknown_fields_agree_exactly_if_their_texts_are_equal(
        one in "[a-cA, ]{0,6}", other in "[a-cA, ]{0,6}",
    ) {
        let alike = one.trim() == other.trim();
        prop_assert_eq!(selected("x-other", &[&one]) == selected("x-other", &[&other]), alike);
    }

    #[test]
    fn any_fields_are_read_without_panic(
        lines in prop::collection::vec("[\"\\\\a-c,;=q01. \t]{0,12}", 0..4),
        name in prop::sample::select(vec!["accept", "accept-encoding", "accept-language", "cookie", "vary"]),
    ) {
        let lines: Vec<_> = lines.iter().map(String::as_str).collect();
        let bytes: Vec<_> = lines.iter().map(|line| line.as_bytes()).collect();
        let _ = Varying::of(&headers(name, &bytes));
        // What was brought into the normal form stays as it is.
        let normal_form = normal::value(&name.parse().unwrap(), &headers(name, &bytes));
        if let Some(text) = normal_form {
            let again = normal::value(&name.parse().unwrap(), &headers(name, &[&text]));
            prop_assert_eq!(again, Some(text));
        }
    }
}
