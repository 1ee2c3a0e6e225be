//! What loading promises, as tests.

mod messages;
