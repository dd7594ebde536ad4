//! Reads the members of requests and refuses those that the model does not allow.

use jiff::Timestamp;
use serde_json::Value;

use super::arn::{ExecutionId, PipelineId};
pub(super) use crate::services::validation::invalid;
use crate::{
    services::cloudtrail,
    world::{ApiError, Call},
};

const NAME_PATTERN: &str = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}";
const EXECUTION_NAME_PATTERN: &str = "[a-zA-Z0-9](-*[a-zA-Z0-9]){0,81}";
const PIPELINE_ARN_PATTERN: &str =
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:([0-9]{12}|aws):pipeline/.*";
const EXECUTION_ARN_PATTERN: &str =
    r"arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:pipeline\/.*\/execution\/.*";
const ROLE_PATTERN: &str = r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+";

/// The longest definition of a pipeline, in characters.
pub(super) const LONGEST_DEFINITION: usize = 1_048_576;

/// What a dot does not match in the model's patterns.
const LINE_ENDS: [char; 5] = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}'];

/// Refuses a member that the sandbox would have to ignore.
pub(super) fn unsupported(call: &Call, member: &str) -> Result<(), ApiError> {
    if call.input.get(member).is_none_or(Value::is_null) {
        return Ok(());
    }
    let mut error = ApiError::not_implemented(call);
    error.message = format!("{member}: {}", error.message);
    Err(error)
}

/// The answer to a value that the model does not allow.
pub(super) fn constraint(member: &str, value: &Value, wanted: &str) -> ApiError {
    let value = match value {
        Value::String(text) => format!("'{text}'"),
        value => value.to_string(),
    };
    let member = cloudtrail::lower_first(member);
    invalid(format!(
        "1 validation error detected: Value {value} at '{member}' failed to satisfy constraint: \
         Member must {wanted}"
    ))
}

/// The answer to a text that does not match the model's pattern.
pub(super) fn pattern(member: &str, value: &str, pattern: &str) -> ApiError {
    let wanted = format!("satisfy regular expression pattern: {pattern}");
    constraint(member, &Value::from(value), &wanted)
}

/// The answer to a request without a member that it needs.
pub(super) fn missing(member: &str) -> ApiError {
    constraint(member, &Value::Null, "not be null")
}

/// The answer to a value of another type than the model's.
///
/// ASSUMED: the wording.
pub(super) fn mistyped(member: &str, wanted: &str) -> ApiError {
    let message = format!("{member} can not be converted to {wanted}");
    ApiError::new("SerializationException", message)
}

/// A text that may be absent.
pub(super) fn text<'a>(call: &'a Call, member: &str) -> Result<Option<&'a str>, ApiError> {
    match call.input.get(member) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(mistyped(member, "a String")),
    }
}

/// A text that must be there.
pub(super) fn required<'a>(call: &'a Call, member: &str) -> Result<&'a str, ApiError> {
    text(call, member)?.ok_or_else(|| missing(member))
}

/// A whole number that may be absent; a negative one is no number that the model allows.
fn number(call: &Call, member: &str, least: u64) -> Result<Option<u64>, ApiError> {
    let value = match call.input.get(member) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    if !value.is_i64() && !value.is_u64() {
        return Err(mistyped(member, "an Integer"));
    }
    match value.as_u64() {
        Some(number) if number >= least => Ok(Some(number)),
        _ => {
            let wanted = format!("have value greater than or equal to {least}");
            Err(constraint(member, value, &wanted))
        }
    }
}

/// The items of a list with at most so many of them; none if it is absent.
pub(super) fn list<'a>(call: &'a Call, member: &str, most: usize) -> Result<&'a [Value], ApiError> {
    match call.input.get(member) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) if items.len() <= most => Ok(items),
        Some(items @ Value::Array(_)) => {
            let wanted = format!("have length less than or equal to {most}");
            Err(constraint(member, items, &wanted))
        }
        Some(_) => Err(mistyped(member, "a List")),
    }
}

/// A text that must be there, with a length within these bounds.
fn bounded<'a>(
    call: &'a Call,
    member: &str,
    (least, most): (usize, usize),
) -> Result<&'a str, ApiError> {
    let value = required(call, member)?;
    let length = value.chars().count();
    if length < least {
        let wanted = format!("have length greater than or equal to {least}");
        return Err(constraint(member, &Value::from(value), &wanted));
    }
    if length > most {
        let wanted = format!("have length less than or equal to {most}");
        return Err(constraint(member, &Value::from(value), &wanted));
    }
    Ok(value)
}

/// A text that may be absent, with a length within these bounds.
fn optional(call: &Call, member: &str, bounds: (usize, usize)) -> Result<Option<String>, ApiError> {
    if call.input.get(member).is_none_or(Value::is_null) {
        return Ok(None);
    }
    bounded(call, member, bounds).map(|text| Some(text.to_owned()))
}

/// Whether the text is one that `[a-zA-Z0-9](-*[a-zA-Z0-9])*` matches.
fn is_name(text: &str) -> bool {
    let alphanumeric = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_alphanumeric);
    let bytes = text.as_bytes();
    alphanumeric(bytes.first())
        && alphanumeric(bytes.last())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
}

/// A pipeline name; an ARN is none.
pub(super) fn pipeline_name<'a>(call: &'a Call, member: &str) -> Result<&'a str, ApiError> {
    let name = bounded(call, member, (1, 256))?;
    if is_name(name) {
        Ok(name)
    } else {
        Err(pattern(member, name, NAME_PATTERN))
    }
}

/// The display name of a pipeline, if there is one.
pub(super) fn pipeline_display_name(call: &Call) -> Result<Option<String>, ApiError> {
    named(call, "PipelineDisplayName", 256, NAME_PATTERN)
}

/// The display name of an execution or a version, if there is one.
pub(super) fn display_name(call: &Call, member: &str) -> Result<Option<String>, ApiError> {
    named(call, member, 82, EXECUTION_NAME_PATTERN)
}

fn named(call: &Call, member: &str, most: usize, wanted: &str) -> Result<Option<String>, ApiError> {
    let name = optional(call, member, (1, most))?;
    match name {
        Some(name) if !is_name(&name) => Err(pattern(member, &name, wanted)),
        name => Ok(name),
    }
}

/// A description, if there is one; it has a single line.
pub(super) fn description(call: &Call, member: &str) -> Result<Option<String>, ApiError> {
    let description = optional(call, member, (0, 3072))?;
    match description {
        Some(text) if text.contains(LINE_ENDS) => Err(pattern(member, &text, ".*")),
        description => Ok(description),
    }
}

/// The text of a pipeline's definition, if there is one.
pub(super) fn pipeline_definition(call: &Call) -> Result<Option<String>, ApiError> {
    optional(call, "PipelineDefinition", (1, LONGEST_DEFINITION))
}

/// How the names of one's own pipelines may begin, if the request says so.
pub(super) fn name_prefix(call: &Call) -> Result<Option<&str>, ApiError> {
    let member = "PipelineNamePrefix";
    match text(call, member)? {
        None => Ok(None),
        Some(_) => pipeline_name(call, member).map(Some),
    }
}

/// The role of a pipeline, if there is one.
pub(super) fn role(call: &Call) -> Result<Option<String>, ApiError> {
    let role = optional(call, "RoleArn", (20, 2048))?;
    match role {
        Some(role) if !is_role(&role) => Err(pattern("RoleArn", &role, ROLE_PATTERN)),
        role => Ok(role),
    }
}

fn is_role(arn: &str) -> bool {
    let Some((account, name)) = arn
        .strip_prefix("arn:aws:iam::")
        .and_then(|rest| rest.split_once(":role/"))
    else {
        return false;
    };
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&byte);
    account.len() == 12
        && account.bytes().all(|byte| byte.is_ascii_digit())
        && !name.is_empty()
        && name.bytes().all(is_allowed)
}

/// The token that makes a repeated request do nothing.
pub(super) fn token(call: &Call) -> Result<&str, ApiError> {
    bounded(call, "ClientRequestToken", (32, 128))
}

/// The pipeline that the member `PipelineName` names or gives the ARN of.
pub(super) fn pipeline_name_or_arn(call: &Call) -> Result<PipelineId, ApiError> {
    let value = bounded(call, "PipelineName", (1, 2048))?;
    if value.starts_with("arn:") {
        pipeline_arn(call, "PipelineName")
    } else {
        pipeline_name(call, "PipelineName").map(|name| PipelineId::own(call, name))
    }
}

/// The pipeline of which a member gives the ARN.
pub(super) fn pipeline_arn(call: &Call, member: &str) -> Result<PipelineId, ApiError> {
    let arn = bounded(call, member, (1, 2048))?;
    PipelineId::parse(arn).ok_or_else(|| pattern(member, arn, PIPELINE_ARN_PATTERN))
}

/// The execution of which the member `PipelineExecutionArn` gives the ARN.
pub(super) fn execution_arn(call: &Call) -> Result<ExecutionId, ApiError> {
    let member = "PipelineExecutionArn";
    let arn = bounded(call, member, (1, 2048))?;
    ExecutionId::parse(arn).ok_or_else(|| pattern(member, arn, EXECUTION_ARN_PATTERN))
}

/// A number of at least 1 that may be absent.
pub(super) fn positive(call: &Call, member: &str) -> Result<Option<u64>, ApiError> {
    number(call, member, 1)
}

/// How many steps may run at once, if the request says so.
pub(super) fn parallelism(call: &Call) -> Result<Option<usize>, ApiError> {
    let member = "ParallelismConfiguration.MaxParallelExecutionSteps";
    let limit = match call.input.get("ParallelismConfiguration") {
        None | Some(Value::Null) => return Ok(None),
        Some(configuration) => configuration
            .get("MaxParallelExecutionSteps")
            .unwrap_or(&Value::Null),
    };
    match limit.as_u64().map(usize::try_from) {
        Some(Ok(limit)) if limit >= 1 => Ok(Some(limit)),
        _ => Err(constraint(
            member,
            limit,
            "have value greater than or equal to 1",
        )),
    }
}

/// A text of at most this length, if there is one.
pub(super) fn text_up_to(
    call: &Call,
    member: &str,
    most: usize,
) -> Result<Option<String>, ApiError> {
    optional(call, member, (0, most))
}

/// The token of a callback step.
pub(super) fn callback_token(call: &Call) -> Result<&str, ApiError> {
    let member = "CallbackToken";
    let token = bounded(call, member, (10, 10))?;
    if token.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        Ok(token)
    } else {
        Err(pattern(member, token, "[a-zA-Z0-9]+"))
    }
}

/// One of the values of an enumeration; the first of them if the member is absent.
pub(super) fn one_of<'a>(
    call: &Call,
    member: &str,
    values: &[&'a str],
) -> Result<&'a str, ApiError> {
    let Some(value) = text(call, member)? else {
        return Ok(values.first().copied().unwrap_or_default());
    };
    let known = values.iter().find(|known| **known == value).copied();
    known.ok_or_else(|| {
        let wanted = format!("satisfy enum value set: [{}]", values.join(", "));
        constraint(member, &Value::from(value), &wanted)
    })
}

/// How many items a page may have; `default` if the request does not say.
pub(super) fn max_results(
    call: &Call,
    default: usize,
    (least, most): (u64, u64),
) -> Result<usize, ApiError> {
    let member = "MaxResults";
    match number(call, member, least)? {
        None => Ok(default),
        Some(number) if number > most => Err(constraint(
            member,
            &number.into(),
            &format!("have value less than or equal to {most}"),
        )),
        Some(number) => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
    }
}

/// The span of creation times that a list request asks for.
pub(super) struct Created {
    after: Option<f64>,
    before: Option<f64>,
}

impl Created {
    /// Reads `CreatedAfter` and `CreatedBefore`.
    pub(super) fn of(call: &Call) -> Result<Self, ApiError> {
        let time = |member: &str| match call.input.get(member) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let seconds = value.as_f64();
                seconds
                    .map(Some)
                    .ok_or_else(|| mistyped(member, "a Timestamp"))
            }
        };
        Ok(Self {
            after: time("CreatedAfter")?,
            before: time("CreatedBefore")?,
        })
    }

    /// Whether the time lies within the span.
    ///
    /// ASSUMED: both ends are outside of it.
    pub(super) fn contains(&self, time: Timestamp) -> bool {
        let seconds = crate::world::epoch_seconds(time);
        let seconds = seconds.as_f64().unwrap_or_default();
        self.after.is_none_or(|after| seconds > after)
            && self.before.is_none_or(|before| seconds < before)
    }
}
