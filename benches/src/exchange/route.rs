//! Where rows go.

/// Which worker a row is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Its own: the cost of all else, to be taken off.
    Stay,
    /// By the row's key: half of the rows change their worker, and batches are cut.
    Split,
    /// The other one: all rows change their worker, and batches stay whole where an exchange keeps them.
    Cross,
}

impl Route {
    /// In the order in which they are measured.
    pub(super) const ALL: [Route; 3] = [Route::Stay, Route::Split, Route::Cross];

    /// For the report.
    pub(super) fn name(self) -> &'static str {
        match self {
            Route::Stay => "stay",
            Route::Split => "split",
            Route::Cross => "cross",
        }
    }

    /// The receiver, modulo two workers, of a row of that key which is on worker `mine`.
    pub(super) fn to(self, mine: u64, key: u64) -> u64 {
        match self {
            Route::Stay => mine,
            Route::Split => key & 1,
            Route::Cross => mine + 1,
        }
    }
}
