//! What documents would do that are not in force: read, compared, and nothing changed.

use domain::{
    account::AccountRef,
    policy::{InForce, Policy, PolicyErrors, TeamVersions, Version, Withdrawal},
    trigger::{Ignored, PlanRequest, account_of},
};
use runtime::{
    lambda::{Deadline, Record, RecordOutcome},
    ports::{PolicyStore, Publish, Table},
    reconcile::Stopped,
};

use crate::{
    SharePipeline,
    account::Served,
    ports::{Bus, Ceilings, Ram, SageMaker},
    promote::{self, Permission},
    report::{PlanReport, Report},
    route::{self, Scope, Task},
};

impl<H, A> SharePipeline<'_, H, A>
where
    H: PolicyStore + Publish + Table,
    A: Bus + Ceilings + Ram + SageMaker,
{
    /// Answers what the documents would do in the accounts as they are now.
    pub(crate) async fn plan_for(
        &self,
        plan: &PlanRequest,
        batch: &[Record],
        deadline: Deadline,
    ) -> (Report, Vec<Served>, Vec<RecordOutcome>) {
        let promotion = promote::promote(self.hub, Permission::Read, None).await;
        let before = match promotion.in_force {
            Ok(in_force) => Some(in_force),
            Err(Stopped::NoPolicy) => None,
            Err(why) => {
                let report = Report::default().stopped(&why);
                return (report, Vec::new(), why.outcomes(batch));
            }
        };
        match self.planned(plan, before.as_ref()) {
            Ok(after) => {
                let nothing = Policy::default();
                let policy = before.as_ref().map_or(&nothing, |it| &it.policy);
                self.preview(plan, policy, &after, batch, deadline).await
            }
            Err(errors) => {
                let report = Report::of_plan(PlanReport::refused(&errors));
                (report, Vec::new(), done(batch))
            }
        }
    }

    /// Reads the accounts, and says what there would be to do in each.
    async fn preview(
        &self,
        plan: &PlanRequest,
        before: &Policy,
        after: &InForce,
        batch: &[Record],
        deadline: Deadline,
    ) -> (Report, Vec<Served>, Vec<RecordOutcome>) {
        let withdrawal = Withdrawal::between(before, &after.policy);
        let report = Report::of_plan(PlanReport::of(&withdrawal, before.limits));
        let tasks = [task(plan.owner.as_ref(), &after.policy)];
        let mut known = match self.known_owners(&after.policy, &tasks).await {
            Ok(known) => known,
            Err(error) => {
                let why = Stopped::Failed(error);
                return (report.stopped(&why), Vec::new(), why.outcomes(batch));
            }
        };
        known.extend(before.owners().into_iter().cloned());
        let requests = route::requests(&tasks, &known, "");
        let served = self.serve_each(after, &requests, deadline).await;
        let partition = &self.hub.place().partition;
        let report = report.of_accounts(&after.policy, partition, &tasks, &served);
        (report, served, done(batch))
    }

    /// The documents in force with those of the plan in their place, or what is wrong with these.
    fn planned(
        &self,
        plan: &PlanRequest,
        before: Option<&InForce>,
    ) -> Result<InForce, PolicyErrors> {
        let version = |text: &String| Version {
            version: 0,
            text: text.clone(),
            written: None,
        };
        let root = match (&plan.root, before) {
            (Some(text), _) => version(text),
            (None, Some(before)) => before.root_version(),
            (None, None) => version(&String::new()),
        };
        let mut teams = before.map_or_else(TeamVersions::new, |it| it.teams.clone());
        teams.extend(
            plan.teams
                .iter()
                .map(|(team, text)| (team.clone(), version(text))),
        );
        let after = InForce::of(root, teams, self.hub.place(), self.hub.time())?;
        for team in plan.teams.keys() {
            let errors = after.not_granted.of_document(Some(team));
            if !errors.is_empty() {
                return Err(errors);
            }
        }
        Ok(after)
    }
}

/// A question is answered, whatever the answer.
fn done(batch: &[Record]) -> Vec<RecordOutcome> {
    batch.iter().map(|_| RecordOutcome::Done).collect()
}

/// A dry run for one owner, or for all.
fn task(owner: Option<&AccountRef>, policy: &Policy) -> Result<Task, Ignored> {
    let scope = match owner {
        Some(owner) => Scope::Account(account_of(owner, policy)?),
        None => Scope::Everything,
    };
    Ok(Task {
        scope,
        promotes: false,
        dry_run: true,
        records: false,
        confirmation: None,
    })
}
