//! Looking once more at pipelines that came into shares.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{Observed, Pipeline};
use crate::id::PipelineArn;

/// Pipelines that came into shares, as they were when that was decided.
///
/// RAM is given an ARN, and whoever deletes a pipeline and makes it again
/// between look and association has another one shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    since: Timestamp,
    pipelines: BTreeMap<PipelineArn, Timestamp>,
}

impl Added {
    /// These pipelines, as they were observed; none if there are none.
    pub fn of<'a>(
        observed: &Observed,
        added: impl IntoIterator<Item = &'a PipelineArn>,
    ) -> Option<Self> {
        let mut pipelines: BTreeMap<_, _> = BTreeMap::new();
        let created: BTreeMap<_, _> = observed
            .pipelines
            .iter()
            .map(|pipeline| (&pipeline.arn, pipeline.created))
            .collect();
        for arn in added {
            pipelines.extend(created.get(arn).map(|created| (arn.clone(), *created)));
        }
        let since = created.into_values().max()?;
        (!pipelines.is_empty()).then_some(Self { since, pipelines })
    }

    /// From when on to search: what is made after a search is newer than all that was seen.
    #[must_use]
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// Whether one of them is another pipeline by now.
    #[must_use]
    pub fn is_another_among(&self, pipelines: &[Pipeline]) -> bool {
        pipelines.iter().any(|now| {
            let then = self.pipelines.get(&now.arn);
            then.is_some_and(|then| *then != now.created)
        })
    }
}
