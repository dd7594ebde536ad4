//! Moving all shares of an account from one managed permission to another.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Step,
    input::{invalid, required, word},
    managed::Home,
    model::{Attached, FeatureSet},
    paging,
    permissions::{attachable, find, requested_version},
};
use crate::world::{ApiError, Call, World, epoch_seconds};

/// A `ReplacePermissionAssociationsWork`.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(super) struct Work {
    id: String,
    home: Home,
    from: String,
    from_version: Option<u64>,
    to: String,
    to_version: u64,
    status: Status,
    created: Timestamp,
    updated: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
enum Status {
    InProgress,
    Completed,
    Failed,
}

impl Status {
    fn as_str(self) -> &'static str {
        match self {
            Self::InProgress => "IN_PROGRESS",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
        }
    }
}

/// `ReplacePermissionAssociations`.
///
/// ASSUMED: it takes as long as an association does, and applies the version
/// that is the default when it is called.
pub(super) fn replace(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let from_version = requested_version(call, "fromPermissionVersion")?;
    let from = find(world, call, required(call, "fromPermissionArn")?)?;
    let to = attachable(world, call, required(call, "toPermissionArn")?)?;
    if from.resource_type != to.resource_type {
        return Err(invalid(
            "Both permissions must be for the same resource type.",
        ));
    }
    let mut work = Work {
        id: String::new(),
        home: Home::of(call),
        from: from.arn.clone(),
        from_version,
        to: to.arn.clone(),
        to_version: to.default_version,
        status: Status::InProgress,
        created: world.now,
        updated: world.now,
    };
    let seed = format!("ram work {} {}", work.home.account, work.home.region);
    work.id = world.uuid(&seed);
    let answer = json!({ "replacePermissionAssociationsWork": work.to_json() });
    let step = Step::Replace {
        work: work.id.clone(),
    };
    world.ram.works.insert(work.id.clone(), work);
    world.after(world.ram.association_delay, step.into());
    Ok(answer)
}

/// Carries out a work.
pub(super) fn finish(world: &mut World, id: &str) {
    let now = world.now;
    let state = &mut world.ram;
    let Some(work) = state.works.get_mut(id) else {
        return;
    };
    work.updated = now;
    let to = super::managed::key(&work.to);
    // It may have been deleted in the meantime, since no share had it yet.
    let target = state
        .permissions
        .get(&to)
        .filter(|to| to.deleted.is_none() && to.version(work.to_version).is_some());
    let Some(target) = target else {
        work.status = Status::Failed;
        return;
    };
    let from = super::managed::key(&work.from);
    for share in state.shares.values_mut() {
        let is_meant = share.owner == work.home.account
            && share.region == work.home.region
            && share.is_alive()
            && share.feature_set == FeatureSet::Standard
            && share.uses(&from, work.from_version);
        if is_meant {
            let attached = Attached {
                permission: to.clone(),
                version: work.to_version,
                since: now,
            };
            share.permissions.insert(target.resource_type, attached);
        }
    }
    work.status = Status::Completed;
}

/// `ListReplacePermissionAssociationsWork`.
///
/// ASSUMED: works are remembered for good, and an unknown id adds nothing.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let status = word(call, "status", &["IN_PROGRESS", "COMPLETED", "FAILED"])?;
    let ids = call.texts("workIds");
    let home = Home::of(call);
    let mut works: Vec<&Work> = world
        .ram
        .works
        .values()
        .filter(|work| work.home == home)
        .filter(|work| ids.is_empty() || ids.contains(&work.id))
        .filter(|work| status.is_none_or(|status| work.status.as_str() == status))
        .collect();
    works.sort_by_key(|work| work.created);
    let works = works.into_iter().map(Work::to_json);
    paging::page(world, call, "replacePermissionAssociationsWorks", works)
}

impl Work {
    fn to_json(&self) -> Value {
        let mut json = json!({
            "id": self.id,
            "fromPermissionArn": self.from,
            "toPermissionArn": self.to,
            "toPermissionVersion": self.to_version.to_string(),
            "status": self.status.as_str(),
            "creationTime": epoch_seconds(self.created),
            "lastUpdatedTime": epoch_seconds(self.updated),
        });
        if let Some(version) = self.from_version {
            json["fromPermissionVersion"] = version.to_string().into();
        }
        if self.status == Status::Failed {
            json["statusMessage"] = "The permission does not exist any more.".into();
        }
        json
    }
}
