use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use serde_json::Value;
use tracing::{level_filters::LevelFilter, subscriber::with_default};
use tracing_subscriber::fmt::MakeWriter;

use super::{level, log_start, subscriber};

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn logged(level: LevelFilter, json: bool, log: impl FnOnce()) -> String {
    let lines = Log::default();
    with_default(
        subscriber("share_pipeline", level, json, lines.clone()),
        log,
    );
    let lines = lines.0.lock().unwrap().clone();
    String::from_utf8(lines).unwrap()
}

#[test]
fn a_function_says_which_version_starts() {
    let text = logged(LevelFilter::INFO, true, log_start);
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["message"], "function started");
    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_json_line_has_what_lambda_filters_by_and_the_request_id() {
    let text = logged(LevelFilter::WARN, true, || {
        let span = tracing::info_span!(target: "lambda_runtime::layers::trace", "invoke", requestId = "r-1");
        let _entered = span.enter();
        tracing::warn!(share = "s", "refused");
    });
    let line: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["level"], "WARN");
    assert_eq!(line["message"], "refused");
    assert_eq!(line["share"], "s");
    assert_eq!(line["span"]["requestId"], "r-1");
    let time: jiff::Timestamp = line["timestamp"].as_str().unwrap().parse().unwrap();
    assert!(time.as_second() > 0);
}

#[test]
fn neither_the_runtime_nor_the_sdk_writes_payloads_even_at_trace() {
    let text = logged(LevelFilter::TRACE, true, || {
        tracing::trace!(target: "lambda_runtime::layers::api_response", body = "secret", "raw JSON event");
        tracing::debug!(target: "aws_smithy_runtime::client", token = "secret", "request");
        tracing::debug!(target: "aws_config::sts", token = "secret", "credentials");
        tracing::info!(target: "hyper_util", body = "secret", "bytes");
        tracing::trace!(target: "share_pipeline::plan", "ours");
    });
    assert!(!text.contains("secret"), "{text}");
    assert!(text.contains("ours"), "{text}");
}

#[test]
fn text_is_written_where_lambda_does_not_ask_for_json() {
    let text = logged(LevelFilter::INFO, false, || {
        tracing::info!(share = "s", "created");
    });
    assert!(text.contains("INFO"), "{text}");
    assert!(text.trim_end().ends_with("created share=\"s\""), "{text}");
}

#[test]
fn lambdas_levels_are_understood() {
    assert_eq!(level("FATAL"), LevelFilter::ERROR);
    assert_eq!(level("WARN"), LevelFilter::WARN);
    assert_eq!(level("TRACE"), LevelFilter::TRACE);
    assert_eq!(level("nonsense"), LevelFilter::INFO);
    assert_eq!(level(""), LevelFilter::INFO);
}

#[test]
fn what_others_wrote_forges_no_line_of_the_log() {
    let reason = "bad\r\n2026-01-05T09:00:00Z  INFO all is well\u{2028}\u{202e}\u{1b}[2J";
    for json in [false, true] {
        let text = logged(LevelFilter::INFO, json, || {
            tracing::warn!(reason, "refused: {reason}");
            tracing::warn!("next");
        });
        assert_eq!(text.lines().count(), 2, "{text:?}");
        assert!(!text.contains('\u{1b}'), "{text:?}");
    }
}
