//! The object store: a folder or an S3 bucket, for a thread that may block.
//!
//! ```text
//!   place (what object_store.url means) --> store (puts many at once) --> failure (is it worth trying again?)
//! ```

pub mod failure;
pub mod place;
pub mod store;

pub use place::Place;
pub use store::Store;
