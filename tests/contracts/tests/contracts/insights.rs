//! Dashboards, and the queries of dashboards and of Logs Insights.

use std::collections::BTreeMap;

use contracts::{fenced, headings, insights::Query, section};
use serde_json::Value;

use crate::{
    list, set,
    templates::{CONSUMER, HUB, OWNER, Template},
    text,
};

const DASHBOARD: &str = include_str!("../../../../functions/consumer-dashboard.md");

/// How many columns a dashboard has.
const COLUMNS: u64 = 24;

/// What names a resource of each type in its account and Region.
const NAMES: [(&str, &str); 14] = [
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::CloudWatch::Dashboard", "DashboardName"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::Events::Rule", "Name"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::Logs::QueryDefinition", "Name"),
    ("AWS::Logs::ResourcePolicy", "PolicyName"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::SSM::Parameter", "Name"),
];

/// The widgets of the only dashboard of a template.
fn widgets(template: &Template) -> Vec<Value> {
    let [dashboard] = &template.of_kind("AWS::CloudWatch::Dashboard")[..] else {
        panic!("{} has a dashboard", template.file);
    };
    let body = text(&dashboard["DashboardBody"], "DashboardBody");
    let body: Value = serde_json::from_str(body).unwrap();
    body["widgets"].as_array().unwrap().clone()
}

/// The titles and the queries of the widgets that ask a log.
fn of_widgets(template: &Template) -> BTreeMap<String, String> {
    let widgets = widgets(template).into_iter();
    let of_logs = widgets.filter(|widget| widget["type"] == "log");
    let queries = of_logs.map(|widget| {
        let properties = &widget["properties"];
        let [title, query] = ["title", "query"].map(|it| text(&properties[it], it).to_owned());
        (title, query)
    });
    queries.collect()
}

/// The names and the queries that a template saves.
fn saved(template: &Template) -> BTreeMap<String, String> {
    let saved = template.of_kind("AWS::Logs::QueryDefinition").into_iter();
    let queries = saved.map(|query| {
        let [name, query] = ["Name", "QueryString"].map(|it| text(&query[it], it).to_owned());
        (name, query.trim_end().to_owned())
    });
    queries.collect()
}

#[test]
fn every_query_is_written_as_logs_insights_documents_it() {
    let mut asked = 0;
    for template in [&HUB, &CONSUMER] {
        for (name, query) in saved(template).into_iter().chain(of_widgets(template)) {
            let read = Query::read(&query).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert_eq!(read.mistakes(), [""; 0], "{name}");
            assert!((1..=255).contains(&name.len()), "{name}");
            assert!((1..=10_000).contains(&query.len()), "{name}");
            asked += 1;
        }
    }
    assert!(asked >= 20, "{asked} queries were read");
}

#[test]
fn the_queries_of_the_consumer_are_those_of_its_page_and_of_its_dashboard() {
    let groups = set(CONSUMER
        .of_kind("AWS::Logs::LogGroup")
        .iter()
        .map(|it| text(&it["LogGroupName"], "LogGroupName").to_owned()));
    let [group] = &groups.iter().collect::<Vec<_>>()[..] else {
        panic!("the consumer has one log group: {groups:?}");
    };
    for query in CONSUMER.of_kind("AWS::Logs::QueryDefinition") {
        let searched = list(&query["LogGroupNames"]);
        assert_eq!(searched, [group.as_str()], "{}", query["Name"]);
    }
    let saved = saved(&CONSUMER);
    let shown = headings(&section(DASHBOARD, "Queries"), 3).into_iter();
    let shown = shown.map(|heading| {
        let query = fenced(&section(DASHBOARD, &heading)).remove(0);
        (format!("pipeshare/{}", heading.to_lowercase()), query)
    });
    assert_eq!(shown.collect::<BTreeMap<_, _>>(), saved);
    let widgets = of_widgets(&CONSUMER);
    let source = format!("SOURCE '{group}' | ");
    let mut of_both = 0;
    for (title, query) in &widgets {
        let query = query.strip_prefix(&source);
        let query = query.unwrap_or_else(|| panic!("{title} asks another log"));
        let same = saved.get(&format!("pipeshare/{}", title.to_lowercase()));
        if let Some(same) = same {
            assert_eq!(query, same, "{title}");
            of_both += 1;
        }
        assert!(DASHBOARD.contains(&format!("| {title} |")), "{title}");
    }
    assert!(of_both >= 3, "the dashboard shows what is saved");
}

#[test]
fn no_widget_of_a_dashboard_lies_on_another_one() {
    for template in [&HUB, &CONSUMER] {
        let widgets = widgets(template);
        let mut taken = BTreeMap::new();
        for widget in &widgets {
            let [x, y, width, height] =
                ["x", "y", "width", "height"].map(|it| widget[it].as_u64().unwrap());
            let title = &widget["properties"]["title"];
            assert!(x + width <= COLUMNS, "{title}");
            for place in (x..x + width).flat_map(|x| (y..y + height).map(move |y| (x, y))) {
                let other = taken.insert(place, title);
                assert_eq!(other, None, "{title}");
            }
            if widget["type"] != "text" && widget["type"] != "custom" {
                assert_eq!(widget["properties"]["region"], "eu-west-1", "{title}");
            }
        }
    }
}

#[test]
fn one_account_can_have_all_stacks() {
    let mut taken: BTreeMap<(&str, String), &str> = BTreeMap::new();
    for template in [&HUB, &OWNER, &CONSUMER] {
        for resource in template.declared() {
            let property = NAMES.iter().find(|(kind, _)| *kind == resource.kind);
            let Some((kind, property)) = property else {
                continue;
            };
            let name = text(&resource.properties[*property], property).to_owned();
            let bus = resource.properties["EventBusName"].as_str();
            let name = format!("{}{name}", bus.unwrap_or_default());
            let other = taken.insert((kind, name.clone()), template.file);
            assert_eq!(other, None, "{}: {kind} {name}", template.file);
        }
    }
}
