//! The HTTP client that the clients of all services share.

use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};

/// Makes a connector when something is to be sent, and keeps it.
#[must_use]
pub(super) fn client() -> SharedHttpClient {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    SharedHttpClient::new(OnDemand(http))
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
    use aws_sdk_sns::config::ConfigBag;
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
}
