//! Pages of lists.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::{
    services::pages,
    world::{ApiError, Call, World},
};

/// ASSUMED: AWS does not say how long a page is if the caller does not.
const DEFAULT_PAGE: usize = 100;
const LONGEST_PAGE: u64 = 500;

/// The page of a list that the call asks for, as the answer's `member`.
pub(super) fn page(
    world: &World,
    call: &Call,
    member: &str,
    items: impl Iterator<Item = Value>,
) -> Result<Value, ApiError> {
    page_of(world, call, member, items, |item| item)
}

/// The same of a list with thousands of items, which are printed only if they are on the page:
/// else the last page would cost as much as the whole list.
pub(super) fn page_of<T>(
    world: &World,
    call: &Call,
    member: &str,
    items: impl Iterator<Item = T>,
    print: impl Fn(T) -> Value,
) -> Result<Value, ApiError> {
    let size = page_size(call)?;
    let start = match call.text("nextToken") {
        Some(token) => read_token(call, token)?,
        None if world.ram.empty_first_pages => {
            return Ok(json!({ member: [], "nextToken": token(call, 0) }));
        }
        None => 0,
    };
    let (page, next) = pages::cut(items, start, size);
    let page: Vec<_> = page.into_iter().map(print).collect();
    let mut answer = json!({ member: page });
    if let Some(next) = next {
        answer["nextToken"] = token(call, next).into();
    }
    Ok(answer)
}

fn page_size(call: &Call) -> Result<usize, ApiError> {
    let Some(asked) = call
        .input
        .get("maxResults")
        .filter(|value| !value.is_null())
    else {
        return Ok(DEFAULT_PAGE);
    };
    asked
        .as_u64()
        .filter(|size| (1..=LONGEST_PAGE).contains(size))
        .and_then(|size| usize::try_from(size).ok())
        .ok_or_else(|| {
            // Only this operation has an error of its own for it.
            let code = match call.operation.as_str() {
                "GetResourceShareInvitations" => "InvalidMaxResultsException",
                _ => "InvalidParameterException",
            };
            ApiError::new(code, "maxResults must be between 1 and 500.")
        })
}

/// A token is good only for the list that it was made for.
fn token(call: &Call, start: usize) -> String {
    let mut filters = call.input.clone();
    if let Some(members) = filters.as_object_mut() {
        members.remove("nextToken");
        members.remove("maxResults");
    }
    let digest = Sha256::digest(format!(
        "{}\0{}\0{}\0{filters}\0{start}",
        call.operation, call.caller.account, call.region
    ));
    let seal = u64::from_be_bytes(std::array::from_fn(|index| digest[index]));
    format!("{start:x}-{seal:016x}")
}

fn read_token(call: &Call, text: &str) -> Result<usize, ApiError> {
    text.split_once('-')
        .and_then(|(start, _)| usize::from_str_radix(start, 16).ok())
        .filter(|start| token(call, *start) == text)
        .ok_or_else(|| {
            ApiError::new(
                "InvalidNextTokenException",
                "The specified value for nextToken isn't valid.",
            )
        })
}
