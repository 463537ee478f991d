//! The control store: what processes and operators tell each other beside the records. Which tracks are mapped to what,
//! whether the initial migration is done, which partitions stand still, which records are to be skipped.
//!
//! ```text
//!   settle (operator) --tracks--> mapper, a thread --rows that stand--> the mapping collection
//!   lookups that miss --tracks------^       |
//!                                           v
//!                               PostgreSQL, or the embedded store <-- `hexflow stalls`, migrations, operators
//!                                           ^
//!   feeder <--handle: open? skips?-- watch, a thread --stalled partitions--^
//! ```
//! PostgreSQL is used where `postgres.url` is set, otherwise the embedded store if rows go there. Without either there is
//! nothing to wait for and nobody to tell: citylens is open, and mappings are made.

pub mod asking;
pub mod command;
pub mod handle;
pub mod loader;
pub mod mapper;
pub mod place;
pub mod postgres;
pub mod settle;
pub mod sqlite;
pub mod store;
pub mod watch;

pub use handle::Handle;
pub use mapper::Mapper;
pub use place::Place;
pub use store::ControlStore;
