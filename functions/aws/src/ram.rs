//! Resource Access Manager, from both sides of a share.

mod consumer;
mod owner;
mod permission;

use aws_sdk_ram::types::{self, ResourceShareAssociation};
use domain::{id::ShareArn, invitation::Resource, sharing::Association};

pub use consumer::ConsumerRam;
pub use owner::OwnerRam;

use crate::{
    error::{Error, Service},
    time::timestamp,
};

/// The longest page of any list of RAM.
const LONGEST_PAGE: i32 = 500;

/// Reads an association and the share that it belongs to.
fn association(
    association: &ResourceShareAssociation,
    service: &Service,
    operation: &'static str,
) -> Result<(ShareArn, Association), Error> {
    let share = parsed(association.resource_share_arn(), service, operation)?;
    let entity = present(association.associated_entity(), service, operation)?;
    let status = association.status().map_or("", |status| status.as_str());
    let association = Association {
        entity: entity.to_owned(),
        status: status.into(),
        message: association.status_message().map(str::to_owned),
        created: association.creation_time().and_then(timestamp),
        updated: association.last_updated_time().and_then(timestamp),
    };
    Ok((share, association))
}

fn resource(resource: &types::Resource) -> Resource {
    Resource {
        arn: resource.arn().unwrap_or_default().to_owned(),
        kind: resource.r#type().unwrap_or_default().to_owned(),
        associated: resource.creation_time().and_then(timestamp),
    }
}

/// A part of an answer that RAM always sends.
fn present<'a>(
    text: Option<&'a str>,
    service: &Service,
    operation: &'static str,
) -> Result<&'a str, Error> {
    text.ok_or_else(|| service.odd_answer(operation, "an empty place where a text belongs"))
}

/// A part of an answer that RAM always sends, as what it identifies.
fn parsed<T: std::str::FromStr<Err = domain::id::InvalidId>>(
    text: Option<&str>,
    service: &Service,
    operation: &'static str,
) -> Result<T, Error> {
    present(text, service, operation)?
        .parse()
        .map_err(|invalid| service.odd_answer(operation, &format!("an odd value: {invalid}")))
}

/// Hands over a list of RAM page by page, also behind empty ones.
///
/// Pages are as long as RAM documents, so that a list costs few calls, and none
/// of it has to be held as a whole. A token that comes twice does not end the
/// list, as it would by the SDK's default: a list cut short would pass for the
/// whole, and what it lacks would be shared again.
macro_rules! each_page {
    ($service:expr, $operation:literal, $request:expr, |$items:ident| $take:block) => {{
        let mut pages = $request
            .max_results($crate::ram::LONGEST_PAGE)
            .into_paginator()
            .stop_on_duplicate_token(false)
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err($service.failed($operation))?;
            let $items = page.$items.unwrap_or_default();
            $take
        }
    }};
}
use each_page;

/// Reads all items of a list of RAM, each as soon as its page is there.
macro_rules! all_items {
    ($service:expr, $operation:literal, $request:expr, $items:ident, $read:expr) => {{
        let mut all = Vec::new();
        each_page!($service, $operation, $request, |$items| {
            for item in &$items {
                all.push($read(item)?);
            }
        });
        all
    }};
}
use all_items;

#[cfg(test)]
mod tests;
