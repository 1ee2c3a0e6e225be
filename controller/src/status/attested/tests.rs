//! Which word is told, of whom, and when.

use super::*;

fn words(all: &[(&str, Word)]) -> BTreeMap<String, Word> {
    all.iter().map(|(name, word)| ((*name).to_owned(), *word)).collect()
}

#[test]
fn nothing_open_is_told_once_every_console_has_looked() {
    let said = Words::default();
    let (one, two) = (("n".to_owned(), "one".to_owned()), ("n".to_owned(), "two".to_owned()));
    said.take(&one, words(&[("a", Word::NothingOpen), ("b", Word::Taken)]));
    assert_eq!(said.of("n", &["one", "two"], "a"), None, "the other Console may know it");
    assert_eq!(said.of("n", &["one", "two"], "b"), Some(Word::Taken));
    said.take(&two, words(&[("a", Word::NothingOpen), ("b", Word::NothingOpen)]));
    assert_eq!(said.of("n", &["one", "two"], "a"), Some(Word::NothingOpen));
    assert_eq!(said.of("n", &["one", "two"], "b"), Some(Word::Taken));
    said.forget(&two);
    assert_eq!(said.of("n", &["one", "two"], "a"), None);
}

#[test]
fn a_contradiction_stays_told_until_another_word_is_taken() {
    let said = Words::default();
    let place = ("n".to_owned(), "one".to_owned());
    for (says, told) in [
        (Word::Taken, Word::Taken),
        (Word::Contradicted, Word::Contradicted),
        (Word::Overtaken, Word::Contradicted),
        (Word::NothingOpen, Word::Contradicted),
        (Word::Taken, Word::Taken),
    ] {
        said.take(&place, words(&[("a", says)]));
        assert_eq!(said.of("n", &["one"], "a"), Some(told));
    }
}

#[test]
fn every_word_says_what_to_do() {
    for word in [Word::NothingOpen, Word::Overtaken, Word::Contradicted] {
        let (state, words) = word.told();
        assert!(matches!(state, State::Stalled(_)) && words.contains(';'), "{words}");
    }
    assert_eq!(Word::Taken.told(), (State::Ready, "taken"));
}
