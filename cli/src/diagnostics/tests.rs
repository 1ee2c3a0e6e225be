//! The three forms of a diagnostic.

use super::{Code, Diagnostic, Place, SourceLine, Style, Tally, github, json, sort, text, visible};

fn place(line: u32, column: u32, end_column: u32, source: &str) -> Place {
    let source = Some(SourceLine::new(source, column, end_column));
    Place {
        line,
        column,
        end_column,
        source,
        ..Place::file("./customers/fjord.yaml", "customers/fjord.yaml")
    }
}

fn example() -> Diagnostic {
    Diagnostic::error(Code::Yaml11Boolean, "`NO` is text here, but YAML 1.1 readers take it for false")
        .at(place(9, 12, 14, "  country: NO # 100%"))
        .label("write \"NO\"")
        .see("tenantry explain customer.spec.company.address")
        .related("the other, the \"first\"", place(2, 1, 3, "ab"))
}

#[test]
fn text_has_the_compilers_layout() {
    assert_eq!(
        text(&[example()], Style::Plain),
        "\
error[yaml11-boolean]: `NO` is text here, but YAML 1.1 readers take it for false
 --> ./customers/fjord.yaml:9:12
  |
9 |   country: NO # 100%
  |            ^^ write \"NO\"
  |
 ::: ./customers/fjord.yaml:2:1
  |
2 | ab
  | -- the other, the \"first\"
  |
  = see: tenantry explain customer.spec.company.address
"
    );
}

#[test]
fn colour_changes_nothing_but_colour() {
    let coloured = text(&[example()], Style::Colour);
    assert!(coloured.contains("\u{1b}["));
    let mut plain = String::new();
    let mut rest = coloured.as_str();
    while let Some(at) = rest.find("\u{1b}[") {
        plain.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = rest.split_once('m').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    assert_eq!(plain, text(&[example()], Style::Plain));
}

#[test]
fn a_diagnostic_without_a_source_line_still_says_where_and_what_to_do() {
    let diagnostic = Diagnostic::error(Code::FileTooLarge, "this file is larger than 16 MiB")
        .at(Place::file("a.yaml", "a.yaml"))
        .label("divide it");
    assert_eq!(
        text(&[diagnostic], Style::Plain),
        "error[file-too-large]: this file is larger than 16 MiB\n--> a.yaml\n = help: divide it\n"
    );
}

#[test]
fn github_commands_cannot_be_broken_out_of() {
    let mut diagnostic = example();
    diagnostic.message = "50%\r\n::error::forged".to_owned();
    if let Some(place) = &mut diagnostic.place {
        place.repository_path = "a,b:c\n.yaml".into();
    }
    assert_eq!(
        github(&[diagnostic]),
        "::error file=a%2Cb%3Ac\\n.yaml,line=9,col=12,endColumn=14,title=yaml11-boolean::50%25\\r\\n::error::forged%0A\
         write \"NO\"%0A./customers/fjord.yaml:2:1: the other, the \"first\"%0A\
         see: tenantry explain customer.spec.company.address\n"
    );
}

#[test]
fn json_is_one_document_with_a_version() {
    let printed = serde_json::to_string(&json(&[example()], 3)).expect("it is JSON");
    let expected = serde_json::json!({
        "formatVersion": 1,
        "diagnostics": [{
            "severity": "error",
            "code": "yaml11-boolean",
            "message": "`NO` is text here, but YAML 1.1 readers take it for false",
            "label": "write \"NO\"",
            "place": {
                "path": "customers/fjord.yaml", "givenPath": "./customers/fjord.yaml",
                "line": 9, "column": 12, "endColumn": 14, "source": "  country: NO # 100%",
            },
            "notes": [{"kind": "see", "text": "tenantry explain customer.spec.company.address"}],
            "related": [{
                "message": "the other, the \"first\"",
                "place": {
                    "path": "customers/fjord.yaml", "givenPath": "./customers/fjord.yaml",
                    "line": 2, "column": 1, "endColumn": 3, "source": "ab",
                },
            }],
        }],
        "summary": {"errors": 1, "warnings": 0, "notes": 0, "files": 1, "filesRead": 3},
    });
    assert_eq!(printed, expected.to_string());
}

#[test]
fn foreign_characters_are_shown_and_not_obeyed() {
    assert_eq!(visible("a\u{1b}[31mb\u{202e}c\r\n\td"), "a\\u{1b}[31mb\\u{202e}c\\r\\n\td");
    assert!(matches!(visible("Praxis Müller 😀"), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn a_line_without_end_is_shown_as_a_window_with_its_true_column() {
    let line = format!("{}NO{}", "x".repeat(5_000), "y".repeat(5_000));
    let diagnostic =
        Diagnostic::error(Code::Yaml11Boolean, "m").at(place(1, 5_001, 5_003, &line)).label("here");
    let printed = text(&[diagnostic], Style::Plain);
    let places: Vec<&str> = printed.lines().filter(|line| line.contains("-->")).map(str::trim).collect();
    assert_eq!(places, ["--> ./customers/fjord.yaml:1:5001"], "{printed}");
    assert!(printed.contains("NO") && printed.len() < 1_000, "{printed}");
}

#[test]
fn a_line_with_characters_written_out_is_told_at_its_true_column() {
    let line = "name: \"a\u{202e}b\u{1b}[31mc\"";
    let printed = text(&[Diagnostic::error(Code::YamlSyntax, "m").at(place(4, 10, 11, line))], Style::Plain);
    let places: Vec<&str> = printed.lines().filter(|line| line.contains("-->")).map(str::trim).collect();
    assert_eq!(places, ["--> ./customers/fjord.yaml:4:10"], "{printed}");
    assert!(printed.contains("a\\u{202e}b\\u{1b}[31mc"), "{printed}");
}

#[test]
fn order_and_counts_do_not_depend_on_how_they_were_found() {
    let at = |line| Diagnostic::error(Code::NullValue, "m").at(place(line, 1, 2, "x"));
    let mut diagnostics = vec![at(3), Diagnostic::warning(Code::PathOutside, "w"), at(1), at(3)];
    sort(&mut diagnostics);
    let lines: Vec<u32> = diagnostics.iter().map(|d| d.place.as_ref().map_or(0, |p| p.line)).collect();
    assert_eq!(lines, [0, 1, 3]);
    assert_eq!(Tally::of(&diagnostics).sentence(139), "2 errors, 1 warning in 1 of 139 files");
    assert_eq!(Tally::default().sentence(1), "no errors in 1 file");
}

#[test]
fn every_code_has_a_name_of_its_own_and_a_meaning() {
    let mut names: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert!(
        names
            .iter()
            .all(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'))
    );
    assert!(Code::ALL.iter().all(|code| code.meaning().ends_with('.')));
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), Code::ALL.len());
}
