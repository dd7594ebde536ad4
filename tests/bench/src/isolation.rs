//! Namespaces in which AWS's host names lead to this machine.

use std::{
    env, fs,
    process::{Command, ExitCode, Stdio},
};

/// Set in the process that has namespaces of its own.
const INSIDE: &str = "PIPESHARE_BENCH_INSIDE";

/// The hosts of the services that the functions call.
pub(crate) const HOSTS: [&str; 9] = [
    "api.sagemaker.us-east-1.amazonaws.com",
    "codepipeline.us-east-1.amazonaws.com",
    "dynamodb.us-east-1.amazonaws.com",
    "events.us-east-1.amazonaws.com",
    "ram.us-east-1.amazonaws.com",
    "sns.us-east-1.amazonaws.com",
    "sqs.us-east-1.amazonaws.com",
    "ssm.us-east-1.amazonaws.com",
    "sts.us-east-1.amazonaws.com",
];

/// How processes find the local AWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    /// By AWS's own host names, on port 443.
    Real,
    /// By `AWS_ENDPOINT_URL`, on loopback.
    Endpoints,
}

impl Names {
    /// In words.
    pub(crate) fn in_words(self) -> &'static str {
        match self {
            Self::Real => "AWS's host names, port 443, in a network namespace",
            Self::Endpoints => "AWS_ENDPOINT_URL, https on loopback: no namespace to be had",
        }
    }
}

/// Runs this program once more in namespaces of its own, if the machine allows
/// it and this is not that run.
pub(crate) fn enter() -> Option<ExitCode> {
    if env::var_os(INSIDE).is_some() {
        return None;
    }
    let program = env::current_exe().ok()?;
    let namespaces = ["--user", "--map-root-user", "--net", "--mount"];
    // Root needs no namespace of users, in which it could make no cgroup.
    let namespaces = [&namespaces[2..], &namespaces[..]]
        .into_iter()
        .find(|namespaces| succeeds(Command::new("unshare").args(*namespaces).arg("true")))?;
    let status = Command::new("unshare")
        .args(namespaces)
        .arg(program)
        .args(env::args_os().skip(1))
        .env(INSIDE, "1")
        .status()
        .ok()?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Some(ExitCode::from(code.unwrap_or(1)))
}

/// Makes AWS's host names lead here, if these are namespaces of our own.
pub(crate) fn names() -> Names {
    if env::var_os(INSIDE).is_some() && lead_here() {
        Names::Real
    } else {
        Names::Endpoints
    }
}

fn lead_here() -> bool {
    let hosts = env::temp_dir().join(format!("pipeshare-bench-hosts-{}", std::process::id()));
    let text = format!("127.0.0.1 localhost {}\n", HOSTS.join(" "));
    let made = fs::write(&hosts, text).is_ok()
        && succeeds(Command::new("ip").args(["link", "set", "lo", "up"]))
        && succeeds(
            Command::new("mount")
                .arg("--bind")
                .arg(&hosts)
                .arg("/etc/hosts"),
        );
    // The mount keeps what it shows.
    let _ = fs::remove_file(hosts);
    made
}

fn succeeds(command: &mut Command) -> bool {
    let command = command.stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
