//! The archive of raw messages: what topics held, as dumps in an object store.
//!
//! ```text
//!   PREFIX/topic=T/day=D/hour=H/PARTITION-FIRST-LAST-HASH.jsonl.zst       messages of a partition and an hour, as kcat -J dumps
//!   PREFIX/manifest/topic=T/partition=P/LAST-FIRST-HOUR-HASH.json         one entry for each of them, written after it
//!   PREFIX/late/topic=T/day=D/hour=H/..                                   what was too late for its windows
//!
//!   brokers --> archiver: member of the group GROUP.archive
//!                 gather (by partition and hour, packed) -- roll --> objects, then entries, then the commit
//!   replay  --> fetch: manifest, objects, one spool a partition in the order of offsets --> the sequencer
//! ```
//! An object's name says what it holds, down to its hash, so it is never written with other content; an entry is never changed.
//! Processes share nothing but the group: each entry is an object of its own, so nobody waits for, or overwrites, another's.

pub mod archiver;
pub mod context;
pub mod entry;
pub mod fetch;
pub mod gather;
pub mod hour;
pub mod line;
pub mod part;
pub mod range;
pub mod untangle;
