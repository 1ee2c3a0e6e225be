//! The schema's own rules, offline: what the cluster's API server would refuse about one object, without one.
//!
//! Bounds (lengths, ranges, patterns, unique keys) and the CEL rules in `x-kubernetes-validations` are read from the
//! same schema that the cluster gets, and compiled once per process and kind. A rule that cannot be evaluated counts
//! as broken. Types and unknown fields are the decoder's business, not this module's.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, OnceLock},
};

use cel::{
    Context, Program,
    objects::{Key, Map as CelMap, Value as CelValue},
};
use regex::Regex;
use serde_json::Value;

use crate::{
    kind::{AnyObject, Kind},
    path::FieldPath,
};

mod quick;
#[cfg(test)]
mod tests;

use quick::Quick;

/// A rule that an object breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Where.
    pub path: FieldPath,
    /// What to do, in the rule's own words.
    pub message: String,
    /// The CEL expression; `None` for a bound such as a length.
    pub rule: Option<String>,
}

/// Every rule that the object breaks, in the order of its fields.
pub fn check(object: &AnyObject) -> Vec<Violation> {
    violations(object.kind(), &object.to_value(), None)
}

/// Every rule that the object breaks, those about a change from `old` among them. Both must be of one kind.
pub fn check_update(object: &AnyObject, old: &AnyObject) -> Vec<Violation> {
    violations(object.kind(), &object.to_value(), Some(&old.to_value()))
}

fn violations(kind: Kind, value: &Value, old: Option<&Value>) -> Vec<Violation> {
    let mut found = Vec::new();
    FUNCTIONS.with(|functions| {
        compiled(kind).walk(functions, value, old, Trail::Root, &mut found);
    });
    found
}

/// How a value was reached. It costs nothing until a violation has to name its place.
#[derive(Clone, Copy)]
enum Trail<'t> {
    Root,
    Key(&'t Trail<'t>, &'t str),
    Index(&'t Trail<'t>, usize),
}

impl Trail<'_> {
    fn path(self) -> FieldPath {
        match self {
            Trail::Root => FieldPath::default(),
            Trail::Key(before, key) => before.path().key(key),
            Trail::Index(before, place) => before.path().index(place),
        }
    }
}

thread_local! {
    /// CEL's standard functions. Setting them up costs more than most rules, so each thread does it once.
    static FUNCTIONS: Context<'static, 'static> = Context::default();
}

/// The kind's schema with its rules and patterns compiled, once per process.
fn compiled(kind: Kind) -> &'static Node {
    static NODES: OnceLock<BTreeMap<Kind, OnceLock<Node>>> = OnceLock::new();
    let nodes = NODES.get_or_init(|| Kind::ALL.iter().map(|k| (*k, OnceLock::new())).collect());
    nodes[&kind].get_or_init(|| Node::new(&kind.schema()))
}

struct Rule {
    expression: String,
    message: String,
    program: Program,
    /// Compares with the object's former self, so that it says nothing about a new one.
    transition: bool,
    /// The same rule as it is looked at first: evaluating CEL costs a copy of the value.
    quick: Quick,
}

/// What makes two entries of a list the same.
enum ListKind {
    Atomic,
    Set,
    Map(Vec<String>),
}

#[derive(Default)]
struct Bounds {
    length: (Option<u64>, Option<u64>),
    items: (Option<u64>, Option<u64>),
    properties: (Option<u64>, Option<u64>),
    number: (Option<f64>, Option<f64>),
    pattern: Option<Regex>,
}

struct Node {
    rules: Vec<Rule>,
    bounds: Bounds,
    list: ListKind,
    properties: BTreeMap<String, Node>,
    items: Option<Box<Node>>,
    additional: Option<Box<Node>>,
}

impl Node {
    fn new(schema: &Value) -> Self {
        let child = |key: &str| schema.get(key).filter(|s| s.is_object()).map(|s| Box::new(Self::new(s)));
        let rules =
            schema["x-kubernetes-validations"].as_array().into_iter().flatten().map(Rule::new).collect();
        Self {
            rules,
            bounds: Bounds::new(schema),
            list: match schema["x-kubernetes-list-type"].as_str() {
                Some("set") => ListKind::Set,
                Some("map") => ListKind::Map(
                    schema["x-kubernetes-list-map-keys"]
                        .as_array()
                        .into_iter()
                        .flatten()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                ),
                _ => ListKind::Atomic,
            },
            properties: schema["properties"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(name, schema)| (name.clone(), Self::new(schema)))
                .collect(),
            items: child("items"),
            additional: child("additionalProperties"),
        }
    }

    fn walk(
        &self,
        functions: &Context<'static, 'static>,
        value: &Value,
        old: Option<&Value>,
        at: Trail<'_>,
        found: &mut Vec<Violation>,
    ) {
        self.bounds.check(value, at, found);
        self.evaluate(functions, value, old, at, found);
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    if let Some(node) = self.properties.get(name).or(self.additional.as_deref()) {
                        let old = old.and_then(|o| o.get(name));
                        node.walk(functions, value, old, Trail::Key(&at, name), found);
                    }
                }
            }
            Value::Array(entries) => {
                self.unique(entries, at, found);
                if let Some(node) = &self.items {
                    for (place, value) in entries.iter().enumerate() {
                        let old = old.and_then(|o| self.counterpart(value, o));
                        node.walk(functions, value, old, Trail::Index(&at, place), found);
                    }
                }
            }
            _ => {}
        }
    }

    fn evaluate(
        &self,
        functions: &Context<'static, 'static>,
        value: &Value,
        old: Option<&Value>,
        at: Trail<'_>,
        found: &mut Vec<Violation>,
    ) {
        let applies = |rule: &&Rule| (old.is_some() || !rule.transition) && !rule.quick.holds(value);
        let mut rules = self.rules.iter().filter(applies).peekable();
        if rules.peek().is_none() {
            return;
        }
        let mut scope = functions.new_inner_scope();
        scope.add_variable_from_value("self", cel_value(value));
        if let Some(old) = old {
            scope.add_variable_from_value("oldSelf", cel_value(old));
        }
        for rule in rules {
            let message = match rule.program.execute(&scope) {
                Ok(CelValue::Bool(true)) => continue,
                Ok(CelValue::Bool(false)) => rule.message.clone(),
                Ok(_) => format!("{} (the rule yields neither true nor false)", rule.message),
                Err(error) => format!("{} (the rule cannot be evaluated: {error})", rule.message),
            };
            found.push(Violation { path: at.path(), message, rule: Some(rule.expression.clone()) });
        }
    }

    /// The entry of the old list that a map list's key makes the same. An atomic list has none.
    fn counterpart<'a>(&self, entry: &Value, old: &'a Value) -> Option<&'a Value> {
        let ListKind::Map(keys) = &self.list else { return None };
        old.as_array()?.iter().find(|o| keys.iter().all(|k| o.get(k) == entry.get(k)))
    }

    fn unique(&self, entries: &[Value], at: Trail<'_>, found: &mut Vec<Violation>) {
        if entries.len() < 2 {
            return;
        }
        let mut seen = HashMap::new();
        for (place, entry) in entries.iter().enumerate() {
            let key = match &self.list {
                ListKind::Atomic => return,
                ListKind::Set => entry.to_string(),
                ListKind::Map(keys) => keys
                    .iter()
                    .map(|k| entry.get(k).map(plain).unwrap_or_default())
                    .collect::<Vec<_>>()
                    .join("/"),
            };
            if let Some(first) = seen.insert(key.clone(), place) {
                let message = format!("`{key}` is here twice, first as entry {}", first + 1);
                found.push(Violation { path: at.path().index(place), message, rule: None });
            }
        }
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Rule {
    fn new(rule: &Value) -> Self {
        let expression = rule["rule"].as_str().expect("a rule has an expression").to_owned();
        let program = Program::compile(&expression)
            .unwrap_or_else(|error| panic!("the schema's own rule `{expression}` is not CEL: {error}"));
        Self {
            quick: Quick::new(program.expression()),
            transition: program.references().has_variable("oldSelf"),
            message: rule["message"].as_str().unwrap_or(&expression).to_owned(),
            expression,
            program,
        }
    }
}

impl Bounds {
    fn new(schema: &Value) -> Self {
        let pair = |low: &str, high: &str| (schema[low].as_u64(), schema[high].as_u64());
        Self {
            length: pair("minLength", "maxLength"),
            items: pair("minItems", "maxItems"),
            properties: pair("minProperties", "maxProperties"),
            number: (schema["minimum"].as_f64(), schema["maximum"].as_f64()),
            pattern: schema["pattern"]
                .as_str()
                .map(|p| Regex::new(p).expect("the schema's own patterns are regular expressions")),
        }
    }

    fn check(&self, value: &Value, at: Trail<'_>, found: &mut Vec<Violation>) {
        let mut say = |message: String| found.push(Violation { path: at.path(), message, rule: None });
        let mut count = |(low, high): (Option<u64>, Option<u64>), n: usize, unit: &str| {
            let n = n as u64;
            if let Some(low) = low.filter(|low| n < *low) {
                say(format!("has {n} {unit}, at least {low} are needed"));
            }
            if let Some(high) = high.filter(|high| n > *high) {
                say(format!("has {n} {unit}, at most {high} are allowed"));
            }
        };
        match value {
            Value::String(text) => {
                if self.length != (None, None) {
                    count(self.length, text.chars().count(), "characters");
                }
                if let Some(pattern) = self.pattern.as_ref().filter(|p| !p.is_match(text)) {
                    say(format!("must match {pattern}"));
                }
            }
            Value::Array(entries) => count(self.items, entries.len(), "entries"),
            Value::Object(fields) => count(self.properties, fields.len(), "keys"),
            Value::Number(number) => {
                let n = number.as_f64().unwrap_or(f64::NAN);
                if let Some(low) = self.number.0.filter(|low| n < *low) {
                    say(format!("is {number}, at least {low} is needed"));
                }
                if let Some(high) = self.number.1.filter(|high| n > *high) {
                    say(format!("is {number}, at most {high} is allowed"));
                }
            }
            Value::Bool(_) | Value::Null => {}
        }
    }
}

/// JSON as CEL sees it in Kubernetes: every integer is an `int`.
fn cel_value(value: &Value) -> CelValue {
    match value {
        Value::Null => CelValue::Null,
        Value::Bool(b) => CelValue::Bool(*b),
        Value::Number(n) => {
            n.as_i64().map_or_else(|| CelValue::Float(n.as_f64().unwrap_or(f64::NAN)), CelValue::Int)
        }
        Value::String(s) => CelValue::String(Arc::new(s.clone())),
        Value::Array(list) => CelValue::List(Arc::new(list.iter().map(cel_value).collect())),
        Value::Object(map) => CelValue::Map(CelMap {
            map: Arc::new(map.iter().map(|(k, v)| (Key::from(k.as_str()), cel_value(v))).collect()),
        }),
    }
}
