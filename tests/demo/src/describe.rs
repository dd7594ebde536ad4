//! API calls in few words.

use sandbox::world::RecordedCall;
use serde_json::Value;

/// A call of a function that changes something, in few words; none for any other.
pub(crate) fn describe(call: &RecordedCall) -> Option<String> {
    let RecordedCall {
        service,
        operation,
        input,
        ..
    } = call;
    let what = match operation.as_str() {
        "CreateResourceShare" => format!(
            "{} with {}",
            text(&input["name"]),
            last(&input["permissionArns"][0])
        ),
        "AssociateResourceShare" | "DisassociateResourceShare" => {
            let resources = items(&input["resourceArns"]);
            let principals = items(&input["principals"]);
            resources
                .chain(principals)
                .map(last)
                .collect::<Vec<_>>()
                .join(", ")
        }
        "AcceptResourceShareInvitation" => String::new(),
        "StartPipelineExecution" => last(&input["PipelineName"]),
        "PutEvents" => {
            let detail = text(&input["Entries"][0]["Detail"]);
            let detail: Value = serde_json::from_str(&detail).unwrap_or_default();
            text(&detail["subject"])
        }
        "Publish" => text(&input["Subject"]),
        _ => return None,
    };
    Some(format!("{service}:{operation} {what}").trim().to_owned())
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn last(value: &Value) -> String {
    let text = text(value);
    text.rsplit('/').next().unwrap_or_default().to_owned()
}

/// A call of anybody that changes something, in few words; none for one that only looks.
pub(crate) fn describe_change(call: &RecordedCall) -> Option<String> {
    let RecordedCall {
        service,
        operation,
        input,
        ..
    } = call;
    // What functions remember, what queues hold and who takes which role
    // changes nothing that an account's people would see.
    if ["dynamodb", "sqs", "sts"].contains(&service.as_str()) || only_looks(operation) {
        return None;
    }
    describe(call).or_else(|| {
        let about = SUBJECTS.iter().find_map(|member| input[*member].as_str());
        let what = format!("{service}:{operation} {}", about.unwrap_or_default());
        Some(what.trim().to_owned())
    })
}

/// The members that say what a call is about; the first one counts.
const SUBJECTS: [&str; 7] = [
    "PipelineExecutionArn",
    "PipelineName",
    "name",
    "Name",
    "resourceShareArn",
    "resourceShareInvitationArn",
    "FunctionName",
];

fn only_looks(operation: &str) -> bool {
    let verbs = ["Describe", "Get", "List", "Search", "Test"];
    verbs.iter().any(|verb| operation.starts_with(verb))
}

#[cfg(test)]
mod tests {
    use sandbox::world::Caller;
    use serde_json::json;

    use super::*;

    fn described(service: &str, operation: &str, input: Value) -> Option<String> {
        describe_change(&RecordedCall {
            time: "2026-01-05T09:00:00Z".parse().unwrap(),
            caller: Caller::administrator("111111111111"),
            region: "us-east-1".to_owned(),
            service: service.to_owned(),
            operation: operation.to_owned(),
            input,
            error: None,
        })
    }

    #[test]
    fn a_change_is_told_with_what_it_is_about() {
        let input = json!({ "PipelineName": "churn", "RoleArn": "r" });
        let what = described("sagemaker", "CreatePipeline", input);
        assert_eq!(what.unwrap(), "sagemaker:CreatePipeline churn");
        let input = json!({ "principals": ["333333333333"], "resourceArns": ["a:pipeline/churn"] });
        let what = described("ram", "AssociateResourceShare", input);
        assert_eq!(
            what.unwrap(),
            "ram:AssociateResourceShare churn, 333333333333"
        );
    }

    #[test]
    fn what_only_looks_or_only_remembers_is_not_told() {
        let input = json!({ "PipelineName": "churn" });
        assert_eq!(described("sagemaker", "DescribePipeline", input), None);
        assert_eq!(described("dynamodb", "PutItem", json!({})), None);
        assert_eq!(described("sts", "AssumeRole", json!({})), None);
    }
}
