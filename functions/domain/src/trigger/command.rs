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
    policy::{Policy, nearest},
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
