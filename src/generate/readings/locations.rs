//! The static set of locations, `locations.csv`: those in it, and those beyond it.

use std::io::Write;

use anyhow::{Context, Result};

use crate::generate::args::OutputArgs;
use crate::generate::city::CITIES;
use crate::generate::file::{self, Sink};

/// The file's name.
const FILE: &str = "locations.csv";
/// The oid of the first, and from one to the next.
const FIRST: i64 = 30_001;
const STEP: i64 = 7;
/// One beyond the set for so many in it.
const BEYOND_ONE_FOR: u32 = 20;

const STREETS: [&str; 15] = [
    "Elm Street",
    "Station Square",
    "Harbour Road",
    "Mill Lane",
    "Market Place",
    "Ring Road",
    "Bridge Street",
    "Airport Avenue",
    "Park Gate",
    "Church Hill",
    "River Walk",
    "North Tunnel",
    "South Tunnel",
    "Stadium",
    "Old Town",
];

/// The oid of a location.
pub(super) fn oid(number: u32) -> i64 {
    FIRST + STEP * i64::from(number)
}

/// How many lie beyond a set: their numbers follow those in it.
pub(super) fn beyond(locations: u32) -> u32 {
    locations.div_ceil(BEYOND_ONE_FOR)
}

/// Writes the set beside the dumps, if there is a folder; the file has its name when the dumps have theirs.
pub(super) fn write(args: &OutputArgs, locations: u32) -> Result<Option<Sink>> {
    let Some(mut sink) = file::create_beside(args, FILE)? else { return Ok(None) };
    sink.buffer().extend_from_slice(b"geographical_location_oid,geographical_location\n");
    for number in 0..locations {
        let city = CITIES[number as usize % CITIES.len()].name;
        let street = STREETS[number as usize % STREETS.len()];
        writeln!(sink.buffer(), "{},{street} {} {city}", oid(number), 1 + number / 60).context("writing a location")?;
        sink.write_if_full()?;
    }
    Ok(Some(sink))
}
