//! What calls of EventBridge need.

use serde_json::Value;

use super::{Wanted, action, own};
use crate::world::Call;

/// Events are put entry by entry; rules are known by their bus and name.
pub(super) fn requests(call: &Call) -> Vec<Wanted> {
    if call.operation == "PutEvents" {
        let entries = call.input["Entries"].as_array();
        return entries
            .into_iter()
            .flatten()
            .map(|entry| put_event(call, entry))
            .collect();
    }
    let bus = call.text("EventBusName").unwrap_or("default");
    let rule = call.text("Rule").or(call.text("Name"));
    let resource = match (rule, call.operation.as_str()) {
        (_, "ListRules" | "ListEventBuses" | "TestEventPattern" | "ListRuleNamesByTarget") => {
            "*".to_owned()
        }
        (Some(bus), operation) if operation.ends_with("EventBus") => {
            own(call, "events", "event-bus/", bus)
        }
        (Some(rule), _) if bus == "default" => own(call, "events", "rule/", rule),
        (Some(rule), _) => {
            let bus = bus.rsplit('/').next().unwrap_or_default();
            own(call, "events", "rule/", &format!("{bus}/{rule}"))
        }
        (None, _) => match call.text("ResourceARN") {
            Some(arn) => arn.to_owned(),
            None => own(call, "events", "event-bus/", bus),
        },
    };
    vec![Wanted::new(action(call), resource)]
}

fn put_event(call: &Call, entry: &Value) -> Wanted {
    let bus = entry["EventBusName"].as_str().unwrap_or("default");
    let mut wanted = Wanted::new(action(call), own(call, "events", "event-bus/", bus));
    for (key, member) in [
        ("events:source", "Source"),
        ("events:detail-type", "DetailType"),
    ] {
        if let Some(value) = entry[member].as_str() {
            wanted = wanted.with(key, value);
        }
    }
    wanted
}
