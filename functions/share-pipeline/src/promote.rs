//! Puts the newest valid policy in force, and says what is wrong with one that cannot be gone by.

use aws::{Class, Error};
use domain::{
    account::AccountRef,
    hint::Ignored,
    notification::PolicyTrouble,
    policy::{self, InForce, Labelled, Policy},
};
use runtime::lambda::Record;
use runtime::ports::PolicyStore as _;

use crate::{SharePipeline, Task, report::Report};

impl SharePipeline<'_> {
    /// The policy in force, after a newer one was put in force if there is one.
    pub(crate) async fn policy(
        &self,
        tasks: &[Result<Task<AccountRef>, Ignored>],
        batch: &[Record],
        report: &mut Report,
    ) -> Result<Option<InForce>, Error> {
        let tells = tasks.iter().flatten().any(|task| !task.dry_run);
        let labelled = match self.labelled().await {
            Err(error) if tells && error.class() == Class::Permanent => {
                let why = error.to_string();
                let trouble = PolicyTrouble::InForceUnreadable { why };
                self.tell_policy_trouble(&trouble, batch).await;
                return Err(error);
            }
            labelled => labelled?,
        };
        let mut tasks = tasks.iter().flatten();
        let may_promote = match &labelled {
            Labelled::Policy(_) => tasks.any(|task| task.promotes),
            Labelled::Nothing | Labelled::Refused { .. } => tells,
        };
        let promoted = if may_promote {
            self.promote(&labelled, batch, report).await?
        } else {
            None
        };
        match labelled {
            _ if promoted.is_some() => Ok(promoted),
            Labelled::Nothing => Ok(None),
            Labelled::Policy(in_force) => Ok(Some(in_force)),
            Labelled::Refused { version, errors } => {
                report.refuse_in_force(version, &errors);
                if tells {
                    let trouble = PolicyTrouble::InForceRefused { version, errors };
                    self.tell_policy_trouble(&trouble, batch).await;
                }
                Ok(None)
            }
        }
    }

    async fn labelled(&self) -> Result<Labelled, Error> {
        self.hub.labelled().await
    }

    /// Puts the newest policy in force if it is newer and valid; otherwise what is in force stays.
    async fn promote(
        &self,
        labelled: &Labelled,
        batch: &[Record],
        report: &mut Report,
    ) -> Result<Option<InForce>, Error> {
        let newest = match self.hub.newest().await {
            Ok(Some(newest)) => newest,
            Ok(None) => return Ok(None),
            // What was put in force can be read, so the work goes on by it.
            Err(error) if error.class() == Class::Permanent => {
                report.refuse_unreadable(&error);
                let why = error.to_string();
                let trouble = PolicyTrouble::NewestUnreadable { why };
                self.tell_policy_trouble(&trouble, batch).await;
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let in_force = labelled.version();
        if in_force.is_some_and(|in_force| in_force >= newest.version) {
            return Ok(None);
        }
        let promoted = if policy::is_unwritten(&newest.text) {
            tracing::info!(
                policy.version = newest.version,
                "nobody has written a policy yet"
            );
            None
        } else {
            match Policy::parse_at(&newest.text, self.hub.place()) {
                Ok(policy) => {
                    let version = newest.version;
                    match self.hub.put_in_force(version).await {
                        Ok(()) => Some(InForce {
                            version,
                            written: newest.written,
                            policy,
                        }),
                        Err(error) => {
                            // The last good one stays in force; the next sweep tries again.
                            report.refuse_policy(version, &error);
                            None
                        }
                    }
                }
                Err(errors) => {
                    report.refuse_policy(newest.version, &errors);
                    self.tell_policy_refused(&newest, &errors, batch).await;
                    None
                }
            }
        };
        report.promoted = promoted.is_some();
        if !report.promoted
            && let Some(in_force) = in_force
        {
            self.warn_of_versions(in_force, newest.version, batch).await;
        }
        Ok(promoted)
    }

    /// Says once a day that Parameter Store will soon take no new version.
    async fn warn_of_versions(&self, in_force: i64, newest: i64, batch: &[Record]) {
        if let Some(left) = policy::versions_left(in_force, newest) {
            let trouble = PolicyTrouble::VersionsRunOut {
                in_force,
                newest,
                left,
            };
            self.tell_policy_trouble(&trouble, batch).await;
        }
    }
}
