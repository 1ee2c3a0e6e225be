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

/// What the vendor documents, copied from its pages and not from our table: "Error codes", "Verify an indirect
/// reseller's agreement status", "Cart resources", and the observations that the table names.
#[rustfmt::skip]
const DOCUMENTED: &[(About, u16, &[i64])] = &[
    (About::Any, 400, &[2000, 800_002, 900_118, 3000, 2055]),
    (About::Any, 404, &[3000, 1000]),
    (About::Any, 417, &[800_036]),
    (About::Any, 401, &[400, 800_001, 900_420]),
    (About::Any, 403, &[2032, 900_150, 900_308, 900_309, 900_329, 800_039, 1002]),
    (About::Any, 400, &[27_002, 600_002, 600_049, 600_050, 600_051, 2007]),
    (About::Any, 403, &[600_006, 20_002, 800_073, 800_074, 800_075]),
    (About::Any, 404, &[60_003, 60_002, 20_003]),
    (About::Any, 400, &[2001, 2002, 900_275, 2011, 2054, 800_090, 900_214, 900_257, 800_091, 800_093, 800_096]),
    (About::Any, 400, &[900_117, 900_213, 900_277, 900_279, 900_280, 900_311]),
    (About::Any, 409, &[800_082, 900_278, 800_064, 800_060]),
    (About::Any, 403, &[13_605, 900_322, 800_066, 800_067, 900_123, 900_124, 800_077, 400_036, 400_030]),
    (About::Any, 404, &[20_000, 800_008, 400_018, 400_019, 400_013, 800_015]),
    (About::Any, 400, &[800_065, 800_009, 800_018, 800_016, 900_203, 900_206, 800_063, 60_012, 900_316, 600_061]),
    (About::Any, 409, &[600_061]),
    (About::Create, 400, &[27_002, 600_002, 800_002, 2007]),
    (About::Create, 409, &[409]),
    (About::Agreement, 400, &[2000, 2001, 2200, 2201, 2203, 2206, 2204, 2205]),
    (About::Cart, 201, &[10_000, 10_001, 10_002, 10_003, 10_004, 10_006, 10_007, 10_008, 10_009, 10_010, 10_011, 10_012, 10_015]),
];

#[test]
fn every_code_that_microsoft_documents_is_in_the_table() {
    for (about, status, codes) in DOCUMENTED {
        for code in *codes {
            let read = refusal(*about, &answer(*status, &[], &format!("{{\"code\":{code}}}")));
            assert_ne!(read.code, "refused", "{about:?} {status}/{code} has no text");
        }
    }
}

/// The simulator shares nothing with the table: what it answers, as the documents say, must have its text here.
#[test]
fn every_refusal_of_the_simulator_has_its_text() {
    // Neither status nor code of a removal that is blocked is documented; the vendor's own words are kept.
    let undocumented = ["CANNOT_REMOVE"];
    for (name, code) in tenantry_simulator::microsoft::errors::ALL {
        let body = format!("{{\"code\":{},\"description\":\"{}\"}}", code.code, code.text);
        let unknown = [About::Any, About::Create, About::Agreement]
            .map(|about| refusal(about, &answer(code.status, &[], &body)).code)
            .iter()
            .all(|code| code == "refused");
        assert_eq!(unknown, undocumented.contains(name), "{name}");
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
