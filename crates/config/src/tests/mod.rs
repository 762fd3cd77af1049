//! The crate from outside: what is read, what is found, what is shown.
mod good;
