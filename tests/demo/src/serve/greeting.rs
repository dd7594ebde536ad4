//! What is printed first: what is served, and what to type.

use std::fmt::Write as _;

use super::roster::{Mailbox, Roster};
use crate::estate::{DEV, POLICY_PARAMETER, REGION, SHARED, TEST};

/// What is served.
#[derive(Debug)]
pub(super) enum Greeting {
    /// Accounts with nothing in them.
    Bare,
    /// The walkthrough's policy.
    Walkthrough,
    /// Somebody's own policy.
    Own { file: String, warnings: String },
    /// What a file has kept.
    Resumed { file: String },
}

impl Greeting {
    /// All of it.
    pub(super) fn text(&self, endpoint: &str, speed: u32, roster: &Roster, policy: &str) -> String {
        let state = match self {
            Self::Bare => "Nothing is deployed in its accounts.".to_owned(),
            Self::Walkthrough => {
                "The walkthrough's policy is in force, and the functions are running.".to_owned()
            }
            Self::Own { file, .. } => {
                format!("The policy of {file} is in force, and the functions are running.")
            }
            Self::Resumed { file } => {
                format!("The accounts of {file} go on, and the functions are running.")
            }
        };
        let account = match self {
            Self::Bare | Self::Walkthrough => DEV,
            Self::Own { .. } | Self::Resumed { .. } => {
                roster.owners.first().map_or(&*roster.hub, |it| it)
            }
        };
        let mut text = format!(
            "A local AWS in {REGION} at {endpoint}, {speed} times as fast as real time.\n\
             {state}\n\
             \n    \
                 export AWS_ENDPOINT_URL={endpoint} AWS_DEFAULT_REGION={REGION}\n    \
                 export AWS_SECRET_ACCESS_KEY=any AWS_ACCESS_KEY_ID={account}\n\
             \n"
        );
        text += &self.accounts(roster);
        text += "or any other twelve digits. S3 is at the same address, with buckets in paths.\n\
                 Ctrl-C ends it.\n\n";
        if let Self::Own { warnings, .. } = self
            && !warnings.is_empty()
        {
            text += warnings;
            text.push('\n');
        }
        match self {
            Self::Bare => text,
            _ => text + &policy_and_mailboxes(endpoint, roster, policy),
        }
    }

    fn accounts(&self, roster: &Roster) -> String {
        match self {
            Self::Bare | Self::Walkthrough => format!(
                "The access key id is the account: dev {DEV}, test {TEST}, shared services {SHARED},\n"
            ),
            Self::Own { .. } | Self::Resumed { .. } => {
                format!("The access key id is the account:\n\n{}\n", roster.text())
            }
        }
    }
}

/// The policy, and commands that work once the exports are made.
fn policy_and_mailboxes(endpoint: &str, roster: &Roster, policy: &str) -> String {
    let hub = &roster.hub;
    let mut text = format!(
        "Who can do what, how the runs go, and who was told what, in a browser: {endpoint}\n\n\
         The policy:\n\n"
    );
    for line in policy.lines() {
        let _ = writeln!(text, "    {line}");
    }
    let _ = write!(
        text,
        "\nIt can be read, and another one written, in {}:\n\n    \
         AWS_ACCESS_KEY_ID={hub} aws ssm get-parameter --name {POLICY_PARAMETER}:in-force \
         --query Parameter.Value --output text\n    \
         AWS_ACCESS_KEY_ID={hub} aws ssm put-parameter --name {POLICY_PARAMETER} --overwrite \
         --value file://policy.yaml\n",
        roster.name(hub)
    );
    for Mailbox {
        who,
        account,
        topic,
    } in roster.mailboxes()
    {
        // The CLI's older version asks the address of a queue, and not the
        // variable, where the sandbox is.
        let _ = write!(
            text,
            "\nWhat {who} was notified of:\n\n    \
             AWS_ACCESS_KEY_ID={account} aws sqs receive-message --endpoint-url {endpoint} \
             --queue-url {endpoint}/{account}/{topic}-mailbox --max-number-of-messages 10 \
             --visibility-timeout 0 --query 'Messages[].[Body]' --output text\n"
        );
    }
    text + "\n"
}
