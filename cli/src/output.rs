//! `-o text,json,markdown`, each to stdout or to a file.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Serialize;
use tenantry_engine::plan::Plan;
use tenantry_engine::plan::findings::Finding;
use tenantry_engine::render::json::{Made, PlanDocument};
use tenantry_engine::render::{Paint, markdown, text};

use crate::app::print;
use crate::exit::{CliError, io};

/// How a list is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON document.
    Json,
}

/// Version of the documents of lists (`tasks`, `invitations`): fields are added, never changed or taken away.
pub const LIST_FORMAT_VERSION: &str = "1.0";

/// How plans are written.
#[derive(Debug, Clone, Args)]
pub struct Outputs {
    /// text, json or markdown, each with =FILE to write it there; repeatable
    #[arg(
        short = 'o',
        long = "output",
        value_name = "FORMAT[=FILE]",
        default_value = "text",
        value_delimiter = ','
    )]
    pub output: Vec<String>,
    /// What to do with what was shown, where that is not to apply it.
    #[arg(skip)]
    pub then: Option<&'static str>,
}

impl Outputs {
    /// Refuses what cannot be written before anything is asked of a console.
    pub fn check(&self) -> Result<(), CliError> {
        let mut to_stdout = 0;
        for one in &self.output {
            let (format, file) = split(one);
            if !matches!(format, "text" | "json" | "markdown") {
                return Err(CliError::usage(format!("-o {one}: there is no such format"))
                    .hint("there are: text, json, markdown"));
            }
            to_stdout += usize::from(file.is_none());
        }
        if to_stdout > 1 {
            return Err(CliError::usage("only one format can go to stdout")
                .hint("write the others to files: -o text -o json=plan.json"));
        }
        Ok(())
    }

    /// Whether nothing but the text on stdout is wanted.
    pub fn only_text(&self) -> bool {
        self.output.iter().all(|one| one == "text")
    }

    /// Writes them.
    pub fn write(&self, plans: &[Plan], findings: &[Finding], paint: Paint) -> Result<(), CliError> {
        for one in &self.output {
            let (format, file) = split(one);
            let content = match format {
                "json" => document(plans, findings, None).to_json(),
                "markdown" => markdown::plans(plans, findings),
                _ => {
                    let paint = if file.is_some() { Paint { colour: false, ..paint } } else { paint };
                    text::plans(plans, findings, paint)
                        + self.then.unwrap_or_else(|| text::next_commands(plans))
                }
            };
            match file {
                None => print(&content)?,
                Some(path) => std::fs::write(&path, content).map_err(|error| io("write", &path, &error))?,
            }
        }
        Ok(())
    }
}

/// Prints a JSON document as it is walked over, fit for a terminal; whoever stopped reading is no error.
pub fn print_json(document: &impl Serialize) -> Result<(), CliError> {
    let mut out = ForTerminal(std::io::BufWriter::new(std::io::stdout().lock()));
    let written = serde_json::to_writer_pretty(&mut out, document).map_err(std::io::Error::from);
    match written.and_then(|()| out.write_all(b"\n")).and_then(|()| out.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(io("write", Path::new("stdout"), &error))
        }
        _ => Ok(()),
    }
}

/// Writes JSON on as [`tenantry_engine::text::json`] makes it. Whoever serialises writes whole characters.
struct ForTerminal<W>(W);

impl<W: Write> Write for ForTerminal<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if bytes.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~')) {
            self.0.write_all(bytes)?;
        } else {
            let text = std::str::from_utf8(bytes).map_err(std::io::Error::other)?;
            self.0.write_all(tenantry_engine::text::json(text).as_bytes())?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// A plan document of this version.
pub fn document(plans: &[Plan], findings: &[Finding], made: Option<Made>) -> PlanDocument {
    PlanDocument::new(env!("CARGO_PKG_VERSION"), plans.to_vec(), findings.to_vec(), made)
}

fn split(one: &str) -> (&str, Option<PathBuf>) {
    match one.split_once('=') {
        Some((format, file)) => (format, Some(PathBuf::from(file))),
        None => (one, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_piece_by_piece_is_as_fit_for_a_terminal_as_the_whole() {
        let hostile = serde_json::json!({"name": "a\u{202e}b\u{9b}c\u{e0041}d\u{7f}ü", "n": [1, "\n"]});
        let mut out = ForTerminal(Vec::new());
        serde_json::to_writer_pretty(&mut out, &hostile).expect("JSON");
        let whole = tenantry_engine::text::json(&serde_json::to_string_pretty(&hostile).expect("JSON"));
        assert_eq!(String::from_utf8(out.0).expect("text"), whole);
    }
}
