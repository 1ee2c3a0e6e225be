//! `docs/rules.md` is kept: every rule has a row, every test that it names exists, every mutated file too.
//!
//! Never runs a mutation: that takes a build each. The table says which line to change; the named test then fails.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use tenantry_tests::parts::repository_root;

/// Rules that come from the vendors' own documents.
const RULES: usize = 35;

struct Rule {
    number: String,
    proof: String,
    mutation: String,
}

fn rules() -> Vec<Rule> {
    let text = fs::read_to_string(repository_root().join("docs/rules.md")).expect("there is a list of rules");
    text.lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| #"))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            assert_eq!(cells.len(), 4, "four cells: {line}");
            Rule { number: cells[0].to_owned(), proof: cells[2].to_owned(), mutation: cells[3].to_owned() }
        })
        .collect()
}

/// What stands between backticks.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// `file::test`: the file holds a test of that name, written out or listed in a macro.
fn exists(named: &str) -> Result<(), String> {
    let (file, test) = named.split_once("::").ok_or_else(|| format!("{named} is no FILE::TEST"))?;
    let text =
        fs::read_to_string(repository_root().join(file)).map_err(|error| format!("{file}: {error}"))?;
    let found = [format!("fn {test}("), format!("    {test},"), format!("    {test}: \"")];
    if found.iter().any(|found| text.contains(found)) {
        return Ok(());
    }
    Err(format!("{file} holds no test {test}"))
}

#[test]
fn every_rule_has_a_row() {
    let numbers: Vec<String> = rules().into_iter().map(|rule| rule.number).collect();
    let own: BTreeSet<&str> = numbers.iter().map(String::as_str).collect();
    assert_eq!(own.len(), numbers.len(), "a rule stands twice");
    for number in 1..=RULES {
        assert!(own.contains(number.to_string().as_str()), "rule {number} has no row");
    }
}

#[test]
fn every_named_test_exists() {
    let mut proven = 0;
    for rule in rules() {
        let tests: Vec<&str> = code(&rule.proof).filter(|code| code.contains("::")).collect();
        for test in &tests {
            exists(test).unwrap_or_else(|error| panic!("rule {}: {error}", rule.number));
        }
        assert!(
            !tests.is_empty() || rule.proof.starts_with("not yet: "),
            "rule {} has neither a test nor `not yet: …`",
            rule.number
        );
        proven += usize::from(!tests.is_empty());
    }
    assert!(proven > RULES / 2, "only {proven} rules name a test");
}

#[test]
fn every_proven_rule_says_what_breaks_its_test() {
    for rule in rules().iter().filter(|rule| rule.proof.contains("::")) {
        let file = code(&rule.mutation).next().unwrap_or_default();
        assert!(
            Path::new(file).extension().is_some_and(|kind| kind == "rs")
                && repository_root().join(file).is_file(),
            "rule {}: the mutation names no source file: {}",
            rule.number,
            rule.mutation
        );
    }
}
