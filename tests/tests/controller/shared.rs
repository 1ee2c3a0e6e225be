//! `tenantry apply --ledger cluster`: the command with the ledger of a cluster, alone, killed, and beside the controller.

use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use jiff::ToSpan;
use serde_json::json;
use tenantry_simulator::{Does, Fault, HoldAt, LogFilter};
use tenantry_tests::cli::Ran;
use tenantry_tests::controller::Field;
use tenantry_tests::crash::{self, World};
use tenantry_tests::worlds;

use super::worlds::{KNOWN, approve, declared, made, shown};

/// How often a killed command is run again at most.
const ROUNDS: usize = 6;
/// Commands at once: most of their time they wait.
const AT_ONCE: usize = 4;

/// The command with the ledger of the field's namespace.
fn command(field: &Field) -> Command {
    let mut arguments = vec!["apply", "--ledger", "cluster", "-n", field.namespace()];
    arguments.extend(&crash::APPLY[1..]);
    let plain = field.bench().command(&arguments);
    let mut command = Command::new(crash::binary());
    command.args(plain.get_args()).env_clear().current_dir(field.bench().dir());
    command.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // Plans name a Console of another namespace than `default` with it, and so do endpoints.
    let endpoints = field.bench().partners().iter().map(|(console, partner)| {
        let (vendor, key) = partner.split_once('/').expect("<vendor>/<key>");
        format!("{}/{console}={}", field.namespace(), field.simulator().partner_url(vendor, key))
    });
    command.env("TENANTRY_ENDPOINT", endpoints.collect::<Vec<_>>().join(","));
    command.env("KUBECONFIG", field.cluster().kubeconfig());
    command
}

fn run(field: &Field) -> Ran {
    field.bench().run_command(command(field))
}

/// Names that are bound, with no operation open.
fn bound(field: &Field) -> Vec<String> {
    let bindings = field.list("consolebindings");
    let done = bindings
        .iter()
        .filter(|one| one["spec"]["remoteId"].is_string() && one["spec"]["operation"].is_null())
        .filter_map(|one| one["spec"]["address"]["name"].as_str().map(str::to_owned));
    let mut names: Vec<String> = done.collect();
    names.sort();
    names
}

/// A world's files on the desk of a new field.
fn laid_out(world: &World) -> Option<Field> {
    let field = Field::new(&world.seed)?;
    for (file, text) in world.stages.iter().flatten() {
        field.bench().write(file, text);
    }
    Some(field)
}

/// Runs the command again, time going on, until everything is bound, and once more: what was adopted is renamed by the
/// next plan.
fn until_all_is_bound(field: &Field) -> Result<(), String> {
    let (mut last, mut right) = (String::new(), 0);
    for _ in 0..ROUNDS {
        field.simulator().clock().advance(17.minutes()).expect("the clock goes forward");
        last = run(field).to_string();
        if bound(field) == ["known", "one", "two"] {
            right += 1;
        }
        if right == 2 {
            return Ok(());
        }
    }
    Err(last)
}

/// Effects at the console: how many of each kind.
fn effects(field: &Field) -> (usize, usize) {
    let entries = field.simulator().log().entries(&LogFilter::default());
    let renamed = entries.iter().flat_map(|entry| &entry.effects).filter(|one| !one.kind.contains("create"));
    (made(field, 0), renamed.count())
}

#[test]
fn the_command_with_a_clusters_ledger_does_everything_once_wherever_it_dies() {
    let world = worlds::two_to_make(&json!({}));
    let Some(calm) = laid_out(&world) else { return };
    let ran = run(&calm);
    assert!(matches!(ran.code, 0 | 4), "{ran}");
    until_all_is_bound(&calm).expect("it ends");
    let expected = effects(&calm);
    assert_eq!(expected.0, 2, "{:?}", calm.requests(0));
    assert!(crash::entries(&calm.bench().dir()).is_empty(), "a second ledger");

    // One kill after the other until the command has fewer writes than that.
    let (next, end, killed) = (AtomicU32::new(0), AtomicU32::new(u32::MAX), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let n = next.fetch_add(1, Ordering::SeqCst);
                    let (nth, side) = (n / 2 + 1, ["before", "after"][n as usize % 2]);
                    if nth > end.load(Ordering::SeqCst) {
                        return;
                    }
                    let field = laid_out(&world).expect("there was an API server a moment ago");
                    let mut dies = command(&field);
                    dies.env("TENANTRY_FAILPOINT", format!("{nth}:{side}"));
                    let ran = field.bench().run_command(dies);
                    if ran.code == -1 {
                        killed.lock().expect("no test panics inside").push((nth, side));
                    } else {
                        end.fetch_min(nth, Ordering::SeqCst);
                    }
                    let ended = until_all_is_bound(&field);
                    assert_eq!((ended, effects(&field)), (Ok(()), expected), "{side} write {nth}");
                }
            });
        }
    });
    let killed = killed.into_inner().expect("no test panics inside");
    println!("the command with a cluster's ledger was killed {} times at writes", killed.len());
    assert!(killed.len() >= 24, "{killed:?}");
}

/// A field whose controller knows everybody and has one creation that waits for an approval; the same is in files.
fn about_to_make_one() -> Option<Field> {
    let field = declared()?;
    let one = worlds::customer("one", &[worlds::made_at_sophos()]);
    field.apply(&one);
    field.bench().write("consoles.yaml", &worlds::sophos("naming: Display"));
    for (n, name) in (1..).zip(KNOWN) {
        field
            .bench()
            .write(&format!("{name}.yaml"), &super::worlds::known(n, name, &format!("{name} works GmbH")));
    }
    field.bench().write("one.yaml", &one);
    Some(field)
}

fn hold(field: &Field) {
    let hold = Does::Hold { at: HoldAt::BeforeCommit };
    field.simulator().faults().add(Fault::new(hold).at("sophos/msp").on("POST", "/partner/v1/tenants*"));
}

fn until_held(field: &Field) {
    field.until("a request is held", &[], || {
        let held = field.simulator().faults().held();
        if held > 0 { Ok(()) } else { Err(format!("{:?}", field.requests(0))) }
    });
}

/// Creations that were answered or given up, and those that the console still holds.
fn on_their_way(field: &Field) -> usize {
    asked(field) + field.simulator().faults().held()
}

/// Creations that were answered or given up.
fn asked(field: &Field) -> usize {
    field.requests(0).iter().filter(|line| line.contains("POST /partner/v1/tenants")).count()
}

#[test]
fn a_controller_that_only_plans_sees_what_the_command_wrote() {
    let Some(field) = about_to_make_one() else { return };
    let controller = field.start(&["--plan-only"]);
    field.until("its plan", &[&controller], || {
        let (status, text) = field.plan(&controller, None);
        if status == 200 && text.contains("+ customer one") {
            Ok(())
        } else {
            Err(format!("{status} {text}"))
        }
    });
    // Adopts; then makes what is left.
    for _ in 0..2 {
        let ran = run(&field);
        assert!(matches!(ran.code, 0 | 4), "{ran}");
    }
    assert_eq!(bound(&field), ["alder", "birch", "cedar", "one"]);
    field.annotate("consoles", "sophos", "tenantry.io/reconcile-requested-at", "now");
    field.until("nothing is left to plan", &[&controller], || {
        let (status, text) = field.plan(&controller, None);
        if status == 200 && text.starts_with("No changes: ") {
            Ok(())
        } else {
            Err(format!("{status} {text}"))
        }
    });
    assert_eq!((asked(&field), made(&field, 0)), (1, 1));
}

#[test]
fn while_the_controller_makes_something_the_command_does_not() {
    let Some(field) = about_to_make_one() else { return };
    hold(&field);
    let controller = field.start(&[]);
    approve(&field, &[&controller], "sophos");
    until_held(&field);
    let ran = run(&field);
    let flat = ran.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(flat.contains("may or may not have happened; it is looked for, not repeated"), "{ran}");
    assert_eq!((on_their_way(&field), made(&field, 0)), (1, 0), "{ran}");
    field.simulator().faults().release();
    super::kills::until_bound(&field, &[&controller], "one");
    assert_eq!((asked(&field), made(&field, 0)), (1, 1), "{:?}", field.requests(0));
    assert_eq!(shown(&field).len(), KNOWN.len() + 1);
}

#[test]
fn while_the_command_makes_something_the_controller_does_not() {
    let Some(field) = about_to_make_one() else { return };
    let controller = field.start(&[]);
    field.until_condition(&[&controller], ("customers", "one"), ("Stalled", "True", "Held"));
    hold(&field);
    let mut running = command(&field);
    running.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = running.spawn().expect("the command can be run");
    until_held(&field);
    // The controller knows the ledger as it was; it is approved, wants to begin, and finds that somebody else has.
    approve(&field, &[&controller], "sophos");
    field.until("the controller sees it in doubt", &[&controller], || {
        let one = field.get("customers", "one");
        let doubt = one["status"]["accounts"][0]["standing"] == "InDoubt";
        if doubt { Ok(()) } else { Err(one["status"].to_string()) }
    });
    assert_eq!((on_their_way(&field), made(&field, 0)), (1, 0), "{}", controller.said());
    field.simulator().faults().release();
    // Either one writes down how it ended; the other one reads it.
    running.wait().expect("it ends");
    super::kills::until_bound(&field, &[&controller], "one");
    assert_eq!((asked(&field), made(&field, 0)), (1, 1), "{:?}", field.requests(0));
    assert_eq!(shown(&field).len(), KNOWN.len() + 1);
}
