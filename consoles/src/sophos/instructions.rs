//! How a person does in Sophos Central Partner what no request does: the vendor's own menus (Sophos Central Partner
//! help: Customers, Update Billing, Managed Customer Usage, Unlink from Partner, Partner Assistance, customer groups).

use tenantry_engine::action::Action;
use tenantry_engine::capability::{Party, Row};
use tenantry_engine::console::{Ask, Instructions};
use tenantry_engine::text::terminal;
use tenantry_engine::value::Value;

use super::dialect::TITLE;
use super::fields;

const CUSTOMERS: &str = "My Business › My customers › Customers";

/// The task of a row.
pub(super) fn of(ask: &Ask<'_>, monthly: bool) -> Instructions {
    let name = ask.subject.shown_name();
    let open = format!("{CUSTOMERS} › {name}");
    let new = |field: &str| {
        ask.changes
            .iter()
            .find(|change| change.field.as_str() == field)
            .and_then(|change| change.new.as_ref())
            .map(Value::terminal)
    };
    let task = |title: String, verb, steps: Vec<String>, consequences: &[&str], observable| Instructions {
        title,
        verb,
        party: Party::Operator,
        at: TITLE.to_owned(),
        steps,
        consequences: consequences.iter().map(|line| (*line).to_owned()).collect(),
        observable,
    };
    match ask.row {
        Row::Create => task(
            format!("create {name}"),
            "create-customer",
            {
                let how = match new(fields::BILLING).as_deref() {
                    Some("usage") => "Create Monthly Account",
                    _ => "Create Trial",
                };
                let mut steps = vec![format!("{CUSTOMERS} › {how}")];
                steps.extend(values(ask));
                steps.push("accept the terms › Create".to_owned());
                steps
            },
            &[],
            true,
        ),
        Row::Invite => task(
            format!("link {name} with us"),
            "link-customer",
            vec![
                format!(
                    "ask {name}'s administrator: Sophos Central › Account Details › Sophos Support › Partner"
                ),
                format!("then wait until {CUSTOMERS} lists it"),
            ],
            &["the customer decides; nothing shows here until it did"],
            true,
        ),
        Row::Rename => task(
            format!("rename {name}"),
            "rename",
            vec![
                open,
                "contact info › \"Name shown as\" › Edit".to_owned(),
                format!(
                    "enter: {}",
                    new(fields::DISPLAY_NAME).or_else(|| new(fields::LEGAL_NAME)).unwrap_or_default()
                ),
                "Save".to_owned(),
            ],
            &["the customer sees the name in its own console, and Salesforce gets it"],
            true,
        ),
        Row::UpdateContact => task(
            format!("change the contact of {name}"),
            "update-contact",
            {
                let mut steps = vec![open, "contact info › Edit".to_owned()];
                steps.extend(values(ask));
                steps.push("Save".to_owned());
                steps
            },
            &[],
            // Only some accounts show their contact; where it is not shown, nobody's word is contradicted.
            ask.subject.record.is_some_and(|record| {
                ask.changes.iter().all(|change| record.field(change.field.as_str()).is_some())
            }),
        ),
        Row::TrialToPaid => {
            billing(ask, &name, new(fields::BILLING).or_else(|| new(fields::TYPE)).as_deref(), &task)
        }
        Row::BuyLicense => buy(ask, &name, monthly, &task),
        Row::MoreSeats | Row::FewerSeats if ask.action == Action::Remove => task(
            format!("end the licence {} of {name}", article(ask)),
            "end-licence",
            if monthly {
                vec![
                    format!("My Business › Managed Customer Usage › select {name} › Change licenses"),
                    format!("untick: {}", article(ask)),
                    "Save".to_owned(),
                ]
            } else {
                vec![
                    format!("{CUSTOMERS} › {name} › Licenses"),
                    format!("let {} run out, or ask your distributor to end it", article(ask)),
                ]
            },
            &["what this licence protects is protected no more"],
            true,
        ),
        Row::MoreSeats | Row::FewerSeats => task(
            format!("change the quantity of {} for {name}", article(ask)),
            "change-quantity",
            vec![
                format!(
                    "order {} of {} from your distributor",
                    new(fields::QUANTITY).unwrap_or_default(),
                    article(ask)
                ),
                format!("{CUSTOMERS} › {name} › Licenses › Apply License Key"),
            ],
            &["a licence key cannot be taken back"],
            true,
        ),
        Row::Groups => task(
            format!("put {name} into its groups"),
            "set-groups",
            vec![
                open,
                "Customer Details › Groups (as Partner Super Admin; the groups exist already)".to_owned(),
                format!("select exactly: {}", new(fields::GROUPS).unwrap_or_default()),
                "Save".to_owned(),
            ],
            &["groups also carry administrators: who is in one may open the customer"],
            false,
        ),
        Row::DelegatedAdmin => Instructions {
            party: Party::Customer,
            at: "Sophos Central (the customer's own console)".to_owned(),
            ..task(
                format!("enable Partner Assistance at {name}"),
                "enable-partner-assistance",
                vec![
                    "Account Details › Sophos Support".to_owned(),
                    "switch on Partner Assistance › Save".to_owned(),
                ],
                &["we can open the customer's console from then on"],
                false,
            )
        },
        Row::Detach => unlink(&name, &open, monthly, &task),
        // Not there, or performed by the adapter: nothing asks for these.
        Row::Census | Row::Adopt | Row::Move | Row::Suspend | Row::Remove => {
            task(format!("look at {name}"), "look", vec![open], &[], true)
        }
    }
}

type Task<'f> = &'f dyn Fn(String, &'static str, Vec<String>, &[&str], bool) -> Instructions;

fn billing(ask: &Ask<'_>, name: &str, wanted: Option<&str>, task: Task<'_>) -> Instructions {
    let shown = ask.subject.record.and_then(|record| record.field(fields::BILLING));
    let shown = shown.as_ref().and_then(Value::as_text);
    let mut steps = vec![format!("{CUSTOMERS} › select {name} › Update Billing")];
    match wanted {
        Some("trial") => {
            return task(
                format!("{name} is no trial any more"),
                "accept-billing",
                vec![
                    "Sophos has no way back to a trial".to_owned(),
                    "declare billing: Usage, or leave billing out; this task then closes".to_owned(),
                ],
                &[],
                true,
            );
        }
        Some("paid") => {
            steps.push("enter the licence key › Apply".to_owned());
            return task(
                format!("turn the trial of {name} into a term licence"),
                "apply-licence-key",
                steps,
                &["a licence key cannot be taken back"],
                true,
            );
        }
        _ if shown == Some("term") => {
            steps.push("tick \"immediately\"".to_owned());
            steps.push("choose the licence types, then the Endpoint and Server products › Save".to_owned());
        }
        _ => steps.push("Usage › Confirm".to_owned()),
    }
    task(
        format!("bill {name} monthly"),
        "update-billing",
        steps,
        &[
            "converts all product trials of this account at once, not only one; there is no way back",
            "billing starts at the first product install, at the full price of the licence",
        ],
        true,
    )
}

fn buy(ask: &Ask<'_>, name: &str, monthly: bool, task: Task<'_>) -> Instructions {
    let article = article(ask);
    if monthly {
        return task(
            format!("add {article} to {name}"),
            "change-licences",
            vec![
                format!("My Business › Managed Customer Usage › select {name} › Change licenses"),
                format!("tick: {article}"),
                "Save".to_owned(),
            ],
            &["full price of the licence from the first install, even if only part of it is installed"],
            true,
        );
    }
    let quantity = ask.license.and_then(|license| license.spec.quantity);
    task(
        format!("license {article} for {name}"),
        "apply-licence-key",
        vec![
            format!(
                "order {article}{} from your distributor",
                quantity.map(|quantity| format!(", quantity {quantity}")).unwrap_or_default()
            ),
            format!("{CUSTOMERS} › {name} › Licenses › Apply License Key"),
            "enter the key › Apply".to_owned(),
        ],
        &["a licence key cannot be taken back", "a trial of the same product line ends the day before"],
        true,
    )
}

fn unlink(name: &str, open: &str, monthly: bool, task: Task<'_>) -> Instructions {
    let mut steps = vec![open.to_owned(), "Unlink from Partner".to_owned()];
    if monthly {
        steps.push("schedule it for the 1st of the next month › Confirm".to_owned());
    } else {
        steps.push("Confirm".to_owned());
    }
    task(
        format!("unlink {name}"),
        "unlink",
        steps,
        if monthly {
            &[
                "takes effect on the 1st of the next month; it is listed and billed until then",
                "the customer loses its MSP licences",
            ]
        } else {
            &["refused while a licence is active or ended less than 60 days ago"]
        },
        true,
    )
}

fn article(ask: &Ask<'_>) -> String {
    let product = ask.license.and_then(|license| license.product).and_then(|product| product.sophos.as_ref());
    match product {
        Some(product) => terminal(&product.code),
        None => "the product".to_owned(),
    }
}

/// `phone: +49 30 1`, one line for each change.
fn values(ask: &Ask<'_>) -> impl Iterator<Item = String> {
    ask.changes
        .iter()
        .filter_map(|change| Some(format!("{}: {}", change.label, change.new.as_ref()?.terminal())))
}
