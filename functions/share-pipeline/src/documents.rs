//! Puts the newest valid documents of teams in force, each by itself.
//!
//! What was put in force is kept in the table as well: a parameter that
//! somebody deletes withdraws nothing.

use std::{collections::BTreeMap, slice};

use domain::{
    error::{Class, Error},
    notification::PolicyAlert,
    policy::{self, InForce, PolicyErrors, TeamVersions, Version},
    storage::{DOCUMENTS, Item, Values},
    trigger::Confirmation,
};
use jiff::Timestamp;
use runtime::ports::{PolicyStore, Table};

use crate::guard::guard;

const TEXT: &str = "text";
const VERSION: &str = "version";
const WRITTEN: &str = "written";

/// What became of the documents of teams.
#[derive(Debug, Default)]
pub(crate) struct Documents {
    /// The teams whose documents were put in force just now.
    pub(crate) promoted: Vec<String>,
    /// The teams whose newest documents were not put in force, and why.
    pub(crate) refused: Vec<(String, Version, PolicyErrors)>,
    /// The teams whose newest documents wait for a confirmation, and why.
    pub(crate) held: Vec<(String, String)>,
    /// What else people have to know, by team.
    pub(crate) alerts: Vec<(String, PolicyAlert)>,
}

impl Documents {
    /// Why newest documents were not put in force.
    pub(crate) fn refused_by_team(&self) -> BTreeMap<String, String> {
        let held = self.held.iter().cloned();
        let refused = self.refused.iter().map(|(team, version, errors)| {
            let number = version.version;
            (
                team.clone(),
                format!("version {number} was not put in force: {errors}"),
            )
        });
        refused.chain(held).collect()
    }
}

/// The documents of the teams of a policy.
pub(crate) struct Teams<'t, H> {
    pub(crate) hub: &'t H,
    pub(crate) confirmation: Option<&'t Confirmation>,
    pub(crate) documents: Documents,
}

impl<H: PolicyStore + Table> Teams<'_, H> {
    /// The policy with what its teams have in force, or had if that is gone.
    ///
    /// If it `promotes`, what is newer and valid is put in force first.
    pub(crate) async fn complete(
        &mut self,
        in_force: InForce,
        promotes: bool,
        root_is_new: bool,
    ) -> Result<InForce, Error> {
        // A team that has just left the root is forgotten with its document.
        if in_force.policy.teams.is_empty() && !root_is_new {
            return Ok(in_force);
        }
        let copies = read(&self.hub.list(DOCUMENTS).await?);
        let labelled = in_force.teams.clone();
        let mut in_force = self.with_missing(&in_force, &copies);
        if promotes || root_is_new {
            in_force = self.promote(in_force, &labelled).await?;
            self.keep(&in_force, &copies).await?;
        }
        for team in in_force.teams.keys() {
            let errors = in_force.not_granted.of_document(Some(team));
            if !errors.is_empty() {
                let alert = PolicyAlert::NotGranted { errors };
                self.documents.alerts.push((team.clone(), alert));
            }
        }
        Ok(in_force)
    }

    /// Goes by the copies of documents that are gone.
    fn with_missing(&mut self, in_force: &InForce, copies: &TeamVersions) -> InForce {
        let mut teams = in_force.teams.clone();
        for team in &in_force.policy.teams {
            if let Some(copy) = copies.get(team).filter(|_| !teams.contains_key(team)) {
                let version = copy.version;
                let alert = PolicyAlert::DocumentMissing { version };
                self.documents.alerts.push((team.clone(), alert));
                teams.insert(team.clone(), copy.clone());
            }
        }
        self.with(in_force, teams)
    }

    /// Puts the newest documents in force that are newer and valid.
    async fn promote(
        &mut self,
        mut in_force: InForce,
        labelled: &TeamVersions,
    ) -> Result<InForce, Error> {
        if in_force.policy.teams.is_empty() {
            return Ok(in_force);
        }
        let newest = self.newest(&in_force.policy.teams).await?;
        for (team, version) in newest {
            let before = labelled.get(&team).map(|it| it.version);
            let is_newer = before.is_none_or(|before| before < version.version);
            if is_newer && !policy::is_unwritten(&version.text) {
                in_force = self.promote_one(in_force, &team, version, before).await;
            }
        }
        Ok(in_force)
    }

    /// The newest documents. What is in force can be read, so the work goes on
    /// by it where the newest cannot; and one that cannot, such as a secret under
    /// somebody's key, keeps no other from being read.
    async fn newest(&mut self, teams: &[String]) -> Result<TeamVersions, Error> {
        let of_all = match self.hub.newest_of_teams(teams).await {
            Err(error) if error.class() == Class::Permanent => error,
            answer => return answer,
        };
        let mut newest = TeamVersions::new();
        let mut unreadable = Vec::new();
        for team in teams {
            match self.hub.newest_of_teams(slice::from_ref(team)).await {
                Ok(found) => newest.extend(found),
                Err(error) if error.class() == Class::Permanent => {
                    unreadable.push((team.clone(), error));
                }
                Err(error) => return Err(error),
            }
        }
        if unreadable.len() == teams.len() {
            unreadable = vec![("*".to_owned(), of_all)];
        }
        let alerts = unreadable.into_iter().map(|(team, error)| {
            let why = error.to_string();
            (team, PolicyAlert::NewestUnreadable { why })
        });
        self.documents.alerts.extend(alerts);
        Ok(newest)
    }

    async fn promote_one(
        &mut self,
        in_force: InForce,
        team: &str,
        version: Version,
        before: Option<i64>,
    ) -> InForce {
        let errors = in_force.judge(team, &version, self.hub.place());
        if !errors.is_empty() {
            self.refuse(team, version, errors, before);
            return in_force;
        }
        let mut teams = in_force.teams.clone();
        teams.insert(team.to_owned(), version.clone());
        let after = self.with(&in_force, teams);
        if let Some(held) = guard(&in_force, &after, Some(team), &version, self.confirmation) {
            tracing::error!(
                policy.team = team,
                "a document was not put in force: {}",
                held.why
            );
            let why = format!("version {}: {}", version.version, held.why);
            self.documents.held.push((team.to_owned(), why));
            self.documents.alerts.push((team.to_owned(), held.alert));
            return in_force;
        }
        if let Err(error) = self.hub.put_team_in_force(team, version.version).await {
            // The last good one stays in force; the next schedule tries again.
            tracing::error!(
                policy.team = team,
                "the document was not put in force: {error}"
            );
            let why = error.to_string();
            let alert = PolicyAlert::NotPutInForce { why };
            self.documents.alerts.push((team.to_owned(), alert));
            return in_force;
        }
        self.documents.promoted.push(team.to_owned());
        self.documents.alerts.retain(|(it, _)| it != team);
        after
    }

    /// Notes that a version has mistakes; the last good one stays.
    fn refuse(&mut self, team: &str, version: Version, errors: PolicyErrors, before: Option<i64>) {
        let newest = version.version;
        tracing::error!(
            policy.team = team,
            policy.version = newest,
            "the document of a team was not put in force: {errors}"
        );
        if let Some(in_force) = before
            && let Some(left) = policy::versions_left(in_force, newest)
        {
            let alert = PolicyAlert::VersionsRunOut {
                in_force,
                newest,
                left,
            };
            self.documents.alerts.push((team.to_owned(), alert));
        }
        self.documents
            .refused
            .push((team.to_owned(), version, errors));
    }

    /// The policy with other documents of teams; the root has been read by itself.
    fn with(&self, in_force: &InForce, teams: TeamVersions) -> InForce {
        if teams == in_force.teams {
            return in_force.clone();
        }
        let changed = in_force.with_teams(teams, self.hub.place());
        changed.unwrap_or_else(|_| in_force.clone())
    }

    /// Keeps copies of what is in force, and of nothing else.
    async fn keep(&self, in_force: &InForce, copies: &TeamVersions) -> Result<(), Error> {
        for (team, version) in &in_force.teams {
            if copies.get(team) != Some(version) {
                self.hub
                    .put(DOCUMENTS, team, &values(version), None)
                    .await?;
            }
        }
        for team in copies
            .keys()
            .filter(|team| !in_force.teams.contains_key(*team))
        {
            self.hub.delete(DOCUMENTS, team).await?;
        }
        Ok(())
    }
}

fn values(version: &Version) -> Values {
    let written = version
        .written
        .map(|time| (WRITTEN.to_owned(), time.to_string()));
    let known = [
        (TEXT.to_owned(), version.text.clone()),
        (VERSION.to_owned(), version.version.to_string()),
    ];
    known.into_iter().chain(written).collect()
}

fn read(items: &[Item]) -> TeamVersions {
    let version = |item: &Item| {
        Some(Version {
            version: item.values.get(VERSION)?.parse().ok()?,
            text: item.values.get(TEXT)?.clone(),
            written: item
                .values
                .get(WRITTEN)
                .and_then(|it| it.parse::<Timestamp>().ok()),
        })
    };
    let items = items.iter();
    items
        .filter_map(|item| Some((item.sk.clone(), version(item)?)))
        .collect()
}
