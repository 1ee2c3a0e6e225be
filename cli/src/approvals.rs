//! What a person allows on the command line.

use std::collections::BTreeMap;

use clap::Args;
use tenantry_engine::address::Address;
use tenantry_engine::declare::Declaration;
use tenantry_engine::ledger::GuardKind;
use tenantry_engine::plan::{Approvals, Fingerprint};
use tenantry_engine::text::terminal;

use crate::exit::CliError;

/// What a person allows.
#[derive(Debug, Clone, Default, Args)]
pub struct Allowed {
    /// Raise a guard for this run: creations=N, invitations=N, removals=N, seats=N; or first-run, census
    #[arg(long, value_name = "WHAT[=N]", value_delimiter = ',')]
    pub allow: Vec<String>,
    /// Release held steps by their fingerprints, once each
    #[arg(long, value_name = "FINGERPRINT", value_delimiter = ',')]
    pub approve: Vec<String>,
    /// Consent to what a step causes: CODE@ADDRESS
    #[arg(long, value_name = "CODE@ADDRESS")]
    pub consent: Vec<String>,
    /// Put back what was changed in the console
    #[arg(long)]
    pub correct_drift: bool,
}

impl Allowed {
    /// As the engine takes it.
    pub fn approvals(&self, declaration: &Declaration<'_>) -> Result<Approvals, CliError> {
        let mut out = Approvals { correct_drift: self.correct_drift, ..Approvals::default() };
        let mut allow: BTreeMap<GuardKind, u32> = BTreeMap::new();
        for text in &self.allow {
            let bad = || {
                CliError::usage(format!("--allow {} is none", terminal(text)))
                    .hint("write first-run, census, creations=N, invitations=N, removals=N or seats=N")
            };
            match text.split_once('=') {
                None if text == "first-run" => out.first_run = true,
                None if text == "census" => out.census = true,
                None => return Err(bad()),
                Some((what, n)) => {
                    let kind = match what {
                        "creations" => GuardKind::Creations,
                        "invitations" => GuardKind::Invitations,
                        "removals" => GuardKind::Removals,
                        "seats" => GuardKind::Seats,
                        _ => return Err(bad()),
                    };
                    allow.insert(kind, n.parse().map_err(|_| bad())?);
                }
            }
        }
        out.allow = allow;
        for text in &self.approve {
            if text.len() != 16 || !text.chars().all(|c| c.is_ascii_hexdigit()) {
                return Err(CliError::usage(format!("--approve {} is no fingerprint", terminal(text)))
                    .hint("a held step's line names it: sixteen hex digits"));
            }
            out.approve.insert(Fingerprint::from_text(text));
        }
        for text in &self.consent {
            let (code, address) = text.split_once('@').ok_or_else(|| {
                CliError::usage(format!("--consent {} has no @", terminal(text)))
                    .hint("write --consent CODE@ADDRESS, as the held step says")
            })?;
            out.consents.insert((code.to_owned(), address_of(address, declaration)?));
        }
        Ok(out)
    }
}

/// An address, or the name of a customer with one account.
pub fn address_of(text: &str, declaration: &Declaration<'_>) -> Result<Address, CliError> {
    if let Ok(address) = text.parse::<Address>() {
        return Ok(address);
    }
    let all = declaration.consoles.values().flat_map(|desired| {
        desired
            .accounts
            .iter()
            .map(|decl| &decl.address)
            .chain(desired.licenses.iter().map(|decl| &decl.address))
    });
    let named: Vec<&Address> = all.filter(|address| address.name == text).collect();
    match named.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(CliError::usage(format!("nothing is declared as {}", terminal(text)))
            .hint("write customer/NAME/ACCOUNT or license/NAME")),
        several => Err(CliError::usage(format!("{} could be any of {}", terminal(text), several.len()))
            .hint(several.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))),
    }
}
