//! Who was notified of what: read from the buses of the consumer accounts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sandbox::{World, services::ram, world::Caller};
use serde_json::{Value, json};

use crate::{
    estate::REGION,
    history::{Owner, Rule, Who},
    oracle::{PIPELINES, passes},
    people::{account_of, act, pipeline_arn},
};

/// Accounts that are notified by themselves.
const NOTIFIED: [Who; 3] = [Who::Dev, Who::Shared, Who::Partner];

/// A consumer account, a rule and an owner.
type Holding = (String, String, String);

/// What was sent to the buses of the consumers: account, detail type and detail.
fn sent(world: &World) -> impl Iterator<Item = (&str, &str, &Value)> {
    on_bus(world, "pipeshare")
}

fn on_bus<'w>(world: &'w World, bus: &str) -> impl Iterator<Item = (&'w str, &'w str, &'w Value)> {
    let seen = world.events().seen.iter();
    let ours = seen.filter(move |seen| seen.bus == bus && seen.region == REGION);
    ours.filter_map(|seen| {
        let detail_type = seen.event["detail-type"].as_str()?;
        Some((seen.account.as_str(), detail_type, &seen.event["detail"]))
    })
}

/// What reached a bus of a consumer more than once.
pub(crate) fn repeated(world: &World) -> Vec<String> {
    let mut counts: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for (account, _, detail) in sent(world) {
        if let Some(id) = detail["id"].as_str() {
            *counts.entry((account, id)).or_default() += 1;
        }
    }
    let twice = counts.into_iter().filter(|(_, count)| *count > 1);
    let twice =
        twice.map(|((account, id), count)| format!("{account} was sent {id} {count} times"));
    twice.collect()
}

/// Accounts that have, by a rule, something else than they were last notified of.
///
/// An account that no rule names any more and that lets nobody look, or nobody notify,
/// has `left`: of what it loses then, the hub alone is notified.
pub(crate) fn outdated(world: &mut World, rules: &[Rule], left: &BTreeSet<String>) -> Vec<String> {
    let mut notified = last_notified(world, "pipeshare");
    let hub = last_notified(world, "pipeshare-hub");
    for rule in rules {
        for who in NOTIFIED {
            let account = account_of(who).to_owned();
            let owner = rule.owner.id().to_owned();
            notified
                .entry((account, rule.name.clone(), owner))
                .or_default();
        }
    }
    let mut outdated = Vec::new();
    for (holding, notified) in notified {
        let known_to_hub = hub.get(&holding);
        let (account, name, owner) = holding;
        let rule = rules
            .iter()
            .find(|rule| rule.name == name && rule.owner.id() == owner);
        let Some(held) = held(world, rule, &account) else {
            continue;
        };
        let is_left_to_hub = left.contains(&account) && known_to_hub == Some(&held);
        if notified != held && !is_left_to_hub {
            outdated.push(format!(
                "{account} was notified of {notified:?} by {name} of {owner}, not {held:?}"
            ));
        }
    }
    outdated
}

/// What accounts have, as it was last told on buses of this name.
fn last_notified(world: &World, bus: &str) -> BTreeMap<Holding, BTreeSet<String>> {
    let mut notified = BTreeMap::new();
    for (_, detail_type, detail) in on_bus(world, bus) {
        if !["Pipelines Shared", "Pipelines Withdrawn"].contains(&detail_type) {
            continue;
        }
        let text = |member: &str| detail[member].as_str().unwrap_or_default().to_owned();
        let holding = (
            text("consumerAccountId"),
            text("rule"),
            text("ownerAccountId"),
        );
        let held = detail["pipelineArns"].as_array().into_iter().flatten();
        let held = held.filter_map(|arn| arn.as_str().map(str::to_owned));
        notified.insert(holding, held.collect());
    }
    notified
}

/// What an account has by a rule; none if the rule does not name the account itself,
/// but somebody in it or around it.
fn held(world: &mut World, rule: Option<&Rule>, account: &str) -> Option<BTreeSet<String>> {
    let mut held = BTreeSet::new();
    let Some(rule) = rule else {
        return Some(held);
    };
    let names = |who: &&Who| account_of(**who) == account;
    let plain = |who: &Who| NOTIFIED.contains(who);
    let indirect = [Who::Unit, Who::Organization, Who::Role];
    if rule.with.iter().any(|who| indirect.contains(who)) {
        return None;
    }
    if !rule.with.iter().find(names).is_some_and(plain) {
        return Some(held);
    }
    for name in PIPELINES {
        let arn = pipeline_arn(rule.owner.id(), name);
        let caller = Caller::administrator(account);
        if passes(world, rule, name)
            && ram::grants(world, &caller, "sagemaker:DescribePipeline", &arn)
        {
            held.insert(arn);
        }
    }
    Some(held)
}

/// Failed runs since then that accounts were not notified of, although a rule wants it.
pub(crate) fn missed(world: &mut World, rules: &[Rule], since: Timestamp) -> Vec<String> {
    let mut missed = Vec::new();
    for owner in [Owner::Test, Owner::Dev] {
        for name in PIPELINES {
            for run in failed(world, owner, name, since) {
                let wants = |rule: &&Rule| rule.notify && rule.names(owner, name);
                let who = rules.iter().filter(wants).flat_map(|rule| &rule.with);
                let who = who.filter(|who| NOTIFIED.contains(who));
                let accounts: BTreeSet<_> = who.map(|who| account_of(*who)).collect();
                for account in accounts {
                    let is_it = |(to, _, detail): (&str, &str, &Value)| {
                        to == account
                            && detail["pipelineExecutionArn"] == run.as_str()
                            && detail["status"] == "Failed"
                    };
                    if !sent(world).any(is_it) {
                        missed.push(format!("{account} was not notified that {run} has failed"));
                    }
                }
            }
        }
    }
    missed
}

fn failed(world: &mut World, owner: Owner, name: &str, since: Timestamp) -> Vec<String> {
    let named = json!({ "PipelineName": name, "MaxResults": 100 });
    let runs = act(world, owner.id(), "sagemaker:ListPipelineExecutions", named);
    let runs = runs.unwrap_or_default();
    let runs = runs["PipelineExecutionSummaries"]
        .as_array()
        .into_iter()
        .flatten();
    let since = since.as_duration().as_secs_f64();
    let failed = runs.filter(|run| {
        run["PipelineExecutionStatus"] == "Failed" && run["StartTime"].as_f64() >= Some(since)
    });
    failed
        .filter_map(|run| run["PipelineExecutionArn"].as_str().map(str::to_owned))
        .collect()
}
