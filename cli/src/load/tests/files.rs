//! Paths, directories, what is passed over, and what counts as read.

use std::path::PathBuf;
use std::sync::Mutex;

use super::super::{Options, Progress, validate_with};
use super::{Tree, codes, console, names};
use crate::diagnostics::{Style, text};

#[test]
fn directories_are_walked_in_order_and_other_programs_files_are_passed_over() {
    let tree = Tree::of(&[
        ("b.yml", &console("b")),
        ("a/z.yaml", &console("z")),
        (
            "a/a.json",
            "{\"apiVersion\": \"tenantry.io/v1alpha1\", \"kind\": \"Console\", \"metadata\": {\"name\": \"j\"}, \"spec\": {\"sophos\": {\"program\": \"MspFlex\"}}}",
        ),
        (".github/workflows/ci.yaml", "on: push"),
        ("target/x.yaml", "nonsense: ["),
        ("kustomization.yaml", "resources: [b.yml]"),
        ("notes.txt", "x"),
        ("settings.json", "[1, null]"),
        (
            "deploy.yaml",
            "apiVersion: apps/v1\nkind: Deployment\nspec: {a: NO, b: null}\n---\napiVersion: v1\nkind: Secret\n",
        ),
    ]);
    let loaded = tree.load(&[""]);
    assert_eq!(codes(&loaded), [""; 0]);
    assert_eq!(names(&loaded), ["j", "z", "b"]);
    let skipped: Vec<_> = loaded.counts.skipped.iter().map(|(what, n)| (what.as_str(), *n)).collect();
    assert_eq!(skipped, [("apps/v1/Deployment", 1), ("no object", 1), ("v1/Secret", 1)]);
}

#[test]
fn a_file_named_twice_is_read_once() {
    let tree = Tree::of(&[("a.yaml", &console("a"))]);
    let loaded = tree.load(&["a.yaml", "", "./a.yaml"]);
    assert_eq!((codes(&loaded), loaded.counts.files), (vec![], 1));
}

#[test]
fn origins_are_relative_to_the_repository_from_wherever_it_is_read() {
    let tree = Tree::of(&[("repo/.git/", ""), ("repo/customers/a.yaml", &console("a"))]);
    for given in ["repo", "repo/customers", "repo/customers/a.yaml"] {
        let loaded = tree.load(&[given]);
        assert_eq!(loaded.objects[0].origin.to_string(), "customers/a.yaml:1:1", "{given}");
        assert!(loaded.scope.covers("customers/a.yaml"));
    }
}

#[test]
fn without_a_repository_origins_are_relative_to_the_state_directory_else_absolute() {
    let tree = Tree::of(&[("a.yaml", &console("a"))]);
    assert_eq!(&*tree.load(&["a.yaml"]).objects[0].origin.path, "a.yaml");
    let elsewhere = Tree::of(&[]);
    let options = Options::new(elsewhere.path(""));
    let loaded = super::super::validate(&[tree.path("a.yaml")], &options);
    assert!(loaded.objects[0].origin.path.starts_with('/'));
}

#[test]
fn a_deleted_file_counts_as_read_only_below_a_walked_directory() {
    let tree = Tree::of(&[
        ("repo/.git/", ""),
        ("repo/customers/a.yaml", &console("a")),
        ("repo/other/b.yaml", &console("b")),
    ]);
    let whole = tree.load(&["repo"]).scope;
    assert!(whole.covers("customers/gone.yaml") && whole.covers("gone/away/x.yaml"));
    assert_eq!(whole.directories().collect::<Vec<_>>(), ["", "customers", "other"]);
    let part = tree.load(&["repo/customers"]).scope;
    assert!(part.covers("customers/gone.yaml") && !part.covers("other/b.yaml") && !part.covers("gone.yaml"));
    let file = tree.load(&["repo/customers/a.yaml"]).scope;
    assert!(file.covers("customers/a.yaml") && !file.covers("customers/gone.yaml"));
}

#[test]
fn a_broken_an_ignored_and_a_foreign_path_keep_what_they_declared() {
    let tree = Tree::of(&[
        ("repo/.git/", ""),
        ("repo/bad.yaml", "kind: ["),
        ("repo/.hidden/x.yaml", &console("x")),
        ("repo/list.txt", &console("y")),
    ]);
    let scope = tree.load(&["repo"]).scope;
    for path in ["bad.yaml", ".hidden/x.yaml", "list.txt", "/elsewhere/x.yaml", "<stdin>"] {
        assert!(!scope.covers(path), "{path}");
    }
    assert!(scope.covers("never-there.yaml"));
}

#[test]
fn standard_input_is_read_and_never_undeclares() {
    let tree = Tree::of(&[]);
    let mut piped = "kind: Custommer\napiVersion: tenantry.io/v1alpha1\n".as_bytes();
    let loaded = validate_with(&[PathBuf::from("-")], &Options::new(tree.path("")), &mut piped);
    assert_eq!(
        text(&loaded.diagnostics, Style::Plain),
        "error[unknown-kind]: tenantry.io has no kind `Custommer`\n --> <stdin>:1:7\n  |\n1 | kind: Custommer\n  |       \
         ^^^^^^^^^ did you mean `Customer`?\n  |\n  = see: tenantry explain\n"
    );
    let good = console("a");
    let loaded = validate_with(&[PathBuf::from("-")], &Options::new(tree.path("")), &mut good.as_bytes());
    assert_eq!(loaded.objects[0].origin.to_string(), "<stdin>:1:1");
    assert!(!loaded.scope.covers("<stdin>") && loaded.scope.files().next().is_none());
}

#[test]
fn limits_and_unreadable_files_are_said_with_their_file() {
    let tree =
        Tree::of(&[("big.yaml", &"# x\n".repeat(300)), ("a.yaml", &console("a")), ("b.yaml", &console("b"))]);
    tree.write("latin.yaml", b"kind: Customer\nname: M\xfcller\n");
    tree.write("wide.yaml", b"\xff\xfek\0i\0");
    let options = Options { max_file_bytes: 1000, ..Options::new(tree.path("")) };
    let loaded = super::super::validate(&[tree.path(""), tree.path("none.yaml")], &options);
    let printed = text(&loaded.diagnostics, Style::Plain).replace(tree.path("").to_str().expect("UTF-8"), "");
    assert_eq!(
        printed,
        "error[file-too-large]: this file is larger than 1 MiB\n--> big.yaml\n = help: divide it into several files\n\n\
         error[invalid-utf8]: these bytes are not UTF-8\n --> latin.yaml:2:8\n  |\n2 | name: M\n  |        ^ save the file as UTF-8\n\n\
         error[no-such-file]: there is no such file or directory\n--> none.yaml\n\n\
         error[invalid-utf8]: this file is UTF-16, and declarations are UTF-8\n --> wide.yaml:1:1\n  |\n1 |\n  | ^ save the file as UTF-8\n"
    );
    let few = Options { max_files: 2, ..Options::new(tree.path("")) };
    let loaded = super::super::validate(&[tree.path("")], &few);
    assert_eq!(loaded.counts.files, 2);
    assert!(codes(&loaded).contains(&"too-many-files"));
}

#[cfg(unix)]
#[test]
fn symbolic_links_never_loop_and_never_lead_outside() {
    let outside = Tree::of(&[("secret.yaml", "password: hunter2"), ("dir/x.yaml", &console("x"))]);
    let tree = Tree::of(&[("repo/a.yaml", &console("a")), ("repo/sub/", "")]);
    let link = |target: PathBuf, at: &str| {
        std::os::unix::fs::symlink(target, tree.path(at)).expect("a link can be made");
    };
    link(tree.path("repo"), "repo/sub/loop");
    link(tree.path("repo/a.yaml"), "repo/same.yaml");
    link(outside.path("secret.yaml"), "repo/stolen.yaml");
    link(outside.path("dir"), "repo/elsewhere");
    link(tree.path("nowhere"), "repo/broken.yaml");
    let loaded = tree.load(&["repo"]);
    assert_eq!(names(&loaded), ["a"]);
    let mut found = codes(&loaded);
    found.sort_unstable();
    assert_eq!(found, ["no-such-file", "path-outside", "path-outside"]);
    assert!(!text(&loaded.diagnostics, Style::Plain).contains("hunter2"));
    assert!(!loaded.scope.covers("repo/stolen.yaml") && !loaded.scope.covers("repo/elsewhere/x.yaml"));
}

#[test]
fn progress_is_told_from_beginning_to_end() {
    let tree = Tree::of(&[("a.yaml", &console("a")), ("b.yaml", &console("b"))]);
    let heard = Mutex::new(Vec::new());
    let hear = |progress| heard.lock().expect("nobody panics").push(progress);
    let options = Options { progress: Some(&hear), ..Options::new(tree.path("")) };
    super::super::validate(&[tree.path("")], &options);
    let heard = heard.into_inner().expect("nobody panics");
    assert_eq!(heard.first(), Some(&Progress::Listed { files: 2 }));
    assert_eq!(heard.iter().filter(|p| matches!(p, Progress::Read { .. })).count(), 2);
    assert_eq!(heard[3..], [Progress::Comparing { objects: 2 }, Progress::Done]);
}

#[test]
fn an_empty_file_an_empty_directory_and_a_list_are_fine() {
    let list =
        format!("apiVersion: v1\nkind: List\nitems:\n- {}", console("a").trim_end().replace('\n', "\n  "));
    let tree =
        Tree::of(&[("empty.yaml", ""), ("comment.yaml", "# only\n---\n"), ("d/", ""), ("list.yaml", &list)]);
    let loaded = tree.load(&[""]);
    assert_eq!(codes(&loaded), [""; 0]);
    assert_eq!(loaded.objects[0].origin.to_string(), "list.yaml:4:3");
}

#[test]
fn a_file_with_a_warning_counts_as_read_and_the_place_is_that_of_the_character() {
    let text = "apiVersion: tenantry.io/v1alpha1\nkind: Customer\nmetadata: {name: a}\nspec:\n  company:\n    \
                legalName: >\n      Nord\n      wi\u{200b}nd\n";
    let tree = Tree::of(&[("a.yaml", text)]);
    let loaded = tree.load(&["."]);
    assert_eq!((codes(&loaded), names(&loaded)), (vec!["hidden-character"], vec!["a"]));
    let place = loaded.diagnostics[0].place.as_ref().expect("it has a place");
    assert_eq!((place.line, place.column, place.end_column), (8, 9, 10));
    assert!(!loaded.has_errors() && loaded.scope.covers("a.yaml"));
}
