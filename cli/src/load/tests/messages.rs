//! Every message as people see it: `messages/NAME.yaml` is read and must print `messages/NAME.txt`.
//!
//! `UPDATE_EXPECTED=1 cargo test -p tenantry` writes the `.txt` files anew; reviewers read the difference.

use std::path::{Path, PathBuf};

use crate::diagnostics::{self, Style, Tally};
use crate::load::{Options, validate};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/load/tests/messages")
}

fn printed(path: &Path) -> String {
    let loaded = validate(&[path.to_path_buf()], &Options::new(directory()));
    let given = path.to_str().expect("the repository's paths are UTF-8");
    let name = path.file_name().and_then(|n| n.to_str()).expect("it has a name");
    let text = diagnostics::text(&loaded.diagnostics, Style::Plain).replace(given, name);
    let objects = diagnostics::counted(loaded.objects.len(), "object");
    format!(
        "{text}\n{}; {objects} without a mistake\n",
        Tally::of(&loaded.diagnostics).sentence(loaded.counts.files)
    )
}

#[test]
fn every_message_reads_as_it_is_written_down() {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(directory())
        .expect("the cases are there")
        .map(|entry| entry.expect("it can be listed").path())
        .filter(|path| path.extension().is_some_and(|e| e == "yaml"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 9, "only {} cases were found", cases.len());
    let mut wrong = Vec::new();
    for case in cases {
        let printed = printed(&case);
        let expected = case.with_extension("txt");
        if std::env::var_os("UPDATE_EXPECTED").is_some() {
            std::fs::write(&expected, &printed).expect("the repository can be written");
        }
        let known = std::fs::read_to_string(&expected).unwrap_or_default();
        if known != printed {
            wrong.push(format!("{}\n--- expected\n{known}\n--- printed\n{printed}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
