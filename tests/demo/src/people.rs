//! The people of an account, who use the AWS SDK as they would anywhere.

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_ram::types::{ResourceOwner, ResourceShareInvitation};
use aws_smithy_http_client::Builder;

use crate::estate::REGION;

/// The administrator of an account, with a client for each service in use.
#[derive(Debug, Clone)]
pub struct Person {
    /// The account.
    pub account: String,
    /// RAM, as seen from the account.
    pub ram: aws_sdk_ram::Client,
    /// SageMaker, as seen from the account.
    pub sagemaker: aws_sdk_sagemaker::Client,
    /// Systems Manager, as seen from the account.
    pub ssm: aws_sdk_ssm::Client,
    /// EventBridge, as seen from the account.
    pub events: aws_sdk_eventbridge::Client,
}

impl Person {
    /// Somebody of this account: the access key id is the account's twelve digits.
    #[must_use]
    pub fn new(endpoint: &str, account: &str) -> Self {
        let credentials = Credentials::new(account, "any", None, None, "sandbox");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .region(Region::new(REGION))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .http_client(Builder::new().build_http())
            .retry_config(RetryConfig::disabled())
            .build();
        Self {
            account: account.to_owned(),
            ram: aws_sdk_ram::Client::new(&config),
            sagemaker: aws_sdk_sagemaker::Client::new(&config),
            ssm: aws_sdk_ssm::Client::new(&config),
            events: aws_sdk_eventbridge::Client::new(&config),
        }
    }

    /// The ARN of an own or foreign pipeline of this name.
    #[must_use]
    pub fn pipeline_arn(account: &str, name: &str) -> String {
        format!("arn:aws:sagemaker:{REGION}:{account}:pipeline/{name}")
    }

    /// Creates a pipeline with this definition.
    pub async fn create_pipeline(
        &self,
        name: &str,
        definition: &str,
    ) -> Result<String, aws_sdk_sagemaker::Error> {
        let role = format!("arn:aws:iam::{}:role/pipeline", self.account);
        let created = self
            .sagemaker
            .create_pipeline()
            .pipeline_name(name)
            .pipeline_definition(definition)
            .client_request_token(format!("create-{name}-{:0>32}", self.account))
            .role_arn(role)
            .send()
            .await?;
        Ok(created.pipeline_arn.unwrap_or_default())
    }

    /// Starts a pipeline, named by name or ARN.
    pub async fn start(
        &self,
        pipeline: &str,
        display_name: &str,
    ) -> Result<String, aws_sdk_sagemaker::Error> {
        let started = self
            .sagemaker
            .start_pipeline_execution()
            .pipeline_name(pipeline)
            .pipeline_execution_display_name(display_name)
            .client_request_token(format!("{display_name:-<40}"))
            .send()
            .await?;
        Ok(started.pipeline_execution_arn.unwrap_or_default())
    }

    /// The status of an execution.
    pub async fn status(&self, execution: &str) -> Result<String, aws_sdk_sagemaker::Error> {
        let described = self
            .sagemaker
            .describe_pipeline_execution()
            .pipeline_execution_arn(execution)
            .send()
            .await?;
        let status = described.pipeline_execution_status;
        Ok(status.map(|status| status.to_string()).unwrap_or_default())
    }

    /// Whether the account can describe a pipeline.
    pub async fn sees(&self, pipeline: &str) -> bool {
        let described = self.sagemaker.describe_pipeline().pipeline_name(pipeline);
        described.send().await.is_ok()
    }

    /// The invitations that the account has received.
    pub async fn invitations(&self) -> Result<Vec<ResourceShareInvitation>, aws_sdk_ram::Error> {
        let answer = self.ram.get_resource_share_invitations().send().await?;
        Ok(answer.resource_share_invitations.unwrap_or_default())
    }

    /// Name and permissions of the active shares: one's own, or those of others that one is in.
    pub async fn shares(
        &self,
        owner: ResourceOwner,
    ) -> Result<Vec<(String, Vec<String>)>, aws_sdk_ram::Error> {
        let answer = self
            .ram
            .get_resource_shares()
            .resource_owner(owner)
            .resource_share_status(aws_sdk_ram::types::ResourceShareStatus::Active)
            .send()
            .await?;
        let mut shares = Vec::new();
        for share in answer.resource_shares.unwrap_or_default() {
            let permissions = self
                .ram
                .list_resource_share_permissions()
                .resource_share_arn(share.resource_share_arn.unwrap_or_default())
                .send()
                .await?;
            let names = permissions.permissions.unwrap_or_default();
            let names = names.into_iter().filter_map(|permission| permission.name);
            shares.push((share.name.unwrap_or_default(), names.collect()));
        }
        shares.sort();
        Ok(shares)
    }
}
