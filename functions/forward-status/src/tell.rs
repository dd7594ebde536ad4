//! Tells one change to each destination that wants to know and does not yet.

use aws::{Class, Error, sagemaker::ExecutionDetails};
use domain::{
    id::PipelineOwner,
    notification::{
        self, Decision, Destination, Execution, Limit, Present, Recipients, Room, Told, Trouble,
        decide, is_confirmed,
    },
    policy::{Policy, Rule, RuleName},
    status::ExecutionStatus,
    storage::{self, Lease},
    text::Untrusted,
};
use runtime::notifier::{self, Allowance, Teller};

use crate::{
    ExecutionNews, ForwardStatus,
    report::{ChangeReport, Telling},
};

/// What people have to know when others of the day are not told.
const LAST: &str = "This is the last message of the day about changes in this account that SageMaker does \
                    not confirm; the log of forward-status has the others.";

/// Whether a change may be made up.
enum Doubt {
    /// SageMaker confirms it.
    None,
    /// It does not, and so many were told today.
    Some(Allowance),
}

impl ForwardStatus<'_> {
    /// Tells a change to everyone who wants to know it, may know it, and does
    /// not; and the hub, once a day, of accounts that cannot be told until people act.
    pub(crate) async fn tell(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        news: &ExecutionNews,
    ) -> ChangeReport {
        let mut report = ChangeReport::new(news);
        let rules = wanting_rules(policy, news);
        if rules.is_empty() {
            report.unwanted = true;
            return report;
        }
        let names: Vec<_> = rules.iter().map(|rule| rule.name.clone()).collect();
        let mut details = None;
        let hub = (&Destination::Hub, &names[..]);
        // The hub always hears; whom else, the owner has a say in, and is asked meanwhile.
        let (told, recipients) = tokio::join!(
            Box::pin(self.tell_one(policy, teller, news, hub, &mut details)),
            Box::pin(self.recipients(news, &rules)),
        );
        report.push(&Destination::Hub, told);
        let recipients = match recipients {
            Ok(recipients) => recipients,
            Err(error) => {
                self.tell_unknown(policy, teller, news, &error).await;
                report.bound_unknown(&rules, error)
            }
        };
        for (account, rules) in &recipients.told {
            for destination in [
                Destination::Bus(account.clone()),
                Destination::Topic(account.clone()),
            ] {
                let told = self.tell_one(policy, teller, news, (&destination, rules), &mut details);
                report.push(&destination, Box::pin(told).await);
            }
        }
        report.withheld = recipients.withheld;
        for (account, troubles) in report.troubles() {
            self.notices
                .tell_troubles(teller, policy, account, &troubles)
                .await;
        }
        report
    }

    /// Whom the owner lets these rules tell.
    async fn recipients(&self, news: &ExecutionNews, rules: &[&Rule]) -> Result<Recipients, Error> {
        if !notification::name_accounts(rules) {
            return Ok(Recipients::default());
        }
        let owner = news.execution.account();
        let ceiling = self.ceilings.of(self.aws, owner).await?;
        let partition = self.aws.partition();
        Ok(notification::recipients(rules, &ceiling, partition))
    }

    /// Tells the hub, once a day, that consumers are told nothing until people mend it.
    async fn tell_unknown(
        &self,
        policy: &Policy,
        teller: Teller<'_>,
        news: &ExecutionNews,
        error: &Error,
    ) {
        if error.class() != Class::Permanent {
            return;
        }
        let trouble = Trouble {
            kind: "ceiling unknown".to_owned(),
            text: format!(
                "consumers are told nothing of what runs here, because the ceiling that says whom \
                 this account allows cannot be read; deploy the newest owner template: {error}"
            ),
        };
        let owner = news.execution.account();
        self.notices
            .tell_troubles(teller, policy, owner, &[trouble])
            .await;
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
        let Some(doubt) = self
            .doubt(teller, news, destination, (&history, details))
            .await?
        else {
            return Ok(Telling::Unconfirmed);
        };
        let told = Told {
            status: news.change.status.clone(),
            at: news.change.at,
            seen: news.change.seen,
        };
        let mut notice = notification::execution_notice(policy, &execution(news, details), rules);
        if let Doubt::Some(allowance) = &doubt {
            notice = notice.ending(allowance.room, LAST);
        }
        let lease = self
            .notices
            .publish_change(teller, destination, &news.execution, (&key, &told), &notice)
            .await?;
        if let (Doubt::Some(allowance), Lease::Taken) = (&doubt, lease) {
            self.notices.use_up(teller, allowance).await?;
        }
        Ok(match lease {
            Lease::Taken => Telling::Told,
            Lease::Done => Telling::Known,
            Lease::HeldByOther => Telling::ByAnother,
        })
    }

    /// Whether SageMaker confirms the change; none if it does not, and if so many
    /// were told today that it did not confirm that this one is only logged.
    async fn doubt(
        &self,
        teller: Teller<'_>,
        news: &ExecutionNews,
        destination: &Destination,
        (history, details): (&[Told], &ExecutionDetails),
    ) -> Result<Option<Doubt>, Error> {
        let present = details.status.as_ref().map(|status| Present {
            status,
            modified: details.modified,
            last_step: details.last_step,
        });
        if is_confirmed(history, &news.change, present.as_ref(), teller.now) {
            return Ok(Some(Doubt::None));
        }
        let (owner, day) = (news.execution.account(), notifier::day(teller.now));
        let key = storage::unconfirmed(owner, &destination.to_string(), &day);
        let allowance = self
            .notices
            .allowance(teller, key, Limit::UNCONFIRMED)
            .await?;
        if allowance.room == Room::Closed {
            tracing::warn!(execution.arn = %news.execution, %destination,
                "not told, since SageMaker does not confirm it and so many such changes were told today");
            return Ok(None);
        }
        Ok(Some(Doubt::Some(allowance)))
    }

    /// What the event lacks. An execution that is gone, or that may not be
    /// looked at, is told with what is known.
    async fn details(&self, news: &ExecutionNews) -> Result<ExecutionDetails, Error> {
        let watcher = self.aws.watcher(news.execution.account()).await;
        match watcher.details(&news.execution).await {
            Err(error) if error.class() == Class::Permanent => {
                tracing::warn!(execution.arn = %news.execution, "told without details: {error}");
                Ok(ExecutionDetails::default())
            }
            other => other,
        }
    }
}

/// The rules that want the change told, if it is of a pipeline that can be shared.
fn wanting_rules<'a>(policy: &'a Policy, news: &'a ExecutionNews) -> Vec<&'a Rule> {
    let (execution, status) = (&news.execution, &news.change.status);
    // A pipeline of AWS runs in the account and is nobody's to share.
    if *news.pipeline.owner() != PipelineOwner::Account(execution.account().clone()) {
        return Vec::new();
    }
    notification::wanting_rules(policy, execution, status)
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
        let reason = details.failure_reason.clone().map(Untrusted::from);
        (reason, details.failed_steps.clone())
    } else {
        (None, Vec::new())
    };
    let display_name = news.display_name.as_ref().or(details.display_name.as_ref());
    Execution {
        arn: news.execution.clone(),
        pipeline: news.pipeline.clone(),
        ended: status.is_terminal().then_some(news.change.at),
        at: news.change.at,
        status,
        display_name: display_name.cloned().map(Untrusted::from),
        started: news.started.or(details.started),
        pipeline_version: details.pipeline_version,
        failure_reason,
        failed_steps,
    }
}
