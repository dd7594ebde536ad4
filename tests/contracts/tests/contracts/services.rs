//! What services may do in the templates' names, and for whom.

use sandbox::services::iam::policy::{Decision, Request, evaluate};
use serde_json::Value;

use crate::{
    examples::{PIPELINE, TARGET},
    list,
    templates::{CONSUMER, HUB, OWNER},
    text,
};

const STRANGER: &str = "999999999999";

/// Services whose sources nobody asks for, and why that is right.
///
/// All three are trusts of roles: nobody passes a role to a service in another
/// account than the role's own, which IAM asks `iam:PassRole` for.
const NOT_ASKED: &[(&str, &str)] = &[
    (
        "lambda.amazonaws.com",
        "Lambda documents no source for the role of a function",
    ),
    (
        "codepipeline.amazonaws.com",
        "CodePipeline documents none for its service role",
    ),
    (
        "cloudformation.amazonaws.com",
        "CloudFormation documents none for the role of a stack",
    ),
];

/// The statements of a resource that let services do something, each as a policy of its own.
fn of_services(properties: &Value) -> Vec<Value> {
    // That of a resource policy of CloudWatch Logs is a text.
    let of_logs = properties["PolicyDocument"].as_str();
    let of_logs: Value = of_logs.map_or(Value::Null, |text| serde_json::from_str(text).unwrap());
    let documents = [
        &properties["AssumeRolePolicyDocument"],
        &properties["PolicyDocument"],
        &properties["KeyPolicy"],
        &of_logs,
    ];
    let statements = documents.map(|document| list(&document["Statement"]));
    let statements = statements.into_iter().flatten();
    let bus = list(&properties["Statement"]);
    let of_services = statements.chain(bus).filter(|statement| {
        statement["Effect"] == "Allow" && !statement["Principal"]["Service"].is_null()
    });
    of_services
        .map(|statement| serde_json::json!({ "Statement": [statement] }))
        .collect()
}

/// What services may do for anybody: the call that makes a stream of a log comes without a source.
const FOR_ANYBODY: &str = "logs:CreateLogStream";

#[test]
fn no_service_is_the_deputy_of_another_account() {
    let (mut asked, mut not_asked) = (0, Vec::new());
    let ours = [&HUB, &OWNER, &CONSUMER].map(|it| (it.file, it.declared()));
    let ours = ours.map(|(file, declared)| {
        let declared = declared.into_iter();
        let declared = declared.map(|it| (it.logical_id, it.properties));
        (file, declared.collect::<Vec<_>>())
    });
    let examples = [&PIPELINE, &TARGET].map(|it| (it.file, it.resources()));
    for (file, resources) in ours.into_iter().chain(examples) {
        for (logical_id, properties) in resources {
            for policy in of_services(&properties) {
                let statement = &policy["Statement"][0];
                let target = list(&statement["Resource"]);
                let target = target.first().and_then(|it| it.as_str()).unwrap_or("*");
                for service in list(&statement["Principal"]["Service"]) {
                    let service = text(service, "Service");
                    let of_service = service.trim_end_matches(".amazonaws.com");
                    // Named as the own sources may be named, but elsewhere.
                    let source = format!("arn:aws:{of_service}:eu-west-1:{STRANGER}:pipeshare-x");
                    let action = text(list(&statement["Action"])[0], "Action");
                    let request = Request::of_service(service, &source, STRANGER, action, target);
                    let allowed = evaluate(&policy, &request).unwrap() == Decision::Allow;
                    let place = format!("{file}: {logical_id}");
                    if NOT_ASKED.iter().any(|(name, _)| *name == service) {
                        assert!(allowed, "{place} asks {service} after all");
                        assert_eq!(action, "sts:AssumeRole", "{place}");
                        not_asked.push(service.to_owned());
                    } else if action == FOR_ANYBODY {
                        assert_eq!(list(&statement["Action"]).len(), 1, "{place}");
                    } else {
                        assert!(!allowed, "{place} lets {service} act for anybody");
                        asked += 1;
                    }
                }
            }
        }
    }
    assert!(asked >= 14, "{asked} statements were asked");
    for (service, why) in NOT_ASKED {
        assert!(not_asked.iter().any(|it| it == service), "{service}: {why}");
    }
}
