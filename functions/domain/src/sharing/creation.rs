//! Making a share, once, however many ask for it.

use jiff::Timestamp;

use super::{Audience, NewShare, Pipeline, Share, ShareName, group::ShareGroup, planner::Planner};
use crate::{digest, id::Principal};

/// For how long one token is used, in seconds.
///
/// RAM lists a deleted share for two hours (RAM User Guide, "Deleting a
/// resource share"), and how long it remembers a token it does not say. So a
/// share that was made with the token of this hour is listed as long as that
/// token is used, alive or deleted, and what is not listed was made with another.
const ONE_TOKEN: i64 = 3_600;

impl<'a> Planner<'a> {
    /// Makes a share for these pipelines.
    ///
    /// RAM answers a token that it remembers with the share that it made then,
    /// though it be deleted. So two runs that see the same within one hour use
    /// the same, and a run that sees that share deleted, without its tags, or
    /// under a name for others with somebody in it whom it was for, another one. A share that is gone without a trace was
    /// made with the token of another hour. Two runs at the turn of the hour may
    /// make two shares, of which the younger is deleted as a duplicate.
    pub(super) fn creation(
        &self,
        group: &ShareGroup<'a, '_>,
        name: &str,
        oldest: Option<&Pipeline>,
    ) -> NewShare {
        let rule = group.rule.name.as_str();
        let predecessor = self.predecessor(group, name);
        let oldest = oldest.map(|pipeline| format!("{} {}", pipeline.arn, pipeline.created));
        let mut lookalikes: Vec<_> = self
            .observed
            .lookalikes
            .iter()
            .filter(|lookalike| lookalike.share == name)
            .map(|lookalike| lookalike.arn.as_str())
            .collect();
        lookalikes.sort_unstable();
        let allow_external = group.allows_external();
        let parameters = [
            name,
            group.permission.as_str(),
            if allow_external {
                "external"
            } else {
                "members"
            },
            rule,
            &self.generation.to_string(),
            &hour(self.observed.at).to_string(),
            predecessor.map_or("", |share| share.arn.as_str()),
            &oldest.unwrap_or_default(),
            &lookalikes.join(" "),
        ];
        NewShare {
            name: name.to_owned(),
            rule: group.rule.name.clone(),
            permission: group.permission.clone(),
            allow_external,
            // The same for the same parameters, as RAM demands of a repeated request.
            client_token: digest::hex(&parameters.join("\n")),
        }
    }

    /// The newest share that RAM may have in mind for the name, and that is no more what it was.
    fn predecessor(&self, group: &ShareGroup<'a, '_>, name: &str) -> Option<&'a Share> {
        let rule = group.rule.name.as_str();
        let is_lost = |share: &&Share| {
            let of_rule = share.name.parse::<ShareName>().is_ok_and(|name| {
                name.rule == group.rule.name
                    && (name.audience == group.audience || !self.has_one_of(group, share))
            });
            let tagged = share.rule.as_deref() == Some(rule);
            let is_dead = !share.live || self.replaced.contains(share.arn.as_str());
            let is_meant = share.name == name || tagged;
            is_meant && (is_dead || !(tagged && of_rule))
        };
        let lost = self.observed.shares.iter().filter(is_lost);
        lost.max_by_key(|share| (share.created, &share.arn))
    }

    /// Whether anybody of the audience that the group is for is in the share, or was.
    fn has_one_of(&self, group: &ShareGroup<'a, '_>, share: &Share) -> bool {
        share.principals.iter().any(|it| {
            let principal = it.entity.parse::<Principal>();
            principal.is_ok_and(|it| Audience::of(self.policy, &it) == group.audience)
        })
    }
}

/// The hour of a time, counted from the epoch.
fn hour(time: Option<Timestamp>) -> i64 {
    time.map_or(0, |time| time.as_second().div_euclid(ONE_TOKEN))
}
