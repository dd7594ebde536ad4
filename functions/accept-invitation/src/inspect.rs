//! Inspects a share that was accepted, or that needed no acceptance, and proves the access.

use aws::{Error, clients::Consumer, notices::Destination, ram::ReceivedShare};
use domain::{
    id::{PipelineArn, Principal},
    invitation::{self, Resource},
    notification::{self, SharedPipelines},
    policy::Rule,
};

use crate::{
    AcceptInvitation, Look,
    report::{AccountReport, Inspection},
};

impl AcceptInvitation<'_> {
    /// Inspects one visible share, if it claims to be ours.
    pub(crate) async fn inspect(
        &self,
        look: &Look<'_>,
        consumer: &Consumer,
        share: &ReceivedShare,
        report: &mut AccountReport,
    ) {
        let recognized =
            invitation::recognize(look.policy, &share.name, share.arn.owner(), look.account);
        let inspection = match recognized {
            Ok(rule) => self.prove(look, consumer, share, rule).await,
            Err(refusal) if refusal.is_suspicious() => Ok(Inspection::Distrusted { refusal }),
            Err(_) => return,
        };
        report.inspected(share, inspection);
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
            let refusal = invitation::Refusal::TooMuch { resources: excess };
            let notice = notification::excess_notice(
                look.policy,
                &share.arn,
                &share.name,
                look.account,
                &refusal,
            );
            self.notices
                .publish_once(look.teller, &Destination::Hub, &notice)
                .await?;
            return Ok(Inspection::Distrusted { refusal });
        }
        let Some(pipelines) = pipelines(&resources) else {
            return Ok(Inspection::Empty);
        };
        let whole_account = Principal::Account(look.account.clone());
        if rule.with.contains(&whole_account) {
            // The role proves it for the account; for a single role of the
            // account only that role could.
            if let Err(error) = consumer.sagemaker.describe(&pipelines[0]).await {
                return if error.is_access_denied() {
                    Ok(Inspection::NoAccess {
                        error: error.to_string(),
                    })
                } else {
                    Err(error)
                };
            }
        }
        let shared = SharedPipelines {
            share: &share.arn,
            rule,
            consumer: look.account,
            pipelines: &pipelines,
        };
        self.announce(look, &shared).await?;
        Ok(Inspection::Proven {
            pipelines: pipelines.len(),
        })
    }

    /// Tells the account and the hub, once, which pipelines can be used now.
    async fn announce(&self, look: &Look<'_>, shared: &SharedPipelines<'_>) -> Result<(), Error> {
        let notice = notification::shared_notice(look.policy, shared);
        let account = || look.account.clone();
        for destination in [
            Destination::Hub,
            Destination::Bus(account()),
            Destination::Topic(account()),
        ] {
            self.notices
                .publish_once(look.teller, &destination, &notice)
                .await?;
        }
        Ok(())
    }
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
