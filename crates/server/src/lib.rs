//! Listeners, router, assembly, drain and the admin listener.
