//! Times as AWS writes them.

use jiff::Timestamp;
use serde_json::Value;

/// A time as the JSON protocols of AWS write it: seconds since 1970 with a fraction.
#[must_use]
pub fn epoch_seconds(time: Timestamp) -> Value {
    let milliseconds = time.as_millisecond();
    if milliseconds % 1000 == 0 {
        Value::from(milliseconds / 1000)
    } else {
        #[expect(
            clippy::cast_precision_loss,
            reason = "milliseconds since 1970 fit a double for 280,000 years"
        )]
        Value::from(milliseconds as f64 / 1000.0)
    }
}
