//! What is said of a sharing policy that people have to fix.

use std::fmt::Write;

use serde_json::json;

use super::{Notification, notification, short};
use crate::{
    notification::PROBLEM_DETAIL_TYPE,
    policy::{KEPT_VERSIONS, PolicyErrors, Withdrawal},
};

/// How many withdrawn grants a message lists.
const MAX_LISTED: usize = 50;

/// Something about the policy's parameter that only people can fix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyAlert {
    /// The version in force is not one that the functions can go by: it was
    /// put in force by somebody else, or by a version of them that was less strict.
    InForceRefused {
        /// The version that carries the label.
        version: i64,
        /// What is wrong with it.
        errors: PolicyErrors,
    },
    /// AWS does not let the functions read the version in force.
    InForceUnreadable {
        /// What AWS says.
        why: String,
    },
    /// AWS does not let the functions read the newest version.
    NewestUnreadable {
        /// What AWS says.
        why: String,
    },
    /// Soon no new version can be written.
    VersionsRunOut {
        /// The version in force.
        in_force: i64,
        /// The newest version.
        newest: i64,
        /// How many more can be written.
        left: i64,
    },
    /// The root does not allow what the document of a team in force says.
    NotGranted {
        /// What, and why.
        errors: PolicyErrors,
    },
    /// The document of a team that was in force is gone.
    DocumentMissing {
        /// The version that was in force.
        version: i64,
    },
    /// A version withdraws more than the limit allows, and waits for a confirmation.
    Held {
        /// The version, and the command that confirms exactly this one.
        version: i64,
        /// That command.
        command: String,
        /// What it withdraws.
        withdrawal: Withdrawal,
    },
    /// AWS does not let the functions put a document in force.
    NotPutInForce {
        /// What AWS says.
        why: String,
    },
}

/// Says what is wrong with the policy's parameter.
///
/// `day` makes it said again each day that it lasts.
#[must_use]
pub fn policy_alert_notification(parameter: &str, alert: &PolicyAlert, day: &str) -> Notification {
    let (kind, version) = match alert {
        PolicyAlert::InForceRefused { version, .. } => ("in-force-refused", Some(*version)),
        PolicyAlert::InForceUnreadable { .. } => ("in-force-unreadable", None),
        PolicyAlert::NewestUnreadable { .. } => ("newest-unreadable", None),
        PolicyAlert::VersionsRunOut { newest, .. } => ("versions-run-out", Some(*newest)),
        PolicyAlert::NotGranted { .. } => ("not-granted", None),
        PolicyAlert::DocumentMissing { version } => ("document-missing", Some(*version)),
        PolicyAlert::Held { version, .. } => ("held", Some(*version)),
        PolicyAlert::NotPutInForce { .. } => ("not-put-in-force", None),
    };
    let (subject, text) = words(parameter, alert);
    let detail = json!({ "parameter": parameter, "parameterVersion": version, "problems": [kind] });
    let id = match alert {
        // Each version that waits is news, also on the same day.
        PolicyAlert::Held { command, .. } => {
            format!("{parameter}|{day}|{kind}|{}", short(command))
        }
        _ => format!("{parameter}|{day}|{kind}"),
    };
    notification(PROBLEM_DETAIL_TYPE, id, &subject, &text, detail)
}

const NOTHING_IS_DONE: &str = "Until then nothing is shared, withdrawn, accepted or told; \
                               what is shared stays shared.";

const SECRET: &str = "If the parameter is a SecureString with a key of your own, give the key's \
                      ARN to the hub's template (PolicyKeyArn), or write the policy as a String: \
                      it holds no secret.";

fn words(parameter: &str, alert: &PolicyAlert) -> (String, String) {
    match alert {
        PolicyAlert::InForceRefused { version, errors } => (
            format!("The sharing policy in force is not valid (version {version})"),
            format!(
                "Version {version} of {parameter} carries the label in-force, but is not valid. \
                 Write a valid version, which is then put in force. {NOTHING_IS_DONE}\n{errors}\n"
            ),
        ),
        PolicyAlert::InForceUnreadable { why } => (
            "The sharing policy in force cannot be read".to_owned(),
            format!(
                "The version of {parameter} with the label in-force cannot be read. {SECRET} \
                 {NOTHING_IS_DONE}\n{why}\n"
            ),
        ),
        PolicyAlert::NewestUnreadable { why } => (
            "The newest version of the sharing policy cannot be read".to_owned(),
            format!(
                "The newest version of {parameter} cannot be read, so the last one that was put \
                 in force stays. {SECRET}\n{why}\n"
            ),
        ),
        PolicyAlert::Held {
            version,
            command,
            withdrawal,
        } => (
            format!("A version of the sharing policy waits for a confirmation (version {version})"),
            words_of_held(parameter, *version, command, withdrawal),
        ),
        PolicyAlert::VersionsRunOut {
            in_force,
            newest,
            left,
        } => words_of_versions(parameter, *in_force, *newest, *left),
        PolicyAlert::NotGranted { errors } => words_of_not_granted(parameter, errors),
        PolicyAlert::DocumentMissing { version } => words_of_missing(parameter, *version),
        PolicyAlert::NotPutInForce { why } => words_of_not_put_in_force(parameter, why),
    }
}

fn words_of_versions(parameter: &str, in_force: i64, newest: i64, left: i64) -> (String, String) {
    (
        "The sharing policy will soon take no new version".to_owned(),
        format!(
            "Version {newest} of {parameter} is the newest, and version {in_force} is still \
             in force. Parameter Store keeps {KEPT_VERSIONS} versions and never lets one with \
             a label go: after {left} more it takes none. Write a valid policy, which moves \
             the label. If none is taken any more, keep a copy of the version in force, \
             take its label away, and write the valid policy then:\n\
             aws ssm get-parameter --name {parameter}:in-force --with-decryption\n\
             aws ssm unlabel-parameter-version --name {parameter} --parameter-version {in_force} --labels in-force\n\
             While no version carries the label, nothing changes.\n"
        ),
    )
}

fn words_of_held(parameter: &str, version: i64, command: &str, withdrawal: &Withdrawal) -> String {
    let Withdrawal { all, withdrawn } = withdrawal;
    let mut text = format!(
        "Version {version} of {parameter} is valid and withdraws {} of {all} grants, more than the \
         policy in force allows at once (limits, withdraw). It was not put in force; the last \
         version stays. If it is meant, confirm exactly this version in the hub:\n\
         aws lambda invoke --function-name pipeshare-share-pipeline \
         --cli-binary-format raw-in-base64-out --payload '{command}' /dev/stdout\n\
         Otherwise write another version.\n",
        withdrawn.len()
    );
    for line in withdrawn.iter().take(MAX_LISTED) {
        let _ = writeln!(text, "  {line}");
    }
    let more = withdrawn.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        let _ = writeln!(text, "  and {more} more");
    }
    text
}

fn words_of_not_granted(parameter: &str, errors: &PolicyErrors) -> (String, String) {
    (
        "Rules of a team's document are not granted".to_owned(),
        format!(
            "The document {parameter} is in force, and these of its rules do not hold any more, \
                 by the root or by a document before it. They grant nothing until the document or \
                 the root is corrected; its other rules stay.\n{errors}\n"
        ),
    )
}

fn words_of_missing(parameter: &str, version: i64) -> (String, String) {
    (
        "The document of a team is gone".to_owned(),
        format!(
            "The root names the team of {parameter}, but no version of that parameter carries \
                 the label in-force, or the parameter is deleted. Version {version}, which was in \
                 force, still decides what is shared; nobody is notified of its runs, and nothing \
                 new is accepted by its rules. Write the parameter again, with \"version: 1\" to withdraw everything, \
                 or take the team out of the root.\n"
        ),
    )
}

fn words_of_not_put_in_force(parameter: &str, why: &str) -> (String, String) {
    (
        "A team's document was not put in force".to_owned(),
        format!(
            "A valid version of {parameter} was written, and could not be put in force; the \
             last one stays, and it is tried again with each schedule.\n{why}\n"
        ),
    )
}
