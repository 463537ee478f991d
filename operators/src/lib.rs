//! Operators that hexflow's pipelines are made of. They know no wire format and do no I/O.
//!
//! Streams carry [`Batch`]es: rows in columns. An operator is an extension trait on such a stream, one a file, named after
//! its method; its runtime name is the trait's. What is state is a differential collection where others read it
//! ([`standing`]), or a table that holds such a collection's present where only one operator does ([`versions`]).
//!
//! | operator | what it does | cost |
//! | --- | --- | --- |
//! | [`exchange_by`](ExchangeBy::exchange_by) | each row to the worker that owns it | a copy for rows that move, none where all stay |
//! | [`standing`](standing::ArrangeStanding::arrange_standing) | of several values proposed for a key, the one that stands | a reduce of what is new |
//! | [`lookup`](lookup::Lookup::lookup) | joins a stream with an arranged collection | a cached probe a row; a seek for a key not seen lately |
//! | [`hold_back`](hold_back::HoldBack::hold_back) | stops a stream behind a record that cannot go on | none while nothing stalls |
//! | [`upsert`](upsert::Upsert::upsert) | drops repeats and stale versions by primary key | a probe a row, 41 to 48 bytes a key in the window |
//! | [`watermark`](watermark::Watermark::watermark) | sets late rows apart, and says what state may forget | a comparison a row |
//! | [`each_epoch`](each_epoch::EachEpoch::each_epoch) | hands an epoch to hand-written state when it is complete | an epoch's latency |
//! | [`rolling`](rolling::Rolling::rolling) | each record in each window that holds it | window / slide records a record |
//! | [`visits`](visits::Visits::visits) | instants cut where a gap is long, with retractions | a reduce over a key's instants |
//! | [`top`](top::Top::top) | the most frequent items of a key, with ties | a reduce over a key's items |
//! | [`exchange_by_cell`](cell::ExchangeByCell::exchange_by_cell) | all rows of an H3 cell to one worker | as `exchange_by` |
//!
//! Hot windows are state of their own, one kind a module, that is handed epochs and tells differences: [`sessions`] and what
//! they cover ([`coverage`]), [`panes`] of rolling windows, [`tumbling`] counts, [`firsts`] of repeated keys, rows [`annotated`]
//! from a static set. All of it forgets what is below the watermark's floor.

mod agenda;
pub mod annotated;
pub mod batch;
pub mod cell;
pub mod cells;
pub mod coverage;
mod dense;
pub mod each_epoch;
pub mod exchange;
pub mod firsts;
pub mod hash;
pub mod hold_back;
pub mod lookup;
mod open_session;
pub mod outputs;
pub mod panes;
mod partitions;
pub mod rolling;
pub mod sessions;
mod shard;
pub mod share;
pub mod slides;
pub mod standing;
pub mod stats;
pub mod sweep;
pub mod testing;
pub mod top;
pub mod tumbling;
pub mod upsert;
pub mod versions;
#[cfg(test)]
mod versions_tests;
pub mod visits;
pub mod watermark;
#[cfg(test)]
mod windows_tests;

pub use batch::Batch;
pub use exchange::ExchangeBy;

/// A hash map with the same fixed-seed hash everywhere; for keys that an adversary does not choose.
pub type FixedMap<K, V> = std::collections::HashMap<K, V, rustc_hash::FxBuildHasher>;
