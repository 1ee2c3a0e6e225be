//! What the vendors document as refusals: each has its line in docs/refusals.md, its text where a person reads it, and
//! an exit code.
//!
//! The page is written by `UPDATE=1 cargo test -p tenantry-tests --test refusals`; reviewers read it in the diff. One
//! apply meets all refusals of a vendor, one customer each.

use std::fmt::Write as _;
use std::fs;

use serde_json::json;
use tenantry_consoles::tables::{Refused, refusals};
use tenantry_simulator::microsoft::errors;
use tenantry_simulator::{Does, Fault, FaultBody};
use tenantry_tests::cli::{Bench, Ran};
use tenantry_tests::parts::repository_root;
use tenantry_tests::watch::run;
use tenantry_tests::worlds::*;

const APPLY: [&str; 4] = ["apply", "--auto-approve", "--allow", "first-run,creations=200"];
const MICROSOFT: &str = "Partner Center";
const SOPHOS: &str = "Sophos Central Partner";
/// What a refusal means that turns its row into a task.
const POSITION: &str = "position-refused";

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn page() -> String {
    let mut out = String::from(
        "# Refusals\n\n\
         What vendors document as refusals, how tenantry tells them, and what to do. Ours are the codes in the second\n\
         column: they never change their meaning. A refusal that is not listed keeps the vendor's own words, code and\n\
         request id.\n\n\
         Exit codes: a command whose reading is refused ends with 1, an apply with a refused step too, after all other\n\
         steps were done. `position-refused` turns the step into a task, from the next run on. A refusal about one\n\
         customer's details is told with that customer, which is then not compared, and fails nothing. Too many\n\
         requests (429) are waited out; only without end they fail the step.\n",
    );
    for console in [SOPHOS, MICROSOFT] {
        let _ = write!(
            out,
            "\n## {console}\n\n| answer | code | what is said | what to do |\n|---|---|---|---|\n"
        );
        for row in refusals().iter().filter(|row| row.console == console) {
            let status = row.status.map(|status| status.to_string()).unwrap_or_default();
            let answer: Vec<&str> =
                [status.as_str(), &row.vendor_code].into_iter().filter(|part| !part.is_empty()).collect();
            let asked = if row.asked.is_empty() { String::new() } else { format!(" ({})", row.asked) };
            let _ = writeln!(
                out,
                "| {}{asked} | `{}` | {} | {} |",
                answer.join(" / "),
                row.code,
                cell(&row.words),
                cell(&row.hint)
            );
        }
    }
    out
}

#[test]
fn the_page_is_what_the_adapters_say() {
    let path = repository_root().join("docs/refusals.md");
    let page = page();
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &page).expect("the page can be written");
    }
    let shown = fs::read_to_string(&path).expect("there is a page");
    assert!(shown == page, "docs/refusals.md is another one than the adapters say: run with UPDATE=1");
}

/// A refusal's text as it is printed, without line breaks.
fn flat(ran: &Ran) -> String {
    format!("{}{}", ran.stdout, ran.stderr).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One customer to be made for each of these refusals, which meet them in their order.
fn refused_one_by_one(
    bench: &Bench,
    console: &str,
    account: impl Fn(&str) -> String,
    refusals: &[Does],
) -> Ran {
    bench.write("consoles.yaml", console);
    for (number, does) in refusals.iter().enumerate() {
        let name = format!("k{number:03}");
        bench.write(&format!("{name}.yaml"), &customer(&name, &[account(&name)]));
        bench.simulator().faults().add(Fault::new(does.clone()).on("POST", "*/tenants"));
        bench.simulator().faults().add(Fault::new(does.clone()).on("POST", "/v1/customers"));
    }
    run(bench, &APPLY)
}

#[test]
fn every_refusal_of_partner_center_has_its_text_and_fails_with_1() {
    let reached = |row: &Refused| row.console == MICROSOFT && ["", "create a customer"].contains(&row.asked);
    // Where the same answer means something of its own at creation, that is said.
    let own = |status, code: &str| {
        refusals()
            .into_iter()
            .find(|row| row.asked == "create a customer" && row.status == status && row.vendor_code == code)
    };
    let rows: Vec<Refused> = refusals().into_iter().filter(reached).collect();
    let (last, mut rows): (Vec<Refused>, Vec<Refused>) =
        rows.into_iter().partition(|row| row.code == POSITION);
    // It turns all that follow into tasks.
    rows.extend(last);
    assert!(rows.len() >= 80, "{}", rows.len());
    let does: Vec<Does> = rows
        .iter()
        .map(|row| Does::Coded {
            status: row.status.unwrap_or(409),
            code: row.vendor_code.parse().expect("a number"),
        })
        .collect();
    let bench = Bench::new(&json!({"microsoft": microsoft_seed(&[], &[], &json!({}))}));
    let ran = refused_one_by_one(&bench, &microsoft(""), made_at_microsoft, &does);
    assert_eq!(ran.code, 1, "{ran}");
    let text = flat(&ran);
    for row in &rows {
        let status = row.status.unwrap_or(409);
        let words = own(row.status, &row.vendor_code).map_or(row.words.clone(), |row| row.words);
        let codes = format!("({status}/{}), request ", row.vendor_code);
        assert!(text.contains(&codes), "nothing says {codes}: {ran}");
        assert!(text.contains(&words), "nothing says {words}: {ran}");
    }
    assert_eq!(bench.simulator().log().effects("microsoft/msp", "customer-created").len(), 0);
}

#[test]
fn a_refusal_that_is_not_listed_keeps_words_code_and_request_id() {
    let bench = Bench::new(&json!({"microsoft": microsoft_seed(&[], &[], &json!({}))}));
    let does = [Does::Coded { status: 400, code: 987_654 }];
    let ran = refused_one_by_one(&bench, &microsoft(""), made_at_microsoft, &does);
    assert_eq!(ran.code, 1, "{ran}");
    let text = flat(&ran);
    assert!(text.contains("The service refused the request. (400/987654), request "), "{ran}");
    assert!(!errors::ALL.iter().any(|(_, code)| code.code == 987_654), "it is nobody's");
}

#[test]
fn every_refusal_of_a_token_has_its_text_and_fails_with_1() {
    for row in refusals().iter().filter(|row| row.vendor_code.starts_with("AADSTS")) {
        let code = row.vendor_code["AADSTS".len()..].parse().expect("a number");
        let bench = Bench::new(&json!({"microsoft": microsoft_seed(&[], &[], &json!({}))}));
        bench.write("consoles.yaml", &microsoft(""));
        bench
            .simulator()
            .faults()
            .add(Fault::new(Does::Coded { status: 400, code }).on("POST", "*/oauth2/token").always());
        let ran = run(&bench, &["plan"]);
        assert_eq!(ran.code, 1, "{ran}");
        let text = flat(&ran);
        for words in [&row.words, &row.hint, &format!("(400/{})", row.vendor_code)] {
            assert!(text.contains(words.as_str()), "nothing says {words}: {ran}");
        }
    }
}

#[test]
fn every_refusal_of_sophos_has_its_text_and_fails_with_1() {
    let all: Vec<Refused> = refusals().into_iter().filter(|row| row.console == SOPHOS).collect();
    let own =
        |status| all.iter().find(|row| row.asked == "create the customer" && row.status == status).cloned();
    // What is asked again, or proves nothing, is not a refusal of a step.
    let definite = |row: &&Refused| {
        row.asked.is_empty() && row.status.is_some_and(|status| status < 500 && status != 429)
    };
    let rows: Vec<Refused> =
        all.iter().filter(definite).map(|row| own(row.status).unwrap_or_else(|| row.clone())).collect();
    assert_eq!(rows.len(), 8);
    let does: Vec<Does> = rows
        .iter()
        .map(|row| Does::Status {
            status: row.status.expect("it has one"),
            retry_after: None,
            body: FaultBody::Vendor,
            after_commit: false,
        })
        .collect();
    let bench = Bench::new(&json!({"sophos": sophos_seed(&[], &json!({}))}));
    let ran = refused_one_by_one(&bench, &sophos(""), |_| made_at_sophos(), &does);
    assert_eq!(ran.code, 1, "{ran}");
    let text = flat(&ran);
    for row in &rows {
        assert!(text.contains(&row.words), "nothing says {}: {ran}", row.words);
        assert!(text.contains(&row.hint), "nothing says {}: {ran}", row.hint);
    }
    assert_eq!(bench.simulator().log().effects("sophos/msp", "tenant-created").len(), 0);
}
