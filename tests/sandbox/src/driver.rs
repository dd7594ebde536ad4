//! Runs the world: serves its API, moves its clock, and runs the functions.

/// A function binary.
#[derive(Debug, Clone)]
pub struct Function {}

/// The sandbox cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {}

/// A running sandbox.
#[derive(Debug)]
pub struct Sandbox {}
