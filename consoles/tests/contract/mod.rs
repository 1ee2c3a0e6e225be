//! The contract of every console with an API, run against the vendor's simulated console over HTTP.
//!
//! A vendor's tests implement [`Vendor`] and call [`contract!`]; each function here is one sentence of the contract,
//! and each sentence is tried under every switch that the simulator has for what the vendor's documents leave open.
//! The simulator's request log is the oracle: what was asked, how often, and what it committed.

#![allow(dead_code, reason = "each vendor's tests use their part of it")]

pub mod bench;
pub mod desk;
pub mod elsewhere;
pub mod reads;
pub mod runs;
pub mod writes;

use std::ops::Deref;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;

use futures_util::{FutureExt, StreamExt, stream};
use serde_json::{Map, Value, json};
use tenantry_crd::{ConsoleSpec, CustomerSpec};
use tenantry_engine::console::Console;
use tenantry_engine::observed::{Census, DetailKey};
use tenantry_engine::operation::Draft;
use tenantry_simulator::SwitchInfo;
use url::Url;

pub use bench::Bench;

/// What the contract needs to know about a vendor.
pub trait Vendor {
    /// The simulated partner: `<vendor>/<key>`.
    fn partner(&self) -> &'static str;
    /// Path pattern of the list of customers, below the partner.
    fn list(&self) -> &'static str;
    /// Path pattern of one detail.
    fn detail(&self) -> &'static str;
    /// Method and path of the request that makes a customer, and the effect that it commits.
    fn create(&self) -> (&'static str, &'static str, &'static str);
    /// Makes this many customers at the simulated partner, `hostile` more with hostile names.
    fn seed(&self, bench: &Bench, customers: usize, hostile: usize);
    /// Pages of a census of this many customers.
    fn pages(&self, customers: usize) -> u32;
    /// Connects with credentials for reading and writing.
    fn connect(&self, bench: &Bench, endpoint: Option<Url>) -> Box<dyn Console>;
    /// Connects without a write credential.
    fn connect_to_read(&self, bench: &Bench) -> Box<dyn Console>;
    /// Connects for writing with a secret that is wrong.
    fn connect_with_wrong_write_secret(&self, bench: &Bench) -> Box<dyn Console>;
    /// What no output may contain.
    fn secrets(&self, bench: &Bench) -> Vec<String>;
    /// Content of the request that makes a customer.
    fn draft(&self) -> Draft;
    /// One detail of each record.
    fn details(&self, census: &Census) -> Vec<DetailKey>;
    /// What the simulator can be set to for this vendor.
    fn switches(&self) -> &'static [SwitchInfo];
    /// What it is set to.
    fn current_switches(&self, bench: &Bench) -> Value;
    /// The Console's declaration.
    fn console(&self, bench: &Bench) -> ConsoleSpec;
    /// A customer that can be made by API; another one for each number.
    fn customer(&self, number: usize) -> CustomerSpec;
}

/// A vendor under one setting of the simulator.
pub struct Case<'v> {
    vendor: &'v dyn Vendor,
    /// `default`, or `switch=value`.
    pub name: String,
    setting: Option<(&'static str, &'static str)>,
}

impl<'v> Case<'v> {
    /// The default, then each single deviation from it.
    pub fn all(vendor: &'v dyn Vendor) -> Vec<Self> {
        let deviations = vendor.switches().iter().flat_map(|switch| {
            let others = switch.values.iter().skip(1);
            others.map(|value| Self {
                vendor,
                name: format!("{}={value}", switch.name),
                setting: Some((switch.name, value)),
            })
        });
        std::iter::once(Self { vendor, name: "default".to_owned(), setting: None })
            .chain(deviations)
            .collect()
    }

    /// Makes customers at the simulated partner, and sets the simulator.
    pub fn seed(&self, bench: &Bench, customers: usize, hostile: usize) {
        self.vendor.seed(bench, customers, hostile);
        let Some((switch, value)) = self.setting else { return };
        let (vendor, key) = self.partner().split_once('/').expect("vendor/key");
        let mut switches = Map::new();
        switches.insert(switch.to_owned(), value.into());
        bench
            .running
            .seed(&json!({vendor: {key: {"switches": switches}}}))
            .expect("a switch of the vendor's");
        assert_eq!(self.current_switches(bench)[switch], *value, "it is set");
    }
}

impl<'v> Deref for Case<'v> {
    type Target = dyn Vendor + 'v;

    fn deref(&self) -> &Self::Target {
        self.vendor
    }
}

/// One sentence of the contract, about one case.
pub type Check = for<'c> fn(&'c Case<'c>) -> Pin<Box<dyn Future<Output = ()> + 'c>>;

/// Tries one sentence in every case, many at once, each on a simulator of its own.
pub async fn under_every_switch(vendor: &dyn Vendor, check: Check) {
    let cases = Case::all(vendor);
    let deviations: usize = vendor.switches().iter().map(|switch| switch.values.len() - 1).sum();
    assert_eq!(cases.len(), 1 + deviations);
    let broken: Vec<&str> = stream::iter(&cases)
        .map(|case| async move { (case, AssertUnwindSafe(check(case)).catch_unwind().await) })
        .buffer_unordered(16)
        .filter_map(async |(case, ended)| ended.is_err().then_some(case.name.as_str()))
        .collect()
        .await;
    assert!(broken.is_empty(), "broken under {broken:?}: why stands above");
}

/// Fails if a text contains a secret.
pub fn clean(text: &str, secrets: &[String]) {
    for secret in secrets {
        assert!(!text.contains(secret.as_str()), "a secret in: {text}");
    }
    assert!(!text.contains("eyJhbGciOi"), "a bearer token in: {text}");
}

/// One test for each sentence of the contract, in every case.
#[macro_export]
macro_rules! contract {
    ($vendor:expr) => {
        contract!(@reads $vendor;
            every_request_is_counted_and_none_writes,
            a_throttled_read_waits_as_long_as_it_is_told,
            a_throttled_read_waits_until_the_date_it_is_told,
            a_throttled_read_that_is_told_nothing_comes_again,
            a_failing_server_is_asked_again_and_not_forever,
            an_expired_token_is_renewed_once_and_the_same_page_asked_again,
            an_answer_that_is_lost_or_cut_is_asked_again,
            an_answer_that_never_comes_is_given_up_and_asked_again,
            a_refused_list_is_an_error_that_names_no_secret,
            a_redirect_is_not_followed,
            an_answer_that_is_no_json_is_a_protocol_error,
            a_refusal_about_one_customer_is_a_fact_of_that_customer,
            a_wish_to_stop_ends_reading,
            hostile_names_are_kept_and_shown_harmlessly,
        );
        contract!(@writes $vendor;
            a_create_is_acknowledged_with_the_id_of_what_it_made,
            a_write_without_a_definite_answer_is_in_doubt_and_sent_once,
            a_write_that_is_not_answered_in_time_is_in_doubt,
            a_throttled_write_was_not_processed_and_is_not_repeated,
            a_write_with_an_expired_token_was_not_processed,
            a_write_that_finds_nobody_was_not_sent,
            a_write_that_may_not_leave_any_more_stays,
            without_a_write_credential_nothing_leaves,
            a_wrong_write_secret_sends_no_write_and_is_not_told,
        );
        contract!(@runs $vendor;
            planning_twice_is_the_same_and_writes_nothing,
            applying_leaves_nothing_to_do,
            a_creation_that_is_lost_on_its_way_happens_once,
            an_incomplete_list_makes_and_forgets_nobody,
            nothing_that_is_told_holds_a_secret,
        );
    };
    (@$part:ident $vendor:expr; $($name:ident),+ $(,)?) => {
        mod $part {
            use super::*;
            $(
                #[tokio::test]
                async fn $name() {
                    let check: $crate::contract::Check = |case| Box::pin($crate::contract::$part::$name(case));
                    $crate::contract::under_every_switch(&$vendor, check).await;
                }
            )+
        }
    };
}
