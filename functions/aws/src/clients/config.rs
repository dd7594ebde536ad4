//! What Lambda gives a function, as the configuration of all clients.

use std::{env, time::Duration};

use aws_config::{
    AppName, BehaviorVersion, Region, SdkConfig,
    environment::EnvironmentVariableCredentialsProvider, identity::IdentityCache,
    retry::RetryConfig, timeout::TimeoutConfig,
};
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::identity::SharedIdentityCache;
use aws_types::{
    sdk_config::Builder,
    service_config::{LoadServiceConfig, ServiceConfigKey},
};
use runtime::config::Identity;

use super::{MOST_SESSIONS, http};

/// The variable that leads to another AWS, of all services or with the name of one behind it.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Made by hand: the SDK's own loader would look for profiles and providers that
/// Lambda does not have, and link all of them.
///
/// Whoever makes it by hand has to name the cache of identities: without one in
/// common, each client would assume its role again.
pub(super) fn of_lambda(identity: &Identity) -> SdkConfig {
    let credentials = EnvironmentVariableCredentialsProvider::new();
    settings(&identity.place.region)
        .http_client(http::client(&identity.place.partition))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .use_fips(is_on("AWS_USE_FIPS_ENDPOINT"))
        .use_dual_stack(is_on("AWS_USE_DUALSTACK_ENDPOINT"))
        .service_config(Endpoints(|name| env::var(name).ok()))
        .build()
}

/// What holds of all clients, whatever carries their calls.
#[must_use]
pub fn settings(region: &domain::id::Region) -> Builder {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .identity_cache(identities())
        .region(Region::new(region.as_str().to_owned()))
        .timeout_config(timeouts())
        .retry_config(retries())
        .app_name(AppName::new("pipeshare").expect("a plain word is a legal name"))
}

fn is_on(variable: &str) -> bool {
    env::var(variable).is_ok_and(|value| value.eq_ignore_ascii_case("true"))
}

/// Keeps the credentials of all sessions.
pub(super) fn identities() -> SharedIdentityCache {
    IdentityCache::lazy().max_partitions(MOST_SESSIONS).build()
}

/// Few and quick: what takes longer is left to the queue, which costs nothing while it waits.
fn retries() -> RetryConfig {
    RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(200))
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_attempt_timeout(Duration::from_secs(10))
        .operation_timeout(Duration::from_secs(30))
        .build()
}

/// `AWS_ENDPOINT_URL_SERVICE`, or `AWS_ENDPOINT_URL`, as the SDK's own loader reads them.
#[derive(Debug)]
struct Endpoints(fn(&str) -> Option<String>);

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != ENDPOINT {
            return None;
        }
        let service = key.service_id().to_uppercase().replace(' ', "_");
        let of_service = (self.0)(&format!("{ENDPOINT}_{service}"));
        of_service.or_else(|| (self.0)(ENDPOINT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variable(name: &str) -> Option<String> {
        let value = match name {
            ENDPOINT => "https://all.example",
            "AWS_ENDPOINT_URL_CODEPIPELINE" => "https://codepipeline.example",
            "AWS_ENDPOINT_URL_RESOURCE_GROUPS" => "https://groups.example",
            _ => return None,
        };
        Some(value.to_owned())
    }

    fn asked(service: &str, variable_name: &str) -> Option<String> {
        let key = ServiceConfigKey::builder()
            .service_id(service)
            .env(variable_name)
            .profile("endpoint_url");
        Endpoints(variable).load_config(key.build().unwrap())
    }

    #[test]
    fn a_service_with_an_endpoint_of_its_own_has_that_one() {
        let endpoint = |service| asked(service, ENDPOINT).unwrap();
        assert_eq!(endpoint("CodePipeline"), "https://codepipeline.example");
        assert_eq!(endpoint("Resource Groups"), "https://groups.example");
        assert_eq!(endpoint("STS"), "https://all.example");
    }

    #[test]
    fn nothing_else_is_read_by_the_name_of_a_service() {
        assert_eq!(asked("STS", "AWS_OTHER"), None);
    }

    #[test]
    fn clients_share_their_identities() {
        let identity = crate::replay::identity();
        assert!(of_lambda(&identity).identity_cache().is_some());
    }
}
