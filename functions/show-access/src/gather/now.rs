//! Reads what is open and what is in force.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::AccountId,
    notification::{Tally, Watermark},
    overview::AccessState,
    policy::{InForce, TeamVersions, Version},
    storage,
    text::flat,
};
use futures::{StreamExt, stream};
use runtime::{
    Error,
    ports::{PolicyStore, Table},
};
use tokio::time::timeout;

use super::{Gatherer, LONGEST, MOST_ACCOUNTS};
use crate::{
    ports::Owners,
    request::{Request, View},
    snapshot::{AccountNote, Document, Invitation, Problem, Row},
};

/// How many items of the table are read at once.
const ITEMS_AT_ONCE: usize = 16;

/// What the hub knows beside the accounts.
type Known = (Vec<Problem>, Vec<Document>, Vec<AccountNote>);

impl<H: PolicyStore + Table, A: Owners> Gatherer<'_, H, A> {
    /// What the hub knows, if the page shows it.
    pub(crate) async fn known(&self, request: &Request, in_force: &InForce) -> Known {
        if request.view != View::Now {
            return Known::default();
        }
        let reading = async { futures::join!(self.documents(in_force), self.notes(in_force)) };
        let Ok((documents, notes)) = timeout(self.time / 2, reading).await else {
            return (
                vec![failed("they were not read in time")],
                Vec::new(),
                Vec::new(),
            );
        };
        let mut problems = Vec::new();
        let documents = documents.unwrap_or_else(|error| {
            problems.push(failed(&error.to_string()));
            Vec::new()
        });
        let notes = notes.unwrap_or_else(|error| {
            problems.push(failed(&error.to_string()));
            Vec::new()
        });
        (problems, documents, notes)
    }

    /// The documents in force, and what is to be said of newer ones.
    async fn documents(&self, in_force: &InForce) -> Result<Vec<Document>, Error> {
        let teams = &in_force.policy.teams;
        let newest_of_teams = async {
            if teams.is_empty() {
                return Ok(TeamVersions::new());
            }
            self.hub.newest_of_teams(teams).await
        };
        let (newest, of_teams) = futures::try_join!(self.hub.newest(), newest_of_teams)?;
        let place = self.hub.place();
        let newer = newest.filter(|it| it.version != in_force.version);
        let verdict = newer.as_ref().map(|newer| {
            let read = InForce::of(newer.clone(), in_force.teams.clone(), place, in_force.at);
            verdict(read.err().map(|errors| errors.to_string()))
        });
        let root = Document {
            team: None,
            in_force: Some(in_force.version),
            written: in_force.written,
            newest: newer.map(|it| it.version),
            note: verdict,
        };
        let teams = teams.iter().map(|team| {
            let newest = of_teams.get(team);
            self.document(in_force, team, newest)
        });
        Ok([root].into_iter().chain(teams).collect())
    }

    fn document(&self, in_force: &InForce, team: &str, newest: Option<&Version>) -> Document {
        let current = in_force.teams.get(team);
        let number = current.map(|it| it.version);
        let newer = newest.filter(|it| Some(it.version) != number);
        let of_newer = newer.map(|newer| {
            let errors = in_force.judge(team, newer, self.hub.place());
            verdict((!errors.is_empty()).then(|| errors.to_string()))
        });
        let lapsed = in_force.not_granted.of_document(Some(team));
        let lapsed =
            (!lapsed.is_empty()).then(|| flat(&format!("in part not granted: {lapsed}"), LONGEST));
        let notes: Vec<_> = lapsed.into_iter().chain(of_newer).collect();
        Document {
            team: Some(team.to_owned()),
            in_force: number,
            written: current.and_then(|it| it.written),
            newest: newer.map(|it| it.version),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
        }
    }

    /// What the table says of the accounts of the policy.
    async fn notes(&self, in_force: &InForce) -> Result<Vec<AccountNote>, Error> {
        let items = self.hub.list(storage::WATERMARK).await?;
        let marks = items.into_iter().filter_map(|item| {
            let mark = Watermark::from_values(&item.values)?;
            Some((item.sk.parse().ok()?, mark))
        });
        let marks: BTreeMap<AccountId, Watermark> = marks.collect();
        let policy = &in_force.policy;
        let accounts: BTreeSet<_> = policy
            .owners()
            .union(&policy.consumers())
            .copied()
            .collect();
        let asking = accounts.into_iter().take(MOST_ACCOUNTS);
        let asking = asking.map(async |account| {
            Ok(AccountNote {
                account: account.clone(),
                examined: marks.get(account).map(|mark| mark.until),
                alerts: self.alerts(account).await?,
            })
        });
        let notes: Vec<_> = stream::iter(asking).buffered(ITEMS_AT_ONCE).collect().await;
        notes.into_iter().collect()
    }

    /// How many alerts about an account were sent today.
    async fn alerts(&self, account: &AccountId) -> Result<usize, Error> {
        let Some(now) = self.hub.time() else {
            return Ok(0);
        };
        let key = storage::alerts(account, &now.strftime("%F").to_string());
        let values = self.hub.get(&key.pk, &key.sk).await?;
        let tally = values.map(|values| Tally::from_values(&values));
        Ok(tally.map_or(0, |tally| tally.of_day(now)))
    }
}

fn failed(why: &str) -> Problem {
    Problem {
        account: None,
        what: flat(
            &format!("What the hub knows cannot be read: {why}"),
            LONGEST,
        ),
    }
}

/// What becomes of a newer version.
fn verdict(errors: Option<String>) -> String {
    match errors {
        Some(errors) => flat(&format!("refused: {errors}"), LONGEST),
        None => "valid; it is put in force by the next reconciliation, or waits for a confirmation"
            .to_owned(),
    }
}

/// Who has yet to accept what, from all pipelines.
pub(crate) fn invitations(rows: &[Row]) -> Vec<Invitation> {
    let mut found: BTreeMap<_, Invitation> = BTreeMap::new();
    for row in rows {
        for entry in &row.access.entries {
            let (Some(rule), AccessState::Invited { invited }) = (&entry.rule, &entry.state) else {
                continue;
            };
            let key = (*invited, &row.owner, &entry.principal, rule);
            let invitation = found.entry(key).or_insert_with(|| Invitation {
                owner: row.owner.clone(),
                principal: entry.principal.clone(),
                rule: rule.clone(),
                pipelines: 0,
                state: entry.state.clone(),
            });
            invitation.pipelines += 1;
        }
    }
    found.into_values().collect()
}
