//! What all rules, and what RAM holds, come to.

use std::collections::BTreeSet;

use super::{
    super::{
        Pipeline,
        changes::holdings::{Access, Index},
    },
    Explanation, Knowledge, State, Verdict,
    chain::Chain,
};
use crate::id::{AccountId, Principal};

/// The verdict about a pipeline that there is. What RAM holds decides whether
/// there is access, and the nearest rule says what is missing.
pub(super) fn of(
    knowledge: Knowledge<'_>,
    pipeline: &Pipeline,
    account: &AccountId,
    chains: &[Chain<'_>],
) -> Explanation {
    let (verdict, text) = held(knowledge, pipeline, account, chains)
        .or_else(|| chains.first().map(|nearest| foreseen(nearest)))
        .unwrap_or_else(|| (Verdict::No, "no: no rule names it".to_owned()));
    Explanation::bare(verdict, text)
}

/// What the account, or somebody in it, may do by the shares that there are.
fn held(
    knowledge: Knowledge<'_>,
    pipeline: &Pipeline,
    account: &AccountId,
    chains: &[Chain<'_>],
) -> Option<(Verdict, String)> {
    let index = Index::of(knowledge.observed);
    let sharing = index.sharing(&knowledge.observed.shares);
    let number = index.number(&pipeline.arn)?;
    let principals: BTreeSet<&str> = sharing.principals().collect();
    let mut found: Vec<_> = principals
        .into_iter()
        .filter_map(|text| {
            let principal: Principal = text.parse().ok()?;
            (principal.account() == Some(account)).then_some(())?;
            let access = Access::of(sharing.of(text).get(&number)?);
            let held = access.held.iter().filter(|it| !it.pending);
            let words: Vec<_> = held.map(|it| it.access.as_str()).collect();
            let said = (!words.is_empty()).then(|| words.join(" and "))?;
            Some((principal, format!("{said}{}", by(&access, chains))))
        })
        .collect();
    // The account itself before those in it.
    found.sort();
    let (principal, said) = found.into_iter().next()?;
    Some(match principal {
        Principal::Account(_) => (Verdict::Yes, format!("yes: {said}")),
        other => {
            let who = other.as_str();
            (Verdict::Partly, format!("partly: {said}, for {who} alone"))
        }
    })
}

/// By which rules there is access, and whether it stays.
fn by(access: &Access, chains: &[Chain<'_>]) -> String {
    let gives = |chain: &&Chain<'_>| access.rules.contains(chain.rule.name.as_str());
    let names: BTreeSet<_> = chains
        .iter()
        .filter(gives)
        .map(|it| &it.rule.name)
        .collect();
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let stays = chains
        .iter()
        .filter(gives)
        .any(|it| it.state() < State::Missing);
    match (names.as_slice(), stays) {
        ([], _) => ", by a share that no rule in force asks for".to_owned(),
        (names, true) => format!(", by rule {}", names.join(" and ")),
        (names, false) => format!(
            ", by rule {}, which does not give it any more; the next reconciliation takes it away",
            names.join(" and ")
        ),
    }
}

/// What the nearest rule leads to.
fn foreseen(nearest: &Chain<'_>) -> (Verdict, String) {
    let name = &nearest.rule.name;
    let access = nearest.rule.access.as_str();
    let Some(obstacle) = nearest.obstacle() else {
        return (Verdict::No, "no: no rule names it".to_owned());
    };
    let why = format!("{}: {}", obstacle.about, obstacle.text);
    match obstacle.state {
        State::Missing if ["pipelines", "with", "until"].contains(&obstacle.about) => (
            Verdict::No,
            format!("no: no rule gives it; the nearest is {name}: {why}"),
        ),
        State::Missing => (
            Verdict::No,
            format!("no: rule {name} gives {access}, but {why}"),
        ),
        State::Waiting => (
            Verdict::NotYet,
            format!("not yet: {access}, by rule {name}: {why}"),
        ),
        State::Open | State::Ok => (
            Verdict::Perhaps,
            format!("perhaps: {access}, by rule {name}: {why}"),
        ),
    }
}
