//! Asks the function share-pipeline in the hub.

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_lambda::{
    Client, config::StalledStreamProtectionConfig, error::DisplayErrorContext, primitives::Blob,
};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::{arguments::Hub, input::InputError};

/// Longer than the function may run, by its template.
const LONGEST_ANSWER: Duration = Duration::from_mins(2);

/// What the function answers to a payload.
pub(crate) fn ask<T: DeserializeOwned>(hub: &Hub, payload: &Value) -> Result<T, InputError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| InputError(format!("no work can begin: {error}")))?;
    let answer = runtime.block_on(invoke(hub, payload))?;
    serde_json::from_value(answer).map_err(|error| {
        let function = &hub.function;
        InputError(format!(
            "{function} answers otherwise than this program knows, so one of both is older; \
             take both from one release: {error}"
        ))
    })
}

async fn invoke(hub: &Hub, payload: &Value) -> Result<Value, InputError> {
    let function = &hub.function;
    let config = connect(hub).await;
    if config.region().is_none() {
        let message = "no Region is known; name the hub's by --region, or by AWS_REGION";
        return Err(InputError(message.to_owned()));
    }
    let invocation = Client::new(&config).invoke().function_name(function);
    let payload = Blob::new(payload.to_string());
    let answer = invocation.payload(payload).send().await.map_err(|error| {
        let error = DisplayErrorContext(&error);
        InputError(format!("cannot invoke {function}: {error}"))
    })?;
    let text = answer.payload().map(Blob::as_ref).unwrap_or_default();
    let value: Value = serde_json::from_slice(text).unwrap_or_else(|_| json!({}));
    match answer.function_error() {
        None => Ok(value),
        Some(kind) => {
            let said = value["errorMessage"].as_str().unwrap_or(kind);
            Err(InputError(format!("{function} failed: {said}")))
        }
    }
}

/// The configuration that the AWS CLI would use, with the hub's in its place.
async fn connect(hub: &Hub) -> SdkConfig {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let timeouts = TimeoutConfig::builder().operation_attempt_timeout(LONGEST_ANSWER);
    let mut config = aws_config::defaults(BehaviorVersion::v2026_01_12())
        .http_client(http)
        // Nothing comes while the function is at work.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
        .timeout_config(timeouts.build());
    if let Some(profile) = &hub.profile {
        config = config.profile_name(profile);
    }
    if let Some(region) = &hub.region {
        config = config.region(Region::new(region.clone()));
    }
    config.load().await
}
