//! Arguments become a command, and a command an exit code. And where memory comes from: Rust's from an
//! allocator made for small parts, the C libraries' from the system's, which is told not to hoard it.

use std::process::ExitCode;

use mimalloc::MiMalloc;

fn main() -> ExitCode {
    bound_c_heap();
    rega::cli::main(std::env::args_os())
}

/// Customers are many small parts, made and given back with every touchpoint: see docs/performance.md.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Larger parts of C's heap are the system's own pages, given back when they are free: a fetched
/// batch, a request. So much may be free at the heap's end.
#[cfg(target_env = "gnu")]
const LARGE_BYTES: libc::c_int = 128 * 1024;

/// Keeps what the Kafka client frees from staying with the process: glibc's defaults give every
/// thread a heap of its own, and take ever larger parts from them. An operator's own settings win.
#[cfg(target_env = "gnu")]
#[expect(unsafe_code, reason = "a call that sets the system's allocator up; Rust offers none")]
fn bound_c_heap() {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let heaps = libc::c_int::try_from((cores / 2).max(1)).unwrap_or(libc::c_int::MAX);
    for (variable, parameter, value) in [
        ("MALLOC_ARENA_MAX", libc::M_ARENA_MAX, heaps),
        ("MALLOC_MMAP_THRESHOLD_", libc::M_MMAP_THRESHOLD, LARGE_BYTES),
        ("MALLOC_TRIM_THRESHOLD_", libc::M_TRIM_THRESHOLD, LARGE_BYTES),
    ] {
        if std::env::var_os(variable).is_none() {
            // SAFETY: sets a number of the allocator, before any other thread is there. A number
            // that it does not take changes nothing.
            unsafe { libc::mallopt(parameter, value) };
        }
    }
}

/// Other systems' heaps are left as they are.
#[cfg(not(target_env = "gnu"))]
const fn bound_c_heap() {}
