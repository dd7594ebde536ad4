//! What people read, as files that can be read beside what it is about.
//!
//! `UPDATE_EXPECT=1 cargo test -p domain --test golden` writes them anew. Read
//! what has changed before it is committed: nothing else checks the words.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod events;
mod keys;
mod notifications;
mod plans;
mod policies;

use std::path::{Path, PathBuf};

use expect_test::expect_file;

/// A file beside this one.
fn beside(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    folder.join(name)
}

/// Compares a text with what a file has.
fn expect(name: &str, text: &str) {
    expect_file![beside(name)].assert_eq(text);
}
