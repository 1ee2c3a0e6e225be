//! The examples: each directory below `examples/` is a story that is run against simulated consoles.
//!
//! `UPDATE=1 cargo test -p tenantry-tests --test examples` writes what is printed; reviewers read it in the diff.

use std::collections::BTreeSet;
use std::fs;

use tenantry_tests::parts::repository_root;
use tenantry_tests::story;

macro_rules! stories {
    ($($name:ident: $directory:literal,)*) => {
        const STORIES: &[&str] = &[$($directory),*];
        $(
            #[test]
            fn $name() {
                story::run(&repository_root().join("examples").join($directory));
            }
        )*
    };
}

stories! {
    the_quickstart_ends_with_no_changes: "quickstart",
}

#[test]
fn every_example_is_run() {
    let listed: BTreeSet<String> = STORIES.iter().map(|name| (*name).to_owned()).collect();
    let there: BTreeSet<String> = fs::read_dir(repository_root().join("examples"))
        .expect("there are examples")
        .map(|entry| entry.expect("they can be listed"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, listed);
}
