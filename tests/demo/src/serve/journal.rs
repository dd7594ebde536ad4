//! What happens in the estate, one line for each thing.

use jiff::Timestamp;
use sandbox::{
    Invocation,
    services::{events::SeenEvent, sns::Published},
    world::{RecordedCall, World},
};
use serde_json::Value;

use super::{onboarding::Onboarded, roster::Roster};
use crate::describe::describe_change;

/// How much of the world's records has been told.
#[derive(Debug, Default)]
pub(super) struct Journal {
    calls: usize,
    events: usize,
    published: usize,
    invocations: usize,
}

/// A thing that happened.
#[derive(Debug)]
struct Line<'a> {
    time: Timestamp,
    kind: &'static str,
    who: &'a str,
    account: &'a str,
    what: String,
}

impl Journal {
    /// What happened since the last time, in the order of its times.
    pub(super) fn news(&mut self, world: &World, roster: &Roster) -> String {
        let calls = fresh(world.calls(), &mut self.calls);
        let events = fresh(&world.events().seen, &mut self.events);
        let published = fresh(&world.sns().published, &mut self.published);
        let invocations = fresh(&world.lambda().finished, &mut self.invocations);
        let mut lines: Vec<Line<'_>> = calls.iter().filter_map(call).collect();
        lines.extend(events.iter().filter_map(|seen| event(seen, roster)));
        lines.extend(published.iter().map(notification));
        lines.extend(
            invocations
                .iter()
                .flat_map(|ended| warnings(ended, world, roster)),
        );
        lines.sort_by_key(|line| line.time);
        lines.iter().map(|line| line.text(roster)).collect()
    }
}

/// A line about the serving process itself, which onboards accounts.
pub(super) fn onboarding(time: Timestamp, roster: &Roster, onboarded: &Onboarded) -> String {
    let Onboarded { account, role } = onboarded;
    own(
        time,
        roster,
        account,
        format!("account {account} as {role}, since the policy names it"),
    )
}

/// A line about what the serving process could not do.
pub(super) fn failure(time: Timestamp, roster: &Roster, problem: String) -> String {
    own(time, roster, &roster.hub, problem)
}

fn own(time: Timestamp, roster: &Roster, account: &str, what: String) -> String {
    let line = Line {
        time,
        kind: "onboard",
        who: "cargo demo serve",
        account,
        what,
    };
    line.text(roster)
}

impl Journal {
    /// Takes everything for told, also where records were forgotten since.
    pub(super) fn skip(&mut self, world: &World) {
        *self = Self {
            calls: world.calls().len(),
            events: world.events().seen.len(),
            published: world.sns().published.len(),
            invocations: world.lambda().finished.len(),
        };
    }
}

impl Line<'_> {
    fn text(&self, roster: &Roster) -> String {
        format!(
            "{}  {:<7}  {:<17}  {:<12}  {}\n",
            self.time.strftime("%H:%M:%S"),
            self.kind,
            self.who,
            name(roster, self.account),
            self.what
        )
    }
}

fn fresh<'a, T>(records: &'a [T], told: &mut usize) -> &'a [T] {
    let fresh = records.get(*told..).unwrap_or_default();
    *told = records.len();
    fresh
}

/// A call that changes something, or would if it were not refused.
fn call(call: &RecordedCall) -> Option<Line<'_>> {
    let what = describe_change(call)?;
    let what = match &call.error {
        Some(error) => format!("{what}: {error}"),
        // It has a line of its own where it arrives.
        None if ["PutEvents", "Publish"].contains(&call.operation.as_str()) => return None,
        None => what,
    };
    let session = call.caller.role.as_ref().map(|role| role.session.as_str());
    Some(Line {
        time: call.time,
        kind: "call",
        who: session.map_or("administrator", function),
        account: &call.caller.account,
        what,
    })
}

/// An event that reached a bus of pipeshare.
fn event<'a>(seen: &'a SeenEvent, roster: &Roster) -> Option<Line<'a>> {
    if !seen.bus.starts_with("pipeshare") {
        return None;
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let detail = &seen.event["detail"];
    let members = ["eventName", "currentPipelineExecutionStatus", "subject"];
    let about = members.iter().find_map(|member| detail[*member].as_str());
    let mut what = text(&seen.event["detail-type"]);
    if let Some(about) = about {
        what = format!("{what}: {about}");
    }
    if seen.event["account"] != seen.account.as_str() {
        what = format!(
            "{what} (from {})",
            name(roster, &text(&seen.event["account"]))
        );
    }
    Some(Line {
        time: seen.time,
        kind: "event",
        who: &seen.bus,
        account: &seen.account,
        what,
    })
}

/// A message on a topic.
fn notification(message: &Published) -> Line<'_> {
    let mut parts = message.topic_arn.rsplit(':');
    let topic = parts.next().unwrap_or_default();
    Line {
        time: message.time,
        kind: "notify",
        who: topic,
        account: parts.next().unwrap_or_default(),
        what: message.subject.clone().unwrap_or_default(),
    }
}

/// What a function decided against or could not do, as it logged it.
///
/// It is known once the invocation has ended, which is now.
fn warnings<'a>(
    ended: &'a Invocation,
    world: &World,
    roster: &'a Roster,
) -> impl Iterator<Item = Line<'a>> {
    let time = world.now();
    let logged = ended.logs.iter().filter_map(|line| warning(line));
    let failed = ended.outcome.as_ref().err().map(ToString::to_string);
    logged.chain(failed).map(move |what| Line {
        time,
        kind: "warning",
        who: function(&ended.function),
        account: &roster.hub,
        what,
    })
}

fn warning(line: &str) -> Option<String> {
    let line: Value = serde_json::from_str(line).ok()?;
    let matters = ["WARN", "ERROR"].contains(&line["level"].as_str()?);
    let mut message = line["message"].as_str()?.to_owned();
    if let Some(reason) = line["error"].as_str() {
        message = format!("{message}: {reason}");
    }
    matters.then_some(message)
}

/// A function without the name of the project.
fn function(name: &str) -> &str {
    name.strip_prefix("pipeshare-").unwrap_or(name)
}

/// The name of an account, or its id, short enough for its column.
fn name<'a>(roster: &'a Roster, account: &'a str) -> &'a str {
    let name = roster.name(account);
    name.strip_suffix(" services").unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use sandbox::Call;
    use serde_json::json;

    use super::*;
    use crate::estate::DEV;

    #[test]
    fn a_thing_is_told_once_and_a_refusal_with_its_reason() {
        let mut world = World::builder()
            .start("2026-01-05T09:00:00Z".parse().unwrap())
            .build();
        let mut journal = Journal::default();
        let roster = Roster::of_walkthrough();
        for operation in ["DescribePipeline", "DeletePipeline"] {
            let input = json!({ "PipelineName": "churn", "ClientRequestToken": "t".repeat(32) });
            let call = Call::by_administrator(DEV, "us-east-1", "sagemaker", operation, input);
            assert!(world.call(&call).is_err(), "there is no pipeline");
        }
        assert_eq!(
            journal.news(&world, &roster),
            "09:00:00  call     administrator      dev           \
             sagemaker:DeletePipeline churn: ResourceNotFound\n"
        );
        assert_eq!(journal.news(&world, &roster), "");
    }

    #[test]
    fn of_a_log_only_warnings_are_told() {
        let line = |level| json!({ "level": level, "message": "not accepted" }).to_string();
        assert_eq!(warning(&line("WARN")).unwrap(), "not accepted");
        assert_eq!(warning(&line("INFO")), None);
        assert_eq!(warning("no JSON"), None);
    }
}
