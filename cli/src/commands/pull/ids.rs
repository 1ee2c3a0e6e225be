//! Ids of bound records, out of the ledgers. Asks no console.

use tenantry_engine::address::{Address, RemoteId};
use tenantry_engine::declare::Declaration;
use tenantry_engine::desired::Desired;
use tenantry_engine::ledger::{Ledger, Standing};
use tenantry_engine::origin::Origin;

use super::{Found, Wanted, origin_of};
use crate::edit::{Edit, New};
use crate::exit::CliError;
use crate::load::tree::Step;
use crate::pipeline::Run;

/// Finds ids that the files do not say.
pub fn find(run: &Run, declaration: &Declaration<'_>, found: &mut Found) -> Result<(), CliError> {
    let index = run.state.index()?;
    for (name, desired) in &declaration.consoles {
        let Some(account) = index.consoles.get(name) else { continue };
        if let Some(ledger) = run.state.ledger(account)? {
            of(desired, &ledger, found);
        }
    }
    Ok(())
}

/// Finds them for one console.
pub fn of(desired: &Desired<'_>, ledger: &Ledger, found: &mut Found) {
    for decl in &desired.accounts {
        let customer = decl.customer.open();
        let declared = customer.accounts.get(decl.index).and_then(|account| account.id.as_deref());
        let key = |text: &str| Step::Key(text.to_owned());
        let path = vec![key("spec"), key("accounts"), Step::Index(decl.index), key("id")];
        one(ledger, &decl.address, &decl.origin, declared, path, &["name", "consoleRef"], found);
    }
    for decl in &desired.licenses {
        let path = vec![Step::Key("spec".to_owned()), Step::Key("id".to_owned())];
        one(ledger, &decl.address, &decl.origin, decl.spec.id.as_deref(), path, &["type"], found);
    }
}

/// The record that an address is bound to and that, as far as we know, is there.
fn bound<'l>(ledger: &'l Ledger, address: &Address) -> Option<&'l RemoteId> {
    let entry = ledger.entries.get(address)?;
    (entry.standing == Standing::Declared && entry.ended_elsewhere.is_none()).then(|| entry.bound()).flatten()
}

fn one(
    ledger: &Ledger,
    address: &Address,
    origin: &Origin,
    declared: Option<&str>,
    path: Vec<Step>,
    after: &'static [&'static str],
    found: &mut Found,
) {
    let Some(id) = bound(ledger, address) else { return };
    match declared {
        Some(declared) if declared == id.as_str() => {}
        Some(declared) => {
            found.note(address, format!("it is bound to \"{id}\", and its file says id \"{declared}\""));
        }
        None => match origin_of(origin) {
            Some(origin) => found.wanted.push(Wanted {
                address: address.clone(),
                edit: Edit { origin, path, new: New::Id(id.as_str().to_owned()), after },
            }),
            None => found.note(address, "it is declared in no file"),
        },
    }
}
