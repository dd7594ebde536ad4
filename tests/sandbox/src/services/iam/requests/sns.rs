//! What calls of SNS need.

use super::{Wanted, action, own};
use crate::{
    services::{kms, sns},
    world::{Call, World},
};

/// Whoever publishes to an encrypted topic must be allowed to use its key.
pub(super) fn requests(world: &World, call: &Call) -> Vec<Wanted> {
    let action = match call.operation.as_str() {
        "PublishBatch" => "sns:Publish".to_owned(),
        _ => action(call),
    };
    let arns = ["TopicArn", "TargetArn", "ResourceArn"];
    let topic = arns.iter().find_map(|member| call.text(member));
    // The ARN of a subscription is its topic's with one more part, and topics are what is asked for.
    let of_subscription = || {
        let arn = call.text("SubscriptionArn")?;
        arn.rsplit_once(':').map(|(topic, _)| topic.to_owned())
    };
    let named = || call.text("Name").map(|name| own(call, "sns", "", name));
    let resource = topic
        .map(str::to_owned)
        .or_else(of_subscription)
        .or_else(named);
    let resource = resource.unwrap_or_else(|| "*".to_owned());
    let key = match action.as_str() {
        "sns:Publish" => sns::key_of(world, &resource),
        _ => None,
    };
    let mut wanted = vec![Wanted::new(action, resource)];
    for action in kms::ACTIONS_OF_SENDERS {
        let through = format!("sns.{}.amazonaws.com", call.region);
        let key = key.iter().map(|key| Wanted::new(action, key));
        wanted.extend(key.map(|it| it.with("kms:ViaService", through.clone())));
    }
    wanted
}
