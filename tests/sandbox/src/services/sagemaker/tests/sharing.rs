use super::*;

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
