//! Every documented refusal of Sophos has its text; others keep what the vendor said.

use tenantry_engine::console::refusal_words;

use super::*;

fn answer(status: u16, body: &str) -> Answer {
    Answer::of(status, &[], body.as_bytes())
}

const EVERYTHING: [Asked; 6] =
    [Asked::Token, Asked::WhoAmI, Asked::List, Asked::Licenses, Asked::Create, Asked::Rename];

/// The statuses of the error page (Sophos community, "Sophos Central API errors"; sophos-central-api client), as they
/// are told where nothing more is known of the request.
#[test]
fn every_documented_status_has_its_text_in_every_spelling_of_the_error_object() {
    let told = [
        (400, "invalid-request", "the request is not accepted"),
        (401, "not-authenticated", "the token or the identity header is not accepted"),
        (403, "forbidden", "this credential may not do that"),
        (404, "not-found", "there is no such customer"),
        (409, "conflict", "it contradicts what is there"),
        (413, "too-large", "the request is too large"),
        (414, "too-large", "the request is too large"),
        (429, "throttled", "too many requests"),
        (451, "legal-block", "it is blocked for legal reasons"),
        (500, "vendor-error", "Sophos failed"),
        (502, "vendor-error", "Sophos failed"),
        (503, "vendor-error", "Sophos failed"),
    ];
    for (status, code, words) in told {
        for (body, shown) in [
            (r#"{"error":"some","message":"Some.","correlationId":"c-1","requestId":"r-1"}"#, true),
            (
                r#"{"error":"Some","correlationId":"c-1","requestId":"r-1","createdAt":"2026-01-12T08:00:00Z"}"#,
                true,
            ),
            ("", false),
            ("<html>a proxy's page</html>", false),
        ] {
            let refusal = refusal(Asked::List, &answer(status, body));
            assert_eq!((refusal.code.as_str(), refusal.status), (code, Some(status)), "{body}");
            let text = refusal_words(&refusal);
            assert!(text.starts_with(words), "{status}: {text}");
            assert!(!text.contains("proxy"), "{text}");
            let ids = text.contains(", request r-1, correlation c-1");
            assert_eq!(ids, shown, "{status}: {text}");
        }
    }
}

#[test]
fn what_was_asked_decides_what_is_to_be_done() {
    let create = |status, body| refusal(Asked::Create, &answer(status, body));
    assert_eq!(create(409, "").code, "already-exists");
    assert_eq!(create(400, r#"{"message":"Account already exists"}"#).code, "already-exists");
    assert!(create(400, "").hint.contains("dataGeography"));
    assert!(create(403, "").hint.contains("MSP Flex"));
    for status in [404, 405, 415] {
        let rename = refusal(Asked::Rename, &answer(status, ""));
        assert_eq!(
            (rename.code.as_str(), rename.hint.contains("becomes a task")),
            ("position-refused", true)
        );
    }
    assert!(refusal(Asked::Rename, &answer(403, "")).hint.contains("Super Admin"));
    // A customer that does not let us look is not a customer that is gone (error page: 403 and, by one source, 401).
    assert_eq!(refusal(Asked::Licenses, &answer(403, "")).code, "partner-assistance-off");
    assert_eq!(refusal(Asked::Licenses, &answer(401, "")).code, "not-ours");
}

#[test]
fn the_token_services_codes_have_their_text() {
    for (status, code, ours) in [
        (401, "oauth.invalid_client_secret", "wrong-secret"),
        (401, "oauth.client_app_does_not_exist", "unknown-client"),
        (400, "customer.validation", "malformed-credential"),
        (401, "something.new", "not-authenticated"),
        (500, "", "vendor-error"),
    ] {
        let body = format!(r#"{{"errorCode":"{code}","message":"Unauthorized","trackingId":"t-1"}}"#);
        let refusal = refusal(Asked::Token, &answer(status, &body));
        assert_eq!(refusal.code, ours);
        assert!(refusal_words(&refusal).contains("request t-1"), "{refusal:?}");
    }
}

#[test]
fn a_status_that_is_not_listed_keeps_the_vendors_words_code_and_ids() {
    let body =
        r#"{"error":"teapot","message":"Something \u001b[31mnew","correlationId":"c-2","requestId":"r-2"}"#;
    for asked in EVERYTHING.into_iter().filter(|asked| *asked != Asked::Token) {
        let refusal = refusal(asked, &answer(418, body));
        assert_eq!(refusal.code, "refused");
        assert_eq!(
            refusal_words(&refusal),
            "Something \\u{1b}[31mnew (418/teapot), request r-2, correlation c-2"
        );
    }
    let silent = refusal(Asked::List, &answer(418, ""));
    assert_eq!(refusal_words(&silent), "status 418 (418)");
}

#[test]
fn every_code_is_kebab_case_and_every_text_one_line() {
    for asked in EVERYTHING {
        for status in (400..=451).chain(500..=504) {
            let refusal = refusal(asked, &answer(status, ""));
            let plain = |c: char| c.is_ascii_lowercase() || c == '-';
            assert!(refusal.code.chars().all(plain), "{}", refusal.code);
            let text = refusal_words(&refusal);
            assert!(!text.is_empty() && !text.contains('\n'), "{text}");
        }
    }
}

#[test]
fn every_status_of_the_page_is_listed_with_what_is_said() {
    let listed: Vec<Refused> = documented().collect();
    assert_eq!(listed.len(), TOKEN_CODES.len() + STATUSES.len() + 9);
    for row in &listed {
        assert!(row.code != "refused" && !row.words.is_empty(), "{row:?}");
    }
}
