//! MSI-X: the table, the pending bits, and when to interrupt.

use super::header::ByteMask;
use crate::rtl::*;

/// Two vectors: completion records, coalesced by count and delay, and faults.
#[derive(LogicBlock, Default)]
pub struct Interrupts {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Forgets what no interrupt has announced.
    pub clear: Signal<In, Bit>,
    /// Masks every vector, as after power-up.
    pub function_reset: Signal<In, Bit>,
    /// MSI-X is enabled in configuration space.
    pub enabled: Signal<In, Bit>,
    /// All vectors are masked there.
    pub masked: Signal<In, Bit>,

    /// A doubleword of the table is written.
    pub write: Signal<In, Bit>,
    /// Its number.
    pub write_address: Signal<In, Bits<3>>,
    /// The doubleword.
    pub write_data: Signal<In, Bits<32>>,
    /// Bytes that are written.
    pub write_enable: Signal<In, Bits<4>>,
    /// Doubleword to read: of the table, or with bit 10 set of the pending bits.
    pub read_address: Signal<In, Bits<11>>,
    /// Its value, one cycle later.
    pub value: Signal<Out, Bits<32>>,

    /// A completion record was sent.
    pub record: Signal<In, Bit>,
    /// The card halted on a fault.
    pub fault: Signal<In, Bit>,
    /// Records an interrupt; 0 and 1 mean each.
    pub count: Signal<In, Bits<32>>,
    /// Most cycles from a record to its interrupt.
    pub delay: Signal<In, Bits<32>>,

    /// An interrupt wants to be sent, until `done`.
    pub offer: Signal<Out, Bit>,
    /// Where to.
    pub address: Signal<Out, Bits<64>>,
    /// What.
    pub data: Signal<Out, Bits<32>>,
    /// It was sent.
    pub done: Signal<In, Bit>,

    answer: DFF<Bits<32>>,
    low0: DFF<Bits<32>>,
    high0: DFF<Bits<32>>,
    data0: DFF<Bits<32>>,
    open0: DFF<Bit>,
    low1: DFF<Bits<32>>,
    high1: DFF<Bits<32>>,
    data1: DFF<Bits<32>>,
    open1: DFF<Bit>,
    pending0: DFF<Bit>,
    pending1: DFF<Bit>,
    records: DFF<Bits<32>>,
    age: DFF<Bits<32>>,
    picked: DFF<Bit>,
    offering: DFF<Bit>,
    bytes: ByteMask,
    keep: Signal<Local, Bits<32>>,
    put: Signal<Local, Bits<32>>,
    due: Signal<Local, Bit>,
    ready0: Signal<Local, Bit>,
    ready1: Signal<Local, Bit>,
    shut0: Signal<Local, Bit>,
    shut1: Signal<Local, Bit>,
}

#[allow(clippy::if_same_then_else)]
impl Logic for Interrupts {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, answer, low0, high0, data0, open0, low1, high1, data1, open1, pending0,
            pending1, records, age, picked, offering
        );
        self.bytes.enable.next = self.write_enable.val();
        self.keep.next = !self.bytes.mask.val();
        self.put.next = self.write_data.val() & self.bytes.mask.val();

        // The table; a vector's mask bit is one after a reset, so its inverse is kept.
        if self.write.val() {
            if self.write_address.val() == 0 {
                self.low0.d.next = (self.low0.q.val() & self.keep.val()) | self.put.val();
            } else if self.write_address.val() == 1 {
                self.high0.d.next = (self.high0.q.val() & self.keep.val()) | self.put.val();
            } else if self.write_address.val() == 2 {
                self.data0.d.next = (self.data0.q.val() & self.keep.val()) | self.put.val();
            } else if (self.write_address.val() == 3) && self.write_enable.val().get_bit(0) {
                self.open0.d.next = !self.write_data.val().get_bit(0);
            } else if self.write_address.val() == 4 {
                self.low1.d.next = (self.low1.q.val() & self.keep.val()) | self.put.val();
            } else if self.write_address.val() == 5 {
                self.high1.d.next = (self.high1.q.val() & self.keep.val()) | self.put.val();
            } else if self.write_address.val() == 6 {
                self.data1.d.next = (self.data1.q.val() & self.keep.val()) | self.put.val();
            } else if (self.write_address.val() == 7) && self.write_enable.val().get_bit(0) {
                self.open1.d.next = !self.write_data.val().get_bit(0);
            }
        }
        self.shut0.next = !self.open0.q.val();
        self.shut1.next = !self.open1.q.val();
        self.value.next = self.answer.q.val();
        self.answer.d.next = 0.into();
        if self.read_address.val().get_bit(10) {
            if self.read_address.val() == 0x400 {
                self.answer.d.next = (bit_cast::<32, 1>(self.pending1.q.val().into()) << 1)
                    | bit_cast::<32, 1>(self.pending0.q.val().into());
            }
        } else if self.read_address.val() == 0 {
            self.answer.d.next = self.low0.q.val();
        } else if self.read_address.val() == 1 {
            self.answer.d.next = self.high0.q.val();
        } else if self.read_address.val() == 2 {
            self.answer.d.next = self.data0.q.val();
        } else if self.read_address.val() == 3 {
            self.answer.d.next = bit_cast::<32, 1>(self.shut0.val().into());
        } else if self.read_address.val() == 4 {
            self.answer.d.next = self.low1.q.val();
        } else if self.read_address.val() == 5 {
            self.answer.d.next = self.high1.q.val();
        } else if self.read_address.val() == 6 {
            self.answer.d.next = self.data1.q.val();
        } else if self.read_address.val() == 7 {
            self.answer.d.next = bit_cast::<32, 1>(self.shut1.val().into());
        }

        // Records that no interrupt has announced, and the age of the first of them.
        self.due.next = self.records.q.val().any()
            && ((self.records.q.val() >= self.count.val())
                || (self.age.q.val() >= self.delay.val()));
        if self.records.q.val().any() {
            self.age.d.next = self.age.q.val() + 1;
        }
        if self.due.val() {
            self.age.d.next = 0.into();
            self.records.d.next = bit_cast::<32, 1>(self.record.val().into());
        } else if self.record.val() {
            self.records.d.next = self.records.q.val() + 1;
        }

        // Sending.
        self.ready0.next = self.pending0.q.val() && self.open0.q.val() && !self.masked.val();
        self.ready1.next = self.pending1.q.val() && self.open1.q.val() && !self.masked.val();
        self.offer.next = self.offering.q.val();
        self.address.next =
            (bit_cast::<64, 32>(self.high0.q.val()) << 32) | bit_cast::<64, 32>(self.low0.q.val());
        self.data.next = self.data0.q.val();
        if self.picked.q.val() {
            self.address.next = (bit_cast::<64, 32>(self.high1.q.val()) << 32)
                | bit_cast::<64, 32>(self.low1.q.val());
            self.data.next = self.data1.q.val();
        }
        if !self.offering.q.val() {
            self.picked.d.next = self.ready1.val();
            self.offering.d.next = self.ready0.val() || self.ready1.val();
            if self.ready1.val() {
                self.pending1.d.next = false;
            } else if self.ready0.val() {
                self.pending0.d.next = false;
            }
        } else if self.done.val() {
            self.offering.d.next = false;
        }
        if self.due.val() {
            self.pending0.d.next = true;
        }
        if self.fault.val() {
            self.pending1.d.next = true;
        }
        if self.clear.val() || !self.enabled.val() {
            self.pending0.d.next = false;
            self.pending1.d.next = false;
        }
        if self.clear.val() {
            self.records.d.next = 0.into();
            self.age.d.next = 0.into();
        }
        if self.function_reset.val() {
            self.open0.d.next = false;
            self.open1.d.next = false;
        }
    }
}
