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
    notification::Contents,
};
use jiff::Timestamp;
use runtime::{lambda::Deadline, ports::Hub};

use crate::{
    AcceptInvitation, ReconcileRequest, changes::Seen, ports::Consumers, report::AccountReport,
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
    triage: Triage<'a>,
    /// The shares to inspect.
    shares: Vec<ReceivedShare>,
    /// Other shares that the account can see, which may have been ours under another name.
    passed_over: Vec<ReceivedShare>,
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
        if invocation.is_over() {
            report.cut_short();
            return report;
        }
        // Nothing is begun in the last tenth, and nothing goes on behind the end.
        let soft = invocation.within(time.mul_f64(0.9));
        let serving = Box::pin(self.serve_in_time(request, soft, &mut report));
        if invocation.within(time).bound(serving).await.is_none() {
            report.cut_short();
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
        let serving = self.serve_all(request, deadline, &mut seen, report);
        let (served, memory) = futures::join!(serving, self.recall(request));
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

    async fn serve_all(
        &self,
        request: &ReconcileRequest<'_>,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let mut served = Served::default();
        if !request.offers.is_empty() {
            served = self.serve_offers(request, deadline, seen, report).await?;
        }
        if request.is_whole {
            self.serve_whole(request, served, deadline, seen, report)
                .await?;
        }
        Ok(())
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
        for invitation in &invitations {
            if deadline.is_over() {
                report.cut_short();
                return Ok(served);
            }
            self.answer(request, invitation, report).await;
            served.invitations.insert(invitation.arn.clone());
        }
        for share in &shares {
            if deadline.is_over() {
                report.cut_short();
                return Ok(served);
            }
            self.inspect(request, share, seen, report).await;
            served.shares.insert(share.arn.clone());
        }
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
        served: Served,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let Received {
            triage,
            shares,
            passed_over,
        } = self.receive(request, deadline, report).await?;
        for share in &passed_over {
            seen.add(share, None, Contents::Unknown);
        }
        report.not_ours = triage.not_ours();
        for invitation in triage.named() {
            if deadline.is_over() {
                report.cut_short();
                return Ok(());
            }
            if !served.invitations.contains(&invitation.arn) {
                self.answer(request, invitation, report).await;
            }
        }
        self.report_strangers(request, triage.strangers(), report)
            .await;
        for share in rotated(&shares, request.lease_owner.now) {
            if deadline.is_over() {
                report.cut_short();
                return Ok(());
            }
            if !served.shares.contains(&share.arn) {
                self.inspect(request, share, seen, report).await;
            }
        }
        if !report.is_cut_short() {
            seen.complete();
        }
        self.reject_strangers(request, triage.strangers(), deadline, report)
            .await;
        Ok(())
    }

    /// Reads both lists and sorts them on the way, in no more than half of the time.
    async fn receive<'s>(
        &'s self,
        request: &'s ReconcileRequest<'_>,
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
        if limit.was_reached.get() {
            report.cut_short();
        }
        Ok(Received {
            triage: triage.into_inner(),
            shares,
            passed_over,
        })
    }
}

/// The shares, each time from another one on, so that each has its turn if the time is short.
fn rotated(shares: &[ReceivedShare], now: Timestamp) -> impl Iterator<Item = &ReceivedShare> {
    let beginning = invitation::beginning(shares.len(), now);
    let (before, after) = shares.split_at(beginning);
    after.iter().chain(before)
}
