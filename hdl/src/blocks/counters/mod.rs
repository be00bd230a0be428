//! Registers: what the core says about itself, and what it counted.

use crate::blocks::relay::Relay;
use crate::core::CoreConfig;
use crate::rtl::*;
use weft_protocol::registers::{MAGIC, MAP_HASH, VERSION};

/// The register file of `weft_protocol::registers`. Pulses count one cycle each.
#[derive(LogicBlock)]
pub struct Counters {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Zeroes every counter but that of errors: after an error nothing but a reset gets to the core, and would hide it.
    pub clear: Signal<In, Bit>,
    /// Zeroes the counter of errors.
    pub reset: Signal<In, Bit>,
    /// A tile is open.
    pub open: Signal<In, Bit>,
    /// A beat was taken.
    pub accepted: Signal<In, Bit>,
    /// A tile is open, a beat could be taken, none is there.
    pub starved: Signal<In, Bit>,
    /// A tile is open, a beat is there, it cannot be taken.
    pub stalled: Signal<In, Bit>,
    /// Codes that left the dispenser.
    pub codes: Signal<In, Bits<5>>,
    /// A column ended.
    pub column: Signal<In, Bit>,
    /// A tile was drained.
    pub tile: Signal<In, Bit>,
    /// A request was refused.
    pub error: Signal<In, Bit>,
    /// A round waited for an accumulator.
    pub hazard: Signal<In, Bit>,
    /// Register to read.
    pub index: Signal<In, Bits<16>>,
    /// Its value, three cycles after `index` and three after the pulses that it counts; one and two where relays are
    /// wires.
    pub value: Signal<Out, Bits<32>>,
    /// There is such a register, a cycle after `index`.
    pub known: Signal<Out, Bit>,
    pulses: DFF<Bits<8>>,
    issued: DFF<Bits<5>>,
    chosen: Relay<5>,
    first: Relay<32>,
    second: Relay<32>,
    in_second: Relay<1>,
    answer: DFF<Bits<32>>,
    exists: DFF<Bit>,
    cycles: DFF<Bits<32>>,
    beats: DFF<Bits<32>>,
    starvation: DFF<Bits<32>>,
    stalls: DFF<Bits<32>>,
    nonzeros: DFF<Bits<32>>,
    columns: DFF<Bits<32>>,
    tiles: DFF<Bits<32>>,
    errors: DFF<Bits<32>>,
    rounds: DFF<Bits<32>>,
    hazards: DFF<Bits<32>>,
    magic: Constant<Bits<32>>,
    version: Constant<Bits<32>>,
    map_hash: Constant<Bits<32>>,
    banks: Constant<Bits<32>>,
    batch: Constant<Bits<32>>,
    stream_bytes: Constant<Bits<32>>,
    depth: Constant<Bits<32>>,
    single: Constant<Bit>,
}

impl Counters {
    /// The registers of a core.
    #[must_use]
    pub fn new(config: &CoreConfig) -> Self {
        Self {
            clock: Signal::default(),
            clear: Signal::default(),
            reset: Signal::default(),
            open: Signal::default(),
            accepted: Signal::default(),
            starved: Signal::default(),
            stalled: Signal::default(),
            codes: Signal::default(),
            column: Signal::default(),
            tile: Signal::default(),
            error: Signal::default(),
            hazard: Signal::default(),
            index: Signal::default(),
            value: Signal::default(),
            known: Signal::default(),
            pulses: DFF::default(),
            issued: DFF::default(),
            chosen: Relay::new(config.hops()),
            first: Relay::new(config.hops()),
            second: Relay::new(config.hops()),
            in_second: Relay::new(config.hops()),
            answer: DFF::default(),
            exists: DFF::default(),
            cycles: DFF::default(),
            beats: DFF::default(),
            starvation: DFF::default(),
            stalls: DFF::default(),
            nonzeros: DFF::default(),
            columns: DFF::default(),
            tiles: DFF::default(),
            errors: DFF::default(),
            rounds: DFF::default(),
            hazards: DFF::default(),
            magic: Constant::new(MAGIC.to_bits()),
            version: Constant::new(VERSION.to_bits()),
            map_hash: Constant::new(MAP_HASH.to_bits()),
            banks: Constant::new(config.banks.to_bits()),
            batch: Constant::new(config.batch.to_bits()),
            stream_bytes: Constant::new(config.stream_bytes.to_bits()),
            depth: Constant::new(config.depth.to_bits()),
            single: Constant::new(config.banks == 1),
        }
    }
}

impl Logic for Counters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, pulses, issued, answer, exists, cycles, beats, starvation, stalls,
            nonzeros, columns, tiles, errors, rounds, hazards
        );
        clock!(self, clock, chosen, first, second, in_second);
        self.issued.d.next = self.codes.val();
        self.pulses.d.next = bit_cast::<8, 1>(self.open.val().into())
            | (bit_cast::<8, 1>(self.accepted.val().into()) << 1)
            | (bit_cast::<8, 1>(self.starved.val().into()) << 2)
            | (bit_cast::<8, 1>(self.stalled.val().into()) << 3)
            | (bit_cast::<8, 1>(self.column.val().into()) << 4)
            | (bit_cast::<8, 1>(self.tile.val().into()) << 5)
            | (bit_cast::<8, 1>(self.error.val().into()) << 6)
            | (bit_cast::<8, 1>(self.hazard.val().into()) << 7);
        if self.pulses.q.val().get_bit(0) {
            self.cycles.d.next = self.cycles.q.val() + 1;
        }
        if self.pulses.q.val().get_bit(1) {
            self.beats.d.next = self.beats.q.val() + 1;
        }
        if self.pulses.q.val().get_bit(2) {
            self.starvation.d.next = self.starvation.q.val() + 1;
        }
        if self.pulses.q.val().get_bit(3) {
            self.stalls.d.next = self.stalls.q.val() + 1;
        }
        self.nonzeros.d.next = self.nonzeros.q.val() + bit_cast::<32, 5>(self.issued.q.val());
        if self.issued.q.val().any() {
            self.rounds.d.next = self.rounds.q.val() + 1;
        }
        if self.pulses.q.val().get_bit(4) {
            self.columns.d.next = self.columns.q.val() + 1;
        }
        if self.pulses.q.val().get_bit(5) {
            self.tiles.d.next = self.tiles.q.val() + 1;
        }
        if self.pulses.q.val().get_bit(6) {
            self.errors.d.next = self.errors.q.val() + 1;
        }
        if self.pulses.q.val().get_bit(7) {
            self.hazards.d.next = self.hazards.q.val() + 1;
        }
        if self.reset.val() {
            self.errors.d.next = 0.into();
        }
        if self.clear.val() {
            self.cycles.d.next = 0.into();
            self.beats.d.next = 0.into();
            self.starvation.d.next = 0.into();
            self.stalls.d.next = 0.into();
            self.nonzeros.d.next = 0.into();
            self.rounds.d.next = 0.into();
            self.columns.d.next = 0.into();
            self.tiles.d.next = 0.into();
            self.hazards.d.next = 0.into();
        }

        self.value.next = self.answer.q.val();
        self.known.next = self.exists.q.val();
        // Of each half of the registers one, then one of those.
        self.chosen.d.next = self.index.val().get_bits::<5>(0);
        self.in_second.d.next = (self.chosen.q.val() >= 20).into();
        self.answer.d.next = self.first.q.val();
        if self.in_second.q.val().any() {
            self.answer.d.next = self.second.q.val();
        }
        self.exists.d.next =
            (self.index.val() < 7) || ((self.index.val() >= 16) && (self.index.val() < 26));
        self.first.d.next = 0.into();
        self.second.d.next = 0.into();
        if self.chosen.q.val() == 0 {
            self.first.d.next = self.magic.val();
        } else if self.chosen.q.val() == 1 {
            self.first.d.next = self.version.val();
        } else if self.chosen.q.val() == 2 {
            self.first.d.next = self.map_hash.val();
        } else if self.chosen.q.val() == 3 {
            self.first.d.next = self.banks.val();
        } else if self.chosen.q.val() == 4 {
            self.first.d.next = self.batch.val();
        } else if self.chosen.q.val() == 5 {
            self.first.d.next = self.stream_bytes.val();
        } else if self.chosen.q.val() == 6 {
            self.first.d.next = self.depth.val();
        } else if self.chosen.q.val() == 16 {
            self.first.d.next = self.cycles.q.val();
        } else if self.chosen.q.val() == 17 {
            self.first.d.next = self.beats.q.val();
        } else if self.chosen.q.val() == 18 {
            self.first.d.next = self.starvation.q.val();
        } else if self.chosen.q.val() == 19 {
            self.first.d.next = self.stalls.q.val();
        } else if self.chosen.q.val() == 20 {
            self.second.d.next = self.nonzeros.q.val();
        } else if self.chosen.q.val() == 21 {
            self.second.d.next = self.columns.q.val();
        } else if self.chosen.q.val() == 22 {
            self.second.d.next = self.tiles.q.val();
        } else if self.chosen.q.val() == 23 {
            self.second.d.next = self.errors.q.val();
        } else if self.chosen.q.val() == 24 {
            self.second.d.next = self.rounds.q.val();
            if self.single.val() {
                // A round of one bank is a code: synthesis drops the other counter.
                self.second.d.next = self.nonzeros.q.val();
            }
        } else if self.chosen.q.val() == 25 {
            self.second.d.next = self.hazards.q.val();
        }
    }
}
