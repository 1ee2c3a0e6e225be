//! What holds for every run of the program, whatever it is asked to do: checked at each run that goes through here.
//!
//! - A command that only looks sends nothing that writes, counted at the simulator: reads, logins, and the one read
//!   that a vendor documents as a POST.
//! - A plan as JSON tells the number of requests that the console saw.
//! - No secret reaches stdout, stderr or a file below the working directory: no client secret, refresh token, access
//!   token or first password.
//! - Nothing printed can act on a terminal.
//!
//! Never counts what a person clicks.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use tenantry_simulator::{Entry, Kind, LogFilter};

use crate::cli::{Bench, Ran};

/// Begins each access token that the simulated Sophos issues.
const SOPHOS_TOKEN: &str = "eyJhbGciOiJub25lIn0.";

/// Runs the program and checks what always holds.
///
/// # Panics
/// Where one of the rules is broken.
pub fn run(bench: &Bench, arguments: &[&str]) -> Ran {
    run_command(bench, arguments, bench.command(arguments))
}

/// The same, with a command that was made from these arguments and then changed.
///
/// # Panics
/// Where one of the rules is broken.
pub fn run_command(bench: &Bench, arguments: &[&str], command: Command) -> Ran {
    let mark = bench.simulator().log().mark();
    let ran = bench.run_command(command);
    check(bench, arguments, mark, &ran);
    ran
}

/// Checks a run that ended, with the requests since `mark`.
///
/// # Panics
/// Where one of the rules is broken.
pub fn check(bench: &Bench, arguments: &[&str], mark: u64, ran: &Ran) {
    if arguments.first() != Some(&"apply") {
        only_looked(bench, arguments, mark);
    }
    if arguments.starts_with(&["plan", "-o", "json"]) {
        told_its_cost(bench, mark, ran);
    }
    let secrets = secrets(bench);
    for (what, text) in [("stdout", &ran.stdout), ("stderr", &ran.stderr)] {
        assert_eq!(hidden_in(text.as_bytes(), &secrets), None, "{what} of {arguments:?} shows a secret");
        // JSON is for programs: it spells what a vendor calls somebody, without what controls a terminal.
        let json = arguments.contains(&"json");
        let turns = |c: char| !json && ('\u{202a}'..='\u{202e}').contains(&c);
        let acts = |c: char| c != '\n' && c != '\t' && (c.is_control() || turns(c));
        assert_eq!(text.find(acts), None, "{what} of {arguments:?} acts on a terminal: {text:?}");
    }
    files(&bench.dir(), &mut |path, bytes| {
        assert_eq!(
            hidden_in(bytes, &secrets),
            None,
            "after {arguments:?}, {} holds a secret",
            path.display()
        );
    });
}

fn since(bench: &Bench, mark: u64, partner: Option<&str>) -> Vec<Entry> {
    let filter = LogFilter { since: mark, partner, ..LogFilter::default() };
    let mut entries = bench.simulator().log().entries(&filter);
    entries.retain(|entry| entry.kind != Kind::Ui);
    entries
}

fn only_looked(bench: &Bench, arguments: &[&str], mark: u64) {
    for entry in since(bench, mark, None) {
        let reads = matches!(entry.method.as_str(), "GET" | "HEAD")
            || entry.kind == Kind::Login
            || (entry.method == "POST" && entry.path == "/v1/validations/address");
        assert!(
            reads && entry.kind != Kind::Write && entry.effects.is_empty(),
            "{arguments:?} only looks, and sent {} {}",
            entry.method,
            entry.path
        );
    }
}

/// Requests = pages + details + other, as the plan of each console tells.
fn told_its_cost(bench: &Bench, mark: u64, ran: &Ran) {
    let Ok(document) = serde_json::from_str::<Value>(&ran.stdout) else { return };
    for plan in document["plans"].as_array().into_iter().flatten() {
        let Some(partner) = plan["console"].as_str().and_then(|console| bench.partners().get(console)) else {
            continue;
        };
        let told = &plan["looked"]["cost"];
        let count = |name: &str| told[name].as_u64().unwrap_or(0);
        let asked = since(bench, mark, Some(partner));
        let paths: Vec<String> =
            asked.iter().map(|entry| format!("{} {}", entry.method, entry.path)).collect();
        assert_eq!(
            count("pages") + count("details") + count("other"),
            asked.len() as u64,
            "{partner}: told {told}, saw {paths:#?}"
        );
    }
}

/// Everything that no output may show.
fn secrets(bench: &Bench) -> BTreeSet<String> {
    let mut out = BTreeSet::from([SOPHOS_TOKEN.to_owned()]);
    let dir = bench.dir().parent().expect("the working directory lies in the bench's own").join("secrets");
    files(&dir, &mut |path, bytes| {
        if path.file_name().is_none_or(|name| name != "clientId") {
            out.insert(String::from_utf8_lossy(bytes).into_owned());
        }
    });
    for partner in bench.partners().values() {
        let Some(key) = partner.strip_prefix("microsoft/") else { continue };
        bench.simulator().microsoft(key).look(|account, _| {
            out.insert(account.client_secret.clone());
            out.extend(account.access.keys().chain(account.refresh.keys()).cloned());
            for remembered in account.remembered.values() {
                let body: Value = serde_json::from_slice(&remembered.reply.body).unwrap_or_default();
                out.extend(body["userCredentials"]["password"].as_str().map(str::to_owned));
            }
        });
    }
    out.retain(|secret| secret.len() >= 8);
    out
}

fn hidden_in<'s>(bytes: &[u8], secrets: &'s BTreeSet<String>) -> Option<&'s str> {
    let text = String::from_utf8_lossy(bytes);
    secrets.iter().map(String::as_str).find(|secret| text.contains(*secret))
}

/// Every file below a directory.
fn files(dir: &Path, look: &mut impl FnMut(&Path, &[u8])) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries {
        let path = entry.expect("a directory of the bench can be listed").path();
        if path.is_dir() {
            files(&path, look);
        } else if let Ok(bytes) = fs::read(&path) {
            look(&path, &bytes);
        }
    }
}
