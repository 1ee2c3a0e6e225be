//! Diagnostics as a person reads them in a terminal: rustc's layout, ASCII, colour only if the caller asks for it.

use annotate_snippets::{Annotation, AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet};

use super::source::push_visible;
use super::{Diagnostic, NoteKind, Place, Severity, visible};

/// Whether to colour. The caller knows the terminal and NO_COLOR; this module does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// Plain ASCII, the same bytes everywhere.
    #[default]
    Plain,
    /// ANSI colours; the text is the same.
    Colour,
}

/// All diagnostics, one blank line between two, a line break at the end; empty for none.
pub fn text(diagnostics: &[Diagnostic], style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let mut out = String::new();
    for (i, diagnostic) in diagnostics.iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        out.push_str(&true_places(renderer.render(&[group(diagnostic)]), diagnostic));
        out.push('\n');
    }
    out
}

/// Where a line is shown otherwise than it stands in the file (a window of it, characters written out), the renderer
/// adds the line and column of what it draws behind the true ones: they go.
fn true_places(mut text: String, diagnostic: &Diagnostic) -> String {
    for place in diagnostic.place.iter().chain(diagnostic.related.iter().map(|related| &related.place)) {
        let drawn = format!("{}:{}:", place.to_short_string(), place.line);
        let Some(at) = text.find(&drawn) else { continue };
        let digits = text[at + drawn.len()..].chars().take_while(char::is_ascii_digit).count();
        let from = at + place.to_short_string().len();
        text.replace_range(from..at + drawn.len() + digits, "");
    }
    text
}

fn group(d: &Diagnostic) -> Group<'_> {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(visible(&d.message)).id(d.code.as_str()));
    if let Some(place) = &d.place {
        group = group.element(place_element(place, d.label.as_deref(), AnnotationKind::Primary));
    }
    for related in &d.related {
        group = group.element(place_element(&related.place, Some(&related.message), AnnotationKind::Context));
    }
    if let (Some(label), true) = (&d.label, d.place.as_ref().is_none_or(|p| p.source.is_none())) {
        group = group.element(Level::HELP.message(visible(label)));
    }
    for note in &d.notes {
        let level = match note.kind {
            NoteKind::See => Level::NOTE.with_name("see"),
            NoteKind::Help => Level::HELP,
            NoteKind::Note => Level::NOTE,
        };
        group = group.element(level.message(visible(&note.text)));
    }
    group
}

fn place_element<'a>(place: &'a Place, label: Option<&'a str>, kind: AnnotationKind) -> Element<'a> {
    let Some(source) = &place.source else {
        let origin = Origin::path(visible(&place.path));
        if place.line == 0 {
            return origin.into();
        }
        return origin.line(place.line as usize).char_column(place.column as usize).into();
    };
    // Columns as printed must be those of the file: what a window cuts off is replaced by a shorter mark, so the
    // snippet names its path with the true position and annotate-snippets only draws.
    let mut shown = String::new();
    if source.cut_before > 0 {
        shown.push('…');
    }
    let (mut start, mut end) = (None, None);
    for (column, c) in (source.cut_before + 1..).zip(source.text.chars()) {
        if column == place.column {
            start = Some(shown.len());
        }
        if column == place.end_column {
            end = Some(shown.len());
        }
        push_visible(&mut shown, c);
    }
    let start = start.unwrap_or(shown.len());
    let end = end.unwrap_or(shown.len()).max(start);
    if source.cut_after {
        shown.push('…');
    }
    let exact = shown[..start].chars().count() + 1 == place.column as usize;
    let mut annotation: Annotation<'_> = kind.span(start..end);
    if let Some(label) = label {
        annotation = annotation.label(visible(label));
    }
    let path = if exact { visible(&place.path).into_owned() } else { place.to_short_string() };
    Snippet::source(shown).line_start(place.line as usize).path(path).annotation(annotation).into()
}
