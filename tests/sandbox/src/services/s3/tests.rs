use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::{
    http::perform,
    services::iam,
    world::{AssumedRole, Caller},
};

const ACCOUNT: &str = "111111111111";
const REGION: &str = "us-east-1";

fn world() -> World {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    for bucket in ["one", "two"] {
        let made = ask(
            &mut world,
            "CreateBucket",
            json!({ "Bucket": format!("bucket-{bucket}") }),
        );
        made.unwrap();
    }
    world
}

fn ask(world: &mut World, operation: &str, input: Value) -> Result<Value, ApiError> {
    let call = Call::by_administrator(ACCOUNT, REGION, "s3", operation, input);
    perform(world, &call)
}

fn put(world: &mut World, key: &str, body: &'static str) -> Result<Value, ApiError> {
    world.s3.bring(Bytes::from_static(body.as_bytes()));
    ask(
        world,
        "PutObject",
        json!({ "Bucket": "bucket-one", "Key": key }),
    )
}

/// Makes a call as a role that may do this.
fn as_role(
    world: &mut World,
    statements: &Value,
    operation: &str,
    input: Value,
) -> Result<Value, ApiError> {
    iam::delete_role(world, ACCOUNT, "worker");
    let properties = json!({
        "AssumeRolePolicyDocument": { "Statement": [] },
        "Policies": [{ "PolicyName": "work", "PolicyDocument": { "Statement": statements } }],
    });
    iam::create_role(world, ACCOUNT, "worker", &properties).unwrap();
    let mut call = Call::by_administrator(ACCOUNT, REGION, "s3", operation, input);
    call.caller = Caller {
        account: ACCOUNT.to_owned(),
        role: Some(AssumedRole {
            name: "worker".to_owned(),
            session: "me".to_owned(),
        }),
    };
    perform(world, &call)
}

fn allow(actions: &[&str], resources: &[&str]) -> Value {
    json!([{ "Effect": "Allow", "Action": actions, "Resource": resources }])
}

fn code(outcome: Result<Value, ApiError>) -> String {
    outcome.unwrap_err().code
}

#[test]
fn a_role_reads_and_writes_only_what_its_policies_say() {
    let mut world = world();
    put(&mut world, "a/b", "x").unwrap();
    let object = json!({ "Bucket": "bucket-one", "Key": "a/b" });
    let inside = ["arn:aws:s3:::bucket-one/a/*"];
    for (operation, action) in [
        ("GetObject", "s3:GetObject"),
        ("HeadObject", "s3:GetObject"),
        ("PutObject", "s3:PutObject"),
        ("DeleteObject", "s3:DeleteObject"),
    ] {
        let nothing = allow(&["s3:ListBucket"], &["*"]);
        let refused = as_role(&mut world, &nothing, operation, object.clone()).unwrap_err();
        assert_eq!(
            (refused.code.as_str(), refused.status),
            ("AccessDenied", 403)
        );
        assert!(refused.message.contains(action), "{}", refused.message);
        as_role(
            &mut world,
            &allow(&[action], &inside),
            operation,
            object.clone(),
        )
        .unwrap();
        put(&mut world, "a/b", "x").unwrap();
    }
}

#[test]
fn a_copy_needs_its_source_to_be_read_and_a_version_an_action_of_its_own() {
    let mut world = world();
    put(&mut world, "a", "x").unwrap();
    let copy = json!({ "Bucket": "bucket-two", "Key": "b", "CopySource": "bucket-one/a" });
    let write = allow(&["s3:PutObject"], &["arn:aws:s3:::bucket-two/*"]);
    assert_eq!(
        code(as_role(&mut world, &write, "CopyObject", copy.clone())),
        "AccessDenied"
    );
    let both = allow(
        &["s3:PutObject", "s3:GetObject"],
        &["arn:aws:s3:::bucket-two/b", "arn:aws:s3:::bucket-one/a"],
    );
    as_role(&mut world, &both, "CopyObject", copy).unwrap();
    let version = json!({ "Bucket": "bucket-two", "Key": "b", "VersionId": "null" });
    assert_eq!(
        code(as_role(&mut world, &both, "GetObject", version.clone())),
        "AccessDenied"
    );
    let versions = allow(&["s3:GetObjectVersion"], &["arn:aws:s3:::bucket-two/*"]);
    as_role(&mut world, &versions, "GetObject", version).unwrap();
}

#[test]
fn whoever_may_not_list_is_not_told_that_an_object_is_missing() {
    let mut world = world();
    let missing = json!({ "Bucket": "bucket-one", "Key": "none" });
    let read = allow(&["s3:GetObject"], &["*"]);
    assert_eq!(
        code(as_role(&mut world, &read, "GetObject", missing.clone())),
        "AccessDenied"
    );
    let list = allow(&["s3:GetObject", "s3:ListBucket"], &["*"]);
    assert_eq!(
        code(as_role(&mut world, &list, "GetObject", missing)),
        "NoSuchKey"
    );
}

#[test]
fn of_many_deletions_each_is_allowed_by_itself() {
    let mut world = world();
    for key in ["mine/1", "theirs/1"] {
        put(&mut world, key, "x").unwrap();
    }
    let objects = json!([{ "Key": "mine/1" }, { "Key": "theirs/1" }]);
    let input = json!({ "Bucket": "bucket-one", "Delete": { "Object": objects } });
    let policy = allow(&["s3:DeleteObject"], &["arn:aws:s3:::bucket-one/mine/*"]);
    let answer = as_role(&mut world, &policy, "DeleteObjects", input).unwrap();
    let result = &answer["DeleteResult"];
    assert_eq!(result["Deleted"], json!([{ "Key": "mine/1" }]));
    assert_eq!(result["Error"][0]["Key"], "theirs/1");
    assert_eq!(result["Error"][0]["Code"], "AccessDenied");
}

#[test]
fn all_objects_together_have_a_bound_and_what_is_over_it_says_so() {
    let mut world = world();
    world.s3.capacity = 8;
    put(&mut world, "a", "12345").unwrap();
    let refused = put(&mut world, "b", "6789").unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.status),
        ("InsufficientStorage", 507)
    );
    assert!(
        refused.message.contains("at most 8 bytes"),
        "{}",
        refused.message
    );
    ask(
        &mut world,
        "DeleteObject",
        json!({ "Bucket": "bucket-one", "Key": "a" }),
    )
    .unwrap();
    put(&mut world, "b", "6789").unwrap();
}

#[test]
fn a_list_in_pages_has_each_key_and_each_group_once() {
    let mut world = world();
    for key in ["a/1", "a/2", "b", "c/1", "c/2", "d"] {
        put(&mut world, key, "x").unwrap();
    }
    for (operation, next, token) in [
        (
            "ListObjectsV2",
            "NextContinuationToken",
            "ContinuationToken",
        ),
        ("ListObjects", "NextMarker", "Marker"),
    ] {
        let mut input = json!({ "Bucket": "bucket-one", "Delimiter": "/", "MaxKeys": "1" });
        let mut seen = Vec::new();
        loop {
            let page = ask(&mut world, operation, input.clone()).unwrap();
            let page = &page["ListBucketResult"];
            let key = page["Contents"][0]["Key"].as_str();
            let group = page["CommonPrefixes"][0]["Prefix"].as_str();
            seen.push(key.or(group).unwrap().to_owned());
            if page["IsTruncated"] != true {
                break;
            }
            input[token] = page[next].clone();
        }
        assert_eq!(seen, ["a/", "b", "c/", "d"], "{operation}");
    }
}

#[test]
fn buckets_are_called_as_s3_allows_it() {
    for name in ["abc", "a.b-c", "0a1", &"a".repeat(63)] {
        assert!(names::is_bucket(name), "{name}");
    }
    let long = "a".repeat(64);
    for name in [
        "ab",
        "Abc",
        "a_b",
        "-ab",
        "ab-",
        "a..b",
        "192.168.5.4",
        "xn--abc",
        "abc--x-s3",
        &long,
    ] {
        assert!(!names::is_bucket(name), "{name}");
    }
}

#[test]
fn checksums_are_those_of_the_standards() {
    use super::checksums::{Algorithm, Sum};
    // The check values of the catalogue of CRCs, for the text 123456789.
    for (algorithm, expected) in [
        (Algorithm::Crc32, "cbf43926"),
        (Algorithm::Crc32c, "e3069283"),
        (Algorithm::Crc64, "ae8b14860a799888"),
    ] {
        let sum = Sum::of(algorithm, b"123456789");
        assert_eq!(object::hex(&sum.value), expected);
    }
}
