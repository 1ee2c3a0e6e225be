//! What entries have in common, so that a ledger holds it once: lists of fields, files, kinds, namespaces.

use std::collections::HashSet;
use std::sync::Arc;

use super::Entry;
use crate::origin::Origin;
use crate::value::FieldLists;

/// What the entries that were read so far have in common.
#[derive(Debug, Default)]
pub struct Common {
    lists: FieldLists,
    words: HashSet<Arc<str>>,
}

impl Common {
    /// Lets an entry that was just read use what others have.
    pub fn share(&mut self, entry: &mut Entry) {
        entry.last_applied.share(&mut self.lists);
        match &mut entry.origin {
            Origin::File { path, .. } => self.word(path),
            Origin::Object { object, namespace, .. } => {
                self.word(object);
                self.word(namespace);
            }
        }
    }

    fn word(&mut self, word: &mut Arc<str>) {
        match self.words.get(word) {
            Some(known) => *word = Arc::clone(known),
            None => {
                self.words.insert(Arc::clone(word));
            }
        }
    }
}
