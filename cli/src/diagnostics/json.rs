//! Diagnostics as one JSON document for editors and scripts. Keys are only ever added; a removal raises the version.

use serde_json::{Map, Value, json as value};

use super::{Diagnostic, Place, Tally};

/// The version of the document's shape.
pub const FORMAT_VERSION: u32 = 1;

/// One document: `{formatVersion, diagnostics: […], summary: {errors, warnings, notes, files, filesRead}}`.
///
/// Strings are as they stand in the files: JSON escapes control characters itself. `column` counts characters from
/// 1, `endColumn` is exclusive. `path` is relative to the repository, `givenPath` as it was asked for.
pub fn json(diagnostics: &[Diagnostic], files_read: usize) -> Value {
    let tally = Tally::of(diagnostics);
    value!({
        "formatVersion": FORMAT_VERSION,
        "diagnostics": diagnostics.iter().map(one).collect::<Vec<_>>(),
        "summary": {
            "errors": tally.errors,
            "warnings": tally.warnings,
            "notes": tally.notes,
            "files": tally.files,
            "filesRead": files_read,
        },
    })
}

/// One object a line, for `--log-format json`: as in the document, with `level` beside them.
pub fn json_lines(diagnostics: &[Diagnostic]) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        let mut line = one(diagnostic);
        line["level"] = diagnostic.severity.as_str().into();
        out.push_str(&format!("{line}\n"));
    }
    out
}

fn one(d: &Diagnostic) -> Value {
    let mut object = Map::new();
    object.insert("severity".into(), d.severity.as_str().into());
    object.insert("code".into(), d.code.as_str().into());
    object.insert("message".into(), d.message.as_str().into());
    if let Some(label) = &d.label {
        object.insert("label".into(), label.as_str().into());
    }
    if let Some(place) = &d.place {
        object.insert("place".into(), at(place));
    }
    object.insert(
        "notes".into(),
        d.notes.iter().map(|n| value!({"kind": n.kind.as_str(), "text": n.text})).collect(),
    );
    object.insert(
        "related".into(),
        d.related.iter().map(|r| value!({"message": r.message, "place": at(&r.place)})).collect(),
    );
    Value::Object(object)
}

fn at(place: &Place) -> Value {
    let mut object = Map::new();
    object.insert("path".into(), (&*place.repository_path).into());
    object.insert("givenPath".into(), (&*place.path).into());
    if place.line > 0 {
        object.insert("line".into(), place.line.into());
        object.insert("column".into(), place.column.into());
        object.insert("endColumn".into(), place.end_column.into());
    }
    if let Some(source) = &place.source {
        object.insert("source".into(), (&*source.text).into());
    }
    Value::Object(object)
}
