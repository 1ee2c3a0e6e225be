//! Telling companies apart: normalised keys, indexes over a census, candidates for a declaration.
//!
//! "Similar" is equality after normalisation, so that matching stays linear. A name alone never binds anything.
//! Own, shared and free-mail domains are no keys.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::{Deserialize, Serialize};
use smol_str::SmolStr;
use unicode_normalization::UnicodeNormalization;

use crate::address::RemoteId;
use crate::observed::{Census, KeyKind, KeyRef, Record};

/// A normalised key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    /// What it is.
    pub kind: KeyKind,
    /// Its normalised value.
    pub value: SmolStr,
}

impl Key {
    /// Normalises; `None` where nothing is left that identifies anybody.
    pub fn new(kind: KeyKind, raw: &str) -> Option<Self> {
        let value = match kind {
            KeyKind::Name => name(raw),
            KeyKind::LoginEmail | KeyKind::ContactEmail => email(raw),
            KeyKind::TenantDomain => domain(raw),
            KeyKind::Website => {
                domain(raw.trim_start_matches("https://").trim_start_matches("http://").split('/').next()?)
                    .map(|host| host.strip_prefix("www.").map_or(host.clone(), str::to_owned))
            }
            KeyKind::Phone => phone(raw),
            KeyKind::RegistrationNumber | KeyKind::PostcodeStreet => compact(raw),
            KeyKind::Mark | KeyKind::ExternalId => {
                Some(raw.trim().to_owned()).filter(|text| !text.is_empty())
            }
        }?;
        Some(Self { kind, value: value.into() })
    }
}

fn fold(raw: &str) -> String {
    // What is ASCII is in every normal form already; most keys are.
    if raw.is_ascii() {
        return raw.to_ascii_lowercase();
    }
    let mut out = String::with_capacity(raw.len());
    for c in raw.nfkc().flat_map(char::to_lowercase) {
        match c {
            'ä' => out.push_str("ae"),
            'ö' => out.push_str("oe"),
            'ü' => out.push_str("ue"),
            'ß' => out.push_str("ss"),
            c => out.push(c),
        }
    }
    out.nfd().filter(|c| !unicode_normalization::char::is_combining_mark(*c)).collect()
}

/// Legal forms that say nothing about who it is; whole words at the end only.
const LEGAL_FORMS: &[&str] = &[
    "gmbh",
    "ag",
    "kg",
    "ohg",
    "gbr",
    "ug",
    "mbh",
    "se",
    "ek",
    "ev",
    "eg",
    "co",
    "cokg",
    "ltd",
    "limited",
    "llc",
    "llp",
    "plc",
    "inc",
    "corp",
    "corporation",
    "company",
    "sa",
    "sas",
    "sarl",
    "srl",
    "spa",
    "bv",
    "nv",
    "ab",
    "oy",
    "as",
    "aps",
    "sl",
];

fn name(raw: &str) -> Option<String> {
    let folded = fold(raw);
    let mut words: Vec<String> = folded
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | '-' | '&' | '+' | '/' | '(' | ')'))
        .map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect::<String>())
        .filter(|word| !word.is_empty())
        .collect();
    while words.len() > 1 && words.last().is_some_and(|last| LEGAL_FORMS.contains(&last.as_str())) {
        words.pop();
    }
    (!words.is_empty()).then(|| words.join(" "))
}

fn email(raw: &str) -> Option<String> {
    let text = raw.trim().to_lowercase();
    let (local, host) = text.rsplit_once('@')?;
    (!local.is_empty() && host.contains('.')).then(|| text.clone())
}

fn domain(raw: &str) -> Option<String> {
    let text = raw.trim().trim_end_matches('.').to_lowercase();
    (text.contains('.') && !text.contains(char::is_whitespace)).then_some(text)
}

fn phone(raw: &str) -> Option<String> {
    let digits: String = raw.chars().filter(char::is_ascii_digit).collect();
    let digits = digits.trim_start_matches('0');
    (digits.len() >= 6).then(|| digits.to_owned())
}

fn compact(raw: &str) -> Option<String> {
    let text: String = fold(raw).chars().filter(|c| c.is_alphanumeric()).collect();
    (text.len() >= 3).then_some(text)
}

/// Domains where everybody may have a mailbox, so that they identify nobody.
const FREE_MAIL: &[&str] = &[
    "gmail.com",
    "googlemail.com",
    "outlook.com",
    "hotmail.com",
    "live.com",
    "msn.com",
    "yahoo.com",
    "yahoo.de",
    "icloud.com",
    "me.com",
    "aol.com",
    "gmx.de",
    "gmx.net",
    "gmx.at",
    "gmx.ch",
    "web.de",
    "t-online.de",
    "freenet.de",
    "mail.com",
    "proton.me",
    "protonmail.com",
    "posteo.de",
    "mailbox.org",
    "orange.fr",
    "free.fr",
    "laposte.net",
    "wanadoo.fr",
    "libero.it",
    "bluewin.ch",
    "ziggo.nl",
    "kpnmail.nl",
    "telenet.be",
    "skynet.be",
    "qq.com",
    "163.com",
    "yandex.ru",
];

/// Decides which keys count.
#[derive(Debug, Clone, Default)]
pub struct Excluded {
    own: BTreeSet<String>,
}

impl Excluded {
    /// With the partner's own domains.
    pub fn new<'a>(own_domains: impl IntoIterator<Item = &'a str>) -> Self {
        Self { own: own_domains.into_iter().map(|domain| domain.trim().to_lowercase()).collect() }
    }

    /// Whether an e-mail or domain is the partner's own.
    pub fn is_own(&self, text: &str) -> bool {
        let text = text.trim().to_lowercase();
        let host = text.rsplit_once('@').map_or(text.as_str(), |(_, host)| host);
        self.own
            .iter()
            .any(|own| host == own || host.strip_suffix(own.as_str()).is_some_and(|rest| rest.ends_with('.')))
    }

    /// Whether this key may identify a customer. An address at a free-mail domain still identifies a person; the
    /// domain itself does not.
    pub fn counts<'k>(&self, key: impl Into<KeyRef<'k>>) -> bool {
        let key = key.into();
        match key.kind {
            KeyKind::TenantDomain | KeyKind::Website => {
                !FREE_MAIL.contains(&key.value) && !self.is_own(key.value)
            }
            KeyKind::LoginEmail | KeyKind::ContactEmail => !self.is_own(key.value),
            _ => true,
        }
    }
}

/// A record that looks like a declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate<'c> {
    /// The record.
    pub record: &'c Record,
    /// Kinds of keys that agree.
    pub agree: BTreeSet<KeyKind>,
    /// Whether the record shows any key beside its name that could be compared.
    pub only_name: bool,
}

impl Candidate<'_> {
    /// Refuses a create: a strong key, or a similar name with one weak key, or an equal name where there is nothing
    /// else to compare.
    pub fn refuses_create(&self) -> bool {
        self.agree.iter().any(|kind| kind.strong())
            || (self.agree.contains(&KeyKind::Name) && (self.agree.len() > 1 || self.only_name))
    }

    /// Suffices to bind: our mark, or two different keys. Never a name alone.
    pub fn suffices(&self) -> bool {
        self.agree.contains(&KeyKind::Mark) || self.agree.len() >= 2
    }

    /// `name, phone`: the keys that agree, for people.
    pub fn words(&self) -> String {
        self.agree.iter().map(|kind| kind.words()).collect::<Vec<_>>().join(", ")
    }
}

/// An index of a census by key: one pass to build, constant time a look-up. A key that too many records share
/// identifies nobody and is dropped.
pub struct Index<'c> {
    by_key: HashMap<KeyRef<'c>, Places>,
    records: &'c [Record],
}

/// Which records have a key, in their order, without duplicates. Most keys have one record, which takes no memory of
/// its own.
enum Places {
    One(u32),
    Many(Vec<u32>),
}

impl Places {
    /// Adds a record that none of those added before comes after.
    fn add(&mut self, place: u32) {
        match self {
            Places::One(only) if *only == place => {}
            Places::One(first) => *self = Places::Many(vec![*first, place]),
            Places::Many(places) if places.last() == Some(&place) => {}
            Places::Many(places) => places.push(place),
        }
    }

    fn all(&self) -> &[u32] {
        match self {
            Places::One(only) => std::slice::from_ref(only),
            Places::Many(places) => places,
        }
    }
}

/// A key shared by more records than this is a distributor's phone or a mass mailbox, not a company.
const SHARED: usize = 16;

impl<'c> Index<'c> {
    /// Indexes the keys that count.
    pub fn new(census: &'c Census, excluded: &Excluded) -> Self {
        let mut by_key: HashMap<KeyRef<'c>, Places> = HashMap::with_capacity(census.records().len() * 2);
        for (n, record) in census.records().iter().enumerate() {
            let n = u32::try_from(n).expect("fewer than 2^32 records");
            for key in record.keys().filter(|key| excluded.counts(*key)) {
                by_key.entry(key).and_modify(|places| places.add(n)).or_insert(Places::One(n));
            }
        }
        by_key.retain(|key, places| {
            key.kind == KeyKind::Name || key.kind.strong() || places.all().len() <= SHARED
        });
        Self { by_key, records: census.records() }
    }

    /// Records that share a key, sorted by id, without those in `not`.
    pub fn candidates(
        &self,
        keys: &[Key],
        excluded: &Excluded,
        not: impl Fn(&RemoteId) -> bool,
    ) -> Vec<Candidate<'c>> {
        let mut found: BTreeMap<u32, BTreeSet<KeyKind>> = BTreeMap::new();
        for key in keys.iter().filter(|key| excluded.counts(*key)) {
            for place in self.by_key.get(&KeyRef::from(key)).into_iter().flat_map(Places::all) {
                found.entry(*place).or_default().insert(key.kind);
            }
        }
        found
            .into_iter()
            .map(|(place, agree)| (&self.records[place as usize], agree))
            .filter(|(record, _)| !not(&record.id))
            .map(|(record, agree)| Candidate {
                record,
                agree,
                only_name: record.keys().all(|key| key.kind == KeyKind::Name || !excluded.counts(key)),
            })
            .collect()
    }

    /// The only record with this key, if there is exactly one.
    pub fn only(&self, key: &Key) -> Option<&'c Record> {
        match self.by_key.get(&KeyRef::from(key)).map(Places::all) {
            Some([place]) => Some(&self.records[*place as usize]),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
