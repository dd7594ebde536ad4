//! What documents would do that are not in force: read, compared, and nothing changed.

use std::pin::pin;

use domain::{
    account::AccountRef,
    error::Class,
    id::AccountId,
    policy::{InForce, Policy, PolicyErrors, TeamVersions, Version, Withdrawal},
    sharing::{self, Changes, Comparison, Step},
    trigger::{Ignored, PlanRequest, account_of},
};
use futures::{StreamExt, stream};
use runtime::{
    Error,
    lambda::{Deadline, Record, RecordOutcome},
    ports::{PolicyStore, Publish, Table},
    reconcile::{ACCOUNTS_AT_ONCE, Stopped},
};

use crate::{
    SharePipeline,
    account::Served,
    ceiling,
    ports::{Bus, Ceilings, Ram, SageMaker},
    report::{AccountReport, PlanReport, Report},
    route::{self, Repeated, Request, Scope, Task},
};

/// How large the accounts of an answer are at most: Lambda answers with up to
/// 6 MB (Lambda Developer Guide, "Lambda quotas").
pub(crate) const MOST_BYTES: usize = 4 << 20;

impl<H, A> SharePipeline<'_, H, A>
where
    H: PolicyStore + Publish + Table,
    A: Bus + Ceilings + Ram + SageMaker,
{
    /// Answers what the documents would do in the accounts as they are now.
    pub(crate) async fn plan_for(
        &self,
        plan: &PlanRequest,
        before: Option<&InForce>,
        batch: &[Record],
        deadline: Deadline,
    ) -> (Report, Vec<Served>, Vec<RecordOutcome>) {
        match self.planned(plan, before) {
            Ok(after) => {
                let preview = Preview {
                    plan,
                    before,
                    after: &after,
                };
                self.preview(&preview, batch, deadline).await
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
        preview: &Preview<'_>,
        batch: &[Record],
        deadline: Deadline,
    ) -> (Report, Vec<Served>, Vec<RecordOutcome>) {
        let nothing = Policy::default();
        let before = preview.before.map_or(&nothing, |it| &it.policy);
        let Preview { plan, after, .. } = preview;
        let withdrawal = Withdrawal::between(before, &after.policy);
        let found = PlanReport::of(&withdrawal, before.limits, preview.before);
        let report = Report::of_plan(found);
        let tasks = [task(plan.owner.as_ref(), &after.policy)];
        let mut known = match self.known_owners(&after.policy, &tasks).await {
            Ok(known) => known,
            Err(error) => {
                let why = Stopped::Failed(error);
                return (report.stopped(&why), Vec::new(), why.outcomes(batch));
            }
        };
        known.extend(before.owners().into_iter().cloned());
        let mut requests = route::requests(tasks.iter().flatten(), &known, "");
        requests.retain(|it| plan.from.as_ref().is_none_or(|from| it.account >= *from));
        let (page, served) = self.plan_each(after, before, &requests, deadline).await;
        let report = report.of_tasks(&tasks, &served);
        let report = report.with_plans(page.accounts, page.next);
        (report, served, done(batch))
    }

    /// Plans account by account for as long as there is time, and room in the answer.
    async fn plan_each(
        &self,
        after: &InForce,
        before: &Policy,
        requests: &[Request],
        deadline: Deadline,
    ) -> (Page, Vec<Served>) {
        let planning = requests.iter().map(|request| {
            let planning = self.plan_account(after, before, request);
            deadline.bound(planning)
        });
        let planned = stream::iter(planning).buffered(ACCOUNTS_AT_ONCE);
        let mut planned = pin!(planned.zip(stream::iter(requests)));
        let mut page = Page::of(self.answer_bytes);
        let mut all = Vec::new();
        let partition = &self.hub.place().partition;
        while let Some((planned, request)) = planned.next().await {
            // Whoever asks again gets on: the first account is never the next one.
            if planned.is_none() && !page.accounts.is_empty() {
                page.next = Some(request.account.clone());
                break;
            }
            let (served, changes) = planned.unwrap_or_else(|| too_slow(&request.account));
            let report = AccountReport::planned(&after.policy, partition, &served, changes);
            if !page.takes(report) {
                break;
            }
            all.push(served);
        }
        (page, all)
    }

    /// What there would be to do in an account, and whose access that changes.
    async fn plan_account(
        &self,
        after: &InForce,
        before: &Policy,
        request: &Request,
    ) -> (Served, Option<Changes>) {
        let account = &request.account;
        let (served, observed) = self.dry_run(after, account).await;
        let refused_by = |step: &Step| {
            let ceiling = served.ceiling.as_ref()?.as_ref().ok()?;
            ceiling::refusal(&after.policy, account, ceiling, step)
        };
        let changes = observed.map(|observed| {
            let comparison = Comparison {
                before,
                after: &after.policy,
                generation: after.generation(),
                observed: &observed,
            };
            sharing::changes(comparison, refused_by)
        });
        (served, changes)
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

/// The documents to compare.
struct Preview<'a> {
    plan: &'a PlanRequest,
    before: Option<&'a InForce>,
    after: &'a InForce,
}

/// The accounts of one answer.
struct Page {
    accounts: Vec<AccountReport>,
    /// How many bytes may follow.
    room: usize,
    /// The first account that there was no time or room for.
    next: Option<AccountId>,
}

impl Page {
    fn of(bytes: usize) -> Self {
        Self {
            accounts: Vec::new(),
            room: bytes,
            next: None,
        }
    }

    /// Takes an account, unless it makes the answer too large; the first one always finds room.
    fn takes(&mut self, report: AccountReport) -> bool {
        let is_first = self.accounts.is_empty();
        let report = if is_first {
            self.fitted(report)
        } else {
            report
        };
        match self.room.checked_sub(report.size()) {
            None if !is_first => {
                self.next = Some(report.account().clone());
                return false;
            }
            room => self.room = room.unwrap_or_default(),
        }
        self.accounts.push(report);
        true
    }

    /// An account that has an answer for itself, without what no answer can hold.
    fn fitted(&self, report: AccountReport) -> AccountReport {
        let is_too_large = |report: &AccountReport| report.size() > self.room;
        if !is_too_large(&report) {
            return report;
        }
        let shorter = report.without_steps();
        if is_too_large(&shorter) {
            return shorter.too_large();
        }
        shorter
    }
}

/// An account whose turn takes longer than an invocation.
fn too_slow(account: &AccountId) -> (Served, Option<Changes>) {
    let called = ("pipeshare", "Plan");
    let message = "there was no time to plan the account; ask for it alone, with \"owner\"";
    let error = Error::new(
        Class::Transient,
        called,
        Some(account.clone()),
        None,
        message,
    );
    (Served::unplanned(account, error), None)
}

/// A question is answered, whatever the answer.
pub(crate) fn done(batch: &[Record]) -> Vec<RecordOutcome> {
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
        repeated: Repeated::BySqs,
        attempts: 0,
        dry_run: true,
        records: false,
        confirmation: None,
    })
}
