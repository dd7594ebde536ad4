//! Inspects shares that were accepted, or that needed no acceptance, and proves the access.

use std::{cell::Cell, collections::BTreeMap, pin::pin};

use aws::Error;
use domain::{
    id::{Principal, ShareArn},
    invitation::{self, Inspection, ReceivedShare, Refusal, Resource},
    notification::{Contents, Grant, Inside},
    policy::Rule,
};
use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;

use runtime::{lambda::Deadline, ports::Hub};

use crate::{
    AcceptInvitation, ReconcileRequest, changes::Seen, memory::Memory, ports::Consumers,
    report::AccountReport,
};

/// How many shares are asked for their contents by one list, whose pages have 500.
///
/// So many shares with 25 pipelines each fill a page. More would save no call
/// where there is much to read, and would keep more of it in memory at a time.
const SHARES_AT_ONCE: usize = 20;

/// How many pipelines are expected in one list at the most, by what is remembered.
const MOST_EXPECTED: usize = 10_000;

/// How many resources one list may have in several shares; if there are more, each share is
/// read by itself, which RAM lets have 5,000.
const MOST_LISTED: usize = 20_000;

/// How many such lists are read at once.
const LISTS_AT_ONCE: usize = 2;

/// How many accesses are proven at once.
const PROOFS_AT_ONCE: usize = 4;

/// After so many pipelines that are denied, the rest of a share is not tried.
const MOST_DENIALS: usize = 5;

/// So many pipelines of a share are tried at most: a share has room for
/// thousands, and its owner may delete them all before RAM has noticed.
const MOST_TRIED: usize = 50;

/// What was found in a share: nothing to be said of one that is not ours.
struct Found {
    inspection: Option<Result<Inspection, Error>>,
    contents: Contents,
}

/// What is inside of shares, as far as it was asked for.
type AllContents = BTreeMap<ShareArn, Result<Vec<Resource>, Error>>;

/// How much of what an account has is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proving {
    /// What has changed, and what is due.
    Changes,
    /// Everything.
    All,
}

/// What is remembered of the account, and which access has to be proven by that.
pub(crate) struct Proofs<'m> {
    /// What was proven when it was last notified; without it, everything has to be.
    memory: Option<&'m Memory>,
    proving: Proving,
    /// The share that is proven in any case.
    sample: Option<&'m ShareArn>,
    /// Whether something is denied, so that nothing is passed over any more.
    doubt: Cell<bool>,
    now: Timestamp,
}

impl<'m> Proofs<'m> {
    /// What has changed since it was last notified, and a part of the rest; without
    /// a memory all of it.
    pub(crate) fn of(request: &ReconcileRequest<'_>, memory: Option<&'m Memory>) -> Self {
        Self {
            memory,
            proving: request.proving,
            sample: None,
            doubt: Cell::new(false),
            now: request.lease_owner.now,
        }
    }

    /// Whether what is inside of a share of a rule has to be used now.
    fn are_due(&self, share: &ReceivedShare, rule: &Rule, inside: &Inside) -> bool {
        self.doubt.get()
            || self.sample == Some(&share.arn)
            || invitation::is_proof_due(&share.arn, self.now)
            || !self.is_unchanged(share, rule, inside)
    }

    /// Whether a share is as it was when the account was notified of it, which it is
    /// only of what was proven.
    fn is_unchanged(&self, share: &ReceivedShare, rule: &Rule, inside: &Inside) -> bool {
        let memory = self.memory.filter(|_| self.proving == Proving::Changes);
        memory.is_some_and(|memory| {
            let held = memory.held.get(&grant(share, rule));
            held.is_some_and(|held| held.value.is_as_seen(&share.arn, &rule.access, inside))
        })
    }

    /// What is to be kept of what is inside of a share of a rule.
    fn beside_memory(&self, share: &ReceivedShare, rule: &Rule, contents: Contents) -> Contents {
        match self.memory {
            Some(memory) => memory.beside(&grant(share, rule), &share.arn, contents),
            None => contents,
        }
    }

    /// The shares in lists that are not too long, as far as it is known what is in them.
    fn lists<'l, 's>(
        &self,
        shares: &'l [&'s ReceivedShare],
    ) -> impl Iterator<Item = &'l [&'s ReceivedShare]> + use<'l, 's> {
        let sizes = self.memory.map(Memory::sizes).unwrap_or_default();
        let size = move |share: &ReceivedShare| sizes.get(&share.arn).copied().unwrap_or_default();
        let (mut count, mut expected) = (1, shares.first().map_or(0, |first| size(first)));
        shares.chunk_by(move |_, next| {
            let size = size(next);
            (count, expected) = (count + 1, expected + size);
            let fits = count <= SHARES_AT_ONCE && expected <= MOST_EXPECTED;
            if !fits {
                (count, expected) = (1, size);
            }
            fits
        })
    }
}

/// By what a share gives access, if it serves the rule.
pub(crate) fn grant(share: &ReceivedShare, rule: &Rule) -> Grant {
    Grant {
        rule: rule.name.clone(),
        owner: share.arn.owner().clone(),
    }
}

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Inspects visible shares, those that claim to be ours; whether the time was enough.
    pub(crate) async fn inspect_all<'s>(
        &self,
        request: &ReconcileRequest<'_>,
        shares: &[&'s ReceivedShare],
        mut proofs: Proofs<'s>,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) -> bool {
        proofs.sample = shares.first().map(|share| &share.arn);
        let mut lists = pin!(self.all_contents(request, proofs.lists(shares), deadline));
        // The first one by itself: if it is denied, none is passed over.
        let mut alone = 1;
        while let Some((some, contents)) = lists.next().await {
            let (first, others) = some.split_at(alone);
            alone = 0;
            for some in [first, others] {
                let mut found = stream::iter(some)
                    .map(async |share| {
                        if deadline.is_over() {
                            return (share, None);
                        }
                        let found = self.inspect(request, share, &contents, &proofs).await;
                        (share, Some(found))
                    })
                    .buffered(PROOFS_AT_ONCE);
                while let Some((share, found)) = found.next().await {
                    let Some(found) = found.filter(|_| !seen.is_full()) else {
                        report.cut_short();
                        return false;
                    };
                    found.note(request, share, seen, report);
                }
            }
        }
        true
    }

    /// What is inside of shares, list by list; of a list that cannot be read as one,
    /// share by share.
    fn all_contents<'l, 's: 'l>(
        &'l self,
        request: &'l ReconcileRequest<'_>,
        lists: impl Iterator<Item = &'l [&'s ReceivedShare]> + 'l,
        deadline: Deadline,
    ) -> impl Stream<Item = (&'l [&'s ReceivedShare], AllContents)> + 'l {
        let read = move |some: &'l [&'s ReceivedShare]| async move {
            (some, self.contents(request, some, deadline).await)
        };
        let lists = stream::iter(lists).map(read).buffered(LISTS_AT_ONCE);
        lists.flat_map(move |(some, contents)| {
            if let Some(contents) = contents {
                return stream::iter([(some, contents)]).left_stream();
            }
            let each = stream::iter(some.chunks(1)).map(read);
            let each = each.buffered(LISTS_AT_ONCE);
            each.map(|(share, contents)| (share, contents.unwrap_or_default()))
                .right_stream()
        })
    }

    /// What is inside of those that a rule names; none if they are to be read one by
    /// one, since one of them is gone meanwhile or too much is inside.
    async fn contents(
        &self,
        request: &ReconcileRequest<'_>,
        shares: &[&ReceivedShare],
        deadline: Deadline,
    ) -> Option<AllContents> {
        let ours = shares.iter().filter(|it| recognize(request, it).is_ok());
        let ours: Vec<_> = ours.map(|share| share.arn.clone()).collect();
        if ours.is_empty() || deadline.is_over() {
            return Some(AllContents::new());
        }
        let (account, most) = (request.account, MOST_LISTED);
        let mut all = match self.consumers.resources(account, &ours, most).await {
            Ok(all) => Ok(all?),
            Err(error) if error.is("UnknownResourceException") && ours.len() > 1 => return None,
            Err(error) => Err(error),
        };
        let of = |share: ShareArn| {
            let inside = match &mut all {
                Ok(inside) => Ok(inside.remove(&share).unwrap_or_default()),
                Err(error) => Err(error.clone()),
            };
            (share, inside)
        };
        Some(ours.into_iter().map(of).collect())
    }

    /// Inspects one visible share, if it claims to be ours.
    async fn inspect(
        &self,
        request: &ReconcileRequest<'_>,
        share: &ReceivedShare,
        contents: &AllContents,
        proofs: &Proofs<'_>,
    ) -> Found {
        let (inspection, contents) = match recognize(request, share) {
            Ok(rule) => {
                let resources = match contents.get(&share.arn) {
                    Some(Ok(resources)) => resources,
                    Some(Err(error)) => return Found::failed(error.clone()),
                    None => return Found::nothing(),
                };
                match self.judge(request, share, rule, resources, proofs).await {
                    Ok((inspection, contents)) => {
                        (inspection, proofs.beside_memory(share, rule, contents))
                    }
                    Err(error) => return Found::failed(error),
                }
            }
            Err(refusal) if refusal.is_suspicious() => {
                (Inspection::Distrusted { refusal }, Contents::Unknown)
            }
            // It may have been ours until somebody gave it another name.
            Err(_) => return Found::nothing(),
        };
        Found {
            inspection: Some(Ok(inspection)),
            contents,
        }
    }

    /// Compares what is inside with the rule, and uses the access that was given.
    async fn judge(
        &self,
        request: &ReconcileRequest<'_>,
        share: &ReceivedShare,
        rule: &Rule,
        resources: &[Resource],
        proofs: &Proofs<'_>,
    ) -> Result<(Inspection, Contents), Error> {
        let (inside, excess) = invitation::sorted(rule, &self.hub.place().region, resources);
        if !excess.is_empty() {
            let refusal = Refusal::TooMuch { resources: excess };
            return Ok((
                Inspection::Distrusted { refusal },
                Contents::Distrusted(inside),
            ));
        }
        if inside.is_empty() {
            return Ok((Inspection::Empty, Contents::Trusted(inside)));
        }
        let pipelines = inside.len();
        let mut inspection = Inspection::Proven { pipelines };
        let whole_account = Principal::Account(request.account.clone());
        // The role proves it for the account; for a single role of the account
        // only that role could.
        if rule.with.contains(&whole_account) {
            if proofs.are_due(share, rule, &inside) {
                if let Some(unproven) = self.attempt(request, &inside).await?.unproven() {
                    let (inspection, _) = &unproven;
                    let is_denied = matches!(inspection, Inspection::NoAccess { .. });
                    proofs.doubt.set(is_denied || proofs.doubt.get());
                    return Ok(unproven);
                }
            } else {
                inspection = Inspection::Unchanged { pipelines };
            }
        }
        // Who has it by way of an organization is not notified (README, "What it does not do").
        let contents = if rule.names(request.account) {
            Contents::Trusted(inside)
        } else {
            Contents::Distrusted(inside)
        };
        Ok((inspection, contents))
    }

    /// Has the account describe a pipeline.
    ///
    /// One stands for all. One that is gone or denied proves nothing, so another is asked.
    async fn attempt(
        &self,
        request: &ReconcileRequest<'_>,
        inside: &Inside,
    ) -> Result<Trial, Error> {
        // Each reconciliation begins somewhere else among them.
        let beginning = invitation::beginning(inside.len(), request.lease_owner.now);
        let pipelines = inside.keys().cycle().skip(beginning).take(inside.len());
        let mut denials = Vec::new();
        for (tried, pipeline) in pipelines.enumerate() {
            if tried == MOST_TRIED {
                return Ok(denials.pop().map_or(Trial::Open, Trial::Denied));
            }
            match self.consumers.describe(request.account, pipeline).await {
                Ok(()) => return Ok(Trial::Passed),
                Err(error) if error.is_access_denied() => denials.push(error.to_string()),
                Err(error) if error.is("ResourceNotFound") => {}
                Err(error) => return Err(error),
            }
            if denials.len() == MOST_DENIALS {
                break;
            }
        }
        Ok(denials
            .into_iter()
            .next()
            .map_or(Trial::Gone, Trial::Denied))
    }
}

/// The rule that a visible share serves, or why it is none of ours.
pub(crate) fn recognize<'p>(
    request: &ReconcileRequest<'p>,
    share: &ReceivedShare,
) -> Result<&'p Rule, Refusal> {
    let (owner, account) = (share.arn.owner(), request.account);
    invitation::recognize_visible(request.policy, &share.name, owner, account)
}

impl Found {
    /// It is none of ours.
    fn nothing() -> Self {
        Self {
            inspection: None,
            contents: Contents::Unknown,
        }
    }

    fn failed(error: Error) -> Self {
        Self {
            inspection: Some(Err(error)),
            contents: Contents::Unknown,
        }
    }

    /// Adds it to what is known of the account.
    fn note(
        self,
        request: &ReconcileRequest<'_>,
        share: &ReceivedShare,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) {
        let inspected = self.inspection.as_ref().and_then(|it| it.as_ref().ok());
        // A dry run compares nothing with what is remembered.
        let contents = Some(self.contents).filter(|_| !request.dry_run);
        seen.add(share, inspected, contents.unwrap_or(Contents::Unknown));
        if let Some(inspection) = self.inspection {
            report.inspected(request, share, inspection);
        }
    }
}

/// What came of using what RAM shows.
enum Trial {
    /// A pipeline could be described.
    Passed,
    /// None of the pipelines exists any more.
    Gone,
    /// None of those that were tried exists any more, and others were not tried.
    Open,
    /// It was denied; this is what AWS said.
    Denied(String),
}

impl Trial {
    /// What is known of a share whose access was not proven; none if it was.
    fn unproven(self) -> Option<(Inspection, Contents)> {
        match self {
            Self::Passed => None,
            Self::Open => Some((Inspection::Empty, Contents::Unknown)),
            // RAM has yet to notice what SageMaker says.
            Self::Gone => Some((Inspection::Empty, Contents::Trusted(Inside::new()))),
            Self::Denied(error) => Some((Inspection::NoAccess { error }, Contents::Unknown)),
        }
    }
}
