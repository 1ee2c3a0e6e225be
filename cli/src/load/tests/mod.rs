//! What loading promises, as tests.

mod files;
mod messages;
mod places;
mod properties;
mod references;
mod scalars;
mod texts;

use std::path::{Path, PathBuf};

use super::{Loaded, Options, validate};

/// A directory that is gone at the end of the test.
struct Tree {
    directory: tempfile::TempDir,
}

impl Tree {
    /// A directory with these files; a path ending in `/` is an empty directory.
    fn of(files: &[(&str, &str)]) -> Self {
        let tree = Self { directory: tempfile::tempdir().expect("a temporary directory can be made") };
        for (path, text) in files {
            tree.write(path, text.as_bytes());
        }
        tree
    }

    fn path(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn write(&self, path: &str, bytes: &[u8]) {
        let at = self.path(path);
        if path.ends_with('/') {
            std::fs::create_dir_all(at).expect("a directory can be made");
            return;
        }
        std::fs::create_dir_all(at.parent().unwrap_or(Path::new("/"))).expect("a directory can be made");
        std::fs::write(at, bytes).expect("a file can be written");
    }

    fn load(&self, paths: &[&str]) -> Loaded {
        let paths: Vec<PathBuf> = paths.iter().map(|path| self.path(path)).collect();
        validate(&paths, &Options::new(self.directory.path()))
    }
}

fn console(name: &str) -> String {
    format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Console\nmetadata: {{name: {name}}}\nspec: {{sophos: {{program: MspFlex}}}}\n"
    )
}

fn names(loaded: &Loaded) -> Vec<&str> {
    loaded.objects.iter().map(|declared| declared.object.name()).collect()
}

fn codes(loaded: &Loaded) -> Vec<&'static str> {
    loaded.diagnostics.iter().map(|diagnostic| diagnostic.code.as_str()).collect()
}
