//! Definitions as the SageMaker Python SDK writes them.

use super::*;
use crate::services::sqs;

/// AWS's abalone sample: prepare, train, evaluate, and by the error decide.
fn abalone() -> Value {
    let output = |name: &str| {
        json!({
            "OutputName": name,
            "AppManaged": false,
            "S3Output": {
                "S3Uri": { "Std:Join": { "On": "/", "Values": [
                    "s3://bucket/abalone", { "Get": "Execution.PipelineExecutionId" }, name,
                ] } },
                "LocalPath": format!("/opt/ml/processing/{name}"),
                "S3UploadMode": "EndOfJob",
            },
        })
    };
    let model_data = json!({ "Get": "Steps.TrainAbaloneModel.ModelArtifacts.S3ModelArtifacts" });
    definition(
        json!([
            { "Name": "ProcessingInstanceCount", "Type": "Integer", "DefaultValue": 1 },
            { "Name": "ModelApprovalStatus", "Type": "String", "DefaultValue": "PendingManualApproval" },
            { "Name": "InputData", "Type": "String", "DefaultValue": "s3://bucket/abalone.csv" },
            { "Name": "MseThreshold", "Type": "Float", "DefaultValue": 6.0 },
        ]),
        json!([
            { "Name": "AbaloneProcess", "Type": "Processing", "Arguments": {
                "ProcessingResources": { "ClusterConfig": {
                    "InstanceType": "ml.m5.xlarge",
                    "InstanceCount": { "Get": "Parameters.ProcessingInstanceCount" },
                    "VolumeSizeInGB": 30,
                } },
                "AppSpecification": { "ImageUri": "sklearn:1.2" },
                "RoleArn": ROLE,
                "ProcessingInputs": [{ "InputName": "input-1", "S3Input": {
                    "S3DataType": "S3Prefix", "S3Uri": { "Get": "Parameters.InputData" },
                } }],
                "ProcessingOutputConfig": { "Outputs": [output("train"), output("test")] },
            } },
            { "Name": "TrainAbaloneModel", "Type": "Training", "Arguments": {
                "AlgorithmSpecification": { "TrainingImage": "xgboost:1.7", "TrainingInputMode": "File" },
                "OutputDataConfig": { "S3OutputPath": "s3://bucket/models" },
                "InputDataConfig": [{ "ChannelName": "train", "DataSource": { "S3DataSource": {
                    "S3DataType": "S3Prefix", "S3Uri": { "Get": "Steps.AbaloneProcess.ProcessingOutputConfig.Outputs['train'].S3Output.S3Uri" },
                } } }],
            } },
            {
                "Name": "EvaluateAbaloneModel",
                "Type": "Processing",
                "Arguments": {
                    "ProcessingInputs": [
                        { "InputName": "input-1", "S3Input": { "S3DataType": "S3Prefix", "S3Uri": model_data } },
                        { "InputName": "input-2", "S3Input": {
                            "S3DataType": "S3Prefix", "S3Uri": { "Get": "Steps.AbaloneProcess.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri" },
                        } },
                    ],
                    "ProcessingOutputConfig": { "Outputs": [output("evaluation")] },
                },
                "PropertyFiles": [{
                    "PropertyFileName": "AbaloneEvaluationReport",
                    "OutputName": "evaluation",
                    "FilePath": "evaluation.json",
                }],
            },
            { "Name": "AbaloneMSECond", "Type": "Condition", "Arguments": {
                "Conditions": [{
                    "Type": "LessThanOrEqualTo",
                    "LeftValue": { "Std:JsonGet": {
                        "PropertyFile": { "Get": "Steps.EvaluateAbaloneModel.PropertyFiles.AbaloneEvaluationReport" },
                        "Path": "regression_metrics.mse.value",
                    } },
                    "RightValue": { "Get": "Parameters.MseThreshold" },
                }],
                "IfSteps": [
                    { "Name": "RegisterAbaloneModel-RegisterModel", "Type": "RegisterModel", "Arguments": {
                        "ModelPackageGroupName": "Abalone",
                        "InferenceSpecification": { "Containers": [{ "Image": "xgboost:1.7", "ModelDataUrl": model_data }] },
                        "ModelApprovalStatus": { "Get": "Parameters.ModelApprovalStatus" },
                    } },
                    { "Name": "AbaloneCreateModel-CreateModel", "Type": "Model", "Arguments": {
                        "ExecutionRoleArn": ROLE,
                        "PrimaryContainer": { "Image": "xgboost:1.7", "ModelDataUrl": model_data },
                    } },
                    { "Name": "AbaloneTransform", "Type": "Transform", "Arguments": {
                        "ModelName": { "Get": "Steps.AbaloneCreateModel-CreateModel.ModelName" },
                        "TransformInput": { "DataSource": { "S3DataSource": { "S3DataType": "S3Prefix", "S3Uri": { "Get": "Parameters.InputData" } } } },
                        "TransformOutput": { "S3OutputPath": "s3://bucket/scores" },
                    } },
                ],
                "ElseSteps": [{ "Name": "AbaloneMSEFail", "Type": "Fail", "Arguments": { "ErrorMessage": {
                    "Std:Join": { "On": " ", "Values": [
                        "Execution failed due to MSE >", { "Get": "Parameters.MseThreshold" },
                    ] },
                } } }],
            } },
        ]),
    )
}

/// Steps that ask others: a function, a queue, a cluster, and checks.
fn helpers() -> Value {
    let check = |kind: &str, check_type: &str, folder: &str| {
        json!({
            "Name": format!("{kind}Step"),
            "Type": kind,
            "Arguments": {
                "AppSpecification": { "ImageUri": "analyzer" },
                "ProcessingOutputConfig": { "Outputs": [
                    { "OutputName": "out", "S3Output": { "S3Uri": folder, "S3UploadMode": "EndOfJob" } },
                ] },
            },
            "CheckType": check_type,
            "ModelPackageGroupName": "Abalone",
            "SkipCheck": { "Get": "Parameters.SkipCheck" },
            "RegisterNewBaseline": true,
            "SuppliedBaselineConstraints": "s3://bucket/known.json",
            "DependsOn": ["Spark"],
        })
    };
    definition(
        json!([{ "Name": "SkipCheck", "Type": "Boolean", "DefaultValue": true }]),
        json!([
            {
                "Name": "Notify", "Type": "Lambda", "Arguments": { "stage": "test" },
                "FunctionArn": "arn:aws:lambda:eu-west-1:111111111111:function:notify",
                "OutputParameters": [{ "OutputName": "status", "OutputType": "String" }],
            },
            {
                "Name": "Label", "Type": "Callback", "DependsOn": ["Notify"],
                "SqsQueueUrl": "https://sqs.eu-west-1.amazonaws.com/111111111111/labels",
                "OutputParameters": [{ "OutputName": "labels", "OutputType": "String" }],
                "Arguments": { "by": { "Get": "Execution.PipelineName" } },
            },
            { "Name": "Spark", "Type": "EMR", "Arguments": {
                "ClusterId": "j-1ABCDEFGHIJKL",
                "StepConfig": { "HadoopJarStep": {
                    "Jar": "command-runner.jar",
                    "Args": [{ "Get": "Steps.Label.OutputParameters['labels']" }],
                } },
            } },
            check("QualityCheck", "DATA_QUALITY", "s3://bucket/quality/"),
            check("ClarifyCheck", "DATA_BIAS", "s3://bucket/bias"),
            { "Name": "Tune", "Type": "Tuning", "DependsOn": ["QualityCheckStep", "ClarifyCheckStep"], "Arguments": {
                "HyperParameterTuningJobConfig": {
                    "Strategy": "Bayesian", "ResourceLimits": { "MaxParallelTrainingJobs": 1 },
                },
                "TrainingJobDefinition": {
                    "StaticHyperParameters": {
                        "baseline": { "Get": "Steps.QualityCheckStep.CalculatedBaselineConstraints" },
                    },
                    "AlgorithmSpecification": { "TrainingInputMode": "File" },
                    "OutputDataConfig": { "S3OutputPath": "s3://bucket/tuned" },
                    "RoleArn": ROLE,
                    "StoppingCondition": {},
                },
            } },
        ]),
    )
}

/// Names and final statuses of steps as the events told them.
fn ended(world: &World) -> Vec<String> {
    let seen = world.events.seen.iter();
    let events = seen.filter(|seen| seen.account == OWNER && seen.bus == "default");
    let steps = events.map(|seen| &seen.event["detail"]);
    let ended = steps.filter(|step| step.get("stepEndTime").is_some());
    let text = |step: &Value, member: &str| step[member].as_str().unwrap().to_owned();
    ended
        .map(|step| {
            format!(
                "{} {}",
                text(step, "stepName"),
                text(step, "currentStepStatus")
            )
        })
        .collect()
}

#[test]
fn the_abalone_sample_runs_to_its_end() {
    let mut world = world();
    create(&mut world, "Churn", &abalone());
    let arn = start(&mut world, "start");
    pass(&mut world, 360);
    assert_eq!(status(&mut world, &arn), "Succeeded");
    let order = [
        "AbaloneProcess Succeeded",
        "TrainAbaloneModel Succeeded",
        "EvaluateAbaloneModel Succeeded",
        "AbaloneMSECond Succeeded",
        "RegisterAbaloneModel-RegisterModel Succeeded",
        "AbaloneCreateModel-CreateModel Succeeded",
        "AbaloneTransform Succeeded",
    ];
    assert_eq!(steps(&mut world, &arn), order);
    assert_eq!(ended(&world), order);
    for (name, member, resource) in [
        ("AbaloneProcess", "ProcessingJob", ":processing-job/"),
        ("TrainAbaloneModel", "TrainingJob", ":training-job/"),
        (
            "RegisterAbaloneModel-RegisterModel",
            "RegisterModel",
            ":model-package/Abalone/1",
        ),
        ("AbaloneCreateModel-CreateModel", "Model", ":model/"),
        ("AbaloneTransform", "TransformJob", ":transform-job/"),
    ] {
        let step = step(&mut world, &arn, name);
        let job = step["Metadata"][member]["Arn"].as_str().unwrap();
        assert!(job.contains(resource), "{job}");
    }
}

#[test]
fn arguments_of_jobs_are_told_what_earlier_jobs_made() {
    let mut world = world();
    let mut definition = abalone();
    // A step that fails with its message shows what a reference means.
    definition["Steps"][3] = json!({ "Name": "Show", "Type": "Fail", "Arguments": { "ErrorMessage": {
        "Std:Join": { "On": " ", "Values": [
            { "Get": "Steps.AbaloneProcess.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri" },
            { "Get": "Steps.TrainAbaloneModel.ModelArtifacts.S3ModelArtifacts" },
            { "Get": "Steps.EvaluateAbaloneModel.ProcessingInputs[0].InputName" },
        ] },
    } } });
    create(&mut world, "Churn", &definition);
    let arn = start(&mut world, "start");
    pass(&mut world, 360);
    let train = step(&mut world, &arn, "TrainAbaloneModel");
    let job = train["Metadata"]["TrainingJob"]["Arn"].as_str().unwrap();
    let (id, job) = (
        arn.rsplit('/').next().unwrap(),
        job.rsplit('/').next().unwrap(),
    );
    assert_eq!(
        step(&mut world, &arn, "Show")["FailureReason"],
        format!(
            "s3://bucket/abalone/{id}/test s3://bucket/models/{job}/output/model.tar.gz input-1"
        )
    );
}

#[test]
fn functions_people_clusters_and_checks_take_their_turns() {
    let mut world = world();
    sqs::create_queue(&mut world, OWNER, REGION, "labels", &json!({})).unwrap();
    create(&mut world, "Churn", &helpers());
    let arn = start(&mut world, "start");
    pass(&mut world, 3600);
    assert_eq!(
        steps(&mut world, &arn),
        ["Notify Succeeded", "Label Executing"]
    );
    let label = step(&mut world, &arn, "Label");
    let input = json!({
        "CallbackToken": label["Metadata"]["Callback"]["CallbackToken"],
        "OutputParameters": [{ "Name": "labels", "Value": "s3://bucket/labels" }],
    });
    ask(&mut world, "SendPipelineExecutionStepSuccess", input);
    pass(&mut world, 180);
    assert_eq!(status(&mut world, &arn), "Succeeded");
    assert_eq!(
        ended(&world),
        [
            "Notify",
            "Label",
            "Spark",
            "QualityCheckStep",
            "ClarifyCheckStep",
            "Tune"
        ]
        .map(|name| format!("{name} Succeeded"))
    );

    let metadata = |world: &mut World, name| step(world, &arn, name)["Metadata"].clone();
    let spark = metadata(&mut world, "Spark")["EMR"].clone();
    assert_eq!(spark["ClusterId"], "j-1ABCDEFGHIJKL");
    assert_eq!(spark["StepName"], "Spark");
    let quality = metadata(&mut world, "QualityCheckStep")["QualityCheck"].clone();
    for (member, value) in [
        ("CheckType", json!("DATA_QUALITY")),
        ("SkipCheck", json!(true)),
        ("RegisterNewBaseline", json!(true)),
        ("ModelPackageGroupName", json!("Abalone")),
        (
            "BaselineUsedForDriftCheckConstraints",
            json!("s3://bucket/known.json"),
        ),
        (
            "CalculatedBaselineConstraints",
            json!("s3://bucket/quality/constraints.json"),
        ),
        (
            "CalculatedBaselineStatistics",
            json!("s3://bucket/quality/statistics.json"),
        ),
    ] {
        assert_eq!(quality[member], value, "{member}");
    }
    let bias = metadata(&mut world, "ClarifyCheckStep")["ClarifyCheck"].clone();
    assert_eq!(bias.get("CalculatedBaselineStatistics"), None);
    let tuning = metadata(&mut world, "Tune")["TuningJob"]["Arn"].clone();
    assert!(
        tuning
            .as_str()
            .unwrap()
            .contains(":hyper-parameter-tuning-job/")
    );
}

#[test]
fn a_condition_in_a_branch_of_a_condition_runs_when_its_branch_is_taken() {
    let gate = |name: &str, limit: f64, inner: Value| {
        json!({
            "Name": name, "Type": "Condition", "Arguments": {
                "Conditions": [{ "Type": "Not", "Condition": {
                    "Type": "GreaterThan", "LeftValue": { "Get": "Parameters.Error" }, "RightValue": limit,
                } }],
                "IfSteps": [inner],
                "ElseSteps": [{ "Name": format!("{name}Fail"), "Type": "Fail", "Arguments": {
                    "ErrorMessage": name,
                } }],
            },
        })
    };
    let register = json!({ "Name": "Register", "Type": "RegisterModel", "Arguments": {} });
    let parameters = json!([{ "Name": "Error", "Type": "Float", "DefaultValue": 4 }]);
    let steps_of = json!([gate("Coarse", 6.0, gate("Fine", 3.0, register))]);
    let mut world = world();
    create(&mut world, "Churn", &definition(parameters, steps_of));
    let arn = start(&mut world, "start");
    pass(&mut world, 600);
    assert_eq!(
        steps(&mut world, &arn),
        ["Coarse Succeeded", "Fine Succeeded", "FineFail Failed"]
    );
}

#[test]
fn models_of_one_group_are_registered_as_its_versions() {
    let mut world = world();
    create(&mut world, "Churn", &abalone());
    for version in 1..=2 {
        let arn = start(&mut world, &format!("start-{version}"));
        pass(&mut world, 360);
        let register = step(&mut world, &arn, "RegisterAbaloneModel-RegisterModel");
        assert_eq!(
            register["Metadata"]["RegisterModel"]["Arn"],
            format!("arn:aws:sagemaker:eu-west-1:111111111111:model-package/Abalone/{version}")
        );
    }
}
