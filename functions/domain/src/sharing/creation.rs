//! Making a share, once, however many ask for it.

use super::{NewShare, Pipeline, Share, ShareName, group::ShareGroup, planner::Planner};
use crate::digest;

impl<'a> Planner<'a> {
    /// Makes a share for these pipelines.
    ///
    /// RAM answers a token that it remembers with the share that it made then.
    /// So two runs that see the same use the same, and a run that sees that
    /// share deleted, under another name or without its tags, another one. What
    /// RAM has forgotten is told apart by the pipelines, which are others then.
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
            let of_rule = share
                .name
                .parse::<ShareName>()
                .is_ok_and(|name| name.rule == group.rule.name);
            let tagged = share.rule.as_deref() == Some(rule);
            share.name == name && !(share.live && tagged) || tagged && !of_rule
        };
        let lost = self.observed.shares.iter().filter(is_lost);
        lost.max_by_key(|share| (share.created, &share.arn))
    }
}
