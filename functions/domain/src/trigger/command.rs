//! Commands: what people, schedules and pipelines of their own may send.

use serde_json::json;

use super::{
    TriggerKind,
    fields::Fields,
    ignored::{Ignored, label},
};
use crate::{
    account::AccountRef,
    id::AccountId,
    policy::{Policy, Version, nearest},
};

/// A request such as `{"action": "share", "owner": "222222222222", "dryRun": true}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// What to do.
    pub action: CommandAction,
    /// The only account to do it for; all of them if absent. See [`account_of`].
    pub account: Option<AccountRef>,
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
        const KNOWN: [&str; 5] = ["action", "team", "version", "digest", "time"];
        if let Some(field) = body.names().find(|name| !KNOWN.contains(name)) {
            return Err(Ignored::UnknownField {
                action: "confirm",
                field: label(field),
            });
        }
        let team = body.has("team").then(|| body.text("team")).transpose()?;
        Ok(Self {
            team: team.map(str::to_owned),
            version: body.number("version")?,
            digest: body.text("digest")?.to_owned(),
        })
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
        }
    }
}

/// Reads a command; one for an unrestricted reconciliation is the same as the scheduled event.
pub(super) fn read(body: &Fields) -> Result<TriggerKind, Ignored> {
    if body.text("action")? == "confirm" {
        return Confirmation::read(body).map(TriggerKind::Confirmation);
    }
    let action = read_action(body)?;
    let (name, account) = action.names();
    // A misspelled restriction must not widen the command to every account.
    for field in body.names() {
        if !["action", "dryRun", "time", account].contains(&field) {
            let field = label(field);
            return Err(Ignored::UnknownField {
                action: name,
                field,
            });
        }
    }
    let command = Command {
        action,
        account: read_account(body, account)?,
        dry_run: body.flag("dryRun")?,
    };
    Ok(match command {
        Command {
            action: CommandAction::Reconcile,
            account: None,
            dry_run: false,
        } => TriggerKind::Schedule,
        command => TriggerKind::Command(command),
    })
}

fn read_action(body: &Fields) -> Result<CommandAction, Ignored> {
    match body.text("action")? {
        "share" => Ok(CommandAction::Share),
        "accept" => Ok(CommandAction::Accept),
        "sweep" | "reconcile" => Ok(CommandAction::Reconcile),
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
