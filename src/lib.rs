//! hexflow: a geospatial event pipeline on timely and differential dataflow.

pub mod dump;
