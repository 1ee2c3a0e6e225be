//! A desk for tests: files, a state directory and a simulated Sophos console, all gone at the end.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tenantry_simulator::{Config, Kind, LogFilter, Running, Simulator};

use crate::app::{Colour, Files, Globals, LogFormat};
use crate::commands::apply::Apply;
use crate::exit::{CliError, Exit};

/// The simulator's first moment.
pub const NOW: &str = "2026-01-12T08:00:00Z";
/// A record that matches [`NORDWIND`].
pub const NORDWIND_ID: &str = "7c1a4e90-2b5d-4f38-a6c1-94d0e3b7f285";
/// A record that matches nothing.
pub const OTHER_ID: &str = "3d9e8b42-1c6f-4a75-b0d4-7e5f2c8a9613";

/// The console, with which names are kept.
pub const CONSOLE: &str = "apiVersion: tenantry.io/v1alpha1
kind: Console
metadata: {name: sophos}
spec:
  sophos: {program: MspFlex}
  naming: Display
  credentials:
    read: {secretRef: {name: sophos-read}}
    write: {secretRef: {name: sophos-write}}
";

/// A customer who is there.
pub const NORDWIND: &str = "# our oldest customer
apiVersion: tenantry.io/v1alpha1
kind: Customer
metadata: {name: nordwind}
spec:
  company:
    legalName: Nordwind GmbH # as registered
    displayName: Nordwind GmbH
    address: {line1: Kai 1, city: Kiel, postalCode: \"24103\", country: DE}
  contacts:
  - {roles: [Admin], firstName: Jan, lastName: Berg, email: it@nordwind.example, phone: \"+49 431 5550120\"}
  accounts:
  - consoleRef: {name: sophos}   # since 2019
    sophos: {billing: Trial, dataGeography: DE}
";

/// A customer of another name.
pub fn customer(name: &str, account: &str) -> String {
    format!(
        "apiVersion: tenantry.io/v1alpha1\nkind: Customer\nmetadata: {{name: {name}}}\nspec:\n  company: {{legalName: {name}}}\n  accounts:\n  - {account}\n"
    )
}

/// Files, state and a console.
pub struct Desk {
    dir: tempfile::TempDir,
    /// The console.
    pub running: Running,
}

impl Desk {
    /// With these files.
    pub async fn of(files: &[(&str, &str)]) -> Self {
        let running =
            Simulator::start(Config { starts_at: NOW.parse().expect("a moment"), ..Config::default() })
                .await
                .expect("it listens");
        let contact = json!({"firstName": "Jan", "lastName": "Berg", "email": "it@nordwind.example",
            "phone": "+49 431 5550120", "address1": "Kai 1", "city": "Kiel", "postalCode": "24103", "countryCode": "DE"});
        let tenant =
            |id: &str, name: &str| json!({"id": id, "name": name, "geography": "DE", "billingType": "trial"});
        let mut nordwind = tenant(NORDWIND_ID, "Nordwind GmbH");
        nordwind["contact"] = contact;
        let seed = json!({"sophos": {"msp": {"flex": true, "tenants": [nordwind, tenant(OTHER_ID, "Tailspin Toys")]}}});
        running.seed(&seed).expect("a seed");
        let desk = Self { dir: tempfile::tempdir().expect("a directory"), running };
        let credentials = desk.running.sophos("msp").credentials();
        for secret in ["sophos-read", "sophos-write"] {
            desk.write(&format!("secrets/{secret}/clientId"), &credentials.client_id);
            desk.write(&format!("secrets/{secret}/clientSecret"), &credentials.client_secret);
        }
        for (path, text) in files {
            desk.write(&format!("repo/{path}"), text);
        }
        desk
    }

    /// Where a file is.
    pub fn path(&self, path: &str) -> PathBuf {
        self.dir.path().join("repo").join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.dir.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).expect("a directory");
        std::fs::write(path, text).expect("written");
    }

    /// What a file says.
    pub fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).expect("it is there")
    }

    /// The declarations.
    pub fn files(&self) -> Files {
        Files { files: vec![self.path("")] }
    }

    /// The command line that all commands share.
    pub fn globals(&self) -> Globals {
        Globals {
            state_dir: self.dir.path().join("state"),
            secrets_dir: Some(self.dir.path().join("secrets")),
            endpoint: vec![format!("sophos={}", self.running.partner_url("sophos", "msp"))],
            color: Colour::Never,
            log_format: LogFormat::Json,
            now: Some(NOW.to_owned()),
            stop: tenantry_engine::runtime::Stop::default(),
        }
    }

    /// Applies everything.
    pub async fn apply(&self) -> Result<Exit, CliError> {
        let apply = Apply {
            plan: None,
            files: self.files(),
            auto_approve: true,
            selection: crate::selection::Selection::default(),
            allowed: crate::approvals::Allowed::default(),
            read_budget: 100,
            home: crate::ledgers::Home::default(),
        };
        apply.run(&self.globals()).await
    }

    /// What somebody does in the console.
    pub fn click(&self, path: &str, body: &Value) {
        self.running.sophos("msp").click(path, body).expect("the console lets them");
    }

    /// The ids that the ledger holds, by address.
    pub fn bound(&self) -> Vec<(String, String)> {
        let state = crate::state::StateDir::new(self.globals().state_dir);
        let ledgers = state.accounts().expect("readable").into_iter();
        let ledgers = ledgers.filter_map(|account| state.ledger(&account).expect("readable"));
        ledgers
            .flat_map(|ledger| ledger.entries)
            .filter_map(|(address, entry)| Some((address.to_string(), entry.bound()?.to_string())))
            .collect()
    }

    /// How many requests the console got, without people's clicks.
    pub fn requests(&self) -> usize {
        let all = self.running.log().entries(&LogFilter::default());
        all.iter().filter(|entry| entry.kind != Kind::Ui).count()
    }

    /// How many requests that may change something it got.
    pub fn commits(&self) -> usize {
        self.running.log().writes(0)
    }
}
