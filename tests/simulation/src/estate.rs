//! The accounts, with the project's own templates deployed.

use std::sync::OnceLock;

use demo::estate::{self, Plan};
pub(crate) use demo::estate::{DEV, SHARED, TEST};
use sandbox::{World, readings::Readings, services::iam};
use serde_json::json;

/// Outside the organization, and onboarded.
pub(crate) const PARTNER: &str = "444444444444";
/// In the organization and in its unit, and not onboarded.
pub(crate) const MEMBER: &str = "555555555555";
/// Nobody.
pub(crate) const STRANGER: &str = "999999999999";
/// The Region of the templates.
pub(crate) const REGION: &str = estate::REGION;
/// The organizational unit.
pub(crate) const UNIT: &str =
    "arn:aws:organizations::333333333333:ou/o-sandbox123/ou-unit-12345678";
/// The organization.
pub(crate) const ORGANIZATION: &str =
    "arn:aws:organizations::333333333333:organization/o-sandbox123";
/// A role of dev that rules may name.
pub(crate) const ROLE: &str = "scientist";

/// The world in which every history begins.
///
/// Deploying takes a while, and reading what was deployed does not.
pub(crate) fn world(readings: Readings) -> World {
    static DEPLOYED: OnceLock<String> = OnceLock::new();
    let deployed = DEPLOYED.get_or_init(|| deployed().save().expect("a world is a text"));
    World::load(deployed, readings).expect("the text is a world's")
}

fn deployed() -> World {
    let principals = [
        DEV,
        TEST,
        SHARED,
        PARTNER,
        UNIT,
        ORGANIZATION,
        &format!("arn:aws:iam::{DEV}:role/{ROLE}"),
    ];
    let plan = Plan {
        consumers: vec![DEV, SHARED, PARTNER],
        members: vec![DEV, TEST, SHARED, MEMBER],
        ram_sharing: true,
        owner_parameters: vec![("AllowedPrincipals", principals.join(","))],
        ..Plan::default()
    };
    let mut world = estate::world(&plan).unwrap_or_else(|error| panic!("{error}"));
    let unit = [DEV, MEMBER].map(str::to_owned).into();
    world.organization_mut().units.insert(UNIT.to_owned(), unit);
    let trust = json!({ "AssumeRolePolicyDocument": { "Statement": [{
        "Effect": "Allow",
        "Principal": { "AWS": format!("arn:aws:iam::{DEV}:root") },
        "Action": "sts:AssumeRole",
    }] } });
    iam::create_role(&mut world, DEV, ROLE, &trust).expect("it is a role");
    world
}
