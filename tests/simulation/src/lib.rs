//! Seeded random histories on the functions' own code.

mod estate;
mod functions;
mod generate;
pub mod history;
mod notified;
mod oracle;
mod people;
mod report;
mod run;
mod shrink;
mod wire;

pub use history::History;
pub use oracle::PIPELINES;
pub use report::{Report, seeds};
pub use run::{Outcome, PROMISE, PROMISE_BY_INVITATION, run};
pub use shrink::shrink;
