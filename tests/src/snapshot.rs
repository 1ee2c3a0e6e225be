//! A desk as it was at one moment: its files with their rights, and its simulated consoles.
//!
//! Going back costs a copy of a few small files, so that one run of a program can be tried again and again from the
//! same beginning. Only the simulator's log goes on. Never taken or put back while a program runs at the desk.

use std::fs;
use std::path::Path;

use tempfile::TempDir;
use tenantry_simulator::Saved;

use crate::cli::Bench;

/// A desk at one moment.
#[derive(Debug)]
pub struct Snapshot {
    files: TempDir,
    consoles: Saved,
}

impl Snapshot {
    /// The desk as it is now.
    ///
    /// # Panics
    /// When its files cannot be copied.
    pub fn of(bench: &Bench) -> Self {
        let files = tempfile::tempdir().expect("a temporary directory can be made");
        copy(home(&bench.dir()), files.path());
        Self { files, consoles: bench.simulator().save() }
    }

    /// Puts the desk back.
    ///
    /// # Panics
    /// When its files cannot be put back.
    pub fn put_back(&self, bench: &Bench) {
        let dir = bench.dir();
        for entry in fs::read_dir(home(&dir)).expect("the desk can be listed") {
            let path = entry.expect("the desk can be listed").path();
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
        copy(self.files.path(), home(&dir));
        bench.simulator().restore(&self.consoles);
    }
}

/// The desk's own directory: that of its declarations, its secrets and its HOME.
fn home(dir: &Path) -> &Path {
    dir.parent().expect("the working directory lies in the bench's own")
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a directory of the desk can be listed") {
        let path = entry.expect("a directory of the desk can be listed").path();
        let new = to.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            fs::create_dir(&new).expect("directories can be made");
            copy(&path, &new);
            let rights = fs::metadata(&path).expect("it is there").permissions();
            fs::set_permissions(&new, rights).expect("rights can be set");
        } else {
            fs::copy(&path, &new).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        }
    }
}
