//! Commands: what people, schedules and pipelines of their own may send.

use std::collections::BTreeMap;

use serde_json::json;

use super::{
    TriggerKind,
    fields::Fields,
    ignored::{Ignored, label},
};
use crate::{
    account::AccountRef,
    id::{AccountId, PipelineArn, Region},
    notification::Grant,
    policy::{Policy, Version, nearest},
};

/// A request such as `{"action": "share", "owner": "222222222222", "dryRun": true}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What to do.
    pub action: CommandAction,
    /// The only account to do it for; all of them if absent. See [`account_of`].
    pub account: Option<AccountRef>,
    /// What to begin with of what a consumer was given, where the time of the
    /// reconciliation before was used up.
    pub from: Option<Grant>,
    /// Whether to plan only.
    pub dry_run: bool,
}

impl Command {
    /// The text of a command that asks for one account.
    #[must_use]
    pub fn text(action: CommandAction, account: &AccountId) -> String {
        let (name, field) = action.names();
        json!({ "action": name, field: account }).to_string()
    }

    /// The same for what is left of an account.
    #[must_use]
    pub fn text_from(action: CommandAction, account: &AccountId, from: &Grant) -> String {
        let (name, field) = action.names();
        json!({ "action": name, field: account, "from": from }).to_string()
    }
}

/// The confirmation of one version of a document, which withdraws more than the limit.
///
/// For instance `{"action": "confirm", "version": 7, "digest": "ba7816…"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Confirmation {
    /// The team whose document it is; none for the root.
    pub team: Option<String>,
    /// The number of the version.
    pub version: i64,
    /// The digest of its text: a parameter that is made again counts from one.
    pub digest: String,
}

impl Confirmation {
    /// Whether it is of this version of a document, and of no other.
    #[must_use]
    pub fn confirms(&self, team: Option<&str>, version: &Version) -> bool {
        self.team.as_deref() == team
            && self.version == version.version
            && self.digest == version.digest()
    }

    /// The text of the command.
    #[must_use]
    pub fn text(team: Option<&str>, version: i64, digest: &str) -> String {
        let mut command = json!({ "action": "confirm", "version": version, "digest": digest });
        if let Some(team) = team {
            command["team"] = json!(team);
        }
        command.to_string()
    }

    fn read(body: &Fields) -> Result<Self, Ignored> {
        let known = ["action", "team", "version", "digest", "time"];
        only(body, "confirm", &known)?;
        let team = body.has("team").then(|| body.text("team")).transpose()?;
        Ok(Self {
            team: team.map(str::to_owned),
            version: body.number("version")?,
            digest: body.text("digest")?.to_owned(),
        })
    }
}

/// The question what documents would do that are not in force.
///
/// For instance `{"action": "plan", "root": "version: 1", "owner": "test"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanRequest {
    /// The root, if it is another one than that in force.
    pub root: Option<String>,
    /// The documents of teams, in place of those in force.
    pub teams: BTreeMap<String, String>,
    /// The only owner to plan for; all of them if absent.
    pub owner: Option<AccountRef>,
    /// The account to go on with, where the answer before ended.
    pub from: Option<AccountId>,
}

impl PlanRequest {
    fn read(body: &Fields) -> Result<Self, Ignored> {
        let known = ["action", "root", "teams", "owner", "from", "time"];
        only(body, "plan", &known)?;
        let root = body.has("root").then(|| body.text("root")).transpose()?;
        let mut teams = BTreeMap::new();
        if body.has("teams") {
            let documents = body.object("teams")?;
            for team in documents.names() {
                teams.insert(team.to_owned(), documents.text(team)?.to_owned());
            }
        }
        if root.is_none() && teams.is_empty() {
            let field = "root".to_owned();
            return Err(Ignored::MissingField { field });
        }
        Ok(Self {
            root: root.map(str::to_owned),
            teams,
            owner: read_account(body, "owner")?,
            from: body
                .has("from")
                .then(|| body.id("from", "an account id"))
                .transpose()?,
        })
    }
}

/// The question why an account has access to a pipeline, or has not.
///
/// For instance `{"action": "explain", "pipeline": "test/churn", "account": "dev"}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExplainRequest {
    /// Who owns the pipeline.
    pub owner: AccountRef,
    /// The Region, if the question has the ARN.
    pub region: Option<Region>,
    /// The name of the pipeline.
    pub pipeline: String,
    /// Whose access it is about.
    pub account: AccountRef,
}

impl ExplainRequest {
    fn read(body: &Fields) -> Result<Self, Ignored> {
        let known = ["action", "pipeline", "account", "time"];
        only(body, "explain", &known)?;
        let account = AccountRef::of(body.text("account")?);
        let text = body.text("pipeline")?;
        let expected = "the ARN of a pipeline, or OWNER/NAME";
        if text.starts_with("arn:") {
            let arn: PipelineArn = body.id("pipeline", expected)?;
            let owner = arn.owner().account();
            let owner = owner.ok_or_else(|| body.bad("pipeline", expected))?;
            return Ok(Self {
                owner: owner.clone().into(),
                region: Some(arn.region().clone()),
                pipeline: arn.name().to_owned(),
                account,
            });
        }
        let parts = text.split_once('/');
        let parts = parts.filter(|(owner, name)| !owner.is_empty() && !name.is_empty());
        let (owner, name) = parts.ok_or_else(|| body.bad("pipeline", expected))?;
        Ok(Self {
            owner: AccountRef::of(owner),
            region: None,
            pipeline: name.to_owned(),
            account,
        })
    }
}

/// Refuses a command with a field that it does not have.
fn only(body: &Fields, action: &'static str, known: &[&str]) -> Result<(), Ignored> {
    match body.names().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(field) => Err(Ignored::UnknownField {
            action,
            field: label(field),
        }),
    }
}

/// The account that a command names, by the policy in force.
///
/// A misspelled name must not widen the command to every account.
pub fn account_of(account: &AccountRef, policy: &Policy) -> Result<AccountId, Ignored> {
    account.resolve(Some(policy)).map_err(|_| {
        let names = policy.accounts.iter().map(|account| account.name.as_str());
        let account = account.to_string();
        Ignored::UnknownAccount {
            meant: nearest(&account, names).map(str::to_owned),
            account: label(&account),
        }
    })
}

/// What a command asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommandAction {
    /// Bring the shares of an owner in line with the policy.
    Share,
    /// Answer the invitations of a consumer.
    Accept,
    /// Reconcile everything.
    Reconcile,
    /// Reconcile the shares of an owner, or of all, and record all access that there is.
    Record,
}

impl CommandAction {
    /// The answer of a function that this action is not meant for.
    #[must_use]
    pub fn not_for_this_function(self) -> Ignored {
        let (action, _) = self.names();
        Ignored::NotForThisFunction { action }
    }

    /// The action's name, and the name of the field for its account.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Share => ("share", "owner"),
            Self::Accept => ("accept", "account"),
            Self::Reconcile => ("reconcile", "account"),
            Self::Record => ("record", "owner"),
        }
    }

    /// Whether a consumer may be served from somewhere on.
    fn has_beginnings(self) -> bool {
        matches!(self, Self::Accept | Self::Reconcile)
    }
}

/// Reads a command; one for an unrestricted reconciliation is the same as the scheduled event.
pub(super) fn read(body: &Fields) -> Result<TriggerKind, Ignored> {
    match body.text("action")? {
        "confirm" => return Confirmation::read(body).map(TriggerKind::Confirmation),
        "plan" => return PlanRequest::read(body).map(TriggerKind::Plan),
        "explain" => return ExplainRequest::read(body).map(TriggerKind::Explain),
        _ => {}
    }
    let action = read_action(body)?;
    let (name, account) = action.names();
    // A misspelled restriction must not widen the command to every account.
    let known = ["action", "dryRun", "time", account, "from"];
    let known = if action.has_beginnings() {
        &known[..]
    } else {
        &known[..4]
    };
    only(body, name, known)?;
    let from = body.has("from").then(|| read_grant(body)).transpose()?;
    let command = Command {
        action,
        account: read_account(body, account)?,
        from,
        dry_run: body.flag("dryRun")?,
    };
    Ok(match command {
        Command {
            action: CommandAction::Reconcile,
            account: None,
            dry_run: false,
            ..
        } => TriggerKind::Schedule,
        command => TriggerKind::Command(command),
    })
}

fn read_action(body: &Fields) -> Result<CommandAction, Ignored> {
    match body.text("action")? {
        "share" => Ok(CommandAction::Share),
        "accept" => Ok(CommandAction::Accept),
        "sweep" | "reconcile" => Ok(CommandAction::Reconcile),
        "record" => Ok(CommandAction::Record),
        other => Err(Ignored::UnknownAction {
            action: label(other),
        }),
    }
}

fn read_account(body: &Fields, name: &str) -> Result<Option<AccountRef>, Ignored> {
    if !body.has(name) {
        return Ok(None);
    }
    Ok(Some(AccountRef::of(body.text(name)?)))
}

fn read_grant(body: &Fields) -> Result<Grant, Ignored> {
    // What is left is left of one account.
    body.text("account")?;
    let from = body.object("from")?;
    Ok(Grant {
        rule: from.id("rule", "the name of a rule")?,
        owner: from.id("owner", "an account id")?,
    })
}
