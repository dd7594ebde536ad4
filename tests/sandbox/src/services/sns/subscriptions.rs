//! Subscriptions: who gets the messages of a topic, and which of them.

use serde_json::{Value, json};

use super::{
    account_of, authorized_topic,
    filter::{self, Scope},
    invalid, required, topic, topic_mut,
};
use crate::{
    services::events::pattern::Pattern,
    world::{ApiError, Call, World},
};

/// Somebody who gets the messages of a topic.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub(super) struct Subscription {
    pub(super) arn: String,
    pub(super) protocol: String,
    pub(super) endpoint: String,
    pub(super) raw: bool,
    /// The filter policy as it was given.
    policy: Option<String>,
    #[serde(skip)]
    pattern: Option<Pattern>,
    scope: Scope,
}

impl Subscription {
    /// Reads its filter policy again, of which only the text is kept.
    pub(super) fn restore(&mut self) {
        if let Ok(read) = self.clone().read_policy() {
            *self = read;
        }
    }

    /// Whether a message is for it.
    pub(super) fn takes(&self, message: &str, attributes: &Value) -> bool {
        let pattern = self.pattern.as_ref();
        pattern.is_none_or(|policy| filter::passes(policy, self.scope, message, attributes))
    }

    /// Sets an attribute. Texts are what the API has; templates write other types, too.
    fn set(&mut self, name: &str, value: &Value) -> Result<(), ApiError> {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned);
        match name {
            "RawMessageDelivery" => {
                self.raw = text
                    .parse()
                    .map_err(|_| invalid("Attributes Reason: RawMessageDelivery: Invalid value"))?;
            }
            "FilterPolicyScope" => self.scope = Scope::read(&text)?,
            "FilterPolicy" => self.policy = Some(text).filter(|text| !text.is_empty()),
            "DeliveryPolicy" | "RedrivePolicy" | "ReplayPolicy" | "SubscriptionRoleArn" => {
                let message = format!("{name} of a subscription is not implemented in the sandbox");
                return Err(ApiError::with_status(501, "NotImplemented", message));
            }
            _ => return Err(invalid("AttributeName")),
        }
        Ok(())
    }

    /// Reads the filter policy once all that it depends on is known.
    fn read_policy(mut self) -> Result<Self, ApiError> {
        let policy = self.policy.as_deref().unwrap_or_default();
        self.pattern = filter::read(policy, self.scope)?;
        Ok(self)
    }

    fn shown(&self) -> Value {
        let topic_arn = topic_of(&self.arn);
        json!({
            "SubscriptionArn": self.arn,
            "Owner": account_of(topic_arn),
            "Protocol": self.protocol,
            "Endpoint": self.endpoint,
            "TopicArn": topic_arn,
        })
    }
}

/// Subscribes, and returns the ARN of the subscription.
pub(super) fn add(world: &mut World, call: &Call, attributes: &Value) -> Result<String, ApiError> {
    let topic_arn = authorized_topic(world, call)?;
    let protocol = required(&call.input, "Protocol")?.to_owned();
    let endpoint = required(&call.input, "Endpoint")?.to_owned();
    let id = world.uuid(&format!("subscription {topic_arn} {endpoint}"));
    let mut subscription = Subscription {
        arn: format!("{topic_arn}:{id}"),
        protocol,
        endpoint,
        raw: false,
        policy: None,
        pattern: None,
        scope: Scope::MessageAttributes,
    };
    for (name, value) in attributes.as_object().into_iter().flatten() {
        subscription.set(name, value)?;
    }
    let subscription = subscription.read_policy()?;
    let topic = topic_mut(world, &topic_arn)?;
    let same = |own: &&Subscription| {
        own.protocol == subscription.protocol && own.endpoint == subscription.endpoint
    };
    if let Some(existing) = topic.subscriptions.iter().find(same) {
        return Ok(existing.arn.clone());
    }
    let arn = subscription.arn.clone();
    topic.subscriptions.push(subscription);
    Ok(arn)
}

pub(super) fn list_by_topic(world: &World, call: &Call) -> Result<Value, ApiError> {
    let topic_arn = required(&call.input, "TopicArn")?;
    let subscriptions = topic(world, topic_arn)?.subscriptions.iter();
    let subscriptions: Vec<Value> = subscriptions.map(Subscription::shown).collect();
    Ok(json!({ "Subscriptions": subscriptions }))
}

/// The subscriptions to the caller's topics.
pub(super) fn list(world: &World, call: &Call) -> Value {
    let own = format!("arn:aws:sns:{}:{}:", call.region, call.caller.account);
    let topics = world.sns.topics.iter();
    let subscriptions: Vec<Value> = topics
        .filter(|(arn, _)| arn.starts_with(&own))
        .flat_map(|(_, topic)| topic.subscriptions.iter().map(Subscription::shown))
        .collect();
    json!({ "Subscriptions": subscriptions })
}

pub(super) fn get_attributes(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let subscription = find(world, call)?;
    let mut attributes = subscription.shown();
    attributes["RawMessageDelivery"] = subscription.raw.to_string().into();
    attributes["PendingConfirmation"] = "false".into();
    attributes["ConfirmationWasAuthenticated"] = "true".into();
    if let Some(policy) = &subscription.policy {
        attributes["FilterPolicy"] = policy.as_str().into();
        let scope = match subscription.scope {
            Scope::MessageAttributes => "MessageAttributes",
            Scope::MessageBody => "MessageBody",
        };
        attributes["FilterPolicyScope"] = scope.into();
    }
    Ok(json!({ "Attributes": attributes }))
}

pub(super) fn set_attribute(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let subscription = find(world, call)?;
    let name = required(&call.input, "AttributeName")?;
    let value = call.text("AttributeValue").unwrap_or_default();
    let mut changed = subscription.clone();
    changed.set(name, &value.into())?;
    *subscription = changed.read_policy()?;
    Ok(json!({}))
}

pub(super) fn remove(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let arn = required(&call.input, "SubscriptionArn")?;
    for topic in world.sns.topics.values_mut() {
        topic
            .subscriptions
            .retain(|subscription| subscription.arn != arn);
    }
    Ok(json!({}))
}

/// A subscription to a topic of the caller's.
fn find<'w>(world: &'w mut World, call: &Call) -> Result<&'w mut Subscription, ApiError> {
    let arn = required(&call.input, "SubscriptionArn")?;
    let topic_arn = topic_of(arn);
    let missing = || ApiError::with_status(404, "NotFound", "Subscription does not exist");
    if account_of(topic_arn) != call.caller.account {
        return Err(missing());
    }
    let topic = topic_mut(world, topic_arn).map_err(|_| missing())?;
    let mut subscriptions = topic.subscriptions.iter_mut();
    subscriptions
        .find(|subscription| subscription.arn == arn)
        .ok_or_else(missing)
}

/// The ARN of a subscription is that of its topic, and an id.
fn topic_of(subscription: &str) -> &str {
    subscription
        .rsplit_once(':')
        .map_or(subscription, |(topic, _)| topic)
}
