//! Small pieces of hexflow's hot path, each beside the plain way to do the same: `cargo bench -p hexflow-bench`.
//!
//! A piece may be slower than what stands beside it where it does more: the names say what each does.

mod batch;
mod decode;
mod keys;
mod sample;
mod tables;
mod versions;

use criterion::Criterion;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    decode::benches(&mut criterion);
    keys::benches(&mut criterion);
    versions::benches(&mut criterion);
    batch::benches(&mut criterion);
    tables::benches(&mut criterion);
    criterion.final_summary();
}
