//! Counts allocations: `rega`'s allocator with a number on it.

use std::{
    alloc::{GlobalAlloc, Layout},
    sync::atomic::{AtomicU64, Ordering},
};

use mimalloc::MiMalloc;

/// Counts what is asked of the allocator. A reallocation is one more.
#[derive(Debug)]
pub(crate) struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// Not one atomic step, which would cost more than the allocation: engine benches have one thread.
fn note(size: usize) {
    COUNT.store(COUNT.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    let size = u64::try_from(size).unwrap_or(u64::MAX);
    BYTES.store(BYTES.load(Ordering::Relaxed).wrapping_add(size), Ordering::Relaxed);
}

#[expect(unsafe_code, reason = "an allocator is unsafe by contract; every call goes to mimalloc")]
// SAFETY: each method hands its arguments to `MiMalloc`, whose contract is the same, unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note(layout.size());
        // SAFETY: the caller's promise about `layout` is passed on.
        unsafe { MiMalloc.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: `block` came from `MiMalloc` with this `layout`.
        unsafe { MiMalloc.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note(size);
        // SAFETY: `block` came from `MiMalloc` with this `layout`; the caller's promise about `size`
        // is passed on.
        unsafe { MiMalloc.realloc(block, layout, size) }
    }
}

/// Prints how often and how much `work` allocates per touchpoint.
pub(crate) fn print_per_touchpoint(name: &str, touchpoints: usize, work: impl FnOnce()) {
    let before = (COUNT.load(Ordering::Relaxed), BYTES.load(Ordering::Relaxed));
    work();
    let touchpoints = u64::try_from(touchpoints).unwrap().max(1);
    let tenths = (COUNT.load(Ordering::Relaxed) - before.0) * 10 / touchpoints;
    let bytes = (BYTES.load(Ordering::Relaxed) - before.1) / touchpoints;
    println!("{name}: {}.{} allocations, {bytes} bytes a touchpoint", tenths / 10, tenths % 10);
}
