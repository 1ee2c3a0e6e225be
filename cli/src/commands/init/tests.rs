//! What is scaffolded validates, keeps secrets out of Git, and overwrites nothing.

use super::*;
use crate::app::Files;
use crate::commands::validate::{Format, Validate};
use crate::ledgers::testing::globals;
use crate::load;

fn scaffold(dir: &Path) -> Result<String, CliError> {
    Init { dir: dir.to_owned() }.answer(&globals(dir))
}

#[test]
fn the_scaffold_validates_without_a_word() {
    let temp = tempfile::tempdir().expect("a directory");
    let dir = temp.path().join("my-customers");
    let text = scaffold(&dir).expect("written");
    assert!(text.starts_with("17 files written:\n"), "{text}");
    assert!(text.ends_with("tenantry plan -f .          what differs; changes nothing\n"), "{text}");
    let loaded = load::validate(std::slice::from_ref(&dir), &load::Options::new(&dir));
    assert!(loaded.diagnostics.is_empty(), "{:?}", loaded.diagnostics);
    let counts: Vec<(String, usize)> =
        loaded.counts.objects.iter().map(|(kind, n)| (kind.as_str().to_owned(), *n)).collect();
    assert_eq!(counts, [("Console".to_owned(), 2), ("Customer".to_owned(), 1)]);
    let validate = Validate { files: Files { files: vec![dir.clone()] }, output: Format::Text };
    assert_eq!(validate.run(&globals(&dir)).expect("validates"), Exit::Done);
}

#[test]
fn nothing_is_overwritten_and_nothing_is_written_beside() {
    let temp = tempfile::tempdir().expect("a directory");
    std::fs::write(temp.path().join("README.md"), "mine").expect("written");
    let error = scaffold(temp.path()).expect_err("refused").text();
    assert!(error.starts_with("error[exists]: nothing was written: "), "{error}");
    assert!(error.contains("README.md is there already\n  init overwrites nothing"), "{error}");
    assert_eq!(std::fs::read_to_string(temp.path().join("README.md")).expect("there"), "mine");
    assert_eq!(std::fs::read_dir(temp.path()).expect("there").count(), 1);
}

#[test]
fn state_and_secrets_stay_out_of_git() {
    let temp = tempfile::tempdir().expect("a directory");
    scaffold(temp.path()).expect("written");
    let ignored = std::fs::read_to_string(temp.path().join(".gitignore")).expect("there");
    for line in [".tenantry/", "secrets/", "outbox/"] {
        assert!(ignored.lines().any(|have| have == line), "{line}: {ignored}");
    }
}

#[test]
fn the_editor_and_the_workflow_name_what_is_there() {
    let temp = tempfile::tempdir().expect("a directory");
    scaffold(temp.path()).expect("written");
    let read = |path: &str| std::fs::read_to_string(temp.path().join(path)).expect("there");
    let settings: serde_json::Value = serde_json::from_str(&read(".vscode/settings.json")).expect("JSON");
    for schema in settings["yaml.schemas"].as_object().expect("an object").keys() {
        assert!(temp.path().join(schema).is_file(), "{schema}");
    }
    let workflow = read(".github/workflows/tenantry.yaml");
    let parsed: serde_json::Value = serde_saphyr::from_str(&workflow).expect("YAML");
    assert!(parsed["jobs"]["validate"]["if"].is_null(), "validation runs for forks too");
    let condition = parsed["jobs"]["plan"]["if"].as_str().expect("a condition");
    assert!(condition.contains("head.repo.full_name == github.repository"), "{condition}");
    assert!(workflow.contains("tenantry validate -f . -o github"), "{workflow}");
    assert!(!workflow.contains("{version}"), "{workflow}");
}

#[test]
fn the_readme_names_commands_that_exist() {
    use clap::CommandFactory;
    let known: Vec<String> =
        crate::app::Cli::command().get_subcommands().map(|command| command.get_name().to_owned()).collect();
    let readme = include_str!("../../scaffold/README.md");
    let mut named = 0;
    for line in readme.lines().filter_map(|line| line.trim_start().strip_prefix("tenantry ")) {
        let command = line.split_whitespace().next().unwrap_or_default();
        assert!(known.iter().any(|known| known == command), "{command}");
        named += 1;
    }
    assert!(named >= 5, "{readme}");
}
