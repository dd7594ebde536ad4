//! `Search`, for executions.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{executions, input, output};
use crate::world::{ApiError, Call, World};

/// The comparisons of a filter that the sandbox knows.
const OPERATORS: [&str; 6] = [
    "Equals",
    "NotEquals",
    "GreaterThan",
    "GreaterThanOrEqualTo",
    "LessThan",
    "LessThanOrEqualTo",
];

/// `Search` among the caller's own executions.
///
/// ASSUMED: shows what is true now; the search of SageMaker lags behind.
pub(super) fn search(world: &World, call: &Call) -> Result<Value, ApiError> {
    let resource = input::required(call, "Resource")?;
    if resource != "PipelineExecution" {
        return Err(ApiError::not_implemented(call));
    }
    for member in ["VisibilityConditions", "CrossAccountFilterOption"] {
        input::unsupported(call, member)?;
    }
    let filters = filters(call)?;
    let own = |key: &(String, String, String)| key.0 == call.caller.account && key.1 == call.region;
    let mut found: Vec<Value> = world
        .sagemaker
        .pipelines
        .iter()
        .filter(|(key, _)| own(key))
        .flat_map(|(_, pipeline)| &pipeline.executions)
        .map(executions::record)
        .filter(|record| filters.iter().all(|filter| filter.holds(record)))
        .collect();
    let by = call.text("SortBy").unwrap_or("LastModifiedTime");
    found.sort_by(|a, b| compare(&a[by], &b[by]).unwrap_or(Ordering::Equal));
    let found = output::ordered(call, found)?.into_iter();
    let results = found.map(|record| json!({ "PipelineExecution": record }));
    output::page(call, "Results", results.collect())
}

struct Filter<'a> {
    name: &'a str,
    operator: &'a str,
    value: Value,
}

impl Filter<'_> {
    fn holds(&self, record: &Value) -> bool {
        let Some(ordering) = compare(&record[self.name], &self.value) else {
            return false;
        };
        match self.operator {
            "Equals" => ordering.is_eq(),
            "NotEquals" => ordering.is_ne(),
            "GreaterThan" => ordering.is_gt(),
            "GreaterThanOrEqualTo" => ordering.is_ge(),
            "LessThan" => ordering.is_lt(),
            _ => ordering.is_le(),
        }
    }
}

fn filters(call: &Call) -> Result<Vec<Filter<'_>>, ApiError> {
    let Some(expression) = call.input.get("SearchExpression") else {
        return Ok(Vec::new());
    };
    for member in ["NestedFilters", "SubExpressions"] {
        if expression.get(member).is_some_and(|value| !value.is_null()) {
            return Err(ApiError::not_implemented(call));
        }
    }
    let filters = expression["Filters"].as_array().into_iter().flatten();
    filters.map(|filter| read(call, filter)).collect()
}

fn read<'a>(call: &Call, filter: &'a Value) -> Result<Filter<'a>, ApiError> {
    let name = filter["Name"]
        .as_str()
        .ok_or_else(|| input::missing("Name"))?;
    let operator = filter["Operator"].as_str().unwrap_or("Equals");
    if !OPERATORS.contains(&operator) {
        return Err(ApiError::not_implemented(call));
    }
    let text = filter["Value"].as_str().unwrap_or_default();
    let value = if name.ends_with("Time") {
        let time: Timestamp = text.parse().map_err(|_| {
            input::invalid(format!("{text} is not a time like 2026-01-05T09:00:00Z"))
        })?;
        crate::world::epoch_seconds(time)
    } else {
        text.into()
    };
    Ok(Filter {
        name,
        operator,
        value,
    })
}

fn compare(left: &Value, right: &Value) -> Option<Ordering> {
    match (left, right) {
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => left.as_f64()?.partial_cmp(&right.as_f64()?),
        _ => None,
    }
}
