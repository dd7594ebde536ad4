use super::*;

/// A training with a parameter in its inputs, cached for an hour.
fn cached() -> Value {
    definition(
        json!([
            { "Name": "Data", "Type": "String", "DefaultValue": "s3://data/1" },
            { "Name": "Instance", "Type": "String", "DefaultValue": "ml.m5.large" },
        ]),
        json!([
            {
                "Name": "Train",
                "Type": "Training",
                "Arguments": {
                    "InputDataConfig": [{ "ChannelName": "train", "DataSource": { "S3DataSource": {
                        "S3DataType": "S3Prefix", "S3Uri": { "Get": "Parameters.Data" },
                    } } }],
                    "OutputDataConfig": { "S3OutputPath": "s3://models/" },
                    "ResourceConfig": { "InstanceType": { "Get": "Parameters.Instance" } },
                },
                "CacheConfig": { "Enabled": true, "ExpireAfter": "PT1H" },
            },
            {
                "Name": "Score",
                "Type": "Transform",
                "Arguments": { "Environment": {
                    "MODEL": { "Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts" },
                } },
                "CacheConfig": { "Enabled": true, "ExpireAfter": "30d" },
            },
        ]),
    )
}

fn start_with(world: &mut World, seed: &str, name: &str, value: &str) -> String {
    let input = json!({
        "PipelineName": "Churn",
        "ClientRequestToken": token(seed),
        "PipelineParameters": [{ "Name": name, "Value": value }],
    });
    arn(&ask(world, "StartPipelineExecution", input))
}

/// A world in which the pipeline has run once.
fn after_one_run() -> (World, String) {
    let mut world = world();
    create(&mut world, "Churn", &cached());
    let arn = start(&mut world, "first");
    pass(&mut world, 120);
    (world, arn)
}

#[test]
fn a_run_with_the_same_inputs_is_used_again_at_once() {
    let (mut world, first) = after_one_run();
    let second = start_with(&mut world, "second", "Instance", "ml.m5.4xlarge");
    assert_eq!(
        steps(&mut world, &second),
        ["Train Succeeded", "Score Succeeded"]
    );
    assert_eq!(status(&mut world, &second), "Succeeded");
    let (made, used) = (
        step(&mut world, &first, "Train"),
        step(&mut world, &second, "Train"),
    );
    assert_eq!(used["Metadata"], made["Metadata"]);
    assert_eq!(
        used["CacheHitResult"],
        json!({ "SourcePipelineExecutionArn": first })
    );
    assert_eq!(made.get("CacheHitResult"), None);
}

#[test]
fn hits_lead_to_the_run_that_really_was() {
    let (mut world, first) = after_one_run();
    start(&mut world, "second");
    let third = start(&mut world, "third");
    let train = step(&mut world, &third, "Train");
    assert_eq!(
        train["CacheHitResult"]["SourcePipelineExecutionArn"],
        json!(first)
    );
}

#[test]
fn another_input_runs_the_step_and_all_that_use_its_result() {
    let (mut world, _) = after_one_run();
    let second = start_with(&mut world, "second", "Data", "s3://data/2");
    assert_eq!(steps(&mut world, &second), ["Train Starting"]);
    pass(&mut world, 60);
    assert_eq!(
        steps(&mut world, &second),
        ["Train Succeeded", "Score Starting"]
    );
}

#[test]
fn runs_that_are_too_old_or_failed_are_not_used() {
    let mut world = world();
    create(&mut world, "Churn", &cached());
    super::super::fail_step(&mut world, OWNER, "Churn", "Train", "No data.");
    for seed in ["failed", "ran"] {
        let arn = start(&mut world, seed);
        assert_eq!(steps(&mut world, &arn), ["Train Starting"], "{seed}");
        pass(&mut world, 120);
    }
    pass(&mut world, 3541);
    let late = start(&mut world, "late");
    assert_eq!(steps(&mut world, &late), ["Train Starting"]);
}

#[test]
fn a_step_runs_every_time_unless_caching_is_on() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    start(&mut world, "first");
    pass(&mut world, 120);
    let second = start(&mut world, "second");
    assert_eq!(steps(&mut world, &second), ["Prepare Starting"]);
}

#[test]
fn a_fault_waits_for_a_run_that_is_no_hit() {
    let (mut world, _) = after_one_run();
    super::super::fail_step(&mut world, OWNER, "Churn", "Train", "No data.");
    start(&mut world, "second");
    assert_eq!(world.sagemaker.fail_next.len(), 1);
}

#[test]
fn a_time_that_is_no_duration_is_refused() {
    for (text, accepted) in [
        ("PT1H", true),
        ("30dT5h", true),
        ("T16m", true),
        ("soon", false),
    ] {
        let mut definition = cached();
        definition["Steps"][0]["CacheConfig"]["ExpireAfter"] = json!(text);
        let input = json!({
            "PipelineName": "Churn",
            "PipelineDefinition": definition.to_string(),
            "RoleArn": ROLE,
            "ClientRequestToken": token("create"),
        });
        let answer = call(&mut world(), &owner("CreatePipeline", input));
        assert_eq!(answer.is_ok(), accepted, "{text}");
    }
}
