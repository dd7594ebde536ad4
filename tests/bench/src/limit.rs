//! The share of a CPU that a function of 128 MB has, as a cgroup.

use std::{fs, io, path::PathBuf};

use serde::{Deserialize, Serialize};

/// What Lambda gives 128 MB: 128/1769 of a CPU, in periods of 20 ms.
const QUOTA: u32 = 1_446;
const PERIOD: u32 = 20_000;

/// What the names of our groups begin with.
const PREFIX: &str = "pipeshare-bench-";

/// How this machine limits processes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Limit {
    /// By the file `cpu.max`.
    Two(PathBuf),
    /// By the controller `cpu` of the older kind.
    One(PathBuf),
}

impl Limit {
    /// What this machine allows, which is tried.
    pub(crate) fn find() -> Option<Self> {
        let root = PathBuf::from("/sys/fs/cgroup");
        let kinds = [Self::Two(root.clone()), Self::One(root.join("cpu"))];
        kinds.into_iter().find(|limit| {
            let made = limit.make("try");
            limit.clear();
            made.is_ok()
        })
    }

    /// Limits a process from now on.
    pub(crate) fn impose(&self, pid: u32) -> io::Result<()> {
        let group = self.make(&pid.to_string())?;
        fs::write(group.join("cgroup.procs"), pid.to_string())
    }

    /// Removes the groups whose processes have ended.
    pub(crate) fn clear(&self) {
        let Ok(groups) = fs::read_dir(self.root()) else {
            return;
        };
        for group in groups.flatten() {
            if group.file_name().to_string_lossy().starts_with(PREFIX) {
                // One that is still in use is removed the next time.
                let _ = fs::remove_dir(group.path());
            }
        }
    }

    fn root(&self) -> &PathBuf {
        match self {
            Self::Two(root) | Self::One(root) => root,
        }
    }

    fn make(&self, name: &str) -> io::Result<PathBuf> {
        let group = self.root().join(format!("{PREFIX}{name}"));
        fs::create_dir_all(&group)?;
        match self {
            Self::Two(root) => {
                // It may be on already, and may not be ours to switch on.
                let _ = fs::write(root.join("cgroup.subtree_control"), "+cpu");
                fs::write(group.join("cpu.max"), format!("{QUOTA} {PERIOD}"))?;
            }
            Self::One(_) => {
                fs::write(group.join("cpu.cfs_period_us"), PERIOD.to_string())?;
                fs::write(group.join("cpu.cfs_quota_us"), QUOTA.to_string())?;
            }
        }
        Ok(group)
    }
}
