//! The object store: a folder or an S3 bucket, for a thread that may block.
//!
//! ```text
//!   place (what a URL means) --> store (puts many at once) --> failure (is it worth trying again?)
//!                                read (lists, gets) ---------^
//! ```

pub mod failure;
pub mod place;
pub mod read;
pub mod store;

pub use place::Place;
pub use store::Store;
