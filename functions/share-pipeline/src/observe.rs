//! Reads an owner account: its pipelines, its shares, and what was proved.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    id::{AccountId, PermissionArn},
    policy::{Place, Policy},
    sharing::{self, Added, Flaw, Lookalike, Observed, Pipeline, Plan, Questions},
    storage,
};
use futures::{StreamExt, TryStreamExt, stream};
use runtime::{
    Error,
    ports::{PolicyStore, Table},
    reconcile::remembered_gates,
};

use crate::ports::{Asking, Ram, SageMaker};

/// How many questions are put to an account at once.
const QUESTIONS_AT_ONCE: usize = 8;

/// The accounts that shares were made in, also those that the policy has forgotten since.
pub(crate) async fn remembered_owners(table: &impl Table) -> Result<BTreeSet<AccountId>, Error> {
    let items = table.list(storage::OWNERS).await?;
    let accounts = items.iter().filter_map(|item| item.sk.parse().ok());
    Ok(accounts.collect())
}

/// Observes an account as far as a plan needs it.
pub(crate) async fn observe(
    hub: &(impl PolicyStore + Table),
    accounts: &(impl Ram + SageMaker),
    policy: &Policy,
    account: &AccountId,
    asking: Asking,
) -> Result<Observed, Error> {
    let all = |questions| questions;
    observe_asking(hub, accounts, policy, account, asking, all).await
}

/// Observes an account as far as the access to one pipeline needs it.
pub(crate) async fn observe_one(
    hub: &(impl PolicyStore + Table),
    accounts: &(impl Ram + SageMaker),
    policy: &Policy,
    account: &AccountId,
    pipeline: &str,
) -> Result<Observed, Error> {
    let is_meant = |it: &Pipeline| it.arn.name().eq_ignore_ascii_case(pipeline);
    let about_it = |mut questions: Questions| {
        questions.succeeded.retain(is_meant);
        questions
    };
    observe_asking(hub, accounts, policy, account, Asking::OnEvent, about_it).await
}

/// What is there, with the answers to some of the questions: what is in shares is read
/// meanwhile.
async fn observe_asking(
    hub: &(impl PolicyStore + Table),
    accounts: &(impl Ram + SageMaker),
    policy: &Policy,
    account: &AccountId,
    asking: Asking,
    some: impl FnOnce(Questions) -> Questions,
) -> Result<Observed, Error> {
    let proving = async {
        let observed = without_shares(hub, accounts, policy, account, asking).await?;
        let questions = some(sharing::questions(policy, &observed));
        asked(accounts, observed, questions, asking).await
    };
    let (mut observed, shares) = futures::try_join!(proving, accounts.shares(account))?;
    observed.shares = shares;
    Ok(observed)
}

/// The pipelines, and what was proved about them.
async fn without_shares(
    hub: &(impl PolicyStore + Table),
    accounts: &impl SageMaker,
    policy: &Policy,
    account: &AccountId,
    asking: Asking,
) -> Result<Observed, Error> {
    let remembered = remembered_gates(hub, policy, account);
    let listed = accounts.pipelines(account);
    let evidence_first = asking == Asking::OnSchedule;
    let (evidence, pipelines) = if evidence_first {
        (remembered.await?, listed.await?)
    } else {
        // Somebody waits: what is over is found by the schedule.
        futures::try_join!(remembered, listed)?
    };
    let Place { region, partition } = hub.place().clone();
    Ok(Observed {
        account: account.clone(),
        region,
        partition,
        at: hub.time(),
        pipelines,
        shares: Vec::new(),
        lookalikes: Vec::new(),
        evidence,
        evidence_first,
        proved: Vec::new(),
        flaws: BTreeMap::new(),
    })
}

/// The same with the answers to the questions.
async fn asked(
    accounts: &(impl Ram + SageMaker),
    mut observed: Observed,
    questions: Questions,
    asking: Asking,
) -> Result<Observed, Error> {
    let account = &observed.account;
    let (proved, flaws) = futures::try_join!(
        succeeded(accounts, account, questions.succeeded, asking),
        flaws(accounts, account, questions.permissions),
    )?;
    observed.prove(proved);
    observed.flaws = flaws;
    Ok(observed)
}

/// The shares that have the names of those that the plan creates, and are not ours.
pub(crate) async fn lookalikes(ram: &impl Ram, plan: &Plan) -> Result<Vec<Lookalike>, Error> {
    let names: BTreeSet<_> = plan.created().map(|new| new.name.as_str()).collect();
    ram.lookalikes(&plan.account, &names).await
}

/// Whether a pipeline that came into a share has been recreated meanwhile.
pub(crate) async fn is_another(
    sagemaker: &impl SageMaker,
    account: &AccountId,
    added: Option<&Added>,
) -> Result<bool, Error> {
    let Some(added) = added else {
        return Ok(false);
    };
    let newer = sagemaker.pipelines_since(account, added.since()).await?;
    Ok(added.is_another_among(&newer))
}

/// Those of the pipelines that have an execution which succeeded.
async fn succeeded(
    sagemaker: &impl SageMaker,
    account: &AccountId,
    pipelines: Vec<Pipeline>,
    asking: Asking,
) -> Result<Vec<Pipeline>, Error> {
    let succeeded = stream::iter(pipelines)
        .map(async |pipeline| {
            let has = sagemaker.has_succeeded(account, &pipeline, asking).await?;
            Ok::<_, Error>(has.then_some(pipeline))
        })
        .buffer_unordered(QUESTIONS_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(succeeded.into_iter().flatten().collect())
}

/// What is wrong with the permissions.
async fn flaws(
    ram: &impl Ram,
    account: &AccountId,
    permissions: BTreeSet<PermissionArn>,
) -> Result<BTreeMap<PermissionArn, Flaw>, Error> {
    let flaws = stream::iter(permissions)
        .map(async |permission| {
            let flaw = ram.flaw_of(account, &permission).await?;
            Ok::<_, Error>(flaw.map(|flaw| (permission, flaw)))
        })
        .buffer_unordered(QUESTIONS_AT_ONCE)
        .try_collect::<Vec<_>>()
        .await?;
    Ok(flaws.into_iter().flatten().collect())
}
