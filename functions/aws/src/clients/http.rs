//! The HTTP client that the clients of all services share.

use std::env;

use aws_smithy_http_client::{
    Builder,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};

/// The roots of Amazon Trust Services, which the endpoints of the partition `aws` are signed under.
const ROOTS: &str = include_str!("roots.pem");

/// The variables by which OpenSSL, and what reads the system's roots here, are told of others.
const BUNDLES: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Makes a connector when something is to be sent, and keeps it.
#[must_use]
pub(super) fn client(partition: &str) -> SharedHttpClient {
    let is_told = BUNDLES.iter().any(|name| env::var_os(name).is_some());
    let context = TlsContext::builder().with_trust_store(trusted(partition, is_told));
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .tls_context(context.build().expect("no part of it can be wrong"))
        .build_https();
    SharedHttpClient::new(OnDemand(http))
}

/// Whom to believe: Amazon's five roots, since reading the system's hundred and more
/// is a sixth of a cold start; the system's where they are told to be others, or
/// where others sign for AWS.
fn trusted(partition: &str, is_told: bool) -> TrustStore {
    if partition != "aws" || is_told {
        return TrustStore::default();
    }
    TrustStore::empty().with_pem_certificate(ROOTS)
}

/// An HTTP client that does nothing before something is to be sent.
///
/// The one inside makes a connector for each client of a service that is
/// constructed, and drops it: it parses the system's hundred and more
/// certificates each time. Here clients are constructed with every
/// notification, so its validation, which does nothing else, is left out.
#[derive(Debug)]
struct OnDemand<C>(C);

impl<C: HttpClient> HttpClient for OnDemand<C> {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        self.0.http_connector(settings, components)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

#[cfg(test)]
mod tests {
    use aws_config::SdkConfig;
    use aws_sdk_sns::{config::ConfigBag, error::SdkError};
    use aws_smithy_runtime_api::{
        box_error::BoxError, client::runtime_components::RuntimeComponentsBuilder,
    };

    use super::*;
    use crate::{replay::Replay, sns::Sns};

    #[derive(Debug)]
    struct Costly;

    impl HttpClient for Costly {
        fn http_connector(
            &self,
            _: &HttpConnectorSettings,
            _: &RuntimeComponents,
        ) -> SharedHttpConnector {
            unreachable!("nothing is sent")
        }

        fn validate_base_client_config(
            &self,
            _: &RuntimeComponentsBuilder,
            _: &ConfigBag,
        ) -> Result<(), BoxError> {
            unreachable!("a connector is made and dropped")
        }
    }

    #[tokio::test]
    async fn no_connector_is_made_for_a_client_that_is_only_constructed() {
        let config: SdkConfig = Replay::of([]).config().await;
        let http = SharedHttpClient::new(OnDemand(Costly));
        let config = config.into_builder().http_client(http).build();
        let _ = Sns::new(aws_sdk_sns::Client::new(&config), None);
    }

    /// Where distributions keep what they believe.
    const SYSTEM: [&str; 3] = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ];

    /// The certificates of a bundle, without the ways in which lines may break.
    fn certificates(bundle: &str) -> Vec<String> {
        let begin = "-----BEGIN CERTIFICATE-----";
        let certificates = bundle.split(begin).skip(1);
        let certificates = certificates.filter_map(|it| it.split("-----END").next());
        certificates
            .map(|it| it.split_whitespace().collect())
            .collect()
    }

    #[test]
    fn the_embedded_roots_are_among_those_of_the_distribution() {
        let roots = certificates(ROOTS);
        assert_eq!(roots.len(), 5);
        let Some(system) = SYSTEM
            .iter()
            .find_map(|it| std::fs::read_to_string(it).ok())
        else {
            println!("skipped: this system has no bundle of roots");
            return;
        };
        let system = certificates(&system);
        for (number, root) in roots.iter().enumerate() {
            assert!(
                system.contains(root),
                "root {} of 5 is not believed any more: renew roots.pem",
                number + 1
            );
        }
    }

    #[test]
    fn only_the_partition_aws_has_embedded_roots_and_who_names_others_has_those() {
        let embeds = |partition, is_told| {
            let store = format!("{:?}", trusted(partition, is_told));
            store.contains("enable_native_roots: false")
        };
        assert!(embeds("aws", false));
        assert!(!embeds("aws", true));
        assert!(!embeds("aws-cn", false));
    }

    #[tokio::test]
    async fn a_connector_can_be_made_of_the_embedded_roots() {
        let config = Replay::of([]).config().await.into_builder();
        let config = config
            .http_client(client("aws"))
            // Nobody listens there.
            .endpoint_url("https://127.0.0.1:1")
            .build();
        let topics = aws_sdk_sns::Client::new(&config).list_topics().send().await;
        assert!(matches!(topics, Err(SdkError::DispatchFailure(failure)) if failure.is_io()));
    }
}
