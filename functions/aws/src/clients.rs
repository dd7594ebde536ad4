//! Clients: for the function's own account, and for others through their roles.

mod assume;
mod config;
mod http;
mod services;
mod sessions;

use std::{fmt, sync::Arc};

use aws_config::SdkConfig;
use aws_credential_types::provider::SharedCredentialsProvider;
use domain::{
    id::{AccountId, Region},
    policy::Place,
};

use runtime::config::Identity;

pub use self::config::settings;
use self::{assume::AssumedRole, services::Services, sessions::Sessions};
pub(crate) use self::{services::retry_partition, sessions::Session};
use crate::{
    codepipeline::CodePipeline, dynamodb::Table, eventbridge::EventBridge, ram,
    sagemaker::SageMaker, sns::Sns, sqs::Sqs, ssm::Ssm,
};

/// For how many roles of accounts sessions are kept at a time: the SDK would
/// keep 64, and of more it drops any one, which is assumed again at its next use.
///
/// That is two roles of each of thousands of accounts, and a session takes a
/// kilobyte or two.
const MOST_SESSIONS: usize = 16_384;

/// The roles in other accounts: one for each purpose, so that no function
/// holds a session which may do what another one is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Sees the pipelines of an owner account, and its ceiling.
    Reader,
    /// Sees the executions of an owner account, and its ceiling.
    Watcher,
    /// Shares pipelines.
    Owner,
    /// Runs pipelines.
    Runner,
    /// Accepts invitations, and sees what they brought.
    Consumer,
    /// Notifies a consumer account.
    Notifier,
    /// Proves that a consumer account can see a pipeline.
    Prover,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Watcher => "watcher",
            Self::Owner => "owner",
            Self::Runner => "runner",
            Self::Consumer => "consumer",
            Self::Notifier => "notifier",
            Self::Prover => "prover",
        }
    }
}

/// The way to AWS: made once per process, it makes the adapters.
///
/// All clients share one connection pool, and each role of each account one
/// session, which lives as long as the process and renews itself, unless AWS
/// refuses it.
pub struct Aws {
    hub: Services,
    identity: Identity,
    sessions: Arc<Sessions>,
}

impl Aws {
    /// Connects with what Lambda gives a function.
    ///
    /// `AWS_ENDPOINT_URL` and its forms per service are honored for every
    /// client, STS included.
    #[must_use]
    pub fn connect(identity: &Identity) -> Self {
        Self::new(config::of_lambda(identity), identity.clone())
    }

    /// Works on a given configuration and knows nothing of the environment.
    #[must_use]
    pub fn new(config: SdkConfig, identity: Identity) -> Self {
        Self {
            hub: Services::new(config, None),
            identity,
            sessions: Arc::default(),
        }
    }

    /// The Region that the function runs in, and the only one that it serves.
    #[must_use]
    pub fn region(&self) -> &Region {
        &self.identity.place.region
    }

    /// The partition of all ARNs, `aws` unless told otherwise.
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.identity.place.partition
    }

    /// The name of the function, which is also the name of its sessions.
    #[must_use]
    pub fn function(&self) -> &str {
        &self.identity.function
    }

    /// Where ARNs of this deployment are.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.identity.place
    }

    /// Parameter Store of the hub.
    #[must_use]
    pub fn ssm(&self) -> Ssm {
        Ssm::new(self.hub.config())
    }

    /// The queues of the hub.
    #[must_use]
    pub fn sqs(&self) -> Sqs {
        Sqs::new(self.hub.config())
    }

    /// The jobs of the hub's pipelines.
    #[must_use]
    pub fn codepipeline(&self) -> CodePipeline {
        CodePipeline::new(self.hub.config())
    }

    /// The topics of the hub.
    #[must_use]
    pub fn sns(&self) -> Sns {
        Sns::new(self.hub.sns(), None)
    }

    /// The event buses of the hub.
    #[must_use]
    pub fn eventbridge(&self) -> EventBridge {
        EventBridge::new(self.hub.eventbridge(), None)
    }

    /// The ARN of a topic of an account in this Region.
    #[must_use]
    pub fn topic_arn(&self, account: &AccountId, name: &str) -> String {
        let Place { partition, region } = self.place();
        format!("arn:{partition}:sns:{region}:{account}:{name}")
    }

    /// A table of the hub.
    #[must_use]
    pub fn table(&self, name: impl Into<String>) -> Table {
        Table::new(self.hub.config(), name)
    }

    /// Reads the pipelines of an account.
    pub fn reader(&self, account: &AccountId) -> SageMaker {
        self.sagemaker(Role::Reader, account)
    }

    /// Sees the pipelines of an account, their executions, and whom they are shared with.
    pub fn viewer(&self, account: &AccountId) -> OwnerClients {
        self.owner_clients(Role::Reader, account)
    }

    /// Reads the executions of an account.
    pub fn watcher(&self, account: &AccountId) -> SageMaker {
        self.sagemaker(Role::Watcher, account)
    }

    fn sagemaker(&self, role: Role, account: &AccountId) -> SageMaker {
        let (services, session) = self.session(role, account);
        SageMaker::new(services.sagemaker(), session)
    }

    /// Parameters of an account, with one of the roles there.
    pub(crate) fn ssm_in(&self, account: &AccountId, role: Role) -> Ssm {
        let (services, session) = self.session(role, account);
        Ssm::of(services.config(), Some(session))
    }

    /// Shares the pipelines of an account.
    pub fn owner(&self, account: &AccountId) -> ram::OwnerRam {
        let (services, session) = self.session(Role::Owner, account);
        ram::OwnerRam::new(services.ram(), session)
    }

    /// Accepts for an account that pipelines are shared with.
    pub fn consumer(&self, account: &AccountId) -> ConsumerClients {
        let (services, session) = self.session(Role::Consumer, account);
        ConsumerClients {
            ram: ram::ConsumerRam::new(services.ram(), session.clone()),
            sagemaker: SageMaker::new(services.sagemaker(), session),
        }
    }

    /// Notifies an account that pipelines are shared with.
    pub fn notifier(&self, account: &AccountId) -> NotifierClients {
        let (services, session) = self.session(Role::Notifier, account);
        NotifierClients {
            eventbridge: EventBridge::new(services.eventbridge(), Some(session.clone())),
            sns: Sns::new(services.sns(), Some(session)),
        }
    }

    /// Sees, as an account that pipelines are shared with, whether it can see them.
    pub fn prover(&self, account: &AccountId) -> SageMaker {
        self.sagemaker(Role::Prover, account)
    }

    /// Runs the pipelines of an account, and sees whom they are shared with.
    pub fn runner(&self, account: &AccountId) -> OwnerClients {
        self.owner_clients(Role::Runner, account)
    }

    fn owner_clients(&self, role: Role, account: &AccountId) -> OwnerClients {
        let (services, session) = self.session(role, account);
        OwnerClients {
            ram: ram::OwnerRam::new(services.ram(), session.clone()),
            sagemaker: SageMaker::new(services.sagemaker(), session),
        }
    }

    /// Says that an invocation begins: a session that AWS refuses from now on,
    /// although it was made since, is refused for good.
    pub fn begin_invocation(&self) {
        self.sessions.begin_invocation();
    }

    /// The clients whose credentials are those of a role; no call is made
    /// before the first of them needs these.
    fn session(&self, role: Role, account: &AccountId) -> (Arc<Services>, Session) {
        if let Some(found) = self.sessions.find(role, account) {
            return found;
        }
        let arn = self.role_arn(role, account);
        let provider = AssumedRole::new(&self.hub.sts(), account, arn, self.function());
        let config = self.hub.config().to_builder();
        let config = config
            .credentials_provider(SharedCredentialsProvider::new(provider))
            .build();
        self.sessions.keep(role, account, config)
    }

    fn role_arn(&self, role: Role, account: &AccountId) -> String {
        let Place { partition, region } = self.place();
        let role = role.name();
        format!("arn:{partition}:iam::{account}:role/pipeshare-{role}-{region}")
    }
}

impl fmt::Debug for Aws {
    /// Leaves the configuration out: it holds credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("identity", &self.identity)
            .finish_non_exhaustive()
    }
}

/// What the consumer role of one account gives access to.
#[derive(Debug, Clone)]
pub struct ConsumerClients {
    /// Invitations and accepted shares.
    pub ram: ram::ConsumerRam,
    /// Pipelines that are shared with the account, by ARN.
    pub sagemaker: SageMaker,
}

/// What the notifier role of one account gives access to.
#[derive(Debug, Clone)]
pub struct NotifierClients {
    /// The account's event buses.
    pub eventbridge: EventBridge,
    /// The account's topics.
    pub sns: Sns,
}

/// What a role of an owner account gives access to, as far as its policies let it.
#[derive(Debug, Clone)]
pub struct OwnerClients {
    /// The account's shares.
    pub ram: ram::OwnerRam,
    /// The account's pipelines and their executions.
    pub sagemaker: SageMaker,
}

#[cfg(test)]
mod tests;
