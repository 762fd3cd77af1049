//! Files and functions stay short.

use super::Finding;
use super::allowed::{Allowed, Limit};
use super::tree::Tree;

/// Lines of a file, tests apart.
const FILE_LINES: usize = 300;

/// Lines that a file may have with a reason; only a catalogue may have more.
const FILE_LINES_HARD: usize = 500;

/// Lines of code of a function.
const FUNCTION_LINES: usize = 70;

/// Files are not too long.
pub(crate) fn files(tree: &Tree, allowed: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !file.is_test()) {
        let lines = rust.lines_apart_from_tests();
        if lines <= FILE_LINES {
            continue;
        }
        let limit = allowed.limit("file-length", &file.path, "");
        let what = match limit {
            None => format!("{lines} lines; divide it by idea, {FILE_LINES} is the aim"),
            Some(Limit::Lines(_)) if lines > FILE_LINES_HARD => {
                format!("{lines} lines; {FILE_LINES_HARD} is the most that a reason can allow")
            }
            Some(Limit::Lines(limit) | Limit::Catalogue(limit)) if lines > limit => {
                format!("{lines} lines; it is allowed {limit}")
            }
            Some(_) => continue,
        };
        findings.push(Finding::new(&file.path, 1, what));
    }
    findings
}

/// Functions are not too long.
pub(crate) fn functions(tree: &Tree, allowed: &mut Allowed) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (file, rust) in tree.rust().filter(|(file, _)| !file.is_test()) {
        for function in rust.functions() {
            if function.code_lines <= FUNCTION_LINES {
                continue;
            }
            let lines = function.code_lines;
            let what = match allowed.limit("function-length", &file.path, &function.name) {
                None => format!(
                    "`{}` has {lines} lines; {FUNCTION_LINES} is the most: name its parts",
                    function.name
                ),
                Some(Limit::Lines(limit) | Limit::Catalogue(limit)) if lines > limit => {
                    format!("`{}` has {lines} lines; it is allowed {limit}", function.name)
                }
                Some(_) => continue,
            };
            findings.push(Finding::new(&file.path, function.line, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::super::expect;
    use super::*;

    const LIST: &str = "xtask/tidy-allow.toml";

    fn entry(rule: &str, item: &str, limit: usize, more: &str) -> String {
        format!(
            "[[allow]]\npath = \"a.rs\"\nrule = \"{rule}\"\nitem = \"{item}\"\nlimit = {limit}\n{more}\n\
             reason = \"one idea in one place\"\n"
        )
    }

    #[test]
    fn long_files_need_a_reason_and_very_long_ones_must_be_catalogues() {
        let check = |lines: usize, list: &str, expected: &[&str]| {
            expect(files, &[("a.rs", &"//\n".repeat(lines)), (LIST, list)], expected);
        };
        check(300, "", &[]);
        check(301, "", &["a.rs:1: 301 lines; divide it"]);
        check(400, &entry("file-length", "", 400, ""), &[]);
        check(401, &entry("file-length", "", 400, ""), &["it is allowed 400"]);
        check(501, &entry("file-length", "", 600, ""), &["500 is the most"]);
        check(501, &entry("file-length", "", 600, "catalogue = true"), &[]);
        check(
            300,
            &entry("file-length", "", 400, ""),
            &["tidy-allow.toml:1: file-length for a.rs is no longer"],
        );
        let tests = format!("{}#[cfg(test)]\nmod tests {{\n{}}}\n", "//\n".repeat(300), "//\n".repeat(300));
        expect(files, &[("a.rs", &tests), ("tests/b.rs", &"//\n".repeat(900))], &[]);
    }

    #[test]
    fn long_functions_need_a_reason() {
        let check = |lines: usize, list: &str, expected: &[&str]| {
            let text = format!("\nfn long() {{\n\n// why\n{}}}\n", "    f();\n".repeat(lines - 2));
            expect(functions, &[("a.rs", &text), (LIST, list)], expected);
        };
        check(70, "", &[]);
        check(71, "", &["a.rs:2: `long` has 71 lines; 70 is the most"]);
        check(80, &entry("function-length", "long", 80, ""), &[]);
        check(81, &entry("function-length", "long", 80, ""), &["it is allowed 80"]);
        check(70, &entry("function-length", "long", 80, ""), &["(long) is no longer needed"]);
    }
}
