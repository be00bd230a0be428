//! Records gathered into interrupts.

use super::registers::Settings;
use crate::card::Bus;
use weft_protocol::pcie::VECTOR_COMPLETION;

/// How many records nobody was told of, and when that must change.
#[derive(Clone, Debug, Default)]
pub(super) struct Interrupts {
    unannounced: u32,
    /// Cycles since the first of them.
    waited: u64,
    /// Interrupts sent since power-on.
    pub sent: u32,
}

impl Interrupts {
    pub(super) fn abandon(&mut self) {
        self.unannounced = 0;
        self.waited = 0;
    }

    /// A record was written.
    pub(super) fn record(&mut self, settings: &Settings, bus: &mut dyn Bus) {
        self.unannounced += 1;
        self.announce_if_due(settings, bus);
    }

    /// The core took input for `cycles`.
    pub(super) fn work(&mut self, cycles: u64, settings: &Settings, bus: &mut dyn Bus) {
        if self.unannounced > 0 {
            self.waited += cycles;
            self.announce_if_due(settings, bus);
        }
    }

    /// Nothing else happens until the delay is over. True if that made an interrupt.
    pub(super) fn pass(&mut self, settings: &Settings, bus: &mut dyn Bus) -> bool {
        let before = self.sent;
        self.work(settings.interrupt_delay.into(), settings, bus);
        self.sent != before
    }

    /// Signals `vector` now.
    pub(super) fn send(&mut self, vector: u16, bus: &mut dyn Bus) {
        bus.interrupt(vector);
        self.sent = self.sent.wrapping_add(1);
    }

    fn announce_if_due(&mut self, settings: &Settings, bus: &mut dyn Bus) {
        let enough = self.unannounced >= settings.interrupt_count.max(1);
        if enough || self.waited >= u64::from(settings.interrupt_delay) {
            self.abandon();
            self.send(VECTOR_COMPLETION, bus);
        }
    }
}
