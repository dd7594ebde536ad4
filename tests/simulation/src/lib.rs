//! Seeded random histories on the functions' own code, in one process and on virtual time.
//!
//! ```text
//! seed ──▶ generate ──▶ history ──▶ run: people, stage (functions by wire), oracle ──▶ report
//!                          ▲                                                         │
//!                          └───────────────────────── shrink ◀───────────────────────┘
//! ```
//!
//! A history is played from its operations alone, so it can be kept as a file.
//! What must hold, and how it is called, is in `tests/README.md`.

mod burst;
mod estate;
mod functions;
mod generate;
pub mod history;
mod notified;
mod oracle;
mod people;
mod report;
mod run;
mod sabotage;
mod shrink;
mod stage;
mod wire;

pub use burst::{Burst, burst};
pub use history::History;
pub use oracle::PIPELINES;
pub use report::{Report, seeds};
pub use run::{Outcome, PROMISE, run, run_binaries, run_with};
pub use sabotage::Sabotage;
pub use shrink::shrink;
