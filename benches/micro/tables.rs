//! Rows as JSON: what ndjson stores write, beside a tree of values made of the same row.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use hexflow::tables::columns::Column;
use hexflow::tables::json::write_line;
use hexflow::tables::{Columns, Tabled, Text, Visitor};
use hexflow_dataflows::rows::Detection;
use serde_json::{Map, Value};

use crate::sample::rows;

const ROWS: usize = 500;

/// A row as a tree of values.
#[derive(Default)]
struct Tree(Map<String, Value>);

impl Tree {
    fn set(&mut self, column: Column, value: impl Into<Value>) {
        self.0.insert(column.name.to_owned(), value.into());
    }
}

impl Visitor for Tree {
    fn null(&mut self, column: Column) {
        self.set(column, Value::Null);
    }
    fn text(&mut self, column: Column, value: &[u8]) {
        self.set(column, Text(value).as_str());
    }
    fn integer(&mut self, column: Column, value: i64) {
        self.set(column, value);
    }
    fn real(&mut self, column: Column, value: f64) {
        self.set(column, value);
    }
}

pub(crate) fn benches(criterion: &mut Criterion) {
    let batch = rows(ROWS);
    let mut group = criterion.benchmark_group("a detection's row as JSON");
    group.throughput(Throughput::Elements(ROWS as u64));
    let mut out = Vec::new();
    group.bench_function("from columns", |bencher| {
        bencher.iter(|| {
            out.clear();
            for row in black_box(&batch).iter() {
                write_line(&mut out, &Detection::row(row));
            }
        });
    });
    group.bench_function("through a tree of values", |bencher| {
        bencher.iter(|| {
            out.clear();
            for row in black_box(&batch).iter() {
                let mut tree = Tree::default();
                Detection::row(row).visit(&mut tree);
                serde_json::to_writer(&mut out, &tree.0).expect("memory takes all");
            }
        });
    });
    group.finish();
}
