//! Shows who has access to which pipelines, and how the runs go.
//!
//! ```text
//! payload ──▶ request ──▶ gather (policy, table, accounts) ──▶ page · tables · JSON
//! ```
//!
//! It reads only, by a role that can change nothing. A widget of a dashboard
//! invokes it with the rights of whoever looks at it and says nothing about
//! them, so everybody who may invoke it sees the same; and how CloudWatch shows
//! a function that failed is not documented, so it answers every invocation.

#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod adapters;
mod export;
mod gather;
mod page;
mod ports;
mod request;
mod snapshot;
#[cfg(test)]
mod tests;
mod words;

use std::time::Duration;

use runtime::{
    lambda::{Answer, Handler, Invocation},
    metrics::Metrics,
    ports::{PolicyStore, Table},
};
use serde_json::{Value, json};

pub use adapters::Accounts;
use gather::{Gatherer, Unavailable};
pub use ports::Owners;
use request::{Asked, Format, Request};
use snapshot::Snapshot;

/// What is kept of an invocation's time for the answer.
const HEADROOM: Duration = Duration::from_secs(2);

/// What the function works with: the hub, and owner accounts.
#[derive(Debug)]
pub struct ShowAccess<'a, H, A> {
    hub: &'a H,
    accounts: A,
}

impl<'a, H, A> ShowAccess<'a, H, A> {
    /// The function on these ports.
    #[must_use]
    pub fn new(hub: &'a H, accounts: A) -> Self {
        Self { hub, accounts }
    }
}

impl<H: PolicyStore + Table, A: Owners> Handler for ShowAccess<'_, H, A> {
    async fn serve(&self, payload: Value, invocation: &Invocation, metrics: &Metrics) -> Answer {
        let (result, summary) = match request::read(&payload, invocation) {
            Asked::Documentation => (
                page::documentation().into(),
                json!({ "view": "documentation" }),
            ),
            Asked::Mistake(request, mistake) => (
                refused(&request, &mistake),
                json!({ "view": request.view.as_str(), "refused": mistake }),
            ),
            Asked::Page(request) => {
                let gatherer = Gatherer {
                    hub: self.hub,
                    accounts: &self.accounts,
                    metrics,
                    time: invocation.time_left.saturating_sub(HEADROOM),
                };
                let found = gatherer.gather(&request).await;
                let summary = summary(&request, &found);
                let result = match found {
                    Ok(snapshot) => shown(&request, &snapshot),
                    Err(Unavailable(why)) => refused(&request, &why),
                };
                (result, summary)
            }
        };
        Answer {
            result: Ok(result),
            summary,
        }
    }
}

fn shown(request: &Request, snapshot: &Snapshot) -> Value {
    match request.format {
        Format::Html => page::html(request, snapshot).into(),
        Format::Json => export::json(request, snapshot),
        Format::Csv => export::csv(request, snapshot).into(),
        // CloudWatch shows an object of this form as Markdown.
        Format::Markdown => json!({ "markdown": export::markdown(request, snapshot) }),
    }
}

/// The answer if there is nothing to show.
fn refused(request: &Request, why: &str) -> Value {
    match request.format {
        Format::Html => page::nothing(request, why).into(),
        Format::Json => json!({ "error": why }),
        Format::Csv => export::csv_of(&[vec!["error".to_owned()], vec![why.to_owned()]]).into(),
        Format::Markdown => json!({ "markdown": export::escaped(why) }),
    }
}

/// What the log says of an invocation.
fn summary(request: &Request, found: &Result<Snapshot, Unavailable>) -> Value {
    let view = request.view.as_str();
    match found {
        Ok(snapshot) => json!({
            "view": view,
            "rows": snapshot.rows.len(),
            "total": snapshot.total,
            "problems": snapshot.problems.len(),
        }),
        Err(Unavailable(why)) => json!({ "view": view, "unavailable": why }),
    }
}
