//! What the load bench promises, on small sizes: counts and ratios, never absolute times.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;
use tenantry_tests::bench::{Class, Desk, Mix, Ran, World};

/// The accounts of Sophos on a page, and the customers of Microsoft on one.
const SOPHOS_PAGE: usize = 100;
const MICROSOFT_PAGE: usize = 500;

/// The program, built when it is first asked for; `TENANTRY_TEST_BINARY` names another one.
fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| std::env::var_os("TENANTRY_TEST_BINARY").map_or_else(build, PathBuf::from))
}

fn build() -> PathBuf {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--package", "tenantry", "--bin", "tenantry"]);
    command.args(["--message-format", "json-render-diagnostics"]);
    let output = command.output().expect("cargo can be run");
    assert!(output.status.success(), "tenantry is not built: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .find_map(|message| message["executable"].as_str().map(PathBuf::from))
        .expect("cargo names the program that it built")
}

fn desk(customers: usize, mix: Mix, shuffle: u64) -> Desk {
    let mut simulator = Command::new(env!("CARGO_BIN_EXE_bench"));
    simulator.args(["simulate", &customers.to_string(), "--shuffle", &shuffle.to_string()]);
    if mix == Mix::UNCHANGED {
        simulator.arg("--unchanged");
    }
    Desk::new(World { customers, mix, shuffle }, binary(), simulator).expect("the simulator starts")
}

fn run(desk: &Desk, hours: u32, arguments: &[&str]) -> Ran {
    let ran = desk.run(hours, arguments).expect("the program can be run");
    assert!(
        matches!(ran.code, 0 | 4),
        "{arguments:?} ended with {}:\n{}{}",
        ran.code,
        ran.stdout,
        ran.stderr
    );
    ran
}

fn adopt(desk: &Desk) -> Ran {
    let allow = format!("first-run,invitations={}", desk.world().customers);
    run(desk, 0, &["apply", "-f", ".", "--auto-approve", "--read-budget", "100000", "--allow", &allow])
}

/// Applies until nothing is left to do but what people do: what is written once is looked at once more.
fn settle(desk: &Desk) {
    adopt(desk);
    for hours in [1, 3] {
        run(desk, hours, &["apply", "-f", ".", "--auto-approve", "--read-budget", "100000"]);
    }
}

fn plan(desk: &Desk, hours: u32) -> (Value, Ran) {
    let ran = run(desk, hours, &["plan", "-f", ".", "-o", "json", "--read-budget", "100000"]);
    (serde_json::from_str(&ran.stdout).expect("a plan is JSON"), ran)
}

/// A count that all consoles of a plan have, added up.
fn cost(plan: &Value, what: &str) -> u64 {
    let plans = plan["plans"].as_array().expect("a plan has plans");
    plans.iter().map(|plan| plan["looked"]["cost"][what].as_u64().expect("what it cost is printed")).sum()
}

fn pages(world: &World) -> u64 {
    let listed = world.customers - world.count(Class::Invited);
    (2 * world.customers.div_ceil(SOPHOS_PAGE) + listed.div_ceil(MICROSOFT_PAGE)) as u64
}

#[test]
fn requests_are_pages_and_wanted_details_and_the_plan_says_so() {
    let desk = desk(320, Mix::USUAL, 1);
    let world = *desk.world();
    let wanted = (world.customers - world.count(Class::Invited)) as u64;
    let (cold, ran) = plan(&desk, 0);
    assert_eq!((ran.received.pages, cost(&cold, "pages")), (pages(&world), pages(&world)), "{}", ran.stderr);
    assert_eq!((ran.received.details, cost(&cold, "details")), (wanted, wanted), "{}", ran.stderr);
    assert_eq!(ran.received.writes, 0, "planning writes nothing");

    // Adopting remembers what it has read: only what differs is looked at again.
    adopt(&desk);
    let (adopted, ran) = plan(&desk, 1);
    let different = world.count(Class::Different) as u64;
    assert_eq!((ran.received.details, cost(&adopted, "details")), (different, different), "{}", ran.stderr);

    settle(&desk);
    let (warm, ran) = plan(&desk, 4);
    assert_eq!((ran.received.pages, cost(&warm, "pages")), (pages(&world), pages(&world)), "{}", ran.stderr);
    // What could not be read is told from memory for as long as its facet's age, and asked about after it.
    assert_eq!((ran.received.details, cost(&warm, "details")), (0, 0), "{}", ran.stderr);
    assert_eq!(ran.received.writes, 0);
    let unreadable = world.count(Class::Unreadable);
    let told = |plan: &Value| {
        let all = plan["plans"].as_array().expect("a plan has plans").iter();
        all.flat_map(|plan| plan["findings"].as_array().into_iter().flatten())
            .filter(|finding| finding["code"] == "not-readable")
            .count()
    };
    assert_eq!((told(&warm), unreadable > 0), (unreadable, true));
    let (_, ran) = plan(&desk, 24 * 31);
    assert!(ran.received.details >= unreadable as u64, "{}", ran.received.details);
}

#[test]
fn what_the_mix_says_is_what_the_plan_shows() {
    let desk = desk(320, Mix::USUAL, 1);
    let world = *desk.world();
    adopt(&desk);
    let (plan, _) = plan(&desk, 1);
    let plans = plan["plans"].as_array().expect("a plan has plans");
    let count = |console: &str, action: &str| {
        let plan = plans.iter().find(|plan| plan["console"] == console).expect("it is planned");
        plan["steps"].as_array().expect("steps").iter().filter(|step| step["action"] == action).count()
    };
    let different = world.count(Class::Different);
    assert!(different > 20 && world.count(Class::Invited) > 5 && world.count(Class::Unreadable) > 0);
    for console in ["sophos-eu", "sophos-us", "microsoft"] {
        assert_eq!(count(console, "update"), different, "{console}");
    }
    let microsoft = plans.iter().find(|plan| plan["console"] == "microsoft").expect("it is planned");
    let of = |list: &str, code: &str, value: &str| {
        let all = microsoft[list].as_array().map(Vec::as_slice).unwrap_or_default();
        all.iter().filter(|one| one[code] == value).count()
    };
    assert_eq!(of("findings", "code", "not-readable"), world.count(Class::Unreadable));
    assert_eq!(microsoft["waiting"].as_array().map_or(0, Vec::len), world.count(Class::Invited));
}

#[test]
fn an_unchanged_world_of_any_size_costs_pages_only() {
    let mut other = Vec::new();
    for customers in [30, 300] {
        let desk = desk(customers, Mix::UNCHANGED, 1);
        settle(&desk);
        let (plan, ran) = plan(&desk, 4);
        assert_eq!(ran.received.pages, pages(desk.world()));
        assert_eq!((ran.received.details, ran.received.writes), (0, 0), "{}", ran.stderr);
        let steps: usize = plan["plans"]
            .as_array()
            .expect("plans")
            .iter()
            .map(|p| p["steps"].as_array().map_or(0, Vec::len))
            .sum();
        assert_eq!(steps, 0, "nothing differs");
        other.push(ran.received.other + ran.received.logins);
    }
    assert_eq!(other[0], other[1], "who we are is asked once, whatever the size");
}

#[test]
fn the_order_of_files_and_records_changes_no_step() {
    let said = |shuffle: u64| {
        let desk = desk(200, Mix::USUAL, shuffle);
        adopt(&desk);
        let (plan, _) = plan(&desk, 1);
        let pick =
            |one: &Value, keys: &[&str]| keys.iter().map(|key| one[*key].to_string()).collect::<Vec<_>>();
        let mut out = Vec::new();
        for plan in plan["plans"].as_array().expect("plans") {
            for (list, keys) in [
                ("steps", ["address", "action", "fingerprint", "changes"]),
                ("waiting", ["address", "why", "words", "until"]),
                ("findings", ["address", "code", "words", "severity"]),
            ] {
                out.extend(plan[list].as_array().into_iter().flatten().map(|one| pick(one, &keys)));
            }
        }
        out
    };
    let first = said(1);
    assert!(first.len() > 40, "{}", first.len());
    assert_eq!(first, said(2));
}

/// What each customer more may take in a debug build of a few, where buffers and pages weigh more than among a hundred
/// thousand: a bound against growing, not the share of a gibibyte, which docs/benchmarks.md measures.
const BYTES_A_CUSTOMER: u64 = 16 * 1024;

#[test]
fn ten_times_the_customers_take_at_most_twelve_times_the_processor_and_each_a_bounded_share_of_memory() {
    let took = |customers: usize| {
        let desk = desk(customers, Mix::USUAL, 1);
        adopt(&desk);
        // The least of three: what else runs on the machine only ever adds.
        let runs: Vec<_> = (0..3).map(|_| plan(&desk, 1).1.took).collect();
        let cpu = runs.iter().map(|took| took.cpu).fold(f64::INFINITY, f64::min);
        (cpu, runs.iter().map(|took| took.peak).min().unwrap_or(0))
    };
    let (small, large) = (took(150), took(1500));
    assert!(large.0 <= small.0 * 12.0, "{} s for 150 customers, {} s for 1500", small.0, large.0);
    let each = large.1.saturating_sub(small.1) / 1350;
    assert!(each <= BYTES_A_CUSTOMER, "{each} bytes for each customer more");
}
