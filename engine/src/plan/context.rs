//! What all parts of planning share: the input, indexes over it, the overlay of entries, and the plan so far.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;

use crate::address::{Address, Kind, RemoteId};
use crate::capability::{By, Capabilities, Party, Row};
use crate::console::{Projection, Subject};
use crate::desired::{AccountDecl, LicenseDecl, OpenAccount};
use crate::ledger::{Applied, Entry, LastApplied, Standing, Want};
use crate::observed::{Facet, FacetRead, Record};
use crate::plan::findings::{Code, Finding};
use crate::plan::matching::{Excluded, Index};
use crate::plan::{Looked, Plan, Planned, PlanningInput, Step, Upkeep, Waiting};
use crate::text::terminal;
use crate::value::{Digester, Field, FieldLists, Value};

/// How many unbound records are named one by one; the rest is a number.
const UNBOUND_SHOWN: usize = 20;

pub(super) struct Context<'a> {
    pub input: &'a PlanningInput<'a>,
    pub digester: Digester,
    pub excluded: Excluded,
    index: OnceCell<Index<'a>>,
    /// Records bound by the ledger.
    bound: HashMap<&'a RemoteId, &'a Address>,
    /// Records that this plan binds.
    pub adopted: BTreeMap<RemoteId, Address>,
    overlay: BTreeMap<Address, Box<Entry>>,
    events: BTreeMap<Address, Vec<(&'static str, String)>>,
    /// Old address → new one, for `formerly`.
    pub renamed: BTreeMap<Address, Address>,
    pub steps: Vec<Step>,
    pub waiting: Vec<Waiting>,
    pub findings: Vec<Finding>,
    pub drift: Vec<super::Drifted>,
    pub not_compared: usize,
    pub look_again: bool,
    /// Addresses about which this run cannot tell what is to be done: their tasks stay.
    pub unseen: BTreeSet<Address>,
    /// Records that a finding names beside a declaration: they are not told again as nobody's.
    pub named: BTreeSet<RemoteId>,
    /// Values that the adapter does not know: what it is and the value, in how many records, the first of them.
    pub unknown: BTreeMap<(&'static str, String), (usize, Address)>,
    license_ids: OnceCell<HashMap<(&'a Address, &'a str), Vec<&'a LicenseDecl<'a>>>>,
    invited: OnceCell<HashMap<&'a str, &'a Address>>,
    in_flight: OnceCell<Vec<&'a Address>>,
    /// Accounts that are to end, and how; decided after all licences are known.
    pub ending: Vec<super::ends::Ending<'a>>,
    declared: HashMap<&'a Address, usize>,
    lists: FieldLists,
}

impl<'a> Context<'a> {
    pub fn new(input: &'a PlanningInput<'a>) -> Self {
        let excluded = Excluded::new(input.desired.console.spec.own_domains.iter().map(String::as_str));
        let declared: HashMap<&'a Address, usize> =
            input.desired.accounts.iter().enumerate().map(|(n, decl)| (&decl.address, n)).collect();
        // A released entry remembers its record and holds nothing. Where two entries name one record (a move that
        // broke off in the middle), the declared one holds it.
        let mut bound: HashMap<&'a RemoteId, &'a Address> = HashMap::new();
        let accounts = input.ledger.entries.iter().filter(|(address, _)| address.kind == Kind::Customer);
        for (address, entry) in accounts.filter(|(_, entry)| entry.standing != Standing::Released) {
            if let Some(id) = entry.bound()
                && (declared.contains_key(address) || !bound.contains_key(id))
            {
                bound.insert(id, address);
            }
        }
        Self {
            input,
            digester: input.ledger.digester(),
            excluded,
            index: OnceCell::new(),
            bound,
            adopted: BTreeMap::new(),
            overlay: BTreeMap::new(),
            events: BTreeMap::new(),
            renamed: BTreeMap::new(),
            steps: Vec::new(),
            waiting: Vec::new(),
            findings: Vec::new(),
            drift: Vec::new(),
            not_compared: 0,
            look_again: false,
            unseen: BTreeSet::new(),
            named: BTreeSet::new(),
            unknown: BTreeMap::new(),
            license_ids: OnceCell::new(),
            invited: OnceCell::new(),
            in_flight: OnceCell::new(),
            ending: Vec::new(),
            declared,
            lists: FieldLists::default(),
        }
    }

    pub fn caps(&self) -> &'a Capabilities {
        self.input.dialect.capabilities()
    }

    /// Who can do it, given what the vendor has refused to us before.
    pub fn by(&self, row: Row) -> By {
        match self.caps().by(row) {
            By::Api if self.input.ledger.header.refused_rows.contains_key(&row) => {
                By::Person(Party::Operator)
            }
            by => by,
        }
    }

    pub fn index(&self) -> &Index<'a> {
        self.index.get_or_init(|| Index::new(&self.input.observed.census, &self.excluded))
    }

    /// The declaration of an account.
    pub fn account(&self, address: &Address) -> Option<&'a AccountDecl<'a>> {
        self.declared.get(address).map(|n| &self.input.desired.accounts[*n])
    }

    /// Whether a licence or account of this address is declared.
    pub fn is_declared(&self, address: &Address) -> bool {
        match address.kind {
            Kind::Customer => self.declared.contains_key(address),
            _ => self.input.desired.licenses.binary_search_by(|decl| decl.address.cmp(address)).is_ok(),
        }
    }

    /// The entry as it is after everything observed so far.
    pub fn entry(&self, address: &Address) -> Option<&Entry> {
        self.overlay.get(address).map(|entry| &**entry).or_else(|| self.input.ledger.entries.get(address))
    }

    /// The same for as long as planning lasts: a copy only where this plan has changed it.
    pub fn entry_now(&self, address: &Address) -> Option<Cow<'a, Entry>> {
        match self.overlay.get(address) {
            Some(entry) => Some(Cow::Owned((**entry).clone())),
            None => self.input.ledger.entries.get(address).map(Cow::Borrowed),
        }
    }

    /// Changes an entry by observation; stored before the first step.
    pub fn edit(
        &mut self,
        address: &Address,
        event: &'static str,
        words: impl Into<String>,
        change: impl FnOnce(&mut Entry),
    ) {
        let Some(mut entry) = self.entry(address).cloned() else { return };
        change(&mut entry);
        self.put(address, event, words, entry);
    }

    /// Puts a whole entry; stored before the first step.
    pub fn put(&mut self, address: &Address, event: &'static str, words: impl Into<String>, entry: Entry) {
        self.overlay.insert(address.clone(), Box::new(entry));
        if !event.is_empty() {
            self.events.entry(address.clone()).or_default().push((event, words.into()));
        }
    }

    /// Who holds this record, by the ledger or by this plan.
    pub fn holder(&self, id: &RemoteId) -> Option<&Address> {
        self.adopted.get(id).or_else(|| {
            self.bound.get(id).copied().filter(|address| {
                // An entry that observation has ended or unbound meanwhile holds nothing.
                self.overlay.get(*address).is_none_or(|entry| entry.bound() == Some(id))
            })
        })
    }

    /// Whether the address is declared, or its declaration was not looked for: its record is somebody's.
    pub fn kept(&self, address: &Address) -> bool {
        self.is_declared(address)
            || self.entry(address).is_some_and(|entry| {
                entry.standing == Standing::Declared
                    && !self.input.desired.scope.was_read(&entry.origin, address)
            })
    }

    /// Why a creation must wait although nothing like it is listed: something that is not listed yet could be it.
    pub fn unlisted_twin(
        &self,
        own: &Address,
        projection: &Projection,
    ) -> Option<(String, Option<Timestamp>)> {
        let census = &self.input.observed.census;
        let in_flight = self.in_flight.get_or_init(|| {
            let suspect = |entry: &Entry| {
                entry.operation.is_some()
                    || entry.wrote.is_some_and(|wrote| !self.conclusive_since(Some(wrote)))
                        && entry.remote_id.as_ref().is_some_and(|id| census.get(id).is_none())
            };
            let accounts = self.input.ledger.entries.iter().filter(|(one, _)| one.kind == Kind::Customer);
            accounts.filter(|(_, entry)| suspect(entry)).map(|(address, _)| address).collect()
        });
        for address in in_flight.iter().copied().filter(|address| *address != own) {
            let Some(entry) = self.entry(address) else { continue };
            if let Some(operation) = &entry.operation
                && operation.action == crate::action::Action::Create
                && !matches!(operation.phase, crate::operation::Phase::NotHappened { .. })
                && projection.keys.iter().any(|key| {
                    (key.kind.strong() || key.kind == crate::observed::KeyKind::Name)
                        && operation.expect.contains(&(key.kind, self.digester.text(&key.value)))
                })
            {
                return Some((format!("a request for {address} may have made the same company"), None));
            }
            let Some(wrote) = entry.wrote else { continue };
            if let Some(id) = &entry.remote_id
                && !self.kept(address)
                && census.get(id).is_none()
                && entry.standing != Standing::Ended
                && !self.conclusive_since(Some(wrote))
            {
                let words =
                    format!("what was made for {address} is not listed yet, and it is declared no more");
                return Some((words, Some(self.input.patience.conclusive_from(wrote))));
            }
        }
        None
    }

    /// Another address that was invited with one of these keys of acceptance.
    pub fn invited_as(&self, own: &Address, accepted_as: &[String]) -> Option<&'a Address> {
        let ledger = self.input.ledger;
        let index = self.invited.get_or_init(|| {
            let invited = ledger.entries.iter().filter_map(|(address, entry)| {
                entry.invitation.as_ref().map(|invitation| (address, invitation))
            });
            invited
                .flat_map(|(address, one)| one.accepted_as.iter().map(move |key| (key.as_str(), address)))
                .collect()
        });
        accepted_as.iter().filter_map(|key| index.get(key.as_str()).copied()).find(|address| {
            *address != own && self.entry(address).is_some_and(|entry| entry.invitation.is_some())
        })
    }

    /// The declared licences of this account that are bound to this record, or whose `id` names it.
    pub fn claimants<'s>(&'s self, account: &'s Address, id: &'s str) -> &'s [&'a LicenseDecl<'a>] {
        let index: &HashMap<(&Address, &str), Vec<&'a LicenseDecl<'a>>> =
            self.license_ids.get_or_init(|| {
                let mut index: HashMap<(&'a Address, &'a str), Vec<&'a LicenseDecl<'a>>> = HashMap::new();
                for decl in &self.input.desired.licenses {
                    let bound = self.input.ledger.entries.get(&decl.address).and_then(Entry::bound);
                    let ids: BTreeSet<&'a str> =
                        bound.map(RemoteId::as_str).into_iter().chain(decl.spec.id.as_deref()).collect();
                    for id in ids {
                        index.entry((&decl.account, id)).or_default().push(decl);
                    }
                }
                index
            });
        index.get(&(account, id)).map_or(&[], Vec::as_slice)
    }

    /// Takes note of values of a bound record that the adapter does not know.
    pub fn note_unknown(&mut self, address: &Address, record: &Record) {
        let subject = self.subject(address, None, Some(record));
        for (what, value) in self.input.dialect.unknown(&subject) {
            let first = (0, address.clone());
            self.unknown.entry((what, value.terminal())).or_insert(first).0 += 1;
        }
    }

    /// Tells of values that the adapter does not know, once each.
    pub fn unknown_findings(&mut self) {
        let title = self.input.dialect.title();
        for ((what, value), (count, first)) in std::mem::take(&mut self.unknown) {
            let more = if count > 1 { format!(", and {} more records", count - 1) } else { String::new() };
            let words =
                format!("{title} shows the {what} \"{value}\"{more}, which this version does not know");
            self.findings.push(
                Finding::new(Code::UnknownValue, words)
                    .about(&first)
                    .next("nothing ends and nothing is bought because of it; a newer version may know it"),
            );
        }
    }

    pub fn licenses(&self, id: &RemoteId) -> Option<&'a FacetRead> {
        self.input.observed.facet(id, Facet::Licenses)
    }

    pub fn subject<'s>(
        &self,
        address: &'s Address,
        decl: Option<&'s OpenAccount<'s>>,
        record: Option<&'s Record>,
    ) -> Subject<'s>
    where
        'a: 's,
    {
        let facet = |facet| record.and_then(|record| self.input.observed.facet(&record.id, facet));
        Subject { address, decl, record, licenses: facet(Facet::Licenses), access: facet(Facet::Access) }
    }

    /// Whether this census proves absence for something last written then.
    pub fn conclusive_since(&self, wrote: Option<Timestamp>) -> bool {
        let census = &self.input.observed.census;
        census.complete()
            && wrote.is_none_or(|wrote| census.began >= self.input.patience.conclusive_from(wrote))
    }

    /// What an adoption remembers: what is shown counts as applied.
    pub fn applied_as_shown<'f>(
        &mut self,
        shown: impl IntoIterator<Item = (&'f Field, &'f Value)>,
    ) -> LastApplied {
        let applied = |value| Applied { declared: self.digester.value(value), shown: None, unsettled: false };
        let mut applied: LastApplied =
            shown.into_iter().map(|(field, value)| (field.clone(), applied(value))).collect();
        applied.share(&mut self.lists);
        applied
    }

    pub fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    pub fn project(&self, decl: &OpenAccount<'_>) -> Projection {
        self.input.dialect.account(decl)
    }

    /// Records that look like a declaration, without those that it says are others.
    pub fn lookalikes(
        &self,
        projection: &Projection,
        decl: &OpenAccount<'_>,
    ) -> Vec<super::matching::Candidate<'a>> {
        let distinct: BTreeSet<&str> = decl.account.distinct_from.iter().map(String::as_str).collect();
        self.index().candidates(&projection.keys, &self.excluded, |id| distinct.contains(id.as_str()))
    }

    pub fn census_findings(&mut self) {
        for row in self.input.ledger.header.refused_rows.keys() {
            self.findings.push(super::settle::position_finding(*row));
        }
        let census = &self.input.observed.census;
        if let Some(because) = &census.incomplete {
            self.findings.push(
                Finding::new(
                    Code::IncompleteCensus,
                    format!("the list of customers did not arrive whole: {}", terminal(because)),
                )
                .next("nothing is removed, and nothing counts as absent, until it does: run again"),
            );
        }
        let cap = self.input.desired.console.spec.guards.effective().max_removal_percent;
        if let Some(last) = self.input.ledger.header.last_census
            && super::guards::shrunken(last, census.records().len() as u64, cap)
        {
            self.findings.push(
                Finding::new(
                    Code::ShrunkenCensus,
                    format!("the list has {} records, the last one had {last}", census.records().len()),
                )
                .next("look in the console whether they are gone; nothing is removed meanwhile")
                .next("if they are: tenantry apply --allow census"),
            );
        }
    }

    /// Names records that nobody declared.
    pub fn unbound_findings(&mut self) {
        let census = &self.input.observed.census;
        let mut unbound = 0usize;
        let mut named = Vec::new();
        for record in census.records() {
            if self.holder(&record.id).is_some() || self.named.contains(&record.id) {
                continue;
            }
            unbound += 1;
            if named.len() < UNBOUND_SHOWN {
                named.push(
                    Finding::new(
                        Code::UnboundRecord,
                        format!("\"{}\" is in the console and declared nowhere", record.name().terminal()),
                    )
                    .next(format!(
                        "leave it, nothing touches it · or declare it, then: tenantry adopt FILE --id {}",
                        terminal(record.id.as_str())
                    )),
                );
            }
        }
        self.findings.append(&mut named);
        if unbound > UNBOUND_SHOWN {
            self.findings.push(
                Finding::new(
                    Code::UnboundRecord,
                    format!("{} more records are declared nowhere", unbound - UNBOUND_SHOWN),
                )
                .next("all of them: tenantry observe"),
            );
        }
    }

    /// Whether the census shows a record that the ledger does not know. What this plan adopts is not known yet; what
    /// an operation is seen to have made is.
    pub fn shows_unbound(&self) -> bool {
        let known: std::collections::HashSet<&RemoteId> = self
            .input
            .ledger
            .entries
            .values()
            .chain(self.overlay.values().map(|entry| &**entry))
            .filter_map(|entry| entry.remote_id.as_ref())
            .collect();
        self.input.observed.census.records().iter().any(|record| !known.contains(&record.id))
    }

    /// Whether the census shows a record that was adopted before anybody confirmed the ledger.
    pub fn shows_found(&self) -> bool {
        let listed = |entry: &Entry| {
            entry.remote_id.as_ref().is_some_and(|id| self.input.observed.census.get(id).is_some())
        };
        self.input.ledger.entries.values().any(|entry| entry.found && listed(entry))
    }

    /// How many accounts are bound, for the share of removals.
    pub fn bound_count(&self) -> usize {
        self.bound.len()
    }

    pub fn finish(mut self) -> Planned {
        self.waiting.sort_by(|a, b| (&a.address, a.why).cmp(&(&b.address, b.why)));
        self.findings.sort_by(|a, b| {
            (a.severity, a.code, &a.address, &a.words).cmp(&(b.severity, b.code, &b.address, &b.words))
        });
        self.findings.dedup();
        let wake = self
            .waiting
            .iter()
            .filter(|waiting| !waiting.overdue)
            .filter_map(|waiting| waiting.until)
            .filter(|until| *until > self.input.now)
            .min();
        let observed = self.input.observed;
        self.steps.shrink_to_fit();
        let mut upkeep: Vec<Upkeep> = self
            .overlay
            .into_iter()
            .filter(|(address, entry)| self.input.ledger.entries.get(address) != Some(&**entry))
            .map(|(address, entry)| Upkeep {
                events: self.events.remove(&address).unwrap_or_default(),
                address,
                entry,
            })
            .collect();
        upkeep.shrink_to_fit();
        Planned {
            plan: Plan {
                console: self.input.desired.console.name.clone(),
                vendor_account: observed.identity.vendor_account.clone(),
                title: observed.identity.title.clone(),
                steps: self.steps,
                waiting: self.waiting,
                findings: self.findings,
                wake,
                looked: Looked {
                    records: observed.census.records().len(),
                    declared: self.input.desired.accounts.len() + self.input.desired.licenses.len(),
                    not_compared: self.not_compared,
                    cost: observed.cost,
                    as_of: Some(observed.census.began),
                },
            },
            upkeep,
            drift: self.drift,
            look_again: self.look_again,
        }
    }
}

/// The entry that a declaration needs before anything is done for it, with what is remembered of the declaration
/// brought up to date.
pub(super) fn remembered(
    mut entry: Entry,
    decl: &OpenAccount<'_>,
    want: Want,
    given: impl Iterator<Item = String>,
) -> Entry {
    if !same_place(&entry.origin, &decl.origin) {
        entry.origin = decl.origin.clone();
    }
    entry.want = want;
    entry.deletion_policy = decl.deletion_policy;
    entry.consents.extend(decl.customer.consents.iter().chain(&decl.account.consents).cloned());
    entry.consents.extend(given);
    // What is released and bound is adopted again, visibly; without a record there is nothing to be adopted.
    if entry.standing == Standing::Leaving
        || (entry.standing == Standing::Released && entry.remote_id.is_none())
    {
        entry.standing = Standing::Declared;
    }
    entry
}

/// Whether [`remembered`] would change nothing: the usual case, without a copy.
pub(super) fn up_to_date(entry: &Entry, decl: &OpenAccount<'_>, want: Want, given: &[String]) -> bool {
    let mut consents = decl.customer.consents.iter().chain(&decl.account.consents).chain(given);
    same_place(&entry.origin, &decl.origin)
        && entry.want == want
        && entry.deletion_policy == decl.deletion_policy
        && consents.all(|code| entry.consents.contains(code))
        && entry.standing != Standing::Leaving
        && (entry.standing != Standing::Released || entry.remote_id.is_some())
}

/// Whether two origins are the same file or object: lines and generations move all the time.
pub(super) fn same_place(a: &crate::origin::Origin, b: &crate::origin::Origin) -> bool {
    use crate::origin::Origin::{File, Object};
    match (a, b) {
        (File { path: a, .. }, File { path: b, .. }) => a == b,
        (
            Object { object: a, namespace: b, name: c, .. },
            Object { object: x, namespace: y, name: z, .. },
        ) => (a, b, c) == (x, y, z),
        _ => false,
    }
}
