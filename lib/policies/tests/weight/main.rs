//! What the store says that stored responses weigh is what they take from the allocator, and little more.

mod declared;
mod of_origins;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

/// Counts bytes in use, as they were asked for.
struct Counting;

static IN_USE: AtomicU64 = AtomicU64::new(0);

#[expect(unsafe_code, reason = "an allocator cannot be wrapped otherwise; it only counts and hands on")]
// SAFETY: every call is handed on unchanged to an allocator that keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        IN_USE.fetch_add(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        IN_USE.fetch_sub(layout.size() as u64, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract, and `pointer` came from the same allocator.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// What counts alone: what others take meanwhile would be counted, too.
static ALONE: Mutex<()> = Mutex::const_new(());

fn bytes_in_use() -> u64 {
    IN_USE.load(Ordering::Relaxed)
}

/// Compares what is taken for each entry with what the store says that it is.
fn compare(used: u64, said: u64, what: &str) {
    assert!(used <= said, "{what}: {used} bytes are in use, {said} are accounted for");
    assert!(said <= used + used / 2, "{what}: {said} are accounted for, only {used} in use");
}
