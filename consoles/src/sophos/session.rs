//! Who we are at Sophos: token, whoami, identity header.
//!
//! Sources: Sophos Postman collection (token, whoami), Sophos community (authentication, errors). A bearer goes to
//! the identity and the global API host alone; both are fixed, so that no answer can send it elsewhere.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::Value as Json;
use tenantry_engine::console::ConsoleError;
use tenantry_engine::runtime::Clock;
use tokio::sync::OnceCell;

use super::dialect::TITLE;
use super::errors::{self, Asked};
use super::records::{id, text};
use crate::auth::{Grant, TokenSource, Tokens};
use crate::transport::{AllowList, Answer, Base, Counted, Outgoing, Reader};

/// The hosts of one console.
#[derive(Debug, Clone)]
pub(super) struct Hosts {
    pub identity: Base,
    pub api: Base,
}

impl Hosts {
    /// Sophos's own, or one base for both.
    pub(super) fn new(endpoint: Option<Base>) -> Self {
        match endpoint {
            Some(base) => Self { identity: base.clone(), api: base },
            None => Self {
                identity: Base::known("https://id.sophos.com"),
                api: Base::known("https://api.central.sophos.com"),
            },
        }
    }

    /// Everything that observing needs, and nothing else.
    pub(super) fn reads(&self) -> AllowList {
        AllowList::new()
            .and(Method::POST, &self.identity, "/api/v2/oauth2/token")
            .and(Method::GET, &self.api, "/whoami/v1")
            .and(Method::GET, &self.api, "/partner/v1/tenants")
            .and(Method::GET, &self.api, "/organization/v1/tenants")
            .and(Method::GET, &self.api, "/licenses/v1/licenses")
    }

    /// The two requests that change something.
    pub(super) fn writes(&self) -> AllowList {
        AllowList::new().and(Method::POST, &self.api, "/partner/v1/tenants").and(
            Method::PATCH,
            &self.api,
            "/partner/v1/tenants/{id}",
        )
    }
}

/// What kind of account a credential belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum IdType {
    Partner,
    /// Reads only.
    Organization,
}

impl IdType {
    pub(super) const fn header(self) -> &'static str {
        match self {
            IdType::Partner => "x-partner-id",
            IdType::Organization => "x-organization-id",
        }
    }

    /// The first segment of its API.
    pub(super) const fn api(self) -> &'static str {
        match self {
            IdType::Partner => "partner",
            IdType::Organization => "organization",
        }
    }

    pub(super) const fn word(self) -> &'static str {
        match self {
            IdType::Partner => "partner",
            IdType::Organization => "organization",
        }
    }
}

/// The answer of whoami.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Who {
    pub id: String,
    pub id_type: IdType,
}

/// One credential's session.
pub(super) struct Session {
    pub reader: Arc<Reader>,
    pub hosts: Hosts,
    pub tokens: Tokens,
    which: &'static str,
    who: OnceCell<Who>,
}

impl Session {
    pub(super) fn new(
        reader: Arc<Reader>,
        hosts: &Hosts,
        [client_id, client_secret]: [SecretString; 2],
        which: &'static str,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let login = Login { reader: reader.clone(), hosts: hosts.clone(), client_id, client_secret, which };
        Self {
            tokens: Tokens::new(Box::new(login), clock),
            reader,
            hosts: hosts.clone(),
            which,
            who: OnceCell::new(),
        }
    }

    /// Who we are; asked once.
    pub(super) async fn who(&self) -> Result<&Who, ConsoleError> {
        self.who.get_or_try_init(|| self.ask_who()).await
    }

    async fn ask_who(&self) -> Result<Who, ConsoleError> {
        let out = Outgoing::get(&self.hosts.api, &["whoami", "v1"]);
        let answer = self.reader.ask(&out, Some(&self.tokens), Counted::Other).await?;
        if !answer.success() {
            return Err(refused(Asked::WhoAmI, &answer, self.which));
        }
        let body: Json = answer.json(TITLE)?;
        let id_type = match text(&body, "idType") {
            Some("partner") => IdType::Partner,
            Some("organization") => IdType::Organization,
            other => {
                return Err(protocol(format!(
                    "the credential belongs to a {}, and a partner's is needed (Sophos Central Partner › \
                     Settings & Policies › API Credentials)",
                    tenantry_engine::text::terminal(other.unwrap_or("nobody"))
                )));
            }
        };
        let id = text(&body, "id").and_then(id).ok_or_else(|| protocol("whoami names no id".to_owned()))?;
        Ok(Who { id, id_type })
    }
}

pub(super) fn protocol(because: String) -> ConsoleError {
    ConsoleError::Protocol { console: TITLE.to_owned(), because }
}

/// An answer that is a refusal, as an error: of the credential where it is not accepted.
pub(super) fn refused(asked: Asked, answer: &Answer, which: &'static str) -> ConsoleError {
    let refusal = Box::new(errors::refusal(asked, answer));
    let credential = answer.status == 401 || (asked == Asked::Token && (400..404).contains(&answer.status));
    if credential {
        ConsoleError::Credential { console: TITLE.to_owned(), which, refusal }
    } else {
        ConsoleError::Refused { console: TITLE.to_owned(), doing: asked.words().to_owned(), refusal }
    }
}

/// Client credentials for a token (Sophos Postman collection, authentication).
struct Login {
    reader: Arc<Reader>,
    hosts: Hosts,
    client_id: SecretString,
    client_secret: SecretString,
    which: &'static str,
}

#[async_trait]
impl TokenSource for Login {
    async fn fetch(&self) -> Result<Grant, ConsoleError> {
        let out =
            Outgoing::new(Method::POST, &self.hosts.identity, &["api", "v2", "oauth2", "token"]).form(vec![
                ("grant_type", SecretString::from("client_credentials")),
                ("client_id", self.client_id.clone()),
                ("client_secret", self.client_secret.clone()),
                ("scope", SecretString::from("token")),
            ]);
        let answer = self.reader.ask(&out, None, Counted::Other).await?;
        if !answer.success() {
            return Err(refused(Asked::Token, &answer, self.which));
        }
        let body: Json = answer.json(TITLE)?;
        let granted = text(&body, "errorCode").is_none_or(|code| code == "success");
        match text(&body, "access_token").filter(|_| granted) {
            Some(token) => Ok(Grant {
                access: SecretString::from(token.to_owned()),
                lives: SignedDuration::from_secs(
                    body.get("expires_in").and_then(Json::as_i64).unwrap_or(3600).clamp(0, 86_400),
                ),
            }),
            None => Err(refused(Asked::Token, &answer, self.which)),
        }
    }
}
