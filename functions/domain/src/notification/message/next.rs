//! What people can do next, with the command for it.

use std::fmt::Write;

use serde::Serialize;
use serde_json::{Value, json};

use crate::{
    execution::Execution,
    id::{ExecutionArn, PipelineArn},
    policy::{Access, Policy, Rule},
    status::ExecutionStatus,
};

/// How many of those who may do something are named.
const MOST_NAMED: usize = 10;

/// Something that people can do, for whoever copies commands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NextStep {
    /// What it does, and in which accounts.
    title: String,
    /// A command of the AWS CLI.
    command: String,
}

/// What can be done about an execution in its status.
pub(super) fn of_execution(policy: &Policy, execution: &Execution) -> Vec<NextStep> {
    let arn = &execution.arn;
    let mut steps = vec![NextStep {
        title: "See its steps".to_owned(),
        command: of_run("list-pipeline-execution-steps", arn),
    }];
    let (title, operation) = match execution.status {
        ExecutionStatus::Failed | ExecutionStatus::Stopped => {
            ("Retry it", "retry-pipeline-execution")
        }
        ExecutionStatus::Executing => ("Stop it", "stop-pipeline-execution"),
        _ => return steps,
    };
    steps.push(NextStep {
        title: format!("{title}, in {}", runners(policy, execution)),
        command: of_run(operation, arn),
    });
    steps
}

/// What can be done with a pipeline that an account has got access to.
pub(super) fn of_access(pipeline: &PipelineArn, access: &Access) -> Vec<NextStep> {
    let mut steps = vec![NextStep {
        title: format!("See the executions of {}", pipeline.name()),
        command: of_pipeline("list-pipeline-executions", pipeline),
    }];
    if *access == Access::Execute {
        steps.push(NextStep {
            title: format!("Start {}", pipeline.name()),
            command: of_pipeline("start-pipeline-execution", pipeline),
        });
    }
    steps
}

/// Appends a paragraph: each step with its command on a line of its own.
pub(super) fn write(text: &mut String, steps: &[NextStep]) {
    text.push('\n');
    for NextStep { title, command } in steps {
        let _ = writeln!(text, "{title}:\n  {command}");
    }
    text.push('\n');
}

/// The steps as data.
pub(super) fn data(steps: &[NextStep]) -> Value {
    json!(steps)
}

fn of_run(operation: &str, execution: &ExecutionArn) -> String {
    let region = execution.region();
    format!("aws sagemaker {operation} --pipeline-execution-arn {execution} --region {region}")
}

fn of_pipeline(operation: &str, pipeline: &PipelineArn) -> String {
    let region = pipeline.region();
    format!("aws sagemaker {operation} --pipeline-name {pipeline} --region {region}")
}

/// The accounts that may run the pipeline: its owner, and those with access `execute`.
fn runners(policy: &Policy, execution: &Execution) -> String {
    let owner = execution.arn.account();
    let covers = |rule: &&Rule| {
        rule.access == Access::Execute && rule.pipelines.matches(execution.pipeline.name())
    };
    let rules = policy.rules_of(owner).filter(covers);
    let principals = rules.flat_map(|rule| &rule.with);
    let mut named = vec![format!("{} ({owner})", policy.display_name(owner))];
    for principal in principals {
        let name = match policy.name_of_principal(principal.as_str()) {
            Some(name) => format!("{name} ({principal})"),
            None => principal.to_string(),
        };
        if !named.contains(&name) {
            named.push(name);
        }
    }
    let more = named.len().saturating_sub(MOST_NAMED);
    named.truncate(MOST_NAMED);
    if more > 0 {
        named.push(format!("{more} more"));
    }
    let last = named.pop().unwrap_or_default();
    if named.is_empty() {
        last
    } else {
        format!("{} or {last}", named.join(", "))
    }
}
