//! The counters among the card's registers.

use crate::rtl::*;

/// Counts from power-up on; nothing clears it, drivers take differences.
#[derive(LogicBlock, Default)]
pub struct CardCounters {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// A read request was sent.
    pub read_request: Signal<In, Bit>,
    /// A write request was sent that is no interrupt.
    pub write_request: Signal<In, Bit>,
    /// Its doublewords.
    pub written_dwords: Signal<In, Bits<10>>,
    /// Eight bytes arrived for an outstanding read.
    pub word_read: Signal<In, Bit>,
    /// A completion came that answers no outstanding tag.
    pub unexpected: Signal<In, Bit>,
    /// A completion came with an error status, poisoned, or not as PCI Express allows.
    pub failed: Signal<In, Bit>,
    /// A read was not answered in time.
    pub lost: Signal<In, Bit>,
    /// A request was answered as unsupported.
    pub refused: Signal<In, Bit>,
    /// A posted request was dropped as unsupported.
    pub dropped: Signal<In, Bit>,
    /// An interrupt was sent.
    pub interrupt: Signal<In, Bit>,
    /// A poisoned write was dropped.
    pub poisoned_write: Signal<In, Bit>,
    /// Number of a counter, its offset from 0x100 divided by four.
    pub index: Signal<In, Bits<4>>,
    /// Its value, in the same cycle.
    pub value: Signal<Out, Bits<32>>,
    read_requests: DFF<Bits<32>>,
    write_requests: DFF<Bits<32>>,
    bytes_read: DFF<Bits<32>>,
    bytes_written: DFF<Bits<32>>,
    unexpecteds: DFF<Bits<32>>,
    failures: DFF<Bits<32>>,
    losses: DFF<Bits<32>>,
    refusals: DFF<Bits<32>>,
    interrupts: DFF<Bits<32>>,
    poisoned_writes: DFF<Bits<32>>,
}

impl Logic for CardCounters {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            read_requests,
            write_requests,
            bytes_read,
            bytes_written,
            unexpecteds,
            failures,
            losses,
            refusals,
            interrupts,
            poisoned_writes
        );
        if self.read_request.val() {
            self.read_requests.d.next = self.read_requests.q.val() + 1;
        }
        if self.write_request.val() {
            self.write_requests.d.next = self.write_requests.q.val() + 1;
            self.bytes_written.d.next =
                self.bytes_written.q.val() + (bit_cast::<32, 10>(self.written_dwords.val()) << 2);
        }
        if self.word_read.val() {
            self.bytes_read.d.next = self.bytes_read.q.val() + 8;
        }
        if self.unexpected.val() {
            self.unexpecteds.d.next = self.unexpecteds.q.val() + 1;
        }
        if self.failed.val() {
            self.failures.d.next = self.failures.q.val() + 1;
        }
        if self.lost.val() {
            self.losses.d.next = self.losses.q.val() + 1;
        }
        self.refusals.d.next = self.refusals.q.val()
            + bit_cast::<32, 1>(self.refused.val().into())
            + bit_cast::<32, 1>(self.dropped.val().into());
        if self.interrupt.val() {
            self.interrupts.d.next = self.interrupts.q.val() + 1;
        }
        if self.poisoned_write.val() {
            self.poisoned_writes.d.next = self.poisoned_writes.q.val() + 1;
        }

        self.value.next = 0.into();
        if self.index.val() == 0 {
            self.value.next = self.read_requests.q.val();
        } else if self.index.val() == 1 {
            self.value.next = self.write_requests.q.val();
        } else if self.index.val() == 2 {
            self.value.next = self.bytes_read.q.val();
        } else if self.index.val() == 3 {
            self.value.next = self.bytes_written.q.val();
        } else if self.index.val() == 4 {
            self.value.next = self.unexpecteds.q.val();
        } else if self.index.val() == 5 {
            self.value.next = self.failures.q.val();
        } else if self.index.val() == 6 {
            self.value.next = self.losses.q.val();
        } else if self.index.val() == 7 {
            self.value.next = self.refusals.q.val();
        } else if self.index.val() == 8 {
            self.value.next = self.interrupts.q.val();
        } else if self.index.val() == 10 {
            self.value.next = self.poisoned_writes.q.val();
        }
    }
}
