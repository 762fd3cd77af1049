//! What `/metrics` says can be read by whatever reads the OpenMetrics text format, and is true.

use std::collections::{BTreeMap, BTreeSet};

use http::Method;
use serde_json::json;

use crate::shop;

#[tokio::test]
async fn metrics_are_openmetrics_text_before_and_after_work() {
    let app = shop::app();
    let kasoku = shop::open(&app);
    let (client, admin) = (kasoku.client(), kasoku.admin());
    let before = admin.get("/metrics").await;
    let before = Exposition::read(before.text()).unwrap_or_else(|found| panic!("{found}\n{}", before.text()));
    for id in 1..=5 {
        client.json(Method::POST, "/things", &json!({"name": format!("{id}")})).await;
        for _ in 0..3 {
            client.get(&format!("/things/{id}")).await;
        }
    }
    client.get("/things?colour=eq.red%22%5c%0a").await;
    client.get("/nothing/%7bhere%7d%22").await;
    client.json(Method::POST, "/things", &json!({"name": "1"})).await;
    client.send(Method::DELETE, "/kinds", &[], "").await;
    admin.json(Method::POST, "/api/cache/purge", &json!({"all": true})).await;
    let after = admin.get("/metrics").await;
    assert!(
        after.header("content-type").starts_with("application/openmetrics-text; version=1.0.0"),
        "{after:?}"
    );
    let after = Exposition::read(after.text()).unwrap_or_else(|found| panic!("{found}\n{}", after.text()));
    assert!(after.samples.len() > before.samples.len());
    for (name, value) in &before.samples {
        let now = after.samples.get(name);
        assert!(!name.contains("_total") || now >= Some(value), "{name} fell from {value} to {now:?}");
    }
    let things =
        |status: &str| format!("kasoku_http_requests_total{{route=\"/things\",status=\"{status}\"}}");
    for (name, value) in
        [(things("200"), 15.0), (things("201"), 5.0), (things("409"), 1.0), (things("400"), 1.0)]
    {
        assert_eq!(after.samples.get(&name), Some(&value), "{name} in {:#?}", after.samples);
    }
}

#[test]
fn the_reader_refuses_what_is_not_openmetrics() {
    let sound = "# HELP a_b Help.\n# TYPE a_b counter\na_b_total{x=\"1\"} 2\n# TYPE c gauge\nc 1.5\n# EOF\n";
    assert_eq!(Exposition::read(sound).map(|read| read.samples.len()), Ok(2));
    for (wrong, text) in [
        ("no end", "# TYPE c gauge\nc 1\n"),
        ("something behind the end", "# EOF\nc 1\n"),
        ("no line break at the end", "# EOF"),
        ("a sample without a type", "c 1\n# EOF\n"),
        ("a counter without its suffix", "# TYPE c counter\nc 1\n# EOF\n"),
        ("a falling counter", "# TYPE c counter\nc_total -1\n# EOF\n"),
        ("a family twice", "# TYPE c gauge\nc 1\n# TYPE d gauge\nd 1\n# TYPE c gauge\nc{x=\"1\"} 1\n# EOF\n"),
        ("a sample twice", "# TYPE c gauge\nc 1\nc 2\n# EOF\n"),
        ("a value that is none", "# TYPE c gauge\nc one\n# EOF\n"),
        ("a quote in a value", "# TYPE c gauge\nc{x=\"a\"b\"} 1\n# EOF\n"),
        ("a label without a value", "# TYPE c gauge\nc{x} 1\n# EOF\n"),
        ("a label twice", "# TYPE c gauge\nc{x=\"1\",x=\"2\"} 1\n# EOF\n"),
        ("a name with a slash", "# TYPE c/d gauge\nc/d 1\n# EOF\n"),
        ("an empty line", "# TYPE c gauge\n\nc 1\n# EOF\n"),
        ("no last bucket", "# TYPE c histogram\nc_bucket{le=\"1\"} 1\nc_sum 1\nc_count 1\n# EOF\n"),
        (
            "buckets that fall",
            "# TYPE c histogram\nc_bucket{le=\"1\"} 2\nc_bucket{le=\"+Inf\"} 1\nc_sum 1\nc_count 1\n# EOF\n",
        ),
    ] {
        assert!(Exposition::read(text).is_err(), "{wrong} is taken: {text}");
    }
}

/// What was read: families by name, samples by name and labels.
#[derive(Debug, Default)]
struct Exposition {
    families: BTreeMap<String, String>,
    samples: BTreeMap<String, f64>,
    /// The family that is being read.
    current: Option<String>,
    /// The buckets of a histogram, in order, by name and other labels.
    buckets: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Exposition {
    fn read(text: &str) -> Result<Self, String> {
        let body = text.strip_suffix("# EOF\n").ok_or("it does not end in `# EOF`")?;
        let mut read = Self::default();
        for line in body.lines() {
            read.line(line).map_err(|wrong| format!("{wrong}: `{line}`"))?;
        }
        read.histograms()?;
        Ok(read)
    }

    fn line(&mut self, line: &str) -> Result<(), String> {
        let Some(about) = line.strip_prefix("# ") else { return self.sample(line) };
        let (what, rest) = about.split_once(' ').ok_or("a comment")?;
        let (name, rest) = rest.split_once(' ').ok_or("nothing is said")?;
        if !is_name(name) {
            return Err(format!("`{name}` is no name"));
        }
        if self.current.as_deref() != Some(name) {
            if self.families.contains_key(name) {
                return Err(format!("`{name}` is described a second time"));
            }
            self.families.insert(name.to_owned(), "unknown".to_owned());
            self.current = Some(name.to_owned());
        }
        match what {
            "HELP" => Ok(()),
            "UNIT" if name.ends_with(&format!("_{rest}")) => Ok(()),
            "TYPE" if ["counter", "gauge", "histogram", "info"].contains(&rest) => {
                let before = self.families.insert(name.to_owned(), rest.to_owned());
                if before.as_deref() == Some("unknown") { Ok(()) } else { Err("a second type".to_owned()) }
            }
            _ => Err("an unknown description".to_owned()),
        }
    }

    fn sample(&mut self, line: &str) -> Result<(), String> {
        let name_end = line.find(['{', ' ']).ok_or("no value")?;
        let (name, rest) = line.split_at(name_end);
        let (labels, value) = match rest.strip_prefix('{') {
            Some(rest) => labels(rest)?,
            None => (Vec::new(), rest),
        };
        let value: f64 = value.strip_prefix(' ').and_then(|text| text.parse().ok()).ok_or("no number")?;
        let family = self.current.clone().ok_or("a sample before any family")?;
        let suffix = name.strip_prefix(&*family).ok_or("a sample of another family")?;
        let kind = &*self.families[&family];
        let fits = match kind {
            "counter" => suffix == "_total",
            "gauge" => suffix.is_empty(),
            "info" => suffix == "_info" && value.to_bits() == 1.0_f64.to_bits(),
            "histogram" => ["_bucket", "_sum", "_count"].contains(&suffix),
            _ => false,
        };
        if !fits || (kind != "gauge" && (value.is_nan() || value < 0.0)) {
            return Err(format!("it does not fit a {kind}"));
        }
        if suffix == "_bucket" {
            let (le, others): (Vec<_>, Vec<_>) = labels.iter().partition(|(name, _)| name == "le");
            let le = le.first().and_then(|(_, le)| le.parse().ok()).ok_or("a bucket without its bound")?;
            self.buckets.entry(format!("{family}_count{}", written(&others))).or_default().push((le, value));
        }
        let labels: Vec<&(String, String)> = labels.iter().collect();
        match self.samples.insert(format!("{name}{}", written(&labels)), value) {
            None => Ok(()),
            Some(_) => Err("it is there twice".to_owned()),
        }
    }

    /// Buckets rise in bound and in value, and the last holds everything.
    fn histograms(&self) -> Result<(), String> {
        for (name, buckets) in &self.buckets {
            let rises = buckets.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
            let last = buckets.last().filter(|(le, _)| *le == f64::INFINITY).map(|(_, value)| value);
            if !rises || last.is_none() || last != self.samples.get(name) {
                return Err(format!("the buckets of `{name}` do not add up: {buckets:?}"));
            }
        }
        Ok(())
    }
}

type Labels = Vec<(String, String)>;

/// Reads labels after the brace, and returns what comes after the other.
fn labels(text: &str) -> Result<(Labels, &str), String> {
    let (mut labels, mut rest, mut known) = (Vec::new(), text, BTreeSet::new());
    while !rest.starts_with('}') {
        let (name, after) = rest.split_once("=\"").ok_or("a label without a value")?;
        let mut value = String::new();
        let mut characters = after.char_indices();
        let end = loop {
            match characters.next().ok_or("a value without an end")? {
                (place, '"') => break place,
                (_, '\\') => match characters.next() {
                    Some((_, escaped @ ('\\' | '"' | 'n'))) => value.push(escaped),
                    other => return Err(format!("escaped: {other:?}")),
                },
                (_, character) => value.push(character),
            }
        };
        if !is_name(name) || name.contains(':') || !known.insert(name.to_owned()) {
            return Err(format!("`{name}` is no label's name, or there twice"));
        }
        labels.push((name.to_owned(), value));
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) if !more.starts_with('}') => rest = more,
            None if rest.starts_with('}') => {}
            _ => return Err("labels are not parted".to_owned()),
        }
    }
    Ok((labels, &rest[1..]))
}

fn written(labels: &[&(String, String)]) -> String {
    if labels.is_empty() {
        return String::new();
    }
    let labels: Vec<_> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{{{}}}", labels.join(","))
}

fn is_name(text: &str) -> bool {
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    let mut bytes = text.bytes();
    bytes.next().is_some_and(is_first) && bytes.all(|byte| is_first(byte) || byte.is_ascii_digit())
}
