//! What must leave the shares of a rule, before anything may come in.

use super::{
    Action, Association, Problem, Reason, Share,
    lane::{Admitted, Lane},
    observed::is_older,
    planner::{Planner, by_reason},
};
use crate::{
    id::PipelineArn,
    policy::{Access, Rule},
    status::AssociationStatus,
};

/// Whether a share can take more.
pub(super) enum Room {
    /// It can, beside the resources that it holds then.
    Open { held: usize },
    /// Not before something has left that cannot leave yet.
    Closed,
    /// It is deleted.
    Gone,
}

impl<'a> Planner<'a> {
    /// Takes from a share what does not belong there, and says what may be added then.
    ///
    /// Nothing is widened while something is inside that should not be.
    pub(super) fn maintain(
        &mut self,
        lane: &mut Lane<'a, '_>,
        share: &'a Share,
        admitted: &Admitted<'a>,
    ) -> Room {
        // Shares are filled in the order in which they come here.
        self.plan_of(Some(lane.rule), share);
        let mut leaving = Vec::new();
        let mut held = 0;
        for resource in &share.resources {
            let wanted = resource.entity.parse().ok();
            if wanted.is_some_and(|arn: PipelineArn| admitted.contains_key(&arn)) {
                self.note_problem(share, resource);
            }
            if !resource.status.is_present() {
                continue;
            }
            match self.reason_to_leave(lane.rule, resource, admitted) {
                Some(reason) => leaving.push((reason, resource.entity.clone())),
                None => lane.place(&resource.entity),
            }
            held += 1;
        }
        let mut unwanted = Vec::new();
        for principal in &share.principals {
            if lane.wants(&principal.entity) {
                self.note_problem(share, principal);
            } else if principal.status.is_present() {
                unwanted.push(principal.entity.clone());
            }
        }
        self.unsettled |= lane.is_settling(share);

        let must_leave = !leaving.is_empty() || !unwanted.is_empty();
        let is_blocked = must_leave && share.is_associating();
        // RAM allows one permission for each type of resource, so that of
        // pipelines is right if it is there at all.
        let is_wrong = !share.permissions.contains(&lane.permission) || share.outdated;
        let is_narrower = lane.rule.access == Access::Read;
        // It keeps the one that it has, and nothing comes in by that.
        let is_stuck = is_wrong && !lane.can_be_given;
        if is_wrong && is_narrower {
            self.replace_permission(share, lane);
        }
        if is_blocked {
            let too_much = |(reason, entity): &(Reason, String)| {
                let arn = entity.parse::<PipelineArn>();
                *reason != Reason::PipelineGone && !arn.is_ok_and(|arn| admitted.contains_key(&arn))
            };
            let offers_too_much = !unwanted.is_empty() || leaving.iter().any(too_much);
            return self.wait_or_delete(lane, share, &leaving, offers_too_much);
        }
        held -= leaving.len();
        self.remove(lane.rule, share, leaving, unwanted);
        if is_wrong && !is_narrower && !is_stuck {
            self.replace_permission(share, lane);
        }
        let allow = lane.allows_external();
        if share.allow_external != allow {
            let action = Action::AllowExternal { allow };
            self.narrow(lane.rule, share, action, Reason::ExternalFlagChanged);
        }
        if is_stuck {
            return Room::Closed;
        }
        Room::Open { held }
    }

    /// RAM itself never brings a share to a newer version of its permission
    /// (RAM User Guide, "Managed permissions versions").
    fn replace_permission(&mut self, share: &'a Share, lane: &Lane<'a, '_>) {
        let permission = lane.permission.clone();
        let reason = if share.permissions.contains(&permission) {
            Reason::PermissionOutdated
        } else {
            Reason::AccessChanged
        };
        self.narrow(
            lane.rule,
            share,
            Action::ReplacePermission { permission },
            reason,
        );
    }

    /// What to do with a share that RAM lets nothing out of for now.
    ///
    /// An invitation may be pending for twelve hours. If it offers too much,
    /// the share goes at once: nobody has access by it yet.
    fn wait_or_delete(
        &mut self,
        lane: &mut Lane<'a, '_>,
        share: &'a Share,
        leaving: &[(Reason, String)],
        offers_too_much: bool,
    ) -> Room {
        if offers_too_much && lane.allows_external() && share.is_pending() {
            self.delete(Some(lane.rule), share, Reason::PendingInvitation);
            self.unsettled = true;
            return Room::Gone;
        }
        for (_, resource) in leaving {
            lane.place(resource);
        }
        Room::Closed
    }

    fn reason_to_leave(
        &self,
        rule: &Rule,
        resource: &Association,
        admitted: &Admitted<'_>,
    ) -> Option<Reason> {
        let arn: PipelineArn = match resource.entity.parse() {
            Ok(arn) => arn,
            Err(_) => return Some(Reason::NotInRule),
        };
        if let Some((pipeline, _)) = admitted.get(&arn) {
            return is_older(resource, pipeline).then_some(Reason::PipelineRecreated);
        }
        let pipelines = &self.observed.pipelines;
        match pipelines.iter().find(|pipeline| pipeline.arn == arn) {
            None => Some(Reason::PipelineGone),
            Some(pipeline) if is_older(resource, pipeline) => Some(Reason::PipelineRecreated),
            Some(_) if self.observed.matching(rule).any(|it| it.arn == arn) => {
                Some(Reason::GateNotPassed)
            }
            Some(_) => Some(Reason::NotInRule),
        }
    }

    fn remove(
        &mut self,
        rule: &Rule,
        share: &'a Share,
        leaving: Vec<(Reason, String)>,
        unwanted: Vec<String>,
    ) {
        if !unwanted.is_empty() {
            let principals = unwanted;
            let action = Action::RemovePrincipals { principals };
            self.narrow(rule, share, action, Reason::PrincipalNotNamed);
        }
        for (reason, resources) in by_reason(leaving) {
            self.narrow(rule, share, Action::RemoveResources { resources }, reason);
        }
    }

    fn note_problem(&mut self, share: &Share, association: &Association) {
        use AssociationStatus::{Failed, Suspended, Suspending};
        if matches!(association.status, Failed | Suspended | Suspending) {
            self.problems.push(Problem::of(&share.name, association));
        }
    }
}
