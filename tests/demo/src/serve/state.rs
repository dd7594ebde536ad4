//! The accounts and all that is in them as a file, so that they outlive the process.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use sandbox::{LoadError, World, readings::Readings};

use super::roster::Roster;

/// A file with two lines: who is who, and the world.
#[derive(Debug, Clone)]
pub(super) struct StateFile(PathBuf);

/// The file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It cannot be read.
    #[error(
        "cannot read the state in {file}; name a file that may be read, or one that is not there yet"
    )]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// What it holds is no state that this program knows.
    #[error(
        "the state in {file} cannot be used: {problem}; go on with the version of cargo demo that \
         wrote it, or move it away to begin anew"
    )]
    Unknown {
        /// The file.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be written.
    #[error("cannot keep the state in {file}; what was kept before is still there")]
    Unwritten {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
}

impl StateFile {
    /// A file that may be there or not.
    pub(super) fn at(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// The name of the file.
    pub(super) fn name(&self) -> String {
        self.0.display().to_string()
    }

    /// What was kept; nothing, if the file is not there.
    pub(super) fn load(&self, readings: Readings) -> Result<Option<(Roster, World)>, StateError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let file = self.name();
                return Err(StateError::Unreadable { file, source });
            }
        };
        let unknown = |problem: String| StateError::Unknown {
            file: self.name(),
            problem,
        };
        let (roster, world) = text
            .split_once('\n')
            .ok_or_else(|| unknown("it is damaged: it has one line only".to_owned()))?;
        let world =
            World::load(world, readings).map_err(|error: LoadError| unknown(error.to_string()))?;
        let roster = serde_json::from_str(roster)
            .map_err(|error| unknown(format!("it is damaged: {error}")))?;
        Ok(Some((roster, world)))
    }

    /// Keeps everything: the file is the old one or the new one, whatever happens meanwhile.
    pub(super) fn save(&self, roster: &Roster, world: &World) -> Result<(), StateError> {
        self.write(roster, world)
            .map_err(|source| StateError::Unwritten {
                file: self.name(),
                source,
            })
    }

    fn write(&self, roster: &Roster, world: &World) -> io::Result<()> {
        let roster = serde_json::to_string(roster)?;
        let world = world.save()?;
        let mut beside = self.0.clone().into_os_string();
        beside.push(".new");
        let mut file = File::create(&beside)?;
        file.write_all(roster.as_bytes())?;
        file.write_all(b"\n")?;
        file.write_all(world.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, &self.0)?;
        // The new name lasts once its folder does.
        let folder = self.0.parent().filter(|it| !it.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}
