//! SNS: topics whose messages can be read back.

mod filter;
mod publish;
mod subscriptions;
mod tags;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use self::subscriptions::Subscription;

use super::{
    arn::Arn,
    iam::policy::{Decision, Request, evaluate},
    kms,
};
use crate::{
    services::denials::without_policy,
    world::{ApiError, Call, World},
};

/// All topics by ARN, and what was published to them.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub struct State {
    /// Every message that a topic took, in order: the mailbox of the people who subscribe.
    pub published: Vec<Published>,
    topics: BTreeMap<String, Topic>,
}

/// A message that a topic took.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Published {
    /// When it was published.
    pub time: Timestamp,
    /// The topic.
    pub topic_arn: String,
    /// The id that the publisher got.
    pub message_id: String,
    /// The subject.
    pub subject: Option<String>,
    /// The message.
    pub message: String,
    /// The message attributes as `Publish` got them; null if there are none.
    pub attributes: Value,
}

#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
struct Topic {
    display_name: String,
    /// The key that encrypts it, as its owner named it.
    key: Option<String>,
    policy: Option<Value>,
    tags: BTreeMap<String, String>,
    subscriptions: Vec<Subscription>,
}

/// Reads again what is not kept: the patterns of filter policies.
pub(crate) fn restore(world: &mut World) {
    for topic in world.sns.topics.values_mut() {
        topic
            .subscriptions
            .iter_mut()
            .for_each(Subscription::restore);
    }
}

operations! {
    /// Answers an API call.
    pub fn call(world, call) {
        "CreateTopic" => create(world, call),
        "ListTopics" => Ok(list(world, call)),
        "Publish" => {
            let topic_arn = authorized_topic(world, call)?;
            publish::one(world, &topic_arn, &call.input)
        },
        "PublishBatch" => {
            let topic_arn = authorized_topic(world, call)?;
            publish::batch(world, &topic_arn, &call.input)
        },
        "Subscribe" => {
            let arn = subscriptions::add(world, call, &call.input["Attributes"])?;
            Ok(json!({ "SubscriptionArn": arn }))
        },
        "ListSubscriptions" => Ok(subscriptions::list(world, call)),
        "ListSubscriptionsByTopic" => subscriptions::list_by_topic(world, call),
        "GetSubscriptionAttributes" => subscriptions::get_attributes(world, call),
        "SetSubscriptionAttributes" => subscriptions::set_attribute(world, call),
        "TagResource" => tags::add(world, call),
        "UntagResource" => tags::remove(world, call),
        "ListTagsForResource" => tags::list(world, call),
        "GetTopicAttributes" => get_attributes(world, call),
        "SetTopicAttributes" => set_attribute(world, call),
        "Unsubscribe" => subscriptions::remove(world, call),
        "DeleteTopic" => {
            let topic_arn = required(&call.input, "TopicArn")?;
            world.sns.topics.remove(topic_arn);
            Ok(json!({}))
        },
    }
}

/// Makes a topic, as a template's `AWS::SNS::Topic` with these properties would.
pub fn create_topic(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    properties: &Value,
) -> Result<(), ApiError> {
    let arn = add_topic(world, account, region, name, &properties["DisplayName"])?;
    topic_mut(world, &arn)?.key = properties["KmsMasterKeyId"].as_str().map(str::to_owned);
    for subscription in properties["Subscription"].as_array().into_iter().flatten() {
        let mut subscription = subscription.clone();
        subscription["TopicArn"] = json!(arn);
        subscribe(world, account, region, &subscription)?;
    }
    Ok(())
}

/// Sets the policy of a topic, as a template's `AWS::SNS::TopicPolicy` would.
pub fn set_policy(world: &mut World, topic_arn: &str, policy: &Value) -> Result<(), ApiError> {
    topic_mut(world, topic_arn)?.policy = Some(policy.clone());
    Ok(())
}

/// Subscribes to a topic, as a template's `AWS::SNS::Subscription` with these properties would.
///
/// Returns the ARN of the subscription.
pub fn subscribe(
    world: &mut World,
    account: &str,
    region: &str,
    properties: &Value,
) -> Result<String, ApiError> {
    let request = Call::by_administrator(account, region, "sns", "Subscribe", properties.clone());
    let attributes: Map<String, Value> = properties
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| {
            !["TopicArn", "Protocol", "Endpoint", "Region"].contains(&name.as_str())
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    subscriptions::add(world, &request, &Value::Object(attributes))
}

/// The ARN of the customer managed key that encrypts a topic, if one does.
///
/// Whoever may publish may also use the key that AWS manages.
#[must_use]
pub fn key_of(world: &World, topic_arn: &str) -> Option<String> {
    let key = topic(world, topic_arn).ok()?.key.as_deref()?;
    let arn = Arn::parse(topic_arn)?;
    match key {
        _ if key.starts_with("arn:") => Some(key.to_owned()),
        _ if key.starts_with("alias/") => None,
        id => Some(format!(
            "arn:aws:kms:{}:{}:key/{id}",
            arn.region, arn.account
        )),
    }
}

/// Publishes on behalf of another service, for instance a rule.
pub fn deliver(
    world: &mut World,
    topic_arn: &str,
    source_arn: &str,
    message: &str,
) -> Result<(), ApiError> {
    let source = Arn::parse(source_arn).ok_or_else(|| invalid("SourceArn"))?;
    let service = format!("{}.amazonaws.com", source.service);
    let request = Request::of_service(
        &service,
        source_arn,
        source.account,
        "sns:Publish",
        topic_arn,
    );
    if !policy_allows(topic(world, topic_arn)?, &request)? {
        return Err(without_policy("sns", &service, "SNS:Publish", topic_arn));
    }
    for (key, action) in key_of(world, topic_arn)
        .iter()
        .flat_map(|key| kms::ACTIONS_OF_SENDERS.map(|action| (key, action)))
    {
        let request = Request::of_service(&service, source_arn, source.account, action, key);
        if !kms::permits(world, &request)? {
            return Err(without_policy("sns", &service, action, key));
        }
    }
    publish::one(world, topic_arn, &json!({ "Message": message })).map(drop)
}

fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = required(&call.input, "Name")?;
    let attributes = &call.input["Attributes"];
    let (account, region) = (&call.caller.account, &call.region);
    let new = tags::read(&call.input["Tags"])?;
    let arn = add_topic(world, account, region, name, &attributes["DisplayName"])?;
    tags::set_on_create(world, &arn, new)?;
    if let Some(policy) = attributes["Policy"].as_str() {
        set_policy(world, &arn, &policy_document(policy)?)?;
    }
    Ok(json!({ "TopicArn": arn }))
}

/// Adds a topic; one that exists already stays as it is.
fn add_topic(
    world: &mut World,
    account: &str,
    region: &str,
    name: &str,
    display_name: &Value,
) -> Result<String, ApiError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if !(1..=256).contains(&name.len()) || !name.chars().all(allowed) {
        return Err(invalid("Topic Name"));
    }
    let arn = format!("arn:aws:sns:{region}:{account}:{name}");
    let topic = world.sns.topics.entry(arn.clone());
    topic.or_insert_with(|| Topic {
        display_name: display_name.as_str().unwrap_or_default().to_owned(),
        ..Topic::default()
    });
    Ok(arn)
}

fn list(world: &World, call: &Call) -> Value {
    let own = format!("arn:aws:sns:{}:{}:", call.region, call.caller.account);
    let arns = world.sns.topics.keys().filter(|arn| arn.starts_with(&own));
    let topics: Vec<Value> = arns.map(|arn| json!({ "TopicArn": arn })).collect();
    json!({ "Topics": topics })
}

fn get_attributes(world: &World, call: &Call) -> Result<Value, ApiError> {
    let topic_arn = required(&call.input, "TopicArn")?;
    let topic = topic(world, topic_arn)?;
    let mut attributes = json!({
        "TopicArn": topic_arn,
        "Owner": account_of(topic_arn),
        "DisplayName": topic.display_name,
        "SubscriptionsConfirmed": topic.subscriptions.len().to_string(),
        "SubscriptionsPending": "0",
        "SubscriptionsDeleted": "0",
    });
    if let Some(policy) = &topic.policy {
        attributes["Policy"] = json!(policy.to_string());
    }
    Ok(json!({ "Attributes": attributes }))
}

fn set_attribute(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let topic_arn = required(&call.input, "TopicArn")?;
    let value = call.text("AttributeValue").unwrap_or_default();
    let topic = topic_mut(world, topic_arn)?;
    match required(&call.input, "AttributeName")? {
        "Policy" => topic.policy = Some(policy_document(value)?),
        "DisplayName" => value.clone_into(&mut topic.display_name),
        _ => return Err(ApiError::not_implemented(call)),
    }
    Ok(json!({}))
}

/// The ARN of the topic, if the caller may do this with it: its own account
/// may, others need the topic's policy.
fn authorized_topic(world: &World, call: &Call) -> Result<String, ApiError> {
    let named = call.text("TopicArn").or_else(|| call.text("TargetArn"));
    let topic_arn = named.ok_or_else(|| invalid("TopicArn or TargetArn"))?;
    let topic = topic(world, topic_arn)?;
    let action = call.operation.trim_end_matches("Batch");
    let allowed = format!("sns:{action}");
    let request = Request::of_caller(world, &call.caller, &allowed, topic_arn);
    if call.caller.account == account_of(topic_arn) || policy_allows(topic, &request)? {
        return Ok(topic_arn.to_owned());
    }
    let action = format!("SNS:{action}");
    Err(without_policy(
        "sns",
        &call.caller.arn(),
        &action,
        topic_arn,
    ))
}

fn policy_allows(topic: &Topic, request: &Request<'_>) -> Result<bool, ApiError> {
    match &topic.policy {
        Some(policy) => Ok(evaluate(policy, request)? == Decision::Allow),
        None => Ok(false),
    }
}

fn policy_document(text: &str) -> Result<Value, ApiError> {
    serde_json::from_str(text).map_err(|_| invalid("Policy Error: null"))
}

fn topic<'a>(world: &'a World, arn: &str) -> Result<&'a Topic, ApiError> {
    world.sns.topics.get(arn).ok_or_else(not_found)
}

fn topic_mut<'a>(world: &'a mut World, arn: &str) -> Result<&'a mut Topic, ApiError> {
    world.sns.topics.get_mut(arn).ok_or_else(not_found)
}

fn account_of(arn: &str) -> &str {
    Arn::parse(arn).map_or("", |arn| arn.account)
}

fn required<'a>(input: &'a Value, member: &str) -> Result<&'a str, ApiError> {
    let value = input.get(member).and_then(Value::as_str);
    value.ok_or_else(|| invalid(member))
}

fn invalid(what: &str) -> ApiError {
    ApiError::new("InvalidParameter", format!("Invalid parameter: {what}"))
}

fn not_found() -> ApiError {
    ApiError::with_status(404, "NotFound", "Topic does not exist")
}

#[cfg(test)]
mod tests;
