//! Builds the functions and finds their binaries.

use std::{
    env, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sandbox::Function;
use serde::Deserialize;

/// The functions by the names of their binaries; deployed they are `pipeshare-NAME`.
const FUNCTIONS: [&str; 4] = [
    "share-pipeline",
    "accept-invitation",
    "forward-status",
    "codepipeline-hook",
];

/// The functions could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// Cargo did not start.
    #[error("cargo did not start; is it on the PATH?")]
    NoCargo(#[source] io::Error),
    /// Cargo ended with an error, which it has printed.
    #[error("the functions did not compile; cargo says why above")]
    Failed,
    /// A function was not among what cargo built.
    #[error("cargo built no binary {0}")]
    Missing(&'static str),
}

/// A line of `cargo build --message-format=json`, as far as it matters here.
#[derive(Deserialize)]
struct Artifact {
    target: Option<Target>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

/// Builds the functions, with cargo's own progress on the standard error.
///
/// The whole workspace is selected, as by `cargo test --workspace`, so that
/// shared dependencies have the same features and are compiled once.
pub fn build() -> Result<Vec<Function>, BuildError> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut command = Command::new(cargo);
    // Cargo tells this process about its own package. Build scripts that read
    // these variables would take them for a change and build everything anew.
    for (variable, _) in env::vars_os() {
        let name = variable.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
            command.env_remove(&variable);
        }
    }
    let output = command
        .args(["build", "--workspace", "--bins"])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(workspace)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(BuildError::NoCargo)?;
    if !output.status.success() {
        return Err(BuildError::Failed);
    }
    let artifacts: Vec<Artifact> = output
        .stdout
        .split(|byte| *byte == b'\n')
        .filter_map(|line| serde_json::from_slice(line).ok())
        .collect();
    FUNCTIONS
        .iter()
        .map(|name| find(&artifacts, name).ok_or(BuildError::Missing(name)))
        .collect()
}

/// The functions in a folder, each as `NAME/bootstrap`, as they lie in the archives for Lambda.
#[must_use]
pub fn within(folder: &Path) -> Vec<Function> {
    FUNCTIONS
        .iter()
        .map(|name| Function {
            name: format!("pipeshare-{name}"),
            binary: folder.join(name).join("bootstrap"),
        })
        .collect()
}

fn find(artifacts: &[Artifact], name: &str) -> Option<Function> {
    let is_it = |artifact: &&Artifact| {
        artifact.executable.is_some()
            && artifact
                .target
                .as_ref()
                .is_some_and(|target| target.name == name)
    };
    let binary = artifacts.iter().find(is_it)?.executable.clone()?;
    Some(Function {
        name: format!("pipeshare-{name}"),
        binary,
    })
}
