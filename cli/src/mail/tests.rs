//! The same bytes each time, in every language, and nothing that begins another header.

use std::collections::BTreeMap;

use super::*;

fn letter<'a>(words: &'a Words, to: &'a str, name: Option<&'a str>) -> Letter<'a> {
    Letter {
        from: None,
        name,
        to,
        language: "de",
        words,
        link: "https://admin.example/partner?id=1&type=ResellerRelationship",
        message_id: "0b6c",
        reminds_of: None,
        domain: "msp.example",
        drafted: "2026-11-12T08:30:00Z".parse().expect("a moment"),
    }
}

fn text(letter: &Letter<'_>) -> String {
    String::from_utf8(render(letter).expect("renders")).expect("is UTF-8")
}

fn german() -> Words {
    words(None, &BTreeMap::new(), "de", false).0
}

#[test]
fn a_mail_is_the_same_bytes_each_time() {
    let words = Words { subject: "Grüße".into(), body: "Bitte:\n{{ link }}\n".into() };
    let letter = letter(&words, "ceo@adatum.example", Some("Jörg Groß"));
    let first = text(&letter);
    assert_eq!(
        first,
        "To: =?utf-8?B?SsO2cmcgR3Jvw58=?= <ceo@adatum.example>\r\n\
         Subject: =?utf-8?B?R3LDvMOfZQ==?=\r\n\
         Date: Thu, 12 Nov 2026 08:30:00 +0000\r\n\
         Message-ID: <0b6c@msp.example>\r\n\
         X-Unsent: 1\r\n\
         MIME-Version: 1.0\r\n\
         Content-Type: text/plain; charset=\"utf-8\"\r\n\
         Content-Language: de\r\n\
         Content-Transfer-Encoding: 8bit\r\n\
         \r\n\
         Bitte:\r\n\
         https://admin.example/partner?id=1&type=ResellerRelationship\r\n"
    );
    assert_eq!(first, text(&letter));
}

#[test]
fn every_built_in_text_holds_the_link_once_and_fits_a_terminal() {
    for language in ["en", "de", "fr", "nl", "es", "it"] {
        for reminder in [false, true] {
            let (words, spoken) = words(None, &BTreeMap::new(), language, reminder);
            assert_eq!(spoken, language);
            assert_eq!(words.body.matches(LINK).count(), 1, "{language}");
            assert!(words.body.lines().all(|line| line.chars().count() <= 80), "{language}: {}", words.body);
            let mail = text(&Letter { words: &words, language, ..letter(&words, "a@b.example", None) });
            assert_eq!(mail.matches("https://admin.example").count(), 1, "{mail}");
        }
    }
}

#[test]
fn languages_fall_back_to_the_nearest_words() {
    let messages: BTreeMap<String, String> =
        [("de", "console de {{ link }}"), ("en", "console en {{ link }}")]
            .map(|(a, b)| (a.into(), b.into()))
            .into();
    let body = |own, language: &str| {
        let (words, spoken) = words(own, &messages, language, false);
        (
            words.body.split(" {{").next().unwrap_or_default().lines().next().unwrap_or_default().to_owned(),
            spoken,
        )
    };
    assert_eq!(body(Some("own {{ link }}"), "de"), ("own".into(), "de".into()));
    assert_eq!(body(None, "de-AT"), ("console de".into(), "de-AT".into()));
    assert_eq!(body(None, "DE"), ("console de".into(), "DE".into()));
    assert_eq!(body(None, "fr-CH"), ("Bonjour,".into(), "fr".into()));
    assert_eq!(body(None, "pt"), ("console en".into(), "en".into()));
    assert_eq!(words(None, &BTreeMap::new(), "pt", false).0, words(None, &BTreeMap::new(), "en", false).0);
}

#[test]
fn a_first_line_may_be_the_subject() {
    let own = "Subject: Willkommen\n\nBitte: {{ link }}\n";
    let (words, _) = words(Some(own), &BTreeMap::new(), "de", true);
    assert_eq!(words, Words { subject: "Erinnerung: Willkommen".into(), body: "Bitte: {{ link }}\n".into() });
}

#[test]
fn nothing_declared_begins_another_header() {
    let words = Words {
        subject: "Hi\r\nBcc: x@y.example".into(),
        body: "{{ link }}\r\n.\r\n\u{1b}[1mX\u{202e}".into(),
    };
    let name = "Eve\r\nBcc: x@y.example\u{202e}\"<>,";
    let mail = text(&letter(&words, "a@b.example", Some(name)));
    let (head, body) = mail.split_once("\r\n\r\n").expect("a body");
    for line in head.split("\r\n") {
        assert!(!line.to_ascii_lowercase().starts_with("bcc"), "{head}");
    }
    assert!(!head.contains('\u{202e}') && !body.contains(['\u{1b}', '\u{202e}']), "{mail}");
    assert!(!mail.replace("\r\n", "").contains(['\r', '\n']), "{mail}");
}

#[test]
fn a_reminder_answers_its_invitation() {
    let words = words(None, &BTreeMap::new(), "nl", true).0;
    let mail = text(&Letter { reminds_of: Some("first"), ..letter(&words, "a@b.example", None) });
    assert!(mail.contains("Subject: Herinnering: Bevestig"), "{mail}");
    assert!(
        mail.contains("In-Reply-To: <first@msp.example>\r\nReferences: <first@msp.example>\r\n"),
        "{mail}"
    );
}

#[test]
fn a_sender_and_a_whole_message_id_are_taken_as_they_are() {
    let words = german();
    let mail = text(&Letter {
        from: Some("\"Anna Ößler\" <anna@msp.example>"),
        message_id: "whole@elsewhere.example",
        ..letter(&words, "a@b.example", None)
    });
    assert!(mail.starts_with("From: =?utf-8?"), "{mail}");
    assert!(mail.contains(" <anna@msp.example>\r\n"), "{mail}");
    assert!(mail.contains("Message-ID: <whole@elsewhere.example>\r\n"), "{mail}");
}

#[test]
fn a_line_too_long_for_a_mail_is_encoded() {
    let words = Words { subject: "x".into(), body: format!("{{{{ link }}}}\n{}", "ä".repeat(600)) };
    let mail = text(&letter(&words, "a@b.example", None));
    assert!(!mail.contains("8bit"), "{mail}");
    assert!(mail.lines().all(|line| line.len() <= 998), "{mail}");
}

#[test]
fn addresses_are_checked_not_repaired() {
    assert_eq!(
        address("jörg@x.example"),
        Err(MailError::Address {
            address: "jörg@x.example".into(),
            because: "the part before the @ is not ASCII, which few mail servers take"
        })
    );
    assert_eq!(address("info@müller.example"), Ok("info@xn--mller-kva.example".into()));
    for bad in [
        "",
        "a",
        "a@",
        "@b.example",
        "a b@c.example",
        "a@b\r\nBcc: c@d.example",
        "a,b@c.example",
        "a@localhost",
        "<a@b.example>",
    ] {
        assert!(address(bad).is_err(), "{bad}");
    }
    assert!(mailbox("Anna <anna>").is_err());
}

#[test]
fn what_cannot_be_rendered_says_why_and_what_to_do() {
    let words = german();
    let error = |letter: Letter<'_>| render(&letter).expect_err("refused").to_string();
    let good = letter(&words, "a@b.example", None);
    assert_eq!(
        error(Letter { to: "", ..good.clone() }),
        "the invitation's addressee was erased from the ledger; no mail can be made from it"
    );
    assert_eq!(
        error(Letter { link: "", ..good.clone() }),
        "the invitation's link was erased from the ledger; no mail can be made from it"
    );
    assert_eq!(
        error(Letter { link: "javascript:1", ..good.clone() }),
        "javascript:1 is no link that a mail can carry: it is no web address, or holds white space"
    );
    assert_eq!(
        error(Letter { to: "nobody", ..good.clone() }),
        "nobody is no mail address: it has no @; correct it where it is declared and invite anew"
    );
    let lost = Words { body: "no link".into(), ..words.clone() };
    assert_eq!(
        error(Letter { words: &lost, ..good }),
        "the message in language de does not hold {{ link }}: a mail without the link invites nobody; write it into the message"
    );
}
