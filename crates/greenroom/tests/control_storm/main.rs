//! The control protocol under load, over the socket and the session bus at once: many clients that change everything, hostile
//! messages by the thousand, messages of the protocol before, and subscribers that cost nothing while nothing happens.
#![allow(clippy::unwrap_used)]

#[path = "../air/mod.rs"]
mod air;
mod bus_storm;
mod client;
mod clients;
mod earlier_messages;
mod hostile;
mod idle;
mod pause_flood;
mod random;
mod session_bus;
mod socket_storm;
mod storms;
mod subscribers;
mod usage;
