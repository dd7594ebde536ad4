//! Pipelines of SageMaker that templates deploy.

use super::*;

const BODY: &str =
    r#"{"Version":"2020-12-01","Steps":[{"Name":"Train","Type":"Training","Arguments":{}}]}"#;

/// The properties that every pipeline needs.
fn required() -> Value {
    json!({
        "PipelineName": "churn",
        "RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/pipeline"),
        "PipelineDefinition": { "PipelineDefinitionBody": BODY },
    })
}

fn with(name: &str, value: Value) -> Value {
    let mut properties = required();
    properties[name] = value;
    properties
}

fn template(properties: &Value) -> String {
    let pipeline = json!({ "Type": "AWS::SageMaker::Pipeline", "Properties": properties });
    json!({
        "Parameters": { "Steps": { "Type": "Number", "Default": 3 } },
        "Resources": { "P": pipeline },
    })
    .to_string()
}

fn deployed(world: &mut World, properties: &Value) {
    deploy(world, &stack(&template(properties), &[])).unwrap();
}

fn refusal(properties: &Value) -> String {
    error(&template(properties), &[])
}

fn ask(world: &mut World, operation: &str, input: Value) -> Value {
    let call = Call {
        caller: Caller::administrator(ACCOUNT),
        region: REGION.to_owned(),
        service: "sagemaker".to_owned(),
        operation: operation.to_owned(),
        input,
    };
    sagemaker::call(world, &call).unwrap()
}

fn describe(world: &mut World) -> Value {
    ask(
        world,
        "DescribePipeline",
        json!({ "PipelineName": "churn" }),
    )
}

fn tags(world: &mut World) -> Value {
    let arn = describe(world)["PipelineArn"].clone();
    ask(world, "ListTags", json!({ "ResourceArn": arn }))["Tags"].clone()
}

/// The names of the events that CloudTrail told since this was asked last.
fn told(world: &mut World) -> Vec<String> {
    let seen = std::mem::take(&mut world.events.seen).into_iter();
    seen.map(|seen| {
        seen.event["detail"]["eventName"]
            .as_str()
            .unwrap()
            .to_owned()
    })
    .collect()
}

#[test]
fn a_pipeline_is_created_by_its_first_deployment_and_updated_by_one_that_differs() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    deployed(&mut world, &required());
    assert_eq!(told(&mut world), ["CreatePipeline"]);
    deployed(&mut world, &required());
    assert!(told(&mut world).is_empty(), "nothing has changed");

    let body = BODY.replace("Train\"", "TrainAgain\"");
    let changed = with(
        "PipelineDefinition",
        json!({ "PipelineDefinitionBody": body }),
    );
    deployed(&mut world, &changed);
    assert_eq!(told(&mut world), ["UpdatePipeline"]);
    assert_eq!(describe(&mut world)["PipelineDefinition"], json!(body));
}

#[test]
fn the_tags_of_a_pipeline_become_those_of_the_template() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let both = json!([{ "Key": "stage", "Value": "dev" }, { "Key": "team", "Value": "ml" }]);
    deployed(&mut world, &with("Tags", both.clone()));
    assert_eq!(tags(&mut world), both);
    let one = json!([{ "Key": "stage", "Value": "test" }]);
    deployed(&mut world, &with("Tags", one.clone()));
    assert_eq!(tags(&mut world), one);
    deployed(&mut world, &required());
    assert_eq!(tags(&mut world), json!([]));
}

#[test]
fn a_scalar_takes_the_type_of_its_property() {
    let mut world = World::new(Timestamp::UNIX_EPOCH);
    let mut properties = required();
    let parallelism = json!({ "MaxParallelExecutionSteps": { "Ref": "Steps" } });
    properties["ParallelismConfiguration"] = parallelism;
    properties["PipelineDescription"] = json!(2026);
    properties["PipelineDisplayName"] = json!(7);
    properties["Tags"] = json!([{ "Key": 1, "Value": true }]);
    deployed(&mut world, &properties);
    let described = describe(&mut world);
    assert_eq!(
        described["ParallelismConfiguration"]["MaxParallelExecutionSteps"],
        3
    );
    assert_eq!(described["PipelineDescription"], "2026");
    assert_eq!(described["PipelineDisplayName"], "7");
    assert_eq!(tags(&mut world), json!([{ "Key": "1", "Value": "true" }]));

    deployed(&mut world, &with("PipelineName", json!(42)));
    ask(
        &mut world,
        "DescribePipeline",
        json!({ "PipelineName": "42" }),
    );
}

#[test]
fn properties_that_the_schema_does_not_allow_are_refused() {
    for name in ["PipelineName", "RoleArn", "PipelineDefinition"] {
        let mut properties = required();
        properties.as_object_mut().unwrap().remove(name);
        assert_eq!(
            refusal(&properties),
            format!(
                "infra/template.yaml:1: P (AWS::SageMaker::Pipeline): ValidationError: Properties \
                 validation failed with message: #: required key [{name}] not found"
            )
        );
    }
    let location = json!({ "Bucket": "b", "Key": "k" });
    for (name, value, problem) in [
        ("Colour", json!("red"), "Colour"),
        (
            "PipelineDescription",
            json!(["a"]),
            "#/PipelineDescription: expected type: String, found: JSONArray",
        ),
        (
            "ParallelismConfiguration",
            json!({ "MaxParallelExecutionSteps": "many" }),
            "expected type: Integer, found: String",
        ),
        (
            "ParallelismConfiguration",
            json!({}),
            "required key [MaxParallelExecutionSteps] not found",
        ),
        (
            "Tags",
            json!({ "team": "ml" }),
            "expected type: JSONArray, found: JSONObject",
        ),
        (
            "Tags",
            json!([{ "Key": "team", "Value": "ml", "Extra": "x" }]),
            "#/Tags/0: extraneous key [Extra] is not permitted",
        ),
        (
            "PipelineDefinition",
            json!({ "PipelineDefinitionBody": { "Version": "2020-12-01" } }),
            "found: JSONObject; it must be a JSON text",
        ),
        (
            "PipelineDefinition",
            json!({ "PipelineDefinitionS3Location": location }),
            "give the text itself as PipelineDefinitionBody",
        ),
        (
            "PipelineDefinition",
            json!({}),
            "0 subschemas matched instead of one",
        ),
        (
            "PipelineDefinition",
            json!({ "PipelineDefinitionBody": BODY, "PipelineDefinitionS3Location": location }),
            "2 subschemas matched instead of one",
        ),
        (
            "PipelineDefinition",
            json!({ "PipelineDefinitionBody": BODY.replace("2020-12-01", "1999-01-01") }),
            "P (AWS::SageMaker::Pipeline): ValidationException",
        ),
    ] {
        let refusal = refusal(&with(name, value));
        assert!(refusal.contains(problem), "{refusal}");
    }
}
