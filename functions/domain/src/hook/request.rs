//! Reads what the hook is asked to do.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Mistakes;
use crate::{
    id::{AccountId, PipelineArn, PipelineOwner, is_pipeline_name},
    policy::{Policy, quoted, unknown},
};

const KEYS: [&str; 10] = [
    "pipeline",
    "owner",
    "run",
    "parameters",
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

/// Which pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PipelineRef {
    /// By its name in the owner's account.
    Name(String),
    /// By its ARN, which says whose it is.
    Arn(PipelineArn),
}

impl PipelineRef {
    /// The name or ARN, as SageMaker takes either.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Name(name) => name,
            Self::Arn(arn) => arn.as_str(),
        }
    }
}

/// What the hook is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The pipeline that was deployed.
    pub pipeline: PipelineRef,
    /// The account that owns it: an id, or a name of the policy.
    owner: Option<String>,
    /// Whether it is to be run.
    pub run: bool,
    /// The parameters of the run.
    pub parameters: BTreeMap<String, String>,
    /// Whether it is to be shared.
    pub share: bool,
    /// Whether success waits for consumers to have access.
    pub wait_for_access: bool,
    /// How long the run may take.
    pub run_minutes: i64,
    /// How long consumers may take.
    pub access_minutes: i64,
    /// The execution of `CodePipeline`.
    pub execution: Option<String>,
    /// The name of the action in it.
    pub action: Option<String>,
}

impl Request {
    /// Reads the user parameters of an action, or says everything that is wrong with them.
    pub fn parse(text: &str) -> Result<Self, Mistakes> {
        const WHAT: &str = "UserParameters";
        match serde_json::from_str(text) {
            Ok(Value::Object(members)) => Self::read(WHAT, &members),
            Ok(_) => Err(Mistakes::of(WHAT, vec!["expected a JSON object".into()])),
            Err(error) => {
                let (line, column) = (error.line(), error.column());
                let message = format!("not JSON at line {line}, column {column}");
                Err(Mistakes::of(WHAT, vec![message]))
            }
        }
    }

    /// Reads the members of an object; `what` says to people what it is.
    pub fn read(what: &'static str, members: &Map<String, Value>) -> Result<Self, Mistakes> {
        let mut reader = Reader {
            members,
            mistakes: Vec::new(),
        };
        let request = reader.request();
        match request {
            Some(request) if reader.mistakes.is_empty() => Ok(request),
            _ => Err(Mistakes::of(what, reader.mistakes)),
        }
    }

    /// The account that owns the pipeline.
    pub fn owner(&self, policy: Option<&Policy>) -> Result<AccountId, Mistakes> {
        let of_arn = match &self.pipeline {
            PipelineRef::Arn(arn) => arn.owner().account(),
            PipelineRef::Name(_) => None,
        };
        let named = match (&self.owner, of_arn) {
            (None, Some(account)) => return Ok(account.clone()),
            (owner, _) => account(owner.as_deref().unwrap_or_default(), policy),
        };
        let named = named.and_then(|named| match of_arn {
            Some(account) if *account != named => {
                Err(format!("the pipeline's ARN names {account}, not {named}"))
            }
            _ => Ok(named),
        });
        named.map_err(|problem| Mistakes::of("the request", vec![format!("\"owner\": {problem}")]))
    }
}

/// The account of this id, or of this name in the policy.
fn account(name: &str, policy: Option<&Policy>) -> Result<AccountId, String> {
    if let Ok(account) = name.parse() {
        return Ok(account);
    }
    let accounts = policy.map_or(&[][..], |policy| &policy.accounts);
    if let Some(account) = accounts.iter().find(|account| account.name == name) {
        return Ok(account.id.clone());
    }
    let names = accounts.iter().map(|account| account.name.as_str());
    let otherwise = match policy {
        Some(_) => "name it under accounts in the policy, or write its twelve digits",
        None => "no policy is in force that could name it; write its twelve digits",
    };
    Err(unknown("account", name, names, otherwise))
}

/// Reads fields, and notes whatever is wrong with them.
struct Reader<'a> {
    members: &'a Map<String, Value>,
    mistakes: Vec<String>,
}

impl Reader<'_> {
    /// Reads every field, even when another is wrong.
    fn request(&mut self) -> Option<Request> {
        self.check_keys();
        let pipeline = self.pipeline();
        let owner = self.text("owner");
        self.check_owner(pipeline.as_ref());
        let run = self.flag("run");
        let parameters = self.parameters();
        if !run && !parameters.is_empty() {
            self.note("parameters", "there is no run that they could be for");
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
        let (execution, action) = (self.variable("execution"), self.variable("action"));
        Some(Request {
            pipeline: pipeline?,
            owner,
            run,
            parameters,
            share,
            wait_for_access,
            run_minutes,
            access_minutes,
            execution,
            action,
        })
    }

    fn note(&mut self, key: &str, problem: &str) {
        self.mistakes.push(format!("{key:?}: {problem}"));
    }

    fn check_keys(&mut self) {
        let strange = self.members.keys();
        for key in strange.filter(|key| !KEYS.contains(&key.as_str())) {
            let otherwise = format!("there are only {}", KEYS.join(", "));
            self.mistakes.push(unknown("key", key, KEYS, &otherwise));
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
    fn check_owner(&mut self, pipeline: Option<&PipelineRef>) {
        let is_name = matches!(pipeline, Some(PipelineRef::Name(_)));
        if is_name && self.get("owner").is_none() {
            self.note(
                "owner",
                "it is missing; write an account, or the pipeline's ARN",
            );
        }
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

    /// A value that `CodePipeline` is to fill in.
    fn variable(&mut self, key: &str) -> Option<String> {
        let text = self.text(key)?;
        if text.contains("#{") {
            // Taken as it is, it would be the same for every deployment.
            self.note(key, "a variable in it was not replaced by CodePipeline");
            return None;
        }
        Some(text)
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
