//! Runs a pipeline in a test, on several workers, and keeps what its tables hold in the end.
