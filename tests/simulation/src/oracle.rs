//! Who should have access, and who has.
//!
//! What should be is said by the rules alone, in a few lines that share nothing
//! with the functions; what is, by the sandbox's authorization.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use sandbox::{
    World,
    services::ram,
    world::{AssumedRole, Caller, RecordedCall},
};
use serde_json::{Value, json};

use crate::{
    estate::{DEV, MEMBER, PARTNER, ROLE, SHARED, STRANGER, TEST},
    history::{Edit, Gate, Op, Owner, Policy, Rule, Who},
    people::{account_of, act, invitations, pipeline_arn},
};

/// The names of all pipelines of a history.
pub const PIPELINES: [&str; 4] = ["churn", "fraud", "score", "secret"];

/// What a caller does: read, or run.
const ACTIONS: [(&str, bool); 2] = [
    ("sagemaker:DescribePipeline", false),
    ("sagemaker:StartPipelineExecution", true),
];

/// Whether a pipeline exists, and which gates it has passed.
#[derive(Debug, Clone, Default)]
struct Passed {
    succeeded: bool,
    hooks: BTreeSet<String>,
}

/// The rules in force, or once in force, and what was done by hand.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    /// What was in force since access was last as it should be.
    recent: Vec<Vec<Rule>>,
    /// Which gates were passed since then, by pipeline.
    passed: BTreeMap<(Owner, String), Passed>,
    /// The pipelines that were there when it was looked for gates last.
    there: BTreeSet<(Owner, String)>,
    /// Up to which call and which event that was.
    looked: (usize, usize),
    /// What hands gave since then.
    by_hand: Vec<(Option<Who>, Owner, Option<String>)>,
    /// Whose shares were renamed since then, so that they were offered as those of another rule.
    renamed: BTreeSet<Owner>,
    /// Whoever was in the organization.
    members: BTreeSet<String>,
    /// When access was last as it should be.
    since: Timestamp,
}

/// Everybody who might have access.
fn callers() -> Vec<(String, Caller)> {
    let mut callers: Vec<_> = [DEV, TEST, SHARED, PARTNER, MEMBER, STRANGER]
        .map(|account| (account.to_owned(), Caller::administrator(account)))
        .into();
    let role = Caller {
        account: DEV.to_owned(),
        role: Some(AssumedRole {
            name: ROLE.to_owned(),
            session: "simulated".to_owned(),
        }),
    };
    callers.push((format!("{DEV}/{ROLE}"), role));
    callers
}

/// Whether somebody of a rule is this caller, if these are the organization's.
fn covers(who: Who, caller: &Caller, members: &BTreeSet<String>) -> bool {
    let account = caller.account.as_str();
    match who {
        Who::Dev | Who::Shared | Who::Partner => account_of(who) == account,
        Who::Role => account == DEV && caller.role.is_some(),
        Who::Unit => [DEV, MEMBER].contains(&account) && members.contains(account),
        Who::Organization => members.contains(account),
    }
}

/// The gates that a pipeline has passed; none if there is no pipeline.
fn passed(world: &mut World, owner: Owner, name: &str) -> Option<Passed> {
    let named = json!({ "PipelineName": name });
    let described = act(world, owner.id(), "sagemaker:DescribePipeline", named)?;
    let created = described["CreationTime"].as_f64()?;
    let named = json!({ "PipelineName": name, "MaxResults": 100 });
    let runs = act(world, owner.id(), "sagemaker:ListPipelineExecutions", named)?;
    let succeeded = |run: &Value| {
        run["PipelineExecutionStatus"] == "Succeeded" && run["StartTime"].as_f64() >= Some(created)
    };
    let mut runs = runs["PipelineExecutionSummaries"].as_array()?.iter();
    let succeeded = runs.any(succeeded);
    let query = json!({
        "TableName": "pipeshare",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": { "S": format!("gate|hook|{}", owner.id()) } },
    });
    let items = act(world, SHARED, "dynamodb:Query", query).unwrap_or_default();
    let of = format!(
        "|{}|{:.0}",
        pipeline_arn(owner.id(), name),
        created * 1000.0
    );
    let hooks = items["Items"].as_array().into_iter().flatten();
    let hooks = hooks.filter_map(|item| item["sk"]["S"].as_str()?.strip_suffix(&of));
    Some(Passed {
        succeeded,
        hooks: hooks.map(str::to_owned).collect(),
    })
}

fn opens(rule: &Rule, passed: &Passed) -> bool {
    match rule.after {
        Gate::Created => true,
        Gate::Succeeded => passed.succeeded,
        Gate::Hook => passed.hooks.contains(&rule.name),
    }
}

fn is_about(rule: &Rule, owner: Owner, name: &str, runs: bool) -> bool {
    rule.names(owner, name) && (rule.execute || !runs)
}

impl Oracle {
    /// Remembers what an operation gives to whom.
    pub(crate) fn heed(&mut self, world: &World, op: &Op, in_force: Vec<Vec<Rule>>) {
        self.members
            .extend(world.organization().members.iter().cloned());
        self.recent.extend(in_force);
        let Op::Edit { owner, edit, .. } = op else {
            return;
        };
        match edit {
            Edit::AddPrincipal(who) => self.by_hand.push((Some(*who), *owner, None)),
            Edit::AddPipeline(name) => self.by_hand.push((None, *owner, Some(name.clone()))),
            Edit::Rename(_) => {
                self.renamed.insert(*owner);
            }
            Edit::Permission { execute: true } => self.by_hand.push((None, *owner, None)),
            _ => {}
        }
    }

    /// Access is as it should be: what was before counts no longer.
    ///
    /// What gives access by a gate gives it until it is taken back from a namesake.
    pub(crate) fn forget(&mut self, world: &mut World, in_force: &[Rule]) {
        *self = Self::default();
        self.members.clone_from(&world.organization().members);
        self.recent.push(in_force.to_vec());
        self.since = world.now();
        self.look_for_gates(world);
    }

    /// When access was last as it should be, if no policy was written since.
    pub(crate) fn unchanged_since(&self) -> Option<Timestamp> {
        (self.recent.len() == 1).then_some(self.since)
    }

    /// Who has access that nobody ever gave.
    pub(crate) fn excess(&mut self, world: &mut World) -> Vec<String> {
        if self.may_have_passed(world) {
            self.look_for_gates(world);
        }
        let mut excess = self.ungiven(world);
        if !excess.is_empty() {
            self.look_for_gates(world);
            excess = self.ungiven(world);
        }
        excess.extend(accepted_from_strangers(world));
        excess
    }

    /// Whether a pipeline may have passed a gate, or be another one, since it was looked for that.
    fn may_have_passed(&self, world: &World) -> bool {
        let (calls, events) = self.looked;
        world.events().seen.len() != events || world.calls().iter().skip(calls).any(may_move_gates)
    }

    /// Remembers which gates were passed, and which pipelines are there.
    fn look_for_gates(&mut self, world: &mut World) {
        self.there.clear();
        for owner in [Owner::Test, Owner::Dev] {
            for name in PIPELINES {
                let Some(now) = passed(world, owner, name) else {
                    continue;
                };
                let key = (owner, name.to_owned());
                let known = self.passed.entry(key.clone()).or_default();
                known.succeeded |= now.succeeded;
                known.hooks.extend(now.hooks);
                self.there.insert(key);
            }
        }
        self.looked = (world.calls().len(), world.events().seen.len());
    }

    /// Who has access that was not given, as far as is known which gates were passed.
    fn ungiven(&self, world: &World) -> Vec<String> {
        let mut ungiven = Vec::new();
        for (owner, name) in &self.there {
            for (who, action) in has(world, *owner, name) {
                if !self.was_given(&who.1, *owner, name, action == ACTIONS[1].0) {
                    ungiven.push(format!("{} got {action} {name} of {owner:?}", who.0));
                }
            }
        }
        ungiven
    }

    fn was_given(&self, caller: &Caller, owner: Owner, name: &str, runs: bool) -> bool {
        let default = Passed::default();
        let passed = self
            .passed
            .get(&(owner, name.to_owned()))
            .unwrap_or(&default);
        let rules = || self.recent.iter().flatten();
        let is_for = |rule: &Rule| {
            let mut with = rule.with.iter();
            with.any(|who| covers(*who, caller, &self.members))
        };
        let by_rule =
            |rule: &Rule| is_about(rule, owner, name, runs) && opens(rule, passed) && is_for(rule);
        // A hand alone lets no outsider in: its account accepts what a rule names, and an
        // invitation says nothing of permissions and gates.
        let names = |rule: &Rule| rule.names(owner, name) && is_for(rule);
        let accepts =
            |who| who != Some(Who::Partner) || self.renamed.contains(&owner) || rules().any(names);
        let by_hand = |(who, of, what): &(Option<Who>, Owner, Option<String>)| {
            *of == owner
                && accepts(*who)
                && what.as_ref().is_none_or(|it| it == name)
                && who.is_none_or(|who| covers(who, caller, &self.members))
        };
        rules().any(by_rule) || self.by_hand.iter().any(by_hand)
    }
}

/// Whether a call may have made or ended a pipeline or a run, or let a pipeline through a hook.
fn may_move_gates(call: &RecordedCall) -> bool {
    let reads = ["Describe", "List", "Search"];
    match call.service.as_str() {
        "sagemaker" => !reads.iter().any(|verb| call.operation.starts_with(verb)),
        "dynamodb" => {
            let writes = ["Put", "Update", "Delete", "Write"];
            writes.iter().any(|verb| call.operation.contains(verb))
                && call.input.to_string().contains("gate|hook|")
        }
        _ => false,
    }
}

/// Who has which access to a pipeline of another account.
fn has(world: &World, owner: Owner, name: &str) -> Vec<((String, Caller), &'static str)> {
    let arn = pipeline_arn(owner.id(), name);
    let mut has = Vec::new();
    for who in callers() {
        for (action, _) in ACTIONS {
            if who.1.account != owner.id() && ram::grants(world, &who.1, action, &arn) {
                has.push((who.clone(), action));
            }
        }
    }
    has
}

fn accepted_from_strangers(world: &mut World) -> Vec<String> {
    let mut accepted = Vec::new();
    for account in [DEV, SHARED, PARTNER] {
        for (_, sender, status) in invitations(world, account) {
            if sender == STRANGER && status == "ACCEPTED" {
                accepted.push(format!("{account} accepted what a stranger sent"));
            }
        }
    }
    accepted
}

/// Where access is not what these rules say.
pub(crate) fn differences(world: &mut World, rules: &[Rule]) -> Vec<String> {
    let mut differences = Vec::new();
    let organization = world.organization().clone();
    for owner in [Owner::Test, Owner::Dev] {
        for name in PIPELINES {
            let Some(passed) = passed(world, owner, name) else {
                continue;
            };
            let has = has(world, owner, name);
            for (who, caller) in callers() {
                for (action, runs) in ACTIONS {
                    let gives = |rule: &&Rule| {
                        is_about(rule, owner, name, runs)
                            && opens(rule, &passed)
                            && caller.account != owner.id()
                    };
                    let mut granting = rules.iter().filter(gives).flat_map(|rule| &rule.with);
                    let expected = granting.any(|it| covers(*it, &caller, &organization.members));
                    let shares = organization.shares_between(owner.id(), &caller.account);
                    // Who is said to be inside and is not depends on what RAM makes of it.
                    let must = expected && (shares || caller.account == PARTNER);
                    let does = has.iter().any(|it| it.0.0 == who && it.1 == action);
                    if (does && !expected) || (must && !does) {
                        differences.push(format!(
                            "{who} {action} {name} of {owner:?}: {does}, not {expected}"
                        ));
                    }
                }
            }
        }
    }
    differences.extend(accepted_from_strangers(world));
    differences
}

/// The rules of the version that carries the label `in-force`; of the document of a team, too.
pub(crate) fn in_force(world: &mut World, written: &[Policy], parameter: &str) -> Option<usize> {
    let input = json!({ "Name": format!("{parameter}:in-force") });
    let found = act(world, SHARED, "ssm:GetParameter", input)?;
    let text = found["Parameter"]["Value"].as_str()?;
    let number = text.strip_prefix("# ")?.lines().next()?.parse().ok()?;
    written.get(number).map(|_| number)
}

/// Whether a pipeline is there, and has passed the gate of a rule that is about it.
pub(crate) fn passes(world: &mut World, rule: &Rule, name: &str) -> bool {
    rule.names(rule.owner, name)
        && passed(world, rule.owner, name).is_some_and(|passed| opens(rule, &passed))
}
