//! `-o text,json,markdown`, each to stdout or to a file.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
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
                    text::plans(plans, findings, paint) + text::next_commands(plans)
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
