//! The reconciliation of one account: what comes first, and where it ends.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    ops::ControlFlow,
    time::Duration,
};

use aws::{Class, Error};
use domain::{
    id::{InvitationArn, ShareArn},
    invitation::{self, ReceivedShare, Receiver, Triage},
    notification::{Contents, Grant},
};
use runtime::{lambda::Deadline, ports::Hub};

use crate::{
    AcceptInvitation, ReconcileRequest,
    changes::Seen,
    extent::Extent,
    inspect::{self, Proofs},
    ports::Consumers,
    report::AccountReport,
};

/// How many invitations of strangers a reconciliation rejects, if they are to be rejected.
const MOST_REJECTED: usize = 100;

/// What was served already, since it was offered.
#[derive(Debug, Default)]
struct Served {
    invitations: BTreeSet<InvitationArn>,
    shares: BTreeSet<ShareArn>,
}

/// What an account has, sorted.
struct Received<'a> {
    served: Served,
    triage: Triage<'a>,
    /// The shares to inspect.
    shares: Vec<ReceivedShare>,
    /// Other shares that the account can see, which may have been ours under another name.
    passed_over: Vec<ReceivedShare>,
    /// Whether these are all, so that what is missing is lost.
    is_whole: bool,
}

/// Ends the reading of lists in time.
struct TimeLimit {
    end: Deadline,
    was_reached: Cell<bool>,
}

impl TimeLimit {
    fn of(end: Deadline) -> Self {
        Self {
            end,
            was_reached: Cell::new(false),
        }
    }

    fn go_on(&self) -> ControlFlow<()> {
        if self.end.is_over() {
            self.was_reached.set(true);
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Answers what is pending in one account and inspects what it has
    /// accepted, as far as its time goes.
    pub(crate) async fn serve_account(
        &self,
        request: &ReconcileRequest<'_>,
        invocation: Deadline,
        time: Duration,
    ) -> AccountReport {
        let mut report = AccountReport::new(request.account, request.dry_run);
        report.begin_with(request.extent.rest().cloned());
        if invocation.is_over() {
            report.cut_short();
            return report;
        }
        // Nothing goes on behind the end.
        let end = invocation.within(time);
        let serving = Box::pin(self.serve_in_time(request, end.of_beginnings(), &mut report));
        if end.bound(serving).await.is_none() {
            report.cut_short();
            report.stay();
        }
        report
    }

    async fn serve_in_time(
        &self,
        request: &ReconcileRequest<'_>,
        deadline: Deadline,
        report: &mut AccountReport,
    ) {
        let mut seen = Seen::default();
        let observing = self.observe(request, deadline, &mut seen, report);
        let (observed, memory) = futures::join!(observing, self.recall(request));
        let served = match observed {
            Ok(Some(received)) => {
                let proofs = Proofs::of(request, memory.as_ref().ok());
                self.serve_whole(request, received, proofs, deadline, &mut seen, report)
                    .await;
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(error) => Err(error),
        };
        let seen = match served {
            Ok(()) => Some(seen),
            Err(error) if request.retired.is_some() && error.class() == Class::Permanent => {
                report.left(&error);
                Some(Seen::unobserved())
            }
            Err(error) => {
                report.fail(error);
                None
            }
        };
        self.notify_changes(request, memory, seen.as_ref(), report)
            .await;
        self.announce_endings(request, report).await;
        let mut alerts = report.alerts();
        alerts.extend(request.abandoned(report));
        self.notifier
            .notify_alerts(
                request.lease_owner,
                request.policy,
                request.account,
                &alerts,
            )
            .await;
    }

    /// Serves what was offered, and reads what else the account has received, if
    /// that is asked for.
    async fn observe<'s>(
        &'s self,
        request: &'s ReconcileRequest<'_>,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) -> Result<Option<Received<'s>>, Error> {
        let mut served = Served::default();
        if !request.offers.is_empty() {
            served = self.serve_offers(request, deadline, seen, report).await?;
        }
        if request.extent == Extent::Offers {
            return Ok(None);
        }
        let received = self.receive(request, served, deadline, report).await;
        received.map(Some)
    }

    /// Serves the shares that were offered, and asks for nothing else:
    /// however many invitations there are, theirs cost the same.
    async fn serve_offers(
        &self,
        request: &ReconcileRequest<'_>,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) -> Result<Served, Error> {
        let consumers = self.consumers;
        let offered: BTreeSet<_> = request.offers.iter().map(|offer| &offer.share).collect();
        let offered: Vec<_> = offered.into_iter().cloned().collect();
        let (invitations, shares) = futures::try_join!(
            consumers.invitations_to(request.account, &offered),
            consumers.shares_among(request.account, &offered)
        )?;
        let mut served = Served::default();
        let every: Vec<_> = invitations.iter().collect();
        let is_done = self.answer_all(request, &every, deadline, report).await;
        let visible: Vec<_> = shares.iter().collect();
        // What was just accepted has never been proven.
        let proofs = Proofs::of(request, None);
        if !is_done
            || !self
                .inspect_all(request, &visible, proofs, deadline, seen, report)
                .await
        {
            return Ok(served);
        }
        let answered = invitations.iter().map(|invitation| invitation.arn.clone());
        served.invitations.extend(answered);
        served
            .shares
            .extend(shares.iter().map(|share| share.arn.clone()));
        for offer in &request.offers {
            report.follow_offer(request.policy, offer, &invitations, &shares);
        }
        Ok(served)
    }

    /// Serves whatever the account has received: what a rule names first, and
    /// of strangers a bounded part last.
    async fn serve_whole(
        &self,
        request: &ReconcileRequest<'_>,
        received: Received<'_>,
        proofs: Proofs<'_>,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) {
        for share in &received.passed_over {
            seen.add(share, None, Contents::Unknown);
        }
        let Received { served, triage, .. } = &received;
        report.not_ours = triage.not_ours();
        let mut named = triage.named();
        named.retain(|it| !served.invitations.contains(&it.arn));
        if !self.answer_all(request, &named, deadline, report).await {
            return;
        }
        self.report_strangers(request, triage.strangers(), report)
            .await;
        let shares = received.to_inspect(request);
        let is_done = self
            .inspect_all(request, &shares, proofs, deadline, seen, report)
            .await;
        received.note_rest(request, seen, report);
        if !is_done {
            return;
        }
        self.reject_strangers(request, triage.strangers(), deadline, report)
            .await;
    }

    /// Reads both lists and sorts them on the way, in no more than half of the time.
    async fn receive<'s>(
        &'s self,
        request: &'s ReconcileRequest<'_>,
        served: Served,
        deadline: Deadline,
        report: &mut AccountReport,
    ) -> Result<Received<'s>, Error> {
        let receiver = Receiver {
            account: request.account,
            region: &self.hub.place().region,
        };
        let triage = RefCell::new(Triage::new(request.policy, receiver, MOST_REJECTED));
        let mut shares = Vec::new();
        let mut passed_over = Vec::new();
        let limit = TimeLimit::of(deadline.within(deadline.time_left().mul_f64(0.5)));
        let invitations = self.consumers.each_invitation(request.account, |page| {
            for invitation in page {
                triage.borrow_mut().add(invitation);
            }
            limit.go_on()
        });
        let visible = self.consumers.each_share(request.account, |mut page| {
            let mut triage = triage.borrow_mut();
            let other = page.extract_if(.., |share| {
                !triage.is_worth_inspecting(&share.arn, &share.name)
            });
            passed_over.extend(other);
            shares.append(&mut page);
            limit.go_on()
        });
        futures::try_join!(invitations, visible)?;
        let is_whole = !limit.was_reached.get();
        if !is_whole {
            report.cut_short();
        }
        Ok(Received {
            served,
            triage: triage.into_inner(),
            shares,
            passed_over,
            is_whole,
        })
    }
}

impl Received<'_> {
    /// The shares that were not inspected yet, those that a rule names first, and of
    /// these one at the beginning that is another one each time.
    fn to_inspect(&self, request: &ReconcileRequest<'_>) -> Vec<&ReceivedShare> {
        let open = self.shares.iter();
        let open = open.filter(|share| !self.served.shares.contains(&share.arn));
        let (mut ours, mut others) = (Vec::new(), Vec::new());
        for share in open {
            match grant(request, share) {
                Some(grant) => ours.push((grant, share)),
                None => others.push(share),
            }
        }
        ours.retain(|(grant, _)| request.extent.covers(grant));
        ours.sort_by(|(a, one), (b, other)| (a, &one.arn).cmp(&(b, &other.arn)));
        let mut ours: Vec<_> = ours.into_iter().map(|(_, share)| share).collect();
        let sample = invitation::sample(ours.len(), request.lease_owner.now);
        if let Some(up_to_sample) = ours.get_mut(..=sample) {
            up_to_sample.rotate_right(1);
        }
        ours.extend(others);
        ours
    }

    /// Notes the shares that were not looked into, and with which the next
    /// reconciliation begins.
    fn note_rest(
        &self,
        request: &ReconcileRequest<'_>,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) {
        let looked_into = seen.shares();
        let unseen = self.shares.iter();
        let unseen = unseen.filter(|share| !looked_into.contains(&share.arn));
        let unseen: Vec<_> = unseen.collect();
        let covered = |share: &ReceivedShare| {
            grant(request, share).filter(|grant| request.extent.covers(grant))
        };
        let first = self.shares.iter().filter_map(covered).min();
        let mut left: BTreeSet<_> = unseen.iter().filter_map(|share| covered(share)).collect();
        // What takes all of the time has another turn, and keeps nothing else waiting.
        if first.is_some_and(|first| left.remove(&first)) {
            report.defer();
        }
        if let Some(next) = left.pop_first() {
            report.left_at(next);
        }
        for share in unseen {
            seen.add(share, None, Contents::Unknown);
        }
        if self.is_whole {
            seen.complete();
        }
    }
}

/// What a share gives, if a rule names it.
fn grant(request: &ReconcileRequest<'_>, share: &ReceivedShare) -> Option<Grant> {
    let rule = inspect::recognize(request, share).ok()?;
    Some(inspect::grant(share, rule))
}
