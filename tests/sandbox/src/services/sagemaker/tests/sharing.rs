use super::*;
use crate::services::ram;

/// Shares the pipeline with the consumer's account, in an organization that
/// needs no invitation for it.
fn share(world: &mut World, permission: &str) {
    world.organization.ram_sharing = true;
    world.organization.members = [OWNER.to_owned(), CONSUMER.to_owned()].into();
    let input = json!({
        "name": "churn",
        "resourceArns": [CHURN],
        "principals": [CONSUMER],
        "permissionArns": [format!("arn:aws:ram::aws:permission/{permission}")],
    });
    let call = Call {
        service: "ram".to_owned(),
        ..owner("CreateResourceShare", input)
    };
    ram::call(world, &call).unwrap();
    pass(world, 60);
}

#[test]
fn a_consumer_with_execute_access_runs_the_pipeline_in_the_owners_account() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    share(
        &mut world,
        "AWSRAMPermissionSageMakerPipelineAllowExecution",
    );
    let input = json!({ "PipelineName": CHURN, "ClientRequestToken": token("start") });
    let started = call(&mut world, &consumer("StartPipelineExecution", input)).unwrap();
    let execution = arn(&started);
    assert!(execution.starts_with(CHURN), "{execution}");
    let told = world.events.seen.iter();
    let mut told = told.filter(|seen| seen.event["source"] == "aws.sagemaker");
    assert!(told.all(|seen| seen.account == OWNER));

    let shown = on_execution(&mut world, "DescribePipelineExecution", &execution);
    assert_eq!(
        shown["CreatedBy"]["IamIdentity"]["Arn"],
        "arn:aws:sts::222222222222:assumed-role/engineer/ada"
    );
    let stop = json!({ "PipelineExecutionArn": execution, "ClientRequestToken": token("stop") });
    call(&mut world, &consumer("StopPipelineExecution", stop)).unwrap();
    pass(&mut world, 60);
    let retry = json!({ "PipelineExecutionArn": execution, "ClientRequestToken": token("retry") });
    call(&mut world, &consumer("RetryPipelineExecution", retry)).unwrap();
    pass(&mut world, 120);
    let input = json!({ "PipelineExecutionArn": execution });
    let ended = call(&mut world, &consumer("DescribePipelineExecution", input)).unwrap();
    assert_eq!(ended["PipelineExecutionStatus"], "Succeeded");
}

#[test]
fn a_consumer_with_read_access_sees_all_executions_but_starts_none() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let before = start(&mut world, "start");
    share(&mut world, "AWSRAMDefaultPermissionSageMakerPipeline");
    for operation in [
        "DescribePipelineDefinitionForExecution",
        "DescribePipelineExecution",
        "ListPipelineExecutionSteps",
        "ListPipelineParametersForExecution",
    ] {
        let input = json!({ "PipelineExecutionArn": before });
        call(&mut world, &consumer(operation, input)).unwrap();
    }
    for operation in ["DescribePipeline", "ListPipelineExecutions"] {
        let input = json!({ "PipelineName": CHURN.replace("Churn", "churn") });
        call(&mut world, &consumer(operation, input)).unwrap();
    }
    for operation in ["StartPipelineExecution", "ListPipelineVersions"] {
        let input = json!({ "PipelineName": CHURN, "ClientRequestToken": token("x") });
        let error = call(&mut world, &consumer(operation, input)).unwrap_err();
        assert_eq!(error.code, "AccessDeniedException", "{operation}");
    }
    let listed = call(&mut world, &consumer("ListPipelines", json!({}))).unwrap();
    assert_eq!(listed, json!({ "PipelineSummaries": [] }));
}

#[test]
fn a_pipeline_that_is_not_shared_is_denied_to_other_accounts() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let execution = start(&mut world, "start");
    for (operation, input) in [
        ("DescribePipeline", json!({ "PipelineName": CHURN })),
        ("ListPipelineExecutions", json!({ "PipelineName": CHURN })),
        (
            "StartPipelineExecution",
            json!({ "PipelineName": CHURN, "ClientRequestToken": token("x") }),
        ),
        (
            "DescribePipelineExecution",
            json!({ "PipelineExecutionArn": execution }),
        ),
        (
            "StopPipelineExecution",
            json!({ "PipelineExecutionArn": execution, "ClientRequestToken": token("x") }),
        ),
        ("AddTags", json!({ "ResourceArn": CHURN, "Tags": [] })),
    ] {
        let error = call(&mut world, &consumer(operation, input)).unwrap_err();
        assert_eq!(error.code, "AccessDeniedException");
        assert_eq!(error.status, 400);
        assert_eq!(
            error.message,
            format!(
                "User: arn:aws:sts::222222222222:assumed-role/engineer/ada is not authorized to \
                 perform: sagemaker:{operation} on resource: {CHURN} because no resource-based \
                 policy allows the sagemaker:{operation} action"
            )
        );
    }
    assert_eq!(status(&mut world, &execution), "Executing");
}

#[test]
fn another_account_does_not_learn_whether_a_pipeline_exists() {
    let input = json!({ "PipelineName": CHURN });
    let error = call(&mut world(), &consumer("DescribePipeline", input)).unwrap_err();
    assert_eq!(error.code, "AccessDeniedException");
}

#[test]
fn a_name_always_means_a_pipeline_of_the_callers_own_account() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let input = json!({ "PipelineName": "Churn" });
    let error = call(&mut world, &consumer("DescribePipeline", input)).unwrap_err();
    assert_eq!(error.code, "ResourceNotFound");
    assert!(
        error.message.contains(":222222222222:pipeline/Churn"),
        "{error}"
    );
}

#[test]
fn an_endpoint_does_not_know_pipelines_of_other_regions() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let input = json!({ "PipelineName": CHURN });
    let elsewhere = Call {
        region: "us-east-1".into(),
        ..owner("DescribePipeline", input)
    };
    assert_eq!(
        call(&mut world, &elsewhere).unwrap_err().code,
        "ResourceNotFound"
    );
}
