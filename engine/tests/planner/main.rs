//! Planner scenarios: a directory each, with what is declared (`desired.yaml`), what the console shows, what the ledger
//! remembers and what a person allowed (`observed.json`), and the plan that follows (`plan.txt`).
//!
//! Shows: one rule of planning a scenario, read in the diff of its plan. Never asks a console: the in-memory console's
//! terms decide what can be done, changed by `who` in `observed.json`.
//! `UPDATE=1 cargo test -p tenantry-engine --test planner` writes the plans; reviewers read them in the diff.

mod remembered;
mod scene;

use std::collections::BTreeSet;

macro_rules! scenarios {
    ($($name:ident,)*) => {
        const SCENARIOS: &[&str] = &[$(stringify!($name)),*];
        $(
            #[test]
            fn $name() {
                scene::run(stringify!($name));
            }
        )*
    };
}

scenarios! {
    a_contact_of_ours_is_told,
    a_given_consent_is_shown_as_given,
    a_licence_that_comes_with_its_account_is_looked_for_first,
    a_missing_consent_holds_the_step,
    a_new_ledger_holds_purchases_and_seats_too,
    a_record_that_a_finding_names_is_not_told_again,
    a_strong_key_that_contradicts_is_another_company,
    a_value_that_nobody_knows_is_told_once,
    an_accepted_invitation_binds_by_its_own_key_alone,
    an_empty_declaration_ends_nothing,
    an_end_waits_for_its_day_after_adoption_too,
    approvals_count_towards_the_caps,
    drift_is_measured_by_the_consoles_own_spelling,
    formerly_beside_a_live_name_is_a_contradiction,
    kinds_without_behaviour_are_refused,
    licences_are_bound_compared_and_never_bought_again,
    licences_that_a_provider_orders_unseen_are_asked_for_once,
    of_creations_over_the_guard_only_the_surplus_is_held,
    parents_come_before_their_children_and_leave_after_them,
    removals_over_the_guard_are_held_all,
    tasks_close_when_done_and_stay_where_nothing_was_compared,
    the_end_of_a_licence_is_called_so,
    two_licences_with_one_id_are_a_contradiction,
    what_another_system_makes_is_never_created_here,
    what_ended_elsewhere_is_never_made_again,
    what_is_not_compared_is_not_called_as_declared,
    what_nobody_can_put_back_is_told_as_drift,
    what_was_read_before_proves_no_end,
    whoever_is_listed_already_is_bound_without_a_mail,
}

#[test]
fn every_scenario_is_run() {
    let listed: BTreeSet<String> = SCENARIOS.iter().map(|name| (*name).to_owned()).collect();
    let there: BTreeSet<String> = std::fs::read_dir(scene::place())
        .expect("there are scenarios")
        .map(|entry| entry.expect("they can be listed"))
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    assert_eq!(there, listed);
}
