//! The templates of `infra/` hold together, and say what their documents and the functions say.

#![expect(
    clippy::unwrap_used,
    reason = "a template that cannot be read fails the test, wherever that is noticed"
)]

#[path = "infra/estate.rs"]
mod estate;
#[path = "infra/markdown.rs"]
mod markdown;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use estate::{CONSUMER, HUB, HUB_ACCOUNT, ORGANIZATION, OWNER, Template};
use markdown::{Row, codes, table};
use regex_lite::Regex;
use serde_json::Value;

const README: &str = include_str!("../../../infra/README.md");

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
        alarms.iter().any(|alarm| {
            alarm["MetricName"] == metric
                && list(&alarm["Dimensions"])
                    .iter()
                    .any(|d| d["Value"] == value)
        })
    };
    for function in HUB.of_kind("AWS::Lambda::Function") {
        let name = text(&function["FunctionName"], "FunctionName");
        for metric in ["Errors", "Throttles", "AccountFailed"] {
            assert!(watched(metric, name), "{metric} of {name}");
        }
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
        "Value": "version: 1\n",
    });
    assert_eq!(parameter(&[]), Some(expected.clone()));
    let others = [
        ("AccountIds", "111111111111"),
        ("Architecture", "x86_64"),
        ("LogLevel", "DEBUG"),
        ("SweepRate", "rate(1 hour)"),
    ];
    assert_eq!(parameter(&others), Some(expected));
    assert_eq!(parameter(&[("CreatePolicyParameter", "false")]), None);
}

#[test]
fn roles_are_bounded_if_a_boundary_is_given_and_trust_the_organization_if_one_is() {
    let boundary = "arn:aws:iam::111111111111:policy/boundary";
    for template in [&HUB, &OWNER, &CONSUMER] {
        let bounded = template.declared_with(&[("PermissionsBoundary", boundary)]);
        for role in bounded
            .unwrap()
            .iter()
            .filter(|r| r.kind == "AWS::IAM::Role")
        {
            let found = &role.properties["PermissionsBoundary"];
            assert_eq!(*found, boundary, "{}", role.logical_id);
        }
        for role in template.of_kind("AWS::IAM::Role") {
            assert!(
                role.get("PermissionsBoundary").is_none(),
                "{}",
                role["RoleName"]
            );
        }
    }
    for template in [&OWNER, &CONSUMER] {
        for organization in ["", "o-example1234"] {
            let declared = template.declared_with(&[("OrganizationId", organization)]);
            for role in declared
                .unwrap()
                .iter()
                .filter(|r| r.kind == "AWS::IAM::Role")
            {
                let statement = &role.properties["AssumeRolePolicyDocument"]["Statement"][0];
                if statement["Principal"].get("AWS").is_none() {
                    continue;
                }
                let condition = &statement["Condition"];
                assert!(condition["ArnEquals"]["aws:PrincipalArn"].is_array());
                let trusted = condition["StringEquals"]["aws:PrincipalOrgID"].as_str();
                assert_eq!(trusted.unwrap_or_default(), organization);
            }
        }
    }
}

/// The statements of roles and managed policies, by the name of role or policy.
fn statements(template: &Template) -> Vec<(String, Value)> {
    let roles = template.of_kind("AWS::IAM::Role").into_iter();
    let roles = roles.flat_map(|role| {
        let name = text(&role["RoleName"], "RoleName").to_owned();
        let policies = list(&role["Policies"])
            .into_iter()
            .cloned()
            .collect::<Vec<_>>();
        policies
            .into_iter()
            .map(move |p| (name.clone(), p["PolicyDocument"].clone()))
    });
    let managed = template.of_kind("AWS::IAM::ManagedPolicy").into_iter();
    let managed = managed.map(|policy| {
        let name = text(&policy["ManagedPolicyName"], "ManagedPolicyName").to_owned();
        (name, policy["PolicyDocument"].clone())
    });
    roles
        .chain(managed)
        .flat_map(|(name, document)| {
            let statements: Vec<Value> =
                list(&document["Statement"]).into_iter().cloned().collect();
            statements
                .into_iter()
                .map(move |statement| (name.clone(), statement))
        })
        .collect()
}

#[test]
fn no_statement_has_a_wildcard_in_its_actions_or_leaves_a_bare_star_unexplained() {
    for template in [&HUB, &OWNER, &CONSUMER] {
        for (name, statement) in statements(template) {
            for action in list(&statement["Action"]) {
                assert!(!text(action, "Action").contains('*'), "{name}: {action}");
            }
        }
        let lines: Vec<&str> = template.text.lines().collect();
        let stars = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| line.contains("Resource: \"*\""));
        for (number, _) in stars {
            let statement = lines[..number].iter().rev();
            let statement = statement.take_while(|line| !line.contains("- Sid:"));
            // The policy of the key explains it once for both statements.
            let explained = statement.into_iter().any(|line| line.contains('#'));
            assert!(explained, "{}:{}", template.file, number + 1);
        }
    }
}

/// A resource as the README writes it.
fn short(arn: &str, account: &str) -> String {
    let Some([_, _, service, _, owner, resource]) = arn
        .splitn(6, ':')
        .collect::<Vec<_>>()
        .try_into()
        .ok()
        .map(|parts: [&str; 6]| parts)
    else {
        return arn.to_owned();
    };
    let resource = match service {
        "kms" => "key/KEY".to_owned(),
        _ => resource.replace("eu-west-1", "REGION"),
    };
    match owner {
        _ if owner == account => resource,
        HUB_ACCOUNT => format!("HUB:{resource}"),
        // AWS's own, of which the README writes a star like for any other.
        _ => format!("*:{resource}"),
    }
}

type Permissions = BTreeMap<(String, String), BTreeSet<String>>;

fn permissions(template: &Template) -> Permissions {
    let mut permissions = Permissions::new();
    for (name, statement) in statements(template) {
        for action in list(&statement["Action"]) {
            let key = (
                name.replace("eu-west-1", "REGION"),
                text(action, "Action").to_owned(),
            );
            let resources = list(&statement["Resource"]).into_iter();
            let resources = resources.map(|r| short(text(r, "Resource"), template.account));
            permissions.entry(key).or_default().extend(resources);
        }
    }
    permissions
}

fn documented(rows: &[Row]) -> Permissions {
    let mut permissions = Permissions::new();
    let mut name = String::new();
    for row in rows {
        if let Some(given) = codes(&row[0]).into_iter().next() {
            name = given;
        }
        for action in codes(&row[1]) {
            let resources = permissions.entry((name.clone(), action)).or_default();
            resources.extend(codes(&row[2]));
        }
    }
    permissions
}

#[test]
fn the_readme_lists_what_roles_may_do() {
    let consumer = [
        table(README, "In a consumer account"),
        table(README, "For people in a consumer account"),
    ];
    for (template, rows) in [
        (&HUB, table(README, "In the hub")),
        (&OWNER, table(README, "In an owner account")),
        (&CONSUMER, consumer.concat()),
    ] {
        assert_eq!(
            permissions(template),
            documented(&rows),
            "{}",
            template.file
        );
    }
}

#[test]
fn the_readme_lists_parameters_with_their_defaults() {
    for (template, heading) in
        TEMPLATES
            .iter()
            .zip(["Hub", "Owner account", "Consumer account", "Organization"])
    {
        let rows = table(README, heading);
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
fn the_readme_lists_outputs() {
    let documented = table(README, "Outputs");
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
fn the_readme_lists_alarms() {
    let rows = table(README, "Alarms and metrics");
    let documented = set(rows.iter().flat_map(|row| codes(&row[0])));
    let alarms = HUB.of_kind("AWS::CloudWatch::Alarm");
    let alarms = alarms
        .iter()
        .map(|alarm| text(&alarm["AlarmName"], "AlarmName").to_owned());
    assert_eq!(set(alarms), documented);
}

/// The Rust sources of a folder, without those of tests.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let found = entries.flat_map(|entry| {
        let path = entry.unwrap().path();
        match path.extension() {
            _ if path.file_stem().is_some_and(|stem| stem == "tests") => Vec::new(),
            _ if path.is_dir() => sources(&path),
            Some(extension) if extension == "rs" => vec![path],
            _ => Vec::new(),
        }
    });
    found.collect()
}

/// The metrics that the functions count, by the folder of the crate that does.
fn counted() -> BTreeSet<(String, String)> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../functions");
    let direct = Regex::new(r#"metrics\s*\.count\(\s*"([A-Za-z]+)""#).unwrap();
    let table = Regex::new(r"(?s)fn metric\(.*?\n    \}\n").unwrap();
    let name = Regex::new("\"([A-Za-z]+)\"").unwrap();
    let mut found = BTreeSet::new();
    for path in sources(&functions) {
        let relative = path.strip_prefix(&functions).unwrap();
        let folder = relative
            .iter()
            .next()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let source = fs::read_to_string(&path).unwrap();
        let source = source.split("#[cfg(test)]").next().unwrap_or_default();
        let tables = table.find_iter(source).map(|found| found.as_str());
        let names = tables.flat_map(|text| name.captures_iter(text));
        let names = names.chain(direct.captures_iter(source));
        found.extend(names.map(|captures| (folder.clone(), captures[1].to_owned())));
    }
    found
}

#[test]
fn the_readme_lists_the_metrics_that_the_functions_count() {
    let rows = markdown::tables(README, "Alarms and metrics").remove(1);
    let documented = rows
        .iter()
        .map(|row| (codes(&row[0]).remove(0), row[1].clone()));
    let documented: BTreeMap<String, String> = documented.collect();
    let mut functions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (folder, metric) in counted() {
        functions.entry(metric).or_default().insert(folder);
    }
    let functions = functions.into_iter().map(|(metric, folders)| {
        let all = folders.contains("aws") || folders.len() == 3;
        let folder = if all {
            "all".to_owned()
        } else {
            folders.into_iter().collect::<Vec<_>>().join(", ")
        };
        (metric, folder)
    });
    assert_eq!(functions.collect::<BTreeMap<_, _>>(), documented);
}

#[test]
fn alarms_and_the_dashboard_watch_metrics_that_a_function_counts() {
    let counted = counted();
    let is_counted = |function: &str, metric: &str| {
        let folder = function.strip_prefix("pipeshare-").unwrap_or(function);
        ["aws", folder]
            .iter()
            .any(|f| counted.contains(&((*f).to_owned(), metric.to_owned())))
    };
    for alarm in HUB.of_kind("AWS::CloudWatch::Alarm") {
        if alarm["Namespace"] == "pipeshare" {
            let function = text(&alarm["Dimensions"][0]["Value"], "Value");
            let metric = text(&alarm["MetricName"], "MetricName");
            assert!(is_counted(function, metric), "{metric} of {function}");
        }
    }
    let dashboard = HUB.of_kind("AWS::CloudWatch::Dashboard").remove(0);
    let body: Value = serde_json::from_str(text(&dashboard["DashboardBody"], "body")).unwrap();
    let widgets = list(&body["widgets"]);
    assert_eq!(widgets.len(), 6);
    for metric in widgets
        .iter()
        .flat_map(|widget| list(&widget["properties"]["metrics"]))
    {
        if metric[0] == "pipeshare" {
            let (name, function) = (text(&metric[1], "metric"), text(&metric[3], "function"));
            assert!(is_counted(function, name), "{name} of {function}");
        }
    }
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
