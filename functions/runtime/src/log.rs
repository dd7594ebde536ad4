//! What a function says about itself.

mod one_line;

use std::{
    env,
    io::{self, Write},
    panic::{self, PanicHookInfo},
};

use serde_json::{Value, json};
use tracing::{Metadata, Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    Layer, Registry,
    filter::filter_fn,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
};

use crate::clock;
use one_line::OneLine;

/// The crates whose messages are written at every level, beside the function's own.
const OURS: [&str; 3] = ["aws", "domain", "runtime"];

/// Sets up the log, once, before anything else.
///
/// Level and format are those of Lambda's logging controls. `RUST_LOG` has no
/// say, and other crates are held to warnings at every level: the runtime
/// would write whole events, and the SDK whole requests, credentials included.
///
/// `function` is the name of the function's own crate.
pub fn init(function: &'static str) {
    let level = level(&env::var("AWS_LAMBDA_LOG_LEVEL").unwrap_or_default());
    let subscriber = subscriber(function, level, is_json(), io::stdout);
    if tracing::subscriber::set_global_default(subscriber).is_ok() {
        panic::set_hook(Box::new(log_panic));
        log_start();
    }
}

/// Says which version it is, once for each environment that Lambda starts.
fn log_start() {
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "function started");
}

/// Whether Lambda is to be given lines of JSON.
fn is_json() -> bool {
    let format = env::var("AWS_LAMBDA_LOG_FORMAT").unwrap_or_default();
    format.eq_ignore_ascii_case("json")
}

/// Writes the line that says what an invocation found and did.
///
/// It is a line of its own making, since tracing would write the summary as
/// one long text, in which Logs Insights finds no fields.
pub(crate) fn log_summary(
    request_id: &str,
    records: usize,
    summary: &Value,
    out: &mut impl Write,
) -> io::Result<()> {
    if !tracing::enabled!(tracing::Level::INFO) {
        return Ok(());
    }
    if !is_json() {
        tracing::info!(%summary, records, "invocation served");
        return Ok(());
    }
    let line = json!({
        "timestamp": clock::wall_clock(),
        "level": "INFO",
        "message": "invocation served",
        "requestId": request_id,
        "records": records,
        "summary": summary,
    });
    writeln!(out, "{line}")
}

/// Lambda's levels are tracing's, and FATAL.
fn level(name: &str) -> LevelFilter {
    if name.eq_ignore_ascii_case("fatal") {
        return LevelFilter::ERROR;
    }
    match name.parse() {
        Ok(level) if !name.is_empty() => level,
        _ => LevelFilter::INFO,
    }
}

fn subscriber<W>(
    function: &'static str,
    level: LevelFilter,
    json: bool,
    writer: W,
) -> Box<dyn Subscriber + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let filter = filter_fn(move |metadata| is_allowed(function, level, metadata));
    if json {
        // Lambda takes a line without a timestamp to be of level INFO.
        let lines = fmt::layer()
            .with_target(false)
            .with_writer(writer)
            .json()
            .flatten_event(true)
            .with_current_span(true)
            .with_span_list(false);
        Box::new(Registry::default().with(lines.with_filter(filter)))
    } else {
        let lines = fmt::layer().with_target(false).with_ansi(false);
        let lines = lines.with_writer(OneLine(writer));
        Box::new(Registry::default().with(lines.with_filter(filter)))
    }
}

fn is_allowed(function: &str, level: LevelFilter, metadata: &Metadata<'_>) -> bool {
    let origin = metadata.target().split("::").next().unwrap_or_default();
    if metadata.is_span() && origin == "lambda_runtime" {
        // This span has the request's id, which errors need most of all.
        return *metadata.level() <= LevelFilter::INFO;
    }
    let finest = if origin == function || OURS.contains(&origin) {
        level
    } else {
        level.min(LevelFilter::WARN)
    };
    *metadata.level() <= finest
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let location = panic.location().map(ToString::to_string);
    let reason = panic.payload_as_str().unwrap_or("no message");
    tracing::error!(location, reason, "panicked");
}

#[cfg(test)]
mod tests;
