//! Colour, which only repeats what symbols say, and wrapping to a width.

use crate::action::Tone;

/// Whether and how to colour, and how wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// Whether to emit ANSI colours.
    pub colour: bool,
    /// Columns.
    pub width: usize,
}

impl Default for Paint {
    fn default() -> Self {
        Self { colour: false, width: 80 }
    }
}

impl Paint {
    /// In the colour of a tone.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        self.code(
            match tone {
                Tone::Adds => "32",
                Tone::Changes => "33",
                Tone::Ends => "31",
                Tone::Notes => "36",
            },
            text,
        )
    }

    /// Bold.
    pub fn strong(self, text: &str) -> String {
        self.code("1", text)
    }

    /// Red and bold: held, failed.
    pub fn alarm(self, text: &str) -> String {
        self.code("1;31", text)
    }

    /// Yellow.
    pub fn warn(self, text: &str) -> String {
        self.code("33", text)
    }

    /// Cyan.
    pub fn note(self, text: &str) -> String {
        self.code("36", text)
    }

    fn code(self, code: &str, text: &str) -> String {
        if self.colour { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    /// Wraps words to what is left of the width behind `indent` columns; at least one piece.
    pub fn wrap(self, text: &str, indent: usize) -> Vec<String> {
        let room = self.width.saturating_sub(indent).max(20);
        let mut lines: Vec<String> = vec![String::new()];
        let mut used = 0;
        for word in text.split(' ') {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > room {
                lines.push(String::new());
                used = 0;
            }
            let line = lines.last_mut().expect("never empty");
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
        lines
    }

    /// A label in its column and a text that wraps under itself.
    pub fn labelled(self, out: &mut String, indent: usize, label: &str, column: usize, text: &str) {
        let gap = column.saturating_sub(label.chars().count()).max(1);
        let start = indent + label.chars().count() + gap;
        let mut first = true;
        for piece in self.wrap(text, start) {
            if first {
                out.push_str(&format!("{}{label}{}{piece}\n", " ".repeat(indent), " ".repeat(gap)));
                first = false;
            } else {
                out.push_str(&format!("{}{piece}\n", " ".repeat(start)));
            }
        }
    }
}
