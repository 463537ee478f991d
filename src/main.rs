//! The program `hexflow`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    hexflow::fault::end_on_panic();
    hexflow::cli::main()
}
