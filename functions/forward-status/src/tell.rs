//! Tells one change to each destination that wants to know and does not yet.

use aws::{
    Class, Error,
    eventbridge::Entry,
    notices::{Lease, Teller},
    sagemaker::ExecutionDetails,
};
use domain::{
    id::AccountId,
    notification::{
        self, Decision, EXECUTION_DETAIL_TYPE, Execution, Notice, SOURCE, Told, decide,
    },
    policy::{Policy, RuleName},
    status::ExecutionStatus,
};

use crate::{
    ExecutionNews, ForwardStatus,
    report::{ChangeReport, Telling},
};

/// Somebody who wants to know.
#[derive(Debug)]
struct Destination {
    /// The consumer account; none for the hub's topic.
    account: Option<AccountId>,
    /// The rules that want it told.
    rules: Vec<RuleName>,
}

impl Destination {
    fn name(&self) -> &str {
        self.account.as_ref().map_or("topic", AccountId::as_str)
    }
}

impl ForwardStatus<'_> {
    /// Tells a change to everyone who wants to know it and does not.
    pub(crate) async fn tell(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        news: &ExecutionNews,
    ) -> ChangeReport {
        let mut report = ChangeReport::new(news);
        let destinations = destinations(policy, news);
        if destinations.is_empty() {
            report.unwanted = true;
            return report;
        }
        let mut details = None;
        for destination in &destinations {
            let telling = self
                .tell_one(policy, teller, news, destination, &mut details)
                .await;
            report.push(destination.name(), telling);
        }
        report
    }

    async fn tell_one(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        news: &ExecutionNews,
        destination: &Destination,
        details: &mut Option<ExecutionDetails>,
    ) -> Result<Telling, Error> {
        let ledger = format!("{}|{}", destination.name(), news.execution);
        let history = self.notices.history(teller, &ledger).await?;
        if let Decision::AlreadyTold | Decision::Overtaken = decide(&history, &news.change, None) {
            return Ok(Telling::Known);
        }
        if details.is_none() {
            *details = Some(self.details(news).await?);
        }
        let details = details.as_ref();
        let present = details.and_then(|details| details.status.as_ref());
        let Decision::Tell { key } = decide(&history, &news.change, present) else {
            return Ok(Telling::Known);
        };
        let told = Told {
            status: news.change.status.clone(),
            at: news.change.at,
            seen: news.change.seen,
        };
        let execution = execution(news, details);
        let notice = notification::execution_notice(policy, &execution, &destination.rules);
        let tell = async || self.publish(destination, &notice).await;
        let lease = self
            .notices
            .once_of_change(teller, &ledger, &key, &told, tell)
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

    async fn publish(&self, destination: &Destination, notice: &Notice) -> Result<(), Error> {
        let Some(account) = &destination.account else {
            return self.notices.publish(notice).await;
        };
        let resources = ["pipelineArn", "pipelineExecutionArn"]
            .into_iter()
            .filter_map(|member| notice.detail[member].as_str().map(str::to_owned));
        let entry = Entry {
            source: SOURCE.to_owned(),
            detail_type: EXECUTION_DETAIL_TYPE.to_owned(),
            resources: resources.collect(),
            detail: notice.detail.clone(),
        };
        let consumer = self.aws.consumer(account).await;
        let bus = &self.config.consumer_bus;
        consumer.eventbridge.put(bus, vec![entry]).await
    }
}

/// The consumers that rules name, and the hub's topic if there is any rule that wants it told.
fn destinations(policy: &Policy, news: &ExecutionNews) -> Vec<Destination> {
    let (execution, status) = (&news.execution, &news.change.status);
    let rules = notification::wanting_rules(policy, execution, status);
    if rules.is_empty() {
        return Vec::new();
    }
    let topic = Destination {
        account: None,
        rules: rules.iter().map(|rule| rule.name.clone()).collect(),
    };
    let consumers = notification::recipients(policy, execution, status);
    let consumers = consumers.into_iter().map(|(account, rules)| Destination {
        account: Some(account),
        rules,
    });
    consumers.chain([topic]).collect()
}

/// The change with everything known about its execution.
///
/// SageMaker answers about the present. If the execution has been retried
/// since, the steps and the reason are those of another run, and are left out.
fn execution(news: &ExecutionNews, details: Option<&ExecutionDetails>) -> Execution {
    let status = news.change.status.clone();
    let details = details.cloned().unwrap_or_default();
    let is_of_this_run = details.status.as_ref().is_none_or(|now| *now == status);
    let has_failed = matches!(
        status,
        ExecutionStatus::Failed | ExecutionStatus::CompletedWithFailures
    );
    let (failure_reason, failed_steps) = if is_of_this_run && has_failed {
        (details.failure_reason, details.failed_steps)
    } else {
        Default::default()
    };
    Execution {
        arn: news.execution.clone(),
        pipeline: news.pipeline.clone(),
        ended: status.is_terminal().then_some(news.change.at),
        at: news.change.at,
        status,
        display_name: news.display_name.clone().or(details.display_name),
        started: news.started.or(details.started),
        failure_reason,
        failed_steps,
    }
}
