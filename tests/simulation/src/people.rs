//! What people do, and what goes wrong.

use std::{collections::BTreeSet, time::Duration};

use sandbox::{
    World,
    faults::{CallEffect, CallFault, EventEffect, EventFault, Refusal},
    http::perform,
    services::{events, iam, sagemaker},
    world::{ApiError, Call},
};
use serde_json::{Value, json};

use crate::{
    estate::{DEV, PARTNER, REGION, SHARED, STRANGER},
    history::{Edit, Effect, Fate, Op, Owner, Policy, Rule, Who},
    run::dead_letters,
};

/// The managed permissions of RAM for pipelines: to read, and to run.
const PERMISSIONS: [&str; 2] = [
    "arn:aws:ram::aws:permission/AWSRAMDefaultPermissionSageMakerPipeline",
    "arn:aws:ram::aws:permission/AWSRAMPermissionSageMakerPipelineAllowExecution",
];

/// Two steps, the second of which may fail.
const DEFINITION: &str = r#"{"Version":"2020-12-01","Steps":[
    {"Name":"Prepare","Type":"Processing","Arguments":{}},
    {"Name":"Train","Type":"Training","DependsOn":["Prepare"],"Arguments":{}}]}"#;

/// The people of the history, and what they have to remember.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// The versions that were written, by their numbers.
    pub(crate) written: Vec<Policy>,
    /// The number of the version of the root that was written last.
    pub(crate) root: Option<usize>,
    /// The same of the team.
    pub(crate) team: Option<usize>,
    /// The consumers whose roles were deleted, sooner or later.
    pub(crate) left: BTreeSet<String>,
    /// Whether nobody ever lets the schedule come.
    unscheduled: bool,
    tokens: u64,
    deleted: Vec<(String, String, Value)>,
}

/// What an administrator of an account does; none if it is refused.
pub(crate) fn act(
    world: &mut World,
    account: &str,
    operation: &str,
    input: Value,
) -> Option<Value> {
    let (service, operation) = operation.split_once(':').expect("service:Operation");
    let call = Call::by_administrator(account, REGION, service, operation, input);
    perform(world, &call).ok()
}

/// The ARN of a pipeline.
pub(crate) fn pipeline_arn(account: &str, name: &str) -> String {
    format!("arn:aws:sagemaker:{REGION}:{account}:pipeline/{name}")
}

/// The active shares of an owner, by name.
pub(crate) fn shares(world: &mut World, account: &str) -> Vec<(String, String)> {
    let wanted =
        json!({ "resourceOwner": "SELF", "resourceShareStatus": "ACTIVE", "maxResults": 500 });
    let mut shares = Vec::new();
    let mut token = Value::Null;
    loop {
        let mut wanted = wanted.clone();
        if token.is_string() {
            wanted["nextToken"] = token;
        }
        let page = act(world, account, "ram:GetResourceShares", wanted).unwrap_or_default();
        for share in page["resourceShares"].as_array().into_iter().flatten() {
            let text = |member: &str| share[member].as_str().unwrap_or_default().to_owned();
            shares.push((text("name"), text("resourceShareArn")));
        }
        token = page["nextToken"].clone();
        if !token.is_string() {
            break;
        }
    }
    shares.sort();
    shares
}

/// The account of somebody.
pub(crate) fn account_of(who: Who) -> &'static str {
    match who {
        Who::Dev | Who::Role | Who::Unit | Who::Organization => DEV,
        Who::Shared => SHARED,
        Who::Partner => PARTNER,
    }
}

impl People {
    /// Does what an operation says, apart from letting time pass.
    pub(crate) fn play(&mut self, world: &mut World, op: &Op) {
        match op {
            Op::Write(policy) => self.root = Some(self.write(world, policy, None)),
            Op::WriteTeam(policy) => self.team = Some(self.write(world, policy, Some("team"))),
            Op::Create(owner, name) => self.create(world, *owner, name),
            Op::Delete(owner, name) => self.delete(world, *owner, name),
            Op::Recreate(owner, name) => {
                self.delete(world, *owner, name);
                // Two pipelines of one name are told apart by their times.
                world.pass(Duration::from_millis(1));
                self.create(world, *owner, name);
            }
            Op::Run {
                owner,
                pipeline,
                fails,
            } => self.run(world, *owner, pipeline, *fails),
            Op::Deploy {
                owner,
                pipeline,
                rule,
            } => deploy(world, *owner, pipeline, rule),
            Op::Edit { owner, share, edit } => change(world, *owner, *share, edit),
            Op::Reject(who) => reject(world, account_of(*who)),
            Op::Stranger(who, name) => self.invite(world, *who, name),
            Op::Leave(who) => {
                let members = &mut world.organization_mut().members;
                members.remove(account_of(*who));
            }
            Op::Join(who) => {
                let members = &mut world.organization_mut().members;
                members.insert(account_of(*who).to_owned());
            }
            Op::RamSharing(on) => world.organization_mut().ram_sharing = *on,
            Op::DeleteRole(who, role) => self.delete_role(world, account_of(*who), role),
            Op::RestoreRoles => self.restore_roles(world),
            Op::Schedule(on) => schedule(world, *on),
            Op::Outage {
                service,
                account,
                throttles,
            } => outage(world, service, *account, *throttles),
            Op::Mend => world.faults_mut().refusals.clear(),
            Op::Fault {
                service,
                operation,
                skip,
                effect,
            } => fault(world, service, operation, *skip, *effect),
            Op::Event(detail_type, fate) => {
                let effect = match fate {
                    Fate::Lost => EventEffect::Lose,
                    Fate::Tripled => EventEffect::Repeat(3),
                    Fate::Late(minutes) => EventEffect::Delay(Duration::from_mins(*minutes)),
                };
                let detail_type = detail_type.clone();
                let fault = EventFault {
                    detail_type,
                    effect,
                };
                world.faults_mut().events.push(fault);
            }
            Op::Sweep(times) => {
                for _ in 0..*times {
                    events::run_schedule(world, SHARED, REGION, "pipeshare-schedule");
                }
            }
            Op::Wait(_) | Op::Settle | Op::Slow { .. } | Op::CoolDown => {}
        }
    }

    /// Ends everything that goes wrong by itself.
    pub(crate) fn recover(&mut self, world: &mut World) {
        *world.faults_mut() = sandbox::faults::Faults::default();
        self.restore_roles(world);
        // What is a dead letter, the schedule alone makes up for.
        self.unscheduled &= dead_letters(world) == 0;
        schedule(world, !self.unscheduled);
    }

    /// The rules that may come in force by an operation: a team's with its root.
    pub(crate) fn may_come_in_force(&self, op: &Op) -> Vec<Vec<Rule>> {
        let written = match op {
            Op::Write(root) if !root.broken => [self.root, self.team],
            Op::WriteTeam(_) => [None, self.team],
            _ => [None, None],
        };
        let written = written.into_iter().flatten();
        let valid = written.map(|it| &self.written[it]).filter(|it| !it.broken);
        valid.map(|policy| policy.rules.clone()).collect()
    }

    /// The schedule never comes again.
    pub(crate) fn unschedule(&mut self, world: &mut World) {
        self.unscheduled = true;
        schedule(world, false);
    }

    fn token(&mut self) -> String {
        self.tokens += 1;
        format!("token-{:->40}", self.tokens)
    }

    fn write(&mut self, world: &mut World, policy: &Policy, team: Option<&str>) -> usize {
        let number = self.written.len();
        self.written.push(policy.clone());
        let (name, text) = match team {
            None => ("/pipeshare/policy".to_owned(), policy.root(number)),
            Some(team) => (format!("/pipeshare/policy/{team}"), policy.team(number)),
        };
        let input = json!({ "Name": name, "Value": text, "Overwrite": true, "Type": "String", "Tier": "Advanced" });
        act(world, SHARED, "ssm:PutParameter", input).expect("a policy can be written");
        number
    }

    fn create(&mut self, world: &mut World, owner: Owner, name: &str) {
        let account = owner.id();
        self.create_in(world, account, name);
    }

    pub(crate) fn create_in(&mut self, world: &mut World, account: &str, name: &str) {
        let input = json!({
            "PipelineName": name,
            "PipelineDefinition": DEFINITION,
            "RoleArn": format!("arn:aws:iam::{account}:role/pipeline"),
            "ClientRequestToken": self.token(),
        });
        act(world, account, "sagemaker:CreatePipeline", input);
    }

    fn delete(&mut self, world: &mut World, owner: Owner, name: &str) {
        let input = json!({ "PipelineName": name, "ClientRequestToken": self.token() });
        act(world, owner.id(), "sagemaker:DeletePipeline", input);
    }

    fn run(&mut self, world: &mut World, owner: Owner, name: &str, fails: bool) {
        if fails {
            sagemaker::fail_step(world, owner.id(), name, "Train", "no such column");
        }
        let input = json!({ "PipelineName": name, "ClientRequestToken": self.token() });
        act(world, owner.id(), "sagemaker:StartPipelineExecution", input);
    }

    fn invite(&mut self, world: &mut World, who: Who, name: &str) {
        self.create_in(world, STRANGER, "bait");
        let input = json!({
            "name": name,
            "principals": [account_of(who)],
            "resourceArns": [pipeline_arn(STRANGER, "bait")],
            "clientToken": self.token(),
        });
        act(world, STRANGER, "ram:CreateResourceShare", input);
    }

    fn delete_role(&mut self, world: &mut World, account: &str, role: &str) {
        let name = format!("pipeshare-{role}-{REGION}");
        let properties = world
            .iam()
            .role(account, &name)
            .map(|it| it.properties.clone());
        if let Some(properties) = properties {
            iam::delete_role(world, account, &name);
            if ["consumer", "notifier"].contains(&role) {
                self.left.insert(account.to_owned());
            }
            self.deleted.push((account.to_owned(), name, properties));
        }
    }

    fn restore_roles(&mut self, world: &mut World) {
        for (account, name, properties) in self.deleted.drain(..) {
            // Nobody else makes roles.
            let _ = iam::create_role(world, &account, &name, &properties);
        }
    }
}

fn deploy(world: &mut World, owner: Owner, name: &str, rule: &str) {
    let described = json!({ "PipelineName": name });
    let described = act(world, owner.id(), "sagemaker:DescribePipeline", described);
    let created = described.and_then(|it| it["CreationTime"].as_f64());
    let Some(created) = created else {
        return;
    };
    let arn = pipeline_arn(owner.id(), name);
    let sk = format!("{rule}|{arn}|{:.0}", created * 1000.0);
    let input = json!({ "TableName": "pipeshare", "Item": {
        "pk": { "S": format!("gate|hook|{}", owner.id()) },
        "sk": { "S": sk },
    }});
    act(world, SHARED, "dynamodb:PutItem", input).expect("a gate can be opened");
    let url = format!("https://sqs.{REGION}.amazonaws.com/{SHARED}/pipeshare-share-pipeline");
    let command = json!({ "action": "share", "owner": owner.id() }).to_string();
    let input = json!({ "QueueUrl": url, "MessageBody": command });
    act(world, SHARED, "sqs:SendMessage", input).expect("a command can be sent");
}

fn change(world: &mut World, owner: Owner, share: usize, edit: &Edit) {
    let shares = shares(world, owner.id());
    let Some((_, arn)) = shares.get(share % shares.len().max(1)) else {
        return;
    };
    let pipeline = |name: &str| json!({ "resourceArns": [pipeline_arn(owner.id(), name)] });
    let (operation, mut input) = match edit {
        Edit::Rename(name) => ("UpdateResourceShare", json!({ "name": name })),
        Edit::Untag => ("UntagResource", json!({ "tagKeys": ["pipeshare:rule"] })),
        Edit::Tag(rule) => (
            "TagResource",
            json!({ "tags": [{ "key": "pipeshare:rule", "value": rule }] }),
        ),
        Edit::AddPrincipal(who) => (
            "AssociateResourceShare",
            json!({ "principals": [who.principal()] }),
        ),
        Edit::RemovePrincipal(who) => (
            "DisassociateResourceShare",
            json!({ "principals": [who.principal()] }),
        ),
        Edit::AddPipeline(name) => ("AssociateResourceShare", pipeline(name)),
        Edit::RemovePipeline(name) => ("DisassociateResourceShare", pipeline(name)),
        Edit::Permission { execute } => (
            "AssociateResourceSharePermission",
            json!({ "permissionArn": PERMISSIONS[usize::from(*execute)], "replace": true }),
        ),
        Edit::External(allowed) => (
            "UpdateResourceShare",
            json!({ "allowExternalPrincipals": allowed }),
        ),
        Edit::Delete => ("DeleteResourceShare", json!({})),
    };
    input["resourceShareArn"] = arn.clone().into();
    act(world, owner.id(), &format!("ram:{operation}"), input);
}

/// The invitations of an account: ARN, sender and status.
pub(crate) fn invitations(world: &mut World, account: &str) -> Vec<(String, String, String)> {
    let all = json!({ "maxResults": 500 });
    let found = act(world, account, "ram:GetResourceShareInvitations", all).unwrap_or_default();
    let found = found["resourceShareInvitations"].as_array().cloned();
    let text = |it: &Value, member: &str| it[member].as_str().unwrap_or_default().to_owned();
    let read = |it: Value| {
        (
            text(&it, "resourceShareInvitationArn"),
            text(&it, "senderAccountId"),
            text(&it, "status"),
        )
    };
    found.into_iter().flatten().map(read).collect()
}

fn reject(world: &mut World, account: &str) {
    for (invitation, _, status) in invitations(world, account) {
        if status == "PENDING" {
            let input = json!({ "resourceShareInvitationArn": invitation });
            act(world, account, "ram:RejectResourceShareInvitation", input);
        }
    }
}

fn schedule(world: &mut World, on: bool) {
    let operation = if on {
        "events:EnableRule"
    } else {
        "events:DisableRule"
    };
    let input = json!({ "Name": "pipeshare-schedule" });
    act(world, SHARED, operation, input).expect("the schedule is there");
}

fn outage(world: &mut World, service: &str, account: Option<Who>, throttles: bool) {
    let error = if throttles {
        ApiError::with_status(400, "ThrottlingException", "Rate exceeded")
    } else {
        ApiError::with_status(503, "ServiceUnavailable", "injected")
    };
    world.faults_mut().refusals.push(Refusal {
        service: Some(service.to_owned()),
        operation: None,
        account: account.map(|who| account_of(who).to_owned()),
        mentions: None,
        error,
    });
}

fn fault(world: &mut World, service: &str, operation: &str, skip: usize, effect: Effect) {
    let refuse = |status, code| CallEffect::Refuse(ApiError::with_status(status, code, "injected"));
    let effect = match effect {
        Effect::Unavailable => refuse(503, "ServiceUnavailable"),
        Effect::Throttled => refuse(400, "ThrottlingException"),
        Effect::AnswerLost => CallEffect::LoseAnswer,
        Effect::KilledBefore => CallEffect::KillCaller { after: false },
        Effect::KilledAfter => CallEffect::KillCaller { after: true },
    };
    let fault = |effect| CallFault {
        service: service.to_owned(),
        operation: operation.to_owned(),
        account: None,
        effect,
    };
    let faults = &mut world.faults_mut().calls;
    faults.extend(std::iter::repeat_n(fault(CallEffect::Pass), skip));
    faults.push(fault(effect));
}
