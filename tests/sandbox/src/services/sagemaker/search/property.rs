//! The properties of what can be found.

use std::cmp::Ordering;

use serde_json::Value;

use super::super::input;
use crate::world::ApiError;

/// What the sandbox can search for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resource {
    Pipeline,
    Execution,
}

/// How the values of a property compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Number,
    Time,
    /// A list or a structure: it is there or not.
    Whole,
}

impl Resource {
    /// The member of a record that holds the resource.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Pipeline => "Pipeline",
            Self::Execution => "PipelineExecution",
        }
    }

    /// The kind of a property.
    ///
    /// ASSUMED: the wording if the resource has no such property.
    pub(super) fn kind(self, name: &str) -> Result<Kind, ApiError> {
        let known = self.known(name);
        known.ok_or_else(|| {
            let resource = self.name();
            input::invalid(format!("Unknown property '{name}' of {resource}."))
        })
    }

    fn known(self, name: &str) -> Option<Kind> {
        if let Some(("CreatedBy" | "LastModifiedBy", member)) = name.split_once('.') {
            return user_context(member);
        }
        let own = match self {
            Self::Pipeline => of_pipeline(name),
            Self::Execution => of_execution(name),
        };
        own.or_else(|| of_both(name))
    }

    /// The members of the items of a list, if the property is one.
    pub(super) fn items(self, list: &str) -> Option<[&'static str; 2]> {
        match (self, list) {
            (Self::Pipeline, "Tags") => Some(["Key", "Value"]),
            (Self::Execution, "PipelineParameters") => Some(["Name", "Value"]),
            _ => None,
        }
    }
}

fn of_both(name: &str) -> Option<Kind> {
    Some(match name {
        "PipelineArn" => Kind::Text,
        "CreationTime" | "LastModifiedTime" => Kind::Time,
        "ParallelismConfiguration.MaxParallelExecutionSteps" => Kind::Number,
        "CreatedBy" | "LastModifiedBy" | "ParallelismConfiguration" => Kind::Whole,
        _ => return None,
    })
}

fn of_pipeline(name: &str) -> Option<Kind> {
    Some(match name {
        "PipelineName"
        | "PipelineDisplayName"
        | "PipelineDescription"
        | "RoleArn"
        | "PipelineStatus" => Kind::Text,
        "LastRunTime" => Kind::Time,
        "Tags" => Kind::Whole,
        name if name.starts_with("Tags.") => Kind::Text,
        _ => return None,
    })
}

fn of_execution(name: &str) -> Option<Kind> {
    Some(match name {
        "PipelineExecutionArn"
        | "PipelineExecutionDisplayName"
        | "PipelineExecutionStatus"
        | "PipelineExecutionDescription"
        | "FailureReason"
        | "PipelineVersionDisplayName" => Kind::Text,
        "PipelineVersionId" => Kind::Number,
        "PipelineParameters" => Kind::Whole,
        _ => return None,
    })
}

fn user_context(member: &str) -> Option<Kind> {
    match member {
        "UserProfileArn"
        | "UserProfileName"
        | "DomainId"
        | "IamIdentity.Arn"
        | "IamIdentity.PrincipalId"
        | "IamIdentity.SourceIdentity" => Some(Kind::Text),
        "IamIdentity" => Some(Kind::Whole),
        _ => None,
    }
}

/// The value of a property, if the record has it.
pub(super) fn value<'a>(record: &'a Value, name: &str) -> Option<&'a Value> {
    if let Some(key) = name.strip_prefix("Tags.") {
        let mut tags = record.get("Tags")?.as_array()?.iter();
        return tags.find(|tag| tag["Key"] == key)?.get("Value");
    }
    name.split('.')
        .try_fold(record, |value, member| value.get(member))
}

/// The order of two values of one kind.
pub(super) fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        _ => None,
    }
}
