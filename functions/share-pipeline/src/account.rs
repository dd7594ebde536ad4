//! Makes one owner account what the policy says.

use domain::{
    ceiling::Ceiling,
    id::AccountId,
    notification::Alert,
    policy::InForce,
    sharing::{self, Observed, Plan, Reconciliation},
    trail::Context,
};
use runtime::{
    Error,
    lambda::Deadline,
    ports::{PolicyStore, Publish, Table},
    reconcile,
};

use crate::{
    SharePipeline, apply, observe,
    ports::{Asking, Bus, Ceilings, Ram, SageMaker},
    route::Request,
};

/// An account that was reconciled.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    /// Whether nothing was to be done but to say what would be.
    pub(crate) dry_run: bool,
    pub(crate) reconciled: Reconciliation,
    /// The account's ceiling, if it was read: in a dry run, and to explain what IAM refused.
    pub(crate) ceiling: Option<Result<Ceiling, Error>>,
    /// Whether it had its turn, and time enough.
    pub(crate) turn: Turn,
    /// How often it was tried before, by a record that was requeued.
    pub(crate) attempts: u32,
}

/// How far an account came in the time of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// It was reconciled.
    Whole,
    /// The time was used up on the way; what was done is done.
    CutShort,
    /// It was not begun.
    NotReached,
}

impl Served {
    /// The account.
    pub(crate) fn account(&self) -> &AccountId {
        &self.reconciled.plan.account
    }

    /// An account of which nobody can say what would be done.
    pub(crate) fn unplanned(account: &AccountId, error: Error) -> Self {
        Self::planned(failed(account, error), None)
    }

    /// An account in which nothing was to be done.
    fn planned(reconciled: Reconciliation, ceiling: Option<Result<Ceiling, Error>>) -> Self {
        Self {
            dry_run: true,
            reconciled,
            ceiling,
            turn: Turn::Whole,
            attempts: 0,
        }
    }

    /// An account for which the time was not enough.
    fn out_of_time(request: &Request, turn: Turn) -> Self {
        let account = &request.account;
        tracing::warn!(account.id = %account, ?turn, "the time of the invocation was used up");
        Self {
            dry_run: request.dry_run,
            reconciled: Reconciliation::planned(Plan::nothing(account.clone())),
            ceiling: None,
            turn,
            attempts: request.attempts,
        }
    }

    /// That it is tried no more before the schedule comes, although it may be in vain for long.
    pub(crate) fn abandoned(&self) -> Option<Alert> {
        let is_cut_short = self.turn == Turn::CutShort;
        reconcile::abandoned(self.attempts, self.reconciled.worst(), is_cut_short)
    }

    /// Whether it is reconciled again soon; what was only planned has changed nothing.
    pub(crate) fn should_requeue(&self) -> bool {
        !self.dry_run && (self.turn != Turn::Whole || self.reconciled.should_requeue())
    }
}

impl<H, A> SharePipeline<'_, H, A>
where
    H: PolicyStore + Publish + Table,
    A: Bus + Ceilings + Ram + SageMaker,
{
    /// Reconciles an account, if its turn comes in time.
    pub(crate) async fn serve_in_time(
        &self,
        policy: &InForce,
        request: &Request,
        deadline: Deadline,
        turns: Deadline,
    ) -> Served {
        if turns.is_over() {
            return Served::out_of_time(request, Turn::NotReached);
        }
        let serving = self.serve_account(policy, request, deadline);
        let served = deadline.bound(serving).await;
        served.unwrap_or_else(|| Served::out_of_time(request, Turn::CutShort))
    }

    /// Observes, decides and applies, or says what would be done.
    async fn serve_account(
        &self,
        policy: &InForce,
        request: &Request,
        deadline: Deadline,
    ) -> Served {
        let account = &request.account;
        if request.dry_run {
            let (served, _) = self.dry_run(policy, account).await;
            return served;
        }
        let reconciled = self
            .reconcile_twice_if_needed(policy, request, deadline)
            .await;
        let ceiling = if reconciled.was_denied() {
            Some(self.accounts.ceiling(account).await)
        } else {
            None
        };
        if let Some(Err(error)) = &ceiling {
            tracing::warn!(account.id = %account, "no ceiling explains what IAM refused: {error}");
        }
        Served {
            dry_run: false,
            reconciled,
            ceiling,
            turn: Turn::Whole,
            attempts: request.attempts,
        }
    }

    /// What would be done in an account, and what was seen there.
    pub(crate) async fn dry_run(
        &self,
        policy: &InForce,
        account: &AccountId,
    ) -> (Served, Option<Observed>) {
        let (planned, ceiling) = futures::join!(
            self.plan(policy, account, Asking::OnEvent),
            self.accounts.ceiling(account)
        );
        match planned {
            Ok((observed, plan)) => {
                let served = Served::planned(Reconciliation::planned(plan), Some(ceiling));
                (served, Some(observed))
            }
            Err(error) => (Served::unplanned(account, error), None),
        }
    }

    /// Whoever deletes a pipeline and makes it again between observation and
    /// association has another one shared; then everything is done once more.
    async fn reconcile_twice_if_needed(
        &self,
        policy: &InForce,
        request: &Request,
        deadline: Deadline,
    ) -> Reconciliation {
        let (first, is_another) = Box::pin(self.reconcile(policy, request, deadline)).await;
        if !is_another {
            return first;
        }
        let account = &request.account;
        tracing::warn!(account.id = %account, "a pipeline was recreated while it was shared");
        let (again, _) = Box::pin(self.reconcile(policy, request, deadline)).await;
        again.after(first)
    }

    /// Also says whether a pipeline that came into a share is another one by now.
    async fn reconcile(
        &self,
        policy: &InForce,
        request: &Request,
        deadline: Deadline,
    ) -> (Reconciliation, bool) {
        match self.plan_on_record(policy, request).await {
            Ok(planned) => {
                // What is left of the time is for the trail.
                let steps = deadline.of_beginnings();
                self.apply(policy, request, planned, steps).await
            }
            Err(error) => (failed(&request.account, error), false),
        }
    }

    /// Applies a plan, puts what has changed on the trail, and looks once more at
    /// the pipelines that came into shares.
    async fn apply(
        &self,
        policy: &InForce,
        request: &Request,
        planned: Planned,
        deadline: Deadline,
    ) -> (Reconciliation, bool) {
        let Planned {
            observed,
            plan,
            on_record,
        } = planned;
        let documents = self.documents(policy, request.teams(&policy.policy, &plan));
        let applying = apply::apply(&self.accounts, plan, on_record, deadline);
        let (mut applied, documents) = futures::join!(applying, documents);
        let context = Context {
            policy,
            documents: &documents,
            observed: &observed,
            run: &request.run,
        };
        let trail = request.trail(&context, applied.steps());
        let added = applied.added(&observed);
        let concluding = applied.conclude(self.hub, &self.accounts, request.renews_offers, &trail);
        let looking = observe::is_another(&self.accounts, &request.account, added.as_ref());
        let ((), is_another) = futures::join!(concluding, looking);
        applied.finish(is_another)
    }

    /// What there is, what to do about it, and whether that is on record.
    async fn plan_on_record(&self, policy: &InForce, request: &Request) -> Result<Planned, Error> {
        let account = &request.account;
        let (observed, plan) = self.first_plan(policy, account, request.asking).await?;
        let remember = plan.remember.clone();
        // What is on record does not depend on lookalikes, and calls wait for both.
        let (planned, on_record) = futures::join!(
            self.beside_lookalikes(policy, observed, plan),
            apply::remember(self.hub, &remember)
        );
        let (observed, plan) = planned?;
        Ok(Planned {
            observed,
            plan,
            on_record,
        })
    }

    /// What there is, and what to do about it.
    async fn plan(
        &self,
        policy: &InForce,
        account: &AccountId,
        asking: Asking,
    ) -> Result<(Observed, Plan), Error> {
        let (observed, plan) = self.first_plan(policy, account, asking).await?;
        self.beside_lookalikes(policy, observed, plan).await
    }

    /// The same before it is known what else has the names of new shares.
    async fn first_plan(
        &self,
        policy: &InForce,
        account: &AccountId,
        asking: Asking,
    ) -> Result<(Observed, Plan), Error> {
        let generation = policy.generation();
        let policy = &policy.policy;
        let observing = observe::observe(self.hub, &self.accounts, policy, account, asking);
        let observed = observing.await?;
        let plan = sharing::plan(policy, generation, &observed);
        Ok((observed, plan))
    }

    /// The same plan, aware of what else has the names of new shares.
    async fn beside_lookalikes(
        &self,
        policy: &InForce,
        mut observed: Observed,
        plan: Plan,
    ) -> Result<(Observed, Plan), Error> {
        if plan.created().next().is_none() {
            return Ok((observed, plan));
        }
        observed.lookalikes = observe::lookalikes(&self.accounts, &plan).await?;
        let plan = sharing::plan(&policy.policy, policy.generation(), &observed);
        Ok((observed, plan))
    }
}

/// What there is in an account, what to do about it, and whether it was put on
/// record for what.
struct Planned {
    observed: Observed,
    plan: Plan,
    on_record: Result<(), Error>,
}

/// An account that could not be observed.
fn failed(account: &AccountId, error: Error) -> Reconciliation {
    tracing::error!(account.id = %account, "{error}");
    Reconciliation::failed(account.clone(), error)
}
