//! Arguments become a command, and a command an exit code.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// Customers are many small parts, made and given back with every touchpoint: see docs/performance.md.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    rega::cli::main(std::env::args_os())
}
