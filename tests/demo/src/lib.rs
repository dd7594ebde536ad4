//! The walkthrough.
