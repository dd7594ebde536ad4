//! Carries out a plan, and offers what awaits acceptance.

use std::collections::{BTreeMap, BTreeSet};

use aws::{
    Error,
    eventbridge::Entry,
    ram::{NewShare, Owner},
};
use domain::{
    hint::{OFFER_DETAIL_TYPE, OFFER_SOURCE, Offer},
    id::ShareArn,
    policy::InForce,
    sharing::{Action, Added, Association, Observed, Offered, Plan, ShareName, Step},
};

use crate::{Look, SharePipeline, observe::Seen, report::AccountReport};

impl SharePipeline<'_> {
    /// Executes the steps, each share's in order; a failure ends its own share's steps only,
    /// but for those that only take away.
    ///
    /// And a share is not deleted whose place another one of its rule was to take.
    /// Also says which pipelines came into shares.
    pub(crate) async fn execute(
        &self,
        policy: &InForce,
        look: Look,
        seen: &Seen,
        plan: Plan,
    ) -> (AccountReport, Option<Added>) {
        let observed = &seen.observed;
        let ram = self.aws.owner(&observed.account).await;
        let mut report = AccountReport::new(&plan);
        // Nothing is given before it is on record what it is given for.
        let on_record = futures::try_join!(
            self.remember(observed, &plan),
            self.remember_successes(&seen.proved),
        );
        let may_give = on_record.is_ok();
        if let Err(error) = on_record {
            report = report.with_error(error);
        }
        let mut arns = arns(observed);
        let mut given_up = BTreeSet::new();
        let mut rules_in_trouble = BTreeSet::new();
        let mut added = Vec::new();
        for step in &plan.steps {
            let rule = rule_of(step, observed);
            // What takes the share's place may be among what failed.
            let would_leave_a_gap = step.reason.hands_over() && rules_in_trouble.contains(&rule);
            let is_given_up = !may_give || given_up.contains(&step.share);
            if is_given_up && !step.only_takes_away() || would_leave_a_gap {
                report.skip(step);
                continue;
            }
            let outcome = perform(&ram, step, &mut arns).await;
            if outcome.is_err() {
                given_up.insert(step.share.clone());
                rules_in_trouble.insert(rule);
            }
            // Also a call that failed may have been carried out.
            if let Action::AddPipelines { pipelines } = &step.action {
                added.extend(pipelines);
            }
            report.push(step, outcome);
        }
        let is_news = |offered: &&Offered| {
            let invites = |step: &Step| {
                step.share == offered.share && matches!(step.action, Action::AddPrincipals { .. })
            };
            may_give
                && !given_up.contains(&offered.share)
                && (look.offers_again || plan.steps.iter().any(invites))
        };
        let offered: Vec<_> = plan.offered.iter().filter(is_news).collect();
        let ends = [
            self.offer(observed, &offered, &arns).await,
            self.forget(&policy.policy, observed, &plan).await,
            self.forget_gates(&seen.gone).await,
        ];
        for error in ends.into_iter().filter_map(Result::err) {
            report = report.with_error(error);
        }
        (report, Added::of(observed, added))
    }

    /// Tells accept-invitation which shares await acceptance.
    async fn offer(
        &self,
        observed: &Observed,
        offered: &[&Offered],
        arns: &BTreeMap<String, ShareArn>,
    ) -> Result<(), Error> {
        let offers = offered.iter().filter_map(|offered| {
            let offer = Offer {
                owner: observed.account.clone(),
                consumer: offered.consumer.clone(),
                share: arns.get(&offered.share)?.clone(),
                rule: offered.rule.to_string(),
            };
            Some(Entry {
                source: OFFER_SOURCE.to_owned(),
                detail_type: OFFER_DETAIL_TYPE.to_owned(),
                resources: vec![offer.share.to_string()],
                detail: offer.detail(),
            })
        });
        let offers: Vec<_> = offers.collect();
        self.aws.eventbridge().put(&self.config.bus, offers).await
    }
}

/// The rule that a step is about.
fn rule_of(step: &Step, observed: &Observed) -> Option<String> {
    let arn = step.arn.as_ref();
    let mut shares = observed.shares.iter();
    let share = shares.find(|share| Some(&share.arn) == arn);
    if let Some(share) = share {
        return share.rule.clone();
    }
    // It is made by this plan, under a name of ours.
    let name = step.share.parse::<ShareName>().ok()?;
    Some(name.rule.to_string())
}

/// The shares by name; of two with one name the older, as in the plan.
fn arns(observed: &Observed) -> BTreeMap<String, ShareArn> {
    let mut shares: Vec<_> = observed.shares.iter().filter(|share| share.live).collect();
    shares.sort_by_key(|share| (share.created, &share.arn));
    let mut arns = BTreeMap::new();
    for share in shares {
        arns.entry(share.name.clone())
            .or_insert_with(|| share.arn.clone());
    }
    arns
}

/// Makes the call, or the calls, of one step.
async fn perform(
    ram: &Owner,
    step: &Step,
    arns: &mut BTreeMap<String, ShareArn>,
) -> Result<Vec<Association>, Error> {
    if let Action::Create {
        rule,
        permission,
        allow_external,
        client_token,
    } = &step.action
    {
        let share = NewShare {
            name: step.share.clone(),
            rule: rule.to_string(),
            permission: permission.clone(),
            allow_external: *allow_external,
            client_token: client_token.clone(),
        };
        let arn = ram.create_share(&share).await?;
        arns.insert(step.share.clone(), arn);
        return Ok(Vec::new());
    }
    let Some(share) = step.arn.as_ref().or_else(|| arns.get(&step.share)) else {
        // The planner puts the creation first, and its failure ends the share's steps.
        return Ok(Vec::new());
    };
    match &step.action {
        Action::Create { .. } => Ok(Vec::new()),
        Action::ReplacePermission { permission } => {
            ram.replace_permission(share, permission).await?;
            Ok(Vec::new())
        }
        Action::AllowExternal { allow } => {
            ram.set_allow_external(share, *allow).await?;
            Ok(Vec::new())
        }
        Action::AddPipelines { pipelines } => ram.associate_pipelines(share, pipelines).await,
        Action::RemoveResources { resources } => ram.disassociate_resources(share, resources).await,
        Action::AddPrincipals { principals } => ram.associate_principals(share, principals).await,
        Action::RemovePrincipals { principals } => {
            ram.disassociate_principals(share, principals).await
        }
        Action::Delete => {
            ram.delete_share(share).await?;
            Ok(Vec::new())
        }
    }
}
