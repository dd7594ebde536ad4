//! Puts on the trail what has changed, by which documents, and who wrote these.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use domain::{
    error::Class,
    policy::{InForce, Policy, Version},
    sharing::{Applied, Plan},
    trail::{Context, Document, Documents, TrailEvent},
};
use jiff::Timestamp;
use runtime::{
    Error,
    ports::{PolicyStore, Publish, Table},
};

use crate::{SharePipeline, ports::Bus, promote::Promotion, route::Request};

/// Who wrote versions of parameters, as far as it was asked.
///
#[derive(Debug, Default)]
pub(crate) struct Writers(RefCell<BTreeMap<Written, Option<String>>>);

/// A parameter, the number of a version and its time: a parameter that is made
/// again counts its versions from one.
type Written = (String, i64, Option<Timestamp>);

/// A team, or none for the root.
pub(crate) type Team = Option<String>;

impl<H: PolicyStore + Publish + Table, A: Bus> SharePipeline<'_, H, A> {
    /// The documents of these teams.
    pub(crate) async fn documents(&self, policy: &InForce, teams: BTreeSet<Team>) -> Documents {
        let each = teams.into_iter().filter_map(|team| {
            let (parameter, version) = self.version_of(policy, team.as_deref())?;
            Some(async move {
                let by = self.written_by(&parameter, &version).await;
                (team, Document::new(parameter, &version, by))
            })
        });
        let documents = futures::future::join_all(each).await;
        Documents {
            by_team: documents.into_iter().collect(),
        }
    }

    /// The parameter of a team's document, and its version in force.
    fn version_of(&self, policy: &InForce, team: Option<&str>) -> Option<(String, Version)> {
        match team {
            None => {
                let root = self.config.settings.policy.clone();
                Some((root, policy.root_version()))
            }
            Some(team) => {
                let version = policy.teams.get(team)?.clone();
                Some((self.hub.parameter_of(team), version))
            }
        }
    }

    /// Who wrote a version. That it cannot be found out keeps nothing from being recorded.
    async fn written_by(&self, parameter: &str, version: &Version) -> Option<String> {
        let key = (parameter.to_owned(), version.version, version.written);
        let known = self.writers.0.borrow().get(&key).cloned();
        if let Some(known) = known {
            return known;
        }
        match self.hub.written_by(parameter, version.version).await {
            Ok(by) => {
                self.writers.0.borrow_mut().insert(key, by.clone());
                by
            }
            Err(error) => {
                tracing::warn!("the trail does not say who wrote {parameter}: {error}");
                None
            }
        }
    }

    /// Puts on the trail which versions of documents were put in force by this run.
    pub(crate) async fn record_policy(&self, promotion: &Promotion) {
        let Ok(policy) = &promotion.in_force else {
            return;
        };
        let root = promotion.promoted.then_some(None);
        let teams = promotion.documents.promoted.iter().cloned().map(Some);
        let promoted: BTreeSet<Team> = root.into_iter().chain(teams).collect();
        if promoted.is_empty() {
            return;
        }
        let documents = self.documents(policy, promoted).await;
        let events: Vec<_> = documents.by_team.values().map(Document::event).collect();
        if let Err(error) = self.accounts.put(&[], &events).await {
            tracing::error!("{error}");
            log(&events);
        }
    }
}

impl Request {
    /// The teams with rules that a plan is about, or with any if all access is to be recorded.
    pub(crate) fn teams(&self, policy: &Policy, plan: &Plan) -> BTreeSet<Team> {
        if self.records {
            let rules = policy.rules_of(&self.account);
            return rules.map(|rule| rule.team.clone()).collect();
        }
        let rules = plan.shares.iter().map(|share| {
            let name = share.rule.as_ref()?;
            policy.rule(name.as_str(), &self.account)
        });
        rules.map(|rule| rule?.team.clone()).collect()
    }

    /// What steps have changed, and all access that there is if that is to be recorded.
    pub(crate) fn trail(&self, context: &Context<'_>, steps: &[Applied<Error>]) -> Vec<TrailEvent> {
        let may_be_done = |error: &Error| error.class() == Class::Transient;
        let mut events = context.changes(steps, may_be_done);
        if self.records {
            events.extend(context.record(steps, may_be_done));
        }
        events
    }
}

/// Logs what the bus did not take, so that it is somewhere.
pub(crate) fn log(events: &[TrailEvent]) {
    for event in events {
        tracing::error!(
            trail.detail_type = event.detail_type,
            trail.detail = %event.detail,
            "an event of the trail was not sent"
        );
    }
}
