//! EventBridge: putting our own events on a bus.

use aws_sdk_eventbridge::{
    Client,
    types::{PutEventsRequestEntry, PutEventsResultEntry},
};
use serde_json::Value;

use crate::{
    clients::Session,
    error::{Class, Error, Service},
};

const OPERATION: &str = "PutEvents";

/// What one call may carry.
const MAX_ENTRIES: usize = 10;

/// What one call may weigh: the older, lower limit, which every Region keeps.
const MAX_BYTES: usize = 256 * 1024 - 1;

/// How often an entry is sent before its failure is reported.
const ROUNDS: usize = 3;

/// An event of our own.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Who says it; never a name that begins with `aws.`.
    pub source: String,
    /// What kind of event it is.
    pub detail_type: String,
    /// What it says: a JSON object.
    pub detail: Value,
    /// The ARNs that it is about.
    pub resources: Vec<String>,
}

/// Buses, reached with the credentials of one account.
#[derive(Debug, Clone)]
pub struct EventBridge {
    client: Client,
    service: Service,
}

impl EventBridge {
    pub(crate) fn new(client: Client, session: Option<Session>) -> Self {
        Self {
            client,
            service: Service::new("events", session),
        }
    }

    /// Puts events on a bus, all of them or an error.
    ///
    /// EventBridge accepts each entry for itself, under HTTP 200. Entries that
    /// fail for the moment are sent again, alone; after an error, the others
    /// have been delivered. An event that no rule matches is a success.
    pub async fn put(&self, bus: &str, entries: Vec<Entry>) -> Result<(), Error> {
        let entries = entries.into_iter().map(|entry| to_sdk(bus, entry));
        let mut failures = Vec::new();
        for call in self.calls(entries.collect())? {
            failures.extend(self.put_persistently(call).await?);
        }
        match failures.as_slice() {
            [] => Ok(()),
            failures => Err(self.report(failures)),
        }
    }

    /// Sends entries until none is left that trying again can help.
    async fn put_persistently(
        &self,
        mut entries: Vec<PutEventsRequestEntry>,
    ) -> Result<Vec<Error>, Error> {
        let mut given_up = Vec::new();
        for round in 1..=ROUNDS {
            let mut again = Vec::new();
            for (entry, failure) in self.put_once(entries).await? {
                if failure.class() == Class::Transient && round < ROUNDS {
                    again.push(entry);
                } else {
                    given_up.push(failure);
                }
            }
            if again.is_empty() {
                break;
            }
            entries = again;
        }
        Ok(given_up)
    }

    /// Makes one call; the answer is the entries that failed.
    async fn put_once(
        &self,
        entries: Vec<PutEventsRequestEntry>,
    ) -> Result<Vec<(PutEventsRequestEntry, Error)>, Error> {
        let answer = self
            .client
            .put_events()
            .set_entries(Some(entries.clone()))
            .send()
            .await
            .map_err(self.service.failed(OPERATION))?;
        if answer.entries().len() != entries.len() {
            let lack = "another number of entries than was sent";
            return Err(self.service.odd_answer(OPERATION, lack));
        }
        let failed = entries.into_iter().zip(answer.entries());
        Ok(failed
            .filter_map(|(entry, result)| Some((entry, self.failure(result)?)))
            .collect())
    }

    fn failure(&self, result: &PutEventsResultEntry) -> Option<Error> {
        let code = result.error_code()?;
        let message = result.error_message().unwrap_or("no message");
        Some(self.service.refused(OPERATION, Some(code), message))
    }

    /// One error for all entries that failed; what one of them may gain by
    /// another try, it gains.
    fn report(&self, failures: &[Error]) -> Error {
        let by_class = |failure: &&Error| failure.class();
        let decisive = failures.iter().max_by_key(by_class).unwrap_or(&failures[0]);
        let all: Vec<_> = failures
            .iter()
            .map(|failure| {
                let code = failure.code().unwrap_or_default();
                format!("{code}: {}", failure.message())
            })
            .collect();
        let message = format!("{} not accepted: {}", failures.len(), all.join("; "));
        self.service.refused(OPERATION, decisive.code(), message)
    }

    /// Divides entries into as few calls as the limits allow, in order.
    fn calls(
        &self,
        entries: Vec<PutEventsRequestEntry>,
    ) -> Result<Vec<Vec<PutEventsRequestEntry>>, Error> {
        let mut calls: Vec<Vec<PutEventsRequestEntry>> = Vec::new();
        let mut bytes = 0;
        for entry in entries {
            let size = size(&entry);
            if size > MAX_BYTES {
                let message = format!("an entry of {size} bytes is over the limit of {MAX_BYTES}");
                return Err(self.service.refused(OPERATION, None, message));
            }
            match calls.last_mut() {
                Some(call) if call.len() < MAX_ENTRIES && bytes + size <= MAX_BYTES => {
                    call.push(entry);
                    bytes += size;
                }
                _ => {
                    calls.push(vec![entry]);
                    bytes = size;
                }
            }
        }
        Ok(calls)
    }
}

fn to_sdk(bus: &str, entry: Entry) -> PutEventsRequestEntry {
    PutEventsRequestEntry::builder()
        .event_bus_name(bus)
        .source(entry.source)
        .detail_type(entry.detail_type)
        .detail(entry.detail.to_string())
        .set_resources(Some(entry.resources))
        .build()
}

/// The size of an entry as EventBridge counts it; no entry of ours has a time.
fn size(entry: &PutEventsRequestEntry) -> usize {
    let texts = [entry.source(), entry.detail_type(), entry.detail()];
    let resources = entry.resources().iter().map(String::len);
    texts.into_iter().flatten().map(str::len).sum::<usize>() + resources.sum::<usize>()
}

#[cfg(test)]
mod tests;
