//! Deduplication by primary key, incremental: of each key the newest version goes on, repeats and stale versions do not.

use columnar::Columnar;
use serde::{Deserialize, Serialize};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::builder_rc::OperatorBuilder;
use timely::dataflow::{Stream, StreamVec};
use timely::progress::Timestamp;

use crate::Batch;
use crate::batch::Columns;
use crate::outputs::Outputs;
use crate::versions::{Verdict, Version, Versions};

/// What deduplication needs to know of a row.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// A 128-bit hash of the primary key: see [`crate::hash::key_of`].
    pub key: u128,
    /// The row's version.
    pub version: Version,
    /// Event time of the record, ms since the epoch.
    pub event_ms: i64,
}

/// The rows that won, and what became of all.
pub struct Upserts<'scope, T: Timestamp, R: Columnar> {
    /// Rows to write, in order.
    pub rows: Stream<'scope, T, Batch<R>>,
    /// One tally for each batch that came.
    pub tallies: StreamVec<'scope, T, Tally>,
}

/// Extension trait for streams of batches.
pub trait Upsert<'scope, T: Timestamp, R: Columnar> {
    /// Passes a row if no newer or equal version of its key was seen within `window_ms` of event time.
    ///
    /// Rows of one key must be on one worker. State: one entry a key seen within the window, on that worker.
    ///
    /// ```
    /// use columnar::Index;
    /// use hexflow_operators::hash::key_of;
    /// use hexflow_operators::testing::{Batches, InspectRows};
    /// use hexflow_operators::upsert::{Candidate, Upsert};
    /// use hexflow_operators::versions::Version;
    /// use timely::dataflow::operators::ToStream;
    ///
    /// timely::example(|scope| {
    ///     [("a", 1u64), ("a", 2), ("a", 2), ("a", 1)]
    ///         .map(|(key, version)| (key.to_owned(), version))
    ///         .to_stream(scope)
    ///         .batches()
    ///         .upsert(60_000, |(keys, versions), row| {
    ///             let version = versions[row];
    ///             let version = Version { updated_at: 0, order: version, content: version };
    ///             Candidate { key: key_of(keys.get(row)), version, event_ms: 0 }
    ///         })
    ///         .rows
    ///         .inspect_rows(|(_, version)| println!("version {version} is written: 1, then 2"));
    /// });
    /// ```
    fn upsert(
        self,
        window_ms: i64,
        candidate: impl Fn(&Columns<'_, R>, usize) -> Candidate + 'static,
    ) -> Upserts<'scope, T, R>;
}

/// How many rows of a batch had each verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Rows that won.
    pub upserts: u64,
    /// Rows whose content stood already.
    pub duplicates: u64,
    /// Rows older than what stood.
    pub stale: u64,
    /// Keys remembered, less those forgotten.
    pub remembered: i64,
}

impl Tally {
    /// Counts one verdict.
    pub fn count(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Upsert => self.upserts += 1,
            Verdict::Duplicate => self.duplicates += 1,
            Verdict::Stale => self.stale += 1,
        }
    }
}

impl<'scope, T: Timestamp, R: Columnar> Upsert<'scope, T, R> for Stream<'scope, T, Batch<R>> {
    fn upsert(
        self,
        window_ms: i64,
        candidate: impl Fn(&Columns<'_, R>, usize) -> Candidate + 'static,
    ) -> Upserts<'scope, T, R> {
        let mut builder = OperatorBuilder::new("Upsert".to_owned(), self.scope());
        let mut input = builder.new_input(self, Pipeline);
        let (mut row_output, rows) = builder.output::<Batch<R>>();
        let (mut tally_output, tallies) = builder.output::<Vec<Tally>>();

        builder.build(move |_capabilities| {
            let mut versions = Versions::new(window_ms);
            let mut scratch = (Vec::new(), Vec::new());
            move |_frontiers| {
                let (mut row_output, mut tally_output) = (row_output.activate(), tally_output.activate());
                input.for_each(|time, batch| {
                    let tally = judge(&mut versions, batch, &candidate, &mut scratch);
                    row_output.session(&time.retain(0)).give_container(batch);
                    tally_output.session(&time.retain(1)).give(tally);
                });
            }
        });
        Upserts { rows, tallies }
    }
}

/// Keeps the rows of `batch` that win, and counts the verdicts. The two lists are scratch space.
fn judge<R: Columnar>(
    versions: &mut Versions,
    batch: &mut Batch<R>,
    candidate: impl Fn(&Columns<'_, R>, usize) -> Candidate,
    (candidates, verdicts): &mut (Vec<Candidate>, Vec<Verdict>),
) -> Tally {
    let before = versions.len();
    candidates.clear();
    candidates.extend(batch.read(candidate));
    verdicts.clear();
    versions.judge_all(candidates, |verdict| verdicts.push(verdict));
    versions.advance(candidates.iter().map(|row| row.event_ms).max().unwrap_or(i64::MIN));

    // Numbers of keys fit where addresses do.
    let remembered = versions.len().cast_signed() - before.cast_signed();
    let mut tally = Tally { remembered: i64::try_from(remembered).unwrap_or(0), ..Tally::default() };
    let mut verdicts = verdicts.iter().copied();
    batch.retain(|_, _| {
        verdicts.next().is_some_and(|verdict| {
            tally.count(verdict);
            verdict == Verdict::Upsert
        })
    });
    tally
}
