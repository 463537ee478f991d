//! The messages of each topic, as JSON writes them: borrowed from the bytes they were read from.
//!
//! Reading one checks all that FORMATS promises of it (ids, ranges, finite numbers), so that what is past here is right.

pub mod camera;
pub mod citylens;
pub mod gps;
pub mod lanes;
pub mod movement;
pub mod object;
pub mod plain;
pub mod plain_readings;
pub mod scan;
pub mod sense;
pub mod topic;
pub mod value;
