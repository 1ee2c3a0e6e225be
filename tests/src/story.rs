//! Stories: scripts that run the program and let people act at the simulated consoles, with what each command prints.
//!
//! The format is described in `examples/README.md`. What a story promises beside its own text is checked at each
//! command: nothing but `apply` sends a request that writes; a plan is the same when it is made again; the pages and
//! details that a plan tells are the requests that the console saw; nothing that an apply did is planned again; and at
//! its end there is nothing left to do but wait.
//!
//! With `UPDATE=1` the printed texts are written instead of compared; the promises are checked all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tenantry_simulator::{Kind, LogFilter};

use crate::cli::{self, Bench, Ran};

/// Files of an example that are no declarations.
const NOT_DECLARED: [&str; 3] = ["sim.json", "story.txt", "plan.txt"];

/// One line of a story that does something, with the lines that belong to it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    /// The line's number, from 1.
    line: usize,
    /// The line.
    head: String,
    /// What follows it, without blank lines at the end.
    body: Vec<String>,
}

fn is_head(line: &str) -> bool {
    line.starts_with("$ ") || line.starts_with("@ ") || line == "#" || line.starts_with("# ")
}

fn parse(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for (n, line) in text.lines().enumerate() {
        match parts.last_mut() {
            Some(part) if !is_head(line) => part.body.push(line.to_owned()),
            _ => parts.push(Part { line: n + 1, head: line.to_owned(), body: Vec::new() }),
        }
    }
    for part in &mut parts {
        while part.body.last().is_some_and(String::is_empty) {
            part.body.pop();
        }
    }
    parts
}

fn print(parts: &[Part]) -> String {
    let mut out = String::new();
    for (n, part) in parts.iter().enumerate() {
        let _ = writeln!(out, "{}", part.head);
        for line in &part.body {
            let _ = writeln!(out, "{line}");
        }
        let prose = |part: &Part| part.head.starts_with('#');
        let quiet = part.body.is_empty() && !part.head.starts_with('$');
        let next = parts.get(n + 1);
        // Prose stands directly above what it explains; clicks that follow each other stand together.
        if next.is_some_and(|next| !(quiet && (prose(part) || !prose(next)))) {
            out.push('\n');
        }
    }
    out
}

/// Something that people do below `/_sim`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Act {
    method: String,
    path: String,
    body: Option<String>,
}

impl Act {
    /// Does it, at this desk.
    ///
    /// # Panics
    /// When the simulator refuses it.
    pub fn at(&self, bench: &Bench) {
        let path = named(bench, &self.path, &self.path);
        let (status, answer) = bench.ask(&self.method, &path, self.body.clone());
        assert!((200..300).contains(&status), "{} {path}: {status} {answer}", self.method);
    }
}

/// What happens before an apply of a story, and after the one before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stage {
    /// Files that are written, by path; an empty text deletes.
    pub files: BTreeMap<String, String>,
    /// What people do then.
    pub acts: Vec<Act>,
}

/// What happens before each apply of the story in this directory, for whoever tells it without the command: up to where
/// somebody sends a mail or says that a task is done, because their names are other ones each time. An apply that is
/// only run again is none of its own, and consoles are up.
///
/// # Panics
/// Where the story cannot be read.
pub fn stages(place: &Path) -> Vec<Stage> {
    let text = fs::read_to_string(place.join("story.txt"))
        .unwrap_or_else(|error| panic!("{}/story.txt: {error}", place.display()));
    let mut files = declarations(place);
    let (mut out, mut next) = (Vec::new(), Stage { files: files.clone(), acts: Vec::new() });
    for Part { line, head, body } in parse(&text) {
        let at = format!("{}/story.txt:{line}", place.display());
        if head.starts_with("$ tenantry apply") && next != Stage::default() {
            out.push(std::mem::take(&mut next));
        }
        if head.starts_with("$ tenantry invitations") || head.starts_with("$ tenantry tasks done") {
            break;
        }
        let Some((verb, rest)) = head.strip_prefix("@ ").and_then(|act| act.split_once(' ')) else {
            continue;
        };
        let file = match verb {
            "write" => written(&body),
            "edit" => edited(&at, rest, files.get(rest).map_or("", String::as_str), &body),
            "remove" => String::new(),
            method => {
                let (path, body) =
                    rest.split_once(' ').map_or((rest, None), |(path, body)| (path, Some(body)));
                if path != "/_sim/faults" {
                    let (method, path) = (method.to_owned(), path.to_owned());
                    next.acts.push(Act { method, path, body: body.map(str::to_owned) });
                }
                continue;
            }
        };
        files.insert(rest.to_owned(), file.clone());
        next.files.insert(rest.to_owned(), file);
    }
    out
}

/// What is done before each command of a story that writes: at its desk, with the command's line and arguments.
pub type BeforeWriting<'a> = &'a mut dyn FnMut(&Bench, usize, &[&str]);

/// A story as it is told.
struct Teller<'a> {
    place: PathBuf,
    bench: Bench,
    update: bool,
    before_writing: BeforeWriting<'a>,
    /// Ids of tasks to send a mail, as stories write them, with the ids of this run.
    mails: BTreeMap<String, String>,
}

/// Runs the story in this directory.
///
/// # Panics
/// Where something is printed or done that the story does not say.
pub fn run(place: &Path) {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    tell(place, cli::binary(), update, &mut |_, _, _| ());
}

/// Runs the story with another build of the program, and lets somebody at the desk before each of its commands that
/// write. What is printed is compared all the same: whoever was there must leave everything as it was found.
///
/// # Panics
/// Where something is printed or done that the story does not say.
pub fn run_with(place: &Path, binary: &Path, before_writing: BeforeWriting<'_>) {
    tell(place, binary, false, before_writing);
}

fn tell(place: &Path, binary: &Path, update: bool, before_writing: BeforeWriting<'_>) {
    let read = |name: &str| {
        fs::read_to_string(place.join(name))
            .unwrap_or_else(|error| panic!("{}/{name}: {error}", place.display()))
    };
    let seed: Value = serde_json::from_str(&read("sim.json"))
        .unwrap_or_else(|error| panic!("{}/sim.json: {error}", place.display()));
    let text = read("story.txt");
    let mut teller = Teller {
        place: place.to_owned(),
        bench: Bench::new(&seed).binary(binary.to_owned()),
        update,
        before_writing,
        mails: BTreeMap::new(),
    };
    for (file, text) in declarations(place) {
        teller.bench.write(&file, &text);
    }
    let mut parts = parse(&text);
    assert!(
        parts.iter().any(|part| part.head.starts_with("$ tenantry plan")),
        "{}: it plans nothing",
        place.display()
    );
    for n in 0..parts.len() {
        let Part { line, head, body } = parts[n].clone();
        if let Some(command) = head.strip_prefix("$ ") {
            parts[n].body = teller.command(line, command, &body);
        } else if let Some(act) = head.strip_prefix("@ ") {
            teller.act(line, act, &body);
        }
        // As far as it comes: who writes a story reads there what its next line needs.
        if teller.update {
            fs::write(place.join("story.txt"), print(&parts)).expect("the example is writable");
        }
    }
    teller.end();
    if !teller.update {
        assert_eq!(text, print(&parts), "{}/story.txt is not written as UPDATE=1 writes it", place.display());
    }
}

/// The names of the directories below `examples` that have a story.
///
/// # Panics
/// When they cannot be listed.
pub fn names(examples: &Path) -> BTreeSet<String> {
    fs::read_dir(examples)
        .expect("there are examples")
        .map(|entry| entry.expect("the examples can be listed").path())
        .filter(|path| path.join("story.txt").is_file())
        .map(|path| path.file_name().unwrap_or_default().to_string_lossy().into_owned())
        .collect()
}

/// The declarations of an example by their path within it.
pub fn declarations(place: &Path) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut open = vec![place.to_owned()];
    while let Some(dir) = open.pop() {
        let entries = fs::read_dir(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
        for entry in entries {
            let path = entry.expect("the example's directory can be listed").path();
            let name = path.strip_prefix(place).expect("it is below").to_string_lossy().into_owned();
            if path.is_dir() {
                open.push(path);
            } else if !NOT_DECLARED.contains(&name.as_str()) {
                out.insert(
                    name,
                    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())),
                );
            }
        }
    }
    out
}

/// Arguments of a command line; double quotes hold spaces together.
fn words(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => out.push(String::new()),
            c => out.last_mut().expect("never empty").push(c),
        }
    }
    out.retain(|word| !word.is_empty());
    out
}

/// Whether a command writes anything that the next one reads: an apply, or somebody's word for the ledger.
pub fn writes(arguments: &[&str]) -> bool {
    matches!(arguments, ["apply", ..] | ["tasks", "done", ..])
}

/// Whether a command sends no request that writes: everything but `apply`.
fn looks(arguments: &[&str]) -> bool {
    arguments.first() != Some(&"apply")
}

impl Teller<'_> {
    fn at(&self, line: usize) -> String {
        format!("{}/story.txt:{line}", self.place.display())
    }

    fn command(&mut self, line: usize, command: &str, expected: &[String]) -> Vec<String> {
        let at = self.at(line);
        let (command, file) =
            command.split_once(" > ").map_or((command, None), |(command, file)| (command, Some(file)));
        let arguments: Vec<String> =
            words(command).into_iter().map(|word| self.mails.get(&word).cloned().unwrap_or(word)).collect();
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let Some((&"tenantry", arguments)) = arguments.split_first() else {
            panic!("{at}: only tenantry is run")
        };
        if writes(arguments) {
            (self.before_writing)(&self.bench, line, arguments);
        }
        let before = self.planned_by(arguments);
        let mark = self.bench.simulator().log().mark();
        let ran = self.bench.run(arguments);
        let stdout = self.masked(&ran.stdout);
        let writes = self.bench.simulator().log().writes(mark);
        assert!(
            !looks(arguments) || writes == 0,
            "{at}: it only looks, and sent {writes} requests that write"
        );
        if arguments.first() == Some(&"plan") {
            self.told_what_it_asked(&at, &ran, mark);
            let again = self.bench.run(arguments);
            assert_eq!(
                (ran.code, &stdout),
                (again.code, &self.masked(&again.stdout)),
                "{at}: another plan than a moment ago"
            );
        }
        if matches!(ran.code, 0 | 4) {
            let after = self.planned_by(arguments);
            let twice: Vec<&String> = before.intersection(&after).collect();
            assert!(twice.is_empty(), "{at}: applied, and planned again: {twice:?}\n{ran}");
        }
        let mut printed: Vec<String> = Vec::new();
        match file {
            None => printed.extend(stdout.trim_end_matches('\n').lines().map(str::to_owned)),
            Some(file) => self.golden(&at, file, &stdout),
        }
        let errors = self.masked(&ran.stderr);
        let told = errors
            .lines()
            .skip_while(|line| !line.starts_with("error"))
            .map(|line| format!("! {}", without_ids(line)).trim_end().to_owned());
        printed.extend(told);
        if ran.code != 0 {
            printed.push(format!("[exit {}]", ran.code));
        }
        if !self.update {
            assert_eq!(expected.join("\n"), printed.join("\n"), "{at}: $ {command}\n{ran}");
        }
        printed
    }

    fn golden(&self, at: &str, file: &str, text: &str) {
        let path = self.place.join(file);
        if self.update {
            fs::write(&path, text).expect("the example is writable");
            return;
        }
        let expected =
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(expected, text, "{at}: other than {}", path.display());
    }

    /// Ids of mails are random: six hex digits of them are written as XXXXXX.
    fn masked(&mut self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        for (n, piece) in text.split("-send-").enumerate() {
            if n == 0 {
                out.push_str(piece);
                continue;
            }
            out.push_str("-send-");
            let end = piece.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(piece.len());
            let (id, rest) = piece.split_at(end);
            match id.rsplit_once('-') {
                Some((name, digits))
                    if digits.len() == 6 && digits.chars().all(|c| c.is_ascii_hexdigit()) =>
                {
                    let console: String = out
                        .trim_end_matches("-send-")
                        .chars()
                        .rev()
                        .take_while(|c| c.is_ascii_alphanumeric() || *c == '-')
                        .collect();
                    let console: String = console.chars().rev().collect();
                    self.mails
                        .insert(format!("{console}-send-{name}-XXXXXX"), format!("{console}-send-{id}"));
                    let _ = write!(out, "{name}-XXXXXX");
                }
                _ => out.push_str(id),
            }
            out.push_str(rest);
        }
        out
    }

    /// Fingerprints of what an apply with these arguments would do now; nothing for other commands.
    fn planned_by(&self, arguments: &[&str]) -> BTreeSet<String> {
        if looks(arguments) || !arguments.contains(&"--auto-approve") {
            return BTreeSet::new();
        }
        let mut plan = vec!["plan", "-o", "json"];
        plan.extend(arguments[1..].iter().filter(|argument| **argument != "--auto-approve"));
        let ran = self.bench.run(&plan);
        let Ok(document) = serde_json::from_str::<Value>(&ran.stdout) else { return BTreeSet::new() };
        let plans = document["plans"].as_array().into_iter().flatten();
        plans
            .flat_map(|plan| plan["steps"].as_array().into_iter().flatten())
            .filter(|step| step["held"].is_null())
            .filter_map(|step| {
                Some(format!(
                    "{} {} ({})",
                    step["action"].as_str()?,
                    step["address"].as_str()?,
                    step["fingerprint"].as_str()?
                ))
            })
            .collect()
    }

    /// The pages and details that each console's line tells are the reads that the console saw from its list on.
    fn told_what_it_asked(&self, at: &str, ran: &Ran, mark: u64) {
        for (console, partner) in self.bench.partners() {
            let Some(told) = ran
                .stderr
                .lines()
                .filter(|line| line.split_whitespace().next() == Some(console))
                .find_map(cost)
            else {
                continue;
            };
            let filter = LogFilter {
                partner: Some(partner),
                since: mark,
                kind: Some(Kind::Read),
                ..LogFilter::default()
            };
            let reads = self.bench.simulator().log().entries(&filter);
            let list = |path: &str| {
                path.starts_with("/partner/v1/tenants")
                    || (path.starts_with("/v1/customers?")
                        && !path.contains("size=1&")
                        && !path.ends_with("size=1"))
            };
            let asked = reads.iter().skip_while(|entry| !list(&entry.path)).count();
            let paths: Vec<&str> = reads.iter().map(|entry| entry.path.as_str()).collect();
            assert_eq!(told, asked, "{at}: {console} tells {told} requests; it was asked {paths:#?}\n{ran}");
        }
    }

    fn act(&mut self, line: usize, act: &str, body: &[String]) {
        let at = self.at(line);
        let act = self.mails.iter().fold(act.to_owned(), |act, (written, id)| act.replace(written, id));
        let (verb, rest) = act.split_once(' ').unwrap_or((&act, ""));
        match verb {
            "write" => {
                self.bench.write(rest, &written(body));
            }
            "edit" => self.bench.write(rest, &edited(&at, rest, &self.bench.read(rest), body)),
            "remove" => self.bench.remove(rest),
            "GET" | "POST" | "DELETE" => {
                let (path, body) =
                    rest.split_once(' ').map_or((rest, None), |(path, body)| (path, Some(body)));
                assert!(path.starts_with("/_sim"), "{at}: people act below /_sim");
                let path = &named(&self.bench, &at, path);
                let body = body.map(|body| match body.strip_prefix("< ") {
                    Some(file) => self.bench.read(file),
                    None => body.to_owned(),
                });
                let (status, answer) = self.bench.ask(verb, path, body);
                assert!((200..300).contains(&status), "{at}: {status} {answer}");
            }
            other => panic!("{at}: {other} is none of write, edit, remove, GET, POST, DELETE"),
        }
    }

    /// Nothing is left to do but wait.
    fn end(&mut self) {
        let mark = self.bench.simulator().log().mark();
        let ran = self.bench.run(&["plan", "--detailed-exitcode"]);
        assert!(
            matches!(ran.code, 0 | 3 | 5),
            "{}: there is more to do in the end: {ran}",
            self.place.display()
        );
        assert_eq!(self.bench.simulator().log().writes(mark), 0);
    }
}

/// `/_sim/sophos/msp/tenants/{Praxis+Müller}/…`: the id of the account that the console shows by this name.
fn named(bench: &Bench, at: &str, path: &str) -> String {
    let Some((before, rest)) = path.split_once('{') else { return path.to_owned() };
    let (name, after) = rest.split_once('}').unwrap_or_else(|| panic!("{at}: a name ends with a brace"));
    let list = format!("{}?name={}", before.trim_end_matches('/'), name.replace('+', "%20"));
    let (_, answer) = bench.ask("GET", &list, None);
    let answer: Value =
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{at}: {error}: {answer}"));
    let shown = answer["tenants"].as_array().cloned().unwrap_or_default();
    assert_eq!(shown.len(), 1, "{at}: {name} is not one account: {answer}");
    format!("{before}{}{after}", shown[0]["id"].as_str().expect("an account has an id"))
}

/// A file's text, as it stands below `@ write`.
fn written(body: &[String]) -> String {
    body.iter().map(|line| format!("{}\n", line.strip_prefix("    ").unwrap_or(line))).collect()
}

/// Lines that begin with `-` are there once, one after the other; those with `+` take their place.
fn edited(at: &str, file: &str, text: &str, body: &[String]) -> String {
    let lines = |sign: char| -> String {
        body.iter()
            .filter_map(|line| line.strip_prefix("    ")?.strip_prefix(sign))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    let (old, new) = (lines('-'), lines('+'));
    assert!(!old.is_empty() && text.matches(&old).count() == 1, "{at}: {file} does not hold once:\n{old}");
    text.replace(&old, &new)
}

/// A line without the ids by which a vendor finds one request again: they are other ones each time.
fn without_ids(line: &str) -> String {
    let mut out = line.to_owned();
    for named in [", request ", ", correlation "] {
        let Some(at) = out.find(named).map(|at| at + named.len()) else { continue };
        let end = out[at..].find(|c: char| !c.is_ascii_hexdigit() && c != '-').map_or(out.len(), |n| at + n);
        out.replace_range(at..end, "XXXXXX");
    }
    out
}

/// Pages and details of a console's line: `sophos  … · 2 customers, 1 page + 3 details`.
fn cost(line: &str) -> Option<usize> {
    let words: Vec<&str> = line.split([' ', ',']).filter(|word| !word.is_empty()).collect();
    let number = |nouns: [&str; 2]| {
        words.windows(2).find(|pair| nouns.contains(&pair[1])).and_then(|pair| pair[0].parse::<usize>().ok())
    };
    Some(number(["page", "pages"])? + number(["detail", "details"]).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_story_is_written_as_it_was_read() {
        let text = "# Prose.\n# More of it.\n$ tenantry plan\nsophos\n\nPlan: 1\n! error[x]: y\n[exit 1]\n\n@ POST /_sim/clock {}\n@ edit a.yaml\n    -x\n    +y\n\n$ tenantry apply\n\n# The end.\n@ remove a.yaml\n";
        assert_eq!(print(&parse(text)), text);
    }

    #[test]
    fn requests_are_read_from_a_consoles_line() {
        assert_eq!(cost("sophos      Central · 2 customers, 1 page + 3 details, 1 not compared"), Some(4));
        assert_eq!(cost("sophos      Central · 1 customer, 2 pages"), Some(2));
        assert_eq!(cost("sophos: 3 customers"), None);
    }

    #[test]
    fn ids_of_requests_are_left_out() {
        assert_eq!(
            without_ids("no (503/503), request 0a1b-2c, correlation 3d-4e; run again later"),
            "no (503/503), request XXXXXX, correlation XXXXXX; run again later"
        );
        assert_eq!(without_ids("no (503/503), request 0a1b"), "no (503/503), request XXXXXX");
    }

    #[test]
    fn quotes_hold_words_together() {
        assert_eq!(
            words("tenantry tasks done x --note \"by Ada\""),
            ["tenantry", "tasks", "done", "x", "--note", "by Ada"]
        );
    }
}
