//! What a plan tells beside steps and waits. Each finding has a kebab-case code that never changes its meaning.

use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::capability::By;
use crate::origin::Origin;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// What was declared cannot be done.
    Error,
    /// Somebody should look.
    Warning,
    /// Good to know.
    Info,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $severity:ident;)*) => {
        /// The codes.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum Code { $($(#[$doc])* $name,)* }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$name),*];

            /// As printed.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$name => $code,)* }
            }

            /// Its severity.
            pub const fn severity(self) -> Severity {
                match self { $(Code::$name => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    /// A record that is in the console and declared nowhere; it is left alone.
    UnboundRecord = "unbound-record", Info;
    /// The console refuses to show one customer; nothing is compared or planned for it.
    NotReadable = "not-readable", Warning;
    /// A create is refused: a record there looks like the same company.
    PossibleDuplicate = "possible-duplicate", Error;
    /// Several records match.
    AmbiguousMatch = "ambiguous-match", Error;
    /// One record looks alike, by too little to bind it.
    PossibleMatch = "possible-match", Warning;
    /// `onboarding: Existing`, and nothing there matches or invites.
    NotFound = "not-found", Error;
    /// `id` names a record that a complete census does not have.
    IdNotFound = "id-not-found", Error;
    /// It was bound and is gone, and we did not end it.
    EndedElsewhere = "ended-elsewhere", Warning;
    /// The account cannot end while a licence is Present.
    StillLicensed = "still-licensed", Error;
    /// The account cannot end while delegated rights are Present.
    StillDelegated = "still-delegated", Error;
    /// The console shows something else than was applied.
    Drift = "drift", Warning;
    /// Declared, but this version has no behaviour for it.
    NotSupportedYet = "not-supported-yet", Error;
    /// The console has no such thing.
    NotThere = "not-there", Error;
    /// The vendor refuses this call to our position.
    PositionRefused = "position-refused", Warning;
    /// What is created without products gets the partner's default products.
    DefaultProductsApply = "default-products-apply", Info;
    /// An unbound record shares only a weak key with a pending invitation.
    UnmatchedAcceptance = "unmatched-acceptance", Warning;
    /// An observation denies what was attested.
    AttestationContradicted = "attestation-contradicted", Warning;
    /// An attestation names a task or operation that is not open.
    AttestationUnused = "attestation-unused", Warning;
    /// The invitation was not accepted in time.
    InvitationExpired = "invitation-expired", Warning;
    /// The invitation was taken back: no mail and no reminder is made for it.
    InvitationRevoked = "invitation-revoked", Warning;
    /// The census did not arrive whole: nothing is removed and absence means nothing.
    IncompleteCensus = "incomplete-census", Warning;
    /// The census is much smaller than the last one.
    ShrunkenCensus = "shrunken-census", Warning;
    /// The declaration lacks what the console requires.
    MissingField = "missing-field", Error;
    /// A first password would come and has no recipient.
    NoSecretRecipient = "no-secret-recipient", Error;
    /// The field can be changed neither by API nor by a person there.
    Immutable = "immutable", Error;
    /// A contact has an address at the partner's own domain.
    OwnContact = "own-contact", Warning;
    /// The console shows a value that this version does not know.
    UnknownValue = "unknown-value", Warning;
    /// A declaration names an object that is not there.
    DanglingReference = "dangling-reference", Error;
    /// Two declarations want the same record.
    BoundTwice = "bound-twice", Error;
    /// Two declarations contradict each other.
    Contradiction = "contradiction", Error;
    /// A task was refused.
    TaskRefused = "task-refused", Warning;
    /// An invitation names nothing that acceptance will show.
    UnrecognisableAcceptance = "unrecognisable-acceptance", Error;
    /// A capability gate of the console's programme excludes it.
    ProgramExcludes = "program-excludes", Error;
    /// Details could not be read within the budget of this run.
    NotCompared = "not-compared", Info;
    /// The wanted quantity or term cannot be had now.
    NotNow = "not-now", Warning;
    /// A console could not be reached or read: nothing is planned there, and nothing is known of what it holds.
    NotPlanned = "not-planned", Error;
}

impl Code {
    /// Whether it says that a console holds something else than is declared, or may do so.
    pub const fn apart(self) -> bool {
        matches!(
            self,
            Code::Drift
                | Code::EndedElsewhere
                | Code::NotReadable
                | Code::IncompleteCensus
                | Code::ShrunkenCensus
                | Code::PossibleMatch
                | Code::TaskRefused
        )
    }
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(any(test, feature = "schema"), derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Its code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// About which declaration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// What is the matter; fit for a terminal.
    pub words: String,
    /// What to do, one line each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next: Vec<String>,
    /// Where it was declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<Origin>,
    /// The field of the declaration, as a path (`spec.accounts[0].sophos.billing`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
}

impl Finding {
    /// A finding with its code's severity.
    pub fn new(code: Code, words: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            address: None,
            words: words.into(),
            next: Vec::new(),
            origin: None,
            path: None,
        }
    }

    /// What is wanted is nothing that the console has (`by` is [`By::Never`]), or nothing that this version does there.
    pub fn gap(title: &str, by: By, what: &str) -> Self {
        if by == By::NotYet {
            Self::new(
                Code::NotSupportedYet,
                format!("{title} can do this, this version of tenantry cannot: {what}"),
            )
        } else {
            Self::new(Code::NotThere, format!("{title} has no such thing: {what}"))
        }
    }

    /// About this declaration.
    #[must_use]
    pub fn about(mut self, address: &Address) -> Self {
        self.address = Some(address.clone());
        self
    }

    /// Declared here.
    #[must_use]
    pub fn at(mut self, origin: &Origin) -> Self {
        self.origin = Some(origin.clone());
        self
    }

    /// In this field.
    #[must_use]
    pub fn field(mut self, path: impl Into<String>) -> Self {
        self.path = Some(path.into());
        self
    }

    /// One more thing to do.
    #[must_use]
    pub fn next(mut self, words: impl Into<String>) -> Self {
        self.next.push(words.into());
        self
    }
}
