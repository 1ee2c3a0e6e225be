//! Every documented refusal has its text; others keep what the vendor said.

use std::collections::BTreeSet;

use tenantry_engine::console::refusal_words;

use super::*;

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    Answer::of(status, headers, body.as_bytes())
}

#[test]
fn every_documented_code_has_its_text_as_number_and_as_text() {
    for row in KNOWN.iter().filter(|row| row.status != 0) {
        for code in [row.vendor.to_string(), format!("\"{}\"", row.vendor)] {
            let body = format!(
                "{{\"code\":{code},\"description\":\"secret-ish detail\",\"data\":[],\"source\":\"PartnerFD\"}}"
            );
            let refusal = refusal(
                row.about,
                &answer(row.status, &[("ms-requestid", "r-1"), ("ms-correlationid", "c-1")], &body),
            );
            assert_eq!(refusal.code, row.code);
            assert_eq!(refusal.vendor_code.as_ref().unwrap().raw(), row.vendor.to_string());
            let text = refusal_words(&refusal);
            assert!(text.starts_with(row.words), "{text}");
            assert!(
                text.contains(&format!("({}/{}), request r-1, correlation c-1", row.status, row.vendor)),
                "{text}"
            );
            assert_eq!(text.contains("secret-ish"), row.says_more, "{text}");
        }
    }
}

#[test]
fn codes_are_kebab_case_and_no_two_rows_answer_the_same() {
    let mut seen = BTreeSet::new();
    for row in KNOWN {
        assert!(
            row.code.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-'),
            "{}",
            row.code
        );
        assert!(!row.words.is_empty() && !row.words.ends_with('.'), "{}", row.words);
        assert!(
            seen.insert((format!("{:?}", row.about), row.status, row.vendor)),
            "{} {}",
            row.status,
            row.vendor
        );
    }
}

#[test]
fn one_number_means_two_things_in_two_places() {
    let body = "{\"code\":2001,\"description\":\"\"}";
    assert_eq!(refusal(About::Any, &answer(400, &[], body)).code, "suspended");
    assert_eq!(refusal(About::Agreement, &answer(400, &[], body)).code, "one-partner-missing");
    let body = "{\"code\":3000}";
    assert_eq!(refusal(About::Any, &answer(400, &[], body)).code, "invalid-property");
    assert_eq!(refusal(About::Any, &answer(404, &[], body)).code, "unknown-mpn-id");
}

#[test]
fn a_code_that_is_not_listed_keeps_the_vendors_words_code_and_ids() {
    let body = "{\"code\":987654,\"description\":\"Something \\u001b[31mnew\"}";
    let refusal =
        refusal(About::Any, &answer(400, &[("ms-requestid", "r-2,r-2"), ("ms-correlationid", "c-2")], body));
    assert_eq!(refusal.code, "refused");
    assert_eq!(
        refusal_words(&refusal),
        "Something \\u{1b}[31mnew (400/987654), request r-2, correlation c-2"
    );
}

#[test]
fn other_shapes_of_errors_are_read_too() {
    let graph = answer(
        403,
        &[("request-id", "g-1")],
        "{\"error\":{\"code\":\"Forbidden\",\"message\":\"No rights\"}}",
    );
    let read = refusal(About::Any, &graph);
    assert_eq!(refusal_words(&read), "No rights (403/Forbidden), request g-1");
    let newer = answer(
        400,
        &[],
        "{\"code\":600061,\"message\":\"m\",\"errorName\":\"PartnerConfirmedAgreementAlreadyExists\"}",
    );
    assert_eq!(refusal(About::Any, &newer).code, "agreement-exists");
    let throttled = answer(
        429,
        &[],
        "{ \"statusCode\": 429, \"message\": \"Rate limit is exceeded. Try again in 57 seconds.\" }",
    );
    assert_eq!(refusal(About::Any, &throttled).code, "throttled");
    let empty = refusal(About::Any, &answer(409, &[], ""));
    assert_eq!((empty.code.as_str(), empty.words.raw()), ("refused", "it is refused without a reason"));
    let mark = answer(400, &[], "\u{feff}{\"code\":2055}");
    assert_eq!(refusal(About::Any, &mark).code, "stale-version");
    assert_eq!(refusal(About::Any, &answer(412, &[], "")).code, "stale-version");
}

#[test]
fn a_missing_second_factor_is_told_by_its_header_alone() {
    let mfa = answer(401, &[("www-authenticate", "Bearer error=\"invalid_token\"")], "");
    assert_eq!(refusal(About::Any, &mfa).code, "mfa-required");
    let other = answer(401, &[("www-authenticate", "OAuth realm=urn:cpsvc:cpid:{}")], "");
    assert_eq!(refusal(About::Any, &other).code, "access-denied");
}

#[test]
fn the_token_endpoints_refusals_have_their_text_and_never_the_users_name() {
    for (number, code, ..) in TOKEN {
        let body = format!(
            "{{\"error\":\"invalid_grant\",\"error_description\":\"AADSTS{number}: anna@contoso.example\",\"error_codes\":[{number}],\"trace_id\":\"t-1\",\"correlation_id\":\"c-1\"}}"
        );
        let refusal = token_refusal(&answer(400, &[], &body));
        assert_eq!(refusal.code, *code);
        let text = refusal_words(&refusal);
        assert!(text.contains(&format!("(400/AADSTS{number}), request t-1, correlation c-1")), "{text}");
        assert!(!text.contains("anna"), "{text}");
    }
    let plain = token_refusal(&answer(401, &[], "{\"error\":\"invalid_client\"}"));
    assert_eq!(plain.code, "client-refused");
    assert_eq!(token_refusal(&answer(503, &[], "<html>")).code, "vendor-unwell");
}
