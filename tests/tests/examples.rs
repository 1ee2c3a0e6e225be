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
    an_indirect_reseller_invites_with_its_provider: "indirect-reseller",
    existing_accounts_are_taken_over_and_strangers_left_alone: "takeover",
    trial_and_usage_live_side_by_side: "trial-and-usage",
    each_customer_leaves_in_its_own_way: "offboarding",
    a_rename_moves_the_binding_and_asks_nothing: "rename",
    one_console_is_down_and_the_other_goes_on: "one-console-down",
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
