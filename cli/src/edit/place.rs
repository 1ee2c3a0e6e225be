//! Where a value goes, and in whose style: the neighbours decide.
//!
//! Works on the file's own text and the tree's spans. A key that is not there yet gets a line with its neighbours'
//! indentation in a block mapping, a place behind a comma in a flow mapping. A span that lies elsewhere than its key
//! (an alias, a merge key) is never edited.

use super::scalar::{Style, render};
use super::{CannotEdit, Edit, New, Splice};
use crate::load::tree::{Node, Step, Value, print_path};

type Entry<'a> = (Node<'a>, Node<'a>);

/// The stretches that make this edit in `text`, of which `object` is a node.
pub fn splices(text: &str, object: &Node<'_>, edit: &Edit) -> Result<Vec<Splice>, CannotEdit> {
    let mut node = object;
    let mut flow = false;
    for (n, step) in edit.path.iter().enumerate() {
        flow |= bracket(text, node).is_some();
        let so_far = || print_path(&edit.path[..=n]);
        match (step, &node.value) {
            (Step::Key(name), Value::Mapping(_)) => match node.get(name) {
                Some((key, value)) => {
                    if key.span.start < node.span.start || value.span.start < key.span.end {
                        return Err(CannotEdit::Shared(so_far()));
                    }
                    if n + 1 == edit.path.len() {
                        return replace(text, key, value, edit, flow).map(|one| vec![one]);
                    }
                    node = value;
                }
                None => return insert(text, node, name, &edit.path[n + 1..], edit),
            },
            (Step::Index(index), Value::Sequence(items)) => match items.get(*index) {
                Some(item) if item.span.start < node.span.start => return Err(CannotEdit::Shared(so_far())),
                Some(item) if n + 1 == edit.path.len() => {
                    return replace(text, item, item, edit, flow).map(|one| vec![one]);
                }
                Some(item) => node = item,
                None => return Err(CannotEdit::NoPlace(edit.path_words())),
            },
            _ => return Err(CannotEdit::NoPlace(edit.path_words())),
        }
    }
    Err(CannotEdit::NoPlace(edit.path_words()))
}

fn start(node: &Node<'_>) -> usize {
    node.span.start as usize
}

fn end(node: &Node<'_>) -> usize {
    node.span.end as usize
}

/// The opening bracket of a flow collection, behind its anchor and tag.
fn bracket(text: &str, node: &Node<'_>) -> Option<u8> {
    let mut rest = text.get(start(node)..)?;
    while rest.starts_with(['&', '!']) {
        let token = rest.find(char::is_whitespace)?;
        rest = rest[token..].trim_start_matches(' ');
    }
    let first = *rest.as_bytes().first()?;
    (node.is_container() && matches!(first, b'{' | b'[')).then_some(first)
}

/// How a scalar is written now.
fn style_of(raw: &str, json: bool) -> Option<Style> {
    match raw.as_bytes().first()? {
        b'"' if json => Some(Style::Json),
        b'"' => Some(Style::Double),
        b'\'' => Some(Style::Single),
        _ => Some(Style::Plain),
    }
}

/// Whether a scalar is written as a block: its span begins at its first line of text, behind the `|` or `>`.
fn is_block(text: &str, key: &Node<'_>, value: &Node<'_>) -> bool {
    let between = text.get(end(key)..start(value)).unwrap_or_default();
    let mut rest = between.trim_start().trim_start_matches(':').trim_start();
    while rest.starts_with(['&', '!']) {
        rest = rest.find(char::is_whitespace).map_or("", |token| rest[token..].trim_start());
    }
    rest.starts_with(['|', '>'])
}

fn is_json(text: &str, key: &Node<'_>) -> bool {
    text.as_bytes().get(start(key)) == Some(&b'"')
}

fn replace(
    text: &str,
    key: &Node<'_>,
    value: &Node<'_>,
    edit: &Edit,
    flow: bool,
) -> Result<Splice, CannotEdit> {
    let raw = text.get(start(value)..end(value)).unwrap_or_default();
    let lines = || CannotEdit::Lines(edit.path_words());
    let json = is_json(text, key);
    let style = match (&value.value, &edit.new) {
        (Value::Sequence(items), New::List(_)) => {
            if !raw.starts_with('[') || raw.contains(['\n', '\r', '#']) {
                return Err(lines());
            }
            let quoted = items.first().and_then(|item| text.get(start(item)..end(item)));
            quoted.and_then(|raw| style_of(raw, json)).unwrap_or(if json {
                Style::Json
            } else {
                Style::Plain
            })
        }
        (Value::Scalar { .. }, New::List(_)) | (Value::Sequence(_) | Value::Mapping(_), _) => {
            return Err(CannotEdit::NoPlace(edit.path_words()));
        }
        (Value::Scalar { .. }, _) if is_block(text, key, value) => return Err(lines()),
        (Value::Scalar { .. }, _) if raw.is_empty() => return Err(CannotEdit::NoPlace(edit.path_words())),
        (Value::Scalar { .. }, _) => style_of(raw, json).ok_or_else(lines)?,
    };
    let new = match (&edit.new, style) {
        // What is there keeps its style, an id too.
        (New::Id(id), Style::Plain) => New::Text(id.clone()),
        (new, _) => new.clone(),
    };
    Ok(Splice { start: start(value), end: end(value), text: render(&new, style, flow) })
}

/// A new key with what is missing below it, in a mapping that is there.
fn insert(
    text: &str,
    mapping: &Node<'_>,
    key: &str,
    below: &[Step],
    edit: &Edit,
) -> Result<Vec<Splice>, CannotEdit> {
    let own: Vec<&Entry<'_>> =
        mapping.entries().iter().filter(|(key, _)| key.span.start >= mapping.span.start).collect();
    if own.len() < mapping.entries().len() {
        return Err(CannotEdit::Shared(edit.path_words()));
    }
    let near = own.iter().rposition(|(key, _)| key.text().is_some_and(|key| edit.after.contains(&key)));
    let Some(first) = own.first() else {
        return empty(text, mapping, key, below, edit);
    };
    let json = is_json(text, &first.0);
    let near = near.unwrap_or(own.len() - 1);
    let is_flow = bracket(text, mapping) == Some(b'{');
    let colon = if json && is_flow { colon_of(text, own[near]) } else { ": " };
    let written = entry(key, below, edit, json, is_flow, colon)?;
    if is_flow { in_flow(text, &own, near, &written, edit) } else { Ok(in_block(text, &own, near, &written)) }
}

/// `{}`: the only place is between the braces.
fn empty(
    text: &str,
    mapping: &Node<'_>,
    key: &str,
    below: &[Step],
    edit: &Edit,
) -> Result<Vec<Splice>, CannotEdit> {
    let raw = text.get(start(mapping)..end(mapping)).unwrap_or_default();
    if raw != "{}" {
        return Err(CannotEdit::NoPlace(edit.path_words()));
    }
    let at = start(mapping) + 1;
    let json = text.trim_start().strip_prefix('{').is_some_and(|rest| rest.trim_start().starts_with('"'));
    Ok(vec![Splice { start: at, end: at, text: entry(key, below, edit, json, true, ": ")? }])
}

/// `key: value`, with what is missing in between as flow mappings.
fn entry(
    key: &str,
    below: &[Step],
    edit: &Edit,
    json: bool,
    flow: bool,
    colon: &str,
) -> Result<String, CannotEdit> {
    let style = if json { Style::Json } else { Style::Plain };
    let quoted = |key: &str| if json { format!("\"{key}\"") } else { key.to_owned() };
    let mut out = format!("{}{colon}", quoted(key));
    for step in below {
        let Step::Key(key) = step else { return Err(CannotEdit::NoPlace(edit.path_words())) };
        out.push_str(&format!("{{{}{colon}", quoted(key)));
    }
    out.push_str(&render(&edit.new, style, flow || !below.is_empty()));
    out.push_str(&"}".repeat(below.len()));
    Ok(out)
}

/// How a neighbour writes its colon.
fn colon_of<'t>(text: &'t str, (key, value): &Entry<'_>) -> &'t str {
    match text.get(end(key)..start(value)) {
        Some(between) if !between.is_empty() && between.trim() == ":" && !between.contains(['\n', '\r']) => {
            between
        }
        _ => ": ",
    }
}

/// The byte behind an entry. What an alias stands for lies elsewhere; the entry then ends no earlier than its key.
fn entry_end((key, value): &Entry<'_>, text: &str) -> usize {
    if value.span.start < key.span.end { end(key) } else { end(key).max(value_end(value, text)) }
}

fn value_end(node: &Node<'_>, text: &str) -> usize {
    if bracket(text, node).is_some() {
        return end(node);
    }
    match &node.value {
        Value::Scalar { .. } => end(node),
        Value::Sequence(items) => {
            let inside = items.iter().filter(|item| item.span.start >= node.span.start);
            inside.map(|item| value_end(item, text)).max().unwrap_or_else(|| start(node))
        }
        Value::Mapping(entries) => {
            let inside = entries.iter().filter(|(key, _)| key.span.start >= node.span.start);
            inside.map(|entry| entry_end(entry, text)).max().unwrap_or_else(|| start(node))
        }
    }
}

fn in_flow(
    text: &str,
    own: &[&Entry<'_>],
    near: usize,
    written: &str,
    edit: &Edit,
) -> Result<Vec<Splice>, CannotEdit> {
    let (key, value) = own[near];
    if value.span.start < key.span.end {
        return Err(CannotEdit::Shared(edit.path_words()));
    }
    let at = entry_end(own[near], text);
    let line = text[..start(key)].rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let indentation = &text[line..start(key)];
    let own_line =
        !indentation.is_empty() && line > 0 && indentation.bytes().all(|byte| byte == b' ' || byte == b'\t');
    if !own_line {
        let before = own.get(1).map(|second| {
            let from = entry_end(own[0], text);
            text.get(from..start(&second.0)).unwrap_or(", ")
        });
        let comma = before.filter(|between| *between == ",").unwrap_or(", ");
        return Ok(vec![Splice { start: at, end: at, text: format!("{comma}{written}") }]);
    }
    // One key a line: the comma stays with the neighbour, and so does the comment behind it.
    let rest = &text[at..];
    let has_comma = rest.trim_start_matches([' ', '\t']).starts_with(',');
    let line_end = at + rest.find(['\n', '\r']).unwrap_or(rest.len());
    let on_this_line = text[at..line_end].trim_start_matches([' ', '\t', ',']);
    if !on_this_line.is_empty() && !on_this_line.starts_with('#') {
        // The closing brace or another key follows on this line.
        return Ok(vec![Splice { start: at, end: at, text: format!(", {written}") }]);
    }
    let eol = line_break(text, at);
    let line = format!("{eol}{indentation}{written}");
    if has_comma {
        return Ok(vec![Splice { start: line_end, end: line_end, text: format!("{line},") }]);
    }
    if at == line_end {
        return Ok(vec![Splice { start: at, end: at, text: format!(",{line}") }]);
    }
    Ok(vec![
        Splice { start: at, end: at, text: ",".to_owned() },
        Splice { start: line_end, end: line_end, text: line },
    ])
}

fn in_block(text: &str, own: &[&Entry<'_>], near: usize, written: &str) -> Vec<Splice> {
    let indentation = " ".repeat(own[0].0.span.column.saturating_sub(1) as usize);
    let at = entry_end(own[near], text);
    let eol = line_break(text, at);
    if at > 0 && text.as_bytes()[at - 1] == b'\n' {
        // A block scalar, which ends with its line.
        return vec![Splice { start: at, end: at, text: format!("{indentation}{written}{eol}") }];
    }
    let line_end = at + text[at..].find(['\n', '\r']).unwrap_or(text.len() - at);
    vec![Splice { start: line_end, end: line_end, text: format!("{eol}{indentation}{written}") }]
}

/// How the line of this byte ends; the last line ends like the first one.
fn line_break(text: &str, at: usize) -> &'static str {
    let next = text[at..].find('\n').map(|n| at + n).or_else(|| text.find('\n'));
    match next {
        Some(n) if n > 0 && text.as_bytes()[n - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}
