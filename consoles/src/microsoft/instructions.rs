//! How a person does it in Partner Center: click paths with their values.
//!
//! From the source document "Connect with customers" (Partner Center user documentation). Never contains a secret.

use tenantry_crd::console::MicrosoftPosition;
use tenantry_engine::capability::{Party, Row};
use tenantry_engine::console::{Ask, Instructions};
use tenantry_engine::text::terminal;
use tenantry_engine::value::Value;

use super::dialect::{TITLE, Terms};

fn values(ask: &Ask<'_>) -> Vec<String> {
    ask.changes
        .iter()
        .filter_map(|change| Some(format!("{}  {}", change.label, change.new.as_ref().map(Value::terminal)?)))
        .collect()
}

/// The instructions for one step; `listed`: whether the customer list shows when it is done.
pub(super) fn instructions(terms: &Terms, listed: bool, ask: &Ask<'_>) -> Instructions {
    let name = ask.subject.shown_name();
    let reseller = terms.position == MicrosoftPosition::IndirectReseller;
    let provider = if reseller { Party::Provider } else { Party::Operator };
    let whom = terms
        .providers
        .iter()
        .find(|one| one.default || terms.providers.len() == 1)
        .map_or_else(|| "your indirect provider".to_owned(), |one| terminal(&one.name));
    let id = ask.subject.record.map(|record| format!("Microsoft id  {}", terminal(record.id.as_str())));
    let make = |title: String, verb: &'static str, party: Party, steps: Vec<String>, observable: bool| {
        Instructions { title, verb, party, at: TITLE.to_owned(), steps, consequences: Vec::new(), observable }
    };
    let asked = |what: String| {
        let mut steps = vec![what];
        steps.extend(id.iter().cloned());
        steps.extend(values(ask));
        steps
    };
    match ask.row {
        Row::Create => {
            let mut steps = if reseller {
                vec![format!("ask {whom} to create the customer with you as its reseller")]
            } else {
                vec!["Customers › Add customer".to_owned()]
            };
            steps.extend(values(ask));
            make(format!("create {name}"), "create", provider, steps, listed)
        }
        Row::Invite => invite(terms, listed, ask, &name),
        Row::Rename => {
            let mut steps = vec![
                format!("in the tenant of {name}, as its administrator: Microsoft 365 admin center"),
                "Settings › Org settings › Organization profile › Organization information".to_owned(),
            ];
            steps.extend(values(ask));
            make(format!("rename {name}"), "rename", Party::Operator, steps, listed)
        }
        Row::UpdateContact => {
            let steps = if reseller {
                asked(format!("ask {whom} to change the billing profile of {name}"))
            } else {
                asked(format!("Customers › {name} › Account › Customer billing profile › Update"))
            };
            make(
                format!("update the billing profile of {name}"),
                "update-billing",
                provider,
                steps,
                terms.billing,
            )
        }
        Row::TrialToPaid => {
            let steps = if reseller {
                asked(format!("ask {whom} to convert the trial of {name}"))
            } else {
                asked(format!("Customers › {name} › Subscriptions › the trial › Convert trial to paid"))
            };
            make(
                format!("turn the trial of {name} into a paid subscription"),
                "convert",
                provider,
                steps,
                !reseller,
            )
        }
        Row::BuyLicense | Row::MoreSeats | Row::FewerSeats | Row::Suspend => {
            let (verb, what) = match ask.row {
                Row::BuyLicense => ("buy", "buy a subscription"),
                Row::MoreSeats => ("more-seats", "add seats"),
                Row::FewerSeats => ("fewer-seats", "change a subscription"),
                _ => ("suspend", "suspend a subscription"),
            };
            let steps = if reseller {
                asked(format!("ask {whom} to {what} for {name}"))
            } else {
                asked(format!("Customers › {name} › Subscriptions"))
            };
            make(format!("{what} for {name}"), verb, provider, steps, !reseller)
        }
        Row::Detach => {
            let mut steps = if reseller {
                vec![format!("ask {whom} to remove the reseller relationship with {name}")]
            } else {
                vec![format!("Customers › {name} › Account"), "Remove customer relationship".to_owned()]
            };
            steps.extend(id.iter().cloned());
            let mut out =
                make(format!("remove the relationship with {name}"), "detach", provider, steps, listed);
            out.consequences.push("Microsoft sends the customer no notice".into());
            out.consequences.push("delegated admin rights stay until they are ended for themselves".into());
            out
        }
        row => make(
            format!("{}: {name}", row.words()),
            "do",
            Party::Operator,
            asked(format!("Customers › {name}")),
            false,
        ),
    }
}

fn invite(terms: &Terms, listed: bool, ask: &Ask<'_>, name: &str) -> Instructions {
    let declared =
        ask.subject.decl.and_then(|decl| decl.invitation.as_ref()).map(|invitation| invitation.spec);
    let with = declared
        .and_then(|spec| spec.reseller.as_ref())
        .and_then(|reseller| reseller.provider.as_deref())
        .map(|named| {
            let known = terms.providers.iter().find(|provider| provider.name == named);
            match known {
                Some(provider) => format!("{} ({})", terminal(named), terminal(&provider.tenant_id)),
                None => terminal(named),
            }
        });
    let mut steps = vec!["Partner Center dashboard › Customers".to_owned()];
    match &with {
        None => steps.push("Request a reseller relationship".to_owned()),
        Some(provider) => {
            steps.push("Invite new customers".to_owned());
            steps.push(format!("indirect provider  {provider}"));
        }
    }
    steps.push("review the draft; its words may change, its link may not".to_owned());
    steps.push("copy it into a mail of your own and select Done".to_owned());
    let to = declared.and_then(|spec| spec.invitation.as_ref()).and_then(|invitation| invitation.to.clone());
    let to = to.or_else(|| {
        let contacts = ask.subject.decl?.customer.contacts.as_deref()?;
        let admin = |contact: &&tenantry_crd::customer::Contact| {
            contact.roles.contains(&tenantry_crd::customer::ContactRole::Admin)
        };
        contacts.iter().find(admin).or_else(|| contacts.first())?.email.as_ref().map(ToString::to_string)
    });
    if let Some(to) = to {
        steps.push(format!("send it, once, to  {}", terminal(&to)));
    }
    Instructions {
        title: match with {
            None => format!("invite {name} to a reseller relationship"),
            Some(_) => format!("invite {name} to a reseller relationship with you and your provider"),
        },
        verb: "invite",
        party: Party::Operator,
        at: TITLE.to_owned(),
        steps,
        consequences: vec!["the customer is asked to accept; a second mail would ask again".into()],
        observable: listed,
    }
}
