//! The circuit: detections kept once by id, joined with the mapping by track, incrementally.

use crate::row::Detection;
use anyhow::Result;
use dbsp::typed_batch::SpineSnapshot;
use dbsp::utils::Tup3;
use dbsp::{IndexedZSetHandle, OrdZSet, OutputHandle, RootCircuit, ZSetHandle};
use h3o::{LatLng, Resolution};
use std::sync::Arc;

/// A detection, its axion track (a UUID's bits) and its H3 cell.
pub type Survivor = Tup3<Arc<Detection>, u128, u64>;
pub type Survivors = OrdZSet<Survivor>;

#[derive(Clone)]
pub struct Handles {
    pub detections: ZSetHandle<Arc<Detection>>,
    pub mapping: IndexedZSetHandle<String, u128>,
    pub survivors: OutputHandle<SpineSnapshot<Survivors>>,
}

pub fn build(circuit: &mut RootCircuit) -> Result<Handles> {
    let (rows, detections) = circuit.add_input_zset::<Arc<Detection>>();
    let (tracks, mapping) = circuit.add_input_indexed_zset::<String, u128>();
    let survivors = rows
        .distinct()
        .map_index(|row| (row.citylens_track_id.clone(), row.clone()))
        .join(&tracks, |_, row, track| Tup3(row.clone(), *track, cell(row)))
        .accumulate_output();
    Ok(Handles { detections, mapping, survivors })
}

fn cell(row: &Detection) -> u64 {
    LatLng::new(row.lat.into_inner(), row.lon.into_inner()).expect("finite").to_cell(Resolution::Two).into()
}
