//! Which pipelines that wait for a success are worth a question.
//!
//! A question is a call for each pipeline, and SageMaker lists with all
//! pipelines when a run of each began last. One that never ran has not
//! succeeded. And one whose runs had all ended without success, and of which
//! none has begun since, can only have succeeded by a retry: an event says so,
//! and if that is lost, a later scheduled reconciliation finds it.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
    sync::{Mutex, MutexGuard, PoisonError},
};

use aws::sagemaker::Success;
use domain::{id::PipelineArn, sharing::Pipeline};
use jiff::Timestamp;

/// For how many scheduled reconciliations an answer holds at most: six hours
/// as a rule, and a day at the longest.
const ROUNDS: u64 = 24;

/// So many answers are remembered; if there are more, all are forgotten, and
/// asked for again.
const MOST: usize = 20_000;

/// What leads to the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asking {
    /// An event, or somebody: something may have happened that no list shows.
    OnEvent,
    /// The schedule, which comes again.
    OnSchedule,
}

/// What SageMaker has answered about pipelines that did not succeed, in the
/// life of this process.
#[derive(Debug, Default)]
pub(crate) struct Waiting(Mutex<BTreeMap<PipelineArn, Answer>>);

/// That no run has succeeded, and none can without another beginning, or a retry.
#[derive(Debug)]
struct Answer {
    created: Timestamp,
    last_run: Option<Timestamp>,
    /// For how many rounds it holds.
    rounds: u64,
}

impl Waiting {
    /// Whether the pipeline may have succeeded since it was asked about.
    pub(crate) fn is_worth_asking(&self, pipeline: &Pipeline, asking: Asking) -> bool {
        let mut answers = self.answers();
        let known = answers.get_mut(&pipeline.arn);
        let known =
            known.filter(|it| it.created == pipeline.created && it.last_run == pipeline.last_run);
        match (known, asking) {
            // ASSUMED: by the time of an event about a run that has ended, the list says that
            // it has begun; if not yet, the next reconciliation sees that it changed.
            (_, Asking::OnEvent) => pipeline.last_run.is_some(),
            (Some(answer), Asking::OnSchedule) => {
                let left = answer.rounds.checked_sub(1);
                answer.rounds = left.unwrap_or_default();
                left.is_none()
            }
            (None, Asking::OnSchedule) if pipeline.last_run.is_some() => true,
            (None, Asking::OnSchedule) => {
                remember(&mut answers, pipeline);
                false
            }
        }
    }

    /// Remembers what SageMaker answered.
    pub(crate) fn answered(&self, pipeline: &Pipeline, success: Success) {
        let mut answers = self.answers();
        match success {
            Success::No => remember(&mut answers, pipeline),
            Success::Yes | Success::NotYet => {
                answers.remove(&pipeline.arn);
            }
        }
    }

    fn answers(&self) -> MutexGuard<'_, BTreeMap<PipelineArn, Answer>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first time for fewer rounds, so that not all are asked about again at once.
fn remember(answers: &mut BTreeMap<PipelineArn, Answer>, pipeline: &Pipeline) {
    if answers.len() >= MOST {
        answers.clear();
    }
    let mut hasher = DefaultHasher::new();
    pipeline.arn.hash(&mut hasher);
    let first = hasher.finish() % ROUNDS;
    let rounds = match answers.get(&pipeline.arn) {
        Some(answer) if answer.created == pipeline.created => ROUNDS,
        _ => first,
    };
    let answer = Answer {
        created: pipeline.created,
        last_run: pipeline.last_run,
        rounds,
    };
    answers.insert(pipeline.arn.clone(), answer);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pipeline(number: usize, last_run: Option<i64>) -> Pipeline {
        let arn = format!("arn:aws:sagemaker:eu-west-1:222222222222:pipeline/p{number}");
        Pipeline {
            arn: arn.parse().unwrap(),
            created: Timestamp::from_second(1_767_600_000).unwrap(),
            last_run: last_run.map(|time| Timestamp::from_second(time).unwrap()),
        }
    }

    fn asked(waiting: &Waiting, pipelines: &[Pipeline], asking: Asking) -> usize {
        let asked = pipelines.iter();
        let asked = asked.filter(|it| waiting.is_worth_asking(it, asking));
        asked
            .inspect(|it| waiting.answered(it, Success::No))
            .count()
    }

    #[test]
    fn a_pipeline_that_never_ran_costs_nearly_nothing() {
        let waiting = Waiting::default();
        let all: Vec<_> = (0..1_000).map(|number| pipeline(number, None)).collect();
        assert_eq!(asked(&waiting, &all, Asking::OnEvent), 0);
        assert_eq!(asked(&waiting, &all, Asking::OnSchedule), 0);
        for _ in 0..100 {
            assert!(asked(&waiting, &all, Asking::OnSchedule) < 100);
        }
    }

    #[test]
    fn what_did_not_succeed_is_asked_about_again_within_a_day_and_in_turns() {
        let waiting = Waiting::default();
        let all: Vec<_> = (0..1_000).map(|number| pipeline(number, Some(1))).collect();
        assert_eq!(asked(&waiting, &all, Asking::OnSchedule), 1_000);
        let mut counts = vec![0; all.len()];
        for round in 1..=25 {
            let mut of_round = 0;
            for (pipeline, count) in all.iter().zip(&mut counts) {
                let again = asked(&waiting, std::slice::from_ref(pipeline), Asking::OnSchedule);
                *count += again;
                of_round += again;
            }
            assert!(of_round < 100, "{of_round} in round {round}");
        }
        assert!(counts.iter().all(|count| (1..=2).contains(count)));
        assert_eq!(asked(&waiting, &all, Asking::OnEvent), 1_000);
    }

    #[test]
    fn a_new_run_and_a_recreated_pipeline_are_asked_about_at_once_and_one_that_runs_each_time() {
        let waiting = Waiting::default();
        let ran = pipeline(1, Some(1));
        let again = |pipeline: &Pipeline| waiting.is_worth_asking(pipeline, Asking::OnSchedule);
        waiting.answered(&ran, Success::NotYet);
        assert!(again(&ran) && again(&ran));
        waiting.answered(&ran, Success::No);
        let ran_once_more = pipeline(1, Some(2));
        assert!(again(&ran_once_more) && again(&ran_once_more));
        waiting.answered(&ran_once_more, Success::No);
        let mut recreated = ran_once_more.clone();
        recreated.created = Timestamp::from_second(1_767_700_000).unwrap();
        assert!(again(&recreated) && again(&recreated));
    }

    #[test]
    fn answers_are_remembered_within_a_bound() {
        let waiting = Waiting::default();
        let all: Vec<_> = (0..MOST + 10)
            .map(|number| pipeline(number, Some(1)))
            .collect();
        assert_eq!(asked(&waiting, &all, Asking::OnSchedule), MOST + 10);
        assert!(waiting.answers().len() <= MOST);
    }
}
