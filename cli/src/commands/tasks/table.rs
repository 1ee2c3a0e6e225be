//! Tasks as a table, out and back in. Nothing in a cell is a formula to a spreadsheet.

use std::path::Path;

use jiff::Timestamp;
use tenantry_engine::text::csv as cell;

use super::Listed;
use crate::exit::CliError;
use crate::ledgers::day;

/// The columns; `done` and `note` are for whoever does the work.
const COLUMNS: [&str; 12] =
    ["id", "console", "address", "title", "who", "at", "since", "state", "steps", "causes", "done", "note"];

/// The table of these tasks.
pub(super) fn write(tasks: &[Listed], now: Timestamp) -> String {
    let mut out = csv::Writer::from_writer(Vec::new());
    out.write_record(COLUMNS).expect("memory takes it");
    let joined = |texts: &[String]| {
        // Each piece is cleaned; the cell begins with the first one.
        texts.iter().map(|text| cell(text)).collect::<Vec<_>>().join(" | ")
    };
    for one in tasks {
        let task = one.task.as_ref();
        let row = [
            cell(&one.id),
            cell(&one.console),
            cell(&one.address),
            task.map_or_else(String::new, |task| cell(&task.title)),
            one.party_words().to_owned(),
            task.map_or_else(String::new, |task| cell(&task.at)),
            one.since.map_or_else(String::new, day),
            cell(&one.state(now)),
            task.map_or_else(String::new, |task| joined(&task.steps)),
            task.map_or_else(String::new, |task| joined(&task.consequences)),
            String::new(),
            String::new(),
        ];
        out.write_record(&row).expect("memory takes it");
    }
    String::from_utf8(out.into_inner().expect("memory takes it")).expect("what was written is UTF-8")
}

/// One task that a file says is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    pub id: String,
    pub note: Option<String>,
    pub on: Option<Timestamp>,
}

const YES: [&str; 8] = ["x", "yes", "y", "true", "1", "done", "ja", "oui"];
const NO: [&str; 7] = ["", "no", "n", "false", "0", "open", "nein"];

/// Reads ids, one a line, or a table with a column `id`; where it has a column `done`, only rows that say so.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Row>, CliError> {
    let text = text.trim_start_matches('\u{feff}');
    let first = text.lines().next().unwrap_or_default();
    let delimiter = if first.contains(';') && !first.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut columns: Option<Vec<String>> = None;
    let mut out = Vec::new();
    for (n, record) in reader.records().enumerate() {
        let record = record.map_err(|error| {
            CliError::new("bad-table", format!("{}: {error}", path.display())).hint("save it as CSV in UTF-8")
        })?;
        let line = record.position().map_or(n as u64 + 1, csv::Position::line);
        let cells: Vec<&str> = record.iter().map(str::trim).collect();
        if n == 0 && cells.iter().any(|cell| cell.eq_ignore_ascii_case("id")) {
            columns = Some(cells.iter().map(|cell| cell.to_ascii_lowercase()).collect());
            continue;
        }
        let get = |name: &str| -> Option<&str> {
            match &columns {
                Some(columns) => cells.get(columns.iter().position(|column| column == name)?).copied(),
                None => (name == "id").then(|| cells.first().copied()).flatten(),
            }
        };
        let id = get("id").unwrap_or_default().trim_start_matches('\'');
        if id.is_empty() || id.starts_with('#') {
            continue;
        }
        let on = match get("done") {
            None => None,
            Some(said) if NO.contains(&said.to_ascii_lowercase().as_str()) => continue,
            Some(said) if YES.contains(&said.to_ascii_lowercase().as_str()) => None,
            Some(said) => Some(said.parse().map_err(|_| {
                CliError::new("bad-table", format!("{}:{line}: done is {said:?}", path.display())).hint(
                    "write yes, or when it was done: 2026-11-21T14:00:00Z; leave it empty where it is not",
                )
            })?),
        };
        let note = get("note").filter(|note| !note.is_empty()).map(str::to_owned);
        out.push(Row { id: id.to_owned(), note, on });
    }
    Ok(out)
}
