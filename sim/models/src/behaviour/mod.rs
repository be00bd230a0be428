//! A card as the contract of [`weft_protocol::pcie`] has it, without the wires: the twin of the register-transfer
//! logic, and what serves where a card's timing does not matter.
//!
//! `registers` is what software sees in BAR0, `engine` takes descriptors and stores answers, `interrupts` gathers
//! records into interrupts, and the core is its software twin. The card has no clock of its own: it counts the cycles
//! in which its core would have taken its input, and when there is nothing else to do, time passes to the next
//! interrupt that is due. So a run of it is the same every time.

mod engine;
mod interrupts;
mod registers;
mod ring;

use crate::card::{Activity, Bus, Card};
use engine::Engine;
use interrupts::Interrupts;
use registers::Settings;
use weft_hdl::{CoreConfig, Twin};
use weft_protocol::pcie::{BAR0_BYTES, Capabilities, Shape};

/// Smallest and largest log2 of the window's bytes.
pub const WINDOW_LOG2: std::ops::RangeInclusive<u8> = 12..=28;
/// Log2 of the window's bytes unless asked otherwise: 1 MiB.
pub const DEFAULT_WINDOW_LOG2: u8 = 20;
/// Reads that such a card could have outstanding; it says so, and never has more than one.
const TAGS: u8 = 32;
/// Bytes that one call of [`Card::advance`] moves at most: about a millisecond of the core's twin.
const BUDGET: usize = 64 << 10;

/// A card that behaves as the contract says.
#[derive(Clone, Debug)]
pub struct BehaviouralCard {
    core: CoreConfig,
    twin: Twin,
    window: Vec<u8>,
    log2_window: u8,
    settings: Settings,
    engine: Engine,
    interrupts: Interrupts,
    bus_master: bool,
}

impl BehaviouralCard {
    /// A card after power-on, with a core of this shape and a window of `1 << log2_window` bytes.
    ///
    /// # Panics
    /// When `log2_window` is outside [`WINDOW_LOG2`], or the core's parameters are not ones that can be built.
    #[must_use]
    pub fn new(core: CoreConfig, log2_window: u8) -> Self {
        assert!(
            WINDOW_LOG2.contains(&log2_window),
            "a window of 4 KiB to 256 MiB"
        );
        core.check().expect("a core that can be built");
        Self {
            core,
            twin: Twin::new(core),
            window: vec![0; 1 << log2_window],
            log2_window,
            settings: Settings::default(),
            engine: Engine::default(),
            interrupts: Interrupts::default(),
            bus_master: false,
        }
    }

    /// Configuration of its core.
    #[must_use]
    pub fn core(&self) -> &CoreConfig {
        &self.core
    }

    fn shape(&self) -> Shape {
        Shape {
            banks: self.core.banks as u8,
            batch: self.core.batch as u8,
            stream_bytes: self.core.stream_bytes as u8,
            log2_depth: self.core.depth.trailing_zeros() as u8,
        }
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            log2_window: self.log2_window,
            tags: TAGS,
        }
    }

    /// What the control register's reset does: everything under way is forgotten, bases and settings stay.
    fn abandon(&mut self) {
        self.twin.reset();
        self.engine.abandon();
        self.interrupts.abandon();
    }
}

impl Card for BehaviouralCard {
    fn bar_bytes(&self, bar: usize) -> u64 {
        match bar {
            0 => BAR0_BYTES as u64,
            2 => self.window.len() as u64,
            _ => 0,
        }
    }

    fn bar_read(&mut self, bar: usize, offset: u64, data: &mut [u8]) {
        match bar {
            0 => self.registers_read(offset, data),
            _ => match self.window_range(offset, data.len()) {
                Some(range) if bar == 2 => data.copy_from_slice(&self.window[range]),
                _ => data.fill(0xff),
            },
        }
    }

    fn bar_write(&mut self, bar: usize, offset: u64, data: &[u8]) {
        match bar {
            0 => self.registers_write(offset, data),
            _ => {
                if let Some(range) = self.window_range(offset, data.len()).filter(|_| bar == 2) {
                    self.window[range].copy_from_slice(data);
                }
            }
        }
    }

    fn configure(&mut self, bus_master: bool, max_payload: usize, max_read: usize) {
        self.bus_master = bus_master;
        self.engine.configure(max_payload, max_read);
    }

    fn advance(&mut self, bus: &mut dyn Bus) -> Activity {
        if !self.bus_master {
            return Activity::Idle;
        }
        let mut moved = 0;
        while moved < BUDGET {
            let step = self.engine.step(
                &mut self.twin,
                &self.window,
                &self.settings,
                &mut self.interrupts,
                bus,
            );
            let Some(bytes) = step else {
                // Nothing more to do now: time passes.
                let due = self.interrupts.pass(&self.settings, bus);
                return if due { Activity::Busy } else { Activity::Idle };
            };
            moved += bytes.max(engine::STEP_BYTES);
            self.interrupts
                .work((bytes / self.core.stream_bytes) as u64, &self.settings, bus);
        }
        Activity::Busy
    }

    fn reset(&mut self) {
        let mut twin = self.twin.clone();
        twin.reset();
        *self = Self {
            twin,
            ..Self::new(self.core, self.log2_window)
        };
    }
}

impl BehaviouralCard {
    fn window_range(&self, offset: u64, bytes: usize) -> Option<std::ops::Range<usize>> {
        let start = usize::try_from(offset).ok()?;
        let end = start.checked_add(bytes)?;
        (end <= self.window.len()).then_some(start..end)
    }
}
