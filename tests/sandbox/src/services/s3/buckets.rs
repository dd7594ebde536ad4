//! Operations on buckets.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    bucket::{self, Bucket, Versioning},
    invalid_argument, names,
    object::{hex, iso_date},
    unsupported,
};
use crate::world::{ApiError, Call, World};

/// The most buckets of a page, and of an account.
const MOST: usize = 10_000;

/// The Region whose buckets have no location constraint.
const CLASSIC: &str = "us-east-1";

/// `ListBuckets`: those of the caller's account, of all Regions unless one is asked for.
pub(super) fn list(world: &World, call: &Call) -> Result<Value, ApiError> {
    let prefix = call.text("Prefix").unwrap_or_default();
    let after = call.text("ContinuationToken").unwrap_or_default();
    let region = call.text("BucketRegion");
    let most = match call.text("MaxBuckets") {
        None => MOST,
        Some(text) => text
            .parse()
            .ok()
            .filter(|most| (1..=MOST).contains(most))
            .ok_or_else(|| {
                let message = "Argument max-buckets must be an integer between 1 and 10000";
                invalid_argument(message, "max-buckets", text)
            })?,
    };
    let mut found: Vec<_> = world
        .s3
        .buckets
        .iter()
        .filter(|(name, bucket)| {
            bucket.owner == call.caller.account
                && name.starts_with(prefix)
                && name.as_str() > after
                && region.is_none_or(|region| bucket.region == region)
        })
        .collect();
    let more = found.len() > most;
    found.truncate(most);
    let shown: Vec<Value> = found
        .iter()
        .map(|(name, bucket)| {
            json!({
                "Name": name,
                "CreationDate": iso_date(bucket.created),
                "BucketRegion": bucket.region,
            })
        })
        .collect();
    let mut result = json!({
        "Owner": owner(&call.caller.account),
        "Buckets": { "Bucket": shown },
    });
    if let (true, Some((last, _))) = (more, found.last()) {
        result["ContinuationToken"] = json!(last);
    }
    if !prefix.is_empty() {
        result["Prefix"] = json!(prefix);
    }
    Ok(json!({ "ListAllMyBucketsResult": result }))
}

/// An account as S3 shows it: by its canonical user id.
pub(super) fn owner(account: &str) -> Value {
    let id = Sha256::digest(format!("the canonical user id of {account}"));
    json!({ "ID": hex(&id) })
}

/// `CreateBucket`.
pub(super) fn create(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = call.text("Bucket").unwrap_or_default();
    unsupported(
        call,
        &[
            "GrantFullControl",
            "GrantRead",
            "GrantReadACP",
            "GrantWrite",
            "GrantWriteACP",
        ],
    )?;
    for (member, supported) in [
        ("ACL", "private"),
        ("ObjectOwnership", "BucketOwnerEnforced"),
        ("ObjectLockEnabledForBucket", "false"),
    ] {
        if call.text(member).is_some_and(|value| value != supported) {
            unsupported(call, &[member])?;
        }
    }
    if !names::is_bucket(name) {
        let message = "The specified bucket is not valid.";
        return Err(ApiError::new("InvalidBucketName", message).with_member("BucketName", name));
    }
    let region = location_of_new(call)?;
    match super::owner(world, name) {
        None => {}
        Some(owner) if owner != call.caller.account => {
            let message = "The requested bucket name is not available. The bucket namespace is \
                           shared by all users of the system. Please select a different name and \
                           try again.";
            let error = ApiError::with_status(409, "BucketAlreadyExists", message);
            return Err(error.with_member("BucketName", name));
        }
        // The oldest Region never took this for an error.
        Some(_) if call.region == CLASSIC && region == CLASSIC => return Ok(created(name)),
        Some(_) => {
            let message = "Your previous request to create the named bucket succeeded and you \
                           already own it.";
            let error = ApiError::with_status(409, "BucketAlreadyOwnedByYou", message);
            return Err(error.with_member("BucketName", name));
        }
    }
    let bucket = Bucket {
        owner: call.caller.account.clone(),
        region,
        created: world.now,
        versioning: Versioning::Never,
        objects: BTreeMap::new(),
        uploads: BTreeMap::new(),
    };
    world.s3.buckets.insert(name.to_owned(), bucket);
    Ok(created(name))
}

fn created(name: &str) -> Value {
    json!({ "Location": format!("/{name}") })
}

/// Where a new bucket shall be: outside of the oldest Region, that must be said and be true.
fn location_of_new(call: &Call) -> Result<String, ApiError> {
    let configuration = &call.input["CreateBucketConfiguration"];
    let members = configuration.as_object().into_iter().flatten();
    if let Some((other, _)) = members
        .into_iter()
        .find(|(name, _)| *name != "LocationConstraint")
    {
        let mut error = ApiError::not_implemented(call);
        error.message = format!("{other}: {}", error.message);
        return Err(error);
    }
    let constraint = configuration["LocationConstraint"].as_str();
    let constraint = constraint.filter(|text| !text.is_empty());
    match constraint {
        Some("EU") => Ok("eu-west-1".to_owned()),
        None if call.region == CLASSIC => Ok(CLASSIC.to_owned()),
        Some(CLASSIC) => Err(invalid_location(CLASSIC)),
        Some(region) if region == call.region => Ok(region.to_owned()),
        Some(region) if call.region == CLASSIC => {
            let mut parts = region.split('-');
            let is_region = parts.clone().count() >= 3
                && parts
                    .next_back()
                    .is_some_and(|last| last.parse::<u8>().is_ok());
            if is_region {
                Ok(region.to_owned())
            } else {
                Err(invalid_location(region))
            }
        }
        other => {
            let other = other.unwrap_or("unspecified");
            let message = format!(
                "The {other} location constraint is incompatible for the region specific endpoint \
                 this request was sent to."
            );
            Err(ApiError::new("IllegalLocationConstraintException", message))
        }
    }
}

fn invalid_location(constraint: &str) -> ApiError {
    let message = "The specified location-constraint is not valid";
    ApiError::new("InvalidLocationConstraint", message)
        .with_member("LocationConstraint", constraint)
}

/// `HeadBucket`.
pub(super) fn head(world: &World, call: &Call) -> Result<Value, ApiError> {
    let bucket = bucket::own(world, call)?;
    Ok(json!({ "BucketRegion": bucket.region, "AccessPointAlias": "false" }))
}

/// `GetBucketLocation`.
pub(super) fn location(world: &World, call: &Call) -> Result<Value, ApiError> {
    let bucket = bucket::own(world, call)?;
    let constraint = (bucket.region != CLASSIC).then_some(bucket.region.as_str());
    Ok(json!({ "LocationConstraint": { "": constraint } }))
}

/// `DeleteBucket`.
///
/// ASSUMED: uploads under way do not hinder it.
pub(super) fn delete(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    let name = call.text("Bucket").unwrap_or_default();
    if !bucket::own(world, call)?.objects.is_empty() {
        let message = "The bucket you tried to delete is not empty";
        let error = ApiError::with_status(409, "BucketNotEmpty", message);
        return Err(error.with_member("BucketName", name));
    }
    world.s3.buckets.remove(name);
    Ok(Value::Null)
}

/// `GetBucketVersioning`.
pub(super) fn versioning(world: &World, call: &Call) -> Result<Value, ApiError> {
    let status = match bucket::own(world, call)?.versioning {
        Versioning::Never => json!({}),
        Versioning::Enabled => json!({ "Status": "Enabled" }),
        Versioning::Suspended => json!({ "Status": "Suspended" }),
    };
    Ok(json!({ "VersioningConfiguration": status }))
}

/// `PutBucketVersioning`.
pub(super) fn set_versioning(world: &mut World, call: &Call) -> Result<Value, ApiError> {
    unsupported(call, &["MFA"])?;
    let versioning = match call.input["VersioningConfiguration"]["Status"].as_str() {
        Some("Enabled") => Versioning::Enabled,
        Some("Suspended") => Versioning::Suspended,
        _ => {
            let message = "The Versioning element must be specified";
            return Err(ApiError::new(
                "IllegalVersioningConfigurationException",
                message,
            ));
        }
    };
    bucket::own_mut(world, call)?.versioning = versioning;
    Ok(Value::Null)
}
