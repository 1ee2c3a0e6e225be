//! Wrong command lines and missing things around the program: each is said with what to do, before anything is asked of
//! a console.

use serde_json::json;
use tenantry_tests::cli::{Bench, Ran};
use tenantry_tests::watch::{run, run_command};
use tenantry_tests::worlds::*;

fn desk() -> Bench {
    let bench = Bench::new(&json!({"sophos": sophos_seed(&[sophos_tenant(1, "known")], &json!({}))}));
    bench.write("consoles.yaml", &sophos(""));
    bench.write("known.yaml", &bare("known", &[known_at_sophos(&id(1))]));
    bench
}

fn says(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, code, "{ran}");
    for words in words {
        assert!(ran.stderr.contains(words), "nothing says {words:?}: {ran}");
    }
}

#[test]
fn what_is_wrong_on_the_command_line_is_said_with_what_to_do() {
    let bench = desk();
    let cases: [(&[&str], &[&str]); 14] = [
        (&["plan", "-o", "yaml"], &["-o yaml: there is no such format", "there are: text, json, markdown"]),
        (&["plan", "-o", "text,json"], &["only one format can go to stdout", "-o text -o json=plan.json"]),
        (&["plan", "--allow", "foo"], &["--allow foo is none", "write first-run, census, creations=N"]),
        (&["plan", "--allow", "removals=many"], &["--allow removals=many is none"]),
        (&["plan", "--approve", "zzz"], &["--approve zzz is no fingerprint", "sixteen hex digits"]),
        (&["plan", "--consent", "foo"], &["--consent foo has no @", "write --consent CODE@ADDRESS"]),
        (&["plan", "--consent", "foo@bar"], &["nothing is declared as bar", "customer/NAME/ACCOUNT"]),
        (
            &["plan", "--now", "yesterday"],
            &["--now yesterday is no moment", "write it as 2026-11-21T08:00:00Z"],
        ),
        (&["plan", "--endpoint", "sophos"], &["--endpoint sophos: it has no =", "CONSOLE=https://HOST"]),
        (
            &["plan", "--endpoint", "else=http://localhost"],
            &["no Console else is declared", "declared are: sophos"],
        ),
        (
            &["tasks", "--export", "xml"],
            &["--export xml: there is no such format", "there is: csv, or csv=FILE"],
        ),
        (&["schema", "nothing"], &["there is no schema nothing", "there are: attestation"]),
        (&["explain", "custmer"], &["there is no kind `custmer` (did you mean `Customer`?)"]),
        (&["apply"], &["nobody can be asked: this is no terminal", "tenantry plan --out plan.json"]),
    ];
    let mark = bench.simulator().log().mark();
    for (arguments, words) in cases {
        says(&run(&bench, arguments), 64, &[&["error[usage]"][..], words].concat());
    }
    assert_eq!(bench.simulator().log().mark(), mark, "a console was asked");
    says(&run(&bench, &["plna"]), 64, &["unrecognized subcommand 'plna'", "'plan'"]);
    says(&run(&bench, &["plan", "--target", "nobody"]), 64, &["nothing is declared as nobody"]);
}

#[test]
fn a_secret_that_is_not_there_is_named_with_both_places() {
    let bench = desk();
    let mut command = bench.command(&["plan"]);
    command.env_remove("TENANTRY_SECRETS_DIR");
    let ran = run_command(&bench, &["plan"], command);
    says(
        &ran,
        1,
        &[
            "error[no-secret]: sophos: the secret sophos-read was not found",
            "TENANTRY_SECRET_SOPHOS_READ_* is not set and there is no --secrets-dir",
            "put each value into a file DIR/sophos-read/KEY",
        ],
    );
    let mut command = bench.command(&["plan"]);
    command.env("TENANTRY_SECRETS_DIR", "/no/such/directory");
    let ran = run_command(&bench, &["plan"], command);
    says(&ran, 1, &["neither /no/such/directory/sophos-read nor TENANTRY_SECRET_SOPHOS_READ_* is there"]);
    bench.write("consoles.yaml", &sophos("").replace("    read: {secretRef: {name: sophos-read}}\n", ""));
    let ran = run(&bench, &["plan"]);
    says(
        &ran,
        1,
        &["error[no-credential]: Console sophos names no read credential", "spec.credentials.read"],
    );
}

#[test]
fn secrets_come_from_the_environment_too() {
    let bench = desk();
    let mut command = bench.command(&["plan"]);
    command.env_remove("TENANTRY_SECRETS_DIR");
    let credentials = bench.simulator().sophos("msp").credentials();
    command.env("TENANTRY_SECRET_SOPHOS_READ_CLIENT_ID", credentials.client_id);
    command.env("TENANTRY_SECRET_SOPHOS_READ_CLIENT_SECRET", credentials.client_secret);
    let ran = run_command(&bench, &["plan"], command);
    assert_eq!(ran.code, 0, "{ran}");
}

#[test]
fn a_file_that_is_no_saved_plan_is_refused_before_anything_is_asked() {
    let bench = desk();
    let shown = run(&bench, &["plan", "-o", "json"]);
    bench.write("shown.json", &shown.stdout);
    bench.write("nothing.json", "{}");
    bench.write("later.json", "{\"formatVersion\": \"2.0\"}");
    let mark = bench.simulator().log().mark();
    let apply = |file: &str| run(&bench, &["apply", file]);
    says(
        &apply("shown.json"),
        1,
        &["error[not-a-saved-plan]: this is a plan's output, not a saved plan", "--out plan.json"],
    );
    says(&apply("nothing.json"), 1, &["error[bad-plan]: this is no plan of tenantry; make one"]);
    says(&apply("later.json"), 1, &["the plan has format version 2.0, this tenantry reads 1.x"]);
    says(&apply("absent.json"), 1, &["error[io]: cannot read absent.json"]);
    assert_eq!(bench.simulator().log().mark(), mark, "a console was asked");
    bench.remove("shown.json");
    bench.remove("nothing.json");
    bench.remove("later.json");
    let ran = run(&bench, &["plan", "--out", "saved.json"]);
    assert_eq!(ran.code, 0, "{ran}");
    bench.simulator().clock().advance(jiff::Span::new().hours(25)).expect("the clock goes forward");
    says(
        &apply("saved.json"),
        4,
        &["error[plan-expired]: the plan was made at", "make it anew: tenantry plan --out"],
    );
}

#[test]
fn a_plan_made_with_another_ledger_is_refused() {
    let bench = desk();
    assert_eq!(run(&bench, &["apply", "--auto-approve"]).code, 0);
    assert_eq!(run(&bench, &["plan", "--out", "../saved.json"]).code, 0);
    says(&run(&bench, &["apply", "../saved.json"]), 0, &[]);
    std::fs::remove_dir_all(bench.dir().join(".tenantry")).expect("there is a state directory");
    says(
        &run(&bench, &["apply", "../saved.json"]),
        4,
        &["error[another-ledger]: the plan was made with another ledger of sophos:", "make the plan anew"],
    );
}

#[test]
fn colour_repeats_what_signs_say_and_no_color_takes_it_away() {
    let bench = desk();
    let plain = run(&bench, &["plan"]).stdout;
    assert!(!plain.contains('\u{1b}'), "a pipe is not coloured");
    let coloured = bench.run(&["plan", "--color", "always"]).stdout;
    assert!(coloured.contains('\u{1b}'));
    let mut stripped = String::new();
    let mut rest = coloured.as_str();
    while let Some(at) = rest.find('\u{1b}') {
        stripped.push_str(&rest[..at]);
        let end = rest[at..].find('m').expect("a colour ends with m");
        rest = &rest[at + end + 1..];
    }
    stripped.push_str(rest);
    assert_eq!(stripped, plain);
    let mut command = bench.command(&["plan"]);
    command.env("NO_COLOR", "1").env("TENANTRY_COLOR", "auto");
    assert_eq!(bench.run_command(command).stdout, plain);
}

#[test]
fn a_hidden_character_is_told_at_its_place_and_stops_nothing() {
    let bench = desk();
    let declared = bench.read("known.yaml").replace("known works", "known\u{202e} works");
    bench.write("known.yaml", &declared);
    let message = "this value holds U+202E, which turns the direction in which text is shown";
    let validate = run(&bench, &["validate"]);
    assert_eq!(validate.code, 0, "{validate}");
    for words in [
        &format!("warning[hidden-character]: {message}"),
        "--> known.yaml:5:29",
        "known\\u{202e} works",
        "1 warning",
    ] {
        assert!(validate.stdout.contains(words), "{words}: {validate}");
    }
    let github = run(&bench, &["validate", "-o", "github"]);
    let begins =
        format!("::warning file=known.yaml,line=5,col=29,endColumn=30,title=hidden-character::{message}");
    assert!(github.code == 0 && github.stdout.starts_with(&begins), "{github}");
    let ran = run(&bench, &["validate", "-o", "json"]);
    let document: serde_json::Value = serde_json::from_str(&ran.stdout).expect("it is JSON");
    let one = &document["diagnostics"][0];
    assert_eq!((&one["severity"], &one["code"]), (&json!("warning"), &json!("hidden-character")), "{ran}");
    assert_eq!(one["place"]["column"], 29, "{ran}");

    // A plan tells it too, and goes on: the file is read as a whole, and what it declares is declared.
    let plan = run(&bench, &["plan"]);
    says(&plan, 0, &[&format!("warning[hidden-character]: {message}"), "known.yaml:5:29"]);
    assert!(plan.stdout.contains("customer known"), "{plan}");
    let plan = run(&bench, &["plan", "--log-format", "json"]);
    assert_eq!(plan.code, 0, "{plan}");
    let told = plan.stderr.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let warnings: Vec<_> = told.filter(|line| line["code"] == "hidden-character").collect();
    assert_eq!(warnings.len(), 1, "{plan}");
    assert_eq!(warnings[0]["level"], "warning", "{plan}");
}
