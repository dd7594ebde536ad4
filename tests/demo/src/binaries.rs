//! Builds the functions and finds their binaries.

use std::{
    env, io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use sandbox::Function;
use serde::Deserialize;

use crate::functions;

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
    /// There is neither cargo nor anything that it has built.
    #[error(
        "there is no cargo that could build the functions; say where they are with --functions FOLDER"
    )]
    Nowhere(#[source] NotThere),
}

/// A folder does not have all functions.
#[derive(Debug, thiserror::Error)]
#[error("{} has not all functions: {}", folder.display(), lacks.join("; "))]
pub struct NotThere {
    folder: PathBuf,
    lacks: Vec<String>,
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
    functions::all()
        .into_iter()
        .map(|name| find(&artifacts, name).ok_or(BuildError::Missing(name)))
        .collect()
}

/// The functions as cargo builds them; without cargo, those beside this program.
pub fn built_or_beside() -> Result<Vec<Function>, BuildError> {
    match build() {
        Err(BuildError::NoCargo(_)) => {
            let program = env::current_exe().unwrap_or_default();
            let folder = program.parent().unwrap_or(Path::new("."));
            within(folder).map_err(BuildError::Nowhere)
        }
        other => other,
    }
}

/// The functions in a folder, each as `NAME/bootstrap`, as they lie in the
/// archives for Lambda, or as `NAME`, as cargo builds them.
pub fn within(folder: &Path) -> Result<Vec<Function>, NotThere> {
    let (mut found, mut lacks) = (Vec::new(), Vec::new());
    for name in functions::all() {
        match binary(folder, name) {
            Ok(binary) => found.push(Function {
                name: format!("pipeshare-{name}"),
                binary,
            }),
            Err(lack) => lacks.push(lack),
        }
    }
    if lacks.is_empty() {
        return Ok(found);
    }
    Err(NotThere {
        folder: folder.to_owned(),
        lacks,
    })
}

/// The executable of a function, or why there is none.
fn binary(folder: &Path, name: &str) -> Result<PathBuf, String> {
    let places = [folder.join(name).join("bootstrap"), folder.join(name)];
    let Some(binary) = places.into_iter().find(|place| place.is_file()) else {
        return Err(format!("neither {name}/bootstrap nor {name} is there"));
    };
    let mode = binary.metadata().map_or(0, |it| it.permissions().mode());
    if mode & 0o111 == 0 {
        let shown = binary.strip_prefix(folder).unwrap_or(&binary).display();
        return Err(format!("{shown} is not executable"));
    }
    // A function is started in no particular folder.
    std::path::absolute(binary).map_err(|error| error.to_string())
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("pipeshare-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn write(path: &Path, mode: u32) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_folder_has_functions_as_lambda_or_as_cargo_keeps_them() {
        let folder = folder("has");
        let names = functions::all();
        let (archived, built) = names.split_at(2);
        for name in archived {
            write(&folder.join(name).join("bootstrap"), 0o755);
        }
        for name in built {
            write(&folder.join(name), 0o755);
        }
        let found = within(&folder).unwrap();
        for (function, name) in found.iter().zip(&names) {
            assert_eq!(function.name, format!("pipeshare-{name}"));
        }
        let binaries = archived.iter().map(|name| format!("{name}/bootstrap"));
        let binaries = binaries.chain(built.iter().map(|name| (*name).to_owned()));
        let binaries: Vec<_> = binaries.collect();
        assert_eq!(found.len(), binaries.len());
        for (function, binary) in found.iter().zip(binaries) {
            assert!(function.binary.ends_with(binary), "{function:?}");
        }
        assert!(found.iter().all(|function| function.binary.is_absolute()));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn everything_that_a_folder_lacks_is_named_at_once() {
        let folder = folder("lacks");
        write(&folder.join("share-pipeline"), 0o755);
        write(&folder.join("accept-invitation/bootstrap"), 0o644);
        let error = within(&folder).unwrap_err().to_string();
        let has = format!("{} has not all functions: ", folder.display());
        let lacks: Vec<_> = error.strip_prefix(&has).unwrap().split("; ").collect();
        let expected = functions::all().into_iter().filter_map(|name| match name {
            "share-pipeline" => None,
            "accept-invitation" => Some(format!("{name}/bootstrap is not executable")),
            _ => Some(format!("neither {name}/bootstrap nor {name} is there")),
        });
        assert_eq!(lacks, expected.collect::<Vec<_>>());
        fs::remove_dir_all(&folder).unwrap();
    }
}
