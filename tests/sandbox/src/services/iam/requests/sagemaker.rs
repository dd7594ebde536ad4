//! SageMaker's requests: pipelines and executions by their ARNs.

use super::{Wanted, action};
use crate::{
    services::sagemaker,
    world::{Call, World},
};

/// Operations that know no resource.
const WITHOUT_RESOURCE: &[&str] = &["ListPipelines", "Search"];

pub(super) fn requests(world: &World, call: &Call) -> Vec<Wanted> {
    let mut wanted = Wanted::new(action(call), resource(call));
    for (key, value) in sagemaker::tags_of(world, &wanted.resource) {
        wanted = wanted
            .with(&format!("aws:ResourceTag/{key}"), value.clone())
            .with(&format!("sagemaker:ResourceTag/{key}"), value);
    }
    for tag in call.input["Tags"].as_array().into_iter().flatten() {
        if let (Some(key), Some(value)) = (tag["Key"].as_str(), tag["Value"].as_str()) {
            wanted = wanted
                .with(&format!("aws:RequestTag/{key}"), value)
                .with("aws:TagKeys", key);
        }
    }
    let mut requests = vec![wanted];
    if matches!(call.operation.as_str(), "CreatePipeline" | "UpdatePipeline")
        && let Some(role) = call.text("RoleArn")
    {
        let pass = Wanted::new("iam:PassRole", role);
        requests.push(pass.with("iam:PassedToService", "sagemaker.amazonaws.com"));
    }
    requests
}

fn resource(call: &Call) -> String {
    if WITHOUT_RESOURCE.contains(&call.operation.as_str()) {
        return "*".to_owned();
    }
    let arns = ["PipelineExecutionArn", "PipelineArn", "ResourceArn"];
    if let Some(arn) = arns.iter().find_map(|member| call.text(member)) {
        return arn.to_owned();
    }
    match call.text("PipelineName") {
        Some(arn) if arn.starts_with("arn:") => arn.to_owned(),
        Some(name) => {
            let (region, account) = (&call.region, &call.caller.account);
            format!("arn:aws:sagemaker:{region}:{account}:pipeline/{name}")
        }
        None => "*".to_owned(),
    }
}
