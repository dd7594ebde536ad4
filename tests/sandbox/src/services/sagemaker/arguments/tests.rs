use serde_json::{Value, json};

use super::super::definition::Definition;

/// What is wrong with a definition of this step, with a parameter of each type.
fn problem(kind: &str, arguments: &Value) -> Option<String> {
    let definition = json!({
        "Version": "2020-12-01",
        "Parameters": [
            { "Name": "Text", "Type": "String" },
            { "Name": "Whole", "Type": "Integer" },
            { "Name": "Broken", "Type": "Float" },
            { "Name": "Truth", "Type": "Boolean" },
        ],
        "Steps": [{ "Name": "Work", "Type": kind, "Arguments": arguments }],
    });
    let parsed = Definition::parse(&definition.to_string());
    parsed.err().map(|problem| problem.to_string())
}

fn processing(container_arguments: &Value) -> Option<String> {
    let image = json!({ "ImageUri": "image", "ContainerArguments": container_arguments });
    problem("Processing", &json!({ "AppSpecification": image }))
}

#[test]
fn an_integer_parameter_is_no_container_argument() {
    assert_eq!(
        processing(&json!(["--until", { "Get": "Parameters.Whole" }])).as_deref(),
        Some("Cannot assign property reference [Parameters.Whole] to argument of type [String]."),
    );
    let text = json!({ "Std:Join": { "On": "", "Values": [{ "Get": "Parameters.Whole" }] } });
    assert_eq!(processing(&json!(["--until", text])), None);
    assert_eq!(processing(&json!([{ "Get": "Parameters.Text" }])), None);
}

#[test]
fn subnets_are_a_list_even_if_a_parameter_gives_them() {
    let wanted = "Unable to parse pipeline definition. Expecting start of Json Array.";
    for subnets in [json!("subnet-1"), json!({ "Get": "Parameters.Text" })] {
        let network = json!({ "SecurityGroupIds": ["sg-1"], "Subnets": subnets });
        let arguments = json!({ "NetworkConfig": { "VpcConfig": network } });
        assert_eq!(problem("Processing", &arguments).as_deref(), Some(wanted));
    }
    let network =
        json!({ "SecurityGroupIds": ["sg-1"], "Subnets": [{ "Get": "Parameters.Text" }] });
    let arguments = json!({ "NetworkConfig": { "VpcConfig": network } });
    assert_eq!(problem("Processing", &arguments), None);
}

#[test]
fn a_job_name_has_63_letters_at_most() {
    let arguments = |length| json!({ "ProcessingJobName": "n".repeat(length) });
    assert_eq!(problem("Processing", &arguments(63)), None);
    let wanted = format!(
        "Unable to parse pipeline definition. Model Validation failed: string '{}' with \
         length=91 cannot be greater than max=63.0 defined for ProcessingJobName.",
        "n".repeat(91)
    );
    assert_eq!(problem("Processing", &arguments(91)), Some(wanted));
}

#[test]
fn an_enumeration_is_called_by_the_name_of_its_shape() {
    let input = json!({ "InputName": "in", "S3Input": {
        "S3Uri": "s3://a/b", "S3DataType": "S3Prefix", "S3InputMode": "FastFile",
    } });
    let wanted = "Unable to parse pipeline definition. Model Validation failed: Value 'FastFile' \
                  for 'ProcessingS3InputMode' failed to satisfy enum value set: [Pipe, File]";
    let arguments = json!({ "ProcessingInputs": [input] });
    assert_eq!(problem("Processing", &arguments).as_deref(), Some(wanted));
}

#[test]
fn members_that_nobody_knows_are_refused_wherever_they_stand() {
    for (kind, arguments, member) in [
        (
            "Training",
            json!({ "Hyperparameters": {} }),
            "Hyperparameters",
        ),
        (
            "RegisterModel",
            json!({ "ModelPackageName": "a" }),
            "ModelPackageName",
        ),
        (
            "Model",
            json!({ "PrimaryContainer": { "AdditionalModelDataSources": [] } }),
            "AdditionalModelDataSources",
        ),
        (
            "Processing",
            json!({ "AppSpecification": { "Get": "Parameters.Text" } }),
            "Get",
        ),
        ("EMR", json!({ "ClusterID": "j-1" }), "ClusterID"),
        (
            "EMR",
            json!({ "ClusterId": "j-1", "StepConfig": { "HadoopJarStep": { "Jar": "a", "Arg": [] } } }),
            "Arg",
        ),
    ] {
        let found = problem(kind, &arguments).unwrap_or_default();
        let unknown = format!("Unknown Argument member '{member}'.");
        let expected = kind == "Processing" || found.ends_with(&unknown);
        assert!(expected && !found.is_empty(), "{kind}: {found}");
    }
}

#[test]
fn what_a_nested_structure_needs_must_be_there() {
    let channel = json!({ "ChannelName": "train", "DataSource": { "S3DataSource": {
        "S3Uri": "s3://a/b",
    } } });
    let found = problem("Training", &json!({ "InputDataConfig": [channel] }));
    assert!(found.unwrap_or_default().ends_with("'S3DataType'."));
    let found = problem("Tuning", &json!({}));
    assert!(
        found
            .unwrap_or_default()
            .ends_with("'HyperParameterTuningJobConfig'.")
    );
}

#[test]
fn what_the_request_itself_needs_the_pipeline_may_give() {
    for kind in [
        "Training",
        "Processing",
        "Transform",
        "Model",
        "RegisterModel",
    ] {
        assert_eq!(problem(kind, &json!({})), None, "{kind}");
    }
}

#[test]
fn a_parameter_stands_only_where_a_value_of_its_type_may() {
    let truth = |name: &str| json!({ "EnableNetworkIsolation": { "Get": name } });
    let count =
        |name: &str| json!({ "StoppingCondition": { "MaxRuntimeInSeconds": { "Get": name } } });
    for (arguments, taken) in [
        (truth("Parameters.Truth"), true),
        (truth("Parameters.Text"), false),
        (count("Parameters.Whole"), true),
        (count("Parameters.Broken"), false),
        (count("Parameters.Text"), false),
        (
            json!({ "StoppingCondition": { "MaxRuntimeInSeconds": "60" } }),
            false,
        ),
        (
            json!({ "StoppingCondition": { "MaxRuntimeInSeconds": 0 } }),
            false,
        ),
        (json!({ "HyperParameters": { "epochs": 10 } }), false),
        (json!({ "HyperParameters": { "epochs": "10" } }), true),
    ] {
        assert_eq!(
            problem("Training", &arguments).is_none(),
            taken,
            "{arguments}"
        );
    }
}

#[test]
fn at_most_ten_inputs_are_processed() {
    let inputs = |count: usize| -> Vec<Value> {
        (0..count)
            .map(|number| json!({ "InputName": format!("in-{number}") }))
            .collect()
    };
    assert_eq!(
        problem("Processing", &json!({ "ProcessingInputs": inputs(10) })),
        None
    );
    let found = problem("Processing", &json!({ "ProcessingInputs": inputs(11) }));
    assert!(
        found
            .unwrap_or_default()
            .contains("max=10.0 defined for ProcessingInputs")
    );
}

#[test]
fn functions_must_be_functions() {
    for (argument, taken) in [
        (json!({ "Get": "Steps.Work" }), false),
        (json!({ "Get": "Parameter.Text" }), false),
        (json!({ "Get": "Parameters.Nobody" }), false),
        (json!({ "Get": "Execution.PipelineName" }), true),
        (json!({ "Get": "Execution.Pipeline" }), false),
        (json!({ "get": "Parameters.Text" }), false),
        (json!({}), false),
        (json!({ "Std:Join": { "Values": ["a", 1, true] } }), true),
        (json!({ "Std:Join": { "On": "/" } }), false),
        (
            json!({ "Std:Join": { "On": "/", "Values": [["a"]] } }),
            false,
        ),
        (
            json!({ "Std:JsonGet": { "S3Uri": "s3://a/b.json", "Path": "Result" } }),
            true,
        ),
        (json!({ "Std:JsonGet": { "Path": "Result" } }), false),
    ] {
        assert_eq!(
            processing(&json!([argument])).is_none(),
            taken,
            "{argument}"
        );
    }
}

#[test]
fn null_is_what_is_not_set() {
    let arguments = json!({ "Environment": null, "NetworkConfig": { "VpcConfig": null } });
    assert_eq!(problem("Processing", &arguments), None);
}
