//! The wire: one router for every service and protocol.
