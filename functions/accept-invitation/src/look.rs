//! One look at one account: what comes first, and where it ends.

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
use runtime::lambda::Deadline;

use runtime::ports::Hub;

use crate::{AcceptInvitation, Look, changes::Seen, ports::Consumers, report::AccountReport};

/// How many invitations of strangers a look rejects, if they are to be rejected.
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

impl<H: Hub, C: Consumers> AcceptInvitation<'_, H, C> {
    /// Answers what is pending in one account and inspects what it has
    /// accepted, as far as its time goes.
    pub(crate) async fn serve_account(
        &self,
        look: &Look<'_>,
        invocation: Deadline,
        time: Duration,
    ) -> AccountReport {
        let mut report = AccountReport::new(look.account, look.dry_run);
        if invocation.is_over() {
            report.cut_short();
            return report;
        }
        // Nothing is begun in the last tenth, and nothing goes on behind the end.
        let soft = invocation.within(time.mul_f64(0.9));
        let serving = Box::pin(self.serve_in_time(look, soft, &mut report));
        if invocation.within(time).bound(serving).await.is_none() {
            report.cut_short();
        }
        report
    }

    async fn serve_in_time(&self, look: &Look<'_>, deadline: Deadline, report: &mut AccountReport) {
        let mut seen = Seen::default();
        let serving = self.serve_all(look, deadline, &mut seen, report);
        let (served, memory) = futures::join!(serving, self.recall(look));
        let seen = match served {
            Ok(()) => Some(seen),
            Err(error) if look.retired.is_some() && error.class() == Class::Permanent => {
                report.left(&error);
                Some(Seen::unobserved())
            }
            Err(error) => {
                report.fail(error);
                None
            }
        };
        self.tell_changes(look, memory, seen.as_ref(), report).await;
        let troubles = report.troubles();
        self.notices
            .tell_troubles(look.teller, look.policy, look.account, &troubles)
            .await;
    }

    async fn serve_all(
        &self,
        look: &Look<'_>,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let mut served = Served::default();
        if !look.offers.is_empty() {
            served = self.serve_offers(look, deadline, seen, report).await?;
        }
        if look.is_whole {
            self.serve_whole(look, served, deadline, seen, report)
                .await?;
        }
        Ok(())
    }

    /// Serves the shares that were offered, and asks for nothing else:
    /// however many invitations there are, theirs cost the same.
    async fn serve_offers(
        &self,
        look: &Look<'_>,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) -> Result<Served, Error> {
        let consumers = self.consumers;
        let offered: BTreeSet<_> = look.offers.iter().map(|offer| &offer.share).collect();
        let offered: Vec<_> = offered.into_iter().cloned().collect();
        let (invitations, shares) = futures::try_join!(
            consumers.invitations_to(look.account, &offered),
            consumers.shares_among(look.account, &offered)
        )?;
        let mut served = Served::default();
        for invitation in &invitations {
            if deadline.is_over() {
                report.cut_short();
                return Ok(served);
            }
            self.answer(look, invitation, report).await;
            served.invitations.insert(invitation.arn.clone());
        }
        for share in &shares {
            if deadline.is_over() {
                report.cut_short();
                return Ok(served);
            }
            self.inspect(look, share, seen, report).await;
            served.shares.insert(share.arn.clone());
        }
        for offer in &look.offers {
            report.follow_offer(look.policy, offer, &invitations, &shares);
        }
        Ok(served)
    }

    /// Serves whatever the account has received: what a rule names first, and
    /// of strangers a bounded part last.
    async fn serve_whole(
        &self,
        look: &Look<'_>,
        served: Served,
        deadline: Deadline,
        seen: &mut Seen,
        report: &mut AccountReport,
    ) -> Result<(), Error> {
        let Received {
            triage,
            shares,
            passed_over,
        } = self.receive(look, deadline, report).await?;
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
                self.answer(look, invitation, report).await;
            }
        }
        self.report_strangers(look, triage.strangers(), report)
            .await;
        let beginning = invitation::beginning(shares.len(), look.teller.now);
        let (before, after) = shares.split_at(beginning);
        for share in after.iter().chain(before) {
            if deadline.is_over() {
                report.cut_short();
                return Ok(());
            }
            if !served.shares.contains(&share.arn) {
                self.inspect(look, share, seen, report).await;
            }
        }
        if !report.is_cut_short() {
            seen.complete();
        }
        self.reject_strangers(look, triage.strangers(), deadline, report)
            .await;
        Ok(())
    }

    /// Reads both lists and sorts them on the way, in no more than half of the time.
    async fn receive<'s>(
        &'s self,
        look: &'s Look<'_>,
        deadline: Deadline,
        report: &mut AccountReport,
    ) -> Result<Received<'s>, Error> {
        let receiver = Receiver {
            account: look.account,
            region: &self.hub.place().region,
        };
        let triage = RefCell::new(Triage::new(look.policy, receiver, MOST_REJECTED));
        let mut shares = Vec::new();
        let mut passed_over = Vec::new();
        let ending = deadline.within(deadline.time_left().mul_f64(0.5));
        let is_cut_short = Cell::new(false);
        let go_on = || {
            if ending.is_over() {
                is_cut_short.set(true);
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        };
        let invitations = self.consumers.each_invitation(look.account, |page| {
            for invitation in page {
                triage.borrow_mut().add(invitation);
            }
            go_on()
        });
        let visible = self.consumers.each_share(look.account, |mut page| {
            let mut triage = triage.borrow_mut();
            let other = page.extract_if(.., |share| {
                !triage.is_worth_inspecting(&share.arn, &share.name)
            });
            passed_over.extend(other);
            shares.append(&mut page);
            go_on()
        });
        futures::try_join!(invitations, visible)?;
        if is_cut_short.get() {
            report.cut_short();
        }
        Ok(Received {
            triage: triage.into_inner(),
            shares,
            passed_over,
        })
    }
}
