//! How long loading takes and how much memory it needs: `just load 100000`.
//!
//! Writes that many customers, three accounts each, into a temporary directory (200 to a file), loads them as every
//! command does, and prints time, processor time, documents a second and the largest resident size. The goal for
//! planning 100 000 customers is 10 seconds on two cores and 1 GiB, of which loading may take the half.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Instant;

use tenantry::load::{Options, validate};

const PER_FILE: usize = 200;

fn main() -> std::io::Result<()> {
    let wanted: usize = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let directory = tempfile::tempdir()?;
    let bytes = write(directory.path(), wanted)?;
    let (before, busy) = (Instant::now(), busy());
    let loaded = validate(&[directory.path().to_path_buf()], &Options::new(directory.path()));
    let (took, busy) = (before.elapsed(), self::busy().zip(busy).map(|(now, then)| now - then));
    for diagnostic in loaded.diagnostics.iter().take(3) {
        println!(
            "{}",
            tenantry::diagnostics::text(
                std::slice::from_ref(diagnostic),
                tenantry::diagnostics::Style::Plain
            )
        );
    }
    assert_eq!(loaded.objects.len(), wanted + 3, "every customer and console is loaded");
    println!(
        "{} objects from {} files ({:.1} MB) in {:.2} s ({}): {:.0} documents/s on {} threads; peak {}",
        loaded.objects.len(),
        loaded.counts.files,
        float(bytes) / 1e6,
        took.as_secs_f64(),
        busy.map_or_else(
            || "processor time unknown".to_owned(),
            |busy| format!("{busy:.2} s of processor time")
        ),
        float(loaded.counts.documents) / took.as_secs_f64(),
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        peak().unwrap_or_else(|| "unknown (no /proc/self/status)".to_owned()),
    );
    Ok(())
}

/// For printing: exact up to 2^32.
fn float(n: usize) -> f64 {
    f64::from(u32::try_from(n).unwrap_or(u32::MAX))
}

fn write(directory: &Path, customers: usize) -> std::io::Result<usize> {
    let consoles = "apiVersion: tenantry.io/v1alpha1\nkind: Console\nmetadata: {name: sophos}\nspec: {sophos: {program: MspFlex}}\n\
---\napiVersion: tenantry.io/v1alpha1\nkind: Console\nmetadata: {name: bss}\nspec: {interworks: {orders: Storefront}}\n\
---\napiVersion: tenantry.io/v1alpha1\nkind: Console\nmetadata: {name: acronis}\nspec: {acronis: {}}\n";
    std::fs::write(directory.join("consoles.yaml"), consoles)?;
    let mut bytes = consoles.len();
    for first in (0..customers).step_by(PER_FILE) {
        let mut text = String::new();
        for n in first..(first + PER_FILE).min(customers) {
            customer(&mut text, n);
        }
        bytes += text.len();
        std::fs::write(directory.join(format!("customers-{first:07}.yaml")), text)?;
    }
    Ok(bytes)
}

fn customer(out: &mut String, n: usize) {
    writeln!(
        out,
        r#"---
apiVersion: tenantry.io/v1alpha1
kind: Customer
metadata:
  name: customer-{n:06}
  labels: {{tier: gold, wave: "{}"}}
spec:
  externalIds: {{psa: "{n}"}}
  company:
    legalName: Kunde {n} GmbH & Co. KG
    displayName: Kunde {n}
    registrationNumber: HRB {n}
    website: https://kunde-{n}.example
    domains: [kunde-{n}.example, kunde{n}.example]
    address: {{line1: Hauptstraße {}, city: Freiburg im Breisgau, postalCode: "{:05}", country: DE}}
  contacts:
  - roles: [Admin, Technical]
    firstName: Anna
    lastName: Müller {n}
    email: anna@kunde-{n}.example
    phone: "+49761{n:06}"
    language: de
  accounts:
  - name: sophos
    consoleRef: {{name: sophos}}
    onboarding: Create
    deletionPolicy: Retain
    sophos: {{billing: Usage, dataGeography: DE}}
  - name: bss
    consoleRef: {{name: bss}}
    onboarding: Create
  - name: acronis
    consoleRef: {{name: acronis}}
    via: {{account: bss, system: acronis}}
    role: EndCustomer"#,
        n % 10,
        n % 200 + 1,
        10_000 + n % 80_000,
    )
    .expect("writing to a String cannot fail");
}

/// User and system time of all threads so far in seconds, as Linux counts it: in hundredths.
fn busy() -> Option<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split_whitespace().collect();
    let ticks: u32 = fields.get(11)?.parse::<u32>().ok()? + fields.get(12)?.parse::<u32>().ok()?;
    Some(f64::from(ticks) / 100.0)
}

/// The largest resident size of this process so far, as Linux counts it.
fn peak() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(format!("{:.0} MiB", kibibytes / 1024.0))
}
