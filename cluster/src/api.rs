//! What an API server refuses, in words: what, where, and what to do about it.
//!
//! Also tells answers that prove that nothing happened from those that prove nothing. Never repeats a request.

use kube::Error;
use kube::core::Status;
use tenantry_engine::store::StoreError;
use tenantry_engine::text::terminal;

#[cfg(test)]
mod tests;

/// Why an API server did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No right.
    #[error(
        "cannot {doing}: the cluster refuses it to us ({because}); grant it with a Role, as the chart's ClusterRole does, or use another context"
    )]
    Forbidden {
        /// What was asked, and where.
        doing: String,
        /// The server's words.
        because: String,
    },
    /// No identity.
    #[error("cannot {doing}: the cluster does not know us ({because}); log in again, or use another context")]
    Unauthorized {
        /// What was asked, and where.
        doing: String,
        /// The server's words.
        because: String,
    },
    /// The kind is unknown there.
    #[error(
        "cannot {doing}: the cluster does not know this kind; install the definitions: tenantry crds | kubectl apply --server-side -f -"
    )]
    NotInstalled {
        /// What was asked, and where.
        doing: String,
    },
    /// The object is not accepted.
    #[error(
        "cannot {doing}: the cluster does not accept it ({because}); the definitions there may be older than this tenantry: tenantry crds | kubectl apply --server-side -f -"
    )]
    Invalid {
        /// What was asked, and where.
        doing: String,
        /// The server's words.
        because: String,
    },
    /// No answer, or one that proves nothing.
    #[error(
        "cannot {doing}: the cluster gave no answer that tells anything; see whether it is up, and run again"
    )]
    Unanswered {
        /// What was asked, and where.
        doing: String,
        /// What came instead.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Any other refusal.
    #[error("cannot {doing}: the cluster refuses it ({because}); see its status, and run again")]
    Refused {
        /// What was asked, and where.
        doing: String,
        /// The server's words.
        because: String,
    },
}

/// No answer within the time that we wait for one.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0} s")]
pub struct Late(pub u64);

impl ApiError {
    /// From kube's error; `doing` names what and where.
    pub fn new(doing: impl Into<String>, error: Error) -> Self {
        let doing = doing.into();
        match error {
            Error::Api(status) => {
                let because = words(&status);
                match status.code {
                    401 => Self::Unauthorized { doing, because },
                    403 => Self::Forbidden { doing, because },
                    404 if unknown_kind(&status) => Self::NotInstalled { doing },
                    400 | 413 | 422 => Self::Invalid { doing, because },
                    _ => Self::Refused { doing, because },
                }
            }
            other => Self::Unanswered { doing, source: Box::new(other) },
        }
    }
}

impl From<ApiError> for StoreError {
    fn from(error: ApiError) -> Self {
        Self::Other(Box::new(error))
    }
}

/// A path that the server does not serve, not an object that is not there.
fn unknown_kind(status: &Status) -> bool {
    status.code == 404 && status.details.as_ref().is_none_or(|details| details.name.is_empty())
}

/// The server's words for a refusal, fit for a terminal.
fn words(status: &Status) -> String {
    let said = if status.message.is_empty() { &status.reason } else { &status.message };
    format!("{}: {}", status.code, terminal(said))
}

/// What an answer to a write proves.
pub(crate) enum Proof {
    /// It was refused: nothing happened.
    Refused(Error),
    /// Somebody else was there: another version, an object of this name, or none any more.
    Raced,
    /// Nothing: it may have happened.
    Nothing(Error),
}

/// What kube's error proves about a write; `first` where no object of this name was known.
pub(crate) fn proof(error: Error, first: bool) -> Proof {
    match &error {
        Error::Api(status) => match status.code {
            409 => Proof::Raced,
            404 if !first && !unknown_kind(status) => Proof::Raced,
            400..=428 | 430..=499 => Proof::Refused(error),
            _ => Proof::Nothing(error),
        },
        Error::BuildRequest(_) | Error::Auth(_) => Proof::Refused(error),
        _ => Proof::Nothing(error),
    }
}
