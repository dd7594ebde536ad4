//! The JSON Schemas say what the parser says, as far as a schema can.
//!
//! A schema knows neither names nor positions, so it takes some documents that the
//! parser refuses; it must never refuse what the parser takes, or editors would
//! teach people to pass over what they show.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod documents;
mod examples;
mod mutations;

use boon::{Compiler, SchemaIndex, Schemas};
use domain::policy::{Policy, PolicyErrors, TeamDocument};
use serde_json::Value;

const POLICY: &str = include_str!("../../../policy.schema.json");
const TEAM: &str = include_str!("../../../team.schema.json");

thread_local! {
    /// Compiled once for all cases of a test.
    static VALIDATOR: Validator = Validator::new();
}

/// What the schema says against a root document.
fn of_root(document: &Value) -> Result<(), String> {
    VALIDATOR.with(|it| it.validate(document, it.policy))
}

/// What the schema says against a team's document.
fn of_team(document: &Value) -> Result<(), String> {
    VALIDATOR.with(|it| it.validate(document, it.team))
}

/// The schemas of a root document and of a team's.
struct Validator {
    schemas: Schemas,
    policy: SchemaIndex,
    team: SchemaIndex,
}

impl Validator {
    fn new() -> Self {
        let (mut schemas, mut compiler) = (Schemas::new(), Compiler::new());
        let policy = "https://example.com/policy.schema.json";
        let team = "https://example.com/team.schema.json";
        for (location, text) in [(policy, POLICY), (team, TEAM)] {
            let schema = serde_json::from_str(text).unwrap();
            compiler.add_resource(location, schema).unwrap();
        }
        Self {
            policy: compiler.compile(policy, &mut schemas).unwrap(),
            team: compiler.compile(team, &mut schemas).unwrap(),
            schemas,
        }
    }

    fn validate(&self, document: &Value, schema: SchemaIndex) -> Result<(), String> {
        let valid = self.schemas.validate(document, schema);
        valid.map_err(|error| format!("{error:#}"))
    }
}

/// What the parser says of a root and the documents of teams, which are JSON and so YAML.
fn parsed(root: &Value, teams: &[(String, Value)]) -> Result<Policy, PolicyErrors> {
    let texts: Vec<_> = teams.iter().map(|(_, it)| it.to_string()).collect();
    let documents = teams.iter().zip(&texts);
    let documents: Vec<_> = documents
        .map(|((team, _), text)| TeamDocument { team, text })
        .collect();
    Policy::parse_all(&root.to_string(), &documents, None)
}
