//! Reads what the hook is asked to do.

mod reader;

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::ValidationErrors;
use crate::{
    account::AccountRef,
    id::{AccountId, PipelineArn, Region},
    policy::Policy,
};

/// Which pipeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
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

/// Where the pipeline is, as far as the request says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Place {
    pub(super) pipeline: Option<PipelineRef>,
    pub(super) owner: Option<AccountRef>,
}

impl Place {
    /// The account that owns the pipeline, if the request names one, or everything that is wrong with it.
    pub(super) fn account(
        &self,
        policy: Option<&Policy>,
        region: &Region,
    ) -> Result<Option<AccountId>, Vec<String>> {
        let mut mistakes = Vec::new();
        let arn = match &self.pipeline {
            Some(PipelineRef::Arn(arn)) => Some(arn),
            _ => None,
        };
        if let Some(theirs) = arn.map(PipelineArn::region).filter(|it| *it != region) {
            let message = format!("the pipeline is in {theirs}, and this hook serves {region}");
            mistakes.push(format!("\"pipeline\": {message}"));
        }
        let of_arn = arn.and_then(|arn| arn.owner().account());
        let named = self.owner.as_ref().map(|owner| owner.resolve(policy));
        let named = named.transpose();
        match (&named, of_arn) {
            (Err(problem), _) => mistakes.push(format!("\"owner\": {problem}")),
            (Ok(Some(named)), Some(account)) if named != account => {
                let problem = format!("the pipeline's ARN names {account}, not {named}");
                mistakes.push(format!("\"owner\": {problem}"));
            }
            _ => {}
        }
        match named {
            Ok(named) if mistakes.is_empty() => Ok(named.or_else(|| of_arn.cloned())),
            _ => Err(mistakes),
        }
    }
}

/// What the hook is asked to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The pipeline that was deployed.
    pub pipeline: PipelineRef,
    /// The account that owns it.
    owner: Option<AccountRef>,
    /// Whether it is to be run.
    pub run: bool,
    /// The parameters of the run.
    pub parameters: BTreeMap<String, String>,
    /// The version of the pipeline that is to be run; the newest if absent.
    pub version: Option<i64>,
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
    pub fn parse(text: &str) -> Result<Self, ValidationErrors> {
        const WHAT: &str = "UserParameters";
        let message = match serde_json::from_str(text) {
            Ok(Value::Object(members)) => return Self::read(WHAT, &members),
            Ok(_) => "expected a JSON object".to_owned(),
            Err(error) => format!(
                "not JSON at line {}, column {}; CodePipeline inserts variables as they are, so one with quotes, backslashes or line breaks breaks the text that it stands in",
                error.line(),
                error.column()
            ),
        };
        Err(ValidationErrors::of(WHAT, vec![message], Place::default()))
    }

    /// Reads the members of an object; `what` says to people what it is.
    pub fn read(
        what: &'static str,
        members: &Map<String, Value>,
    ) -> Result<Self, ValidationErrors> {
        let (request, place, mistakes) = reader::read(members);
        match request {
            Some(request) if mistakes.is_empty() => Ok(request),
            _ => Err(ValidationErrors::of(what, mistakes, place)),
        }
    }

    /// The account that owns the pipeline, which must be in this Region.
    pub fn owner(
        &self,
        policy: Option<&Policy>,
        region: &Region,
    ) -> Result<AccountId, ValidationErrors> {
        let place = Place {
            pipeline: Some(self.pipeline.clone()),
            owner: self.owner.clone(),
        };
        let mistakes = match place.account(policy, region) {
            Ok(Some(account)) => return Ok(account),
            // A name without an owner is a mistake that was reported when it was read.
            Ok(None) => vec!["\"owner\": it is missing".to_owned()],
            Err(mistakes) => mistakes,
        };
        Err(ValidationErrors::of("the request", mistakes, place))
    }
}
