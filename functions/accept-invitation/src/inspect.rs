//! Inspects a share that was accepted, or that needed no acceptance, and proves the access.

use aws::Error;
use domain::{
    id::{PipelineArn, Principal},
    invitation::{self, Inspection, ReceivedShare, Refusal, Resource},
    notification::{Contents, Inside},
    policy::Rule,
};

use runtime::ports::Hub;

use crate::{
    AcceptInvitation, ReconcileRequest, changes::Seen, ports::Consumers, report::AccountReport,
};

/// After so many pipelines that are denied, the rest of a share is not tried.
const MOST_DENIALS: usize = 5;

/// So many pipelines of a share are tried at most: a share has room for
/// thousands, and its owner may delete them all before RAM has noticed.
const MOST_TRIED: usize = 50;

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Inspects one visible share, if it claims to be ours.
    pub(crate) async fn inspect(
        &self,
        request: &ReconcileRequest<'_>,
        share: &ReceivedShare,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) {
        let recognized = invitation::recognize_visible(
            request.policy,
            &share.name,
            share.arn.owner(),
            request.account,
        );
        let (inspection, contents) = match recognized {
            Ok(rule) => match self.prove(request, share, rule).await {
                Ok((inspection, contents)) => (Ok(inspection), contents),
                Err(error) => (Err(error), Contents::Unknown),
            },
            Err(refusal) if refusal.is_suspicious() => {
                (Ok(Inspection::Distrusted { refusal }), Contents::Unknown)
            }
            // It may have been ours until somebody gave it another name.
            Err(_) => return seen.add(share, None, Contents::Unknown),
        };
        seen.add(share, inspection.as_ref().ok(), contents);
        report.inspected(request, share, inspection);
    }

    /// Compares what is inside with the rule, and uses the access that was given.
    async fn prove(
        &self,
        request: &ReconcileRequest<'_>,
        share: &ReceivedShare,
        rule: &Rule,
    ) -> Result<(Inspection, Contents), Error> {
        let resources = self
            .consumers
            .resources(request.account, &share.arn)
            .await?;
        let inside = pipelines(&resources);
        let excess = invitation::excess(rule, &self.hub.place().region, &resources);
        if !excess.is_empty() {
            let refusal = Refusal::TooMuch { resources: excess };
            return Ok((
                Inspection::Distrusted { refusal },
                Contents::Distrusted(inside),
            ));
        }
        if inside.is_empty() {
            return Ok((Inspection::Empty, Contents::Trusted(inside)));
        }
        let whole_account = Principal::Account(request.account.clone());
        // The role proves it for the account; for a single role of the account
        // only that role could.
        if rule.with.contains(&whole_account) {
            // Each reconciliation begins somewhere else among them.
            let beginning = invitation::beginning(inside.len(), request.lease_owner.now);
            let pipelines = inside.keys().cycle().skip(beginning).take(inside.len());
            let trial = self.attempt(request, pipelines).await?;
            if let Some(unproven) = trial.unproven() {
                return Ok(unproven);
            }
        }
        let pipelines = inside.len();
        // Who has it by way of an organization is not notified (README, "What it does not do").
        let contents = if rule.names(request.account) {
            Contents::Trusted(inside)
        } else {
            Contents::Distrusted(inside)
        };
        Ok((Inspection::Proven { pipelines }, contents))
    }

    /// Has the account describe a pipeline.
    ///
    /// One stands for all. One that is gone or denied proves nothing, so another is asked.
    async fn attempt<'p>(
        &self,
        request: &ReconcileRequest<'_>,
        pipelines: impl Iterator<Item = &'p PipelineArn>,
    ) -> Result<Trial, Error> {
        let mut denials = Vec::new();
        for (tried, pipeline) in pipelines.enumerate() {
            if tried == MOST_TRIED {
                return Ok(denials.pop().map_or(Trial::Open, Trial::Denied));
            }
            match self.consumers.describe(request.account, pipeline).await {
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
}

/// What came of using what RAM shows.
enum Trial {
    /// A pipeline could be described.
    Passed,
    /// None of the pipelines exists any more.
    Gone,
    /// None of those that were tried exists any more, and others were not tried.
    Open,
    /// It was denied; this is what AWS said.
    Denied(String),
}

impl Trial {
    /// What is known of a share whose access was not proven; none if it was.
    fn unproven(self) -> Option<(Inspection, Contents)> {
        match self {
            Self::Passed => None,
            Self::Open => Some((Inspection::Empty, Contents::Unknown)),
            // RAM has yet to notice what SageMaker says.
            Self::Gone => Some((Inspection::Empty, Contents::Trusted(Inside::new()))),
            Self::Denied(error) => Some((Inspection::NoAccess { error }, Contents::Unknown)),
        }
    }
}

/// The pipelines among the resources, each with the time at which it was put in.
fn pipelines(resources: &[Resource]) -> Inside {
    let read = |resource: &Resource| Some((resource.arn.parse().ok()?, resource.associated));
    resources.iter().filter_map(read).collect()
}
