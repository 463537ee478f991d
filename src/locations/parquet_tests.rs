//! Tests of locations in Parquet files.
