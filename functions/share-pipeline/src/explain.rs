//! Answers why an account has access to a pipeline, or has not; nothing is changed.

use domain::{
    id::AccountId,
    policy::InForce,
    sharing::{self, Explanation, Knowledge, Verdict},
    trigger::{ExplainRequest, Ignored, account_of},
};
use runtime::{
    Error,
    ports::{PolicyStore, Publish, Table},
};

use crate::{
    SharePipeline, observe,
    ports::{Bus, Ceilings, Ram, SageMaker},
    report::Report,
};

impl<H, A> SharePipeline<'_, H, A>
where
    H: PolicyStore + Publish + Table,
    A: Bus + Ceilings + Ram + SageMaker,
{
    /// Answers a question about access, by the policy in force.
    pub(crate) async fn explain(
        &self,
        question: &ExplainRequest,
        in_force: Option<&InForce>,
    ) -> Report {
        let Some(in_force) = in_force else {
            let text = "no: no policy is in force".to_owned();
            return Report::of_explanation(None, Explanation::bare(Verdict::No, text));
        };
        match self.explanation(question, in_force).await {
            Ok(explanation) => Report::of_explanation(Some(in_force.version), explanation),
            Err(ignored) => Report::of_ignored(ignored),
        }
    }

    async fn explanation(
        &self,
        question: &ExplainRequest,
        in_force: &InForce,
    ) -> Result<Explanation, Ignored> {
        let policy = &in_force.policy;
        let owner = account_of(&question.owner, policy)?;
        let account = account_of(&question.account, policy)?;
        let place = self.hub.place();
        let region = question.region.as_ref();
        if let Some(region) = region.filter(|region| **region != place.region) {
            let here = &place.region;
            let text = format!("no: the pipeline is in {region}, and the hub serves {here}");
            return Ok(Explanation::bare(Verdict::No, text));
        }
        let mut ended = policy.ended.iter();
        let is_known = policy.owners().contains(&owner) || ended.any(|it| it.owner == owner);
        if !is_known && !self.is_remembered(&owner).await {
            let owner = policy.display_name(&owner);
            let text = format!("no: no rule shares pipelines of {owner}");
            return Ok(Explanation::bare(Verdict::No, text));
        }
        let observing =
            observe::observe_one(self.hub, &self.accounts, policy, &owner, &question.pipeline);
        let (observed, ceiling) = futures::join!(observing, self.accounts.ceiling(&owner));
        let ceiling = ceiling.map_err(|error| error.to_string());
        Ok(match observed {
            Ok(observed) => {
                let knowledge = Knowledge {
                    in_force,
                    observed: &observed,
                    ceiling: ceiling.as_ref().map_err(String::as_str),
                    now: self.hub.time(),
                };
                sharing::explain(knowledge, &question.pipeline, &account)
            }
            Err(error) => unreadable(&error),
        })
    }

    /// Whether shares were made in the account once; what cannot be read is as good as yes.
    async fn is_remembered(&self, owner: &AccountId) -> bool {
        let remembered = observe::remembered_owners(self.hub).await;
        remembered.map_or(true, |owners| owners.contains(owner))
    }
}

fn unreadable(error: &Error) -> Explanation {
    let text = format!("unknown: the owner account could not be read: {error}");
    Explanation::bare(Verdict::Unknown, text)
}
