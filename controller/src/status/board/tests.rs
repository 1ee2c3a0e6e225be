//! What an object's status says of what its consoles say.

use super::*;
use crate::status::view::Who;

fn view(state: State, standing: &'static str) -> View {
    View {
        generation: Some(2),
        state,
        standing,
        remote_id: None,
        since: None,
        attested: false,
        message: Some("words".into()),
    }
}

fn board(views: &[(&str, &str, View)]) -> Board {
    let board = Board::default();
    for (console, account, view) in views {
        let one = BTreeMap::from([(Address::account("n", "a", account), view.clone())]);
        board.take(console, one);
    }
    board
}

#[test]
fn the_top_is_the_least_of_the_accounts_and_says_which() {
    let board = board(&[
        ("one", "x", view(State::Ready, "Linked")),
        ("two", "y", view(State::Awaiting(Who::Customer), "Invited")),
    ]);
    let status = customer(&board, "n", "a", 3, &[("x", Speaks::Console), ("y", Speaks::Console)]);
    assert_eq!(status.standing.as_deref(), Some("Invited"));
    let ready = &status.conditions[0];
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "AwaitingCustomer"));
    assert_eq!(ready.message, "y: words");
    assert_eq!(status.accounts.len(), 2);
    assert_eq!(status.accounts[0].observed_generation, Some(2));
    assert_eq!(status.accounts[0].evidence, Some(Evidence::Observed));
}

#[test]
fn an_account_that_nobody_has_seen_is_unknown_and_never_ready() {
    let board = board(&[("one", "x", view(State::Ready, "Linked"))]);
    let status = customer(&board, "n", "a", 3, &[("x", Speaks::Console), ("z", Speaks::Console)]);
    assert_eq!(status.conditions[0].status, "Unknown");
}

#[test]
fn an_account_that_names_no_console_says_so_and_what_it_is_bound_to() {
    let board = board(&[("one", "x", view(State::Ready, "Linked"))]);
    let lost = Lost::NoConsole("default", "sohpos");
    let status = customer(&board, "n", "a", 3, &[("x", Speaks::Nobody(lost))]);
    let (ready, stalled) = (&status.conditions[0], &status.conditions[1]);
    assert_eq!((ready.status.as_str(), ready.reason.as_str()), ("False", "DanglingReference"));
    assert_eq!(stalled.message, "x: no Console `sohpos` is declared; what it is bound to stays as it is");
    assert_eq!(status.accounts[0].standing.as_deref(), Some("Linked"));
    let unclear = customer(&board, "n", "a", 3, &[("x", Speaks::Nobody(Lost::Unclear))]);
    assert_eq!(unclear.conditions[0].status, "Unknown", "what it names says itself what is wrong");
    let license = super::lost(Lost::NoAccount("default", "a", "x"), 3);
    assert_eq!(
        license.conditions[1].message,
        "Customer `a` has no account `x`; what it is bound to stays as it is"
    );
}

#[test]
fn what_another_shard_said_stands_beside_and_counts_only_for_this_generation() {
    let board = board(&[("one", "x", view(State::Ready, "Linked"))]);
    let theirs = |ready: &str, reason: &str, generation| AccountStatus {
        name: "y".to_owned(),
        observed_generation: Some(generation),
        ready: Some(ready.to_owned()),
        reason: Some(reason.to_owned()),
        message: Some("theirs".to_owned()),
        ..AccountStatus::default()
    };
    let status = |said: Option<&AccountStatus>| {
        let status = customer(&board, "n", "a", 3, &[("x", Speaks::Console), ("y", Speaks::Shard(said))]);
        let [ready, stalled] = &status.conditions[..] else { panic!("two conditions: {status:?}") };
        format!("{} {} {} {}", ready.status, ready.reason, stalled.status, ready.message)
    };
    assert_eq!(status(Some(&theirs("True", "AsDeclared", 3))), "True AsDeclared False x: words");
    assert_eq!(status(Some(&theirs("False", "Held", 3))), "False Held True y: theirs");
    assert_eq!(status(Some(&theirs("False", "AwaitingVendor", 3))), "False AwaitingVendor False y: theirs");
    let silent = "Unknown NotObserved False y: the shard that has its console has not spoken yet";
    assert_eq!(status(Some(&theirs("True", "AsDeclared", 2))), silent, "about an older declaration");
    assert_eq!(status(None), silent);
}

#[test]
fn what_was_said_of_an_object_that_was_made_again_is_said_again() {
    let board = Board::default();
    let views = || {
        BTreeMap::from([
            (Address::account("n", "a", "x"), view(State::Ready, "Linked")),
            (Address::account("n", "ab", "x"), view(State::Ready, "Linked")),
        ])
    };
    assert_eq!(board.take("one", views()).len(), 2);
    for elsewhere in [("m", "a"), ("n", "b")] {
        board.forget(tenantry_crd::Kind::Customer, elsewhere.0, elsewhere.1);
    }
    board.forget(tenantry_crd::Kind::License, "n", "a");
    assert_eq!(board.take("one", views()), []);
    board.forget(tenantry_crd::Kind::Customer, "n", "a");
    assert_eq!(board.take("one", views()), [Address::account("n", "a", "x")]);
}

#[test]
fn a_console_that_says_the_same_changes_nothing_and_one_that_falls_silent_does() {
    let board = Board::default();
    let views = || BTreeMap::from([(Address::account("n", "a", "x"), view(State::Ready, "Linked"))]);
    assert_eq!(board.take("one", views()).len(), 1);
    assert_eq!(board.take("one", views()), []);
    assert_eq!(board.take("one", BTreeMap::new()).len(), 1);
}

#[test]
fn a_status_waits_for_a_console_that_is_about_to_speak_and_is_then_remembered() {
    let board = Board::default();
    let place = |name: &str| (String::from("n"), String::from(name));
    board.expect(&place("one"));
    board.expect(&place("two"));
    assert!(board.spoke(&place("one")).is_empty());
    assert!(board.waits("n", "a", &["one", "two"]));
    assert!(!board.waits("n", "b", &["one"]), "who is not at it waits for nobody");
    assert!(!board.waits("other", "a", &["two"]), "a console of another namespace is another one");
    assert_eq!(board.spoke(&place("two")), BTreeSet::from(["a".to_owned()]));
    assert!(!board.waits("n", "a", &["one", "two"]));
}

#[test]
fn stalled_is_a_condition_of_its_own() {
    let both = conditions(&State::Stalled("Held"), "because", Some(1));
    assert_eq!(
        (both[1].type_.as_str(), both[1].status.as_str(), both[1].reason.as_str()),
        ("Stalled", "True", "Held")
    );
    let fine = conditions(&State::Ready, "", Some(1));
    assert_eq!((fine[0].status.as_str(), fine[1].status.as_str()), ("True", "False"));
}
