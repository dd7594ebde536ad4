//! share-pipeline.
