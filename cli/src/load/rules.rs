//! The schema's bounds and CEL rules, at the place of the field that breaks them.
//!
//! The rules themselves live in `tenantry-crd`, which compiles them once per process; nothing is decided here.

use tenantry_crd::AnyObject;
use tenantry_crd::cel;
use tenantry_crd::path::{FieldPath, Segment};

use super::problem::Problem;
use super::tree::{Node, Step, print_path};
use super::typed::explain;
use crate::diagnostics::Code;

/// Every rule that the object breaks, in the object's document.
pub(super) fn check(object: &AnyObject, root: &Node<'_>) -> Vec<Problem> {
    let kind = object.kind().as_str();
    cel::check(object)
        .into_iter()
        .map(|violation| {
            let path = steps(&violation.path);
            let (spans, _) = root.follow(&path);
            let shown = match path.split_first() {
                Some((Step::Key(first), rest)) if first == "spec" && !rest.is_empty() => print_path(rest),
                _ => String::new(),
            };
            // A bound speaks about its field ("has 70 characters"); a rule is a sentence of its own.
            let message = match (&violation.rule, shown.is_empty()) {
                (None, false) => format!("`{shown}` {}", violation.message),
                _ => violation.message,
            };
            Problem::new(Code::RuleBroken, message, spans.caret())
                .see(format!("tenantry explain {}", explain(kind, &path)))
        })
        .collect()
}

fn steps(path: &FieldPath) -> Vec<Step> {
    path.0
        .iter()
        .map(|segment| match segment {
            Segment::Key(key) => Step::Key(key.clone()),
            Segment::Index(index) => Step::Index(*index),
        })
        .collect()
}
