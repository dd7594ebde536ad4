//! Makes one owner account what the policy says.

use domain::{
    ceiling::Ceiling,
    id::AccountId,
    policy::InForce,
    sharing::{self, Added, Observed, Plan, Reconciliation},
    trail::Context,
};
use runtime::{
    Error,
    ports::{PolicyStore, Publish, Table},
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
}

impl Served {
    /// The account.
    pub(crate) fn account(&self) -> &AccountId {
        &self.reconciled.plan.account
    }

    /// An account of which nobody can say what would be done.
    pub(crate) fn unplanned(account: &AccountId, error: Error) -> Self {
        Self {
            dry_run: true,
            reconciled: failed(account, error),
            ceiling: None,
        }
    }

    /// Whether it is reconciled again soon; what was only planned has changed nothing.
    pub(crate) fn should_requeue(&self) -> bool {
        !self.dry_run && self.reconciled.should_requeue()
    }
}

impl<H, A> SharePipeline<'_, H, A>
where
    H: PolicyStore + Publish + Table,
    A: Bus + Ceilings + Ram + SageMaker,
{
    /// Observes, decides and applies, or says what would be done.
    pub(crate) async fn serve_account(&self, policy: &InForce, request: &Request) -> Served {
        let account = &request.account;
        if request.dry_run {
            let (served, _) = self.dry_run(policy, account).await;
            return served;
        }
        let reconciled = self.reconcile_twice_if_needed(policy, request).await;
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
                let served = Served {
                    dry_run: true,
                    reconciled: Reconciliation::planned(plan),
                    ceiling: Some(ceiling),
                };
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
    ) -> Reconciliation {
        let account = &request.account;
        let (mut first, added) = Box::pin(self.reconcile(policy, request)).await;
        let Some(added) = added else {
            return first;
        };
        match observe::is_another(&self.accounts, account, &added).await {
            Ok(false) => first,
            Ok(true) => {
                tracing::warn!(account.id = %account, "a pipeline was recreated while it was shared");
                let (again, _) = Box::pin(self.reconcile(policy, request)).await;
                again.after(first)
            }
            Err(error) => {
                tracing::error!(account.id = %account, "{error}");
                first.errors.push(error);
                first
            }
        }
    }

    /// Also says which pipelines came into shares.
    async fn reconcile(
        &self,
        policy: &InForce,
        request: &Request,
    ) -> (Reconciliation, Option<Added>) {
        match self.plan(policy, &request.account, request.asking).await {
            Ok((observed, plan)) => self.apply(policy, request, &observed, plan).await,
            Err(error) => (failed(&request.account, error), None),
        }
    }

    /// Applies a plan, and puts what has changed on the trail.
    async fn apply(
        &self,
        policy: &InForce,
        request: &Request,
        observed: &Observed,
        plan: Plan,
    ) -> (Reconciliation, Option<Added>) {
        let documents = self.documents(policy, request.teams(&policy.policy, &plan));
        let applying = apply::apply(self.hub, &self.accounts, plan);
        let (mut applied, documents) = futures::join!(applying, documents);
        let context = Context {
            policy,
            documents: &documents,
            observed,
            run: &request.run,
        };
        let trail = request.trail(&context, applied.steps());
        applied
            .conclude(self.hub, &self.accounts, request.renews_offers, &trail)
            .await;
        applied.of(observed)
    }

    /// What there is, and what to do about it.
    async fn plan(
        &self,
        policy: &InForce,
        account: &AccountId,
        asking: Asking,
    ) -> Result<(Observed, Plan), Error> {
        let generation = policy.generation();
        let policy = &policy.policy;
        let observing = observe::observe(self.hub, &self.accounts, policy, account, asking);
        let mut observed = observing.await?;
        let plan = sharing::plan(policy, generation, &observed);
        if plan.created().next().is_none() {
            return Ok((observed, plan));
        }
        observed.lookalikes = observe::lookalikes(&self.accounts, &plan).await?;
        let plan = sharing::plan(policy, generation, &observed);
        Ok((observed, plan))
    }
}

/// An account that could not be observed.
fn failed(account: &AccountId, error: Error) -> Reconciliation {
    tracing::error!(account.id = %account, "{error}");
    Reconciliation::failed(account.clone(), error)
}
