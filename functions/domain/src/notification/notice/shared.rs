//! What is said of pipelines that an account can use.

use std::fmt::Write;

use serde_json::json;

use super::{
    Notice, digest, notice,
    subject::{Part, subject},
};
use crate::{
    id::{AccountId, PipelineArn, ShareArn},
    notification::SHARED_DETAIL_TYPE,
    policy::{Access, Policy, Rule},
};

/// How many pipelines a message lists: a share may hold thousands, and an
/// event weighs at most 256 KB.
const MAX_LISTED: usize = 100;

/// Pipelines that an account can use now.
#[derive(Debug, Clone, Copy)]
pub struct SharedPipelines<'a> {
    /// The share that holds them.
    pub share: &'a ShareArn,
    /// The rule that it serves.
    pub rule: &'a Rule,
    /// The account that can use them.
    pub consumer: &'a AccountId,
    /// All pipelines of the share, in order.
    pub pipelines: &'a [PipelineArn],
}

/// Says which pipelines an account can use now, with the ARNs that it needs to do so.
///
/// Neither Studio nor `ListPipelines` shows shared pipelines, so the ARNs are
/// what a consumer waits for.
#[must_use]
pub fn shared_notice(policy: &Policy, shared: &SharedPipelines<'_>) -> Notice {
    let SharedPipelines {
        share,
        rule,
        consumer,
        pipelines,
    } = shared;
    let owner = policy.display_name(&rule.owner);
    let name = policy.display_name(consumer);
    let access = match &rule.access {
        Access::Read => "see",
        Access::Execute => "see and run",
        Access::Permission(_) => "use",
    };
    let subject = subject(&[
        Part::Name(name),
        Part::Kept(" can "),
        Part::Kept(access),
        Part::Kept(" pipelines of "),
        Part::Name(owner),
    ]);
    let mut text = format!(
        "{name} ({consumer}) can {access} these pipelines of {owner} ({}), by rule {}:\n",
        rule.owner, rule.name
    );
    let arns = pipelines.iter().map(PipelineArn::as_str);
    let listed: Vec<_> = arns.clone().take(MAX_LISTED).collect();
    for arn in &listed {
        let _ = writeln!(text, "  {arn}");
    }
    if pipelines.len() > listed.len() {
        let _ = writeln!(
            text,
            "  and {} more; all of them: aws ram list-resources --resource-owner OTHER-ACCOUNTS \
             --resource-share-arns {share}",
            pipelines.len() - listed.len()
        );
    }
    let what = digest(&arns.collect::<Vec<_>>().join("\n"));
    let detail = json!({
        "shareArn": share,
        "rule": rule.name,
        "ownerAccountId": rule.owner,
        "consumerAccountId": consumer,
        "access": access,
        "pipelineArns": listed,
        "pipelineCount": pipelines.len(),
    });
    let id = format!("{share}|{consumer}|{what}");
    notice(SHARED_DETAIL_TYPE, id, &subject, &text, detail)
}
