//! Media types by the names of files.

use std::path::Path;

use http::HeaderValue;

/// Types that the general table lacks or gives names that are no longer right.
const OWN: [(&str, &str); 9] = [
    ("geojson", "application/geo+json"),
    ("jsonl", "application/x-ndjson"),
    ("md", "text/markdown; charset=utf-8"),
    ("mjs", "text/javascript; charset=utf-8"),
    ("ndjson", "application/x-ndjson"),
    ("parquet", "application/vnd.apache.parquet"),
    ("toml", "application/toml"),
    ("ts", "text/plain; charset=utf-8"),
    ("yaml", "application/yaml"),
];

/// The media type of a file of this name; text is UTF-8.
pub(crate) fn of(name: &str) -> HeaderValue {
    let extension = extension(name);
    if let Some((_, own)) = OWN.iter().find(|(known, _)| *known == extension) {
        return HeaderValue::from_static(own);
    }
    let guess = mime_guess::from_ext(&extension).first_raw().unwrap_or("application/octet-stream");
    if guess.starts_with("text/") {
        let text = format!("{guess}; charset=utf-8");
        HeaderValue::from_str(&text).expect("the names of media types are visible ASCII")
    } else {
        HeaderValue::from_static(guess)
    }
}

/// Whether a path ends in the name of a file of a known type, and so does not name a page of an application.
pub(crate) fn names_a_file(path: &str) -> bool {
    let extension = extension(path);
    OWN.iter().any(|(known, _)| *known == extension) || mime_guess::from_ext(&extension).first_raw().is_some()
}

fn extension(path: &str) -> String {
    let extension = Path::new(path).extension().and_then(|extension| extension.to_str());
    extension.unwrap_or_default().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_the_media_type() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b/style.css", "text/css; charset=utf-8"),
            ("app.js", "text/javascript; charset=utf-8"),
            ("app.mjs", "text/javascript; charset=utf-8"),
            ("APP.JS", "text/javascript; charset=utf-8"),
            ("notes.txt", "text/plain; charset=utf-8"),
            ("read.md", "text/markdown; charset=utf-8"),
            ("table.csv", "text/csv; charset=utf-8"),
            ("feed.xml", "text/xml; charset=utf-8"),
            ("items.json", "application/json"),
            ("site.webmanifest", "application/manifest+json"),
            ("module.wasm", "application/wasm"),
            ("logo.svg", "image/svg+xml"),
            ("photo.jpeg", "image/jpeg"),
            ("photo.avif", "image/avif"),
            ("icon.ico", "image/x-icon"),
            ("font.woff2", "font/woff2"),
            ("film.mp4", "video/mp4"),
            ("paper.pdf", "application/pdf"),
            ("rows.ndjson", "application/x-ndjson"),
            ("archive.gz", "application/gzip"),
            ("archive.tar.gz", "application/gzip"),
            ("Makefile", "application/octet-stream"),
            ("name.unknown", "application/octet-stream"),
            ("trailing.", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(of(name), expected, "{name}");
        }
    }

    #[test]
    fn only_known_extensions_make_a_path_the_name_of_a_file() {
        for (path, expected) in [
            ("app.js", true),
            ("a/b.css", true),
            ("users/john.doe", false),
            ("about", false),
            ("v1.2/page", false),
        ] {
            assert_eq!(names_a_file(path), expected, "{path}");
        }
    }
}
