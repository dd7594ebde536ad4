//! Shapes of answers: optional members, pages, and who did it.

use serde_json::{Value, json};

use super::input;
use crate::{
    services::{cloudtrail, pages},
    world::{ApiError, Call, Caller},
};

/// ASSUMED: the size of a page if the request gives none. A small one shows
/// clients that forget to ask for the next.
const PAGE: usize = 10;

/// A structure without the members that have no value.
pub(super) fn present(mut structure: Value) -> Value {
    if let Some(members) = structure.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    structure
}

/// A `UserContext`.
pub(super) fn user_context(caller: &Caller) -> Value {
    json!({
        "IamIdentity": {
            "Arn": caller.arn(),
            "PrincipalId": cloudtrail::principal_id(caller),
        }
    })
}

/// A `ParallelismConfiguration`, null if there is no limit.
pub(super) fn parallelism(limit: Option<usize>) -> Value {
    limit.map_or(
        Value::Null,
        |limit| json!({ "MaxParallelExecutionSteps": limit }),
    )
}

/// The page of these items that the request asks for, as the member of this name.
pub(super) fn page(call: &Call, member: &str, items: Vec<Value>) -> Result<Value, ApiError> {
    page_printed(call, member, items, |item| item)
}

/// The same of a list with thousands of items, which are printed only if they are on the page.
pub(super) fn page_printed<T>(
    call: &Call,
    member: &str,
    items: Vec<T>,
    print: impl Fn(T) -> Value,
) -> Result<Value, ApiError> {
    let size = input::max_results(call, PAGE, (1, 100))?;
    let (page, next) = cut(call, items, size)?;
    let page = page.into_iter().map(print).collect();
    Ok(listed(member, page, next))
}

/// A page of at most `size` items.
pub(super) fn page_of(
    call: &Call,
    member: &str,
    items: Vec<Value>,
    size: usize,
) -> Result<Value, ApiError> {
    let (page, next) = cut(call, items, size)?;
    Ok(listed(member, page, next))
}

/// The items of the page that the request asks for, and the token of the next one.
fn cut<T>(call: &Call, items: Vec<T>, size: usize) -> Result<(Vec<T>, Option<String>), ApiError> {
    let start: usize = match input::text(call, "NextToken")? {
        None => 0,
        Some(token) => token
            .strip_prefix("after-")
            .and_then(|position| position.parse().ok())
            .ok_or_else(|| input::invalid("Invalid NextToken."))?,
    };
    let (page, next) = pages::cut(items, start, size);
    Ok((page, next.map(|next| format!("after-{next}"))))
}

fn listed(member: &str, page: Vec<Value>, next: Option<String>) -> Value {
    let next = next.map_or(Value::Null, Value::String);
    let members = [(member, Value::Array(page)), ("NextToken", next)];
    present(members.into_iter().collect())
}

/// The items in the order that the request asks for; they come in ascending order.
///
/// ASSUMED: without a wish, the newest come first.
pub(super) fn ordered<T>(call: &Call, mut items: Vec<T>) -> Result<Vec<T>, ApiError> {
    if input::one_of(call, "SortOrder", &["Descending", "Ascending"])? == "Descending" {
        items.reverse();
    }
    Ok(items)
}
