//! Who may see plans: a token that the API server knows, of somebody who may `get consoles/snapshot` there.
//!
//! Both questions go to the API server each time (TokenReview, SubjectAccessReview): a right that was taken away is gone
//! at once. The token is never logged or kept.

use axum::http::{HeaderMap, StatusCode, header};
use k8s_openapi::api::authentication::v1::{TokenReview, TokenReviewSpec};
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SubjectAccessReview, SubjectAccessReviewSpec};
use kube::Client;
use kube::api::{Api, PostParams};
use tenantry_crd::GROUP;

/// Why nothing is shown.
pub type Refused = (StatusCode, &'static str);

/// The bearer token of a request.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer") && !token.trim().is_empty()).then(|| token.trim())
}

/// Whether whoever sent this may see this Console's snapshot; without a name, all of the namespace; without a
/// namespace, all.
pub async fn check(
    client: &Client,
    headers: &HeaderMap,
    namespace: Option<&str>,
    console: Option<&str>,
) -> Result<(), Refused> {
    let token =
        bearer(headers).ok_or((StatusCode::UNAUTHORIZED, "a bearer token of this cluster is needed\n"))?;
    let review = TokenReview {
        spec: TokenReviewSpec { token: token.to_owned(), audiences: None },
        ..TokenReview::default()
    };
    let unanswered = (StatusCode::BAD_GATEWAY, "the API server does not review tokens for us\n");
    let reviews: Api<TokenReview> = Api::all(client.clone());
    let reviewed = reviews.create(&PostParams::default(), &review).await.map_err(|_| unanswered)?;
    let user = reviewed
        .status
        .filter(|status| status.authenticated == Some(true))
        .and_then(|status| status.user)
        .ok_or((StatusCode::UNAUTHORIZED, "the API server does not know this token\n"))?;
    let review = SubjectAccessReview {
        spec: SubjectAccessReviewSpec {
            user: user.username,
            groups: user.groups,
            uid: user.uid,
            extra: user.extra,
            resource_attributes: Some(ResourceAttributes {
                group: Some(GROUP.to_owned()),
                resource: Some("consoles".to_owned()),
                subresource: Some("snapshot".to_owned()),
                verb: Some("get".to_owned()),
                namespace: namespace.map(str::to_owned),
                name: console.map(str::to_owned),
                ..ResourceAttributes::default()
            }),
            ..SubjectAccessReviewSpec::default()
        },
        ..SubjectAccessReview::default()
    };
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    let reviewed = reviews.create(&PostParams::default(), &review).await.map_err(|_| unanswered)?;
    if reviewed.status.is_some_and(|status| status.allowed) {
        Ok(())
    } else {
        Err((StatusCode::FORBIDDEN, "the right to get consoles/snapshot in tenantry.io is needed\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_taken_from_its_header_alone() {
        let headers = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
            headers
        };
        assert_eq!(bearer(&headers("Bearer abc")), Some("abc"));
        assert_eq!(bearer(&headers("bearer abc ")), Some("abc"));
        assert_eq!(bearer(&headers("Basic abc")), None);
        assert_eq!(bearer(&headers("Bearer ")), None);
        assert_eq!(bearer(&HeaderMap::new()), None);
    }
}
