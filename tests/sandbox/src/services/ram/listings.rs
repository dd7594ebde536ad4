//! Lists across shares: resources, principals and resource types.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    associations::STATUSES,
    catalogue::{self, RESOURCE_TYPES, ResourceType},
    entities::{Principal, Resource},
    input::{is_about_own, wants_regional, word},
    model::{Association, Key, Share, ShareStatus},
    paging, shares,
};
use crate::world::{ApiError, Call, World, epoch_seconds};

/// `ListResources`.
pub(super) fn resources(world: &World, call: &Call) -> Result<Value, ApiError> {
    let own = is_about_own(call)?;
    let wanted_type = resource_type(call, "InvalidResourceTypeException")?;
    let arns = resource_keys(&call.texts("resourceArns"))?;
    let principal = call.text("principal").map(Principal::parse).transpose()?;
    let regional = wants_regional(call)?;
    let resources = shares::selected(world, call, own)?
        .into_iter()
        .filter(|share| regional && share.status == ShareStatus::Active)
        .filter(|share| {
            principal
                .as_ref()
                .is_none_or(|principal| share.concerns(principal, own))
        })
        .flat_map(|share| share.resources().map(move |resource| (share, resource)))
        .filter(|(_, (_, kind))| wanted_type.is_none_or(|wanted| wanted == *kind))
        .filter(|(_, (association, _))| arns.is_empty() || arns.contains(&association.key()));
    paging::page_of(
        world,
        call,
        "resources",
        resources,
        |(share, (association, kind))| association.to_resource(share, kind),
    )
}

/// `ListPrincipals`: with whom the caller shares, or who shares with it.
pub(super) fn principals(world: &World, call: &Call) -> Result<Value, ApiError> {
    let own = is_about_own(call)?;
    let wanted_type = resource_type(call, "InvalidParameterException")?;
    let arns: Vec<String> = call
        .text("resourceArn")
        .map(str::to_owned)
        .into_iter()
        .collect();
    let arns = resource_keys(&arns)?;
    let mut wanted = BTreeSet::new();
    for id in call.texts("principals") {
        wanted.insert(Principal::parse(&id)?.key());
    }
    let principals = shares::selected(world, call, own)?
        .into_iter()
        .filter(|share| share.status == ShareStatus::Active)
        .filter(|share| {
            wanted_type.is_none_or(|wanted| share.resources().any(|(_, kind)| kind == wanted))
        })
        .filter(|share| {
            arns.is_empty()
                || share
                    .resources()
                    .any(|(each, _)| arns.contains(&each.key()))
        })
        .flat_map(|share| {
            if own {
                share.consumers()
            } else {
                vec![share.sharer()]
            }
        })
        .filter(|principal| {
            let id = principal["id"].as_str().unwrap_or_default();
            wanted.is_empty() || wanted.contains(&Key::principal(id))
        });
    paging::page(world, call, "principals", principals)
}

/// `ListResourceTypes`.
pub(super) fn resource_types(world: &World, call: &Call) -> Result<Value, ApiError> {
    let regional = wants_regional(call)?;
    let types = RESOURCE_TYPES.iter().filter(|_| regional).map(|each| {
        json!({
            "resourceType": each.name,
            "serviceName": each.service,
            "resourceRegionScope": "REGIONAL",
        })
    });
    paging::page(world, call, "resourceTypes", types)
}

/// `ListSourceAssociations`: no share has sources, since none has a service principal.
pub(super) fn source_associations(world: &World, call: &Call) -> Result<Value, ApiError> {
    word(call, "associationStatus", STATUSES)?;
    shares::selected(world, call, true)?;
    paging::page(world, call, "sourceAssociations", std::iter::empty())
}

fn resource_type(call: &Call, error: &str) -> Result<Option<&'static ResourceType>, ApiError> {
    let Some(name) = call.text("resourceType") else {
        return Ok(None);
    };
    match catalogue::type_named(name) {
        Some(found) => Ok(Some(found)),
        None => Err(ApiError::new(
            error,
            format!("Invalid resource type: {name}"),
        )),
    }
}

fn resource_keys(arns: &[String]) -> Result<BTreeSet<Key>, ApiError> {
    arns.iter()
        .map(|arn| Ok(Resource::parse(arn)?.key()))
        .collect()
}

impl Share {
    /// Whether the share is with the principal or, seen by a consumer, from it.
    fn concerns(&self, principal: &Principal, own: bool) -> bool {
        if own {
            self.principals()
                .any(|(each, _)| each.key() == principal.key())
        } else {
            principal.id() == self.owner
        }
    }

    /// The API's `Principal` for everybody who has access.
    fn consumers(&self) -> Vec<Value> {
        let consumer = |(association, _): (&Association, _)| {
            json!({
                "id": association.entity,
                "resourceShareArn": self.arn,
                "creationTime": epoch_seconds(association.created),
                "lastUpdatedTime": epoch_seconds(association.updated),
                "external": association.is_external(),
            })
        };
        self.principals().map(consumer).collect()
    }

    /// The API's `Principal` for the owner, as consumers see it.
    fn sharer(&self) -> Value {
        json!({
            "id": self.owner,
            "resourceShareArn": self.arn,
            "creationTime": epoch_seconds(self.created),
            "lastUpdatedTime": epoch_seconds(self.updated),
        })
    }
}
