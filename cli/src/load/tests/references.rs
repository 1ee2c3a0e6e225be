//! References that lead nowhere, and what keeps them quiet.

use super::{Tree, codes, console};
use crate::diagnostics::{Style, text};

fn customer(name: &str, console: &str) -> String {
    format!(
        "---\napiVersion: tenantry.io/v1alpha1\nkind: Customer\nmetadata: {{name: {name}}}\nspec:\n  \
         company: {{legalName: {name}}}\n  accounts:\n  - consoleRef: {{name: {console}}}\n"
    )
}

#[test]
fn an_object_with_mistakes_is_not_called_missing() {
    let tree = Tree::of(&[
        ("console.yaml", &console("sophos").replace("MspFlex", "MspFlexx")),
        ("a.yaml", &customer("a", "sophos")),
    ]);
    assert_eq!(codes(&tree.load(&[""])), ["unknown-value"]);
}

#[test]
fn nothing_is_called_missing_while_a_document_cannot_be_read() {
    let tree = Tree::of(&[("console.yaml", "kind: ["), ("a.yaml", &customer("a", "sophos"))]);
    assert_eq!(codes(&tree.load(&[""])), ["yaml-syntax"]);
    let tree = Tree::of(&[("a.yaml", &customer("a", "sophos"))]);
    assert_eq!(codes(&tree.load(&["a.yaml", "none.yaml"])), ["no-such-file"]);
    assert_eq!(codes(&tree.load(&["a.yaml"])), ["dangling-reference"]);
}

#[test]
fn many_references_to_one_missing_object_are_shown_a_few_times_and_counted() {
    let many: String = (0..2_000).map(|n| customer(&format!("c{n}"), "sophos")).collect();
    let tree = Tree::of(&[("many.yaml", &many)]);
    let loaded = tree.load(&["many.yaml"]);
    assert_eq!(loaded.diagnostics.len(), 5);
    let printed = text(&loaded.diagnostics[..1], Style::Plain);
    assert!(printed.ends_with(
        "many.yaml:8:24\n  |\n8 |   - consoleRef: {name: sophos}\n  |                        ^^^^^^ declare it, or name with -f what declares it\n  |\n  = note: 1995 more refer to it\n"
    ), "{printed}");
}

#[test]
fn a_reference_never_crosses_a_namespace() {
    let elsewhere = console("sophos").replace("{name: sophos}", "{name: sophos, namespace: berlin}");
    let tree = Tree::of(&[("console.yaml", &elsewhere), ("a.yaml", &customer("a", "sophos"))]);
    let loaded = tree.load(&[""]);
    assert_eq!(
        loaded.diagnostics[0].message,
        "no Console `sophos` is declared in namespace `default`; the one in `berlin` cannot be meant"
    );
}

#[test]
fn duplicates_across_files_name_both_places() {
    let tree = Tree::of(&[("a.yaml", &console("sophos")), ("b.yaml", &console("sophos"))]);
    let loaded = tree.load(&[""]);
    assert_eq!(codes(&loaded), ["duplicate-object"]);
    let printed = text(&loaded.diagnostics, Style::Plain);
    assert!(printed.contains("b.yaml:3:18") && printed.contains("a.yaml:3:18"), "{printed}");
}

#[test]
fn results_do_not_depend_on_how_many_cores_there_are() {
    let mut files: Vec<(String, String)> = (0..60)
        .map(|n| (format!("f{n:02}.yaml"), customer(&format!("c{n}"), &format!("k{}", n % 7))))
        .collect();
    files.push(("bad.yaml".to_owned(), customer("Bad Name", "sophos").replace("company", "compnay")));
    let borrowed: Vec<(&str, &str)> = files.iter().map(|(path, text)| (&**path, &**text)).collect();
    let tree = Tree::of(&borrowed);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be made");
        pool.install(|| {
            let loaded = tree.load(&[""]);
            (loaded.objects, loaded.diagnostics, loaded.counts, loaded.scope)
        })
    };
    assert_eq!(on(1), on(4));
}
