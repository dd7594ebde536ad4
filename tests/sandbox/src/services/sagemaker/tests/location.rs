use super::*;
use crate::services::{iam, s3};

const BUCKET: &str = "definitions-of-owner";

/// A world with a definition in a bucket of the owner.
fn world_with(definition: &str) -> World {
    let mut world = world();
    let mut ask = |operation: &str, input: Value| {
        let call = Call {
            service: "s3".to_owned(),
            ..owner(operation, input)
        };
        world.s3.bring(definition.to_owned().into());
        s3::call(&mut world, &call).unwrap();
    };
    let place = json!({ "LocationConstraint": REGION });
    ask(
        "CreateBucket",
        json!({ "Bucket": BUCKET, "CreateBucketConfiguration": place }),
    );
    ask(
        "PutObject",
        json!({ "Bucket": BUCKET, "Key": "churn.json" }),
    );
    world
}

fn request(location: &Value) -> Value {
    json!({
        "PipelineName": "Churn",
        "RoleArn": ROLE,
        "ClientRequestToken": token("create"),
        "PipelineDefinitionS3Location": location,
    })
}

fn location() -> Value {
    json!({ "Bucket": BUCKET, "ObjectKey": "churn.json" })
}

#[test]
fn a_definition_in_s3_is_read_once_and_shown_as_if_it_had_been_sent() {
    let text = chain().to_string();
    let mut world = world_with(&text);
    ask(&mut world, "CreatePipeline", request(&location()));
    let shown = ask(
        &mut world,
        "DescribePipeline",
        json!({ "PipelineName": "Churn" }),
    );
    assert_eq!(shown["PipelineDefinition"], text);
}

#[test]
fn whoever_names_a_definition_in_s3_must_be_allowed_to_read_it() {
    let mut world = world_with(&chain().to_string());
    let mut create = |statements: Value| {
        iam::delete_role(&mut world, OWNER, "engineer");
        let properties = json!({
            "AssumeRolePolicyDocument": { "Statement": [] },
            "Policies": [{ "PolicyName": "p", "PolicyDocument": { "Statement": statements } }],
        });
        iam::create_role(&mut world, OWNER, "engineer", &properties).unwrap();
        let mut request = consumer("CreatePipeline", request(&location()));
        request.caller.account = OWNER.to_owned();
        call(&mut world, &request)
    };
    let refused = create(json!([])).unwrap_err();
    assert_eq!(refused.code, "ValidationException");
    assert!(refused.message.contains("s3:GetObject"), "{refused}");
    let resource = format!("arn:aws:s3:::{BUCKET}/churn.json");
    let statement = json!([
        { "Effect": "Allow", "Action": "s3:GetObject", "Resource": resource },
    ]);
    create(statement).unwrap();
}

#[test]
fn a_place_and_a_text_at_once_are_refused_and_so_is_half_a_place() {
    let mut world = world_with(&chain().to_string());
    let mut both = request(&location());
    both["PipelineDefinition"] = json!(chain().to_string());
    let refused = refuse(&mut world, "CreatePipeline", both);
    assert_eq!(refused.code, "ValidationException");
    let half = request(&json!({ "Bucket": BUCKET }));
    let refused = refuse(&mut world, "CreatePipeline", half);
    assert!(refused.message.contains("objectKey"), "{refused}");
    let number = request(&json!({ "Bucket": BUCKET, "ObjectKey": 1 }));
    let refused = refuse(&mut world, "CreatePipeline", number);
    assert_eq!(refused.code, "SerializationException");
}
