//! What the controller reports on objects: conditions, standings, and the held part of each Console's plan.
//!
//! [`view`] turns a plan into one word per address; [`board`] puts the words of all consoles together and says what an
//! object's status is; [`attested`] says what became of an Attestation; [`lost`] finds objects that no console speaks of because they
//! name something that is not there; [`patch`] writes it, only where it differs. A status is a copy: nothing here is ever
//! read back as a fact, and a status that was wiped changes no plan.

pub mod attested;
pub mod board;
pub mod lost;
pub mod patch;
pub mod summary;
pub mod view;
