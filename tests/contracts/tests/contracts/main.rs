//! The templates of `infra/` hold together, and say what their documents and the functions say.

#![expect(
    clippy::unwrap_used,
    reason = "a template that cannot be read fails the test, wherever that is noticed"
)]

mod ceiling;
mod cicd;
mod examples;
mod functions;
mod insights;
mod links;
mod metrics;
mod pages;
mod reasons;
mod roles;
mod runbook;
mod services;
mod style;
mod supply;
mod templates;
mod terraform_cdk;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use contracts::{codes, table};
use templates::{CONSUMER, HUB, HUB_ACCOUNT, ORGANIZATION, OWNER, Template};

const DEPLOYMENT: &str = include_str!("../../../../infra/deployment.md");
const TRAIL: &str = include_str!("../../../../functions/trail.md");
const OPERATIONS: &str = include_str!("../../../../infra/operations.md");
const SECURITY: &str = include_str!("../../../../infra/security.md");

const TEMPLATES: [&Template; 4] = [&HUB, &OWNER, &CONSUMER, &ORGANIZATION];

fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}

fn text<'a>(value: &'a Value, what: &str) -> &'a str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{what} is {value}"))
}

/// The items of an element that may be one thing or a list of them.
fn list(value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) => items.iter().collect(),
        Value::Null => Vec::new(),
        single => vec![single],
    }
}

#[test]
fn account_templates_are_fit_for_stack_sets() {
    for template in [&OWNER, &CONSUMER] {
        assert!(!template.text.contains("Transform"), "{}", template.file);
        for resource in template.declared() {
            let plain = !["AWS::Lambda::", "AWS::CloudFormation::"]
                .iter()
                .any(|kind| resource.kind.starts_with(kind));
            assert!(plain, "{}: {}", template.file, resource.logical_id);
        }
    }
}

#[test]
fn every_target_of_a_rule_has_a_dead_letter_queue_that_lets_the_rule_in() {
    for template in [&HUB, &OWNER, &CONSUMER] {
        let queues = set(template
            .of_kind("AWS::SQS::QueuePolicy")
            .iter()
            .flat_map(|policy| {
                let statements = list(&policy["PolicyDocument"]["Statement"]);
                let resources = statements.into_iter().flat_map(|s| list(&s["Resource"]));
                resources
                    .map(|arn| text(arn, "Resource").to_owned())
                    .collect::<Vec<_>>()
            }));
        for rule in template.of_kind("AWS::Events::Rule") {
            for target in list(&rule["Targets"]) {
                let queue = text(&target["DeadLetterConfig"]["Arn"], "DeadLetterConfig");
                assert!(queues.contains(queue), "{}: {queue}", rule["Name"]);
            }
        }
    }
}

#[test]
fn every_function_and_every_queue_that_nobody_reads_has_alarms() {
    let alarms = HUB.of_kind("AWS::CloudWatch::Alarm");
    let watched = |metric: &str, value: &str| {
        let is_it = |watched: &Value| {
            let dimensions = list(&watched["Dimensions"]);
            watched["MetricName"] == metric && dimensions.iter().any(|d| d["Value"] == value)
        };
        alarms.iter().flat_map(metrics::watched).any(is_it)
    };
    for function in HUB.of_kind("AWS::Lambda::Function") {
        let name = text(&function["FunctionName"], "FunctionName");
        for metric in ["Errors", "Throttles", "AccountFailed"] {
            assert!(watched(metric, name), "{metric} of {name}");
        }
        // Whoever invokes a function directly hears of it from the answer.
        let tells = functions::queued().contains(&name.replace("pipeshare-", ""));
        assert_eq!(watched("HubFailed", name), tells, "HubFailed of {name}");
    }
    for queue in HUB.of_kind("AWS::SQS::Queue") {
        let name = text(&queue["QueueName"], "QueueName");
        let metric = match queue.get("RedrivePolicy") {
            Some(_) => "ApproximateAgeOfOldestMessage",
            None => "ApproximateNumberOfMessagesVisible",
        };
        assert!(watched(metric, name), "{metric} of {name}");
    }
    let topic = format!("arn:aws:sns:eu-west-1:{HUB_ACCOUNT}:pipeshare-hub");
    for alarm in &alarms {
        assert_eq!(alarm["AlarmActions"][0], topic, "{}", alarm["AlarmName"]);
    }
}

#[test]
fn the_hub_asks_who_may_send_events() {
    let refused = HUB.declared_with(&[("OrganizationId", "")]).unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("Give OrganizationId, AccountIds or both"),
        "{refused}"
    );
    let policies = |parameters: &[(&str, &str)]| {
        let declared = HUB.declared_with(parameters).unwrap();
        let policies = declared
            .into_iter()
            .filter(|r| r.kind == "AWS::Events::EventBusPolicy");
        policies
            .map(|r| r.properties["Statement"].clone())
            .collect::<Vec<_>>()
    };
    let organization = policies(&[]);
    assert_eq!(organization.len(), 1);
    assert!(organization[0]["Condition"]["StringEquals"]["aws:PrincipalOrgID"].is_string());

    let accounts = [
        ("OrganizationId", ""),
        ("AccountIds", "111111111111,222222222222"),
    ];
    let accounts = policies(&accounts);
    assert_eq!(accounts.len(), 1);
    assert_eq!(
        accounts[0]["Principal"]["AWS"].as_array().map(Vec::len),
        Some(2)
    );
    assert_eq!(policies(&[("AccountIds", "111111111111")]).len(), 2);
}

#[test]
fn an_upgrade_does_not_write_over_the_policy() {
    let parameter = |parameters: &[(&str, &str)]| {
        let declared = HUB.declared_with(parameters).unwrap();
        let mut found = declared
            .into_iter()
            .filter(|r| r.kind == "AWS::SSM::Parameter");
        found.next().map(|r| r.properties)
    };
    // CloudFormation writes the value again when any of these changes.
    let expected = serde_json::json!({
        "Name": "/pipeshare/policy",
        "Type": "String",
        "Tier": "Advanced",
        "Value": "# Write the sharing policy here. Until then, what was in force stays in force.\n",
    });
    assert_eq!(parameter(&[]), Some(expected.clone()));
    let others = [
        ("AccountIds", "111111111111"),
        ("Architecture", "x86_64"),
        ("LogLevel", "DEBUG"),
        ("ScheduleRate", "rate(1 hour)"),
    ];
    assert_eq!(parameter(&others), Some(expected));
    assert_eq!(parameter(&[("CreatePolicyParameter", "false")]), None);
}

#[test]
fn the_page_about_deployment_lists_parameters_with_their_defaults() {
    for (template, heading) in
        TEMPLATES
            .iter()
            .zip(["Hub", "Owner account", "Consumer account", "Organization"])
    {
        let rows = table(DEPLOYMENT, heading);
        let documented = rows.iter().map(|row| {
            let default = match row[1].as_str() {
                "required" => None,
                "empty" => Some(String::new()),
                code => Some(code.trim_matches('`').to_owned()),
            };
            (codes(&row[0]).remove(0), default)
        });
        let documented: BTreeMap<_, _> = documented.collect();
        assert_eq!(template.parameters(), documented, "{heading}");
    }
}

#[test]
fn the_page_about_deployment_lists_outputs() {
    let documented = table(DEPLOYMENT, "Outputs");
    let documented = documented
        .iter()
        .map(|row| (row[0].clone(), codes(&row[1]).remove(0)));
    let outputs = TEMPLATES.iter().flat_map(|template| {
        let folder = template.file.split('/').nth(1).unwrap_or_default();
        let names = template.section("Outputs").into_iter();
        names
            .map(|name| (folder.to_owned(), name))
            .collect::<Vec<_>>()
    });
    assert_eq!(set(outputs), set(documented));
}

#[test]
fn the_page_about_operations_lists_alarms() {
    let rows = table(OPERATIONS, "Runbook");
    let documented = set(rows.iter().flat_map(|row| codes(&row[0])));
    let alarms = HUB.of_kind("AWS::CloudWatch::Alarm");
    let alarms = alarms
        .iter()
        .map(|alarm| text(&alarm["AlarmName"], "AlarmName").to_owned());
    assert_eq!(set(alarms), documented);
}

#[test]
fn stack_sets_pass_on_parameters_that_the_account_templates_have() {
    let sets = ORGANIZATION.of_kind("AWS::CloudFormation::StackSet");
    for (set, template) in sets.iter().zip([&OWNER, &CONSUMER]) {
        let given: BTreeMap<&str, &str> = list(&set["Parameters"])
            .into_iter()
            .map(|p| {
                (
                    text(&p["ParameterKey"], "key"),
                    text(&p["ParameterValue"], "value"),
                )
            })
            .collect();
        let parameters: Vec<(&str, &str)> = given.into_iter().collect();
        let declared = template.declared_with_only(&parameters);
        assert!(declared.is_ok(), "{}: {declared:?}", set["StackSetName"]);
    }
}
