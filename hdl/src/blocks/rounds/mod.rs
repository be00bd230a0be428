//! Rounds: which banks take a code this cycle, and which code.
//!
//! Two stages. The former looks at the next row of every bank and makes a round of them; the dispenser holds that
//! round until its codes, its activations and its accumulators are there, then issues it. Codes wait in two
//! planes of nibbles, so that one shift serves both kinds of code; `g4` uses the low plane only.

use crate::rtl::*;

/// Forms rounds from column descriptors and row addresses, and deals codes to banks. `F` is the width of a
/// plane, `E` the width of a queued beat with its kind bit on top.
#[derive(LogicBlock)]
pub struct Rounds<const F: usize, const E: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Drops everything under way.
    pub flush: Signal<In, Bit>,
    /// Rows a bank, minus one; constant while a column is under way.
    pub last_row: Signal<In, Bits<ADDRESS>>,

    /// No column descriptor.
    pub column_empty: Signal<In, Bit>,
    /// Column descriptor: bit 0 masked, 1 signed 8-bit codes, 2 upper half of the scales, 3 last of its group,
    /// 4 to 7 codes of padding after the last one.
    pub column: Signal<In, Bits<8>>,
    /// Takes the descriptor.
    pub column_read: Signal<Out, Bit>,

    /// A scanner has no head.
    pub row_empty: Vec<Signal<In, Bit>>,
    /// Head of a scanner: end mark and row address.
    pub row: Vec<Signal<In, Bits<11>>>,
    /// Takes the head.
    pub row_read: Vec<Signal<Out, Bit>>,

    /// No beat of codes.
    pub beat_empty: Signal<In, Bit>,
    /// Kind bit and beat, planes apart if the kind bit is set.
    pub beat: Signal<In, Bits<E>>,
    /// Takes the beat.
    pub beat_read: Signal<Out, Bit>,

    /// The activations of the round's column can be used, if it is the first of its column.
    pub x_ready: Signal<In, Bit>,
    /// The bank's accumulator is still in flight.
    pub conflict: Vec<Signal<In, Bit>>,

    /// A round leaves this cycle (also one without a code, which only ends a column).
    pub fire: Signal<Out, Bit>,
    /// The bank takes part in the round that leaves.
    pub issue: Vec<Signal<Out, Bit>>,
    /// Row address for each bank; stable while the round waits.
    pub address: Vec<Signal<Out, Bits<ADDRESS>>>,
    /// Code for each bank, low nibble.
    pub code_low: Vec<Signal<Out, Bits<4>>>,
    /// Code for each bank, high nibble.
    pub code_high: Vec<Signal<Out, Bits<4>>>,
    /// The round is the first of its column.
    pub first: Signal<Out, Bit>,
    /// The round's codes are signed 8-bit weights.
    pub plain: Signal<Out, Bit>,
    /// The round uses the upper half of the scales.
    pub scale_half: Signal<Out, Bit>,
    /// The round that leaves ends its column.
    pub column_done: Signal<Out, Bit>,
    /// The round that leaves ends its group.
    pub group_done: Signal<Out, Bit>,
    /// Codes that leave this cycle.
    pub codes_done: Signal<Out, Bits<5>>,
    /// A round waits for an accumulator in flight and for nothing else.
    pub hazard: Signal<Out, Bit>,

    under_way: DFF<Bit>,
    counter: DFF<Bits<ADDRESS>>,
    held: DFF<Bit>,
    held_count: DFF<Bits<5>>,
    held_end: DFF<Bit>,
    held_first: DFF<Bit>,
    held_last: DFF<Bit>,
    held_plain: DFF<Bit>,
    held_half: DFF<Bit>,
    held_group: DFF<Bit>,
    held_active: Vec<DFF<Bit>>,
    held_address: Vec<DFF<Bits<ADDRESS>>>,
    held_shift: Vec<DFF<Bits<7>>>,
    low: DFF<Bits<F>>,
    high: DFF<Bits<F>>,
    level: DFF<Bits<6>>,

    masked: Signal<Local, Bit>,
    waiting: Signal<Local, Bit>,
    all_ended: Signal<Local, Bit>,
    dense_last: Signal<Local, Bit>,
    form: Signal<Local, Bit>,
    active: Vec<Signal<Local, Bit>>,
    before: Vec<Signal<Local, Bits<7>>>,
    total: Signal<Local, Bits<7>>,
    in_flight: Signal<Local, Bit>,
    served: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
    spread_low: Vec<Signal<Local, Bits<F>>>,
    spread_high: Vec<Signal<Local, Bits<F>>>,
    refill: Signal<Local, Bit>,
    beat_plain: Signal<Local, Bit>,
    beat_low: Signal<Local, Bits<F>>,
    beat_high: Signal<Local, Bits<F>>,
    beat_codes: Signal<Local, Bits<6>>,
    filled: Signal<Local, Bits<6>>,
    low_filled: Signal<Local, Bits<F>>,
    high_filled: Signal<Local, Bits<F>>,
    fill_shift: Signal<Local, Bits<8>>,
    drain_shift: Signal<Local, Bits<8>>,
    taken: Signal<Local, Bits<6>>,
    packed_codes: Constant<Bits<6>>,
    plain_codes: Constant<Bits<6>>,
    room_packed: Constant<Bits<6>>,
    room_plain: Constant<Bits<6>>,
    full_plane: Constant<Bits<F>>,
    half_plane: Constant<Bits<F>>,
    half_width: Constant<Bits<8>>,
    kind: Constant<Bits<8>>,
    _banks: usize,
}

impl<const F: usize, const E: usize> Rounds<F, E> {
    /// The unit for `banks` banks: at most as many as a beat has `g4` codes.
    #[must_use]
    pub fn new(banks: usize) -> Self {
        assert!(E == F / 2 + 1 && banks <= F / 8);
        Self {
            clock: Signal::default(),
            flush: Signal::default(),
            last_row: Signal::default(),
            column_empty: Signal::default(),
            column: Signal::default(),
            column_read: Signal::default(),
            row_empty: vec![Signal::default(); banks],
            row: vec![Signal::default(); banks],
            row_read: vec![Signal::default(); banks],
            beat_empty: Signal::default(),
            beat: Signal::default(),
            beat_read: Signal::default(),
            x_ready: Signal::default(),
            conflict: vec![Signal::default(); banks],
            fire: Signal::default(),
            issue: vec![Signal::default(); banks],
            address: vec![Signal::default(); banks],
            code_low: vec![Signal::default(); banks],
            code_high: vec![Signal::default(); banks],
            first: Signal::default(),
            plain: Signal::default(),
            scale_half: Signal::default(),
            column_done: Signal::default(),
            group_done: Signal::default(),
            codes_done: Signal::default(),
            hazard: Signal::default(),
            under_way: DFF::default(),
            counter: DFF::default(),
            held: DFF::default(),
            held_count: DFF::default(),
            held_end: DFF::default(),
            held_first: DFF::default(),
            held_last: DFF::default(),
            held_plain: DFF::default(),
            held_half: DFF::default(),
            held_group: DFF::default(),
            held_active: vec![DFF::default(); banks],
            held_address: vec![DFF::default(); banks],
            held_shift: vec![DFF::default(); banks],
            low: DFF::default(),
            high: DFF::default(),
            level: DFF::default(),
            masked: Signal::default(),
            waiting: Signal::default(),
            all_ended: Signal::default(),
            dense_last: Signal::default(),
            form: Signal::default(),
            active: vec![Signal::default(); banks],
            before: vec![Signal::default(); banks + 1],
            total: Signal::default(),
            in_flight: Signal::default(),
            served: Signal::default(),
            go: Signal::default(),
            spread_low: vec![Signal::default(); banks],
            spread_high: vec![Signal::default(); banks],
            refill: Signal::default(),
            beat_plain: Signal::default(),
            beat_low: Signal::default(),
            beat_high: Signal::default(),
            beat_codes: Signal::default(),
            filled: Signal::default(),
            low_filled: Signal::default(),
            high_filled: Signal::default(),
            fill_shift: Signal::default(),
            drain_shift: Signal::default(),
            taken: Signal::default(),
            packed_codes: Constant::new((F / 8).to_bits()),
            plain_codes: Constant::new((F / 16).to_bits()),
            room_packed: Constant::new((F / 8).to_bits()),
            room_plain: Constant::new((F / 4 - F / 16).to_bits()),
            full_plane: Constant::new((u64::MAX >> (64 - F / 2)).into()),
            half_plane: Constant::new((u64::MAX >> (64 - F / 4)).into()),
            half_width: Constant::new((F / 4).to_bits()),
            kind: Constant::new((F / 2).to_bits()),
            _banks: banks,
        }
    }
}

impl<const F: usize, const E: usize> Logic for Rounds<F, E> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, under_way, counter, held, held_count, held_end, held_first, held_last,
            held_plain, held_half, held_group, low, high, level
        );

        // The former: one row of each bank that has one.
        self.masked.next = self.column.val().get_bit(0);
        self.total.next = 0.into();
        self.waiting.next = false;
        self.all_ended.next = true;
        self.before[0].next = 0.into();
        for i in 0..self._banks {
            self.held_active[i].clock.next = self.clock.val();
            self.held_active[i].d.next = self.held_active[i].q.val();
            self.held_address[i].clock.next = self.clock.val();
            self.held_address[i].d.next = self.held_address[i].q.val();
            self.held_shift[i].clock.next = self.clock.val();
            self.held_shift[i].d.next = self.held_shift[i].q.val();
            if self.row_empty[i].val() {
                self.waiting.next = true;
            }
            self.active[i].next = !self.masked.val() || !self.row[i].val().get_bit(10);
            if self.active[i].val() {
                self.all_ended.next = false;
            }
            self.before[i + 1].next = self.before[i].val();
            if self.active[i].val() {
                self.before[i + 1].next = self.before[i].val() + 4;
            }
            self.total.next = self.before[i + 1].val();
        }
        self.dense_last.next = self.counter.q.val() == self.last_row.val();
        self.form.next = !self.column_empty.val()
            && (!self.masked.val() || !self.waiting.val())
            && (!self.held.q.val() || self.go.val());
        self.column_read.next = self.form.val()
            && ((self.masked.val() && self.all_ended.val())
                || (!self.masked.val() && self.dense_last.val()));
        for i in 0..self._banks {
            self.row_read[i].next = self.form.val()
                && self.masked.val()
                && (self.all_ended.val() || self.active[i].val());
        }

        // The dispenser: waits for codes, activations and accumulators.
        self.in_flight.next = false;
        for i in 0..self._banks {
            if self.held_active[i].q.val() && self.conflict[i].val() {
                self.in_flight.next = true;
            }
        }
        self.served.next = self.held.q.val()
            && (self.level.q.val() >= bit_cast::<6, 5>(self.held_count.q.val()))
            && (!self.held_first.q.val() || self.x_ready.val());
        self.go.next = self.served.val() && !self.in_flight.val();
        self.hazard.next = self.served.val() && self.in_flight.val();
        self.fire.next = self.go.val();
        for i in 0..self._banks {
            self.issue[i].next = self.go.val() && self.held_active[i].q.val();
            self.address[i].next = self.held_address[i].q.val();
            self.spread_low[i].next = self.low.q.val() >> self.held_shift[i].q.val();
            self.spread_high[i].next = self.high.q.val() >> self.held_shift[i].q.val();
            self.code_low[i].next = self.spread_low[i].val().get_bits::<4>(0);
            self.code_high[i].next = self.spread_high[i].val().get_bits::<4>(0);
        }
        self.first.next = self.held_first.q.val();
        self.plain.next = self.held_plain.q.val();
        self.scale_half.next = self.held_half.q.val();
        self.column_done.next = self.go.val() && self.held_last.q.val();
        self.group_done.next = self.go.val() && self.held_group.q.val();
        self.codes_done.next = 0.into();
        if self.go.val() && !self.held_end.q.val() {
            self.codes_done.next = self.held_count.q.val();
        }

        // From former to dispenser.
        if self.go.val() {
            self.held.d.next = false;
        }
        if self.form.val() {
            self.held.d.next = true;
            self.held_end.d.next = self.masked.val() && self.all_ended.val();
            self.held_first.d.next = !self.under_way.q.val();
            self.held_last.d.next = self.column_read.val();
            self.held_group.d.next = self.column_read.val() && self.column.val().get_bit(3);
            self.held_plain.d.next = self.column.val().get_bit(1);
            self.held_half.d.next = self.column.val().get_bit(2);
            self.held_count.d.next = bit_cast::<5, 7>(self.total.val() >> 2);
            if self.masked.val() && self.all_ended.val() {
                self.held_count.d.next = bit_cast::<5, 4>(self.column.val().get_bits::<4>(4));
            }
            for i in 0..self._banks {
                self.held_active[i].d.next = self.active[i].val();
                self.held_shift[i].d.next = self.before[i].val();
                self.held_address[i].d.next = self.counter.q.val();
                if self.masked.val() {
                    self.held_address[i].d.next = self.row[i].val().get_bits::<10>(0);
                }
            }
            self.under_way.d.next = !self.column_read.val();
            self.counter.d.next = self.counter.q.val() + 1;
            if self.column_read.val() {
                self.counter.d.next = 0.into();
            }
        }

        // Planes of nibbles: beats enter above what is there, codes leave at the bottom.
        self.beat_plain.next = self.beat.val().get_bit(self.kind.val().index());
        self.beat_low.next = bit_cast::<F, E>(self.beat.val()) & self.full_plane.val();
        self.beat_high.next = 0.into();
        self.beat_codes.next = self.packed_codes.val();
        self.refill.next = !self.beat_empty.val() && (self.level.q.val() <= self.room_packed.val());
        if self.beat_plain.val() {
            self.beat_low.next = bit_cast::<F, E>(self.beat.val()) & self.half_plane.val();
            self.beat_high.next = (bit_cast::<F, E>(self.beat.val()) >> self.half_width.val())
                & self.half_plane.val();
            self.beat_codes.next = self.plain_codes.val();
            self.refill.next =
                !self.beat_empty.val() && (self.level.q.val() <= self.room_plain.val());
        }
        self.beat_read.next = self.refill.val();
        self.fill_shift.next = bit_cast::<8, 6>(self.level.q.val()) << 2;
        self.low_filled.next = self.low.q.val();
        self.high_filled.next = self.high.q.val();
        self.filled.next = self.level.q.val();
        if self.refill.val() {
            self.low_filled.next =
                self.low.q.val() | (self.beat_low.val() << self.fill_shift.val());
            self.high_filled.next =
                self.high.q.val() | (self.beat_high.val() << self.fill_shift.val());
            self.filled.next = self.level.q.val() + self.beat_codes.val();
        }
        self.taken.next = 0.into();
        if self.go.val() {
            self.taken.next = bit_cast::<6, 5>(self.held_count.q.val());
        }
        self.drain_shift.next = bit_cast::<8, 6>(self.taken.val()) << 2;
        self.low.d.next = self.low_filled.val() >> self.drain_shift.val();
        self.high.d.next = self.high_filled.val() >> self.drain_shift.val();
        self.level.d.next = self.filled.val() - self.taken.val();

        if self.flush.val() {
            self.under_way.d.next = false;
            self.counter.d.next = 0.into();
            self.held.d.next = false;
            self.low.d.next = 0.into();
            self.high.d.next = 0.into();
            self.level.d.next = 0.into();
        }
    }
}
