//! Records from topic dumps: files are read, merged by time and dealt to the workers by partition.
//!
//! ```text
//!   files --> lines --> merge ----> one channel a worker ----> source (a timely operator) ----> records
//!            (sniffed,   (by ts; a partition by offset;         (an epoch a slice)
//!             unpacked)   cut into epochs)
//! ```
//! Reading and cutting happens on one thread a process; the workers read the envelopes and decode. Every process reads the
//! same files and keeps the partitions of its own workers, so all cut the same epochs without a word between them.

pub mod envelope;
pub mod files;
pub mod lines;
pub mod merge;
pub mod plain;
pub mod problems;
pub mod records;
pub mod sequencer;
pub mod source;
