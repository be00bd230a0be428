//! A simulated card, its root complex and host memory, and what a driver would do with them.
#![allow(dead_code, unreachable_pub)] // each test file uses its own part

pub mod driver;

use std::sync::OnceLock;
use weft_hdl::{CardConfig, CoreConfig};
use weft_models::root_complex::HostError;
use weft_models::{CardProgram, Endpoint, HostMemory, RootComplex, RootConfig};
use weft_protocol::pcie::CardRegister;

/// A card with two banks and few accumulators, which compiles quickly.
pub fn program() -> &'static CardProgram {
    static PROGRAM: OnceLock<CardProgram> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let core = CoreConfig {
            banks: 2,
            batch: 1,
            stream_bytes: 4,
            depth: 64,
        };
        CardProgram::new(CardConfig::new(core)).expect("a card that can be built")
    })
}

/// Everything.
pub struct System {
    pub endpoint: Endpoint,
    pub root: RootComplex,
    pub memory: HostMemory,
}

impl System {
    pub fn new(config: RootConfig, ranges: &[(u64, usize)]) -> Self {
        Self::of(program(), config, ranges)
    }

    pub fn of(program: &CardProgram, config: RootConfig, ranges: &[(u64, usize)]) -> Self {
        let window = 1 << program.config().log2_window;
        Self {
            endpoint: Endpoint::new(program).expect("the pins of a card"),
            root: RootComplex::new(config, window),
            memory: HostMemory::new(ranges),
        }
    }

    pub fn step(&mut self) {
        self.endpoint.cycle(&mut self.root, &mut self.memory);
    }

    pub fn run(&mut self, cycles: u64) {
        (0..cycles).for_each(|_| self.step());
    }

    /// Runs until something holds.
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        for _ in 0..2_000_000 {
            if holds(self) {
                return;
            }
            self.step();
        }
        panic!(
            "{what} did not happen; broken rules: {:?}",
            self.root.checker.violations()
        );
    }

    /// Reads a BAR.
    pub fn read(&mut self, bar: usize, offset: u64, bytes: usize) -> Result<Vec<u8>, HostError> {
        let ticket = self.root.host_read(bar, offset, bytes);
        let mut answer = None;
        self.until("a read of the host", |s| {
            answer = s.root.answer(ticket);
            answer.is_some()
        });
        answer.expect("an answer")
    }

    pub fn register(&mut self, register: CardRegister) -> u32 {
        let data = self.read(0, register.offset(), 4).expect("a register");
        u32::from_le_bytes([data[0], data[1], data[2], data[3]])
    }

    pub fn set(&mut self, register: CardRegister, value: u32) {
        self.root
            .host_write(0, register.offset(), &value.to_le_bytes());
    }

    /// Ends a test: no rule was broken.
    pub fn check(&self) {
        assert!(
            self.root.checker.violations().is_empty(),
            "{:#?}",
            self.root.checker.violations()
        );
    }
}
