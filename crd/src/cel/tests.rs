//! Every rule, kept and broken.

use std::collections::BTreeSet;

use super::*;

fn object(yaml: &str) -> AnyObject {
    let value: Value = serde_saphyr::from_str(yaml).unwrap_or_else(|e| panic!("{e}\n{yaml}"));
    AnyObject::from_value(value).unwrap_or_else(|e| panic!("{}: {e}\n{yaml}", e.path))
}

fn of(kind: &str, spec: &str) -> AnyObject {
    object(&format!(
        "{{apiVersion: tenantry.io/v1alpha1, kind: {kind}, metadata: {{name: a}}, spec: {spec}}}"
    ))
}

fn said(violations: &[Violation]) -> Vec<String> {
    violations.iter().map(|v| format!("{}: {}", v.path, v.message)).collect()
}

/// Kind, a spec that keeps the rule, one that breaks it, and what is said then. Each rule is here.
const ONE_OBJECT: &[(&str, &str, &str, &str)] = &[
    (
        "Console",
        "{sophos: {program: MspFlex}}",
        "{sophos: {program: MspFlex}, acronis: {}}",
        "spec: name exactly one vendor: microsoft, sophos, acronis, watchguard, interworks, runbook or plugin",
    ),
    (
        "Console",
        "{acronis: {}}",
        "{management: Observe}",
        "spec: name exactly one vendor: microsoft, sophos, acronis, watchguard, interworks, runbook or plugin",
    ),
    (
        "Console",
        "{microsoft: {partner: IndirectReseller, tenantId: t, providers: [{name: a, tenantId: a, default: true}, {name: b, tenantId: b}]}}",
        "{microsoft: {partner: IndirectReseller, tenantId: t, providers: [{name: a, tenantId: a, default: true}, {name: b, tenantId: b, default: true}]}}",
        "spec.microsoft: at most one provider is the default",
    ),
    (
        "Console",
        "{microsoft: {partner: DirectBill, tenantId: t}}",
        "{microsoft: {partner: DirectBill, tenantId: t, providers: [{name: a, tenantId: a}]}}",
        "spec.microsoft: providers belong to an IndirectReseller; a DirectBill partner or an IndirectProvider has none",
    ),
    (
        "Console",
        "{acronis: {}, invitation: {messages: {de: 'Hier: {{ link }}'}}}",
        "{acronis: {}, invitation: {messages: {de: 'Hier: {{ link }}', en: 'Here: {{link}}'}}}",
        "spec.invitation: every message must keep {{ link }}: text may change, the link may not",
    ),
    (
        "Console",
        "{acronis: {}, oneTimeSecrets: {secretPrefix: a-}}",
        "{acronis: {}, oneTimeSecrets: {}}",
        "spec.oneTimeSecrets: name exactly one of ageRecipients and secretPrefix",
    ),
    (
        "Console",
        "{acronis: {}, oneTimeSecrets: {ageRecipients: [age1]}}",
        "{acronis: {}, oneTimeSecrets: {secretPrefix: a-, ageRecipients: [age1]}}",
        "spec.oneTimeSecrets: name exactly one of ageRecipients and secretPrefix",
    ),
    (
        "Customer",
        "{company: {legalName: A}, want: Removed, notBefore: 2026-12-31}",
        "{company: {legalName: A}, notBefore: 2026-12-31}",
        "spec: notBefore delays an ending: it needs a want other than Present",
    ),
    (
        "Customer",
        "{company: {legalName: A}, contacts: [{roles: [Admin], lastName: B}, {roles: [Billing], lastName: C}]}",
        "{company: {legalName: A}, contacts: [{roles: [Admin], lastName: B}, {roles: [Billing, Admin], lastName: C}]}",
        "spec: each contact role belongs to one person: a role is named by two contacts",
    ),
    (
        "Customer",
        "{company: {legalName: A}, contacts: [{email: a@b.example}]}",
        "{company: {legalName: A}, contacts: [{firstName: Erika}]}",
        "spec.contacts[0]: a contact needs an e-mail address or a last name",
    ),
    (
        "Customer",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, sophos: {billing: Trial}}]}",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, sophos: {billing: Trial}, acronis: {}}]}",
        "spec.accounts[0]: an account is in one console: name at most one vendor block",
    ),
    (
        "Customer",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, want: Detached, notBefore: 2026-12-31}]}",
        "{company: {legalName: A}, want: Removed, accounts: [{consoleRef: {name: c}, notBefore: 2026-12-31}]}",
        "spec.accounts[0]: notBefore delays an ending: it needs a want other than Present",
    ),
    (
        "Customer",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, id: x, distinctFrom: [z]}]}",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, id: x, distinctFrom: [z, x]}]}",
        "spec.accounts[0]: distinctFrom names other companies: it must not contain this account's own id",
    ),
    (
        "Customer",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, via: {account: b, system: s}}]}",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, via: {account: b, system: s}, onboarding: Create}]}",
        "spec.accounts[0]: an account that another system makes (via) is never created from here",
    ),
    (
        "Customer",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, via: {account: b, system: s}}]}",
        "{company: {legalName: A}, accounts: [{consoleRef: {name: c}, via: {account: c, system: s}}]}",
        "spec.accounts[0]: via names another account of this customer",
    ),
    (
        "License",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Paid, want: Removed, notBefore: 2026-12-31}",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Paid, notBefore: 2026-12-31}",
        "spec: notBefore delays an ending: it needs a want other than Present",
    ),
    (
        "License",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Usage}",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Usage, renewal: {autoRenew: true}}",
        "spec: a licence billed by usage has no term and no renewal",
    ),
    (
        "License",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Paid, quantity: 1}",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Paid, quantity: 0}",
        "spec: quantity 0 does not end a licence: say want: Removed",
    ),
    (
        "Product",
        "{consoleRef: {name: c}, sophos: {code: X}}",
        "{consoleRef: {name: c}}",
        "spec: name exactly one vendor: microsoft, sophos, acronis, watchguard, interworks, runbook or plugin",
    ),
    (
        "Product",
        "{consoleRef: {name: c}, sophos: {code: X}, supplier: {consoleRef: {name: d}}}",
        "{consoleRef: {name: c}, sophos: {code: X}, supplier: {consoleRef: {name: c}}}",
        "spec: a supplier is another console than the product's own",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}}",
        "{consoleRef: {name: c}, type: Reseller}",
        "spec: name exactly one of customerRef and customers",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: Reseller, customers: {selector: {}}}",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}, customers: {selector: {}}}",
        "spec: name exactly one of customerRef and customers",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}, reseller: {provider: d}}",
        "{consoleRef: {name: c}, type: DelegatedAdmin, customerRef: {name: a}, reseller: {provider: d}, delegatedAdmin: {roles: [R]}}",
        "spec: reseller and invitation belong to type Reseller",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: DelegatedAdmin, customerRef: {name: a}, delegatedAdmin: {roles: [R]}}",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}, delegatedAdmin: {roles: [R]}}",
        "spec: delegatedAdmin belongs to type DelegatedAdmin",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: DelegatedAdmin, customerRef: {name: a}, want: Ended}",
        "{consoleRef: {name: c}, type: DelegatedAdmin, customerRef: {name: a}}",
        "spec: type DelegatedAdmin needs delegatedAdmin: which rights, for how long",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: DelegatedAdmin, customerRef: {name: a}, want: Ended}",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}, want: Ended}",
        "spec: a Reseller link ends with its account: say want: Detached on the Customer",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: DelegatedAdmin, customerRef: {name: a}, want: Ended, notBefore: 2026-12-31}",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}, notBefore: 2026-12-31}",
        "spec: notBefore delays an ending: it needs a want other than Present",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}, id: x}",
        "{consoleRef: {name: c}, type: Reseller, customers: {selector: {}}, id: x}",
        "spec: an id is one customer's: it needs customerRef",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: Reseller, customers: {selector: {}}, invitation: {language: de}}",
        "{consoleRef: {name: c}, type: Reseller, customers: {selector: {}}, invitation: {to: a@b.example}}",
        "spec: one address cannot stand for many customers: leave invitation.to out",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}, invitation: {message: 'x {{ link }}'}}",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}, invitation: {message: 'x https://elsewhere.example'}}",
        "spec.invitation: the message must keep {{ link }}: text may change, the link may not",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: Reseller, customers: {selector: {}}, rollout: {blackout: [{from: 2026-12-20, to: 2027-01-07}]}}",
        "{consoleRef: {name: c}, type: Reseller, customers: {selector: {}}, rollout: {blackout: [{from: 2027-01-07, to: 2027-01-07}]}}",
        "spec.rollout.blackout[0]: a blackout ends after it begins",
    ),
    (
        "Upgrade",
        "{consoleRef: {name: c}, from: a, to: b, customers: {selector: {}}}",
        "{consoleRef: {name: c}, from: a, to: a, customers: {selector: {}}}",
        "spec: an upgrade leads from one product to another",
    ),
    (
        "Attestation",
        "{task: t, outcome: Done, by: a, on: '2026-11-20T09:30:00Z'}",
        "{outcome: Done, by: a, on: '2026-11-20T09:30:00Z'}",
        "spec: name exactly one of task and operation",
    ),
    (
        "Attestation",
        "{task: t, outcome: Refused, by: a, on: '2026-11-20T09:30:00Z'}",
        "{task: t, outcome: Happened, by: a, on: '2026-11-20T09:30:00Z'}",
        "spec: a task is Done or Refused",
    ),
    (
        "Attestation",
        "{operation: o, outcome: NotHappened, by: a, on: '2026-11-20T09:30:00Z'}",
        "{operation: o, outcome: Done, by: a, on: '2026-11-20T09:30:00Z'}",
        "spec: an operation in doubt Happened or NotHappened",
    ),
    (
        "Inventory",
        "{consoleRef: {name: c}, asOf: '2026-11-20T09:30:00Z', source: {file: a.csv}}",
        "{consoleRef: {name: c}, asOf: '2026-11-20T09:30:00Z', source: {}}",
        "spec.source: name exactly one of file and configMapKeyRef",
    ),
    (
        "PlanPolicy",
        "{validations: [{expression: 'true'}], validationActions: [Deny, Audit]}",
        "{validations: [{expression: 'true'}], validationActions: [Deny, Warn]}",
        "spec: Deny and Warn together would say the same thing twice",
    ),
    (
        "ConsoleBinding",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "{vendorAccount: v}",
        "spec: name exactly one of address (an entry) and header",
    ),
    (
        "ConsoleBinding",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}}",
        "spec: an entry says where it was declared, where it stands and since when; the header does not",
    ),
    (
        "ConsoleBinding",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}, origin: {}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "spec.origin: name exactly one of object and file",
    ),
];

/// Kind, the former spec, a change that is allowed, one that is not, and what is said then.
const CHANGES: &[(&str, &str, &str, &str, &str)] = &[
    (
        "Console",
        "{acronis: {}}",
        "{acronis: {}, management: Observe}",
        "{sophos: {program: MspFlex}}",
        "spec: a Console keeps its vendor; make another Console instead",
    ),
    (
        "Customer",
        "{company: {legalName: A}, accounts: [{name: x, consoleRef: {name: c}}]}",
        "{company: {legalName: B}, accounts: [{name: z, consoleRef: {name: d}}, {name: x, consoleRef: {name: c}}]}",
        "{company: {legalName: A}, accounts: [{name: x, consoleRef: {name: d}}]}",
        "spec.accounts[0]: an account keeps its console; declare another account instead",
    ),
    (
        "Customer",
        "{company: {legalName: A}, accounts: [{name: x, consoleRef: {name: c}, sophos: {billing: Usage}}]}",
        "{company: {legalName: A}, accounts: [{name: x, consoleRef: {name: c}, sophos: {}}]}",
        "{company: {legalName: A}, accounts: [{name: x, consoleRef: {name: c}, sophos: {billing: Trial}}]}",
        "spec.accounts[0].sophos: monthly billing is not turned back into a trial",
    ),
    (
        "License",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Paid}",
        "{customerRef: {name: c}, account: a, productRef: {name: q}, type: Paid, quantity: 3}",
        "{customerRef: {name: d}, account: a, productRef: {name: p}, type: Paid}",
        "spec: a licence keeps its customer and account; declare another licence instead",
    ),
    (
        "License",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Trial}",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Paid}",
        "{customerRef: {name: c}, account: b, productRef: {name: p}, type: Trial}",
        "spec: a licence keeps its customer and account; declare another licence instead",
    ),
    (
        "License",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Paid}",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Paid, quantity: 1}",
        "{customerRef: {name: c}, account: a, productRef: {name: p}, type: Trial}",
        "spec: only a trial changes its type; a paid licence is not turned back",
    ),
    (
        "Relationship",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: a}}",
        "{consoleRef: {name: c}, type: Reseller, customerRef: {name: b}}",
        "{consoleRef: {name: d}, type: Reseller, customerRef: {name: a}}",
        "spec: a Relationship keeps its type and console; declare another instead",
    ),
    (
        "Upgrade",
        "{consoleRef: {name: c}, from: a, to: b, customers: {selector: {}}}",
        "{consoleRef: {name: c}, from: a, to: b, customers: {selector: {matchLabels: {x: z}}}}",
        "{consoleRef: {name: c}, from: a, to: d, customers: {selector: {}}}",
        "spec: an Upgrade keeps its console and products; declare another instead",
    ),
    (
        "Attestation",
        "{task: t, outcome: Done, by: a, on: '2026-11-20T09:30:00Z'}",
        "{task: t, outcome: Done, by: a, on: '2026-11-20T10:30:00+01:00'}",
        "{task: t, outcome: Refused, by: a, on: '2026-11-20T09:30:00Z'}",
        "spec: an Attestation is a fact and never changes; write another",
    ),
    (
        "ConsoleBinding",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}, remoteId: r, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "{vendorAccount: w, address: {namespace: ns, kind: k, name: a}, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "spec: a ledger is pinned to its vendor account",
    ),
    (
        "ConsoleBinding",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: a}, remoteId: r, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "{vendorAccount: v, address: {namespace: ns, kind: k, name: b}, origin: {file: {path: a, line: 1, column: 1}}, standing: Declared, since: '2026-11-20T09:30:00Z'}",
        "spec: an entry keeps its address",
    ),
    (
        "ConsoleBinding",
        "{vendorAccount: v, header: {formatVersion: 1, lineage: l, serial: 1}}",
        "{vendorAccount: v, header: {formatVersion: 1, lineage: l, serial: 2}}",
        "{vendorAccount: v, header: {formatVersion: 1, lineage: l, serial: 0}}",
        "spec: a ledger keeps its lineage, and its serial never falls",
    ),
];

#[test]
fn every_rule_about_one_object_accepts_and_refuses() {
    for (kind, kept, broken, message) in ONE_OBJECT {
        assert_eq!(said(&check(&of(kind, kept))), Vec::<String>::new(), "{kind} {kept}");
        assert_eq!(said(&check(&of(kind, broken))), [*message], "{kind} {broken}");
    }
}

#[test]
fn every_rule_about_a_change_accepts_and_refuses() {
    for (kind, old, allowed, refused, message) in CHANGES {
        let old = of(kind, old);
        assert_eq!(said(&check_update(&of(kind, allowed), &old)), Vec::<String>::new(), "{kind} {allowed}");
        assert_eq!(said(&check_update(&of(kind, refused), &old)), [*message], "{kind} {refused}");
        assert_eq!(said(&check(&of(kind, refused))), Vec::<String>::new(), "a new object has no former self");
    }
}

#[test]
fn no_rule_is_without_a_test() {
    fn collect(node: &Node, found: &mut BTreeSet<String>) {
        found.extend(node.rules.iter().map(|r| r.message.clone()));
        node.properties.values().for_each(|n| collect(n, found));
        node.items.iter().chain(&node.additional).for_each(|n| collect(n, found));
    }
    for kind in Kind::ALL {
        let mut rules = BTreeSet::new();
        collect(compiled(*kind), &mut rules);
        let tested: BTreeSet<String> = ONE_OBJECT
            .iter()
            .map(|(k, _, _, m)| (*k, *m))
            .chain(CHANGES.iter().map(|(k, _, _, _, m)| (*k, *m)))
            .filter(|(k, _)| {
                *k == kind.as_str()
                    || (*k == "Relationship" && *kind == Kind::Upgrade)
                    || (*k == "Customer" && *kind == Kind::Console)
            })
            .filter_map(|(_, m)| m.split_once(": ").map(|(_, m)| m.to_owned()))
            .collect();
        let untested: Vec<_> = rules.difference(&tested).collect();
        assert!(untested.is_empty(), "{kind}: {untested:?}");
    }
}

#[test]
fn bounds_are_checked_as_the_api_server_checks_them() {
    let long = "x".repeat(257);
    for (kind, spec, message) in [
        (
            "Customer",
            "{company: {legalName: ''}}".to_owned(),
            "spec.company.legalName: has 0 characters, at least 1 are needed",
        ),
        (
            "Customer",
            format!("{{company: {{legalName: {long}}}}}"),
            "spec.company.legalName: has 257 characters, at most 256 are allowed",
        ),
        (
            "Customer",
            "{company: {legalName: A, address: {country: de}}}".to_owned(),
            "spec.company.address.country: must match ^[A-Z]{2}$",
        ),
        (
            "Console",
            "{acronis: {}, guards: {maxRemovalPercent: 101}}".to_owned(),
            "spec.guards.maxRemovalPercent: is 101, at most 100 is allowed",
        ),
        (
            "Console",
            "{acronis: {}, pace: {readsPerSecond: 0.0}}".to_owned(),
            "spec.pace.readsPerSecond: is 0.0, at least 0.001 is needed",
        ),
        (
            "Console",
            "{plugin: {command: []}}".to_owned(),
            "spec.plugin.command: has 0 entries, at least 1 are needed",
        ),
        (
            "Customer",
            "{company: {legalName: A}, accounts: [{consoleRef: {name: c}}, {consoleRef: {name: c}}]}"
                .to_owned(),
            "spec.accounts[1]: `c` is here twice, first as entry 1",
        ),
        (
            "Customer",
            "{company: {legalName: A}, consents: [x, x]}".to_owned(),
            "spec.consents[1]: `\"x\"` is here twice, first as entry 1",
        ),
    ] {
        assert_eq!(said(&check(&of(kind, &spec))), [message], "{spec}");
    }
}

#[test]
fn full_length_is_counted_in_characters_not_bytes() {
    let umlauts = "ü".repeat(256);
    assert!(check(&of("Customer", &format!("{{company: {{legalName: {umlauts}}}}}"))).is_empty());
}

/// A value, everything inside it, and each of its objects with one field left out.
fn parts(value: &Value, into: &mut Vec<Value>) {
    into.push(value.clone());
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let mut less = fields.clone();
                less.remove(name);
                into.push(Value::Object(less));
                parts(inner, into);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| parts(entry, into)),
        _ => {}
    }
}

#[test]
fn what_the_first_look_says_to_hold_holds_in_cel() {
    let mut values = vec![Value::Null, serde_json::json!({}), serde_json::json!({"id": 1, "want": 2.5})];
    for (kind, kept, broken, _) in ONE_OBJECT {
        for spec in [kept, broken] {
            parts(&of(kind, spec).to_value()["spec"], &mut values);
        }
    }
    let (mut rules, mut held) = (0, 0);
    FUNCTIONS.with(|functions| {
        for kind in Kind::ALL {
            for_each_rule(compiled(*kind), &mut |rule| {
                rules += 1;
                for value in values.iter().filter(|value| rule.quick.holds(value)) {
                    held += 1;
                    let mut scope = functions.new_inner_scope();
                    scope.add_variable_from_value("self", cel_value(value));
                    let whole = rule.program.execute(&scope);
                    assert!(
                        matches!(whole, Ok(CelValue::Bool(true))),
                        "{}: {whole:?}\n{value}",
                        rule.expression
                    );
                }
            });
        }
    });
    assert!(rules > 40 && held > rules * 20, "{rules} rules, {held} times seen to hold");
}

#[test]
fn the_first_look_knows_what_rules_say_most() {
    let rule = |text: &str| Rule::new(&serde_json::json!({ "rule": text, "message": "m" })).quick;
    let value = serde_json::json!({"a": "x", "n": 3, "list": ["x", "y"], "inner": {"b": true}});
    for text in [
        "has(self.a) && !has(self.z)",
        "!has(self.z) || self.z == 1",
        "(has(self.a) ? 1 : 0) + (has(self.z) ? 1 : 0) <= 1",
        "self.a in self.list && !('z' in self.list) && self.a in ['x', 'z']",
        "self.list.size() == 2 && self.n > 2 && self.n >= 3 && self.n < 4 && self.a != 'z'",
        "has(self.inner) && has(self.inner.b) && self.inner.b",
        "self.list.all(e, e != 'z') || has(self.a)",
    ] {
        assert!(rule(text).holds(&value), "{text}");
    }
    for text in [
        "has(self.z)",
        "self.z == 1",
        "self.a == 1",
        "self.list.all(e, e != 'z')",
        "self.a",
        "!has(self.z.y)",
    ] {
        assert!(!rule(text).holds(&value), "{text}");
    }
}

fn for_each_rule(node: &Node, visit: &mut impl FnMut(&Rule)) {
    node.rules.iter().for_each(&mut *visit);
    for child in node.properties.values().chain(node.items.as_deref()).chain(node.additional.as_deref()) {
        for_each_rule(child, visit);
    }
}

#[test]
fn rules_are_compiled_once_per_kind() {
    assert!(std::ptr::eq(compiled(Kind::Customer), compiled(Kind::Customer)));
    let other = std::thread::spawn(|| std::ptr::from_ref(compiled(Kind::Customer)) as usize).join().unwrap();
    assert_eq!(std::ptr::from_ref(compiled(Kind::Customer)) as usize, other);
}

#[test]
fn the_objects_of_the_round_trip_break_no_rule() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/objects");
    for kind in Kind::ALL {
        let text = std::fs::read_to_string(directory.join(format!("{}.yaml", kind.as_str().to_lowercase())))
            .unwrap();
        for document in serde_saphyr::from_multiple::<Value>(&text).unwrap() {
            let object = AnyObject::from_value(document).unwrap();
            assert_eq!(said(&check(&object)), Vec::<String>::new(), "{kind} {}", object.name());
        }
    }
}
