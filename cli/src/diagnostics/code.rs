//! The codes a diagnostic can carry: what people search for, filter by and write into CI rules.
//!
//! A code never changes its meaning and is never reused; a new mistake gets a new code.

use serde::{Serialize, Serializer};

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident => $text:literal,)+) => {
        /// Names one kind of mistake, in kebab case (`unknown-field`).
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl Code {
            /// Every code, in the order of this table.
            pub const ALL: &'static [Code] = &[$(Code::$variant,)+];

            /// The code as people see it, in kebab case.
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $text,)+ }
            }

            /// One sentence on what the code means.
            pub fn meaning(self) -> &'static str {
                match self { $(Code::$variant => concat!($($doc,)+).trim_start(),)+ }
            }
        }
    };
}

codes! {
    /// The text is not well-formed YAML or JSON.
    YamlSyntax => "yaml-syntax",
    /// A tab stands where YAML wants spaces.
    TabIndentation => "tab-indentation",
    /// A mapping holds the same key twice.
    DuplicateKey => "duplicate-key",
    /// A key is a list or a mapping; only text can be a key here.
    ComplexKey => "complex-key",
    /// A YAML tag that changes a value's type.
    UnsupportedTag => "unsupported-tag",
    /// An alias names an anchor that its document does not hold.
    UnknownAlias => "unknown-alias",
    /// A document nests too deeply or expands to too many values.
    TooComplex => "too-complex",
    /// A `null`, `~` or empty value: absent fields are left out, empty lists are `[]`.
    NullValue => "null-value",
    /// A plain word that YAML 1.1 readers take for true or false.
    Yaml11Boolean => "yaml11-boolean",
    /// A plain value that some YAML readers take for another number, or for a number at all.
    Yaml11Number => "yaml11-number",
    /// A value has another type than its field.
    WrongType => "wrong-type",
    /// A value is not one of those its field knows.
    UnknownValue => "unknown-value",
    /// A value has the right type and cannot be read all the same.
    InvalidValue => "invalid-value",
    /// A field that its kind does not have.
    UnknownField => "unknown-field",
    /// A field that must be there is not.
    MissingField => "missing-field",
    /// A document is not an object with apiVersion, kind and metadata.
    NotAnObject => "not-an-object",
    /// A kind that this version does not know.
    UnknownKind => "unknown-kind",
    /// An object of our group in a version that this program does not read.
    UnknownVersion => "unknown-version",
    /// A name that Kubernetes would refuse.
    InvalidName => "invalid-name",
    /// Two documents declare the same object.
    DuplicateObject => "duplicate-object",
    /// A reference names an object or entry that is not declared.
    DanglingReference => "dangling-reference",
    /// A chain of references comes back to its beginning.
    CyclicReference => "cyclic-reference",
    /// A rule of the kind's schema is broken.
    RuleBroken => "rule-broken",
    /// A value holds a character that hides itself, turns the direction of text or controls a terminal.
    HiddenCharacter => "hidden-character",
    /// A file is not UTF-8 text.
    InvalidUtf8 => "invalid-utf8",
    /// A path or its file name is not UTF-8 text.
    InvalidPath => "invalid-path",
    /// A file is larger than a declaration may be.
    FileTooLarge => "file-too-large",
    /// More files than one run may read.
    TooManyFiles => "too-many-files",
    /// Nothing is at a path that was given.
    NoSuchFile => "no-such-file",
    /// A file or directory is there and cannot be read.
    UnreadableFile => "unreadable-file",
    /// A symbolic link leads out of the directory that was given.
    PathOutside => "path-outside",
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
