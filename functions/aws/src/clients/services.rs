//! The SDK's clients of one session, each made once.

use std::sync::OnceLock;

use aws_config::SdkConfig;
use aws_sdk_ram::config::retry::RetryPartition;
use domain::id::AccountId;

/// What one session's clients have in common, and those that were needed so far.
///
/// A client is cheap to copy and not to make, and functions ask for one with
/// every call.
#[derive(Debug)]
pub(crate) struct Services {
    config: SdkConfig,
    /// The account that is called; none for the hub's own.
    account: Option<AccountId>,
    ram: OnceLock<aws_sdk_ram::Client>,
    sagemaker: OnceLock<aws_sdk_sagemaker::Client>,
    eventbridge: OnceLock<aws_sdk_eventbridge::Client>,
    sns: OnceLock<aws_sdk_sns::Client>,
    sts: OnceLock<aws_sdk_sts::Client>,
}

/// A client that is made when it is first asked for.
macro_rules! kept {
    ($service:ident, $sdk:ident) => {
        pub(crate) fn $service(&self) -> $sdk::Client {
            let make = || {
                let mut config = $sdk::config::Builder::from(&self.config);
                config.set_retry_partition(retry_partition(
                    stringify!($service),
                    self.account.as_ref(),
                ));
                $sdk::Client::from_conf(config.build())
            };
            self.$service.get_or_init(make).clone()
        }
    };
}

impl Services {
    pub(super) fn new(config: SdkConfig, account: Option<AccountId>) -> Self {
        Self {
            config,
            account,
            ram: OnceLock::new(),
            sagemaker: OnceLock::new(),
            eventbridge: OnceLock::new(),
            sns: OnceLock::new(),
            sts: OnceLock::new(),
        }
    }

    /// The configuration, for clients that are more than one of the SDK's.
    pub(super) fn config(&self) -> &SdkConfig {
        &self.config
    }

    kept!(ram, aws_sdk_ram);
    kept!(sagemaker, aws_sdk_sagemaker);
    kept!(eventbridge, aws_sdk_eventbridge);
    kept!(sns, aws_sdk_sns);
    kept!(sts, aws_sdk_sts);
}

/// Whose retries a client spends; by default those of the service, whoever is called.
///
/// The SDK lends a process a limited number of retries for each service and
/// Region. AWS throttles accounts, and one that is throttled must not use up
/// the retries of all.
pub(crate) fn retry_partition(
    service: &str,
    account: Option<&AccountId>,
) -> Option<RetryPartition> {
    account.map(|account| RetryPartition::new(format!("{service}-{account}")))
}
