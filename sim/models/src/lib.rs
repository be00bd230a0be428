//! Models of what surrounds a Weft card: the system that it is plugged into, and cards to plug.
//!
//! A [`Card`] is seen from the software side: reads and writes of its BARs, and the traffic that it starts on a
//! [`Bus`]. Who serves it to a virtual machine, or drives it in a test, does not know whether register-transfer logic
//! runs behind it or a model of its behaviour.
//!
//! Below that seam: an [`Endpoint`] is a card's register-transfer logic in the simulator, a [`RootComplex`] the other
//! end of its link, a [`checker::Checker`] watches what the card sends, and [`link`] says what the link can carry.
//!
//! A [`board::VirtualBoard`] is a whole board's design with a host's bytes at the far end of its serial line.

pub mod behaviour;
pub mod board;
mod card;
pub mod checker;
pub mod config_space;
mod endpoint;
pub mod link;
mod memory;
mod random;
pub mod root_complex;
mod rtl_card;
pub mod throughput;
pub mod tlp;
#[cfg(target_os = "linux")]
pub mod vfio_user;

pub use behaviour::BehaviouralCard;
pub use card::{Activity, Bus, BusError, Card};
pub use endpoint::{CardProgram, Endpoint, EndpointError};
pub use memory::HostMemory;
pub use random::Random;
pub use root_complex::{RootComplex, RootConfig};
pub use rtl_card::RtlCard;
