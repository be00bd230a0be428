//! The card's registers in BAR0, as `weft_protocol::pcie::CardRegister` lists them.

mod counters;

pub use counters::CardCounters;

use super::header::ByteMask;
use crate::core::CoreConfig;
use crate::rtl::*;
use weft_protocol::pcie::{Capabilities, MAP_HASH, Shape, VERSION};
use weft_protocol::registers;

/// Timeout after a reset: 50 ms of 125 MHz.
pub const TIMEOUT: u32 = 6_250_000;

/// What the host sets and what the engines report. Ring positions and doorbells are zero after a reset.
#[derive(LogicBlock)]
pub struct CardRegisters {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// The function is reset: every setting becomes what it is after power-up.
    pub function_reset: Signal<In, Bit>,

    /// A doubleword of BAR0 is written.
    pub write: Signal<In, Bit>,
    /// Its number.
    pub write_address: Signal<In, Bits<12>>,
    /// The doubleword.
    pub write_data: Signal<In, Bits<32>>,
    /// Bytes that are written.
    pub write_enable: Signal<In, Bits<4>>,
    /// Doubleword to read.
    pub read_address: Signal<In, Bits<12>>,
    /// Its value, one cycle later; zero for what is no register.
    pub value: Signal<Out, Bits<32>>,

    /// Descriptors are taken.
    pub run: Signal<Out, Bit>,
    /// A reset is under way, until `reset_done`.
    pub resetting: Signal<Out, Bit>,
    /// The reset is carried out.
    pub reset_done: Signal<In, Bit>,
    /// Nothing is under way.
    pub idle: Signal<In, Bit>,
    /// Halted on a fault.
    pub halted: Signal<In, Bit>,
    /// Which one: a `ring::Outcome`.
    pub fault: Signal<In, Bits<4>>,
    /// Cookie of the descriptor that met it.
    pub cookie: Signal<In, Bits<16>>,

    /// Cycles after which a read counts as lost.
    pub timeout: Signal<Out, Bits<32>>,
    /// Completion records an interrupt.
    pub interrupt_count: Signal<Out, Bits<32>>,
    /// Cycles that a record may wait for its interrupt.
    pub interrupt_delay: Signal<Out, Bits<32>>,
    /// Address of the command ring.
    pub command_base: Signal<Out, Bits<64>>,
    /// Log2 of its slots.
    pub command_log2: Signal<Out, Bits<4>>,
    /// Slots written by the host.
    pub command_tail: Signal<Out, Bits<16>>,
    /// Slots taken.
    pub command_head: Signal<In, Bits<16>>,
    /// Address of the ring of result buffers.
    pub result_base: Signal<Out, Bits<64>>,
    /// Log2 of its slots.
    pub result_log2: Signal<Out, Bits<4>>,
    /// Slots written by the host.
    pub result_tail: Signal<Out, Bits<16>>,
    /// Slots taken.
    pub result_head: Signal<In, Bits<16>>,
    /// Address of the completion ring.
    pub completion_base: Signal<Out, Bits<64>>,
    /// Log2 of its records.
    pub completion_log2: Signal<Out, Bits<4>>,
    /// Records taken by the host.
    pub completion_head: Signal<Out, Bits<16>>,
    /// Records written.
    pub completion_tail: Signal<In, Bits<16>>,
    /// Tags whose answer is owed.
    pub outstanding: Signal<In, Bits<8>>,
    /// Number of the counter to read; see [`CardCounters::index`].
    pub counter_index: Signal<Out, Bits<4>>,
    /// Its value.
    pub counter: Signal<In, Bits<32>>,

    answer: DFF<Bits<32>>,
    running: DFF<Bit>,
    reset_wanted: DFF<Bit>,
    scratch: DFF<Bits<32>>,
    timeout_setting: DFF<Bits<32>>,
    timeout_set: DFF<Bit>,
    count_setting: DFF<Bits<32>>,
    delay_setting: DFF<Bits<32>>,
    command_low: DFF<Bits<32>>,
    command_high: DFF<Bits<32>>,
    command_size: DFF<Bits<4>>,
    command_bell: DFF<Bits<16>>,
    result_low: DFF<Bits<32>>,
    result_high: DFF<Bits<32>>,
    result_size: DFF<Bits<4>>,
    result_bell: DFF<Bits<16>>,
    completion_low: DFF<Bits<32>>,
    completion_high: DFF<Bits<32>>,
    completion_size: DFF<Bits<4>>,
    completion_bell: DFF<Bits<16>>,
    bytes: ByteMask,
    keep: Signal<Local, Bits<32>>,
    put: Signal<Local, Bits<32>>,
    offset: Signal<Local, Bits<16>>,
    read_offset: Signal<Local, Bits<16>>,
    default_timeout: Constant<Bits<32>>,
    magic: Constant<Bits<32>>,
    version: Constant<Bits<32>>,
    stream_hash: Constant<Bits<32>>,
    card_hash: Constant<Bits<32>>,
    shape: Constant<Bits<32>>,
    capabilities: Constant<Bits<32>>,
}

impl CardRegisters {
    /// The registers of a card with this core, window and number of tags.
    #[must_use]
    pub fn new(core: &CoreConfig, log2_window: usize, tags: usize) -> Self {
        let shape = Shape {
            banks: core.banks as u8,
            batch: core.batch as u8,
            stream_bytes: core.stream_bytes as u8,
            log2_depth: core.depth.ilog2() as u8,
        };
        let capabilities = Capabilities {
            log2_window: log2_window as u8,
            tags: tags as u8,
        };
        Self {
            clock: Signal::default(),
            function_reset: Signal::default(),
            write: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            write_enable: Signal::default(),
            read_address: Signal::default(),
            value: Signal::default(),
            run: Signal::default(),
            resetting: Signal::default(),
            reset_done: Signal::default(),
            idle: Signal::default(),
            halted: Signal::default(),
            fault: Signal::default(),
            cookie: Signal::default(),
            timeout: Signal::default(),
            interrupt_count: Signal::default(),
            interrupt_delay: Signal::default(),
            command_base: Signal::default(),
            command_log2: Signal::default(),
            command_tail: Signal::default(),
            command_head: Signal::default(),
            result_base: Signal::default(),
            result_log2: Signal::default(),
            result_tail: Signal::default(),
            result_head: Signal::default(),
            completion_base: Signal::default(),
            completion_log2: Signal::default(),
            completion_head: Signal::default(),
            completion_tail: Signal::default(),
            outstanding: Signal::default(),
            counter_index: Signal::default(),
            counter: Signal::default(),
            answer: DFF::default(),
            running: DFF::default(),
            reset_wanted: DFF::default(),
            scratch: DFF::default(),
            timeout_setting: DFF::default(),
            timeout_set: DFF::default(),
            count_setting: DFF::default(),
            delay_setting: DFF::default(),
            command_low: DFF::default(),
            command_high: DFF::default(),
            command_size: DFF::default(),
            command_bell: DFF::default(),
            result_low: DFF::default(),
            result_high: DFF::default(),
            result_size: DFF::default(),
            result_bell: DFF::default(),
            completion_low: DFF::default(),
            completion_high: DFF::default(),
            completion_size: DFF::default(),
            completion_bell: DFF::default(),
            bytes: ByteMask::default(),
            keep: Signal::default(),
            put: Signal::default(),
            offset: Signal::default(),
            read_offset: Signal::default(),
            default_timeout: Constant::new(TIMEOUT.to_bits()),
            magic: Constant::new(registers::MAGIC.to_bits()),
            version: Constant::new(VERSION.to_bits()),
            stream_hash: Constant::new(registers::MAP_HASH.to_bits()),
            card_hash: Constant::new(MAP_HASH.to_bits()),
            shape: Constant::new(shape.to_register().to_bits()),
            capabilities: Constant::new(capabilities.to_register().to_bits()),
        }
    }
}

#[allow(clippy::if_same_then_else)]
impl Logic for CardRegisters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            answer,
            running,
            reset_wanted,
            scratch,
            timeout_setting,
            timeout_set,
            count_setting,
            delay_setting,
            command_low,
            command_high,
            command_size,
            command_bell,
            result_low,
            result_high,
            result_size,
            result_bell,
            completion_low,
            completion_high,
            completion_size,
            completion_bell
        );
        self.bytes.enable.next = self.write_enable.val();
        self.keep.next = !self.bytes.mask.val();
        self.put.next = self.write_data.val() & self.bytes.mask.val();
        self.offset.next = bit_cast::<16, 12>(self.write_address.val()) << 2;
        self.read_offset.next = bit_cast::<16, 12>(self.read_address.val()) << 2;

        // To the engines.
        self.run.next = self.running.q.val();
        self.resetting.next = self.reset_wanted.q.val();
        self.timeout.next = self.default_timeout.val();
        if self.timeout_set.q.val() {
            self.timeout.next = self.timeout_setting.q.val();
        }
        self.interrupt_count.next = self.count_setting.q.val();
        self.interrupt_delay.next = self.delay_setting.q.val();
        self.command_base.next = (bit_cast::<64, 32>(self.command_high.q.val()) << 32)
            | bit_cast::<64, 32>(self.command_low.q.val());
        self.command_log2.next = self.command_size.q.val();
        self.command_tail.next = self.command_bell.q.val();
        self.result_base.next = (bit_cast::<64, 32>(self.result_high.q.val()) << 32)
            | bit_cast::<64, 32>(self.result_low.q.val());
        self.result_log2.next = self.result_size.q.val();
        self.result_tail.next = self.result_bell.q.val();
        self.completion_base.next = (bit_cast::<64, 32>(self.completion_high.q.val()) << 32)
            | bit_cast::<64, 32>(self.completion_low.q.val());
        self.completion_log2.next = self.completion_size.q.val();
        self.completion_head.next = self.completion_bell.q.val();

        // Writes.
        if self.write.val() {
            if self.offset.val() == 0x020 {
                if self.write_enable.val().get_bit(0) && !self.reset_wanted.q.val() {
                    self.running.d.next = self.write_data.val().get_bit(0);
                    if self.write_data.val().get_bit(1) {
                        self.running.d.next = false;
                        self.reset_wanted.d.next = true;
                    }
                }
            } else if self.offset.val() == 0x018 {
                self.scratch.d.next = (self.scratch.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x028 {
                self.timeout_setting.d.next =
                    (self.timeout.val() & self.keep.val()) | self.put.val();
                self.timeout_set.d.next = true;
            } else if self.offset.val() == 0x02c {
                self.count_setting.d.next =
                    (self.count_setting.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x030 {
                self.delay_setting.d.next =
                    (self.delay_setting.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x040 {
                self.command_low.d.next =
                    (self.command_low.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x044 {
                self.command_high.d.next =
                    (self.command_high.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x048 {
                self.command_size.d.next = bit_cast::<4, 32>(
                    (bit_cast::<32, 4>(self.command_size.q.val()) & self.keep.val())
                        | self.put.val(),
                );
            } else if self.offset.val() == 0x04c {
                self.command_bell.d.next = bit_cast::<16, 32>(
                    (bit_cast::<32, 16>(self.command_bell.q.val()) & self.keep.val())
                        | self.put.val(),
                );
            } else if self.offset.val() == 0x060 {
                self.result_low.d.next =
                    (self.result_low.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x064 {
                self.result_high.d.next =
                    (self.result_high.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x068 {
                self.result_size.d.next = bit_cast::<4, 32>(
                    (bit_cast::<32, 4>(self.result_size.q.val()) & self.keep.val())
                        | self.put.val(),
                );
            } else if self.offset.val() == 0x06c {
                self.result_bell.d.next = bit_cast::<16, 32>(
                    (bit_cast::<32, 16>(self.result_bell.q.val()) & self.keep.val())
                        | self.put.val(),
                );
            } else if self.offset.val() == 0x080 {
                self.completion_low.d.next =
                    (self.completion_low.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x084 {
                self.completion_high.d.next =
                    (self.completion_high.q.val() & self.keep.val()) | self.put.val();
            } else if self.offset.val() == 0x088 {
                self.completion_size.d.next = bit_cast::<4, 32>(
                    (bit_cast::<32, 4>(self.completion_size.q.val()) & self.keep.val())
                        | self.put.val(),
                );
            } else if self.offset.val() == 0x090 {
                self.completion_bell.d.next = bit_cast::<16, 32>(
                    (bit_cast::<32, 16>(self.completion_bell.q.val()) & self.keep.val())
                        | self.put.val(),
                );
            }
        }

        // Resets.
        if self.reset_wanted.q.val() {
            self.running.d.next = false;
            self.command_bell.d.next = 0.into();
            self.result_bell.d.next = 0.into();
            self.completion_bell.d.next = 0.into();
            if self.reset_done.val() {
                self.reset_wanted.d.next = false;
            }
        }
        if self.function_reset.val() {
            self.reset_wanted.d.next = true;
            self.running.d.next = false;
            self.timeout_set.d.next = false;
            self.scratch.d.next = 0.into();
            self.count_setting.d.next = 0.into();
            self.delay_setting.d.next = 0.into();
            self.command_low.d.next = 0.into();
            self.command_high.d.next = 0.into();
            self.command_size.d.next = 0.into();
            self.command_bell.d.next = 0.into();
            self.result_low.d.next = 0.into();
            self.result_high.d.next = 0.into();
            self.result_size.d.next = 0.into();
            self.result_bell.d.next = 0.into();
            self.completion_low.d.next = 0.into();
            self.completion_high.d.next = 0.into();
            self.completion_size.d.next = 0.into();
            self.completion_bell.d.next = 0.into();
        }

        // Reads.
        self.counter_index.next = bit_cast::<4, 12>(self.read_address.val());
        self.value.next = self.answer.q.val();
        self.answer.d.next = 0.into();
        if self.read_offset.val() == 0x000 {
            self.answer.d.next = self.magic.val();
        } else if self.read_offset.val() == 0x004 {
            self.answer.d.next = self.version.val();
        } else if self.read_offset.val() == 0x008 {
            self.answer.d.next = self.stream_hash.val();
        } else if self.read_offset.val() == 0x00c {
            self.answer.d.next = self.card_hash.val();
        } else if self.read_offset.val() == 0x010 {
            self.answer.d.next = self.shape.val();
        } else if self.read_offset.val() == 0x014 {
            self.answer.d.next = self.capabilities.val();
        } else if self.read_offset.val() == 0x020 {
            self.answer.d.next = (bit_cast::<32, 1>(self.reset_wanted.q.val().into()) << 1)
                | bit_cast::<32, 1>(self.running.q.val().into());
        } else if self.read_offset.val() == 0x024 {
            self.answer.d.next = (bit_cast::<32, 16>(self.cookie.val()) << 16)
                | (bit_cast::<32, 4>(self.fault.val()) << 8)
                | (bit_cast::<32, 1>(self.halted.val().into()) << 1)
                | bit_cast::<32, 1>(self.idle.val().into());
        } else if self.read_offset.val() == 0x050 {
            self.answer.d.next = bit_cast::<32, 16>(self.command_head.val());
        } else if self.read_offset.val() == 0x070 {
            self.answer.d.next = bit_cast::<32, 16>(self.result_head.val());
        } else if self.read_offset.val() == 0x08c {
            self.answer.d.next = bit_cast::<32, 16>(self.completion_tail.val());
        } else if self.read_offset.val() == 0x124 {
            self.answer.d.next = bit_cast::<32, 8>(self.outstanding.val());
        } else if self.read_offset.val() == 0x018 {
            self.answer.d.next = self.scratch.q.val();
        } else if self.read_offset.val() == 0x028 {
            self.answer.d.next = self.timeout.val();
        } else if self.read_offset.val() == 0x02c {
            self.answer.d.next = self.count_setting.q.val();
        } else if self.read_offset.val() == 0x030 {
            self.answer.d.next = self.delay_setting.q.val();
        } else if self.read_offset.val() == 0x040 {
            self.answer.d.next = self.command_low.q.val();
        } else if self.read_offset.val() == 0x044 {
            self.answer.d.next = self.command_high.q.val();
        } else if self.read_offset.val() == 0x048 {
            self.answer.d.next = bit_cast::<32, 4>(self.command_size.q.val());
        } else if self.read_offset.val() == 0x04c {
            self.answer.d.next = bit_cast::<32, 16>(self.command_bell.q.val());
        } else if self.read_offset.val() == 0x060 {
            self.answer.d.next = self.result_low.q.val();
        } else if self.read_offset.val() == 0x064 {
            self.answer.d.next = self.result_high.q.val();
        } else if self.read_offset.val() == 0x068 {
            self.answer.d.next = bit_cast::<32, 4>(self.result_size.q.val());
        } else if self.read_offset.val() == 0x06c {
            self.answer.d.next = bit_cast::<32, 16>(self.result_bell.q.val());
        } else if self.read_offset.val() == 0x080 {
            self.answer.d.next = self.completion_low.q.val();
        } else if self.read_offset.val() == 0x084 {
            self.answer.d.next = self.completion_high.q.val();
        } else if self.read_offset.val() == 0x088 {
            self.answer.d.next = bit_cast::<32, 4>(self.completion_size.q.val());
        } else if self.read_offset.val() == 0x090 {
            self.answer.d.next = bit_cast::<32, 16>(self.completion_bell.q.val());
        } else if (self.read_offset.val() > 0x0ff) && (self.read_offset.val() < 0x140) {
            self.answer.d.next = self.counter.val();
        }
    }
}
