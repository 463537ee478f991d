//! H3 cells: which cell a point lies in, and the exchange that brings all of a cell's rows to one worker.

use columnar::{Columnar, Container};
use h3o::{LatLng, Resolution};
use timely::dataflow::Stream;
use timely::progress::Timestamp;

use crate::batch::Columns;
use crate::{Batch, ExchangeBy};

/// The H3 cell of a point, as its 64-bit index; `None` where a coordinate is not finite or `resolution` is above 15.
///
/// ```
/// # use hexflow_operators::cell::cell_of;
/// assert_eq!(cell_of(33.60716, -117.91483, 2).map(|cell| format!("{cell:x}")).as_deref(), Some("8229a7fffffffff"));
/// assert_eq!(cell_of(f64::NAN, 0.0, 2), None);
/// ```
pub fn cell_of(lat: f64, lon: f64, resolution: u8) -> Option<u64> {
    let resolution = Resolution::try_from(resolution).ok()?;
    Some(u64::from(LatLng::new(lat, lon).ok()?.to_cell(resolution)))
}

/// Extension trait for streams of batches.
pub trait ExchangeByCell<R: Columnar> {
    /// Brings all rows of one cell to one worker. `cell` says a row's cell, at whatever resolution.
    ///
    /// ```
    /// use hexflow_operators::cell::{ExchangeByCell, cell_of};
    /// use hexflow_operators::testing::{Batches, InspectRows};
    /// use timely::dataflow::operators::ToStream;
    ///
    /// timely::example(|scope| {
    ///     [(33.60716, -117.91483), (30.3706, -88.56408)]
    ///         .map(|(lat, lon)| (cell_of(lat, lon, 2).unwrap_or_default(), lat))
    ///         .to_stream(scope)
    ///         .batches()
    ///         .exchange_by_cell(|columns, row| columns.0[row])
    ///         .inspect_rows(|(cell, lat)| println!("{cell:x} {lat}"));
    /// });
    /// ```
    fn exchange_by_cell(self, cell: impl Fn(&Columns<'_, R>, usize) -> u64 + 'static) -> Self;
}

impl<T: Timestamp, R: Columnar> ExchangeByCell<R> for Stream<'_, T, Batch<R>>
where
    R::Container: Container,
{
    fn exchange_by_cell(self, cell: impl Fn(&Columns<'_, R>, usize) -> u64 + 'static) -> Self {
        self.exchange_by(move |columns, row| spread(cell(columns, row)))
    }
}

/// Cells of one resolution end in the same ones and neighbours differ in few bits: mixed, they spread over the workers.
fn spread(cell: u64) -> u64 {
    cell.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32
}
