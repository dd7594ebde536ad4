//! The log groups of functions, into which Lambda writes what they log.

use jiff::Timestamp;

use super::groups;
use crate::{services::key::ResourceKey, world::World};

/// What the names of such groups begin with.
const PREFIX: &str = "/aws/lambda/";

/// How many lines such a group keeps.
const MOST_LINES: usize = 2_000;

/// Writes what a function logged in an invocation that began then; without a group, nothing is kept.
pub(in crate::services) fn write_function(
    world: &mut World,
    function: &ResourceKey,
    began: Timestamp,
    lines: &[String],
) {
    let key = ResourceKey {
        name: format!("{PREFIX}{}", function.name),
        ..function.clone()
    };
    for line in lines {
        groups::write(world, &key, Some(began), line.clone());
    }
    groups::cut(world, &key, MOST_LINES);
}

/// The stream that a line of a group is in.
///
/// Source: Lambda developer guide, "Sending Lambda function logs to CloudWatch Logs": a
/// stream has a date, the version of the function and the instance in its name. Here one
/// stands for all instances.
pub(super) fn stream(group: &ResourceKey, at: Timestamp) -> String {
    if group.name.starts_with(PREFIX) {
        let instance = "0".repeat(32);
        format!("{}/[$LATEST]{instance}", at.strftime("%Y/%m/%d"))
    } else {
        groups::STREAM.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::services::logs;

    const ACCOUNT: &str = "111111111111";
    const REGION: &str = "eu-west-1";
    const GROUP: &str = "/aws/lambda/reader";

    fn world() -> World {
        let mut world = World::new("2026-01-05T23:59:00Z".parse().unwrap());
        logs::create_group(&mut world, ACCOUNT, REGION, GROUP, &json!({})).unwrap();
        world
    }

    fn ask(world: &mut World, operation: &str, input: serde_json::Value) -> serde_json::Value {
        let call = crate::Call::by_administrator(ACCOUNT, REGION, "logs", operation, input);
        world.call(&call).unwrap()
    }

    #[test]
    fn what_a_function_logs_is_in_a_stream_of_its_day() {
        let mut world = world();
        let function = ResourceKey::new(ACCOUNT, REGION, "reader");
        for line in ["an ERROR", "a WARN"] {
            let now = world.now;
            write_function(&mut world, &function, now, &[line.to_owned()]);
            world.now += std::time::Duration::from_mins(2);
        }
        let streams = ask(
            &mut world,
            "DescribeLogStreams",
            json!({ "logGroupName": GROUP }),
        );
        let names = streams["logStreams"].as_array().unwrap().iter();
        let names: Vec<_> = names
            .map(|it| it["logStreamName"].as_str().unwrap())
            .collect();
        assert_eq!(names.len(), 2);
        assert!(names[0].starts_with("2026/01/05/[$LATEST]"), "{names:?}");
        let of_stream = json!({ "logGroupName": GROUP, "logStreamName": names[1] });
        let events = ask(&mut world, "GetLogEvents", of_stream);
        assert_eq!(events["events"][0]["message"], "a WARN");
        assert_eq!(events["events"].as_array().unwrap().len(), 1);
        let input = json!({ "logGroupName": GROUP, "filterPattern": "ERROR" });
        let found = ask(&mut world, "FilterLogEvents", input);
        assert_eq!(found["events"][0]["logStreamName"], names[0]);
        assert_eq!(found["events"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn only_the_newest_lines_are_kept_and_none_without_a_group() {
        let mut world = world();
        let now = world.now;
        let lines: Vec<String> = (0..MOST_LINES + 5)
            .map(|number| number.to_string())
            .collect();
        let function = ResourceKey::new(ACCOUNT, REGION, "reader");
        write_function(&mut world, &function, now, &lines);
        let kept = logs::lines(&world, ACCOUNT, REGION, GROUP);
        assert_eq!((kept.len(), kept[0].as_str()), (MOST_LINES, "5"));
        let other = ResourceKey::new(ACCOUNT, REGION, "other");
        write_function(&mut world, &other, now, &lines);
        assert!(logs::lines(&world, ACCOUNT, REGION, "/aws/lambda/other").is_empty());
    }
}
