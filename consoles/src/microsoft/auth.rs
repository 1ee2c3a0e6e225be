//! Tokens of Entra for Partner Center and Graph: the application alone, or the application with a user behind it.
//!
//! Source: Partner Center REST, "Partner Center authentication", "Enable secure app model". A refresh may bring a new
//! refresh token: it is used from then on and handed to the [`SecretSink`], so that the next process has it too.
//! Both audiences of one credential share its refresh token, and ask one after the other. Secrets never reach an
//! error; claims of a token are read to know its tenant and trusted for nothing.

use std::sync::{Arc, Mutex as Lock, PoisonError};

use async_trait::async_trait;
use jiff::SignedDuration;
use reqwest::Method;
use secrecy::{ExposeSecret, SecretString};
use tenantry_engine::address::ConsoleName;
use tenantry_engine::console::ConsoleError;
use tenantry_engine::observed::Refusal;
use tenantry_engine::text::Untrusted;
use tokio::sync::Mutex;

use super::dialect::TITLE;
use super::{json, refusals};
use crate::auth::{Grant, TokenSource};
use crate::credentials::{SecretSink, Secrets};
use crate::transport::{Base, Counted, Outgoing, Reader};

/// Key of the refresh token in a credential.
pub(super) const REFRESH_TOKEN: &str = "refreshToken";

/// Where tokens come from.
pub(super) struct Authority {
    pub base: Base,
    /// A transport whose list holds the token endpoint alone.
    pub reader: Reader,
}

/// One credential.
pub(super) struct Credential {
    authority: Arc<Authority>,
    console: ConsoleName,
    which: &'static str,
    tenant: String,
    client_id: SecretString,
    client_secret: SecretString,
    /// The newest refresh token; its lock makes callers ask one after the other.
    refresh: Mutex<Option<SecretString>>,
    /// The one that the credential was opened with.
    first_refresh: Option<SecretString>,
    sink: Option<Arc<dyn SecretSink>>,
    /// The tenant that the last token was for.
    seen: Lock<Option<String>>,
}

impl Credential {
    /// From the values of a credential; those in `values` are there.
    pub fn new(
        authority: Arc<Authority>,
        console: &ConsoleName,
        which: &'static str,
        tenant: &str,
        [client_id, client_secret]: [SecretString; 2],
        secrets: &Secrets,
        sink: Option<Arc<dyn SecretSink>>,
    ) -> Self {
        let refresh = secrets.get(REFRESH_TOKEN).cloned();
        Self {
            authority,
            console: console.clone(),
            which,
            tenant: secrets.get("tenant").map_or(tenant, |tenant| tenant.expose_secret()).to_owned(),
            client_id,
            client_secret,
            first_refresh: refresh.clone(),
            refresh: Mutex::new(refresh),
            sink,
            seen: Lock::new(None),
        }
    }

    /// Whether no user stands behind it.
    pub fn app_only(&self) -> bool {
        self.first_refresh.is_none()
    }

    /// Whether these values are this credential: the same application with the refresh token that it was opened with
    /// or holds now. Two holders of one refresh token would outdate each other.
    pub async fn is(&self, secrets: &Secrets) -> bool {
        let same = |key: &str, own: &SecretString| {
            secrets.get(key).is_some_and(|other| other.expose_secret() == own.expose_secret())
        };
        let now = self.refresh.lock().await.clone();
        let refresh = match secrets.get(REFRESH_TOKEN) {
            None => self.first_refresh.is_none(),
            Some(_) => self.first_refresh.iter().chain(now.iter()).any(|own| same(REFRESH_TOKEN, own)),
        };
        let tenant = secrets.get("tenant").is_none_or(|tenant| tenant.expose_secret() == self.tenant);
        refresh && tenant && same("clientId", &self.client_id) && same("clientSecret", &self.client_secret)
    }

    /// The tenant that the last token was for, as the token says.
    pub fn tenant(&self) -> Option<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn refused(&self, refusal: Refusal) -> ConsoleError {
        ConsoleError::Credential { console: TITLE.into(), which: self.which, refusal: Box::new(refusal) }
    }

    async fn grant(&self, resource: &str) -> Result<Grant, ConsoleError> {
        let mut refresh = self.refresh.lock().await;
        let mut form = vec![
            ("client_id", self.client_id.clone()),
            ("client_secret", self.client_secret.clone()),
            ("resource", SecretString::from(resource.to_owned())),
        ];
        match refresh.as_ref() {
            Some(token) => form.extend([
                ("grant_type", SecretString::from("refresh_token")),
                ("refresh_token", token.clone()),
                ("scope", SecretString::from("openid")),
            ]),
            None => form.push(("grant_type", SecretString::from("client_credentials"))),
        }
        let out = Outgoing::new(Method::POST, &self.authority.base, &[&self.tenant, "oauth2", "token"])
            .header("accept", "application/json")
            .form(form);
        let answer = self.authority.reader.ask(&out, None, Counted::Other).await?;
        if !answer.success() {
            return Err(self.refused(refusals::token_refusal(&answer)));
        }
        let body = json::parse(answer.text().as_bytes()).unwrap_or_default();
        let Some(access) = json::text(&body, &["access_token"]) else {
            return Err(ConsoleError::Protocol {
                console: TITLE.into(),
                because: "the token endpoint answers without an access_token".into(),
            });
        };
        let tenant =
            json::claims(access).and_then(|claims| json::text(&claims, &["tid"]).and_then(json::guid));
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = tenant;
        let grant = Grant {
            access: SecretString::from(access.to_owned()),
            lives: SignedDuration::from_secs(
                json::number(&body, &["expires_in"]).unwrap_or(0).clamp(0, 86_400),
            ),
        };
        if let (Some(old), Some(new)) = (refresh.clone(), json::text(&body, &["refresh_token"]))
            && old.expose_secret() != new
        {
            let new = SecretString::from(new.to_owned());
            *refresh = Some(new.clone());
            self.keep(&new).await?;
        }
        Ok(grant)
    }

    /// Hands a new refresh token over to be stored.
    async fn keep(&self, token: &SecretString) -> Result<(), ConsoleError> {
        let Some(sink) = &self.sink else { return Ok(()) };
        sink.store(&self.console, self.which, REFRESH_TOKEN, token).await.map_err(|error| {
            self.refused(Refusal {
                code: "refresh-token-not-stored".into(),
                status: None,
                vendor_code: None,
                words: Untrusted::new(format!("Microsoft gave a new refresh token: {error}")),
                hint: "make the place writable and run again; if the old token has died, consent anew".into(),
                request_id: None,
                correlation_id: None,
            })
        })
    }
}

/// Tokens of one credential for one audience.
pub(super) struct ForResource {
    pub credential: Arc<Credential>,
    pub resource: &'static str,
}

#[async_trait]
impl TokenSource for ForResource {
    async fn fetch(&self) -> Result<Grant, ConsoleError> {
        self.credential.grant(self.resource).await
    }
}
