//! Arguments become a command, and a command an exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    rega::cli::main(std::env::args_os())
}
