//! Puts the newest valid policy in force, and finds what is wrong with one that cannot be gone by.

use domain::{
    error::{Class, Error},
    notification::PolicyAlert,
    policy::{self, InForce, Labelled, PolicyErrors, TeamVersions, Version},
    trigger::Confirmation,
};
use runtime::{
    ports::{PolicyStore, Table},
    reconcile::Stopped,
};

use crate::{
    documents::{Documents, Teams},
    guard::guard,
};

/// The policy to go by, and what was found on the way.
#[derive(Debug)]
pub(crate) struct Promotion {
    /// The policy in force, or why there is none to go by.
    pub(crate) in_force: Result<InForce, Stopped>,
    /// Whether it was put in force just now.
    pub(crate) promoted: bool,
    /// Why a newer version was not put in force, or the one in force is not gone by.
    pub(crate) refused: Option<String>,
    /// The version that was written and is not valid.
    pub(crate) invalid: Option<(Version, PolicyErrors)>,
    /// What else people have to know.
    pub(crate) alerts: Vec<PolicyAlert>,
    /// What became of the documents of teams.
    pub(crate) documents: Documents,
}

/// What records allow to be done about the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    /// Only to read it, as in dry runs.
    Read,
    /// To put a newer one in force if none can be gone by.
    Recover,
    /// To put a newer one in force: it may have been written.
    Promote,
}

/// The policy in force, after a newer one was put in force if there is one and it may be.
pub(crate) async fn promote(
    store: &(impl PolicyStore + Table),
    permission: Permission,
    confirmation: Option<&Confirmation>,
) -> Promotion {
    let mut promotion = promote_root(store, permission, confirmation).await;
    let Ok(in_force) = promotion.in_force else {
        return promotion;
    };
    let mut teams = Teams {
        hub: store,
        confirmation,
        documents: Documents::default(),
    };
    let promotes = permission == Permission::Promote;
    let completed = teams.complete(in_force, promotes, promotion.promoted);
    let completed = completed.await;
    promotion.in_force = completed.map_err(Stopped::Failed);
    promotion.documents = teams.documents;
    promotion
}

async fn promote_root(
    store: &impl PolicyStore,
    permission: Permission,
    confirmation: Option<&Confirmation>,
) -> Promotion {
    let labelled = match store.labelled().await {
        Ok(labelled) => labelled,
        Err(error) => return Promotion::unreadable(error, permission),
    };
    let mut promotion = Promotion::of(&labelled, permission);
    let is_wanted = match &labelled {
        Labelled::Policy(_) => permission == Permission::Promote,
        Labelled::Nothing | Labelled::Refused { .. } => permission != Permission::Read,
    };
    let version = labelled.version();
    if is_wanted && let Err(error) = promotion.try_newest(store, version, confirmation).await {
        return Promotion::nothing(Err(Stopped::Failed(error)));
    }
    promotion
}

impl Promotion {
    fn nothing(in_force: Result<InForce, Stopped>) -> Self {
        Self {
            in_force,
            promoted: false,
            refused: None,
            invalid: None,
            alerts: Vec::new(),
            documents: Documents::default(),
        }
    }

    /// The policy in force cannot be read.
    fn unreadable(error: Error, permission: Permission) -> Self {
        let why = error.to_string();
        let is_permanent = error.class() == Class::Permanent;
        let mut promotion = Self::nothing(Err(Stopped::Failed(error)));
        if is_permanent && permission != Permission::Read {
            let alert = PolicyAlert::InForceUnreadable { why };
            promotion.alerts.push(alert);
        }
        promotion
    }

    /// What carries the label, before anything newer is read.
    fn of(labelled: &Labelled, permission: Permission) -> Self {
        let in_force = labelled.clone().policy().ok_or(Stopped::NoPolicy);
        let mut promotion = Self::nothing(in_force);
        if let Labelled::Refused { version, errors } = labelled {
            promotion.refused = Some(format!(
                "version {version} of the policy is in force and not valid: {errors}"
            ));
            if permission != Permission::Read {
                let (version, errors) = (*version, errors.clone());
                let alert = PolicyAlert::InForceRefused { version, errors };
                promotion.alerts.push(alert);
            }
        }
        promotion
    }

    /// Puts the newest policy in force if it is newer and valid; otherwise what is in force stays.
    async fn try_newest(
        &mut self,
        store: &impl PolicyStore,
        in_force: Option<i64>,
        confirmation: Option<&Confirmation>,
    ) -> Result<(), Error> {
        let newest = match store.newest().await {
            Ok(Some(newest)) if in_force.is_none_or(|it| it < newest.version) => newest,
            Ok(_) => return Ok(()),
            // What was put in force can be read, so the work goes on by it.
            Err(error) if error.class() == Class::Permanent => {
                let why = error.to_string();
                self.refuse(format!(
                    "the newest version of the policy cannot be read: {why}"
                ));
                self.alerts.push(PolicyAlert::NewestUnreadable { why });
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        let number = newest.version;
        self.judge(store, newest, confirmation).await;
        if self.promoted {
            // What was wrong with the version before it is over.
            self.alerts.clear();
        } else if let Some(in_force) = in_force
            && let Some(left) = policy::versions_left(in_force, number)
        {
            self.alerts.push(PolicyAlert::VersionsRunOut {
                in_force,
                newest: number,
                left,
            });
        }
        Ok(())
    }

    async fn judge(
        &mut self,
        store: &impl PolicyStore,
        newest: Version,
        confirmation: Option<&Confirmation>,
    ) {
        let version = newest.version;
        if policy::is_unwritten(&newest.text) {
            tracing::info!(policy.version = version, "nobody has written a policy yet");
            return;
        }
        // The documents of teams stay what they are.
        let in_force = self.in_force.as_ref().ok();
        let teams = in_force.map_or_else(TeamVersions::new, |it| it.teams.clone());
        let read = InForce::of(newest.clone(), teams, store.place(), store.time());
        let in_force = match read {
            Ok(in_force) => in_force,
            Err(errors) => {
                self.refuse_version(version, &errors.to_string());
                self.invalid = Some((newest, errors));
                return;
            }
        };
        let before = self.in_force.as_ref().ok();
        if let Some(held) = before.and_then(|it| guard(it, &in_force, None, &newest, confirmation))
        {
            self.refuse_version(version, &held.why);
            self.alerts.push(held.alert);
            return;
        }
        match store.put_in_force(version).await {
            Ok(()) => {
                self.promoted = true;
                self.refused = None;
                self.in_force = Ok(in_force);
            }
            // The last good one stays in force; the next schedule tries again.
            Err(error) => self.refuse_version(version, &error.to_string()),
        }
    }

    fn refuse_version(&mut self, version: i64, why: &str) {
        self.refuse(format!(
            "version {version} of the policy was not put in force: {why}"
        ));
    }

    fn refuse(&mut self, why: String) {
        tracing::error!("{why}");
        self.refused = Some(why);
    }
}
