//! Writes the cluster's CRDs and the editors' JSON Schemas from the Rust types.
//!
//! `cargo run -p tenantry-crd --example generate` writes `charts/tenantry/crds/*.yaml` and `schemas/*.json`.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    write(&root.join("charts/tenantry/crds"), tenantry_crd::crd_files())?;
    write(&root.join("schemas"), tenantry_crd::schema_files())
}

/// The schemas of documents are the engine's: `TENANTRY_BLESS=1 cargo test -p tenantry-engine` writes them.
const OF_THE_ENGINE: [&str; 2] = ["plan.json", "drift.json"];

/// Writes the files and nothing else into the directory: a file of a kind that is gone goes too.
fn write(directory: &Path, files: Vec<(String, String)>) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        let known = |name: &str| OF_THE_ENGINE.contains(&name) || files.iter().any(|(n, _)| n == name);
        if !name.to_str().is_some_and(known) {
            fs::remove_file(entry.path())?;
        }
    }
    files.into_iter().try_for_each(|(name, text)| fs::write(directory.join(name), text))
}
