//! Documents stay true: links lead somewhere, the map shows every crate, lines are clean.

use super::Finding;
use super::allowed::Allowed;
use super::tree::{TextFile, Tree, beside};
use super::words::without_code;

/// Documents that a newcomer looks for.
const PRESENT: [&str; 9] = [
    "README.md",
    "ARCHITECTURE.md",
    "STYLE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "docs/decisions/000-index.md",
    ".ci/run",
];

/// What a newcomer looks for is there.
pub(crate) fn present(tree: &Tree, _: &mut Allowed) -> Vec<Finding> {
    let missing = PRESENT.iter().filter(|path| tree.file(path).is_none());
    missing.map(|path| Finding::new(path, 1, "this document is missing; write it")).collect()
}

/// Every package of the workspace stands in `ARCHITECTURE.md`, by its folder.
pub(crate) fn crates_are_drawn(tree: &Tree, _: &mut Allowed) -> Vec<Finding> {
    let Some(map) = tree.file("ARCHITECTURE.md") else { return Vec::new() };
    let absent = tree.packages.iter().filter(|package| !map.text.contains(&package.folder));
    let say = |folder: &str| format!("`{folder}` is not on the map; say in a line what it is for");
    absent.map(|package| Finding::new(&map.path, 1, say(&package.folder))).collect()
}

/// Links within the project lead to a file, and to a heading where they name one.
pub(crate) fn links_resolve(tree: &Tree, _: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| file.extension() == "md") {
        let prose = without_code(&file.text);
        for (line, target) in links(&prose) {
            if target.contains("://") || target.starts_with("mailto:") {
                continue;
            }
            let (path, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if path.is_empty() { file.path.clone() } else { beside(&file.path, path) };
            if !tree.exists(&path) {
                findings.push(Finding::new(
                    &file.path,
                    line,
                    format!("`{target}` leads nowhere; there is no {path}"),
                ));
            } else if let (false, Some(other)) = (heading.is_empty(), tree.file(&path))
                && other.extension() == "md"
                && !headings(other).any(|anchor| anchor == heading)
            {
                findings.push(Finding::new(&file.path, line, format!("{path} has no heading `#{heading}`")));
            }
        }
    }
    findings
}

/// The targets of `[…](target)` and `[…]: target`, with their lines.
fn links(prose: &str) -> Vec<(usize, &str)> {
    let mut links = Vec::new();
    for (at, line) in prose.lines().enumerate() {
        for (start, _) in line.match_indices("](") {
            let rest = &line[start + 2..];
            let target = rest.split([')', ' ']).next().unwrap_or_default();
            links.push((at + 1, target.trim_matches(['<', '>'])));
        }
        if let Some((name, target)) = line.split_once("]: ")
            && name.starts_with('[')
        {
            links.push((at + 1, target.trim()));
        }
    }
    links
}

/// The anchors of a document's headings: lower case, spaces as hyphens, punctuation dropped.
fn headings(file: &TextFile) -> impl Iterator<Item = String> {
    let lines = file.text.lines().filter(|line| line.starts_with('#'));
    lines.map(|line| {
        let title = line.trim_start_matches('#').trim().to_lowercase();
        let kept = title.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    })
}

/// Paths that exist on one machine only.
const MACHINE_PATHS: [&str; 4] = ["/root/", "/work/", "/home/", "/Users/"];

/// Kinds of files that are written by hand.
const WRITTEN: [&str; 12] =
    ["rs", "md", "toml", "sql", "html", "css", "js", "sh", "yml", "yaml", "json", "txt"];

/// No white space at the ends of lines, no path of somebody's machine, and a line break at the end.
pub(crate) fn lines_are_clean(tree: &Tree, allowed: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in tree.files.iter().filter(|file| is_written(file)) {
        for (at, line) in file.text.split('\n').enumerate() {
            if line.ends_with([' ', '\t', '\r']) {
                findings.push(Finding::new(&file.path, at + 1, "white space at the end; remove it"));
            }
            let found = MACHINE_PATHS.into_iter().find(|path| has_path(line, path));
            if let Some(path) = found.filter(|path| !allowed.passes("word", &file.path, path)) {
                let what = format!("`{path}` is a path of one machine; say it relative to the project");
                findings.push(Finding::new(&file.path, at + 1, what));
            }
        }
        if !file.text.is_empty() && !file.text.ends_with('\n') {
            let last = file.text.lines().count();
            findings.push(Finding::new(&file.path, last, "no line break at the end; add one"));
        }
    }
    findings
}

fn is_written(file: &TextFile) -> bool {
    WRITTEN.contains(&file.extension()) && file.path != "xtask/src/tidy/documents.rs"
}

/// Whether an absolute path stands in a line, rather than the middle of another path or URL.
fn has_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '}' | '*'))
    })
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::*;

    #[test]
    fn links_that_lead_nowhere_are_found() {
        let text = "# One Two: three\n[a](b.md) [c](b.md#more-here) [d](#one-two-three) [e](../src) [f](https://x.y/z)\n\
                    [g](gone.md) [h](b.md#less) [i](#four)\n`[j](gone.md)`\n```\n[k](gone.md)\n```\n[l]: gone.md\n[m](/docs/b.md \"t\")\n";
        let files = [("docs/a.md", text), ("docs/b.md", "## More `here`\n"), ("src/lib.rs", "")];
        expect(
            links_resolve,
            &files,
            &[
                "docs/a.md:3: `gone.md`",
                "docs/b.md has no heading `#less`",
                "no heading `#four`",
                "docs/a.md:8",
            ],
        );
    }

    #[test]
    fn a_crate_that_is_not_on_the_map_is_found() {
        let manifest = "[package]\nname = \"x\"\n";
        let files = [
            ("lib/x/Cargo.toml", manifest),
            ("lib/y/Cargo.toml", manifest),
            ("ARCHITECTURE.md", "`lib/x` is"),
        ];
        expect(crates_are_drawn, &files, &["`lib/y` is not on the map"]);
    }

    #[test]
    fn missing_documents_are_found() {
        let files: Vec<_> = PRESENT.iter().skip(1).map(|path| (*path, "")).collect();
        expect(present, &files, &["README.md:1"]);
    }

    #[test]
    fn unclean_lines_are_found() {
        let check = |text: &str, expected: &[&str]| expect(lines_are_clean, &[("a.md", text)], expected);
        check("clean\n", &[]);
        check("", &[]);
        check("end \n", &["a.md:1: white space"]);
        check("\nwindows\r\n", &["a.md:2: white space"]);
        check("open", &["a.md:1: no line break"]);
        check("in /home/me/x\n", &["a.md:1: `/home/`"]);
        check("at https://example.org/home/x and docs/work/y and {url}/work/\n", &[]);
        expect(lines_are_clean, &[("Cargo.lock", "x \n"), ("a.png", "x ")], &[]);
    }
}
