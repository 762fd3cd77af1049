//! The second tier on a real server, each test on its own.

mod basics;
mod faults;
mod leases;
mod nodes;
mod proxy;
mod race;
mod races;
