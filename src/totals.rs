//! What became of records, by pipeline.

use std::ops::AddAssign;

use hexflow_dataflows::counts::Counts;
use hexflow_dataflows::pipelines::Pipeline;

/// The counts of each pipeline.
#[derive(Clone, Copy, Debug, Default)]
pub struct Totals([Counts; Pipeline::ALL.len()]);

impl Totals {
    /// Adds some of a pipeline's.
    pub fn add(&mut self, pipeline: Pipeline, counts: &Counts) {
        self.0[pipeline as usize] += *counts;
    }

    /// Those of a pipeline.
    pub fn of(&self, pipeline: Pipeline) -> Counts {
        self.0[pipeline as usize]
    }

    /// Those of all.
    pub fn all(&self) -> Counts {
        let mut all = Counts::default();
        self.0.iter().for_each(|counts| all.add_assign(*counts));
        all
    }
}
