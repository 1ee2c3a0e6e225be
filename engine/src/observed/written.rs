//! Values and texts, written one after the other into one text and read out of it again.
//!
//! A value is written `b1`, `n12;`, `t5:hello`, `l2:1:a2:bc`; a text is its length and itself. Where a text stands
//! before already, as a name does that is also the value of a field, only its place is written: `@17;`, counted from
//! the beginning of what was written together. Invariants: the same things in the same order are written in one way
//! only; a place is that of a whole text that comes before.

use std::fmt::Write as _;
use std::ops::Range;

use crate::value::Value;

/// Shorter texts are written again: their place is not shorter.
const LEAST: usize = 4;

/// Writes.
#[derive(Default)]
pub(super) struct Writer {
    out: String,
    /// Where the texts stand that can be pointed at: with their length, and alone.
    texts: Vec<(usize, Range<usize>)>,
}

impl Writer {
    /// How many bytes were written.
    pub(super) fn len(&self) -> usize {
        self.out.len()
    }

    /// What was written.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// Writes one character.
    pub(super) fn letter(&mut self, letter: char) {
        self.out.push(letter);
    }

    /// Writes a text.
    pub(super) fn text(&mut self, text: &str) {
        if text.len() < LEAST {
            return self.whole(text);
        }
        let known = self.texts.iter().find(|(_, known)| self.out[known.clone()] == *text);
        if let Some(&(place, _)) = known {
            return self.formatted(format_args!("@{place};"));
        }
        let place = self.out.len();
        self.whole(text);
        self.texts.push((place, self.out.len() - text.len()..self.out.len()));
    }

    /// Writes a value.
    pub(super) fn value(&mut self, value: &Value) {
        match value {
            Value::Bool(on) => self.formatted(format_args!("b{}", u8::from(*on))),
            Value::Number(number) => self.formatted(format_args!("n{number};")),
            Value::Text(text) => {
                self.letter('t');
                self.text(text);
            }
            Value::List(items) => {
                self.formatted(format_args!("l{}:", items.len()));
                items.iter().for_each(|item| self.whole(item));
            }
        }
    }

    fn whole(&mut self, text: &str) {
        self.formatted(format_args!("{}:{text}", text.len()));
    }

    fn formatted(&mut self, what: std::fmt::Arguments<'_>) {
        self.out.write_fmt(what).expect("writing into a text cannot fail");
    }
}

/// Reads in the order in which it was written.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    all: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    /// Reads all that was written together, from a place on.
    pub(super) fn from(all: &'a str, place: usize) -> Self {
        Self { all, rest: &all[place..] }
    }

    /// Reads one character.
    pub(super) fn letter(&mut self) -> Option<char> {
        let letter = self.rest.chars().next()?;
        self.take(letter.len_utf8())?;
        Some(letter)
    }

    /// Reads a text.
    pub(super) fn text(&mut self) -> Option<&'a str> {
        if !self.rest.starts_with('@') {
            return self.whole();
        }
        self.take(1)?;
        let place = self.until(';')?.parse().ok()?;
        Self { all: self.all, rest: self.all.get(place..)? }.whole()
    }

    /// Reads a value.
    pub(super) fn value(&mut self) -> Option<Value> {
        match self.letter()? {
            'b' => self.take(1).map(|on| Value::Bool(on == "1")),
            'n' => self.until(';')?.parse().ok().map(Value::Number),
            't' => self.text().map(Value::text),
            _ => {
                let items: usize = self.until(':')?.parse().ok()?;
                (0..items).map(|_| self.whole().map(Box::from)).collect::<Option<_>>().map(Value::List)
            }
        }
    }

    /// Goes over a value without making it.
    pub(super) fn pass(&mut self) -> Option<()> {
        match self.letter()? {
            'b' => self.take(1).map(drop),
            'n' => self.until(';').map(drop),
            't' if self.rest.starts_with('@') => self.until(';').map(drop),
            't' => self.whole().map(drop),
            _ => {
                let items: usize = self.until(':')?.parse().ok()?;
                (0..items).try_for_each(|_| self.whole().map(drop))
            }
        }
    }

    fn whole(&mut self) -> Option<&'a str> {
        let bytes = self.until(':')?.parse().ok()?;
        self.take(bytes)
    }

    fn until(&mut self, end: char) -> Option<&'a str> {
        let (head, rest) = self.rest.split_once(end)?;
        self.rest = rest;
        Some(head)
    }

    fn take(&mut self, bytes: usize) -> Option<&'a str> {
        let (head, rest) = self.rest.split_at_checked(bytes)?;
        self.rest = rest;
        Some(head)
    }
}
