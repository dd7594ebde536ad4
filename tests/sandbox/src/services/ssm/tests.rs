use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::*;
use crate::{
    services::{events, sqs},
    world::Caller,
};

const NAME: &str = "/team/policy";
const ARN: &str = "arn:aws:ssm:eu-west-1:111111111111:parameter/team/policy";

fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    let request = Call {
        caller: Caller::administrator("111111111111"),
        region: "eu-west-1".to_owned(),
        service: "ssm".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    call(world, &request)
}

fn refused(world: &mut World, operation: &str, input: Value) -> String {
    ask(world, operation, input).unwrap_err().code
}

fn put(world: &mut World, value: &str) {
    let input = json!({
        "Name": NAME, "Value": value, "Type": "String", "Tier": "Advanced", "Overwrite": true,
    });
    ask(world, "PutParameter", input).unwrap();
}

fn get(world: &mut World, name: &str) -> Result<Value, String> {
    let answer = ask(world, "GetParameter", json!({ "Name": name }));
    answer
        .map(|answer| answer["Parameter"].clone())
        .map_err(|error| error.code)
}

fn with_two_versions() -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    put(&mut world, "one");
    put(&mut world, "two");
    world
}

fn move_label(world: &mut World, version: u64) -> Value {
    let input = json!({ "Name": NAME, "ParameterVersion": version, "Labels": ["in-force"] });
    ask(world, "LabelParameterVersion", input).unwrap()
}

#[test]
fn a_parameter_is_read_by_name_version_label_and_arn() {
    let mut world = with_two_versions();
    move_label(&mut world, 1);
    for (name, value, version) in [
        (NAME.to_owned(), "two", 2),
        (format!("{NAME}:1"), "one", 1),
        (format!("{NAME}:in-force"), "one", 1),
        (ARN.to_owned(), "two", 2),
        (format!("{ARN}:in-force"), "one", 1),
    ] {
        let parameter = get(&mut world, &name).unwrap();
        assert_eq!(parameter["Value"], value, "{name}");
        assert_eq!(parameter["Version"], version, "{name}");
        assert_eq!(parameter["Name"], NAME);
        assert_eq!(parameter["ARN"], ARN);
    }
    let parameter = get(&mut world, &format!("{NAME}:in-force")).unwrap();
    assert_eq!(parameter["Selector"], ":in-force");
}

#[test]
fn what_is_missing_is_told_apart() {
    let mut world = with_two_versions();
    assert_eq!(
        get(&mut world, "/other"),
        Err("ParameterNotFound".to_owned())
    );
    assert_eq!(
        get(&mut world, "/other:in-force"),
        Err("ParameterNotFound".to_owned())
    );
    let foreign = ARN.replace("111111111111", "222222222222");
    assert_eq!(
        get(&mut world, &foreign),
        Err("ParameterNotFound".to_owned())
    );
    for selector in ["3", "in-force"] {
        let code = get(&mut world, &format!("{NAME}:{selector}"));
        assert_eq!(code, Err("ParameterVersionNotFound".to_owned()));
    }
}

#[test]
fn a_label_moves_to_the_version_that_gets_it() {
    let mut world = with_two_versions();
    move_label(&mut world, 1);
    let answer = move_label(&mut world, 2);
    assert_eq!(
        answer,
        json!({ "InvalidLabels": [], "ParameterVersion": 2 })
    );
    assert_eq!(
        get(&mut world, &format!("{NAME}:in-force")).unwrap()["Value"],
        "two"
    );

    let history = ask(&mut world, "GetParameterHistory", json!({ "Name": NAME })).unwrap();
    assert_eq!(history["Parameters"][0]["Labels"], json!([]));
    assert_eq!(history["Parameters"][1]["Labels"], json!(["in-force"]));
}

#[test]
fn a_label_goes_to_the_newest_version_unless_one_is_named() {
    let mut world = with_two_versions();
    let input = json!({ "Name": NAME, "Labels": ["x"] });
    let answer = ask(&mut world, "LabelParameterVersion", input).unwrap();
    assert_eq!(answer["ParameterVersion"], 2);
    let input = json!({ "Name": NAME, "ParameterVersion": 9, "Labels": ["x"] });
    let code = refused(&mut world, "LabelParameterVersion", input);
    assert_eq!(code, "ParameterVersionNotFound");
    let input = json!({ "Name": "/other", "Labels": ["x"] });
    assert_eq!(
        refused(&mut world, "LabelParameterVersion", input),
        "ParameterNotFound"
    );
}

#[test]
fn labels_that_cannot_be_are_named() {
    let mut world = with_two_versions();
    let labels = ["good", "1st", "aws-x", "SSM", "with space", ""];
    let input = json!({ "Name": NAME, "Labels": labels });
    let answer = ask(&mut world, "LabelParameterVersion", input).unwrap();
    assert_eq!(answer["InvalidLabels"], json!(labels[1..]));
    assert!(get(&mut world, &format!("{NAME}:good")).is_ok());
}

#[test]
fn a_version_has_ten_labels_at_most() {
    let mut world = with_two_versions();
    let labels: Vec<String> = (0..10).map(|n| format!("l{n}")).collect();
    let input = json!({ "Name": NAME, "Labels": labels });
    ask(&mut world, "LabelParameterVersion", input.clone()).unwrap();
    ask(&mut world, "LabelParameterVersion", input).unwrap();
    let input = json!({ "Name": NAME, "Labels": ["eleventh"] });
    let code = refused(&mut world, "LabelParameterVersion", input);
    assert_eq!(code, "ParameterVersionLabelLimitExceeded");
}

#[test]
fn the_hundred_and_first_version_drops_the_oldest_unless_it_has_a_label() {
    let mut world = with_two_versions();
    for _ in 2..101 {
        put(&mut world, "more");
    }
    let code = get(&mut world, &format!("{NAME}:1"));
    assert_eq!(code, Err("ParameterVersionNotFound".to_owned()));
    move_label(&mut world, 2);
    let input = json!({ "Name": NAME, "Value": "x", "Overwrite": true });
    let code = refused(&mut world, "PutParameter", input);
    assert_eq!(code, "ParameterMaxVersionLimitExceeded");
}

#[test]
fn a_parameter_is_not_overwritten_by_accident() {
    let mut world = with_two_versions();
    let input = json!({ "Name": NAME, "Value": "x", "Type": "String" });
    assert_eq!(
        refused(&mut world, "PutParameter", input),
        "ParameterAlreadyExists"
    );
    assert_eq!(get(&mut world, NAME).unwrap()["Value"], "two");
}

#[test]
fn the_tier_limits_the_size() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let mut put = |name: &str, tier: Option<&str>, size: usize| {
        let mut input = json!({ "Name": name, "Value": "x".repeat(size), "Type": "String" });
        input["Overwrite"] = json!(true);
        if let Some(tier) = tier {
            input["Tier"] = json!(tier);
        }
        let answer = ask(&mut world, "PutParameter", input);
        answer
            .map(|answer| answer["Tier"].as_str().unwrap().to_owned())
            .ok()
    };
    assert_eq!(put("/s", None, 4096).as_deref(), Some("Standard"));
    assert_eq!(put("/s", None, 4097), None);
    assert_eq!(
        put("/s", Some("Advanced"), 8192).as_deref(),
        Some("Advanced")
    );
    assert_eq!(put("/s", Some("Advanced"), 8193), None);
    assert_eq!(put("/s", None, 8192).as_deref(), Some("Advanced"));
    assert_eq!(put("/s", Some("Standard"), 10), None);
    assert_eq!(
        put("/i", Some("Intelligent-Tiering"), 10).as_deref(),
        Some("Standard")
    );
    assert_eq!(
        put("/i", Some("Intelligent-Tiering"), 5000).as_deref(),
        Some("Advanced")
    );
}

#[test]
fn names_that_parameter_store_refuses_are_refused() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    for name in ["/aws/x", "ssm-x", "a/b", "/a b", "/"] {
        let input = json!({ "Name": name, "Value": "x", "Type": "String" });
        let code = refused(&mut world, "PutParameter", input);
        assert_eq!(code, "ValidationException", "{name}");
    }
    let input = json!({ "Name": "/x", "Value": "x" });
    assert_eq!(
        refused(&mut world, "PutParameter", input),
        "ValidationException"
    );
}

#[test]
fn a_hierarchy_has_fifteen_levels_at_most() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let put =
        |levels: usize| json!({ "Name": "/a".repeat(levels), "Value": "v", "Type": "String" });
    ask(&mut world, "PutParameter", put(15)).unwrap();
    assert_eq!(
        refused(&mut world, "PutParameter", put(16)),
        "HierarchyLevelLimitExceededException"
    );
}

#[test]
fn a_value_refers_to_no_other_parameter() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let put =
        |value: &str| json!({ "Name": NAME, "Value": value, "Type": "String", "Overwrite": true });
    for value in ["{{}}", "{{ssm:other}}", "a {{ b }} c", "{\n{{x}}}", ""] {
        let code = refused(&mut world, "PutParameter", put(value));
        assert_eq!(code, "ValidationException", "{value}");
    }
    for value in ["{{", "}} {{", "{ {a} }", "{\"a\":{\"b\":1}}"] {
        ask(&mut world, "PutParameter", put(value)).unwrap();
    }
}

#[test]
fn reserved_names_are_told_apart_and_spaces_around_a_name_do_not_count() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let put = |name: &str| json!({ "Name": name, "Value": "v", "Type": "String" });
    for (name, words) in [
        ("/aws/service/mine", "aws"),
        ("AWSmine", "aws"),
        ("/SSM/mine", "ssm"),
        ("/a//b", "3 symbols .-_"),
        ("//a", "3 symbols .-_"),
        ("/a/x@example.com", "3 symbols .-_"),
    ] {
        let error = ask(&mut world, "PutParameter", put(name)).unwrap_err();
        assert_eq!(error.code, "ValidationException", "{name}");
        assert!(error.message.contains(words), "{name}: {error}");
    }
    let length = 1011 - "arn:aws:ssm:eu-west-1:111111111111:parameter/".len();
    let long = "n".repeat(length);
    ask(&mut world, "PutParameter", put(&long)).unwrap();
    let longer = put(&format!("{long}n"));
    assert_eq!(
        refused(&mut world, "PutParameter", longer),
        "ValidationException"
    );
    ask(&mut world, "PutParameter", put("  spaced ")).unwrap();
    assert_eq!(get(&mut world, "spaced").unwrap()["Value"], "v");
}

#[test]
fn a_label_is_given_at_least_once_and_counts_once() {
    let mut world = with_two_versions();
    let labels = |labels: &[&str]| json!({ "Name": NAME, "Labels": labels });
    for wrong in [vec![], vec!["l"; 11]] {
        let code = refused(&mut world, "LabelParameterVersion", labels(&wrong));
        assert_eq!(code, "ValidationException");
    }
    ask(&mut world, "LabelParameterVersion", labels(&["l"; 10])).unwrap();
    let history = ask(&mut world, "GetParameterHistory", json!({ "Name": NAME })).unwrap();
    assert_eq!(history["Parameters"][1]["Labels"], json!(["l"]));
}

#[test]
fn a_secret_is_shown_only_to_those_who_decrypt_it() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let input = json!({ "Name": "/s", "Value": "secret", "Type": "SecureString" });
    ask(&mut world, "PutParameter", input).unwrap();
    let clear = json!({ "Name": "/s", "WithDecryption": true });
    let clear = ask(&mut world, "GetParameter", clear).unwrap();
    assert_eq!(clear["Parameter"]["Value"], "secret");
    assert_ne!(get(&mut world, "/s").unwrap()["Value"], "secret");
}

/// A role of the hub account with this permission on a key, besides reading parameters.
fn reader(world: &mut World, name: &str, condition: &Value) -> Caller {
    let trust = json!({ "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
    }] });
    let properties = json!({ "AssumeRolePolicyDocument": trust, "Policies": [{ "PolicyName": "p", "PolicyDocument": { "Statement": [
        { "Effect": "Allow", "Action": "ssm:GetParameter*", "Resource": "*" },
        { "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Condition": condition },
    ] } }] });
    crate::services::iam::create_role(world, "111111111111", name, &properties).unwrap();
    Caller {
        role: Some(crate::world::AssumedRole {
            name: name.to_owned(),
            session: "s".to_owned(),
        }),
        ..Caller::administrator("111111111111")
    }
}

#[test]
fn whoever_reads_a_secret_must_be_allowed_to_use_its_key() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let account = json!({ "KeyPolicy": { "Statement": [{
        "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111111111111:root" },
        "Action": "kms:*", "Resource": "*",
    }] } });
    crate::services::kms::create_key(&mut world, "111111111111", "eu-west-1", "k", &account)
        .unwrap();
    for (name, key) in [
        ("/own", "k"),
        ("/default", "alias/aws/ssm"),
        ("/none", "unknown"),
    ] {
        let input =
            json!({ "Name": name, "Value": "secret", "Type": "SecureString", "KeyId": key });
        let made = ask(&mut world, "PutParameter", input);
        let expected = (name == "/none").then(|| "InvalidKeyId".to_owned());
        assert_eq!(made.err().map(|error| error.code), expected);
    }
    let wanted = |world: &World, caller: &Caller, name: &str, decrypt: bool| {
        let request = Call {
            caller: caller.clone(),
            region: "eu-west-1".to_owned(),
            service: "ssm".to_owned(),
            operation: "GetParameter".to_owned(),
            input: json!({ "Name": name, "WithDecryption": decrypt }),
        };
        crate::services::iam::requests::of(world, &request).unwrap()
    };
    let context = |name: &str| {
        json!({ "StringEquals": {
            "kms:ViaService": "ssm.eu-west-1.amazonaws.com",
            "kms:EncryptionContext:PARAMETER_ARN": format!("arn:aws:ssm:eu-west-1:111111111111:parameter{name}"),
        } })
    };
    for (role, allowed, name, decrypt, expected) in [
        ("reader-0", "/own", "/own", true, true),
        ("reader-1", "/other", "/own", true, false),
        ("reader-2", "/other", "/own", false, true),
        ("reader-3", "/other", "/default", true, true),
    ] {
        let caller = reader(&mut world, role, &context(allowed));
        let wanted = wanted(&world, &caller, name, decrypt);
        let permitted = wanted
            .iter()
            .all(|wanted| crate::services::iam::identity::permits(&mut world, &caller, wanted));
        assert_eq!(permitted, expected, "{name} by {allowed}, {decrypt}");
        crate::services::iam::delete_role(&mut world, "111111111111", role);
    }
}

#[test]
fn several_parameters_are_read_at_once() {
    let mut world = with_two_versions();
    let input = json!({ "Names": [NAME, "/other"] });
    let answer = ask(&mut world, "GetParameters", input).unwrap();
    assert_eq!(answer["Parameters"][0]["Value"], "two");
    assert_eq!(answer["InvalidParameters"], json!(["/other"]));

    for (path, recursive, count) in [("/team", false, 1), ("/", false, 0), ("/", true, 1)] {
        let input = json!({ "Path": path, "Recursive": recursive });
        let answer = ask(&mut world, "GetParametersByPath", input).unwrap();
        assert_eq!(
            answer["Parameters"].as_array().unwrap().len(),
            count,
            "{path}"
        );
    }
}

#[test]
fn a_history_comes_in_pages() {
    let mut world = with_two_versions();
    let input = json!({ "Name": NAME, "MaxResults": 1 });
    let first = ask(&mut world, "GetParameterHistory", input).unwrap();
    assert_eq!(first["Parameters"][0]["Value"], "one");
    let input = json!({ "Name": NAME, "MaxResults": 1, "NextToken": first["NextToken"] });
    let second = ask(&mut world, "GetParameterHistory", input).unwrap();
    assert_eq!(second["Parameters"][0]["Value"], "two");
    assert!(second.get("NextToken").is_none());
    let input = json!({ "Name": NAME, "NextToken": "bogus" });
    assert_eq!(
        refused(&mut world, "GetParameterHistory", input),
        "InvalidNextToken"
    );
}

#[test]
fn a_deleted_parameter_is_gone_with_its_versions() {
    let mut world = with_two_versions();
    ask(&mut world, "DeleteParameter", json!({ "Name": NAME })).unwrap();
    assert_eq!(get(&mut world, NAME), Err("ParameterNotFound".to_owned()));
    let code = refused(&mut world, "DeleteParameter", json!({ "Name": NAME }));
    assert_eq!(code, "ParameterNotFound");
    put(&mut world, "again");
    assert_eq!(get(&mut world, NAME).unwrap()["Version"], 1);
}

#[test]
fn parameters_of_another_region_are_not_seen() {
    let mut world = with_two_versions();
    create_parameter(
        &mut world,
        "111111111111",
        "us-east-1",
        "/far",
        &json!({
            "Type": "String", "Value": "x",
        }),
    )
    .unwrap();
    let answer = ask(&mut world, "DescribeParameters", json!({})).unwrap();
    assert_eq!(answer["Parameters"].as_array().unwrap().len(), 1);
    assert_eq!(answer["Parameters"][0]["Name"], NAME);
    assert!(answer["Parameters"][0].get("Value").is_none());
}

#[test]
fn every_change_is_told_to_the_default_bus() {
    const QUEUE: &str = "arn:aws:sqs:eu-west-1:111111111111:changes";
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    sqs::create_queue(
        &mut world,
        "111111111111",
        "eu-west-1",
        "changes",
        &json!({}),
    )
    .unwrap();
    let policy = json!({ "Statement": {
        "Effect": "Allow",
        "Principal": { "Service": "events.amazonaws.com" },
        "Action": "sqs:SendMessage",
        "Resource": QUEUE,
    }});
    sqs::set_policy(&mut world, QUEUE, &policy).unwrap();
    let rule = json!({
        "EventPattern": { "source": ["aws.ssm"] },
        "Targets": [{ "Id": "queue", "Arn": QUEUE }],
    });
    events::create_rule(&mut world, "111111111111", "eu-west-1", "changes", &rule).unwrap();

    put(&mut world, "one");
    put(&mut world, "two");
    move_label(&mut world, 1);
    ask(&mut world, "DeleteParameter", json!({ "Name": NAME })).unwrap();
    // Longer than EventBridge takes to deliver.
    world.now += Duration::from_mins(1);
    world.run_due();
    let told: Vec<Value> = sqs::messages(&world, QUEUE)
        .iter()
        .map(|message| serde_json::from_str(&message.body).unwrap())
        .collect();
    let operations: Vec<&Value> = told
        .iter()
        .map(|event| &event["detail"]["operation"])
        .collect();
    assert_eq!(
        operations,
        ["Create", "Update", "LabelParameterVersion", "Delete"]
    );
    assert_eq!(told[0]["detail-type"], "Parameter Store Change");
    assert_eq!(told[0]["resources"], json!([ARN]));
    assert_eq!(told[0]["detail"]["name"], NAME);
    assert_eq!(told[0]["detail"]["type"], "String");
}

#[test]
fn a_label_is_taken_from_its_version() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    put(&mut world, "1");
    let labels = json!({ "Name": NAME, "ParameterVersion": 1, "Labels": ["a", "b"] });
    ask(&mut world, "LabelParameterVersion", labels).unwrap();
    let input = json!({ "Name": NAME, "ParameterVersion": 1, "Labels": ["a", "c"] });
    let answer = ask(&mut world, "UnlabelParameterVersion", input.clone()).unwrap();
    assert_eq!(
        answer,
        json!({ "RemovedLabels": ["a"], "InvalidLabels": ["c"] })
    );
    let history = ask(&mut world, "GetParameterHistory", json!({ "Name": NAME })).unwrap();
    assert_eq!(history["Parameters"][0]["Labels"], json!(["b"]));
    let missing = json!({ "Name": NAME, "ParameterVersion": 2, "Labels": ["b"] });
    let code = refused(&mut world, "UnlabelParameterVersion", missing);
    assert_eq!(code, "ParameterVersionNotFound");
}

#[test]
fn several_parameters_are_deleted_at_once() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    put(&mut world, "1");
    let input = json!({ "Names": [NAME, "/none"] });
    let answer = ask(&mut world, "DeleteParameters", input).unwrap();
    let expected = json!({ "DeletedParameters": [NAME], "InvalidParameters": ["/none"] });
    assert_eq!(answer, expected);
    assert!(get(&mut world, NAME).is_err());
}

#[test]
fn parameters_have_tags() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    put(&mut world, "1");
    let id = json!({ "ResourceType": "Parameter", "ResourceId": NAME });
    let with = |member: &str, value: Value| {
        let mut input = id.clone();
        input[member] = value;
        input
    };
    let tags = json!([{ "Key": "a", "Value": "1" }, { "Key": "b", "Value": "2" }]);
    ask(&mut world, "AddTagsToResource", with("Tags", tags)).unwrap();
    let keys = with("TagKeys", json!(["a"]));
    ask(&mut world, "RemoveTagsFromResource", keys).unwrap();
    let answer = ask(&mut world, "ListTagsForResource", id.clone()).unwrap();
    assert_eq!(answer["TagList"], json!([{ "Key": "b", "Value": "2" }]));
    let code = refused(
        &mut world,
        "ListTagsForResource",
        with("ResourceId", json!("/none")),
    );
    assert_eq!(code, "InvalidResourceId");
    let code = refused(
        &mut world,
        "ListTagsForResource",
        with("ResourceType", json!("Pipeline")),
    );
    assert_eq!(code, "InvalidResourceType");
}
