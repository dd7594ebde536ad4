//! Inspects a share that was accepted, or that needed no acceptance, and proves the access.

use aws::{Error, clients::Consumer, notices::Destination, ram::ReceivedShare};
use domain::{
    id::{PipelineArn, Principal},
    invitation::{self, Refusal, Resource},
    notification::{self, SharedPipelines},
    policy::Rule,
};

use crate::{
    AcceptInvitation, Look,
    report::{AccountReport, Inspection},
};

/// After so many pipelines that are denied, the rest of a share is not tried.
const MOST_DENIALS: usize = 5;

impl AcceptInvitation<'_> {
    /// Inspects one visible share, if it claims to be ours.
    pub(crate) async fn inspect(
        &self,
        look: &Look<'_>,
        consumer: &Consumer,
        share: &ReceivedShare,
        report: &mut AccountReport,
    ) {
        let recognized = invitation::recognize_visible(
            look.policy,
            &share.name,
            share.arn.owner(),
            look.account,
        );
        let inspection = match recognized {
            Ok(rule) => self.prove(look, consumer, share, rule).await,
            Err(refusal) if refusal.is_suspicious() => self.distrust(look, share, refusal).await,
            Err(_) => return,
        };
        report.inspected(look, share, inspection);
    }

    /// Compares what is inside with the rule, and uses the access that was given.
    async fn prove(
        &self,
        look: &Look<'_>,
        consumer: &Consumer,
        share: &ReceivedShare,
        rule: &Rule,
    ) -> Result<Inspection, Error> {
        let resources = consumer.ram.resources(&share.arn).await?;
        let excess = invitation::excess(rule, self.aws.region(), &resources);
        if !excess.is_empty() {
            let refusal = Refusal::TooMuch { resources: excess };
            return self.distrust(look, share, refusal).await;
        }
        let Some(pipelines) = pipelines(&resources) else {
            return Ok(Inspection::Empty);
        };
        let whole_account = Principal::Account(look.account.clone());
        // The role proves it for the account; for a single role of the account
        // only that role could.
        if rule.with.contains(&whole_account) {
            match attempt(consumer, &pipelines).await? {
                Trial::Passed => {}
                Trial::Gone => return Ok(Inspection::Empty),
                Trial::Denied(error) => return Ok(Inspection::NoAccess { error }),
            }
        }
        // Who has it by way of an organization is not told (README, "What it does not do").
        if !look.dry_run && rule.names(look.account) {
            let shared = SharedPipelines {
                share: &share.arn,
                rule,
                consumer: look.account,
                pipelines: &pipelines,
            };
            self.announce(look, &shared).await?;
        }
        Ok(Inspection::Proven {
            pipelines: pipelines.len(),
        })
    }

    /// Says once that a share is not what the policy says. It cannot be left,
    /// so only its owner can mend that; unless share-pipeline is at it already.
    async fn distrust(
        &self,
        look: &Look<'_>,
        share: &ReceivedShare,
        refusal: Refusal,
    ) -> Result<Inspection, Error> {
        if !look.dry_run && !look.can_wait {
            let (policy, account) = (look.policy, look.account);
            let notice =
                notification::excess_notice(policy, &share.arn, &share.name, account, &refusal);
            self.notices
                .publish_once(look.teller, &Destination::Hub, &notice)
                .await?;
        }
        Ok(Inspection::Distrusted { refusal })
    }

    /// Tells the account and the hub, once, which pipelines can be used now.
    async fn announce(&self, look: &Look<'_>, shared: &SharedPipelines<'_>) -> Result<(), Error> {
        let notice = notification::shared_notice(look.policy, shared);
        let account = || look.account.clone();
        let destinations = [
            Destination::Hub,
            Destination::Bus(account()),
            Destination::Topic(account()),
        ];
        // One that refuses keeps the others from nothing.
        let mut failures = Vec::new();
        for destination in &destinations {
            let told = self.notices.publish_once(look.teller, destination, &notice);
            failures.extend(told.await.err());
        }
        let worst = failures.into_iter().max_by_key(Error::class);
        worst.map_or(Ok(()), Err)
    }
}

/// What came of using what RAM shows.
enum Trial {
    /// A pipeline could be described.
    Passed,
    /// None of the pipelines exists any more.
    Gone,
    /// It was denied; this is what AWS said first.
    Denied(String),
}

/// Has the account describe a pipeline.
///
/// One stands for all. One that is gone or denied proves nothing, so another is asked.
async fn attempt(consumer: &Consumer, pipelines: &[PipelineArn]) -> Result<Trial, Error> {
    let mut denials = Vec::new();
    for pipeline in pipelines {
        match consumer.sagemaker.describe(pipeline).await {
            Ok(()) => return Ok(Trial::Passed),
            Err(error) if error.is_access_denied() => denials.push(error.to_string()),
            Err(error) if error.is("ResourceNotFound") => {}
            Err(error) => return Err(error),
        }
        if denials.len() == MOST_DENIALS {
            break;
        }
    }
    Ok(denials
        .into_iter()
        .next()
        .map_or(Trial::Gone, Trial::Denied))
}

/// The pipelines among the resources, in order; none if there are none.
fn pipelines(resources: &[Resource]) -> Option<Vec<PipelineArn>> {
    let mut pipelines: Vec<PipelineArn> = resources
        .iter()
        .filter_map(|resource| resource.arn.parse().ok())
        .collect();
    pipelines.sort();
    (!pipelines.is_empty()).then_some(pipelines)
}
