//! What kubectl shows: columns, categories, short names, explanations.

use super::*;

/// What `kubectl get KIND -o wide` is headed by. Without `-o wide`, those in parentheses are left out.
const COLUMNS: &[(Kind, &str)] = &[
    (Kind::Console, "NAME MANAGEMENT (ACCOUNT) STEPS HELD WAITING READY REASON (MESSAGE) AGE"),
    (Kind::Customer, "NAME COMPANY (WANT) STANDING READY REASON (MESSAGE) AGE"),
    (Kind::Product, "NAME CONSOLE PRICE CURRENCY AGE"),
    (Kind::License, "NAME CUSTOMER PRODUCT TYPE QUANTITY STANDING READY REASON (MESSAGE) AGE"),
    (Kind::Relationship, "NAME CONSOLE TYPE CUSTOMER STANDING READY REASON (MESSAGE) AGE"),
    (Kind::Upgrade, "NAME CONSOLE FROM TO READY REASON (MESSAGE) AGE"),
    (Kind::Attestation, "NAME TASK OPERATION OUTCOME BY (ON) (NOTE) AGE"),
    (Kind::Inventory, "NAME CONSOLE AS-OF COMPLETE AGE"),
    (Kind::PlanPolicy, "NAME ACTIONS AGE"),
];

/// A table of kubectl as cells. Columns are as wide as their widest cell, so they begin where the header's words do.
fn cells(table: &str) -> Vec<Vec<String>> {
    let mut lines = table.lines();
    let header: Vec<char> = lines.next().unwrap_or_default().chars().collect();
    let starts: Vec<usize> =
        (0..header.len()).filter(|&at| header[at] != ' ' && (at == 0 || header[at - 1] == ' ')).collect();
    table
        .lines()
        .map(|line| {
            let line: Vec<char> = line.chars().collect();
            starts
                .iter()
                .enumerate()
                .map(|(place, &start)| {
                    let end = starts.get(place + 1).copied().unwrap_or(line.len()).min(line.len());
                    line.get(start..end).unwrap_or_default().iter().collect::<String>().trim().to_owned()
                })
                .collect()
        })
        .collect()
}

/// A namespace with every valid object in it.
async fn filled(cluster: &Cluster) -> Option<String> {
    cluster.install_crds()?;
    let namespace = cluster.namespace("shown").await;
    for &kind in Kind::ALL {
        for declared in valid(kind, &namespace) {
            create(cluster, kind, &namespace, &declared)
                .await
                .unwrap_or_else(|error| panic!("{kind}: {error}"));
        }
    }
    Some(namespace)
}

#[tokio::test]
async fn kubectl_get_shows_the_columns_that_a_person_looks_for() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(namespace) = filled(&cluster).await else { return };
    for (kind, expected) in COLUMNS {
        let plural = kind.crd().spec.names.plural;
        let wide: Vec<String> = expected.split(' ').map(|word| word.replace(['(', ')'], "")).collect();
        let narrow: Vec<&str> = expected.split(' ').filter(|word| !word.starts_with('(')).collect();
        let Some(table) = cluster.kubectl_stdout(&["get", &plural, "-n", &namespace]) else { return };
        assert_eq!(cells(&table)[0], narrow, "{table}");
        let Some(table) = cluster.kubectl_stdout(&["get", &plural, "-n", &namespace, "-o", "wide"]) else {
            return;
        };
        assert_eq!(cells(&table)[0], wide, "{table}");
    }
}

#[tokio::test]
async fn a_row_says_who_how_it_stands_and_what_it_waits_for() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    let namespace = cluster.namespace("row").await;
    for (name, company) in [
        ("short", json!({"legalName": "Adatum GmbH & Co. KG", "displayName": "Adatum"})),
        ("legal", json!({"legalName": "Adatum GmbH"})),
    ] {
        let customer = object(Kind::Customer, &namespace, name, &json!({"company": company}));
        create(&cluster, Kind::Customer, &namespace, &customer).await.expect("a Customer is accepted");
    }
    let ready = json!({
        "type": "Ready", "status": "False", "reason": "AwaitingCustomer", "message": "The mail is sent.",
        "lastTransitionTime": "2026-11-20T09:30:00Z",
    });
    let status = json!({"status": {"standing": "Invited", "conditions": [ready]}});
    let customers = api(&cluster, Kind::Customer, &namespace);
    customers.patch_status("short", &PatchParams::default(), &Patch::Merge(&status)).await.expect("a status");
    let Some(table) = cluster.kubectl_stdout(&["get", "cust", "-n", &namespace, "-o", "wide"]) else {
        return;
    };
    let rows: Vec<Vec<String>> = cells(&table).into_iter().skip(1).map(|row| row[..7].to_vec()).collect();
    let expected = [
        ["legal", "Adatum GmbH", "Present", "", "", "", ""],
        ["short", "Adatum", "Present", "Invited", "False", "AwaitingCustomer", "The mail is sent."],
    ];
    assert_eq!(rows, expected, "{table}");
}

#[tokio::test]
async fn one_word_gets_everything_and_a_short_one_each_kind() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(namespace) = filled(&cluster).await else { return };
    let Some(all) = cluster.kubectl_stdout(&["get", "tenantry", "-n", &namespace, "-o", "name"]) else {
        return;
    };
    for &kind in Kind::ALL {
        let names = kind.crd().spec.names;
        let singular = names.singular.expect("a kind has a singular");
        let objects = valid(kind, &namespace);
        for object in &objects {
            let name = object["metadata"]["name"].as_str().expect("it has a name");
            let line = format!("{singular}.{GROUP}/{name}");
            assert!(all.lines().any(|found| found == line), "{line} is not in the category:\n{all}");
        }
        for short in names.short_names.into_iter().flatten().chain([singular]) {
            let found = cluster.kubectl_stdout(&["get", &short, "-n", &namespace, "-o", "name"]);
            assert_eq!(found.unwrap_or_default().lines().count(), objects.len(), "kubectl get {short}");
        }
    }
}

#[tokio::test]
async fn kubectl_explains_every_kind_and_its_fields() {
    let Some(cluster) = Cluster::shared().await else { return };
    let Some(()) = cluster.install_crds() else { return };
    for &kind in Kind::ALL {
        let names = kind.crd().spec.names;
        let singular = names.singular.expect("a kind has a singular");
        let Some(text) = cluster.kubectl_stdout(&["explain", &format!("{singular}.spec")]) else { return };
        assert!(text.contains(&format!("KIND:       {kind}")), "{text}");
        assert!(!text.contains("<no description>"), "{kind} has fields that nobody explains:\n{text}");
    }
    let Some(text) = cluster.kubectl_stdout(&["explain", "customer.spec.accounts.onboarding"]) else {
        return;
    };
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("nothing is created unless it says so"), "{text}");
    assert!(words.contains("ENUM: Existing Create") || words.contains("enum: Existing, Create"), "{text}");
}
