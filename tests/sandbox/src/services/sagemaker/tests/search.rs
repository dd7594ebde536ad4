use super::*;

fn search(resource: &str, expression: &Value) -> Value {
    json!({ "Resource": resource, "SearchExpression": expression, "SortOrder": "Ascending" })
}

fn filter(name: &str, operator: &str, value: &str) -> Value {
    let mut filter = json!({ "Name": name, "Operator": operator });
    if !value.is_empty() {
        filter["Value"] = json!(value);
    }
    filter
}

/// The names of everything that the expression finds.
fn found(world: &mut World, resource: &str, expression: &Value) -> Vec<String> {
    let answer = ask(world, "Search", search(resource, expression));
    let results = answer["Results"].as_array().unwrap().iter();
    let name = |result: &Value| {
        let record = &result[resource];
        let name = record.get("PipelineName");
        let name = name.unwrap_or(&record["PipelineExecutionDisplayName"]);
        name.as_str().unwrap().to_owned()
    };
    results.map(name).collect()
}

/// The pipelines `Churn`, with a tag, and `Fraud`, and three executions of `Churn`.
fn stocked() -> World {
    let mut world = world();
    let parameters = json!([{ "Name": "Stage", "Type": "String", "DefaultValue": "none" },
        { "Name": "Epochs", "Type": "String", "DefaultValue": "none" }]);
    let steps = json!([{ "Name": "Train", "Type": "Training", "Arguments": {} }]);
    for name in ["Churn", "Fraud"] {
        create(
            &mut world,
            name,
            &definition(parameters.clone(), steps.clone()),
        );
        pass(&mut world, 10);
    }
    let tags = json!({ "ResourceArn": CHURN, "Tags": [{ "Key": "team", "Value": "risk" }] });
    ask(&mut world, "AddTags", tags);
    super::super::fail_step(&mut world, OWNER, "Churn", "Train", "No data.");
    for (name, stage, epochs) in [
        ("one", "test", "3"),
        ("two", "live", "5"),
        ("three", "", ""),
    ] {
        let mut input = json!({
            "PipelineName": "Churn",
            "ClientRequestToken": token(name),
            "PipelineExecutionDisplayName": name,
        });
        if !stage.is_empty() {
            input["PipelineParameters"] = json!([
                { "Name": "Stage", "Value": stage }, { "Name": "Epochs", "Value": epochs },
            ]);
        }
        ask(&mut world, "StartPipelineExecution", input);
        pass(&mut world, 70);
    }
    world
}

#[test]
fn every_operator_finds_what_it_says() {
    let mut world = stocked();
    let name = "PipelineExecutionDisplayName";
    for (filter, expected) in [
        (filter(name, "Equals", "two"), vec!["two"]),
        (filter(name, "NotEquals", "two"), vec!["one", "three"]),
        (filter(name, "Contains", "o"), vec!["one", "two"]),
        (filter(name, "In", "one,three"), vec!["one", "three"]),
        (filter("FailureReason", "Exists", ""), vec!["one"]),
        (
            filter("FailureReason", "NotExists", ""),
            vec!["two", "three"],
        ),
        (filter("FailureReason", "NotEquals", "x"), vec!["one"]),
        (
            filter("CreationTime", "GreaterThan", "2026-11-20T10:01:30"),
            vec!["three"],
        ),
        (
            filter(
                "CreationTime",
                "GreaterThanOrEqualTo",
                "2026-11-20T10:01:30Z",
            ),
            vec!["two", "three"],
        ),
        (
            filter("CreationTime", "LessThan", "2026-11-20T10:01:30Z"),
            vec!["one"],
        ),
        (
            filter("PipelineVersionId", "LessThanOrEqualTo", "0.5"),
            vec![],
        ),
        (
            filter("CreatedBy.IamIdentity.Arn", "Contains", OWNER),
            vec!["one", "two", "three"],
        ),
        (json!({ "Name": name, "Value": "two" }), vec!["two"]),
    ] {
        let expression = json!({ "Filters": [filter] });
        assert_eq!(
            found(&mut world, "PipelineExecution", &expression),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn expressions_are_joined_by_and_unless_they_say_or() {
    let mut world = stocked();
    let named = |name: &str| filter("PipelineExecutionDisplayName", "Equals", name);
    let succeeded = filter("PipelineExecutionStatus", "Equals", "Succeeded");
    let either = json!({ "Operator": "Or", "Filters": [named("one"), named("three")] });
    let both = json!({ "Filters": [succeeded], "SubExpressions": [either] });
    assert_eq!(
        found(&mut world, "PipelineExecution", &either),
        ["one", "three"]
    );
    assert_eq!(found(&mut world, "PipelineExecution", &both), ["three"]);
}

#[test]
fn nested_filters_must_all_hold_for_one_and_the_same_item() {
    let mut world = stocked();
    let mut with = |name: &str, value: &str| {
        let nested = json!({ "NestedPropertyName": "PipelineParameters", "Filters": [
            filter("PipelineParameters.Name", "Equals", name),
            filter("PipelineParameters.Value", "Equals", value),
        ] });
        found(
            &mut world,
            "PipelineExecution",
            &json!({ "NestedFilters": [nested] }),
        )
    };
    assert_eq!(with("Stage", "live"), ["two"]);
    assert!(with("Stage", "5").is_empty());
}

#[test]
fn pipelines_are_found_by_name_tag_and_last_run() {
    let mut world = stocked();
    for (filter, expected) in [
        (filter("PipelineName", "Contains", "rau"), "Fraud"),
        (filter("Tags.team", "Equals", "risk"), "Churn"),
        (filter("Tags.team", "NotExists", ""), "Fraud"),
        (filter("LastRunTime", "Exists", ""), "Churn"),
    ] {
        let expression = json!({ "Filters": [filter] });
        assert_eq!(
            found(&mut world, "Pipeline", &expression),
            [expected],
            "{expression}"
        );
    }
}

#[test]
fn results_are_sorted_paged_and_counted() {
    let mut world = stocked();
    let mut input = json!({
        "Resource": "PipelineExecution", "MaxResults": 2, "SortBy": "PipelineExecutionDisplayName",
    });
    let first = ask(&mut world, "Search", input.clone());
    input["NextToken"] = first["NextToken"].clone();
    let second = ask(&mut world, "Search", input);
    let results = [first["Results"].as_array(), second["Results"].as_array()];
    let names: Vec<&str> = results
        .into_iter()
        .flat_map(Option::unwrap)
        .map(|result| {
            result["PipelineExecution"]["PipelineExecutionDisplayName"]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(names, ["two", "three", "one"]);
    assert_eq!(
        first["TotalHits"],
        json!({ "Value": 3, "Relation": "EqualTo" })
    );
    assert_eq!(second.get("NextToken"), None);
}

#[test]
fn searches_that_make_no_sense_are_refused() {
    let contains = filter("PipelineArn", "Contains", "a");
    for expression in [
        json!({}),
        json!({ "Filters": [] }),
        json!({ "Filters": [{ "Name": "PipelineArn", "Operator": "Equals" }] }),
        json!({ "Filters": [filter("PipelineArn", "Like", "a")] }),
        json!({ "Filters": [filter("Colour", "Equals", "red")] }),
        json!({ "Filters": [filter("PipelineArn", "GreaterThan", "a")] }),
        json!({ "Filters": [filter("CreationTime", "In", "2026-11-20T10:00:00Z")] }),
        json!({ "Filters": [filter("CreationTime", "Equals", "yesterday")] }),
        json!({ "Filters": vec![filter("PipelineArn", "Exists", ""); 21] }),
        json!({ "Filters": [contains], "SubExpressions": [{ "Filters": [contains] }] }),
        json!({ "Filters": [contains], "Operator": "Xor" }),
        json!({ "NestedFilters": [{ "NestedPropertyName": "PipelineArn", "Filters": [contains] }] }),
    ] {
        let input = search("PipelineExecution", &expression);
        let error = refuse(&mut world(), "Search", input);
        assert_eq!(error.code, "ValidationException", "{expression}");
    }
    let error = refuse(&mut world(), "Search", json!({ "Resource": "Spaceship" }));
    assert_eq!(error.code, "ValidationException");
}
