//! Ports that stay free until somebody of the test listens there.
//!
//! A port that the system has handed out and got back may be handed out again at once: to another test, or to the
//! very server that was to find nobody there. These are below the range from which it hands out.

use std::{
    net::{Ipv4Addr, TcpListener},
    sync::atomic::{AtomicU16, Ordering},
};

/// Linux hands out ports from 32,768 on (`net.ipv4.ip_local_port_range`).
const FIRST: u16 = 10_000;
const COUNT: u16 = 22_000;

/// Processes that begin one after the other try ports that are so far apart.
const APART: u32 = 37;

/// A loopback port at which nobody listens, and which this process is not given twice.
///
/// # Panics
/// If there is none.
pub fn free_port() -> u16 {
    static DRAWN: AtomicU16 = AtomicU16::new(0);
    let begin = std::process::id().wrapping_mul(APART);
    (0..COUNT)
        .map(|_| {
            let drawn = u32::from(DRAWN.fetch_add(1, Ordering::Relaxed));
            let offset = begin.wrapping_add(drawn) % u32::from(COUNT);
            FIRST + u16::try_from(offset).expect("less than the count of ports")
        })
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .expect("one of 22,000 ports is free")
}
