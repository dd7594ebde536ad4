//! Makes the calls that it is given as its event, by a configuration made by hand and
//! without a log. What a function that decides something costs more is its own.

use std::collections::HashMap;

use aws_config::{
    BehaviorVersion, Region, SdkConfig, environment::EnvironmentVariableCredentialsProvider,
    identity::IdentityCache, retry::RetryConfig,
};
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_eventbridge::types::PutEventsRequestEntry;
use aws_sdk_ram::types::{ResourceOwner, ResourceShareAssociationType, Tag};
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use futures::future::try_join_all;
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let config = config();
    let config = &config;
    let handler = |event: LambdaEvent<Value>| async move { serve(config, &event.payload).await };
    lambda_runtime::run(service_fn(handler)).await
}

fn config() -> SdkConfig {
    let http = Builder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    let region = std::env::var("AWS_REGION").unwrap_or_default();
    let mut config = SdkConfig::builder();
    config.set_endpoint_url(std::env::var("AWS_ENDPOINT_URL").ok());
    config
        .behavior_version(BehaviorVersion::v2026_01_12())
        .http_client(http)
        .region(Region::new(region))
        .retry_config(RetryConfig::disabled())
        .identity_cache(IdentityCache::lazy().build())
        .credentials_provider(SharedCredentialsProvider::new(
            EnvironmentVariableCredentialsProvider::new(),
        ))
        .build()
}

/// Makes the calls: those of a group at once, group after group.
async fn serve(config: &SdkConfig, plan: &Value) -> Result<Value, Error> {
    let mut sessions: HashMap<String, SdkConfig> = HashMap::new();
    for group in plan["groups"].as_array().into_iter().flatten() {
        let calls = group.as_array().into_iter().flatten();
        let calls = calls.map(|call| {
            let role = call["role"].as_str().unwrap_or_default();
            make(sessions.get(role).unwrap_or(config), call)
        });
        for (role, session) in try_join_all(calls).await?.into_iter().flatten() {
            sessions.insert(role, session);
        }
    }
    Ok(json!({}))
}

/// Makes one call; that of a session gives the configuration with it.
async fn make(config: &SdkConfig, call: &Value) -> Result<Option<(String, SdkConfig)>, Error> {
    let input = &call["input"];
    match call["operation"].as_str().unwrap_or_default() {
        "AssumeRole" => return assume(config, input).await.map(Some),
        "GetParameter" => {
            let ssm = aws_sdk_ssm::Client::new(config).get_parameter();
            let ssm = ssm.set_name(text(input, "Name"));
            let ssm = ssm.set_with_decryption(input["WithDecryption"].as_bool());
            ssm.send().await.map(drop)?;
        }
        "GetParameterHistory" => {
            let ssm = aws_sdk_ssm::Client::new(config).get_parameter_history();
            let ssm = ssm.set_name(text(input, "Name"));
            let ssm = ssm.set_with_decryption(input["WithDecryption"].as_bool());
            ssm.send().await.map(drop)?;
        }
        "ListPipelines" => {
            let sagemaker = aws_sdk_sagemaker::Client::new(config).list_pipelines();
            sagemaker.max_results(100).send().await.map(drop)?;
        }
        "ListPipelineExecutions" => {
            let sagemaker = aws_sdk_sagemaker::Client::new(config).list_pipeline_executions();
            let sagemaker = sagemaker.set_pipeline_name(text(input, "PipelineName"));
            sagemaker.send().await.map(drop)?;
        }
        "SendMessage" => {
            let sqs = aws_sdk_sqs::Client::new(config).send_message();
            let sqs = sqs.set_queue_url(text(input, "QueueUrl"));
            let sqs = sqs.set_message_body(text(input, "MessageBody"));
            sqs.send().await.map(drop)?;
        }
        "PutEvents" => put_events(config, input).await?,
        operation if call["service"] == "ram" => ram(config, operation, input).await?,
        operation if call["service"] == "dynamodb" => dynamodb(config, operation, input).await?,
        operation => return Err(format!("the probe does not know {operation}").into()),
    }
    Ok(None)
}

async fn assume(config: &SdkConfig, input: &Value) -> Result<(String, SdkConfig), Error> {
    let role = text(input, "RoleArn").unwrap_or_default();
    let sts = aws_sdk_sts::Client::new(config).assume_role();
    let sts = sts
        .role_arn(&role)
        .set_role_session_name(text(input, "RoleSessionName"));
    let session = sts.send().await?.credentials.ok_or("no credentials")?;
    let credentials = Credentials::new(
        session.access_key_id,
        session.secret_access_key,
        Some(session.session_token),
        None,
        "probe",
    );
    let config = config.to_builder();
    let config = config.credentials_provider(SharedCredentialsProvider::new(credentials));
    Ok((role, config.build()))
}

async fn put_events(config: &SdkConfig, input: &Value) -> Result<(), Error> {
    let entries = input["Entries"].as_array().into_iter().flatten();
    let entries = entries.map(|entry| {
        PutEventsRequestEntry::builder()
            .set_event_bus_name(text(entry, "EventBusName"))
            .set_source(text(entry, "Source"))
            .set_detail_type(text(entry, "DetailType"))
            .set_detail(text(entry, "Detail"))
            .set_resources(Some(texts(entry, "Resources")))
            .build()
    });
    let events = aws_sdk_eventbridge::Client::new(config).put_events();
    events.set_entries(Some(entries.collect())).send().await?;
    Ok(())
}

async fn ram(config: &SdkConfig, operation: &str, input: &Value) -> Result<(), Error> {
    let ram = aws_sdk_ram::Client::new(config);
    match operation {
        "GetResourceShares" => {
            let owner = text(input, "resourceOwner").unwrap_or_default();
            let shares = ram.get_resource_shares();
            let shares = shares.resource_owner(ResourceOwner::from(owner.as_str()));
            shares.send().await.map(drop)?;
        }
        "GetResourceShareAssociations" => {
            let kind = text(input, "associationType").unwrap_or_default();
            let kind = ResourceShareAssociationType::from(kind.as_str());
            let associations = ram.get_resource_share_associations();
            associations.association_type(kind).send().await.map(drop)?;
        }
        "ListResourceSharePermissions" => {
            let permissions = ram.list_resource_share_permissions();
            let permissions = permissions.set_resource_share_arn(text(input, "resourceShareArn"));
            permissions.send().await.map(drop)?;
        }
        "ListPermissionAssociations" => {
            ram.list_permission_associations().send().await.map(drop)?;
        }
        "CreateResourceShare" => create(&ram, input).await?,
        "AssociateResourceShare" => {
            let principals = texts(input, "principals");
            let resources = texts(input, "resourceArns");
            let associated = ram
                .associate_resource_share()
                .set_resource_share_arn(text(input, "resourceShareArn"))
                .set_principals((!principals.is_empty()).then_some(principals))
                .set_resource_arns((!resources.is_empty()).then_some(resources));
            associated.send().await.map(drop)?;
        }
        other => return Err(format!("the probe does not know {other}").into()),
    }
    Ok(())
}

async fn create(ram: &aws_sdk_ram::Client, input: &Value) -> Result<(), Error> {
    let tags = input["tags"].as_array().into_iter().flatten();
    let tags = tags.map(|tag| {
        let tagged = Tag::builder().set_key(text(tag, "key"));
        tagged.set_value(text(tag, "value")).build()
    });
    let principals = texts(input, "principals");
    let resources = texts(input, "resourceArns");
    let created = ram
        .create_resource_share()
        .set_name(text(input, "name"))
        .set_client_token(text(input, "clientToken"))
        .set_allow_external_principals(input["allowExternalPrincipals"].as_bool())
        .set_permission_arns(Some(texts(input, "permissionArns")))
        .set_principals((!principals.is_empty()).then_some(principals))
        .set_resource_arns((!resources.is_empty()).then_some(resources))
        .set_tags(Some(tags.collect()));
    created.send().await?;
    Ok(())
}

async fn dynamodb(config: &SdkConfig, operation: &str, input: &Value) -> Result<(), Error> {
    let dynamodb = aws_sdk_dynamodb::Client::new(config);
    let names = input["ExpressionAttributeNames"].as_object();
    let names = names.map(|names| {
        let names = names.iter();
        names
            .map(|(name, of)| (name.clone(), of.as_str().unwrap_or_default().to_owned()))
            .collect()
    });
    let values = input["ExpressionAttributeValues"].is_object();
    let values = values.then(|| attributes(&input["ExpressionAttributeValues"]));
    match operation {
        "Query" => {
            let query = dynamodb.query().set_table_name(text(input, "TableName"));
            let query = query
                .set_key_condition_expression(text(input, "KeyConditionExpression"))
                .set_consistent_read(input["ConsistentRead"].as_bool())
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
            query.send().await.map(drop)?;
        }
        "GetItem" => {
            let get = dynamodb.get_item().set_table_name(text(input, "TableName"));
            let get = get.set_key(Some(attributes(&input["Key"])));
            get.send().await.map(drop)?;
        }
        "PutItem" => {
            let put = dynamodb.put_item().set_table_name(text(input, "TableName"));
            let put = put
                .set_item(Some(attributes(&input["Item"])))
                .set_condition_expression(text(input, "ConditionExpression"))
                .set_expression_attribute_names(names)
                .set_expression_attribute_values(values);
            put.send().await.map(drop)?;
        }
        other => return Err(format!("the probe does not know {other}").into()),
    }
    Ok(())
}

fn attributes(items: &Value) -> HashMap<String, AttributeValue> {
    let items = items.as_object().into_iter().flatten();
    let attribute = |value: &Value| match (text(value, "S"), text(value, "N")) {
        (Some(text), _) => AttributeValue::S(text),
        (None, Some(number)) => AttributeValue::N(number),
        (None, None) => AttributeValue::Null(true),
    };
    items
        .map(|(name, value)| (name.clone(), attribute(value)))
        .collect()
}

fn text(input: &Value, member: &str) -> Option<String> {
    input[member].as_str().map(str::to_owned)
}

fn texts(input: &Value, member: &str) -> Vec<String> {
    let items = input[member].as_array().into_iter().flatten();
    items
        .filter_map(|it| it.as_str().map(str::to_owned))
        .collect()
}
