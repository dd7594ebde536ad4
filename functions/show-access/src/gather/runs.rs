//! Reads the last runs of the pipelines of a page.

use domain::id::{AccountId, PipelineArn};
use futures::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use runtime::{
    Error,
    ports::{PolicyStore, Table},
};
use tokio::time::timeout;

use super::Gatherer;
use crate::{
    ports::Owners,
    request::{Request, View},
    snapshot::{Failure, Row, Run, Snapshot},
};

/// How many runs of each pipeline a list shows.
const OF_EACH: u8 = 8;

/// How many runs the page of one pipeline shows.
const OF_ONE: u8 = 20;

/// How many pipelines are asked about at once, and how many runs of each:
/// together no more calls than SageMaker can be expected to take.
const PIPELINES_AT_ONCE: usize = 8;
const RUNS_AT_ONCE: usize = 4;

/// The last runs of a pipeline, and the newest of them that failed.
type Found = (Vec<Run>, Option<Failure>);

impl<H: PolicyStore + Table, A: Owners> Gatherer<'_, H, A> {
    /// Reads the last runs of each row, if the page shows them.
    pub(crate) async fn read_runs(&self, snapshot: &mut Snapshot, request: &Request) {
        let most = match request.view {
            View::Pipelines => OF_EACH,
            View::Pipeline(_) => OF_ONE,
            View::Access | View::Now => return,
        };
        let rows = std::mem::take(&mut snapshot.rows);
        let asking = rows.into_iter().map(async |mut row| {
            let asked = self.runs_of(&row.owner, row.arn(), row.access.pipeline.created, most);
            match timeout(self.time / 2, asked).await {
                Ok(Ok((runs, failure))) => {
                    row.runs = Some(Ok(runs));
                    row.failure = failure;
                }
                Ok(Err(error)) => row.runs = Some(Err(error.to_string())),
                Err(_) => row.runs = Some(Err("they were not read in time".to_owned())),
            }
            row
        });
        let asked = stream::iter(asking).buffered(PIPELINES_AT_ONCE);
        snapshot.rows = asked.collect::<Vec<Row>>().await;
    }

    async fn runs_of(
        &self,
        owner: &AccountId,
        pipeline: &PipelineArn,
        created: Timestamp,
        most: u8,
    ) -> Result<Found, Error> {
        let newest = self.accounts.newest_runs(owner, pipeline, created, most);
        let mut runs: Vec<_> = newest
            .await?
            .into_iter()
            .map(|execution| Run {
                execution,
                ended: None,
            })
            .collect();
        let failed = runs.iter().position(Run::has_failed);
        let failure = match failed.and_then(|at| runs.get_mut(at)) {
            Some(run) => self.explain(owner, run).await?,
            None => None,
        };
        let asking = runs.iter_mut().map(async |run| {
            let is_over = run.execution.status.is_terminal();
            if is_over && run.ended.is_none() {
                let details = self.accounts.described(owner, &run.execution.arn).await?;
                run.ended = details.modified;
            }
            Ok::<_, Error>(())
        });
        let asked = stream::iter(asking).buffer_unordered(RUNS_AT_ONCE);
        asked.try_collect::<()>().await?;
        Ok((runs, failure))
    }

    /// Why a run failed, and when.
    async fn explain(&self, owner: &AccountId, run: &mut Run) -> Result<Option<Failure>, Error> {
        let details = self.accounts.explained(owner, &run.execution.arn).await?;
        let failure = details.map(|details| Failure {
            execution: run.execution.clone(),
            details,
        });
        run.ended = failure.as_ref().and_then(|it| it.details.modified);
        Ok(failure)
    }
}
