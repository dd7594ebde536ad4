//! Who may do what by shares.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{Association, Observed, Pipeline, Share, is_older},
    Held,
    foresight::must_accept,
};
use crate::{
    id::{PermissionArn, PipelineArn},
    policy,
    status::AssociationStatus,
};

/// The pipelines that there are, by number: shares name the same ones again and again.
pub(in super::super) struct Index<'a> {
    pipelines: Vec<&'a Pipeline>,
    numbers: BTreeMap<&'a PipelineArn, usize>,
    partition: &'a str,
}

impl<'a> Index<'a> {
    pub(in super::super) fn of(observed: &'a Observed) -> Self {
        let mut pipelines: Vec<_> = observed.pipelines.iter().collect();
        pipelines.sort_by_key(|pipeline| &pipeline.arn);
        let numbers = pipelines.iter().enumerate();
        let numbers = numbers.map(|(number, pipeline)| (&pipeline.arn, number));
        Self {
            numbers: numbers.collect(),
            pipelines,
            partition: &observed.partition,
        }
    }

    pub(in super::super) fn number(&self, arn: &PipelineArn) -> Option<usize> {
        self.numbers.get(arn).copied()
    }

    pub(in super::super) fn arn(&self, number: usize) -> &'a PipelineArn {
        &self.pipelines[number].arn
    }

    pub(in super::super) fn name(&self, number: usize) -> &'a str {
        self.arn(number).name()
    }

    /// What shares give: nobody has access to a pipeline that is gone, nor to
    /// one by what was associated with another of its name.
    pub(in super::super) fn sharing<'s>(&self, shares: &'s [Share]) -> Sharing<'s> {
        let number = |resource: &Association| {
            let arn = resource.entity.parse::<PipelineArn>().ok()?;
            let number = *self.numbers.get(&arn)?;
            let is_given = is_given(resource) && !is_older(resource, self.pipelines.get(number)?);
            is_given.then_some(number)
        };
        let word = |it: &PermissionArn| policy::Access::of(it, self.partition).as_str().to_owned();
        let live = shares.iter().filter(|share| share.live);
        let given = live.map(|share| Given {
            share,
            waits: must_accept(share),
            words: share.permissions.iter().map(word).collect(),
            pipelines: share.resources.iter().filter_map(number).collect(),
        });
        Sharing(given.collect())
    }
}

/// What shares give.
pub(in super::super) struct Sharing<'s>(Vec<Given<'s>>);

/// What one share gives.
struct Given<'s> {
    share: &'s Share,
    /// Whether its principals have an invitation to accept.
    waits: bool,
    words: Vec<String>,
    pipelines: BTreeSet<usize>,
}

/// What a principal has by one share.
#[derive(Clone, Copy)]
pub(in super::super) struct Holding<'s> {
    share: &'s Share,
    words: &'s [String],
    pending: bool,
}

impl<'s> Sharing<'s> {
    /// Everybody who has something, or is invited to.
    pub(in super::super) fn principals(&self) -> impl Iterator<Item = &'s str> {
        let given = self.0.iter().map(|it| it.share.principals.iter());
        let present = given.flatten().filter(|it| is_given(it));
        present.map(|it| it.entity.as_str())
    }

    /// What one principal has, by the number of the pipeline.
    pub(in super::super) fn of(&self, principal: &str) -> BTreeMap<usize, Vec<Holding<'_>>> {
        let mut held: BTreeMap<usize, Vec<Holding<'_>>> = BTreeMap::new();
        for given in &self.0 {
            let mut principals = given.share.principals.iter();
            let found = principals.find(|it| is_given(it) && it.entity == principal);
            let Some(association) = found else { continue };
            let is_associating = association.status == AssociationStatus::Associating;
            let holding = Holding {
                share: given.share,
                words: &given.words,
                pending: given.waits && is_associating,
            };
            for pipeline in &given.pipelines {
                held.entry(*pipeline).or_default().push(holding);
            }
        }
        held
    }

    /// How many invitations await acceptance.
    pub(in super::super) fn pending(&self) -> usize {
        let waiting = self.0.iter().filter(|given| given.waits);
        let principals = waiting.flat_map(|given| &given.share.principals);
        let pending = principals.filter(|it| it.status == AssociationStatus::Associating);
        pending.count()
    }
}

/// What a principal may do with one pipeline, by all shares together.
#[derive(Default)]
pub(in super::super) struct Access {
    pub(in super::super) held: Vec<Held>,
    /// The rules by which it may, by the tags of the shares.
    pub(in super::super) rules: BTreeSet<String>,
    /// The ARNs of the shares that give it.
    pub(in super::super) givers: BTreeSet<String>,
}

impl Access {
    pub(in super::super) fn of(holdings: &[Holding<'_>]) -> Self {
        let mut words: BTreeMap<&str, bool> = BTreeMap::new();
        for holding in holdings {
            for word in holding.words {
                let pending = words.entry(word).or_insert(true);
                *pending &= holding.pending;
            }
        }
        // Who may execute may read; but not before the invitation is accepted.
        let (read, execute) = (policy::Access::Read, policy::Access::Execute);
        if let (Some(reads), Some(executes)) =
            (words.get(read.as_str()), words.get(execute.as_str()))
            && (*reads || !*executes)
        {
            words.remove(read.as_str());
        }
        let gives = |holding: &&Holding<'_>| {
            let mut given = holding.words.iter();
            given.any(|word| words.get(word.as_str()) == Some(&holding.pending))
        };
        let giving = holdings.iter().filter(gives);
        let mut access = Self::default();
        for holding in giving {
            access.rules.extend(holding.share.rule.clone());
            access.givers.insert(holding.share.arn.to_string());
        }
        let held = words.into_iter().map(|(word, pending)| Held {
            access: word.to_owned(),
            pending,
        });
        access.held = held.collect();
        access
    }
}

/// Whether an association gives something, or will once it is accepted.
fn is_given(association: &Association) -> bool {
    use AssociationStatus::{Associated, Associating};
    matches!(association.status, Associated | Associating)
}
