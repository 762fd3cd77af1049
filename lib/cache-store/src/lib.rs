//! The bounded store: weights, eviction, tags and the fence.
