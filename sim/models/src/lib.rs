//! Models of what surrounds a Weft card: the system that it is plugged into, and cards to plug.
//!
//! A [`Card`] is seen from the software side: reads and writes of its BARs, and the traffic that it starts on a
//! [`Bus`]. Who serves it to a virtual machine, or drives it in a test, does not know whether register-transfer logic
//! runs behind it or a model of its behaviour.

mod card;

pub use card::{Activity, Bus, BusError, Card};
