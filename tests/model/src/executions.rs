//! The executions of an account's pipelines.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeMap,
};

use domain::{
    execution::{Details, Execution, ExecutionChange, Parameter},
    id::{ExecutionArn, PipelineArn},
    status::ExecutionStatus,
};
use jiff::Timestamp;

use crate::{Failure, Failures};

/// The executions that `SageMaker` knows, behind methods named like its operations.
#[derive(Debug, Default)]
pub struct Executions {
    known: RefCell<BTreeMap<ExecutionArn, Known>>,
    tokens: RefCell<BTreeMap<String, ExecutionArn>>,
    /// The operations that were called, in order.
    pub calls: RefCell<Vec<&'static str>>,
    /// What is to fail, by AWS's names of operations.
    pub failures: RefCell<Failures>,
    count: Cell<usize>,
}

#[derive(Debug, Clone)]
struct Known {
    pipeline: PipelineArn,
    details: Details,
}

impl Executions {
    /// Has an execution be as it is described here, whatever it was.
    pub fn set(&self, pipeline: &PipelineArn, execution: &ExecutionArn, details: Details) {
        let pipeline = pipeline.clone();
        let mut known = self.known.borrow_mut();
        known.insert(execution.clone(), Known { pipeline, details });
    }

    /// Has an execution take a status.
    pub fn end(&self, execution: &ExecutionArn, status: ExecutionStatus) {
        if let Some(known) = self.known.borrow_mut().get_mut(execution) {
            known.details.status = status;
        }
    }

    /// Has an execution be forgotten.
    pub fn forget(&self, execution: &ExecutionArn) {
        self.known.borrow_mut().remove(execution);
    }

    /// The executions that there are.
    #[must_use]
    pub fn all(&self) -> Vec<ExecutionArn> {
        self.known.borrow().keys().cloned().collect()
    }

    /// How often an operation was called.
    #[must_use]
    pub fn count_of(&self, operation: &str) -> usize {
        let calls = self.calls.borrow();
        calls.iter().filter(|called| **called == operation).count()
    }

    /// `DescribePipelineExecution`; none if there is no such execution.
    pub fn describe(&self, execution: &ExecutionArn) -> Result<Option<Details>, Failure> {
        self.called("DescribePipelineExecution")?;
        let known = self.known.borrow();
        Ok(known.get(execution).map(|known| known.details.clone()))
    }

    /// `ListPipelineParametersForExecution`, without those that are as the definition says.
    pub fn parameters(&self, execution: &ExecutionArn) -> Result<Vec<Parameter>, Failure> {
        self.called("ListPipelineParametersForExecution")?;
        let known = self.known.borrow();
        let details = known.get(execution).map(|known| &known.details);
        Ok(details.map_or_else(Vec::new, |details| details.parameters.clone()))
    }

    /// `StartPipelineExecution`: the same token starts no other execution.
    pub fn start(&self, pipeline: &PipelineArn, token: &str) -> Result<ExecutionArn, Failure> {
        self.called("StartPipelineExecution")?;
        if let Some(known) = self.tokens.borrow().get(token) {
            return Ok(known.clone());
        }
        self.count.set(self.count.get() + 1);
        let arn = format!("{pipeline}/execution/run{:09}", self.count.get());
        let arn: ExecutionArn = arn.parse().expect("an ARN");
        self.set(pipeline, &arn, Details::of(ExecutionStatus::Executing));
        let mut tokens = self.tokens.borrow_mut();
        tokens.insert(token.to_owned(), arn.clone());
        Ok(arn)
    }

    /// `RetryPipelineExecution`: with the same token once more, nothing happens.
    pub fn retry(&self, execution: &ExecutionArn, token: &str) -> Result<(), Failure> {
        self.called("RetryPipelineExecution")?;
        let mut tokens = self.tokens.borrow_mut();
        if tokens.insert(token.to_owned(), execution.clone()).is_none() {
            self.end(execution, ExecutionStatus::Executing);
        }
        Ok(())
    }

    /// `Search`: what changed after a time, oldest change first.
    pub fn search(&self, time: Timestamp) -> Result<Vec<ExecutionChange>, Failure> {
        self.called("Search")?;
        let known = self.known.borrow();
        let changed = known.iter().filter_map(|(arn, known)| {
            let modified = known.details.modified.filter(|modified| *modified > time)?;
            let execution = Execution {
                arn: arn.clone(),
                pipeline: known.pipeline.clone(),
                status: known.details.status.clone(),
                display_name: known.details.display_name.clone(),
                started: known.details.started,
            };
            Some(ExecutionChange::found(execution, modified))
        });
        let mut changed: Vec<_> = changed.collect();
        changed.sort_by_key(|news| news.at);
        Ok(changed)
    }

    /// `GetParameter` of the ceiling, which the tests keep themselves.
    pub fn describe_ceiling(&self) -> Result<(), Failure> {
        self.called("GetParameter")
    }

    fn called(&self, operation: &'static str) -> Result<(), Failure> {
        self.calls.borrow_mut().push(operation);
        let failure = self.failures.borrow_mut().take(operation);
        failure.map_or(Ok(()), Err)
    }
}
