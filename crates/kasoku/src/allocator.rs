//! The allocator of the process, and when it gives memory back.

use std::ffi::{c_int, c_long};

/// Many small and short-lived allocations on many threads: about a tenth less time on a hit than the system's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of version 3 of mimalloc: after how many milliseconds free memory is given back.
const PURGE_DELAY: c_int = 15;

#[expect(
    unsafe_code,
    reason = "the allocator's options are set by a function of C; it is in the library that is linked"
)]
// SAFETY: this is how `mimalloc.h` declares it.
unsafe extern "C" {
    /// Sets an option, unless the environment did.
    safe fn mi_option_set_default(option: c_int, value: c_long);
}

/// Lets free memory be given back at once, instead of after a second, unless `MIMALLOC_PURGE_DELAY` says otherwise.
/// With large bodies that come and go, a second's worth of them would be resident beside the cache.
pub(crate) fn give_back_at_once() {
    mi_option_set_default(PURGE_DELAY, 0);
}
