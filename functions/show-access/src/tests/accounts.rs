//! Owner accounts in memory, whose calls take time that nobody waits for.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
    future::poll_fn,
    pin::pin,
    task::{Poll, Waker},
};

use domain::{
    ceiling::Ceiling,
    execution::{Details, Execution},
    id::{AccountId, ExecutionArn, PipelineArn},
    policy::Policy,
    sharing::{Pipeline, Share},
};
use jiff::Timestamp;
use model::{Account, Failure, Model, OWNER};
use runtime::Error;

use crate::ports::Owners;

/// How many items a page of AWS's lists has.
const PAGE: usize = 100;

/// One owner account, of which every call that is made is counted.
pub(super) struct Fake {
    pub(super) account: RefCell<Account>,
    runs: RefCell<BTreeMap<PipelineArn, Vec<(ExecutionArn, Details)>>>,
    pub(super) ceiling: RefCell<Result<Ceiling, Failure>>,
    /// The operations that were called, in order.
    pub(super) calls: RefCell<Vec<&'static str>>,
    /// How often all calls under way were answered.
    round: Cell<usize>,
    /// Whether somebody counts that; calls are answered at once otherwise.
    counts: Cell<bool>,
    /// Who waits for the next round.
    waiting: RefCell<Vec<Waker>>,
    /// How many calls are under way, and were at most.
    under_way: Cell<usize>,
    pub(super) most_under_way: Cell<usize>,
}

impl Default for Fake {
    fn default() -> Self {
        let ceiling = r#"{ "allowedPrincipals": ["111111111111", "333333333333", "444444444444"],
            "allowedAccess": "execute", "allowedPermissions": [], "shareNamePrefix": "pipeshare-" }"#;
        Self {
            account: RefCell::new(Account::new(OWNER)),
            runs: RefCell::default(),
            ceiling: RefCell::new(Ok(ceiling.parse().unwrap())),
            calls: RefCell::default(),
            round: Cell::new(0),
            counts: Cell::new(false),
            waiting: RefCell::default(),
            under_way: Cell::new(0),
            most_under_way: Cell::new(0),
        }
    }
}

impl Fake {
    /// Creates pipelines and shares them by the policy in force.
    pub(super) fn share(&self, policy: &str, pipelines: &[String]) {
        let mut model = Model::new();
        for pipeline in pipelines {
            model.create_pipeline(pipeline);
        }
        if let Ok(policy) = Policy::parse(policy) {
            model.converge(&policy);
        }
        self.account.replace(model.account);
    }

    /// A run of a pipeline; the lower its number, the newer.
    pub(super) fn run(&self, pipeline: &str, number: usize, details: Details) {
        let arn = format!("arn:aws:sagemaker:us-east-1:{OWNER}:pipeline/{pipeline}");
        let execution = format!("{arn}/execution/run{number:09}").parse().unwrap();
        let mut runs = self.runs.borrow_mut();
        let runs = runs.entry(arn.parse().unwrap()).or_default();
        runs.push((execution, details));
    }

    /// How often an operation was called.
    pub(super) fn count_of(&self, operation: &str) -> usize {
        let calls = self.calls.borrow();
        calls.iter().filter(|called| **called == operation).count()
    }

    /// What a future comes to, and in how many rounds of calls: all that are
    /// under way are answered at once.
    pub(super) async fn in_rounds<T>(&self, future: impl Future<Output = T>) -> (T, usize) {
        let before = self.round.get();
        self.counts.set(true);
        let mut future = pin!(future);
        let result = poll_fn(|context| {
            self.round.set(self.round.get() + 1);
            self.waiting.take().iter().for_each(Waker::wake_by_ref);
            let polled = future.as_mut().poll(context);
            if !self.waiting.borrow().is_empty() {
                context.waker().wake_by_ref();
            }
            polled
        });
        let result = result.await;
        self.counts.set(false);
        (result, self.round.get() - before)
    }

    /// A call that takes so many rounds, one for each of its pages.
    async fn call(&self, operation: &'static str, pages: usize) -> Result<(), Error> {
        self.calls.borrow_mut().push(operation);
        self.under_way.set(self.under_way.get() + 1);
        let most = self.most_under_way.get().max(self.under_way.get());
        self.most_under_way.set(most);
        let end = self.round.get() + pages;
        poll_fn(|context| {
            if self.counts.get() && self.round.get() < end {
                self.waiting.borrow_mut().push(context.waker().clone());
                return Poll::Pending;
            }
            Poll::Ready(())
        })
        .await;
        self.under_way.set(self.under_way.get() - 1);
        let failure = self.account.borrow_mut().failures.take(operation);
        failure.map_or(Ok(()), |failure| Err(error(&failure)))
    }

    fn known(&self, execution: &ExecutionArn) -> Option<Details> {
        let runs = self.runs.borrow();
        let mut runs = runs.values().flatten();
        runs.find(|(arn, _)| arn == execution)
            .map(|(_, details)| details.clone())
    }
}

fn error(failure: &Failure) -> Error {
    failure.error("sagemaker", Some(&OWNER.parse().unwrap()))
}

impl Owners for &Fake {
    async fn pipelines(&self, owner: &AccountId) -> Result<Vec<Pipeline>, Error> {
        let all = self.account.borrow().pipelines.clone();
        self.call("ListPipelines", all.len().div_ceil(PAGE).max(1))
            .await?;
        let is_it = self.account.borrow().id == *owner;
        Ok(if is_it { all } else { Vec::new() })
    }

    async fn shares(&self, owner: &AccountId) -> Result<Vec<Share>, Error> {
        let shares = self.account.borrow().shares.clone();
        // The list, then what is in them and their permissions, four at once.
        let pages = 1 + shares.len().div_ceil(4).max(1);
        self.call("GetResourceShares", pages).await?;
        let is_it = self.account.borrow().id == *owner;
        Ok(if is_it { shares } else { Vec::new() })
    }

    async fn ceiling(&self, _owner: &AccountId) -> Result<Ceiling, Error> {
        self.call("GetParameter", 1).await?;
        let ceiling = self.ceiling.borrow().clone();
        ceiling.map_err(|failure| error(&failure))
    }

    async fn newest_runs(
        &self,
        _owner: &AccountId,
        pipeline: &PipelineArn,
        since: Timestamp,
        most: u8,
    ) -> Result<Vec<Execution>, Error> {
        self.call("ListPipelineExecutions", 1).await?;
        let runs = self.runs.borrow();
        let runs = runs.get(pipeline).into_iter().flatten();
        let runs = runs.filter(|(_, details)| details.started.is_none_or(|it| it >= since));
        let execution = |(arn, details): &(ExecutionArn, Details)| Execution {
            arn: arn.clone(),
            pipeline: pipeline.clone(),
            status: details.status.clone(),
            display_name: details.display_name.clone(),
            started: details.started,
        };
        Ok(runs.take(usize::from(most)).map(execution).collect())
    }

    async fn described(
        &self,
        _owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Details, Error> {
        self.call("DescribePipelineExecution", 1).await?;
        let details = self.known(execution).unwrap();
        Ok(Details {
            failed_steps: Vec::new(),
            ..details
        })
    }

    async fn explained(
        &self,
        _owner: &AccountId,
        execution: &ExecutionArn,
    ) -> Result<Option<Details>, Error> {
        self.call("DescribePipelineExecution", 1).await?;
        self.call("ListPipelineExecutionSteps", 1).await?;
        Ok(self.known(execution))
    }
}
