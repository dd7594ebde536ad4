use super::*;
use crate::readings::ManagedPipelines;

/// The texts of this member of all items, page by page.
fn pages(
    world: &mut World,
    operation: &str,
    mut input: Value,
    list: &str,
    member: &str,
) -> Vec<Vec<String>> {
    let mut pages = Vec::new();
    loop {
        let answer = ask(world, operation, input.clone());
        let items = answer[list].as_array().unwrap().iter();
        let text = |item: &Value| item[member].as_str().unwrap().to_owned();
        pages.push(items.map(text).collect());
        match answer.get("NextToken") {
            Some(token) => input["NextToken"] = token.clone(),
            None => return pages,
        }
    }
}

fn names(world: &mut World, input: Value) -> Vec<Vec<String>> {
    pages(
        world,
        "ListPipelines",
        input,
        "PipelineSummaries",
        "PipelineName",
    )
}

fn three_pipelines() -> World {
    let mut world = world();
    for name in ["churn-b", "Fraud", "churn-a"] {
        create(&mut world, name, &chain());
        pass(&mut world, 60);
    }
    world
}

#[test]
fn pipelines_are_listed_newest_first_in_pages() {
    let mut world = three_pipelines();
    let listed = names(&mut world, json!({ "MaxResults": 2 }));
    assert_eq!(listed, [vec!["churn-a", "Fraud"], vec!["churn-b"]]);
}

#[test]
fn without_a_wish_a_page_has_ten_pipelines() {
    let mut world = world();
    for number in 0..11 {
        create(&mut world, &format!("p{number}"), &chain());
    }
    let sizes: Vec<usize> = names(&mut world, json!({})).iter().map(Vec::len).collect();
    assert_eq!(sizes, [10, 1]);
}

#[test]
fn pipelines_are_sorted_and_filtered_as_asked() {
    let mut world = three_pipelines();
    for (input, expected) in [
        (
            json!({ "SortBy": "Name", "SortOrder": "Ascending" }),
            vec!["churn-a", "churn-b", "Fraud"],
        ),
        (
            json!({ "SortOrder": "Ascending" }),
            vec!["churn-b", "Fraud", "churn-a"],
        ),
        (
            json!({ "PipelineNamePrefix": "churn" }),
            vec!["churn-a", "churn-b"],
        ),
        (
            json!({ "CreatedAfter": 1_795_168_800.0 }),
            vec!["churn-a", "Fraud"],
        ),
        (json!({ "CreatedBefore": 1_795_168_860 }), vec!["churn-b"]),
    ] {
        assert_eq!(names(&mut world, input.clone()), [expected], "{input}");
    }
}

#[test]
fn pipelines_that_aws_manages_are_listed_for_whoever_asks() {
    let mut world = three_pipelines();
    let made = "2026-01-01T00:00:00Z".parse().unwrap();
    world.sagemaker.managed.insert("Evaluate".to_owned(), made);
    let by_name = |managed_by: Option<&str>| {
        let mut input = json!({ "SortBy": "Name", "SortOrder": "Ascending" });
        if let Some(managed_by) = managed_by {
            input["ManagedBy"] = managed_by.into();
        }
        input
    };
    let own = ["churn-a", "churn-b", "Fraud"];
    assert_eq!(names(&mut world, by_name(None)), [own]);
    assert_eq!(names(&mut world, by_name(Some("CUSTOMER"))), [own]);
    assert_eq!(names(&mut world, by_name(Some("AWS"))), [["Evaluate"]]);
    world.readings.managed_pipelines = ManagedPipelines::Unasked;
    let all = vec!["churn-a", "churn-b", "Evaluate", "Fraud"];
    assert_eq!(names(&mut world, by_name(None)), [all]);
    assert_eq!(names(&mut world, by_name(Some("CUSTOMER"))), [own]);
}

#[test]
fn other_accounts_and_regions_list_their_own_pipelines() {
    let mut world = three_pipelines();
    let elsewhere = Call {
        region: "us-east-1".into(),
        ..owner("ListPipelines", json!({}))
    };
    for call in [elsewhere, consumer("ListPipelines", json!({}))] {
        let answer = super::call(&mut world, &call).unwrap();
        assert_eq!(answer, json!({ "PipelineSummaries": [] }));
    }
}

#[test]
fn pages_and_orders_that_the_model_does_not_know_are_refused() {
    for input in [
        json!({ "MaxResults": 0 }),
        json!({ "MaxResults": 101 }),
        json!({ "SortBy": "Age" }),
        json!({ "SortOrder": "Up" }),
        json!({ "ManagedBy": "ME" }),
        json!({ "ManagedBy": "" }),
        json!({ "NextToken": "forged" }),
    ] {
        let error = refuse(&mut world(), "ListPipelines", input.clone());
        assert_eq!(error.code, "ValidationException", "{input}");
    }
}

#[test]
fn executions_are_listed_newest_first_by_name_and_by_arn() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let first = start(&mut world, "first");
    let second = start(&mut world, "second");
    pass(&mut world, 60);
    let third = start(&mut world, "third");
    for name in ["Churn", CHURN] {
        let listed = pages(
            &mut world,
            "ListPipelineExecutions",
            json!({ "PipelineName": name, "MaxResults": 2 }),
            "PipelineExecutionSummaries",
            "PipelineExecutionArn",
        );
        assert_eq!(
            listed,
            [vec![third.clone(), second.clone()], vec![first.clone()]]
        );
    }
    let input = json!({ "PipelineName": "Churn", "CreatedAfter": 1_795_168_800 });
    let recent = ask(&mut world, "ListPipelineExecutions", input);
    assert_eq!(
        recent["PipelineExecutionSummaries"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(
        recent["PipelineExecutionSummaries"][0]["StartTime"],
        1_795_168_860
    );
    assert_eq!(
        recent["PipelineExecutionSummaries"][0]["PipelineExecutionStatus"],
        "Executing"
    );
}

#[test]
fn the_summary_of_a_failed_execution_says_that_a_step_failed() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    super::super::fail_step(&mut world, OWNER, "Churn", "Prepare", "No data.");
    start(&mut world, "start");
    pass(&mut world, 60);
    let listed = ask(
        &mut world,
        "ListPipelineExecutions",
        json!({ "PipelineName": "Churn" }),
    );
    assert_eq!(
        listed["PipelineExecutionSummaries"][0]["PipelineExecutionFailureReason"],
        "Step failure: One or multiple steps failed."
    );
}

#[test]
fn steps_are_listed_newest_first_in_pages() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let arn = start(&mut world, "start");
    pass(&mut world, 120);
    let listed = pages(
        &mut world,
        "ListPipelineExecutionSteps",
        json!({ "PipelineExecutionArn": arn, "MaxResults": 1 }),
        "PipelineExecutionSteps",
        "StepName",
    );
    assert_eq!(listed, [["Train"], ["Prepare"]]);
}

#[test]
fn versions_are_listed_with_their_last_execution_and_can_be_described() {
    let mut world = world();
    create(&mut world, "Churn", &chain());
    let first = start(&mut world, "start");
    let update = json!({ "PipelineName": "Churn", "PipelineDefinition": chain().to_string() });
    ask(&mut world, "UpdatePipeline", update);
    let describe = json!({
        "PipelineArn": CHURN,
        "PipelineVersionId": 2,
        "PipelineVersionDisplayName": "candidate",
    });
    ask(&mut world, "UpdatePipelineVersion", describe);
    let listed = ask(
        &mut world,
        "ListPipelineVersions",
        json!({ "PipelineName": CHURN }),
    );
    let versions = &listed["PipelineVersionSummaries"];
    assert_eq!(versions[0]["PipelineVersionId"], 2);
    assert_eq!(versions[0]["PipelineVersionDisplayName"], "candidate");
    assert_eq!(versions[0].get("LastExecutionPipelineExecutionArn"), None);
    assert_eq!(versions[1]["PipelineVersionId"], 1);
    assert_eq!(versions[1]["LastExecutionPipelineExecutionArn"], first);
}
