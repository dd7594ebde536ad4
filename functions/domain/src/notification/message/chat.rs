//! The same message for a channel of Slack or Microsoft Teams: a custom
//! notification of Amazon Q Developer in chat applications.
//!
//! What others wrote must not become markup there. So the words stand in a
//! block of code, in which both clients take nothing for markup but its end
//! and, in Slack, angle brackets; and these are replaced.
//!
//! ASSUMED: what is longer than AWS documents is cut here, since it is not said
//! whether it would be cut or refused there.

use serde_json::{Value, json};

use super::Notification;
use crate::text;

/// The longest title, description, step and keyword, in characters, as AWS documents them.
const TITLE: usize = 250;
const DESCRIPTION: usize = 8_000;
const STEP: usize = 350;
const KEYWORD: usize = 75;

/// How many steps and keywords there are at most: how many AWS takes is not documented.
const MOST: usize = 8;

/// What calls everybody in a channel.
const CALLS: [&str; 4] = ["@channel", "@here", "@everyone", "@all"];

/// The custom notification.
pub(super) fn chat(notification: &Notification) -> Value {
    let detail = &notification.detail;
    let title = cut(&plain(&notification.subject), TITLE);
    let steps = detail["nextSteps"].as_array().into_iter().flatten();
    let steps = steps.filter_map(next_step).chain(console(detail));
    json!({
        "version": "1.0",
        "source": "custom",
        "id": notification.id,
        "content": {
            "textType": "client-markdown",
            "title": title,
            "description": description(&notification.text),
            "nextSteps": steps.take(MOST).collect::<Vec<_>>(),
            "keywords": keywords(notification),
        },
        "metadata": {
            "threadId": thread(notification),
            "summary": title,
            "eventType": notification.detail_type,
            "relatedResources": notification.resources,
            "additionalContext": { "severity": notification.severity() },
        },
    })
}

/// The text without its commands, which are steps, in a block of code.
fn description(text: &str) -> String {
    let mut paragraphs = text.split("\n\n");
    let of_words = |paragraph: &&str| !paragraph.contains("\n  aws ");
    let words: Vec<_> = paragraphs.by_ref().filter(of_words).collect();
    let words = plain(words.join("\n\n").trim_end());
    let room = DESCRIPTION - "```\n\n```".len();
    format!("```\n{}\n```", cut(&words, room))
}

/// A command with its title, or alone if there is no room for both; none if
/// there is none for the command, since half a command is worse than none.
///
/// A command has no character that would be markup.
fn next_step(step: &Value) -> Option<String> {
    let [title, command] =
        ["title", "command"].map(|it| plain(step[it].as_str().unwrap_or_default()));
    let shown = [format!("{title}: `{command}`"), format!("`{command}`")];
    shown.into_iter().find(|it| it.chars().count() <= STEP)
}

fn console(detail: &Value) -> Option<String> {
    let url = detail["consoleUrl"].as_str()?;
    Some(format!("Console: {url}"))
}

fn keywords(notification: &Notification) -> Vec<String> {
    let detail = &notification.detail;
    let members = ["status", "pipelineName", "accountName", "rule"];
    let of_detail = members.iter().filter_map(|it| detail[*it].as_str());
    let words = [notification.detail_type].into_iter().chain(of_detail);
    let words = words.map(|word| cut(&plain(word), KEYWORD));
    words.take(MOST).collect()
}

/// What the messages of a thread have in common: the run, or who has access by which rule.
fn thread(notification: &Notification) -> String {
    let detail = &notification.detail;
    if let Some(run) = detail["pipelineExecutionArn"].as_str() {
        return run.to_owned();
    }
    let members = ["rule", "ownerAccountId", "consumerAccountId", "accountId"];
    let parts = members.iter().filter_map(|it| detail[*it].as_str());
    let parts: Vec<_> = [notification.detail_type]
        .into_iter()
        .chain(parts)
        .collect();
    let is_of_access = detail["ownerAccountId"].is_string() && detail["rule"].is_string();
    // Gained and lost are one thread.
    if is_of_access {
        parts[1..].join("|")
    } else {
        parts.join("|")
    }
}

/// A text without what would be markup in a block of code or call people.
fn plain(text: &str) -> String {
    let shown = text.chars().map(|character| match character {
        '`' => '\'',
        '<' => '‹',
        '>' => '›',
        other => other,
    });
    let shown: String = shown.collect();
    CALLS.iter().fold(shown, |shown, call| {
        shown.replace(call, &call.replace('@', "@ "))
    })
}

/// As much of a text as there is room for, its lines kept.
fn cut(text: &str, room: usize) -> String {
    if text.char_indices().nth(room).is_none() {
        return text.to_owned();
    }
    let kept = text.chars().take(room.saturating_sub(1));
    kept.chain([text::CUT]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notification(text: &str, detail: Value) -> Notification {
        Notification {
            id: "id".to_owned(),
            subject: "<!channel> `x`".to_owned(),
            text: text.to_owned(),
            detail_type: "Pipelines Shared",
            detail,
            resources: Vec::new(),
        }
    }

    #[test]
    fn what_others_wrote_is_no_markup_and_calls_nobody() {
        let text = "Reason: \"``` <!channel> <https://x|y> @here\"\n";
        let chat = chat(&notification(text, json!({})));
        assert_eq!(
            chat["content"]["description"],
            "```\nReason: \"''' ‹!channel› ‹https://x|y› @ here\"\n```"
        );
        assert_eq!(chat["content"]["title"], "‹!channel› 'x'");
    }

    #[test]
    fn nothing_is_longer_than_aws_documents() {
        let long = "é".repeat(10_000);
        let steps = json!([
            { "title": long, "command": "aws short" },
            { "title": "See", "command": format!("aws {long}") },
        ]);
        let detail = json!({ "nextSteps": steps, "status": long, "rule": "r" });
        let chat = chat(&notification(&format!("{long}\n{long}"), detail));
        let length = |text: &Value| text.as_str().unwrap_or_default().chars().count();
        let content = &chat["content"];
        assert_eq!(length(&content["description"]), DESCRIPTION);
        assert!(
            content["description"]
                .as_str()
                .is_some_and(|it| it.ends_with("…\n```"))
        );
        assert_eq!(content["nextSteps"], json!(["`aws short`"]));
        assert_eq!(length(&content["keywords"][1]), KEYWORD);
    }

    #[test]
    fn gained_and_lost_are_one_thread_and_runs_are_their_own() {
        let access = json!({ "rule": "r", "ownerAccountId": "2", "consumerAccountId": "1" });
        let shared = chat(&notification("", access.clone()));
        let withdrawn = Notification {
            detail_type: "Pipelines Withdrawn",
            ..notification("", access)
        };
        assert_eq!(shared["metadata"]["threadId"], "r|2|1");
        assert_eq!(chat(&withdrawn)["metadata"]["threadId"], "r|2|1");
        let run = json!({ "pipelineExecutionArn": "arn:run", "accountId": "2" });
        let run = chat(&notification("", run));
        assert_eq!(run["metadata"]["threadId"], "arn:run");
    }
}
