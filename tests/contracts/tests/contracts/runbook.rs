//! What the page about operations says to whom an alarm calls.

use std::collections::BTreeSet;

use contracts::{fenced, headings, section};

use crate::{OPERATIONS, TRAIL, list, set, templates::HUB, text};

/// What a reader looks for under the heading of an alarm, in this order.
const PARTS: [&str; 5] = ["Meaning", "First query", "Likely cause", "Fix", "Redrive"];

/// The heading that an alarm has in the runbook: its own, or that of all functions.
fn heading(alarm: &str, headings: &BTreeSet<String>) -> String {
    if headings.contains(alarm) {
        return alarm.to_owned();
    }
    let functions = HUB.of_kind("AWS::Lambda::Function");
    let functions = functions
        .iter()
        .map(|it| text(&it["FunctionName"], "FunctionName"));
    let mut of_all = functions.filter_map(|name| {
        let kind = alarm.strip_prefix(name)?;
        Some(format!("pipeshare-FUNCTION{kind}"))
    });
    of_all.next().unwrap_or_else(|| alarm.to_owned())
}

#[test]
fn every_alarm_names_its_place_in_the_runbook() {
    let runbook = section(OPERATIONS, "Runbook");
    let places = set(headings(&runbook, 3));
    let mut named = BTreeSet::new();
    for alarm in HUB.of_kind("AWS::CloudWatch::Alarm") {
        let name = text(&alarm["AlarmName"], "AlarmName");
        let place = heading(name, &places);
        assert!(places.contains(&place), "{name}: no heading {place}");
        let description = text(&alarm["AlarmDescription"], "AlarmDescription");
        let end = format!(" Runbook: infra/operations.md, {place}.");
        assert!(description.ends_with(&end), "{name}: {description}");
        named.insert(place);
    }
    assert_eq!(named, places);
}

#[test]
fn every_place_of_the_runbook_says_what_to_do() {
    for place in headings(&section(OPERATIONS, "Runbook"), 3) {
        let items = section(OPERATIONS, &place);
        let items: Vec<&str> = items.lines().filter(|it| it.starts_with("* ")).collect();
        assert_eq!(items.len(), PARTS.len(), "{place}");
        for (item, part) in items.iter().zip(PARTS) {
            assert!(
                item.starts_with(&format!("* **{part}**: ")),
                "{place}: {item}"
            );
        }
    }
}

#[test]
fn the_saved_queries_are_those_of_the_page() {
    let of_page = |page, title| {
        let headings = headings(&section(page, title), 3).into_iter();
        headings.map(move |heading| {
            let [query] = &fenced(&section(page, &heading))[..] else {
                panic!("{heading} has one query");
            };
            let (first, rest) = heading.split_at(1);
            (
                format!("pipeshare/{}{rest}", first.to_lowercase()),
                query.clone(),
            )
        })
    };
    let of_functions = set(of_page(OPERATIONS, "Saved queries"));
    let of_trail = set(of_page(TRAIL, "Queries"));
    let groups = HUB.of_kind("AWS::Logs::LogGroup");
    let groups = groups
        .iter()
        .map(|it| text(&it["LogGroupName"], "LogGroupName").to_owned());
    let (functions, trail): (BTreeSet<_>, BTreeSet<_>) =
        groups.partition(|name| name.starts_with("/aws/lambda/"));
    let saved = HUB.of_kind("AWS::Logs::QueryDefinition");
    let saved = saved.iter().map(|query| {
        let searched = list(&query["LogGroupNames"]).into_iter();
        let searched = set(searched.map(|it| text(it, "LogGroupNames").to_owned()));
        let name = text(&query["Name"], "Name").to_owned();
        let query = text(&query["QueryString"], "QueryString");
        let query = (name.clone(), query.trim_end().to_owned());
        let is_of_trail = of_trail.contains(&query);
        let groups = if is_of_trail { &trail } else { &functions };
        assert_eq!(&searched, groups, "{name}");
        query
    });
    let shown = of_functions.union(&of_trail).cloned();
    assert_eq!(set(shown), set(saved));
}
