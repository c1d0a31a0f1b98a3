//! What the tests of the doors share: a configuration and a token.

use std::path::Path;

use crate::config::{Origin, Settings};
use crate::incident::Token;

/// One trunk, and one person on a roster.
pub(super) const ONE_PERSON: &str = "[[trunk]]\nid = \"main\"\nproxy = \"192.0.2.1\"\n[[contact]]\nid = \"yamada\"\n\
    name = \"山田\"\nphones = [\"+818012345678\"]\n[[roster]]\nid = \"r\"\ncontacts = [\"yamada\"]\n";

/// What a file amounts to that is right and reads no other.
pub(super) fn settings(text: &str) -> Settings {
    let read = |_: &Path| Err(String::new());
    let origin = Origin { folder: Path::new("/etc"), read: &read, opens: &|_| Ok(()) };
    Settings::read(text, &origin).unwrap()
}

/// A token that opens these.
pub(super) fn token(scopes: &[&str]) -> Token {
    Token {
        id: 1,
        name: "tool".to_owned(),
        prefix: String::new(),
        digest: String::new(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        expires: None,
        call_flow: None,
    }
}
