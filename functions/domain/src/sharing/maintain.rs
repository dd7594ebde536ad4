//! What must leave the shares of a rule, before anything may come in.

use super::{
    Action, Association, LetIn, Problem, Reason, Share,
    group::{Admitted, ShareGroup},
    observed::is_older,
    planner::{Planner, by_reason},
};
use crate::{
    id::PipelineArn,
    policy::{Access, Rule},
    status::AssociationStatus,
};

/// Whether a share can take more.
pub(super) enum ShareSpace {
    /// It can, beside the resources that it holds then.
    Open { held: usize },
    /// Not before something has left that cannot leave yet.
    Closed,
    /// It is deleted, and another one takes its place.
    Gone,
}

/// What is in a share.
#[derive(Default)]
struct Contents {
    /// The resources that have to leave.
    leaving: Vec<(Reason, String)>,
    /// The principals that have to leave.
    unwanted: Vec<String>,
    /// How many resources there are now.
    held: usize,
}

impl Contents {
    /// Whether somebody has access by what has to leave, or could have.
    fn gives_too_much(&self, admitted: &Admitted<'_>) -> bool {
        let mut leaving = self.leaving.iter();
        !self.unwanted.is_empty() || leaving.any(|it| gives_too_much(it, admitted))
    }
}

impl<'a> Planner<'a> {
    /// Takes from a share what does not belong there, and says what may be added then.
    ///
    /// Nothing is widened while something is inside that gives too much.
    pub(super) fn maintain(
        &mut self,
        group: &mut ShareGroup<'a, '_>,
        share: &'a Share,
        admitted: &Admitted<'a>,
    ) -> ShareSpace {
        // Shares are filled in the order in which they come here.
        self.plan_of(Some(group.rule), share);
        let mut contents = self.contents(group, share, admitted);
        self.unsettled |= group.is_settling(share, self.observed);

        // RAM allows one permission for each type of resource, so that of
        // pipelines is right if it is there at all.
        let is_wrong = !share.permissions.contains(&group.permission) || share.outdated;
        let is_narrower = group.rule.access == Access::Read;
        // It keeps the one that it has, and nothing comes in by that.
        let is_stuck = is_wrong && !group.can_be_given;
        if is_wrong && is_narrower {
            self.replace_permission(share, group);
        }
        // While anything is under way, RAM lets nothing out.
        if share.is_associating() {
            if contents.gives_too_much(admitted) {
                return self.replace_or_wait(group, share, &contents.leaving, admitted);
            }
            // What a pipeline that is gone has left gives nothing, and keeps nothing else out.
            group.place_all(&contents.leaving);
            contents.leaving.clear();
        }
        let held = contents.held.saturating_sub(contents.leaving.len());
        self.remove(group.rule, share, contents);
        if is_wrong && !is_narrower && !is_stuck {
            self.replace_permission(share, group);
        }
        let allow = group.allows_external();
        if share.allow_external != allow {
            let action = Action::AllowExternal { allow };
            self.narrow(group.rule, share, action, Reason::ExternalFlagChanged);
        }
        if is_stuck {
            return ShareSpace::Closed;
        }
        ShareSpace::Open { held }
    }

    /// What of a share stays and what has to leave it.
    fn contents(
        &mut self,
        group: &mut ShareGroup<'a, '_>,
        share: &Share,
        admitted: &Admitted<'a>,
    ) -> Contents {
        let mut contents = Contents::default();
        for resource in &share.resources {
            let wanted = resource.entity.parse().ok();
            let is_wanted = wanted.is_some_and(|arn: PipelineArn| admitted.contains_key(&arn));
            self.note_problem(share, resource, is_wanted, false);
            if !resource.status.is_present() {
                continue;
            }
            match self.reason_to_leave(group.rule, resource, admitted) {
                Some(reason) => contents.leaving.push((reason, resource.entity.clone())),
                None => group.place(&resource.entity),
            }
            contents.held += 1;
        }
        for principal in &share.principals {
            let is_wanted = group.wants(&principal.entity);
            self.note_problem(share, principal, is_wanted, group.allows_external());
            if is_wanted || !principal.status.is_present() {
                continue;
            }
            if group.is_let_in(self.policy, share, &principal.entity) {
                self.let_in.push(LetIn {
                    share: share.name.clone(),
                    rule: group.rule.name.clone(),
                    principal: principal.entity.clone(),
                });
            }
            contents.unwanted.push(principal.entity.clone());
        }
        contents
    }

    /// RAM itself never brings a share to a newer version of its permission
    /// (RAM User Guide, "Managed permissions versions").
    fn replace_permission(&mut self, share: &'a Share, group: &ShareGroup<'a, '_>) {
        let permission = group.permission.clone();
        let reason = if share.permissions.contains(&permission) {
            Reason::PermissionOutdated
        } else {
            Reason::AccessChanged
        };
        self.narrow(
            group.rule,
            share,
            Action::ReplacePermission { permission },
            reason,
        );
    }

    /// What to do with a share that RAM lets nothing out of for now.
    ///
    /// An invitation may be pending for twelve hours, and a withdrawal waits for
    /// nobody. RAM deletes such a share; so one that gives or offers too much
    /// goes at once, and another one is made for those who stay.
    fn replace_or_wait(
        &mut self,
        group: &mut ShareGroup<'a, '_>,
        share: &'a Share,
        leaving: &[(Reason, String)],
        admitted: &Admitted<'a>,
    ) -> ShareSpace {
        if !group.waits_for_others(share, self.observed) {
            // Nothing comes in before what has to leave can leave.
            group.place_all(leaving);
            return ShareSpace::Closed;
        }
        self.delete(Some(group.rule), share, Reason::PendingInvitation);
        self.replaced.insert(share.arn.as_str());
        self.serving.remove(share.arn.as_str());
        group.displace(&share.resources, admitted);
        self.unsettled = true;
        ShareSpace::Gone
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

    fn remove(&mut self, rule: &Rule, share: &'a Share, contents: Contents) {
        if !contents.unwanted.is_empty() {
            let principals = contents.unwanted;
            let action = Action::RemovePrincipals { principals };
            self.narrow(rule, share, action, Reason::PrincipalNotNamed);
        }
        for (reason, resources) in by_reason(contents.leaving) {
            self.narrow(rule, share, Action::RemoveResources { resources }, reason);
        }
    }

    /// Notes what RAM refused of what is wanted, and what it does not come to an end with.
    fn note_problem(
        &mut self,
        share: &Share,
        association: &Association,
        is_wanted: bool,
        is_invited: bool,
    ) {
        use AssociationStatus::{Failed, Suspended, Suspending};
        let is_refused = matches!(association.status, Failed | Suspended | Suspending);
        let since = self.observed.lasting(association, is_invited);
        if is_wanted && is_refused || since.is_some() {
            let problem = Problem::of(&share.name, association);
            self.problems.push(Problem { since, ..problem });
        }
    }
}

/// Whether a resource that has to leave is one that exists and that the rule does not give.
fn gives_too_much((reason, entity): &(Reason, String), admitted: &Admitted<'_>) -> bool {
    let arn = entity.parse::<PipelineArn>();
    *reason != Reason::PipelineGone && !arn.is_ok_and(|arn| admitted.contains_key(&arn))
}
