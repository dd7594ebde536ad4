//! Reads the members of a request, one by one, and notes all that is wrong with them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{PipelineRef, Place, Request};
use crate::{
    account::AccountRef,
    id::{PipelineArn, PipelineOwner, is_pipeline_name},
    policy::{quoted, unknown},
};

const KEYS: [&str; 11] = [
    "pipeline",
    "owner",
    "run",
    "parameters",
    "version",
    "share",
    "waitForAccess",
    "runMinutes",
    "accessMinutes",
    "execution",
    "action",
];

/// How long a run may take if the request does not say.
const RUN_MINUTES: i64 = 12 * 60;

/// How long consumers may take to get access if the request does not say.
const ACCESS_MINUTES: i64 = 60;

/// `CodePipeline` ends an action after 24 hours; the hook wants to be first.
const MOST_MINUTES: i64 = 23 * 60 + 30;

/// How many parameters SageMaker takes.
const MOST_PARAMETERS: usize = 200;

/// The longest value of a parameter that SageMaker takes.
const LONGEST_VALUE: usize = 1024;

/// What stands before a variable that `CodePipeline` is to replace.
const VARIABLE: &str = "#{";

/// The request, if it can be read, where its pipeline is, and whatever is wrong.
pub(super) fn read(members: &Map<String, Value>) -> (Option<Request>, Place, Vec<String>) {
    let mut reader = Reader {
        members,
        mistakes: Vec::new(),
    };
    let (request, place) = reader.request();
    (request, place, reader.mistakes)
}

/// Reads fields, and notes whatever is wrong with them.
struct Reader<'a> {
    members: &'a Map<String, Value>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    /// Reads every field, even when another is wrong.
    fn request(&mut self) -> (Option<Request>, Place) {
        self.check_keys();
        self.check_variables();
        let pipeline = self.pipeline();
        let owner = self.owner(pipeline.as_ref());
        let run = self.flag("run");
        let (parameters, version) = (self.parameters(), self.version());
        for (key, is_given) in [
            ("parameters", !parameters.is_empty()),
            ("version", version.is_some()),
        ] {
            if !run && is_given {
                self.note(key, "there is no run that it could be for");
            }
        }
        let (share, wait_for_access) = (self.flag("share"), self.flag("waitForAccess"));
        let run_minutes = self.minutes("runMinutes", RUN_MINUTES);
        let access_minutes = self.minutes("accessMinutes", ACCESS_MINUTES);
        let waiting = if share && wait_for_access {
            access_minutes
        } else {
            0
        };
        let running = if run { run_minutes } else { 0 };
        self.check_sum(running.saturating_add(waiting));
        let (execution, action) = (self.text("execution"), self.text("action"));
        let place = Place {
            pipeline: pipeline.clone(),
            owner: owner.clone(),
        };
        let request = pipeline.map(|pipeline| Request {
            pipeline,
            owner,
            run,
            parameters,
            version,
            share,
            wait_for_access,
            run_minutes,
            access_minutes,
            execution,
            action,
        });
        (request, place)
    }

    fn note(&mut self, key: &str, problem: &str) {
        let key = quoted(key);
        self.mistakes.push(format!("{key}: {problem}"));
    }

    fn check_keys(&mut self) {
        let strange = self.members.keys().map(String::as_str);
        for key in strange.filter(|key| !KEYS.contains(key) && !key.contains(VARIABLE)) {
            let otherwise = format!("there are only {}", KEYS.join(", "));
            self.mistakes.push(unknown("key", key, KEYS, &otherwise));
        }
    }

    /// Notes each variable that `CodePipeline` was to fill in and left as it was.
    ///
    /// Taken as it is, it would be the same for every deployment.
    fn check_variables(&mut self) {
        let mut paths = Vec::new();
        for (key, value) in self.members {
            unreplaced(key, key, value, &mut paths);
        }
        for path in paths {
            self.note(&path, "a variable in it was not replaced by CodePipeline");
        }
    }

    /// A field that may be absent.
    fn get(&self, key: &str) -> Option<&Value> {
        self.members.get(key).filter(|value| !value.is_null())
    }

    fn expected(&mut self, key: &str, expected: &str) {
        let found = self.get(key).map_or("nothing", kind);
        self.note(key, &format!("expected {expected}, but found {found}"));
    }

    fn text(&mut self, key: &str) -> Option<String> {
        match self.get(key)? {
            // That is noted already.
            Value::String(text) if text.contains(VARIABLE) => None,
            Value::String(text) if !text.is_empty() => Some(text.clone()),
            Value::String(_) => {
                self.note(key, "it is empty");
                None
            }
            _ => {
                self.expected(key, "a text");
                None
            }
        }
    }

    /// `true` unless the request says `false`.
    fn flag(&mut self, key: &str) -> bool {
        match self.get(key) {
            None => true,
            Some(Value::Bool(value)) => *value,
            Some(_) => {
                self.expected(key, "true or false, without quotes");
                true
            }
        }
    }

    fn minutes(&mut self, key: &str, default: i64) -> i64 {
        match self.get(key) {
            None => default,
            Some(value) => match value.as_i64() {
                Some(minutes) if (1..=MOST_MINUTES).contains(&minutes) => minutes,
                Some(_) => {
                    self.note(key, &format!("expected 1 to {MOST_MINUTES}"));
                    default
                }
                None => {
                    self.expected(key, &format!("a number of minutes, 1 to {MOST_MINUTES}"));
                    default
                }
            },
        }
    }

    fn pipeline(&mut self) -> Option<PipelineRef> {
        if self.get("pipeline").is_none() {
            self.note(
                "pipeline",
                "it is missing; write the name or ARN of a pipeline",
            );
            return None;
        }
        let text = self.text("pipeline")?;
        if !text.starts_with("arn:") {
            if is_pipeline_name(&text) {
                return Some(PipelineRef::Name(text));
            }
            let problem = "a pipeline's name has letters, digits and inner hyphens only";
            self.note("pipeline", &format!("{}: {problem}", quoted(&text)));
            return None;
        }
        match text.parse::<PipelineArn>() {
            Ok(arn) if *arn.owner() == PipelineOwner::Aws => {
                self.note("pipeline", "a pipeline of AWS itself is nobody's to share");
                None
            }
            Ok(arn) => Some(PipelineRef::Arn(arn)),
            Err(error) => {
                self.note("pipeline", &error.to_string());
                None
            }
        }
    }

    /// A name needs an owner, and an ARN has one.
    fn owner(&mut self, pipeline: Option<&PipelineRef>) -> Option<AccountRef> {
        let is_name = matches!(pipeline, Some(PipelineRef::Name(_)));
        if is_name && self.get("owner").is_none() {
            let problem = "it is missing; write an account, or the pipeline's ARN";
            self.note("owner", problem);
        }
        self.text("owner").map(|owner| AccountRef::of(&owner))
    }

    /// A variable of an action before this one may bring it, as a text.
    fn version(&mut self) -> Option<i64> {
        let number = match self.get("version")? {
            Value::String(text) if text.contains(VARIABLE) => return None,
            Value::String(text) => text.parse().ok(),
            value => value.as_i64(),
        };
        let number = number.filter(|number| *number > 0);
        if number.is_none() {
            self.note("version", "expected the number of a version, 1 or more");
        }
        number
    }

    fn parameters(&mut self) -> BTreeMap<String, String> {
        let parameters = match self.get("parameters") {
            None => return BTreeMap::new(),
            Some(Value::Object(parameters)) => parameters.clone(),
            Some(_) => {
                self.expected("parameters", "an object of names and values");
                return BTreeMap::new();
            }
        };
        if parameters.len() > MOST_PARAMETERS {
            self.note("parameters", "SageMaker takes 200 of them");
        }
        let mut read = BTreeMap::new();
        for (name, value) in parameters {
            let path = format!("parameters.{name}");
            let text = match &value {
                Value::String(text) => text.clone(),
                Value::Number(_) | Value::Bool(_) => value.to_string(),
                other => {
                    let found = kind(other);
                    let problem =
                        format!("expected a text, a number, true or false, but found {found}");
                    self.note(&path, &problem);
                    continue;
                }
            };
            if text.chars().count() > LONGEST_VALUE {
                self.note(&path, "SageMaker takes at most 1024 characters");
            }
            read.insert(name, text);
        }
        read
    }

    fn check_sum(&mut self, minutes: i64) {
        if minutes > MOST_MINUTES {
            let problem = format!(
                "together with accessMinutes more than {MOST_MINUTES}, after which CodePipeline gives up"
            );
            self.note("runMinutes", &problem);
        }
    }
}

/// The paths of all texts that hold a variable, those of keys included.
fn unreplaced(path: &str, key: &str, value: &Value, found: &mut Vec<String>) {
    let is_there = |text: &str| text.contains(VARIABLE);
    if is_there(key) || value.as_str().is_some_and(is_there) {
        found.push(path.to_owned());
    }
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                unreplaced(&format!("{path}.{index}"), "", item, found);
            }
        }
        Value::Object(members) => {
            for (key, value) in members {
                unreplaced(&format!("{path}.{key}"), key, value, found);
            }
        }
        _ => {}
    }
}

/// What a value is, without saying what it says.
fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
