//! The state of the whole sandbox.

mod agenda;
mod builder;
mod call;
mod error;
mod identifiers;
mod tidy;
mod time;

use jiff::Timestamp;
use serde_json::Value;

pub(crate) use self::identifiers::{nth_hex, only_uuid};
use self::{agenda::Agenda, identifiers::Identifiers};
pub use self::{
    agenda::Task,
    builder::{Builder, today},
    call::{AssumedRole, Call, Caller, RecordedCall},
    error::ApiError,
    time::epoch_seconds,
};
use crate::{
    cloudformation,
    faults::Faults,
    http,
    organization::Organization,
    readings::Readings,
    services::{
        cloudtrail, codepipeline, dynamodb, events, iam, kms, lambda, logs, ram, s3, sagemaker,
        sns, sqs, ssm, sts,
    },
    wall_clock,
};

/// Everything that the sandbox knows.
///
/// It changes only under one lock and only at the time [`World::now`], so a
/// run is reproducible.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub struct World {
    /// The sandbox's own time. Only the driver moves it.
    pub(crate) now: Timestamp,
    /// The organization that the accounts belong to.
    pub(crate) organization: Organization,
    /// Which reading of AWS's documents is played.
    #[serde(skip)]
    pub(crate) readings: Readings,
    /// What shall go wrong.
    #[serde(skip)]
    pub(crate) faults: Faults,
    /// Every API call so far, in order.
    #[serde(skip)]
    pub(crate) calls: Vec<RecordedCall>,
    /// CloudFormation.
    pub(crate) cloudformation: cloudformation::State,
    /// CloudTrail.
    pub(crate) cloudtrail: cloudtrail::State,
    /// CodePipeline's jobs.
    pub(crate) codepipeline: codepipeline::State,
    /// DynamoDB.
    pub(crate) dynamodb: dynamodb::State,
    /// EventBridge.
    pub(crate) events: events::State,
    /// IAM.
    pub(crate) iam: iam::State,
    /// Key Management Service.
    pub(crate) kms: kms::State,
    /// Lambda.
    pub(crate) lambda: lambda::State,
    /// CloudWatch Logs.
    pub(crate) logs: logs::State,
    /// Resource Access Manager.
    pub(crate) ram: ram::State,
    /// S3.
    pub(crate) s3: s3::State,
    /// SageMaker Pipelines.
    pub(crate) sagemaker: sagemaker::State,
    /// SNS.
    pub(crate) sns: sns::State,
    /// SQS.
    pub(crate) sqs: sqs::State,
    /// Systems Manager parameters.
    pub(crate) ssm: ssm::State,
    /// Temporary credentials.
    pub(crate) sts: sts::State,
    agenda: Agenda,
    identifiers: Identifiers,
    /// When it was tidied up last.
    #[serde(skip)]
    tidied: Timestamp,
    /// Whether clients live by this clock, too, and not by the machine's.
    #[serde(skip)]
    clients_share_the_clock: bool,
}

impl World {
    /// A world without accounts, to say what is different from the plainest one.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// An empty world at the given time.
    pub(crate) fn new(now: Timestamp) -> Self {
        Self {
            now,
            organization: Organization::default(),
            readings: Readings::default(),
            faults: Faults::default(),
            calls: Vec::new(),
            cloudformation: cloudformation::State::default(),
            cloudtrail: cloudtrail::State::default(),
            codepipeline: codepipeline::State::default(),
            dynamodb: dynamodb::State::default(),
            events: events::State::default(),
            iam: iam::State::default(),
            kms: kms::State::default(),
            lambda: lambda::State::default(),
            logs: logs::State::default(),
            ram: ram::State::default(),
            s3: s3::State::default(),
            sagemaker: sagemaker::State::default(),
            sns: sns::State::default(),
            sqs: sqs::State::default(),
            ssm: ssm::State::default(),
            sts: sts::State::default(),
            agenda: Agenda::default(),
            identifiers: Identifiers::default(),
            tidied: Timestamp::MIN,
            clients_share_the_clock: false,
        }
    }

    /// Answers a call as the wire would, but without faults, and remembers it.
    pub fn call(&mut self, call: &Call) -> Result<Value, ApiError> {
        http::perform(self, call)
    }

    /// The sandbox's own time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// What the clock of its clients says.
    pub(crate) fn clients_now(&self) -> Timestamp {
        if self.clients_share_the_clock {
            self.now
        } else {
            wall_clock::now()
        }
    }

    /// Clients of this world live by its clock.
    pub(crate) fn clients_share_the_clock(&mut self) {
        self.clients_share_the_clock = true;
    }

    /// Every API call so far, in order.
    #[must_use]
    pub fn calls(&self) -> &[RecordedCall] {
        &self.calls
    }

    /// The readings of AWS's documents that are played.
    #[must_use]
    pub fn readings(&self) -> Readings {
        self.readings
    }

    /// The same, to play others from now on.
    pub fn readings_mut(&mut self) -> &mut Readings {
        &mut self.readings
    }
}

/// Gives others a part of the world, to look at and to change.
macro_rules! accessors {
    ($($(#[$attribute:meta])* $name:ident, $name_mut:ident: $part:ty;)+) => {
        impl World {
            $(
                $(#[$attribute])*
                #[must_use]
                pub fn $name(&self) -> &$part {
                    &self.$name
                }

                $(#[$attribute])*
                pub fn $name_mut(&mut self) -> &mut $part {
                    &mut self.$name
                }
            )+
        }
    };
}

accessors! {
    /// The organization that the accounts belong to.
    organization, organization_mut: Organization;
    /// What shall go wrong.
    faults, faults_mut: Faults;
    /// CloudTrail: which accounts are without a trail.
    cloudtrail, cloudtrail_mut: cloudtrail::State;
    /// EventBridge: what buses have seen and dropped.
    events, events_mut: events::State;
    /// IAM: the roles, and which permissions were used.
    iam, iam_mut: iam::State;
    /// Lambda: the invocations that have ended.
    lambda, lambda_mut: lambda::State;
    /// RAM: how slow it is, and its quotas.
    ram, ram_mut: ram::State;
    /// SageMaker Pipelines: what fails next, and which pipelines AWS manages.
    sagemaker, sagemaker_mut: sagemaker::State;
    /// SNS: what was published.
    sns, sns_mut: sns::State;
}

/// Lets time pass, and everything happen when it is due.
#[cfg(test)]
pub(crate) fn pass(world: &mut World, seconds: u64) {
    let end = world.now + std::time::Duration::from_secs(seconds);
    while let Some(due) = world.next_due().filter(|due| *due <= end) {
        world.now = due;
        world.run_due();
    }
    world.now = end;
}
