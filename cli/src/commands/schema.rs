//! `tenantry schema`: JSON Schemas for editors, and of the documents of `plan` and `drift`.

use clap::Args;

use crate::app::{Globals, print};
use crate::exit::{CliError, Exit, io};

/// The schemas of documents, as `tenantry-engine` derives them from the types that write them; tests there keep the
/// files fresh.
const DOCUMENTS: [(&str, &str); 2] = [
    ("drift.json", include_str!("../../../schemas/drift.json")),
    ("plan.json", include_str!("../../../schemas/plan.json")),
];

/// JSON Schemas for editors and programs.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  tenantry schema                   names\n  tenantry schema tenantry          any kind, for editors\n  tenantry schema plan              what tenantry plan -o json prints\n  tenantry schema drift             what tenantry drift -o json prints\n  tenantry schema --dir .schemas    all of them as files"
)]
pub struct Schema {
    /// Which one: tenantry (any kind), plan, drift, or a kind such as customer
    pub name: Option<String>,
    /// Write all of them there
    #[arg(long, value_name = "DIR", conflicts_with = "name")]
    pub dir: Option<std::path::PathBuf>,
}

impl Schema {
    /// Runs it.
    pub fn run(self, _: &Globals) -> Result<Exit, CliError> {
        let mut files = tenantry_crd::schema_files();
        files.extend(DOCUMENTS.map(|(name, text)| (name.to_owned(), text.to_owned())));
        files.sort();
        if let Some(dir) = &self.dir {
            std::fs::create_dir_all(dir).map_err(|error| io("create", dir, &error))?;
            for (name, text) in &files {
                let path = dir.join(name);
                std::fs::write(&path, text).map_err(|error| io("write", &path, &error))?;
            }
            print(&format!("{} schemas written to {}\n", files.len(), dir.display()))?;
            return Ok(Exit::Done);
        }
        let stem = |name: &str| name.trim_end_matches(".json").to_ascii_lowercase();
        let Some(wanted) = &self.name else {
            for (name, _) in &files {
                print(&format!("{}\n", name.trim_end_matches(".json")))?;
            }
            return Ok(Exit::Done);
        };
        let names: Vec<String> = files.iter().map(|(name, _)| stem(name)).collect();
        match files.iter().find(|(name, _)| stem(name) == stem(wanted)) {
            Some((_, text)) => {
                print(text)?;
                Ok(Exit::Done)
            }
            None => Err(CliError::usage(format!("there is no schema {wanted}"))
                .hint(format!("there are: {}", names.join(", ")))),
        }
    }
}
