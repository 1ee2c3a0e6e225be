//! Match keys of a record, read out of the text that it shares with other records.
//!
//! A key is written as a letter for its kind and its value; `written` says how.

use serde::{Deserialize, Serialize, Serializer};

use super::written::{Reader, Writer};
use crate::plan::matching::Key;

#[cfg(test)]
mod tests;

/// A key by which records of one company can be found again. Values are normalised by
/// [`crate::plan::matching::Key`]'s constructor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum KeyKind {
    /// A mark that we planted.
    Mark,
    /// The tenant's domain.
    TenantDomain,
    /// The e-mail somebody logs in with.
    LoginEmail,
    /// Our external id.
    ExternalId,
    /// The company's registration number.
    RegistrationNumber,
    /// Its name, normalised.
    Name,
    /// A contact's e-mail.
    ContactEmail,
    /// A phone number.
    Phone,
    /// Postcode with street.
    PostcodeStreet,
    /// The website's host.
    Website,
}

impl KeyKind {
    /// Strong keys refuse a twin alone; weak ones only beside a similar name.
    pub const fn strong(self) -> bool {
        matches!(
            self,
            KeyKind::Mark
                | KeyKind::TenantDomain
                | KeyKind::LoginEmail
                | KeyKind::ExternalId
                | KeyKind::RegistrationNumber
        )
    }

    /// As plans name it.
    pub const fn words(self) -> &'static str {
        match self {
            KeyKind::Mark => "our mark",
            KeyKind::TenantDomain => "tenant domain",
            KeyKind::LoginEmail => "login e-mail",
            KeyKind::ExternalId => "external id",
            KeyKind::RegistrationNumber => "registration number",
            KeyKind::Name => "name",
            KeyKind::ContactEmail => "contact e-mail",
            KeyKind::Phone => "phone",
            KeyKind::PostcodeStreet => "postcode and street",
            KeyKind::Website => "website",
        }
    }
}

/// Both directions from one list, so that no kind is written that is not read.
macro_rules! letters {
    ($($kind:ident $letter:literal),* $(,)?) => {
        const fn letter(kind: KeyKind) -> char {
            match kind {
                $(KeyKind::$kind => $letter,)*
            }
        }

        const fn kind(letter: char) -> Option<KeyKind> {
            match letter {
                $($letter => Some(KeyKind::$kind),)*
                _ => None,
            }
        }
    };
}

letters! {
    Mark 'm',
    TenantDomain 'd',
    LoginEmail 'l',
    ExternalId 'x',
    RegistrationNumber 'r',
    Name 'n',
    ContactEmail 'e',
    Phone 'p',
    PostcodeStreet 's',
    Website 'w',
}

/// A key of a record. Equal, ordered and hashed as the [`Key`] with the same parts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct KeyRef<'a> {
    /// What it is.
    pub kind: KeyKind,
    /// Its normalised value.
    pub value: &'a str,
}

impl<'a> From<&'a Key> for KeyRef<'a> {
    fn from(key: &'a Key) -> Self {
        Self { kind: key.kind, value: &key.value }
    }
}

/// The keys of a record, in the order in which the adapter gave them.
#[derive(Clone)]
pub struct Keys<'a>(Reader<'a>);

impl<'a> Keys<'a> {
    /// Reads the keys that are the rest of what was written.
    pub(super) fn rest(reader: Reader<'a>) -> Self {
        Self(reader)
    }

    pub(super) fn write(writer: &mut Writer, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            writer.letter(letter(key.kind));
            writer.text(&key.value);
        }
    }

    /// Whether none is left.
    pub fn is_empty(&self) -> bool {
        self.clone().next().is_none()
    }
}

impl<'a> Iterator for Keys<'a> {
    type Item = KeyRef<'a>;

    fn next(&mut self) -> Option<KeyRef<'a>> {
        let kind = kind(self.0.letter()?)?;
        Some(KeyRef { kind, value: self.0.text()? })
    }
}

impl std::fmt::Debug for Keys<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.clone())
    }
}
