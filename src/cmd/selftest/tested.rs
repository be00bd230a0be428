//! The device under test, with what only its own kind can do.

use std::collections::BTreeMap;
use std::sync::Arc;

#[cfg(target_os = "linux")]
use weft_host::device::pcie::PcieCard;
use weft_host::device::serial::Serial;
use weft_host::device::sim::{Sim, SimCore, Watch};
use weft_host::device::{CoreInfo, Cpu, Device};
use weft_protocol::registers::Register;
use weft_protocol::serial::Counter;

use super::Args;
#[cfg(target_os = "linux")]
use crate::devices::open_card;
use crate::devices::{DeviceName, open_serial};
use crate::exit::{self, OrExit};
use crate::ui::Cancel;

/// Counts by name.
pub(super) type Counts = BTreeMap<&'static str, u64>;

/// A device, with what only its own kind can do.
pub(super) enum Tested {
    Cpu(Cpu),
    Sim(Box<Sim>),
    Serial(Box<Serial>),
    #[cfg(target_os = "linux")]
    Card(Box<PcieCard>),
}

impl Tested {
    pub(super) fn open(args: &Args, cancel: &Cancel) -> anyhow::Result<Self> {
        Ok(match &args.device {
            DeviceName::Cpu => {
                Self::Cpu(Cpu::new(CoreInfo::of("cpu", &args.config), 0).or_exit(exit::DEVICE)?)
            }
            DeviceName::Sim => {
                let core = SimCore::new(&args.config).or_exit(exit::DEVICE)?;
                let watch = Arc::new(Watch::new(cancel.flag().clone()));
                Self::Sim(Box::new(Sim::new(&core, watch).or_exit(exit::DEVICE)?))
            }
            DeviceName::Serial { path, baud } => {
                Self::Serial(Box::new(open_serial(path, *baud, args.timeout, cancel)?))
            }
            #[cfg(target_os = "linux")]
            name => Self::Card(Box::new(open_card(name, false, args.timeout)?.0)),
        })
    }

    pub(super) fn device(&mut self) -> &mut dyn Device {
        match self {
            Self::Cpu(cpu) => cpu,
            Self::Sim(sim) => &mut **sim,
            Self::Serial(serial) => &mut **serial,
            #[cfg(target_os = "linux")]
            Self::Card(card) => &mut **card,
        }
    }

    /// Register values; `None` from a device without registers.
    pub(super) fn registers(&mut self, registers: &[Register]) -> anyhow::Result<Option<Vec<u32>>> {
        Ok(match self {
            Self::Cpu(_) => None,
            #[cfg(target_os = "linux")]
            Self::Card(card) => Some(card.registers(registers).or_exit(exit::DEVICE)?),
            Self::Sim(sim) => Some(sim.registers(registers).or_exit(exit::DEVICE)?),
            Self::Serial(serial) => Some(serial.registers(registers).or_exit(exit::DEVICE)?),
        })
    }

    /// What both ends of the link counted.
    pub(super) fn links(&mut self) -> anyhow::Result<(Counts, Counts)> {
        let mut board = Counts::new();
        if let Self::Serial(serial) = self {
            let now = serial.identify().or_exit(exit::DEVICE)?.counters;
            let then = serial.identity().counters;
            for counter in Counter::ALL {
                let at = counter as usize;
                board.insert(counter.name(), now[at].wrapping_sub(then[at]).into());
            }
        }
        let host = self.device().link_counters().into_iter().collect();
        Ok((host, board))
    }
}
