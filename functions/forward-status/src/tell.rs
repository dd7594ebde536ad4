//! Tells one change to each destination that wants to know and does not yet.

use aws::{
    Class, Error,
    notices::{Destination, Lease, Teller},
    sagemaker::ExecutionDetails,
};
use domain::{
    id::PipelineOwner,
    notification::{self, Decision, Execution, Told, decide},
    policy::{Policy, RuleName},
    status::ExecutionStatus,
};

use crate::{
    ExecutionNews, ForwardStatus,
    report::{ChangeReport, Telling},
};

impl ForwardStatus<'_> {
    /// Tells a change to everyone who wants to know it and does not; and the
    /// hub, once a day, of accounts that cannot be told until people act.
    pub(crate) async fn tell(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        news: &ExecutionNews,
    ) -> ChangeReport {
        let mut report = ChangeReport::new(news);
        let destinations = destinations(policy, news);
        report.unwanted = destinations.is_empty();
        let mut details = None;
        for (destination, rules) in &destinations {
            let telling = self
                .tell_one(policy, teller, news, (destination, rules), &mut details)
                .await;
            report.push(destination, telling);
        }
        for (account, troubles) in report.troubles() {
            self.notices
                .tell_troubles(teller, policy, account, &troubles)
                .await;
        }
        report
    }

    /// Details are asked for once, and only if there is anything to tell.
    async fn tell_one(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        news: &ExecutionNews,
        (destination, rules): (&Destination, &[RuleName]),
        details: &mut Option<ExecutionDetails>,
    ) -> Result<Telling, Error> {
        let history = self
            .notices
            .history(teller, destination, &news.execution)
            .await?;
        if let Decision::AlreadyTold | Decision::Overtaken = decide(&history, &news.change, None) {
            return Ok(Telling::Known);
        }
        let details = match details {
            Some(details) => details,
            None => details.insert(self.details(news).await?),
        };
        let Decision::Tell { key } = decide(&history, &news.change, details.status.as_ref()) else {
            return Ok(Telling::Known);
        };
        let told = Told {
            status: news.change.status.clone(),
            at: news.change.at,
            seen: news.change.seen,
        };
        let notice = notification::execution_notice(policy, &execution(news, details), rules);
        let lease = self
            .notices
            .publish_change(teller, destination, &news.execution, (&key, &told), &notice)
            .await?;
        Ok(match lease {
            Lease::Taken => Telling::Told,
            Lease::Done => Telling::Known,
            Lease::HeldByOther => Telling::ByAnother,
        })
    }

    /// What the event lacks. An execution that is gone, or that may not be
    /// looked at, is told with what is known.
    async fn details(&self, news: &ExecutionNews) -> Result<ExecutionDetails, Error> {
        let reader = self.aws.reader(news.execution.account()).await;
        match reader.details(&news.execution).await {
            Err(error) if error.class() == Class::Permanent => {
                tracing::warn!(execution.arn = %news.execution, "told without details: {error}");
                Ok(ExecutionDetails::default())
            }
            other => other,
        }
    }
}

/// The consumers that rules name, and the hub's topic if there is any rule that
/// wants it told; each with those rules.
fn destinations(policy: &Policy, news: &ExecutionNews) -> Vec<(Destination, Vec<RuleName>)> {
    let (execution, status) = (&news.execution, &news.change.status);
    // A pipeline of AWS runs in the account and is nobody's to share.
    if *news.pipeline.owner() != PipelineOwner::Account(execution.account().clone()) {
        return Vec::new();
    }
    let rules = notification::wanting_rules(policy, execution, status);
    if rules.is_empty() {
        return Vec::new();
    }
    let names = rules.iter().map(|rule| rule.name.clone()).collect();
    let mut destinations = vec![(Destination::Hub, names)];
    for (account, rules) in notification::recipients(policy, execution, status) {
        destinations.push((Destination::Bus(account.clone()), rules.clone()));
        destinations.push((Destination::Topic(account), rules));
    }
    destinations
}

/// The change with everything known about its execution.
///
/// SageMaker answers about the present. If the execution has been retried
/// since, the steps and the reason are those of another run, and are left out.
fn execution(news: &ExecutionNews, details: &ExecutionDetails) -> Execution {
    let status = news.change.status.clone();
    let is_of_this_run = details.status.as_ref().is_none_or(|now| *now == status);
    let has_failed = matches!(
        status,
        ExecutionStatus::Failed | ExecutionStatus::CompletedWithFailures
    );
    let (failure_reason, failed_steps) = if is_of_this_run && has_failed {
        (details.failure_reason.clone(), details.failed_steps.clone())
    } else {
        (None, Vec::new())
    };
    let display_name = news.display_name.clone();
    Execution {
        arn: news.execution.clone(),
        pipeline: news.pipeline.clone(),
        ended: status.is_terminal().then_some(news.change.at),
        at: news.change.at,
        status,
        display_name: display_name.or_else(|| details.display_name.clone()),
        started: news.started.or(details.started),
        failure_reason,
        failed_steps,
    }
}
