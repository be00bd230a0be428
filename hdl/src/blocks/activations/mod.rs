//! Activation buffer: two groups of vectors, and the vector of the next column made ready beside the one in use.

use crate::blocks::holder::Holder;
use crate::blocks::memory::RegisteredRam;
use crate::blocks::queue::Queue;
use crate::rtl::*;

/// Buffers the activations of two groups in beats of `D` bits and presents one signed byte a lane.
#[derive(LogicBlock)]
pub struct Activations<const D: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Forgets every group and vector.
    pub flush: Signal<In, Bit>,
    /// Stores `beat` as number `index` of the group that is arriving.
    pub write: Signal<In, Bit>,
    /// Number of the beat in its group.
    pub index: Signal<In, Bits<9>>,
    /// Activation bytes.
    pub beat: Signal<In, Bits<D>>,
    /// The arriving group is complete with this beat.
    pub group_write: Signal<In, Bit>,
    /// Its columns, minus one.
    pub last_column: Signal<In, Bits<6>>,
    /// Log2 of the bytes a column.
    pub log2_batch: Signal<In, Bits<3>>,
    /// Bytes a column, minus one.
    pub last_lane: Signal<In, Bits<4>>,
    /// The next vector is ready.
    pub ready: Signal<Out, Bit>,
    /// Sets the next vector aside, so that the one after it can be fetched.
    pub take: Signal<In, Bit>,
    /// Makes the vector set aside the one in use.
    pub show: Signal<In, Bit>,
    /// Activations of lanes 0 to 7, lane 0 in the low byte.
    pub x_low: Signal<Out, Bits<64>>,
    /// Activations of lanes 8 to 15.
    pub x_high: Signal<Out, Bits<64>>,
    memory: RegisteredRam<D, 9>,
    groups: Queue<6, 2, 3>,
    write_half: DFF<Bit>,
    read_half: DFF<Bit>,
    column: DFF<Bits<6>>,
    asked: DFF<Bits<2>>,
    asking: DFF<Bit>,
    asked_valid: DFF<Bit>,
    asked_chunk: DFF<Bits<2>>,
    asked_last: DFF<Bit>,
    asked_byte: DFF<Bits<3>>,
    arriving_byte: DFF<Bits<3>>,
    arriving: DFF<Bit>,
    arriving_chunk: DFF<Bits<2>>,
    arriving_last: DFF<Bit>,
    valid: DFF<Bit>,
    next_low: DFF<Bits<64>>,
    next_high: DFF<Bits<64>>,
    holder: Vec<Holder>,
    kept: DFF<Bits<64>>,
    base: Signal<Local, Bits<11>>,
    last_chunk: Signal<Local, Bits<4>>,
    first_byte: Signal<Local, Bits<3>>,
    shifted: Signal<Local, Bits<D>>,
    ask: Signal<Local, Bit>,
    upper: Signal<Local, Bit>,
    odd: Signal<Local, Bit>,
    bytes: Signal<Local, Bits<64>>,
    placed: Signal<Local, Bits<64>>,
    wide: Constant<Bit>,
    all: Constant<Bits<64>>,
    one: Constant<Bits<64>>,
    two: Constant<Bits<64>>,
    four: Constant<Bits<64>>,
    half: Constant<Bits<9>>,
    log2_beat: Constant<Bits<2>>,
    byte_mask: Constant<Bits<11>>,
}

impl<const D: usize> Activations<D> {
    /// The buffer for `lanes` tokens.
    #[must_use]
    pub fn new(lanes: usize, hops: usize) -> Self {
        let bytes = D / 8;
        let half = weft_protocol::MAX_COLUMNS * lanes / bytes;
        Self {
            clock: Signal::default(),
            flush: Signal::default(),
            write: Signal::default(),
            index: Signal::default(),
            beat: Signal::default(),
            group_write: Signal::default(),
            last_column: Signal::default(),
            log2_batch: Signal::default(),
            last_lane: Signal::default(),
            ready: Signal::default(),
            take: Signal::default(),
            show: Signal::default(),
            x_low: Signal::default(),
            x_high: Signal::default(),
            memory: RegisteredRam::new(2 * half),
            groups: Queue::default(),
            write_half: DFF::default(),
            read_half: DFF::default(),
            column: DFF::default(),
            asked: DFF::default(),
            asking: DFF::default(),
            asked_valid: DFF::default(),
            asked_chunk: DFF::default(),
            asked_last: DFF::default(),
            asked_byte: DFF::default(),
            arriving_byte: DFF::default(),
            arriving: DFF::default(),
            arriving_chunk: DFF::default(),
            arriving_last: DFF::default(),
            valid: DFF::default(),
            next_low: DFF::default(),
            next_high: DFF::default(),
            holder: (0..4).map(|_| Holder::new(hops)).collect(),
            kept: DFF::default(),
            base: Signal::default(),
            last_chunk: Signal::default(),
            first_byte: Signal::default(),
            shifted: Signal::default(),
            upper: Signal::default(),
            odd: Signal::default(),
            bytes: Signal::default(),
            placed: Signal::default(),
            ask: Signal::default(),
            wide: Constant::new(D == 64),
            all: Constant::new(u64::MAX.into()),
            one: Constant::new(0xff.into()),
            two: Constant::new(0xffff.into()),
            four: Constant::new(0xffff_ffff.into()),
            half: Constant::new(half.to_bits()),
            log2_beat: Constant::new(clog2(bytes).to_bits()),
            byte_mask: Constant::new((bytes - 1).to_bits()),
        }
    }
}

impl<const D: usize> Logic for Activations<D> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            write_half,
            read_half,
            column,
            asked,
            asking,
            asked_valid,
            asked_chunk,
            asked_last,
            asked_byte,
            arriving_byte,
            arriving,
            arriving_chunk,
            arriving_last,
            valid,
            next_low,
            next_high,
            kept
        );
        clock!(self, clock, memory, groups);

        // Arriving group.
        self.memory.write_enable.next = self.write.val();
        self.memory.write_data.next = self.beat.val();
        self.memory.write_address.next = self.index.val();
        if self.write_half.q.val() {
            self.memory.write_address.next = self.index.val() | self.half.val();
        }
        self.groups.clear.next = self.flush.val();
        self.groups.write.next = self.group_write.val();
        self.groups.data.next = self.last_column.val();
        self.groups.read.next = false;
        if self.group_write.val() {
            self.write_half.d.next = !self.write_half.q.val();
        }

        // Fetch of the next vector, a beat a cycle.
        self.base.next = bit_cast::<11, 6>(self.column.q.val()) << self.log2_batch.val();
        self.first_byte.next = bit_cast::<3, 11>(self.base.val() & self.byte_mask.val());
        self.last_chunk.next = self.last_lane.val() >> self.log2_beat.val();
        self.ask.next = !self.groups.empty.val()
            && (self.asking.q.val()
                || (!self.valid.q.val() && !self.asked_valid.q.val() && !self.arriving.q.val()));
        self.memory.read_address.next = bit_cast::<9, 11>(self.base.val() >> self.log2_beat.val())
            | bit_cast::<9, 2>(self.asked.q.val());
        if self.read_half.q.val() {
            self.memory.read_address.next =
                bit_cast::<9, 11>(self.base.val() >> self.log2_beat.val())
                    | bit_cast::<9, 2>(self.asked.q.val())
                    | self.half.val();
        }
        self.asked_valid.d.next = self.ask.val();
        self.asked_chunk.d.next = self.asked.q.val();
        self.asked_byte.d.next = self.first_byte.val();
        self.asked_last.d.next =
            self.ask.val() && (bit_cast::<4, 2>(self.asked.q.val()) == self.last_chunk.val());
        self.arriving.d.next = self.asked_valid.q.val();
        self.arriving_chunk.d.next = self.asked_chunk.q.val();
        self.arriving_byte.d.next = self.asked_byte.q.val();
        self.arriving_last.d.next = self.asked_last.q.val();
        if self.ask.val() {
            self.asking.d.next = true;
            self.asked.d.next = self.asked.q.val() + 1;
            if bit_cast::<4, 2>(self.asked.q.val()) == self.last_chunk.val() {
                self.asking.d.next = false;
                self.asked.d.next = 0.into();
            }
        }
        if self.arriving.q.val() && self.arriving_last.q.val() {
            self.valid.d.next = true;
            self.column.d.next = self.column.q.val() + 1;
            if self.column.q.val() == self.groups.head.val() {
                self.column.d.next = 0.into();
                self.groups.read.next = true;
                self.read_half.d.next = !self.read_half.q.val();
            }
        }
        if self.take.val() {
            self.valid.d.next = false;
        }
        self.ready.next = self.valid.q.val();
        self.shifted.next =
            self.memory.read_data.val() >> (bit_cast::<6, 3>(self.arriving_byte.q.val()) << 3);
        // Which bytes are the vector's changes with the tile only.
        self.kept.d.next = self.all.val();
        if self.log2_batch.val() == 0 {
            self.kept.d.next = self.one.val();
        } else if self.log2_batch.val() == 1 {
            self.kept.d.next = self.two.val();
        } else if self.log2_batch.val() == 2 {
            self.kept.d.next = self.four.val();
        }
        self.bytes.next = bit_cast::<64, D>(self.shifted.val()) & self.kept.q.val();
        self.odd.next = self.arriving_chunk.q.val().get_bit(0) && !self.wide.val();
        self.upper.next = self.arriving_chunk.q.val().get_bit(1);
        if self.wide.val() {
            self.upper.next = self.arriving_chunk.q.val().get_bit(0);
        }
        self.placed.next = self.bytes.val();
        if self.odd.val() {
            self.placed.next = self.bytes.val() << 32;
        }
        if self.arriving.q.val() {
            if self.upper.val() {
                self.next_high.d.next = self.next_high.q.val() | self.placed.val();
            } else if self.odd.val() {
                self.next_low.d.next = self.next_low.q.val() | self.placed.val();
            } else {
                self.next_low.d.next = self.placed.val();
                self.next_high.d.next = 0.into();
            }
        }
        for i in 0..4 {
            self.holder[i].clock.next = self.clock.val();
            self.holder[i].take.next = self.take.val();
            self.holder[i].show.next = self.show.val();
        }
        self.holder[0].next_x.next = self.next_low.q.val().get_bits::<32>(0);
        self.holder[1].next_x.next = self.next_low.q.val().get_bits::<32>(32);
        self.holder[2].next_x.next = self.next_high.q.val().get_bits::<32>(0);
        self.holder[3].next_x.next = self.next_high.q.val().get_bits::<32>(32);
        self.x_low.next = bit_cast::<64, 32>(self.holder[0].x.val())
            | (bit_cast::<64, 32>(self.holder[1].x.val()) << 32);
        self.x_high.next = bit_cast::<64, 32>(self.holder[2].x.val())
            | (bit_cast::<64, 32>(self.holder[3].x.val()) << 32);

        if self.flush.val() {
            self.write_half.d.next = false;
            self.read_half.d.next = false;
            self.column.d.next = 0.into();
            self.asked.d.next = 0.into();
            self.asking.d.next = false;
            self.asked_valid.d.next = false;
            self.asked_last.d.next = false;
            self.arriving.d.next = false;
            self.valid.d.next = false;
        }
    }
}
