//! Findings as people read them: the line, the part at fault underlined, what was expected, what may help.

use std::fmt::Write as _;

use annotate_snippets::{
    AnnotationKind, Group, Level, Origin, Renderer, Snippet, normalize_untrusted_str, renderer::DecorStyle,
};

use super::{Diagnostic, Diagnostics, Place, Severity, WHOLE_FILE};

impl Diagnostics {
    /// All findings as text for a terminal, with or without colours. Ends with a line break unless it is empty.
    pub fn render(&self, color: bool) -> String {
        let renderer = if color { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(120);
        let mut out = String::new();
        for diagnostic in &self.list {
            out.push_str(renderer.render(&[self.group(diagnostic)]).trim_end());
            out.push_str("\n\n");
        }
        if self.left_out > 0 {
            let _ = write!(out, "and {} more\n\n", self.left_out);
        }
        out.truncate(out.trim_end().len() + usize::from(!out.is_empty()));
        out
    }

    fn group<'a>(&'a self, diagnostic: &'a Diagnostic) -> Group<'a> {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut group = {
            let title = level.primary_title(&diagnostic.message);
            Group::with_title(if diagnostic.key == WHOLE_FILE { title } else { title.id(&diagnostic.key) })
        };
        group = self.with_places(group, diagnostic);
        match &diagnostic.hint {
            Some(hint) => group.element(Level::HELP.message(normalize_untrusted_str(hint))),
            None => group,
        }
    }

    fn with_places<'a>(&'a self, mut group: Group<'a>, diagnostic: &'a Diagnostic) -> Group<'a> {
        let own = &diagnostic.place;
        let Some(source) = self.texts.get(own.text) else { return group };
        if source.text.trim().is_empty() || own.span == (0..0) {
            let (line, column) = self.position(own);
            group = group.element(Origin::path(&source.name).line(line).char_column(column));
        } else {
            let label = diagnostic.label.as_deref();
            let mut snippet = Snippet::source(&source.text)
                .path(&source.name)
                .annotation(AnnotationKind::Primary.span(self.shown(own)).label(label));
            for (place, text) in diagnostic.related.iter().filter(|(place, _)| place.text == own.text) {
                snippet =
                    snippet.annotation(AnnotationKind::Context.span(self.shown(place)).label(text.as_str()));
            }
            group = group.element(snippet);
        }
        for (place, text) in diagnostic.related.iter().filter(|(place, _)| place.text != own.text) {
            let Some(source) = self.texts.get(place.text) else { continue };
            group = group.element(
                Snippet::source(&source.text)
                    .path(&source.name)
                    .annotation(AnnotationKind::Context.span(self.shown(place)).label(text.as_str())),
            );
        }
        group
    }

    /// The part of a place that is underlined: within the text, on whole characters, and of its first line only
    /// where it is a table that goes on for many.
    fn shown(&self, place: &Place) -> std::ops::Range<usize> {
        let text = self.texts.get(place.text).map_or("", |source| source.text.as_str());
        let start = floor(text, place.span.start);
        let end = floor(text, place.span.end).max(start);
        start..end
    }
}

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
