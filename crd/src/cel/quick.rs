//! A first look at a rule, on the JSON as it stands: most rules hold, and most of them say nothing but which fields
//! are there and which words they hold.
//!
//! It knows presence, comparison of texts, booleans and whole numbers, `in`, `size()`, `+`, `!`, `&&`, `||` and `?:`.
//! Whatever else a rule says is [`Quick::Unknown`], and what follows from an unknown is not known either. It only ever
//! answers "holds": the CEL evaluator decides everything else, and words every violation.

use cel::IdedExpr;
use cel::common::ast::{Expr, LiteralValue, operators};
use serde_json::Value;

/// A rule in the form that is looked at.
pub(super) enum Quick {
    Myself,
    Bool(bool),
    Int(i64),
    Text(String),
    Texts(Vec<String>),
    Field(Box<Quick>, String),
    Has(Box<Quick>, String),
    Size(Box<Quick>),
    Not(Box<Quick>),
    And(Box<Quick>, Box<Quick>),
    Or(Box<Quick>, Box<Quick>),
    If(Box<(Quick, Quick, Quick)>),
    Equal(Box<Quick>, Box<Quick>),
    Less(Box<Quick>, Box<Quick>),
    Sum(Box<Quick>, Box<Quick>),
    In(Box<Quick>, Box<Quick>),
    Unknown,
}

/// What part of a rule is worth.
#[derive(Clone, Copy)]
enum Is<'v> {
    Bool(bool),
    Int(i64),
    Text(&'v str),
    Texts(&'v [String]),
    List(&'v [Value]),
    Map(&'v serde_json::Map<String, Value>),
}

impl Quick {
    pub(super) fn new(expression: &IdedExpr) -> Self {
        match &expression.expr {
            Expr::Ident(name) if name == "self" => Self::Myself,
            Expr::Literal(LiteralValue::Boolean(value)) => Self::Bool(*value.inner()),
            Expr::Literal(LiteralValue::Int(value)) => Self::Int(*value.inner()),
            Expr::Literal(LiteralValue::String(value)) => Self::Text(value.inner().to_owned()),
            Expr::List(list) if list.optional_indices.is_empty() => list
                .elements
                .iter()
                .map(|element| match Self::new(element) {
                    Self::Text(text) => Some(text),
                    _ => None,
                })
                .collect::<Option<Vec<String>>>()
                .map_or(Self::Unknown, Self::Texts),
            Expr::Select(select) => {
                let operand = Box::new(Self::new(&select.operand));
                if select.test {
                    Self::Has(operand, select.field.clone())
                } else {
                    Self::Field(operand, select.field.clone())
                }
            }
            Expr::Call(call) => {
                let boxed = |n: usize| call.args.get(n).map(|argument| Box::new(Self::new(argument)));
                let found = match (call.func_name.as_str(), call.target.as_deref(), call.args.len()) {
                    (operators::LOGICAL_NOT, None, 1) => boxed(0).map(Self::Not),
                    (operators::CONDITIONAL, None, 3) => {
                        let [a, b, c] = [0, 1, 2].map(|n| Self::new(&call.args[n]));
                        Some(Self::If(Box::new((a, b, c))))
                    }
                    ("size", Some(target), 0) => Some(Self::Size(Box::new(Self::new(target)))),
                    (name, None, 2) => boxed(0).zip(boxed(1)).and_then(|(a, b)| Self::of_two(name, a, b)),
                    _ => None,
                };
                found.unwrap_or(Self::Unknown)
            }
            _ => Self::Unknown,
        }
    }

    fn of_two(name: &str, a: Box<Self>, b: Box<Self>) -> Option<Self> {
        let not = |quick| Self::Not(Box::new(quick));
        Some(match name {
            operators::LOGICAL_AND => Self::And(a, b),
            operators::LOGICAL_OR => Self::Or(a, b),
            operators::EQUALS => Self::Equal(a, b),
            operators::NOT_EQUALS => not(Self::Equal(a, b)),
            operators::LESS => Self::Less(a, b),
            operators::GREATER => Self::Less(b, a),
            operators::LESS_EQUALS => not(Self::Less(b, a)),
            operators::GREATER_EQUALS => not(Self::Less(a, b)),
            operators::ADD => Self::Sum(a, b),
            operators::IN => Self::In(a, b),
            _ => return None,
        })
    }

    /// True where the rule is certain to hold for this value; false says nothing.
    pub(super) fn holds(&self, value: &Value) -> bool {
        matches!(self.value(value), Some(Is::Bool(true)))
    }

    fn truth(&self, myself: &Value) -> Option<bool> {
        match self.value(myself)? {
            Is::Bool(truth) => Some(truth),
            _ => None,
        }
    }

    fn value<'v>(&'v self, myself: &'v Value) -> Option<Is<'v>> {
        let truth = |quick: &'v Quick| quick.truth(myself);
        Some(Is::Bool(match self {
            Self::Unknown => return None,
            Self::Myself => return json(myself),
            Self::Int(n) => return Some(Is::Int(*n)),
            Self::Text(text) => return Some(Is::Text(text)),
            Self::Texts(texts) => return Some(Is::Texts(texts)),
            Self::Field(operand, field) => match operand.value(myself)? {
                Is::Map(map) => return map.get(field).and_then(json),
                _ => return None,
            },
            Self::Size(operand) => {
                let size = match operand.value(myself)? {
                    Is::List(list) => list.len(),
                    Is::Map(map) => map.len(),
                    _ => return None,
                };
                return i64::try_from(size).ok().map(Is::Int);
            }
            Self::Sum(a, b) => match (a.value(myself)?, b.value(myself)?) {
                (Is::Int(a), Is::Int(b)) => return a.checked_add(b).map(Is::Int),
                _ => return None,
            },
            Self::If(parts) => {
                let (condition, yes, no) = &**parts;
                return if truth(condition)? { yes.value(myself) } else { no.value(myself) };
            }
            Self::Bool(value) => *value,
            Self::Has(operand, field) => match operand.value(myself)? {
                Is::Map(map) => map.contains_key(field),
                _ => return None,
            },
            Self::Not(operand) => !truth(operand)?,
            // One side alone can decide, whatever the other is.
            Self::And(a, b) => match (truth(a), truth(b)) {
                (Some(false), _) | (_, Some(false)) => false,
                (Some(true), Some(true)) => true,
                _ => return None,
            },
            Self::Or(a, b) => match (truth(a), truth(b)) {
                (Some(true), _) | (_, Some(true)) => true,
                (Some(false), Some(false)) => false,
                _ => return None,
            },
            Self::Equal(a, b) => match (a.value(myself)?, b.value(myself)?) {
                (Is::Bool(a), Is::Bool(b)) => a == b,
                (Is::Int(a), Is::Int(b)) => a == b,
                (Is::Text(a), Is::Text(b)) => a == b,
                _ => return None,
            },
            Self::Less(a, b) => match (a.value(myself)?, b.value(myself)?) {
                (Is::Int(a), Is::Int(b)) => a < b,
                _ => return None,
            },
            Self::In(a, b) => match (a.value(myself)?, b.value(myself)?) {
                (Is::Text(a), Is::Texts(b)) => b.iter().any(|b| b == a),
                (Is::Text(a), Is::List(b)) if b.iter().all(Value::is_string) => {
                    b.iter().any(|b| b.as_str() == Some(a))
                }
                _ => return None,
            },
        }))
    }
}

/// A JSON value as CEL sees it in Kubernetes; floats and null are left to CEL.
fn json(value: &Value) -> Option<Is<'_>> {
    Some(match value {
        Value::Bool(value) => Is::Bool(*value),
        Value::Number(number) => Is::Int(number.as_i64()?),
        Value::String(text) => Is::Text(text),
        Value::Array(list) => Is::List(list),
        Value::Object(map) => Is::Map(map),
        Value::Null => return None,
    })
}
