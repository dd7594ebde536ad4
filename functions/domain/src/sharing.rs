//! What an owner account should share, compared with what it shares.
//!
//! Principals that need no invitation are served by one share per rule,
//! `pipeshare-RULE`. Each account that must accept has a share of its own,
//! `pipeshare-RULE.ACCOUNT`, so that one that never answers blocks nobody.

mod lane;
mod name;
mod observed;
mod plan;
mod step;

pub use name::{Audience, PREFIX, ShareName};
pub(crate) use observed::is_older;
pub use observed::{Association, Evidence, Observed, Pipeline, Questions, Share, questions};
pub use plan::{MAX_PIPELINES, Offered, Plan, Problem, Waiting, plan};
pub use step::{Action, Reason, Step};

/// The tag that a share carries if pipeshare made it; nothing else is ever touched.
pub const TAG_MANAGED: &str = "pipeshare:managed";

/// The tag that names the rule that a share serves.
pub const TAG_RULE: &str = "pipeshare:rule";
