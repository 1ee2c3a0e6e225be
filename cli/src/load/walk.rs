//! From the paths that were given to the files that are read: sorted, each once, never in a loop.
//!
//! Reads directories, never a file's content. Hidden entries and build directories are passed over, and so is
//! everything but `.yaml`, `.yml` and `.json`; a file that is given by name is read whatever it is called.
//! Invariant: a symbolic link is followed only to where the walk might have gone by itself, so that a link in a
//! repository cannot show a file of the machine.

use std::collections::{BTreeMap, HashSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::scope::{ReadScope, STDIN};
use crate::diagnostics::{Code, Diagnostic, Place, visible};

/// Directories that hold no declarations, whatever their files are called.
const BUILD_DIRECTORIES: [&str; 4] = ["target", "node_modules", "vendor", "__pycache__"];

/// Files that configure other programs and that nobody means as declarations.
const OTHER_PROGRAMS: [&str; 6] = [
    "kustomization.yaml",
    "kustomization.yml",
    "Chart.yaml",
    "package.json",
    "package-lock.json",
    "tsconfig.json",
];

/// How deep directories may nest.
const MAX_DIRECTORIES: usize = 64;

/// One file to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// As the person who gave it would write it.
    pub given: Arc<str>,
    /// The path of its origin.
    pub origin: Arc<str>,
    /// Where it is; `None` for standard input.
    pub disk: Option<PathBuf>,
    /// True when it was found in a directory and not named.
    pub walked: bool,
}

/// What the walk found.
#[derive(Debug, Default)]
pub struct Walk {
    /// The files, sorted by [`Found::given`] within each given path, in the order in which paths were given.
    pub files: Vec<Found>,
    /// Directories and passed-over entries; files are added when they have been read.
    pub scope: ReadScope,
    /// What could not be listed.
    pub diagnostics: Vec<Diagnostic>,
}

/// Finds the files under `paths` (`-` is standard input). `base` is the state or working directory, for origins
/// outside a repository; at most `max_files` are returned.
pub fn walk(paths: &[PathBuf], base: &Path, max_files: usize) -> Walk {
    let mut walker = Walker {
        out: Walk::default(),
        seen: HashSet::new(),
        base: std::fs::canonicalize(base).unwrap_or_else(|_| base.to_path_buf()),
        max_files,
        full: false,
    };
    for path in paths {
        if path.as_os_str() == "-" {
            if walker.seen.insert(PathBuf::from(STDIN)) {
                let stdin: Arc<str> = STDIN.into();
                walker.out.files.push(Found {
                    given: stdin.clone(),
                    origin: stdin,
                    disk: None,
                    walked: false,
                });
            }
        } else {
            walker.given(path);
        }
    }
    walker.out
}

struct Walker {
    out: Walk,
    /// Real paths of files and directories that are on the list.
    seen: HashSet<PathBuf>,
    base: PathBuf,
    max_files: usize,
    full: bool,
}

/// A directory on the way.
struct Here<'a> {
    /// Its real path.
    real: &'a Path,
    /// As given.
    given: &'a str,
    /// The path of its origin.
    origin: &'a str,
    /// Links must stay below this real path.
    boundary: &'a Path,
    depth: usize,
}

impl Walker {
    fn given(&mut self, path: &Path) {
        let Some(given) = path.to_str() else {
            self.bad_path(&path.to_string_lossy());
            return;
        };
        let given = given.trim_start_matches("./").trim_end_matches('/');
        let given = if given.is_empty() && path.has_root() { "/" } else { given };
        let shown = if given.is_empty() { "." } else { given };
        let real = match std::fs::canonicalize(path) {
            Ok(real) => real,
            Err(error) => {
                self.unreadable(shown, shown, &error);
                return;
            }
        };
        let root = self.root_of(&real);
        let Some(origin) = origin_path(&real, root.as_deref()) else {
            self.bad_path(shown);
            return;
        };
        if real.is_dir() {
            let boundary = root.filter(|root| root.join(".git").exists()).unwrap_or_else(|| real.clone());
            let given = if given == "." { "" } else { given };
            self.directory(&Here { real: &real, given, origin: &origin, boundary: &boundary, depth: 0 });
        } else {
            self.file(real, shown, &origin, false);
        }
    }

    /// The directory that origins are relative to.
    fn root_of(&self, real: &Path) -> Option<PathBuf> {
        let repository = real.ancestors().find(|at| at.join(".git").exists());
        match repository {
            Some(root) => Some(root.to_path_buf()),
            None => real.starts_with(&self.base).then(|| self.base.clone()),
        }
    }

    fn file(&mut self, real: PathBuf, given: &str, origin: &str, walked: bool) {
        if self.seen.contains(&real) {
            return;
        }
        if self.out.files.len() >= self.max_files {
            if !self.full {
                self.full = true;
                let message = format!("more than {} files are asked for", self.max_files);
                self.out.diagnostics.push(
                    Diagnostic::error(Code::TooManyFiles, message)
                        .at(Place::file(given, origin))
                        .help("put several objects into one file, or give fewer paths"),
                );
            }
            self.out.scope.ignore(origin.into());
            return;
        }
        self.seen.insert(real.clone());
        self.out.files.push(Found { given: given.into(), origin: origin.into(), disk: Some(real), walked });
    }

    fn directory(&mut self, here: &Here<'_>) {
        if !self.seen.insert(here.real.to_path_buf()) {
            return;
        }
        let shown = if here.given.is_empty() { "." } else { here.given };
        if here.depth >= MAX_DIRECTORIES {
            self.out.scope.ignore(here.origin.into());
            self.out.diagnostics.push(
                Diagnostic::error(
                    Code::UnreadableFile,
                    format!("directories nest deeper than {MAX_DIRECTORIES} levels"),
                )
                .at(Place::file(shown, here.origin)),
            );
            return;
        }
        let mut names = BTreeMap::new();
        let listed = std::fs::read_dir(here.real).and_then(|entries| {
            for entry in entries {
                let entry = entry?;
                names.insert(entry.file_name(), entry.file_type()?);
            }
            Ok(())
        });
        if let Err(error) = listed {
            self.out.scope.ignore(here.origin.into());
            self.unreadable(shown, here.origin, &error);
            return;
        }
        for (name, file_type) in &names {
            let Some(name) = name.to_str() else {
                // What cannot be named in an origin cannot be read; other programs' files are none of our business.
                if has_extension(&name.to_string_lossy()) {
                    self.bad_path(&join(here.given, &name.to_string_lossy()));
                }
                continue;
            };
            self.entry(here, name, *file_type);
        }
        self.out.scope.directory(here.origin.into());
    }

    fn entry(&mut self, here: &Here<'_>, name: &str, file_type: std::fs::FileType) {
        let given = join(here.given, name);
        let mut origin = join(here.origin, name);
        let mut real = here.real.join(name);
        let mut is_directory = file_type.is_dir();
        let hidden = name.starts_with('.') || BUILD_DIRECTORIES.contains(&name);
        let wanted = |is_directory: bool| {
            !hidden && (is_directory || (has_extension(name) && !OTHER_PROGRAMS.contains(&name)))
        };
        if file_type.is_symlink() && !hidden {
            match std::fs::canonicalize(&real) {
                Ok(target) => {
                    is_directory = target.is_dir();
                    if wanted(is_directory) && !target.starts_with(here.boundary) {
                        self.outside(&given, &origin, is_directory);
                        self.out.scope.ignore(origin.into());
                        return;
                    }
                    real = target;
                }
                Err(error) => {
                    if has_extension(name) {
                        self.unreadable(&given, &origin, &error);
                    }
                    self.out.scope.ignore(origin.into());
                    return;
                }
            }
        }
        if !wanted(is_directory) {
            self.out.scope.ignore(origin.into());
            return;
        }
        if !is_directory {
            self.file(real, &given, &origin, true);
            return;
        }
        // A repository inside: what it declares is relative to itself, from wherever it is read.
        let mut boundary = here.boundary;
        if real.join(".git").exists() {
            origin = String::new();
            boundary = &real;
        }
        self.directory(&Here {
            real: &real,
            given: &given,
            origin: &origin,
            boundary,
            depth: here.depth + 1,
        });
    }

    fn outside(&mut self, given: &str, origin: &str, is_directory: bool) {
        let message = "this symbolic link leads out of the directory that was given";
        let diagnostic = if is_directory {
            Diagnostic::warning(Code::PathOutside, message)
        } else {
            Diagnostic::error(Code::PathOutside, message)
        };
        self.out
            .diagnostics
            .push(diagnostic.at(Place::file(given, origin)).help("give what it leads to with its own -f"));
    }

    fn unreadable(&mut self, given: &str, origin: &str, error: &std::io::Error) {
        self.out.diagnostics.push(io_error(given, origin, error));
    }

    fn bad_path(&mut self, given: &str) {
        self.out.diagnostics.push(
            Diagnostic::error(Code::InvalidPath, format!("the path `{}` is not UTF-8 text", visible(given)))
                .help("rename it"),
        );
    }
}

/// What the system said about a path, in our words.
pub fn io_error(given: &str, origin: &str, error: &std::io::Error) -> Diagnostic {
    let place = Place::file(given, origin);
    match error.kind() {
        ErrorKind::NotFound => {
            Diagnostic::error(Code::NoSuchFile, "there is no such file or directory").at(place)
        }
        ErrorKind::PermissionDenied => {
            Diagnostic::error(Code::UnreadableFile, "this may not be read by this user").at(place)
        }
        kind => Diagnostic::error(Code::UnreadableFile, format!("this cannot be read: {kind}")).at(place),
    }
}

fn join(directory: &str, name: &str) -> String {
    match directory {
        "" => name.to_owned(),
        "/" => format!("/{name}"),
        directory => format!("{directory}/{name}"),
    }
}

fn has_extension(name: &str) -> bool {
    matches!(Path::new(name).extension().and_then(|e| e.to_str()), Some("yaml" | "yml" | "json"))
}

/// A real path relative to a root, with `/`; absolute without one; `None` when it is not UTF-8.
fn origin_path(real: &Path, root: Option<&Path>) -> Option<String> {
    let path = match root {
        Some(root) => real.strip_prefix(root).ok()?,
        None => real,
    };
    Some(path.to_str()?.replace(std::path::MAIN_SEPARATOR, "/"))
}
