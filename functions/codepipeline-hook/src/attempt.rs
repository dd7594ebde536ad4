//! One invocation of an attempt: observes and acts as its state asks, until there is an end.

use aws::{Class, Error, sagemaker::Start};
use domain::{
    hook::{
        self, Act, Deployed, Grant, GrantState, JobOutcome, NextStep, Operation, Question, Round,
        State, Wait, grants, runs_already,
    },
    id::{ExecutionArn, PipelineArn, Principal},
    text::flat,
};
use futures::{StreamExt, TryStreamExt, stream};
use runtime::ports::{Clock, PolicyStore, Queue, Table};

use crate::{
    memory::Memory,
    ports::{Access, Runs, SharePipeline},
};

/// How many steps an invocation takes; more would mean that others undo each of them.
const MOST_STEPS: usize = 32;

/// How many accounts are asked at once.
const ACCOUNTS_AT_ONCE: usize = 8;

/// The work of one invocation.
#[derive(Debug)]
pub(crate) struct Attempt<'w, A, H> {
    pub(crate) accounts: &'w A,
    pub(crate) hub: &'w H,
    pub(crate) share_pipeline: SharePipeline<'w, H>,
    pub(crate) state: &'w mut State,
}

impl<A, H> Attempt<'_, A, H>
where
    A: Access + Runs,
    H: Clock + PolicyStore + Queue + Table,
{
    /// Goes as far as it gets without waiting.
    pub(crate) async fn advance(&mut self) -> Result<JobOutcome, Error> {
        for _ in 0..MOST_STEPS {
            match hook::next(self.state) {
                NextStep::Observe(question) => self.observe(question).await?,
                NextStep::Act(deployed, act) => self.act(&deployed, act).await?,
                NextStep::End(outcome) => return Ok(outcome),
            }
        }
        Ok(JobOutcome::Waiting(Wait::Others))
    }

    fn memory(&self) -> Memory<'_, H> {
        Memory(self.hub)
    }

    async fn observe(&mut self, question: Question) -> Result<(), Error> {
        match question {
            Question::Policy => {
                let in_force = self.hub.labelled().await?.policy();
                let policy = in_force.map(|in_force| in_force.policy);
                let region = &self.hub.place().region;
                self.state.read_policy(policy, region);
            }
            Question::Pipeline(owner) => {
                let named = &self.state.request().pipeline;
                let pipeline = self.accounts.pipeline(&owner, named).await?;
                self.state.found_pipeline(owner, pipeline, self.hub.time());
            }
            Question::Progress(deployed) => {
                let progress = self.memory().progress(&deployed).await?;
                self.state.read_progress(progress);
            }
            Question::Run(deployed) => {
                let round = self.memory().latest_round(&deployed).await?;
                let run = match round.as_ref().and_then(Round::run) {
                    Some(execution) => self.accounts.run(&deployed.owner, execution).await?,
                    None => None,
                };
                self.state.looked_at_run(round, run);
            }
            Question::Access(deployed) => {
                let grants = self.grants(&deployed).await?;
                self.state.looked_for_access(grants);
            }
        }
        Ok(())
    }

    async fn act(&mut self, deployed: &Deployed, act: Act) -> Result<(), Error> {
        let now = self.state.now();
        match act {
            Act::Write(entry) => {
                let is_first = self.memory().write_progress(deployed, &entry, now).await?;
                self.state.wrote(&entry, is_first);
            }
            Act::Claim(operation) => {
                let token = format!("pipeshare-{}", aws::random::secret()?);
                let round = self.state.round(operation, token);
                let claim = round.claim(deployed.pipeline.created);
                let is_ours = self.memory().write_run(deployed, &claim, now).await?;
                self.state.claimed(round, is_ours);
            }
            Act::Perform(round) => self.perform(deployed, &round).await?,
            Act::Settle(round, execution) => {
                self.settle(deployed, &round, &execution).await?;
                self.state.settled();
            }
            Act::OpenGates => {
                if self.open_gates(deployed).await? {
                    self.share_pipeline.share(&deployed.owner).await?;
                }
                self.state.opened_gates();
            }
            Act::Share => {
                self.open_gates(deployed).await?;
                self.share_pipeline.share(&deployed.owner).await?;
                let entry = hook::journal::sharing(now);
                self.memory().write_progress(deployed, &entry, now).await?;
                self.state.asked_to_share();
            }
        }
        Ok(())
    }

    /// Does what a round is for.
    ///
    /// Done again after a crash, by whatever attempt, it does the same, since
    /// the token is the same.
    async fn perform(&mut self, deployed: &Deployed, round: &Round) -> Result<(), Error> {
        match &round.operation {
            Operation::Start => self.start(deployed, round).await,
            Operation::Retry(execution) => self.retry(deployed, round, execution).await,
        }
    }

    async fn start(&mut self, deployed: &Deployed, round: &Round) -> Result<(), Error> {
        let request = self.state.request();
        let description = match &request.execution {
            Some(execution) => format!("Started by pipeshare for {}", flat(execution, 256)),
            None => "Started by pipeshare".to_owned(),
        };
        let start = Start {
            pipeline: &deployed.pipeline.arn,
            display_name: deployed.identity.display_name(),
            description: &description,
            parameters: &request.parameters,
            version: request.version,
            token: &round.token,
        };
        let execution = self.accounts.start(&deployed.owner, &start).await?;
        self.state.performed(execution.clone());
        let started = self.accounts.started(&deployed.owner, &execution).await?;
        if self.state.is_as_asked(round, started.as_ref()) {
            self.settle(deployed, round, &execution).await?;
        }
        Ok(())
    }

    async fn retry(
        &mut self,
        deployed: &Deployed,
        round: &Round,
        execution: &ExecutionArn,
    ) -> Result<(), Error> {
        let owner = &deployed.owner;
        match self.accounts.retry(owner, execution, &round.token).await {
            Ok(()) => self.settle(deployed, round, execution).await?,
            Err(error) if error.is("ValidationException") => {
                let run = self.accounts.run(owner, execution).await?;
                if !runs_already(run.as_ref()) {
                    return Err(error);
                }
            }
            Err(error) => return Err(error),
        }
        self.state.performed(execution.clone());
        Ok(())
    }

    /// Remembers that SageMaker has done what the round was for.
    async fn settle(
        &self,
        deployed: &Deployed,
        round: &Round,
        execution: &ExecutionArn,
    ) -> Result<(), Error> {
        let done = round.done(deployed.pipeline.created, execution);
        let now = self.state.now();
        self.memory().write_run(deployed, &done, now).await?;
        Ok(())
    }

    /// Opens the gates of the rules that wait for the hook; returns whether one was closed.
    async fn open_gates(&self, deployed: &Deployed) -> Result<bool, Error> {
        let mut was_closed = false;
        for rule in self.state.waiting_rules() {
            let run = self.state.execution();
            was_closed |= self.memory().open_gate(rule, deployed, run).await?;
        }
        Ok(was_closed)
    }

    /// Who has access to the pipeline, of those that the policy names.
    async fn grants(&self, deployed: &Deployed) -> Result<Vec<Grant>, Error> {
        let Some(policy) = self.state.policy() else {
            return Ok(Vec::new());
        };
        let Deployed {
            owner, pipeline, ..
        } = deployed;
        let shares = self.accounts.shares_with(owner, &pipeline.arn).await?;
        stream::iter(grants(policy, pipeline, &shares))
            .map(|grant| self.prove(grant, &pipeline.arn))
            .buffered(ACCOUNTS_AT_ONCE)
            .try_collect()
            .await
    }

    /// Has an account that should have access describe the pipeline.
    ///
    /// For other principals RAM's word is taken: nobody can act in their names.
    async fn prove(&self, mut grant: Grant, pipeline: &PipelineArn) -> Result<Grant, Error> {
        let Principal::Account(account) = &grant.principal else {
            return Ok(grant);
        };
        if grant.access != GrantState::Granted {
            return Ok(grant);
        }
        match self.accounts.prove(account, pipeline).await {
            Ok(()) => {}
            Err(error) if error.class() == Class::Transient => return Err(error),
            Err(error) => grant.access = GrantState::Unproved(error.to_string()),
        }
        Ok(grant)
    }
}
