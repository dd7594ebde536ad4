//! The state of the whole sandbox, its clock, and what is due when.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

mod builder;

pub use self::builder::Builder;

use crate::{
    cloudformation,
    faults::Faults,
    http,
    organization::Organization,
    readings::Readings,
    services::{
        cloudtrail, codepipeline, dynamodb, events, iam, kms, lambda, ram, s3, sagemaker, sns, sqs,
        ssm, sts,
    },
};

/// Everything that the sandbox knows.
///
/// It changes only under one lock and only at the time [`World::now`], so a
/// run is reproducible.
#[derive(Debug)]
pub struct World {
    /// The sandbox's own time. Only the driver moves it.
    pub now: Timestamp,
    /// The organization that the accounts belong to.
    pub organization: Organization,
    /// Which reading of AWS's documents is played.
    pub readings: Readings,
    /// What shall go wrong.
    pub faults: Faults,
    /// Every API call so far, in order.
    pub calls: Vec<RecordedCall>,
    /// CloudFormation.
    pub cloudformation: cloudformation::State,
    /// CloudTrail.
    pub cloudtrail: cloudtrail::State,
    /// CodePipeline's jobs.
    pub codepipeline: codepipeline::State,
    /// DynamoDB.
    pub dynamodb: dynamodb::State,
    /// EventBridge.
    pub events: events::State,
    /// IAM.
    pub iam: iam::State,
    /// Key Management Service.
    pub kms: kms::State,
    /// Lambda.
    pub lambda: lambda::State,
    /// Resource Access Manager.
    pub ram: ram::State,
    /// S3.
    pub s3: s3::State,
    /// SageMaker Pipelines.
    pub sagemaker: sagemaker::State,
    /// SNS.
    pub sns: sns::State,
    /// SQS.
    pub sqs: sqs::State,
    /// Systems Manager parameters.
    pub ssm: ssm::State,
    /// Temporary credentials.
    pub sts: sts::State,
    agenda: BTreeMap<(Timestamp, u64), Task>,
    scheduled: u64,
    identifiers: HashMap<String, u64>,
}

/// Something that happens by itself at a later time.
#[derive(Debug, Clone)]
pub enum Task {
    /// For CodePipeline.
    CodePipeline(codepipeline::Task),
    /// For EventBridge.
    Events(events::Task),
    /// For Lambda.
    Lambda(lambda::Task),
    /// For RAM.
    Ram(ram::Task),
    /// For SageMaker.
    SageMaker(sagemaker::Task),
    /// For SQS.
    Sqs(sqs::Task),
}

impl World {
    /// A world without accounts, to say what is different from the plainest one.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// An empty world at the given time.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
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
            ram: ram::State::default(),
            s3: s3::State::default(),
            sagemaker: sagemaker::State::default(),
            sns: sns::State::default(),
            sqs: sqs::State::default(),
            ssm: ssm::State::default(),
            sts: sts::State::default(),
            agenda: BTreeMap::new(),
            scheduled: 0,
            identifiers: HashMap::new(),
        }
    }

    /// Answers a call as the wire would, but without faults, and remembers it.
    pub fn call(&mut self, call: &Call) -> Result<Value, ApiError> {
        http::perform(self, call)
    }

    /// Puts a task on the agenda; tasks due at the same time run in the order of this call.
    pub fn after(&mut self, delay: Duration, task: Task) {
        // What is due after the end of all time never happens.
        let due = self.now.checked_add(delay).unwrap_or(Timestamp::MAX);
        self.agenda.insert((due, self.scheduled), task);
        self.scheduled += 1;
    }

    /// When the next task is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first_key_value().map(|((due, _), _)| *due)
    }

    /// Carries out every task that is due by now, and those that these make due.
    pub fn run_due(&mut self) {
        while self.next_due().is_some_and(|due| due <= self.now) {
            if let Some((_, task)) = self.agenda.pop_first() {
                self.run(task);
            }
        }
    }

    fn run(&mut self, task: Task) {
        match task {
            Task::CodePipeline(task) => codepipeline::run(self, task),
            Task::Events(task) => events::run(self, task),
            Task::Lambda(task) => lambda::run(self, task),
            Task::Ram(task) => ram::run(self, task),
            Task::SageMaker(task) => sagemaker::run(self, task),
            Task::Sqs(task) => sqs::run(self, task),
        }
    }

    /// A new UUID, the same in every run: the n-th one asked for with this seed.
    pub fn uuid(&mut self, seed: &str) -> String {
        let hex = self.hex(seed);
        format!(
            "{}-{}-4{}-a{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..32]
        )
    }

    /// 64 new lower-case hexadecimal digits, the same in every run.
    pub fn hex(&mut self, seed: &str) -> String {
        use std::fmt::Write;

        let count = self.identifiers.entry(seed.to_owned()).or_default();
        *count += 1;
        let digest = Sha256::digest(format!("{seed}\0{count}"));
        digest.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        })
    }
}

/// Who makes a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The account that the caller belongs to.
    pub account: String,
    /// The assumed role, if the caller is not the account's administrator.
    pub role: Option<AssumedRole>,
}

impl Caller {
    /// The administrator of an account.
    #[must_use]
    pub fn administrator(account: &str) -> Self {
        Self {
            account: account.to_owned(),
            role: None,
        }
    }

    /// The ARN of the caller as IAM and CloudTrail print it.
    #[must_use]
    pub fn arn(&self) -> String {
        let account = &self.account;
        match &self.role {
            Some(role) => format!(
                "arn:aws:sts::{account}:assumed-role/{}/{}",
                role.name, role.session
            ),
            None => format!("arn:aws:iam::{account}:user/administrator"),
        }
    }
}

/// A session of an IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AssumedRole {
    /// The name of the role.
    pub name: String,
    /// The name of the session.
    pub session: String,
}

/// One API call, independent of the protocol that carried it.
#[derive(Debug, Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Caller,
    /// The Region of the credential scope.
    pub region: String,
    /// The signing name of the service, for instance `ram`.
    pub service: String,
    /// The operation, for instance `CreateResourceShare`.
    pub operation: String,
    /// The members of the input shape.
    pub input: Value,
}

impl Call {
    /// A call that an account's administrator makes, as for what a template says.
    #[must_use]
    pub fn by_administrator(
        account: &str,
        region: &str,
        service: &str,
        operation: &str,
        input: Value,
    ) -> Self {
        Self {
            caller: Caller::administrator(account),
            region: region.to_owned(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            input,
        }
    }

    /// A text member of the input; none if it is absent, null or not a text.
    #[must_use]
    pub fn text(&self, member: &str) -> Option<&str> {
        self.input.get(member).and_then(Value::as_str)
    }

    /// The texts of a list member of the input; empty if it is absent.
    #[must_use]
    pub fn texts(&self, member: &str) -> Vec<String> {
        let items = self.input.get(member).and_then(Value::as_array);
        items
            .into_iter()
            .flatten()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect()
    }
}

/// What the sandbox remembers of an API call.
#[derive(Debug, Clone)]
pub struct RecordedCall {
    /// When it was made.
    pub time: Timestamp,
    /// Who made it.
    pub caller: Caller,
    /// The Region of its credential scope.
    pub region: String,
    /// The signing name of the service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// The members of the input shape, without the values of parameters.
    pub input: Value,
    /// The code of the error that it was answered with.
    pub error: Option<String>,
}

/// An error as the service's API model knows it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    /// The error's name in the model, for instance `UnknownResourceException`.
    pub code: String,
    /// What the service says to people.
    pub message: String,
    /// The HTTP status.
    pub status: u16,
    /// The other members of the error's shape, in the JSON protocols.
    pub members: Map<String, Value>,
}

impl ApiError {
    /// An error of the client, HTTP 400.
    pub fn new(code: &str, message: impl Into<String>) -> Self {
        Self::with_status(400, code, message)
    }

    /// An error with another HTTP status.
    pub fn with_status(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            code: code.to_owned(),
            message: message.into(),
            status,
            members: Map::new(),
        }
    }

    /// The same error with one more member of its shape.
    #[must_use]
    pub fn with_member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// The answer to an operation that the sandbox does not have: never a wrong success.
    #[must_use]
    pub fn not_implemented(call: &Call) -> Self {
        Self::with_status(
            501,
            "NotImplemented",
            format!(
                "{}:{} is not implemented in the sandbox",
                call.service, call.operation
            ),
        )
    }
}

/// A time as the JSON protocols of AWS write it: seconds since 1970 with a fraction.
#[must_use]
pub fn epoch_seconds(time: Timestamp) -> Value {
    let milliseconds = time.as_millisecond();
    if milliseconds % 1000 == 0 {
        Value::from(milliseconds / 1000)
    } else {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit a double for 280,000 years"
        )]
        Value::from(milliseconds as f64 / 1000.0)
    }
}
