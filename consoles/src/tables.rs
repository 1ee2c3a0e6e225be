//! What each console can do, and by whom, before anybody has connected: the table that the README shows.
//!
//! Never asks a console. A position whose rights only a probe tells has two columns: where every probe answers, and
//! where every one refuses.

use tenantry_crd::console::{MicrosoftPosition, Naming, SophosConsole, SophosProgram, SophosRename};
use tenantry_engine::capability::Capabilities;

use crate::microsoft::{Answer, Found};
use crate::{microsoft, sophos};

/// One column of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Column {
    /// Its heading.
    pub heading: &'static str,
    /// Who can do what, where every probe answers.
    pub answered: Capabilities,
    /// Who can do what, where every probe is refused; the same where nothing is probed.
    pub refused: Capabilities,
}

/// The columns of the consoles that have an adapter.
pub fn columns() -> Vec<Column> {
    let one = |heading, table: Capabilities| Column { heading, answered: table.clone(), refused: table };
    let contract = SophosConsole {
        program: SophosProgram::MspFlex,
        products_at_creation: false,
        rename_via: SophosRename::Person,
    };
    let all = |answer: &Answer| Found {
        customers: answer.clone(),
        link: answer.clone(),
        billing: answer.clone(),
        subscriptions: answer.clone(),
        rights: answer.clone(),
    };
    let reseller =
        |answer: &Answer| microsoft::capabilities(MicrosoftPosition::IndirectReseller, &all(answer));
    vec![
        one("Sophos Central Partner", sophos::capabilities(&contract, Naming::Display)),
        one(
            "Microsoft, direct bill or indirect provider",
            microsoft::capabilities(MicrosoftPosition::DirectBill, &all(&Answer::Answers)),
        ),
        Column {
            heading: "Microsoft, indirect reseller",
            answered: reseller(&Answer::Answers),
            refused: reseller(&Answer::Refuses("refused".to_owned())),
        },
    ]
}

/// One documented refusal, as this program tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Title of the console.
    pub console: &'static str,
    /// What was asked, where the same answer means two things; empty: anything.
    pub asked: &'static str,
    /// HTTP status; `None`: the vendor documents none, or it is a part of an answer.
    pub status: Option<u16>,
    /// The vendor's own code; empty: it has none.
    pub vendor_code: String,
    /// Ours, which never changes its meaning.
    pub code: &'static str,
    /// What is said.
    pub words: String,
    /// What to do; empty: the vendor's sentence says it.
    pub hint: String,
}

/// Every refusal that a vendor documents. One that is not here keeps the vendor's words, code and ids.
pub fn refusals() -> Vec<Refused> {
    microsoft::refusals().chain(sophos::refusals()).collect()
}
