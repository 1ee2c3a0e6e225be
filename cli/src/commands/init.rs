//! `tenantry init`: a repository to begin with.
//!
//! Writes new files only: where one of them is there already, nothing is written at all. What it writes validates,
//! and applying it changes nothing: the example's customer only looks for an existing record.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::app::{Globals, print};
use crate::diagnostics::counted;
use crate::exit::{CliError, Exit, io};

/// Where the schemas go that editors use.
const SCHEMAS: &str = ".schemas";

/// The scaffold: path below the directory, and content.
const FILES: [(&str, &str); 7] = [
    (".gitignore", include_str!("../scaffold/gitignore")),
    (".github/workflows/tenantry.yaml", include_str!("../scaffold/workflow.yaml")),
    (".vscode/settings.json", include_str!("../scaffold/settings.json")),
    ("README.md", include_str!("../scaffold/README.md")),
    ("consoles/microsoft.yaml", include_str!("../scaffold/microsoft.yaml")),
    ("consoles/sophos.yaml", include_str!("../scaffold/sophos.yaml")),
    ("customers/example.yaml", include_str!("../scaffold/example.yaml")),
];

/// Scaffold a repository.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tenantry init my-customers\n  cd my-customers && tenantry validate -f .")]
pub struct Init {
    /// Where; made if it is not there
    #[arg(value_name = "DIR", default_value = ".")]
    pub dir: PathBuf,
}

impl Init {
    /// Runs it.
    pub fn run(self, globals: &Globals) -> Result<Exit, CliError> {
        print(&self.answer(globals)?)?;
        Ok(Exit::Done)
    }

    /// What to print.
    pub fn answer(self, _: &Globals) -> Result<String, CliError> {
        let dir = &self.dir;
        let mut files: Vec<(PathBuf, String)> = FILES
            .into_iter()
            .map(|(path, text)| (dir.join(path), text.replace("{version}", env!("CARGO_PKG_VERSION"))))
            .collect();
        for (name, text) in tenantry_crd::schema_files() {
            files.push((dir.join(SCHEMAS).join(name), text.clone()));
        }
        let there: Vec<&Path> = files
            .iter()
            .map(|(path, _)| path.as_path())
            .filter(|path| path.symlink_metadata().is_ok())
            .collect();
        if !there.is_empty() {
            let names: Vec<String> = there.iter().take(8).map(|path| path.display().to_string()).collect();
            return Err(CliError::new(
                "exists",
                format!("nothing was written: {} is there already", names.join(", ")),
            )
            .hint("init overwrites nothing; name a directory that does not hold it"));
        }
        for (path, text) in &files {
            write_new(path, text)?;
        }
        let shown = dir.display();
        let mut out = format!("{} written:\n", counted(files.len(), "file"));
        for (path, _) in FILES {
            out.push_str(&format!("  {}\n", dir.join(path).display()));
        }
        out.push_str(&format!(
            "  {} ({} for editors)\n",
            dir.join(SCHEMAS).display(),
            counted(files.len() - FILES.len(), "schema")
        ));
        out.push_str(&format!(
            "Next:\n\
             \x20 cd {shown} && git init      paths in plans are relative to the repository\n\
             \x20 tenantry validate -f .      offline\n\
             \x20 tenantry doctor -f .        once consoles/ and secrets are yours\n\
             \x20 tenantry plan -f .          what differs; changes nothing\n"
        ));
        Ok(out)
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    use std::io::Write;
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| io("create", parent, &error))?;
    }
    std::fs::File::create_new(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| io("write", path, &error))
}

#[cfg(test)]
mod tests;
