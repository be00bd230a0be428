//! Intake: beats of the stream into the beat queue, each with the count of its ones.
//!
//! The parser needs the ones of a mask beat on the spot to know how many codes follow. Counted here, before anyone
//! knows whether the beat is a mask, they cost latency and no time.

use crate::blocks::queue::Queue;
use crate::rtl::*;

/// Takes beats of `D` bits, counts their ones in two registered steps and queues both; `E` is `D + 8`.
#[derive(LogicBlock)]
pub struct Intake<const D: usize, const E: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Drops everything that is queued.
    pub clear: Signal<In, Bit>,
    /// A beat is offered.
    pub offer: Signal<In, Bit>,
    /// The beat.
    pub data: Signal<In, Bits<D>>,
    /// The beat is taken at this edge if it is offered.
    pub ready: Signal<Out, Bit>,
    /// Takes the head.
    pub read: Signal<In, Bit>,
    /// No head.
    pub empty: Signal<Out, Bit>,
    /// Oldest beat, valid while `empty` is low.
    pub beat: Signal<Out, Bits<D>>,
    /// Ones of the oldest beat.
    pub ones: Signal<Out, Bits<7>>,
    /// The oldest beat has a one.
    pub some: Signal<Out, Bit>,
    queue: Queue<E, 4, 5>,
    arrived: DFF<Bits<D>>,
    arrived_valid: DFF<Bit>,
    counted: DFF<Bits<D>>,
    counted_valid: DFF<Bit>,
    bytes: DFF<Bits<D>>,
    pairs: Signal<Local, Bits<D>>,
    quads: Signal<Local, Bits<D>>,
    sixteens: Signal<Local, Bits<D>>,
    words: Signal<Local, Bits<D>>,
    total: Signal<Local, Bits<7>>,
    mask1: Constant<Bits<D>>,
    mask2: Constant<Bits<D>>,
    mask4: Constant<Bits<D>>,
    mask8: Constant<Bits<D>>,
    at: Constant<Bits<7>>,
    top: Constant<Bits<7>>,
}

/// The low `D` bits of a pattern.
fn every<const D: usize>(pattern: u64) -> Bits<D> {
    (pattern & (u64::MAX >> (64 - D))).into()
}

impl<const D: usize, const E: usize> Default for Intake<D, E> {
    fn default() -> Self {
        assert!(E == D + 8 && D <= 64);
        Self {
            clock: Signal::default(),
            clear: Signal::default(),
            offer: Signal::default(),
            data: Signal::default(),
            ready: Signal::default(),
            read: Signal::default(),
            empty: Signal::default(),
            beat: Signal::default(),
            ones: Signal::default(),
            some: Signal::default(),
            queue: Queue::default(),
            arrived: DFF::default(),
            arrived_valid: DFF::default(),
            counted: DFF::default(),
            counted_valid: DFF::default(),
            bytes: DFF::default(),
            pairs: Signal::default(),
            quads: Signal::default(),
            sixteens: Signal::default(),
            words: Signal::default(),
            total: Signal::default(),
            mask1: Constant::new(every(0x5555_5555_5555_5555)),
            mask2: Constant::new(every(0x3333_3333_3333_3333)),
            mask4: Constant::new(every(0x0f0f_0f0f_0f0f_0f0f)),
            mask8: Constant::new(every(0x00ff_00ff_00ff_00ff)),
            at: Constant::new(D.to_bits()),
            top: Constant::new((D + 7).to_bits()),
        }
    }
}

impl<const D: usize, const E: usize> Logic for Intake<D, E> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            arrived,
            arrived_valid,
            counted,
            counted_valid,
            bytes
        );
        clock!(self, clock, queue);

        self.ready.next = !self.queue.full.val();
        self.arrived.d.next = self.data.val();
        self.arrived_valid.d.next = self.offer.val() && !self.queue.full.val();

        // Ones of each byte, then of the beat.
        self.pairs.next = self.arrived.q.val() - ((self.arrived.q.val() >> 1) & self.mask1.val());
        self.quads.next =
            (self.pairs.val() & self.mask2.val()) + ((self.pairs.val() >> 2) & self.mask2.val());
        self.bytes.d.next = (self.quads.val() + (self.quads.val() >> 4)) & self.mask4.val();
        self.counted.d.next = self.arrived.q.val();
        self.counted_valid.d.next = self.arrived_valid.q.val();
        self.sixteens.next = (self.bytes.q.val() + (self.bytes.q.val() >> 8)) & self.mask8.val();
        self.words.next = self.sixteens.val() + (self.sixteens.val() >> 16);
        self.total.next = bit_cast::<7, D>(self.words.val() + (self.words.val() >> 32));

        self.queue.clear.next = self.clear.val();
        self.queue.write.next = self.counted_valid.q.val();
        self.queue.data.next = bit_cast::<E, D>(self.counted.q.val())
            | (bit_cast::<E, 7>(self.total.val()) << self.at.val())
            | (bit_cast::<E, 1>(self.bytes.q.val().any().into()) << self.top.val());
        self.queue.read.next = self.read.val();
        self.empty.next = self.queue.empty.val();
        self.beat.next = bit_cast::<D, E>(self.queue.head.val());
        self.ones.next = self.queue.head.val().get_bits::<7>(self.at.val().index());
        self.some.next = self.queue.head.val().get_bit(self.top.val().index());
    }
}
