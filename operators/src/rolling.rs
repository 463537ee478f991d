//! Rolling and tumbling windows of a collection: each record in each window that holds it.
//!
//! ```text
//!   rolling(A)   =  { (k, a) : a in A, k in slides.of(time(a)) },  linear: a retraction retracts from the same windows
//!   tumbling     =  the same with slide = window: one k
//! ```
//!
//! For collections that differential reduces further, at `window / slide` records a record and a reduce's cost for each. Hot
//! streams keep [`crate::panes`] instead, which holds each record once.

use differential_dataflow::{Data, VecCollection};
use timely::progress::Timestamp;

use crate::slides::Slides;

/// Extension trait for collections.
pub trait Rolling<'scope, T: Timestamp, D: Data> {
    /// Pairs each record with each window of `slides` that holds its time, ms since the epoch.
    ///
    /// ```
    /// use differential_dataflow::input::Input;
    /// use hexflow_operators::rolling::Rolling;
    /// use hexflow_operators::slides::Slides;
    ///
    /// timely::example(|scope| {
    ///     let slides = Slides::new(60_000, 20_000).unwrap();
    ///     scope
    ///         .new_collection_from(vec![(25_000i64, "a")])
    ///         .1
    ///         .rolling(slides, |(at_ms, _)| *at_ms)
    ///         .inspect(move |((k, _), _, _)| assert!([40_000, 60_000, 80_000].contains(&slides.end_ms(*k))));
    /// });
    /// ```
    fn rolling(self, slides: Slides, at_ms: impl Fn(&D) -> i64 + 'static) -> VecCollection<'scope, T, (i64, D)>;
}

impl<'scope, T: Timestamp, D: Data> Rolling<'scope, T, D> for VecCollection<'scope, T, D> {
    fn rolling(self, slides: Slides, at_ms: impl Fn(&D) -> i64 + 'static) -> VecCollection<'scope, T, (i64, D)> {
        self.flat_map(move |record| slides.of(at_ms(&record)).map(move |k| (k, record.clone())))
    }
}
