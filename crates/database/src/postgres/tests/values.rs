//! Values of every type look as the server's own JSON and text do, and are the same when they are bound again.

use kasoku_sql_plan::{ColumnKind, Value};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;

use super::Bench;
use crate::json::{self, ExactNumbers};
use crate::postgres::native::{column, is_understood};
use crate::postgres::param::Param;
use crate::value::ValueRef;

const TYPES: &str = "
    create type mood as enum ('sad', 'so so', 'ha\"ppy', 'null', 'é');
    create domain small as int check (value < 1000000);
    create domain label as text;
    create type pair as (\"the a\" int, b text, c timestamp);
    create type nest as (p pair, list int[], m mood, s small);
    create extension if not exists citext;";

/// How far our forms agree with the server's.
#[derive(Clone, Copy, PartialEq)]
enum Agree {
    /// JSON and text are the same, letter for letter.
    Exactly,
    /// JSON means the same, and the text reads back as the same.
    InMeaning,
    /// JSON is ours alone; the text is the same.
    InText,
}

/// Values that are written as texts, by chance and for a reason.
fn check(bench: &Bench, kind: &str, agree: Agree, chance: &BoxedStrategy<String>, chosen: &[&str]) {
    let mut runner = TestRunner::deterministic();
    let by_chance = (0..100).map(|_| chance.new_tree(&mut runner).unwrap().current());
    let texts: Vec<String> = chosen.iter().map(|text| (*text).to_owned()).chain(by_chance).collect();
    let given =
        format!("select v, to_json(v)::text, format('%s', v) from (select $1::text::{kind} as v) given");
    // The type's own text; some casts to `text` write another.
    let again = format!("select format('%s', $1::{kind})");
    for text in texts {
        let rows = bench.query(&given, &[&text]);
        let row = &rows[0];
        assert!(is_understood(row.columns()[0].type_()), "{kind}");
        let (theirs, their_text): (&str, &str) = (row.get(1), row.get(2));
        let value = column(row, 0);
        let mut ours = Vec::new();
        json::value(&mut ours, ColumnKind::Any, value, ExactNumbers::AsNumbers);
        let ours = String::from_utf8(ours).unwrap();
        let meaning = |text: &str| {
            let read = serde_json::from_str(text).unwrap_or_else(|error| panic!("{kind} {text}: {error}"));
            with_floats(read)
        };
        meaning(&ours);
        match agree {
            Agree::Exactly => assert_eq!(ours, theirs, "{kind}"),
            Agree::InMeaning => assert_eq!(meaning(&ours), meaning(theirs), "{kind}: {ours} {theirs}"),
            Agree::InText => {}
        }
        let kept = value.to_value();
        if let (Agree::Exactly | Agree::InText, Value::Text(text)) = (agree, &kept) {
            assert_eq!(text, their_text, "{kind}");
        }
        let read: String = bench.query(&again, &[&Param(&kept)])[0].get(0);
        assert_eq!(read, their_text, "{kind}: {kept:?} is read back as another value");
    }
}

/// 5 and 5.0 mean the same.
fn with_floats(json: Json) -> Json {
    match json {
        Json::Number(number) => number.as_f64().into(),
        Json::Array(elements) => elements.into_iter().map(with_floats).collect(),
        other => other,
    }
}

fn dates() -> impl Strategy<Value = String> + Clone {
    let year = prop_oneof![1..3000_u32, 1..250_000_u32];
    (year, 1..=12_u32, 1..=28_u32).prop_map(|(year, month, day)| format!("{year:04}-{month:02}-{day:02}"))
}

fn times() -> impl Strategy<Value = String> + Clone {
    let fraction = prop_oneof![Just(String::new()), "\\.[0-9]{1,6}"];
    (0..24_u32, 0..60_u32, 0..60_u32, fraction).prop_map(|(h, m, s, f)| format!("{h:02}:{m:02}:{s:02}{f}"))
}

fn instants() -> impl Strategy<Value = String> + Clone {
    let era = prop_oneof![9 => Just(""), 1 => Just(" BC")];
    (0..4_700_u32, dates(), times(), era).prop_map(|(year, date, time, era)| {
        let rest = &date[date.find('-').unwrap()..];
        if era.is_empty() { format!("{date} {time}") } else { format!("{:04}{rest} {time} BC", year + 1) }
    })
}

fn texts() -> impl Strategy<Value = String> + Clone {
    prop_oneof!["[^\\x00]{0,12}", "[ -~]{0,12}", "[a-c,\"\\\\{}() \\n]{0,6}"]
}

/// As a literal of an array, of so many elements.
fn array_of(element: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    let element = prop_oneof![1 => Just(None), 6 => element.prop_map(Some)];
    let quoted = |text: Option<String>| match text {
        Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
        None => "NULL".to_owned(),
    };
    let list = proptest::collection::vec(element, 0..5);
    list.prop_map(move |list| format!("{{{}}}", list.into_iter().map(quoted).collect::<Vec<_>>().join(",")))
        .boxed()
}

fn range_of(
    bound: impl Strategy<Value = String> + 'static,
    order: fn(&str, &str) -> bool,
) -> BoxedStrategy<String> {
    let bounds = proptest::collection::vec(bound, 2);
    (bounds, "[\\[(]", "[\\])]", 0..6_u8)
        .prop_map(move |(mut bounds, open, close, missing)| {
            if !order(&bounds[0], &bounds[1]) {
                bounds.swap(0, 1);
            }
            let quoted = |text: &str| format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
            let low = if missing == 0 { String::new() } else { quoted(&bounds[0]) };
            let high = if missing == 1 { String::new() } else { quoted(&bounds[1]) };
            format!("{open}{low},{high}{close}")
        })
        .boxed()
}

#[test]
fn numbers_look_as_the_server_writes_them() {
    let bench = Bench::new(TYPES);
    let decimals = "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?(e-?[0-9])?";
    check(&bench, "int2", Agree::Exactly, &any::<i16>().prop_map(|n| n.to_string()).boxed(), &["-32768"]);
    check(
        &bench,
        "int4",
        Agree::Exactly,
        &any::<i32>().prop_map(|n| n.to_string()).boxed(),
        &["-2147483648"],
    );
    check(
        &bench,
        "int8",
        Agree::Exactly,
        &any::<i64>().prop_map(|n| n.to_string()).boxed(),
        &["9007199254740993"],
    );
    check(&bench, "small", Agree::Exactly, &(0..1_000_000).prop_map(|n: i32| n.to_string()).boxed(), &[]);
    let floats =
        ["NaN", "Infinity", "-Infinity", "-0", "1e-7", "1e21", "5", "4.9e-324", "1.7976931348623157e308"];
    check(&bench, "float8", Agree::InMeaning, &any::<f64>().prop_map(|n| n.to_string()).boxed(), &floats);
    let singles = any::<f32>().prop_filter("the server refuses others", |number| number.is_normal());
    check(
        &bench,
        "float4",
        Agree::InMeaning,
        &singles.prop_map(|n| n.to_string()).boxed(),
        &["NaN", "Infinity", "-Infinity", "-0", "0.1", "16777217", "1e-45", "3.4028235e38"],
    );
    check(
        &bench,
        "numeric",
        Agree::Exactly,
        &decimals.boxed(),
        &[
            "0",
            "0.00",
            "-0.0001",
            "1.50",
            "10000",
            "100000000",
            "0.00000001",
            "0.000012345",
            "NaN",
            "Infinity",
            "-Infinity",
            "1e100",
            "1e-100",
            "12345678901234567890.123456789",
            "99999999.9999",
        ],
    );
    check(&bench, "numeric(12,3)", Agree::Exactly, &"-?[0-9]{1,9}(\\.[0-9]{1,5})?".boxed(), &["0"]);
    check(&bench, "oid", Agree::Exactly, &any::<u32>().prop_map(|n| n.to_string()).boxed(), &["4294967295"]);
    check(&bench, "xid8", Agree::Exactly, &any::<u64>().prop_map(|n| n.to_string()).boxed(), &[]);
    check(&bench, "bool", Agree::InMeaning, &"[tf]".boxed(), &["true", "false"]);
}

#[test]
fn texts_and_documents_look_as_the_server_writes_them() {
    let bench = Bench::new(TYPES);
    for kind in ["text", "varchar", "varchar(20)", "label", "citext"] {
        check(&bench, kind, Agree::InMeaning, &texts().boxed(), &["", "a\"\\\n\u{1}\u{7f}é陶😀"]);
    }
    check(&bench, "char(5)", Agree::Exactly, &"[a-z ]{0,5}".boxed(), &["", "ab"]);
    check(&bench, "name", Agree::Exactly, &"[a-z ]{0,12}".boxed(), &[]);
    check(&bench, "\"char\"", Agree::Exactly, &"[ -~]".boxed(), &["", "\"", "\\", "\u{1}", "\\377", "\\200"]);
    check(
        &bench,
        "mood",
        Agree::Exactly,
        &Just("é".to_owned()).boxed(),
        &["sad", "so so", "ha\"ppy", "null"],
    );
    let documents =
        ["{\"a\" : [1, 2.50, null, {\"b\":\"\\u00e9\\n\"}]}", "1", "\"x\"", "null", "[]", " { } "];
    let number =
        (any::<i64>(), texts()).prop_map(|(n, text)| serde_json::json!({"n": n, "t": [text]}).to_string());
    check(&bench, "jsonb", Agree::Exactly, &number.clone().boxed(), &documents);
    check(&bench, "json", Agree::InMeaning, &number.boxed(), &documents);
    check(&bench, "json", Agree::InMeaning, &"".prop_map(|_| "1".to_owned()).boxed(), &["{\"a\":\n1}\n"]);
}

#[test]
fn dates_and_times_look_as_the_server_writes_them() {
    let bench = Bench::new(TYPES);
    let leap = [
        "2000-02-29",
        "1900-02-28",
        "1900-03-01",
        "2100-12-31",
        "0001-01-01",
        "0044-03-15 BC",
        "4713-01-01 BC",
    ];
    let ends = ["infinity", "-infinity", "5874897-12-31", "1999-12-31", "2000-01-01"];
    check(&bench, "date", Agree::Exactly, &dates().boxed(), &[&leap[..], &ends].concat());
    check(&bench, "time", Agree::Exactly, &times().boxed(), &["00:00", "24:00:00", "23:59:59.999999"]);
    let zones = (times(), "[+-](0[0-9]|1[0-4])(:(30|15)(:10)?)?").prop_map(|(time, zone)| time + &zone);
    check(&bench, "timetz", Agree::Exactly, &zones.boxed(), &["00:00+00", "10:00-03:30:15"]);
    let chosen = [
        "infinity",
        "-infinity",
        "1999-12-31 23:59:59.999999",
        "0001-12-31 10:00:00.5 BC",
        "294276-12-31 23:59:59",
    ];
    check(&bench, "timestamp", Agree::Exactly, &instants().boxed(), &chosen);
    check(&bench, "timestamptz", Agree::Exactly, &instants().boxed(), &chosen);
    let part = || -400..400_i32;
    let interval =
        (part(), part(), part(), any::<i32>(), 0..1_000_000_u32).prop_map(|(y, m, d, seconds, micros)| {
            format!("{y} years {m} mons {d} days {seconds}.{micros:06} seconds")
        });
    check(
        &bench,
        "interval",
        Agree::Exactly,
        &interval.boxed(),
        &[
            "0",
            "1 year",
            "-1 day 1 sec",
            "1 day -1 sec",
            "-1 year 2 mons -3 days 4:05",
            "123456:07:08.9",
            "0.000001 sec",
            "1 mon",
            "-1 mon +1 day",
            "-0.5 sec",
        ],
    );
}

#[test]
fn identifiers_addresses_and_bytes_look_as_the_server_writes_them() {
    let bench = Bench::new(TYPES);
    check(&bench, "uuid", Agree::Exactly, &"[0-9A-F]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}".boxed(), &[]);
    let bytes = any::<Vec<u8>>()
        .prop_map(|bytes| bytes.iter().fold("\\x".to_owned(), |text, byte| format!("{text}{byte:02x}")));
    check(&bench, "bytea", Agree::InText, &bytes.boxed(), &["", "\\x", "\\xff"]);
    let version_4 =
        (any::<[u8; 4]>(), 0..=32).prop_map(|(a, n)| format!("{}.{}.{}.{}/{n}", a[0], a[1], a[2], a[3]));
    let word = prop_oneof![Just(0_u16), Just(0), Just(1), Just(0xffff), any::<u16>()];
    let version_6 = (proptest::collection::vec(word, 8), 0..=128).prop_map(|(words, n)| {
        let words: Vec<String> = words.iter().map(|word| format!("{word:x}")).collect();
        format!("{}/{n}", words.join(":"))
    });
    let known = [
        "::",
        "::1",
        "::1.2.3.4",
        "::ffff:1.2.3.4",
        "1::",
        "::2",
        "1:0:0:2::",
        "::/0",
        "10.0.0.1",
        "0:0:0:0:0:0:1:0",
    ];
    let any_address = prop_oneof![version_4, version_6];
    check(&bench, "inet", Agree::Exactly, &any_address.boxed(), &known);
    check(
        &bench,
        "cidr",
        Agree::Exactly,
        &"10\\.[0-9]\\.0\\.0/16".boxed(),
        &["10.0.0.0/8", "::/0", "2001:db8::/32", "1.2.3.4"],
    );
    check(&bench, "macaddr", Agree::Exactly, &"([0-9a-f]{2}:){5}[0-9a-f]{2}".boxed(), &[]);
    check(&bench, "macaddr8", Agree::Exactly, &"([0-9a-f]{2}:){7}[0-9a-f]{2}".boxed(), &[]);
    check(&bench, "varbit", Agree::Exactly, &"[01]{0,30}".boxed(), &["", "1", "00000000", "000000001"]);
    check(&bench, "bit(11)", Agree::Exactly, &"[01]{11}".boxed(), &[]);
    check(&bench, "pg_lsn", Agree::Exactly, &"[0-9A-F]{1,8}/[0-9A-F]{1,8}".boxed(), &["0/0"]);
}

#[test]
fn arrays_ranges_and_composites_look_as_the_server_writes_them() {
    let bench = Bench::new(TYPES);
    let integers = any::<i32>().prop_map(|n| n.to_string());
    let nested = ["{}", "{{1,2},{3,NULL}}", "[0:1]={1,2}", "[2:3][-1:0]={{1,2},{3,4}}", "{{{1}},{{2}}}"];
    check(&bench, "int4[]", Agree::Exactly, &array_of(integers.clone()), &nested);
    check(&bench, "text[]", Agree::InMeaning, &array_of(texts()), &["{NULL,\"null\",\"\",\"a b\",\"{}\"}"]);
    check(&bench, "label[]", Agree::InMeaning, &array_of(texts()), &[]);
    check(
        &bench,
        "mood[]",
        Agree::Exactly,
        &array_of("sad|so so|null|é".prop_map(|text| text)),
        &["{\"ha\\\"ppy\"}"],
    );
    check(&bench, "timestamptz[]", Agree::Exactly, &array_of(instants()), &["{infinity}"]);
    check(&bench, "date[]", Agree::Exactly, &array_of(dates()), &[]);
    check(&bench, "numeric[]", Agree::Exactly, &array_of("-?[0-9]{1,9}\\.[0-9]{1,9}"), &["{NaN}"]);
    check(
        &bench,
        "float8[]",
        Agree::InMeaning,
        &array_of(any::<f64>().prop_map(|n| n.to_string())),
        &["{NaN,1e20,-Infinity}"],
    );
    check(&bench, "bool[]", Agree::Exactly, &array_of("[tf]"), &[]);
    check(&bench, "uuid[]", Agree::Exactly, &array_of("[0-9a-f]{32}"), &[]);
    check(
        &bench,
        "jsonb[]",
        Agree::Exactly,
        &array_of(any::<i32>().prop_map(|n| format!("{{\"a\": [{n}]}}"))),
        &[],
    );
    check(&bench, "bytea[]", Agree::InText, &array_of("\\\\x([0-9a-f]{2}){0,4}"), &[]);
    let numbers: fn(&str, &str) -> bool = |a, b| a.parse::<f64>().unwrap() <= b.parse::<f64>().unwrap();
    check(
        &bench,
        "int4range",
        Agree::Exactly,
        &range_of((-9_999..9_999).prop_map(|n: i32| n.to_string()), numbers),
        &["empty", "(,)", "[1,1]"],
    );
    check(&bench, "numrange", Agree::Exactly, &range_of("-?[0-9]{1,5}\\.[0-9]", numbers), &["empty"]);
    let texts_in_order: fn(&str, &str) -> bool = |a, b| a <= b;
    let modern = "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-[0-2][1-8]";
    check(&bench, "daterange", Agree::Exactly, &range_of(modern, texts_in_order), &[]);
    check(
        &bench,
        "tstzrange",
        Agree::Exactly,
        &range_of(modern, texts_in_order),
        &["[2020-01-01 10:00:00.5+02,infinity]"],
    );
    check(
        &bench,
        "int8multirange",
        Agree::Exactly,
        &"\\{\\[1,[2-9]\\),\\(20,[3-9]{2}\\]\\}".boxed(),
        &["{}", "{(,)}"],
    );
    let pair = (any::<i32>(), "[a-z,\"\\\\ ()]{0,6}").prop_map(|(number, text)| {
        format!("({number},\"{}\",)", text.replace('\\', "\\\\").replace('"', "\"\""))
    });
    check(&bench, "pair", Agree::Exactly, &pair.clone().boxed(), &["(,,)", "(1,\"\",\"2020-01-01 10:00\")"]);
    check(&bench, "pair[]", Agree::Exactly, &array_of(pair), &[]);
    check(
        &bench,
        "nest",
        Agree::Exactly,
        &"\\(\"\\(1,x,\\)\",\"\\{1,[0-9]\\}\",sad,[1-9]\\)".boxed(),
        &["(,,,)"],
    );
}

#[test]
fn shapes_and_search_documents_look_as_the_server_writes_them() {
    let bench = Bench::new("");
    let number = prop_oneof![any::<i32>().prop_map(f64::from), any::<f64>(), Just(0.25), Just(-0.0)].boxed();
    let point = (number.clone(), number.clone()).prop_map(|(x, y)| format!("({x},{y})")).boxed();
    let list = proptest::collection::vec(point.clone(), 1..5).prop_map(|points| points.join(",")).boxed();
    let pair = (point.clone(), point.clone()).prop_map(|(a, b)| format!("{a},{b}")).boxed();
    let odd = ["(1e15,1e-5)", "(999999999999999,0.0001)", "(NaN,-Infinity)", "(1.5e300,0)"];
    check(&bench, "point", Agree::Exactly, &point, &odd);
    check(&bench, "box", Agree::Exactly, &pair, &[]);
    check(&bench, "lseg", Agree::Exactly, &pair, &[]);
    check(&bench, "polygon", Agree::Exactly, &list, &[]);
    check(
        &bench,
        "path",
        Agree::Exactly,
        &list.clone().prop_map(|points| format!("[{points}]")).boxed(),
        &["((1,2))"],
    );
    check(
        &bench,
        "line",
        Agree::Exactly,
        &(1..9, 1..9).prop_map(|(a, b)| format!("{{{a},{b},2.5}}")).boxed(),
        &[],
    );
    let circle = (point.clone(), 0..1_000_000_u32).prop_map(|(point, r)| format!("<{point},{r}>"));
    check(&bench, "circle", Agree::Exactly, &circle.boxed(), &[]);
    check(&bench, "point[]", Agree::Exactly, &array_of(point), &[]);
    let words = "([a-zé]{1,8}(:[1-9]{1,4}[ABCD]?(,[1-9]{1,3})?)? ){0,5}";
    check(&bench, "tsvector", Agree::Exactly, &words.boxed(), &["", "'a b':3A 'it''s' '\\\\'", "\"x\""]);
}

#[test]
fn nulls_are_null_and_exact_numbers_are_strings_where_that_is_asked() {
    let bench = Bench::new(TYPES);
    let rows = bench.query(
        "select null::int, null::numeric, 9007199254740993::int8, 1.5::numeric, array[9007199254740993, 1], \
         row(9007199254740993)::text, 7::int8, array[0.5::numeric], 2.5::float8",
        &[],
    );
    let shown = |place, numbers| {
        let mut out = Vec::new();
        json::value(&mut out, ColumnKind::Any, column(&rows[0], place), numbers);
        String::from_utf8(out).unwrap()
    };
    let expected = [
        ("null", "null"),
        ("null", "null"),
        ("9007199254740993", "\"9007199254740993\""),
        ("1.5", "\"1.5\""),
        ("[9007199254740993,1]", "[\"9007199254740993\",1]"),
        ("\"(9007199254740993)\"", "\"(9007199254740993)\""),
        ("7", "7"),
        ("[0.5]", "[\"0.5\"]"),
        ("2.5", "2.5"),
    ];
    for (place, (number, string)) in expected.into_iter().enumerate() {
        assert_eq!(shown(place, ExactNumbers::AsNumbers), number);
        assert_eq!(shown(place, ExactNumbers::AsStrings), string);
    }
    assert!(matches!(column(&rows[0], 0), ValueRef::Null));
}

#[test]
fn types_without_a_form_of_their_own_are_told_from_the_others() {
    let bench = Bench::new(TYPES);
    let is = |expression: &str| {
        let rows = bench.query(&format!("select {expression}"), &[]);
        is_understood(rows[0].columns()[0].type_())
    };
    for expression in [
        "point(1,2)",
        "'a b'::tsvector",
        "null::point[]",
        "1",
        "null::nest",
        "null::pair[]",
        "null::tstzmultirange",
        "'a'",
        "null::citext[]",
    ] {
        assert!(is(expression), "{expression}");
    }
    for expression in ["1::money", "'pg_class'::regclass", "row(1,2)", "null::box[]", "null::money[]"] {
        assert!(!is(expression), "{expression}");
    }
}

#[test]
fn what_is_bound_is_read_by_the_type_that_the_statement_gives_it() {
    let bench = Bench::new(TYPES);
    let cases = [
        (Value::Integer(1), "bool", "true"),
        (Value::Integer(0), "bool", "false"),
        (Value::Integer(5), "text", "5"),
        (Value::Integer(5), "numeric", "5"),
        (Value::Real(5.0), "int4", "5"),
        (Value::Real(-0.0), "float8", "-0"),
        (Value::Real(f64::NAN), "float8", "NaN"),
        (Value::Real(f64::NEG_INFINITY), "float8", "-Infinity"),
        (Value::Real(1e300), "float8", "1e+300"),
        (Value::Real(f64::from(0.1_f32)), "float4", "0.1"),
        (Value::Text("{1,2}".into()), "int[]", "{1,2}"),
        (Value::Text("sad".into()), "mood", "sad"),
        (Value::Text("é".into()), "text", "é"),
        (Value::Blob(vec![0, 255]), "bytea", "\\x00ff"),
    ];
    for (value, kind, expected) in cases {
        let rows = bench.query(&format!("select $1::{kind}::text"), &[&Param(&value)]);
        assert_eq!(rows[0].get::<_, &str>(0), expected, "{value:?} as {kind}");
    }
    let null = bench
        .query("select $1::int is null and $2::bytea is null", &[&Param(&Value::Null), &Param(&Value::Null)]);
    assert!(null[0].get::<_, bool>(0));
    assert_eq!(bench.database.psql("select 1"), "1");
}

proptest! {
    #[test]
    fn no_bytes_are_too_strange_to_be_shown(bytes: Vec<u8>) {
        use tokio_postgres::types::{Field, Kind, Type};
        let own = |kind| Type::new("own".into(), 100_000, kind, "public".into());
        let kinds = [
            Type::INT4, Type::FLOAT4, Type::FLOAT8, Type::NUMERIC, Type::BOOL, Type::TEXT, Type::CHAR, Type::JSONB,
            Type::UUID, Type::DATE, Type::TIMETZ, Type::TIMESTAMPTZ, Type::INTERVAL, Type::INET, Type::MACADDR,
            Type::VARBIT, Type::PG_LSN, Type::INT4_ARRAY, Type::TEXT_ARRAY, Type::INT4_RANGE, Type::POINT, Type::PATH, Type::TS_VECTOR, Type::MONEY,
            Type::INT4MULTI_RANGE, own(Kind::Enum(Vec::new())), own(Kind::Domain(Type::NUMERIC)),
            own(Kind::Composite(vec![Field::new("a".into(), Type::TEXT_ARRAY), Field::new("b".into(), Type::DATE)])),
        ];
        for kind in &kinds {
            let value = ValueRef::of_server(kind, Some(&bytes));
            let mut out = Vec::new();
            json::value(&mut out, ColumnKind::Any, value, ExactNumbers::AsStrings);
            if !matches!(value, ValueRef::Json(_)) {
                prop_assert!(serde_json::from_slice::<Json>(&out).is_ok(), "{kind}: {out:?}");
            }
            let _ = value.to_value();
        }
    }
}
