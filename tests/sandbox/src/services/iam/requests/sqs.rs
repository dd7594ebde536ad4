//! What calls of SQS need.

use super::{Wanted, own};
use crate::world::Call;

/// Queues are named by URLs that end with account and name.
pub(super) fn requests(call: &Call) -> Vec<Wanted> {
    let single = call.operation.strip_suffix("Batch");
    let action = format!("sqs:{}", single.unwrap_or(&call.operation));
    let url = call.text("QueueUrl").map(|url| {
        let mut parts = url.trim_end_matches('/').rsplit('/');
        let name = parts.next().unwrap_or_default();
        let account = parts.next().unwrap_or(&call.caller.account);
        format!("arn:aws:sqs:{}:{account}:{name}", call.region)
    });
    let named = || {
        call.text("QueueName")
            .map(|name| own(call, "sqs", "", name))
    };
    let source = || call.text("SourceArn").map(str::to_owned);
    let resource = url.or_else(named).or_else(source);
    let resource = resource.unwrap_or_else(|| "*".to_owned());
    vec![Wanted::new(action, resource)]
}
