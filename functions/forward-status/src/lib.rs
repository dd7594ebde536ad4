//! forward-status.
