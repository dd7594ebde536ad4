//! Deploys the templates of `infra/` into the accounts that a policy speaks of.

use std::collections::{BTreeMap, BTreeSet};

use domain::policy::{CheckedPolicy, Place, Policy, PolicyErrors, TeamDocument};
use jiff::Timestamp;
use sandbox::{cloudformation::TemplateError, services::ssm, world::World};

use super::roster::Roster;
use crate::estate::{POLICY_PARAMETER, REGION, Templates, deploy};

/// What the parameters of the policy were when they were looked at: their versions by name.
type Versions = BTreeMap<String, u64>;

/// Keeps the accounts in step with the policy's parameter.
#[derive(Debug, Default)]
pub(super) struct Onboarding {
    templates: Templates,
    seen: Versions,
}

/// An account that was onboarded just now, and as what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Onboarded {
    pub(super) account: String,
    pub(super) role: String,
}

impl Onboarding {
    /// Onboards the accounts that newer documents name, if there are newer ones.
    ///
    /// A document that is not valid onboards nobody: the functions say what is wrong with it.
    pub(super) fn follow(
        &mut self,
        world: &mut World,
        roster: &mut Roster,
    ) -> Result<Vec<Onboarded>, TemplateError> {
        let Some(policy) = self.news(world, &roster.hub) else {
            return Ok(Vec::new());
        };
        let before = roster.clone();
        roster.add(&policy);
        if *roster == before {
            return Ok(Vec::new());
        }
        self.deploy(world, roster)?;
        let changed = roster.accounts().into_iter().filter_map(|account| {
            let role = roster.role(account)?;
            (before.role(account).as_ref() != Some(&role)).then(|| Onboarded {
                account: account.to_owned(),
                role,
            })
        });
        Ok(changed.collect())
    }

    /// What the newest documents say, if there is a newer one than the last time.
    fn news(&mut self, world: &World, hub: &str) -> Option<Policy> {
        let documents = ssm::newest_under(world, hub, REGION, POLICY_PARAMETER);
        let is_known =
            |(name, version, _): &(&str, u64, &str)| self.seen.get(*name) == Some(version);
        if documents.iter().all(is_known) {
            return None;
        }
        let versions = documents.iter();
        self.seen = versions
            .map(|(name, version, _)| ((*name).to_owned(), *version))
            .collect();
        let root = documents.iter().find(|it| it.0 == POLICY_PARAMETER)?.2;
        let teams: Vec<_> = documents.iter().filter_map(team).collect();
        // A team's mistake keeps nobody else's account away.
        let policy = check(root, &teams, world.now()).or_else(|_| check(root, &[], world.now()));
        policy.ok().map(|checked| checked.policy)
    }

    /// Deploys into every account of the roster; what is there takes the parameters of now.
    pub(super) fn deploy(&self, world: &mut World, roster: &Roster) -> Result<(), TemplateError> {
        *world.organization_mut() = roster.played();
        let organization = if roster.has_organization() {
            roster.organization.id.as_str()
        } else {
            ""
        };
        let outside = roster.outside().join(",");
        let hub = [
            ("OrganizationId", organization),
            ("AccountIds", &outside),
            ("CreatePolicyParameter", "false"),
        ];
        let template = &self.templates.hub;
        deploy(
            world,
            &roster.hub,
            "infra/hub/template.yaml",
            template,
            &hub,
        )?;
        let allowed = allowed_principals(roster);
        let permissions = joined(&roster.permissions);
        let owner = [
            ("HubAccountId", roster.hub.as_str()),
            ("OrganizationId", organization),
            ("AllowedPrincipals", &allowed),
            ("AllowedPermissions", &permissions),
        ];
        for account in &roster.owners {
            let file = "infra/owner-account/template.yaml";
            deploy(world, account, file, &self.templates.owner, &owner)?;
        }
        let owners = joined(&roster.owners);
        let consumer = [
            ("HubAccountId", roster.hub.as_str()),
            ("OrganizationId", organization),
            ("AllowedOwners", &owners),
        ];
        for account in &roster.consumers {
            let file = "infra/consumer-account/template.yaml";
            deploy(world, account, file, &self.templates.consumer, &consumer)?;
        }
        deploy_mailboxes(world, roster)
    }
}

fn joined(texts: &BTreeSet<String>) -> String {
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    texts.join(",")
}

/// What the real parser says of documents that are to work here.
pub(super) fn check(
    root: &str,
    teams: &[TeamDocument<'_>],
    now: Timestamp,
) -> Result<CheckedPolicy, PolicyErrors> {
    let place = REGION.parse().ok().map(|region| Place {
        partition: "aws".to_owned(),
        region,
    });
    Policy::check_all(root, teams, place.as_ref(), Some(now))
}

/// The document of a team, which lies below that of the root.
fn team<'d>((name, _, text): &(&'d str, u64, &'d str)) -> Option<TeamDocument<'d>> {
    let team = name.strip_prefix(POLICY_PARAMETER)?.strip_prefix('/')?;
    (!team.contains('/')).then_some(TeamDocument { team, text })
}

/// Whom owners may share with at most: everybody whom the policy speaks of.
fn allowed_principals(roster: &Roster) -> String {
    let accounts = roster.accounts().into_iter();
    let mut allowed: Vec<&str> = accounts.collect();
    allowed.extend(roster.principals.iter().map(String::as_str));
    let organization = roster.organization.arn();
    if roster.has_organization() && !roster.principals.contains(&organization) {
        allowed.push(&organization);
    }
    allowed.join(",")
}

/// Queues that keep what the topics tell.
fn deploy_mailboxes(world: &mut World, roster: &Roster) -> Result<(), TemplateError> {
    let template = include_str!("mailbox.yaml");
    for mailbox in roster.mailboxes() {
        let parameters = [("Topic", mailbox.topic)];
        let file = format!("{}-mailbox.yaml", mailbox.topic);
        deploy(world, &mailbox.account, &file, template, &parameters)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use sandbox::Call;
    use serde_json::json;

    use super::*;
    use crate::estate::{POLICY, SHARED};

    fn put(world: &mut World, policy: &str) {
        let input = json!({
            "Name": POLICY_PARAMETER, "Value": policy, "Type": "String", "Overwrite": true,
        });
        let call = Call::by_administrator(SHARED, REGION, "ssm", "PutParameter", input);
        world.call(&call).unwrap();
    }

    #[test]
    fn an_account_that_a_later_version_names_is_onboarded_once() {
        let mut world = World::builder().build();
        let mut roster = Roster::of_walkthrough();
        let mut onboarding = Onboarding::default();
        onboarding.deploy(&mut world, &roster).unwrap();
        put(&mut world, POLICY);
        let follow = |onboarding: &mut Onboarding, world: &mut World, roster: &mut Roster| {
            let onboarded = onboarding.follow(world, roster).unwrap();
            let onboarded = onboarded.into_iter();
            let texts = onboarded.map(|it| format!("{} {}", it.account, it.role));
            texts.collect::<Vec<_>>()
        };
        let nobody: [&str; 0] = [];
        assert_eq!(follow(&mut onboarding, &mut world, &mut roster), nobody);
        put(&mut world, "version: 1\nrules: [{}]\n");
        assert_eq!(follow(&mut onboarding, &mut world, &mut roster), nobody);
        let more = "\n  - { name: more, owner: test, pipelines: ['*'], with: ['444444444444'] }\n";
        put(&mut world, &(POLICY.trim_end().to_owned() + more));
        let onboarded = follow(&mut onboarding, &mut world, &mut roster);
        assert_eq!(onboarded, ["444444444444 consumer"]);
        assert_eq!(follow(&mut onboarding, &mut world, &mut roster), nobody);

        let role = "pipeshare-consumer-us-east-1";
        assert!(world.iam().role("444444444444", role).is_some());
        let ceiling = json!({ "Name": "/pipeshare/ceiling" });
        let call = Call::by_administrator("222222222222", REGION, "ssm", "GetParameter", ceiling);
        let ceiling = world.call(&call).unwrap()["Parameter"]["Value"].to_string();
        assert!(ceiling.contains("444444444444"), "{ceiling}");
    }
}
