//! What the README promises: the table of consoles is the adapters' own, its plan is printed by its example, and every
//! command and option that it names exists.
//!
//! Never asks a console: the table comes from the adapters' capabilities, commands are asked for their help.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::process::Command;

use tenantry_consoles::tables::{Column, columns};
use tenantry_engine::capability::{By, Party, Row};
use tenantry_tests::cli::binary;
use tenantry_tests::parts::repository_root;

fn readme() -> String {
    fs::read_to_string(repository_root().join("README.md")).expect("there is a README")
}

/// What stands below a heading, up to the next one.
fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let start = text.find(&format!("\n## {heading}\n")).unwrap_or_else(|| panic!("no section {heading}"));
    let rest = &text[start + heading.len() + 5..];
    rest.find("\n## ").map_or(rest, |end| &rest[..end])
}

/// Contents of fenced blocks.
fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("```\n").skip(1).step_by(2)
}

fn word(by: By) -> &'static str {
    match by {
        By::Api => "API",
        By::Person(Party::Customer) => "customer",
        By::Person(Party::Provider) => "provider",
        By::Person(_) => "person",
        By::NotYet => "not yet",
        By::Never => "–",
    }
}

fn cell(column: &Column, row: Row) -> String {
    match (column.answered.by(row), column.refused.by(row)) {
        (answered, refused) if answered == refused => word(answered).to_owned(),
        (answered, refused) => format!("{} where it answers, else {}", word(answered), word(refused)),
    }
}

#[test]
fn the_table_of_consoles_is_the_adapters_own() {
    let text = readme();
    let shown: Vec<Vec<String>> = section(&text, "What each console can do, and by whom")
        .lines()
        .filter(|line| line.starts_with('|') && !line.starts_with("|---"))
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect())
        .collect();
    let columns = columns();
    let mut own = vec![
        std::iter::once("action").chain(columns.iter().map(|one| one.heading)).map(str::to_owned).collect(),
    ];
    own.extend(Row::ALL.map(|row| {
        std::iter::once(row.words().to_owned())
            .chain(columns.iter().map(|one| cell(one, row)))
            .collect::<Vec<_>>()
    }));
    let lines = |table: &[Vec<String>]| -> String {
        table.iter().map(|row: &Vec<String>| format!("| {} |\n", row.join(" | "))).collect()
    };
    assert_eq!(lines(&shown), lines(&own), "the README's table is another one than the adapters'");
}

#[test]
fn its_plan_is_what_its_example_prints() {
    let text = readme();
    let shown = blocks(section(&text, "A plan")).next().expect("the section holds a plan");
    let printed = fs::read_to_string(repository_root().join("examples/quickstart/plan.txt"))
        .expect("the example has a plan");
    assert_eq!(shown, printed, "examples/quickstart/plan.txt is printed, the README shows another plan");
}

/// Commands with the options that stand behind them, in blocks and in `code`.
fn commands(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut out: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let pieces = text.lines().flat_map(|line| line.split('`')).flat_map(|piece| {
        piece.match_indices("tenantry ").map(|(at, found)| &piece[at + found.len()..]).collect::<Vec<_>>()
    });
    for piece in pieces {
        let mut words = piece.split_whitespace();
        let Some(name) = words.next().filter(|word| word.chars().all(|c| c.is_ascii_lowercase())) else {
            continue;
        };
        let options = words.take_while(|word| !matches!(*word, "#" | "·" | "tenantry"));
        let options = options
            .filter(|word| word.starts_with("--"))
            .map(|word| word.trim_matches(|c: char| !c.is_ascii_alphanumeric() && c != '-').to_owned());
        out.entry(name.to_owned()).or_default().extend(options);
    }
    out
}

#[test]
fn every_command_and_option_that_it_names_exists() {
    let text = readme();
    // Prose speaks of tenantry too: a command stands in a block or between backticks.
    let code: String = blocks(&text).map(str::to_owned).collect::<Vec<_>>().join("\n");
    let spans = text.split("```").step_by(2).flat_map(|prose| prose.split('`').skip(1).step_by(2));
    let all = commands(&(code + "\n" + &spans.collect::<Vec<_>>().join("\n")));
    for name in ["demo", "init", "validate", "simulate", "plan", "apply", "tasks"] {
        assert!(all.contains_key(name) || name == "demo", "the README names {name} no more: {all:?}");
    }
    for (name, options) in all {
        let ran = Command::new(binary()).args([&name, "--help"]).output().expect("the program can be run");
        let help = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert!(ran.status.success(), "tenantry {name}: {}", String::from_utf8_lossy(&ran.stderr));
        for option in options {
            assert!(help.contains(&option), "tenantry {name} has no {option}:\n{help}");
        }
    }
}
