//! Rounds: which banks take a code this cycle, and which code.
//!
//! The former looks at the next row of every bank and makes a round of them. Three stages work out what the round
//! needs: where its codes lie, and which of the rounds before it still use its accumulators. The dispenser (`logic.rs`)
//! holds it until everything is there, then issues it.

mod logic;

use crate::blocks::ranks::Ranks;
use crate::blocks::relay::Relay;
use crate::rtl::*;

/// Forms rounds from column descriptors and row addresses, and deals codes to banks. `F` is the width of a code
/// word: two planes of `F / 8` nibbles.
///
/// A *slot* is one bank's part of a round: bit 10 says that it takes part, below is the row address. The *flags* of a
/// round are bit 0 only ends a masked column, 1 first of its column, 2 last of its column, 3 last of its group,
/// 4 signed 8-bit codes, 5 upper half of the scales.
#[derive(LogicBlock)]
pub struct Rounds<const F: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Drops everything under way.
    pub flush: Signal<In, Bit>,
    /// Rows a bank, minus two.
    pub next_to_last_row: Signal<In, Bits<ADDRESS>>,

    /// No column descriptor.
    pub column_empty: Signal<In, Bit>,
    /// Column descriptor: bit 0 masked, 1 signed 8-bit codes, 2 upper half of the scales, 3 last of its group.
    pub column: Signal<In, Bits<4>>,
    /// Takes the descriptor.
    pub column_read: Signal<Out, Bit>,

    /// A scanner has no head.
    pub row_empty: Vec<Signal<In, Bit>>,
    /// Head of a scanner: end mark and row address.
    pub row: Vec<Signal<In, Bits<11>>>,
    /// Takes the head.
    pub row_read: Vec<Signal<Out, Bit>>,

    /// No code word.
    pub word_empty: Signal<In, Bit>,
    /// Code word. A column begins with a new word.
    pub word: Signal<In, Bits<F>>,
    /// Takes the word.
    pub word_read: Signal<Out, Bit>,

    /// The activations of the round's column can be used, if it is the first of its column.
    pub x_ready: Signal<In, Bit>,

    /// A round leaves this cycle (also one without a code, which only ends a column).
    pub fire: Signal<Out, Bit>,
    /// The bank takes part in the round that leaves.
    pub issue: Vec<Signal<Out, Bit>>,
    /// Row address for each bank; stable while the round waits.
    pub address: Vec<Signal<Out, Bits<ADDRESS>>>,
    /// Code for each bank, low nibble, a relay after `issue` and `address`.
    pub code_low: Vec<Signal<Out, Bits<4>>>,
    /// Code for each bank, high nibble, a relay after `issue` and `address`.
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

    // Former, and a spare place for the round that it forms while stage 1 stands.
    under_way: DFF<Bit>,
    counter: DFF<Bits<ADDRESS>>,
    dense_last: DFF<Bit>,
    spare_valid: DFF<Bit>,
    spare_flags: DFF<Bits<6>>,
    spare_slot: Vec<DFF<Bits<11>>>,
    // Stage 1: the round.
    formed_valid: DFF<Bit>,
    formed_flags: DFF<Bits<6>>,
    formed_slot: Vec<DFF<Bits<11>>>,
    // Stage 2: its codes counted.
    ranked_valid: DFF<Bit>,
    ranked_flags: DFF<Bits<6>>,
    ranked_slot: Vec<DFF<Bits<11>>>,
    ranked_before: Vec<DFF<Bits<7>>>,
    ranked_count: DFF<Bits<7>>,
    position: DFF<Bits<7>>,
    // Stage 3: where its codes lie, whom it meets.
    placed_valid: DFF<Bit>,
    placed_flags: DFF<Bits<6>>,
    placed_slot: Vec<DFF<Bits<11>>>,
    placed_shift: Vec<DFF<Bits<7>>>,
    placed_count: DFF<Bits<5>>,
    placed_any: DFF<Bit>,
    placed_two: DFF<Bit>,
    placed_drop: DFF<Bit>,
    placed_meets: Vec<DFF<Bit>>,
    placed_after1: Vec<DFF<Bit>>,
    placed_after2: Vec<DFF<Bit>>,
    placed_after3: Vec<DFF<Bit>>,
    // Stage 4: the round waits to leave.
    held_valid: DFF<Bit>,
    held_flags: DFF<Bits<6>>,
    held_slot: Vec<DFF<Bits<11>>>,
    held_shift: Vec<DFF<Bits<7>>>,
    held_count: DFF<Bits<5>>,
    held_any: DFF<Bit>,
    held_two: DFF<Bit>,
    held_drop: DFF<Bit>,
    held_near: DFF<Bits<4>>,
    held_free: DFF<Bit>,
    // What left one and two cycles ago.
    issued_slot: Vec<DFF<Bits<11>>>,
    earlier_slot: Vec<DFF<Bits<11>>>,
    // The code word in use; the next one is the queue's head.
    current_valid: DFF<Bit>,
    current: DFF<Bits<F>>,
    // What left: four nibbles of each plane for each bank, and which of them it is.
    near_low: Vec<Relay<16>>,
    near_high: Vec<Relay<16>>,
    near_shift: Vec<Relay<4>>,

    ranks: Ranks,
    masked: Signal<Local, Bit>,
    waiting: Signal<Local, Bit>,
    all_ended: Signal<Local, Bit>,
    ends: Signal<Local, Bit>,
    form: Signal<Local, Bit>,
    opening: Signal<Local, Bit>,
    new_flags: Signal<Local, Bits<6>>,
    new_slot: Vec<Signal<Local, Bits<11>>>,
    active: Vec<Signal<Local, Bits<16>>>,
    reach: Signal<Local, Bits<8>>,
    step1: Signal<Local, Bit>,
    step2: Signal<Local, Bit>,
    step3: Signal<Local, Bit>,
    step4: Signal<Local, Bit>,
    meets_placed: Vec<Signal<Local, Bit>>,
    meets_held: Vec<Signal<Local, Bit>>,
    meets_issued: Vec<Signal<Local, Bit>>,
    meets_earlier: Vec<Signal<Local, Bit>>,
    near0: Signal<Local, Bit>,
    near1: Signal<Local, Bit>,
    near2: Signal<Local, Bit>,
    near3: Signal<Local, Bit>,
    coded: Signal<Local, Bit>,
    served: Signal<Local, Bit>,
    go: Signal<Local, Bit>,
    advance: Signal<Local, Bit>,
    low: Signal<Local, Bits<F>>,
    high: Signal<Local, Bits<F>>,
    spread_low: Vec<Signal<Local, Bits<F>>>,
    spread_high: Vec<Signal<Local, Bits<F>>>,
    picked_low: Vec<Signal<Local, Bits<16>>>,
    picked_high: Vec<Signal<Local, Bits<16>>>,
    full: Constant<Bits<8>>,
    wrap: Constant<Bits<8>>,
    plane: Constant<Bits<8>>,
    low_mask: Constant<Bits<F>>,
    bit_of: Vec<Constant<Bits<16>>>,
    _banks: usize,
}

impl<const F: usize> Rounds<F> {
    /// The unit for `banks` banks: at most as many as a word has codes; relays take `hops` clocks.
    #[must_use]
    pub fn new(banks: usize, hops: usize) -> Self {
        assert!(banks <= F / 8 && F <= 128);
        Self {
            clock: Signal::default(),
            flush: Signal::default(),
            next_to_last_row: Signal::default(),
            column_empty: Signal::default(),
            column: Signal::default(),
            column_read: Signal::default(),
            row_empty: vec![Signal::default(); banks],
            row: vec![Signal::default(); banks],
            row_read: vec![Signal::default(); banks],
            word_empty: Signal::default(),
            word: Signal::default(),
            word_read: Signal::default(),
            x_ready: Signal::default(),
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
            dense_last: DFF::default(),
            spare_valid: DFF::default(),
            spare_flags: DFF::default(),
            spare_slot: vec![DFF::default(); banks],
            formed_valid: DFF::default(),
            formed_flags: DFF::default(),
            formed_slot: vec![DFF::default(); banks],
            ranked_valid: DFF::default(),
            ranked_flags: DFF::default(),
            ranked_slot: vec![DFF::default(); banks],
            ranked_before: vec![DFF::default(); banks],
            ranked_count: DFF::default(),
            position: DFF::default(),
            placed_valid: DFF::default(),
            placed_flags: DFF::default(),
            placed_slot: vec![DFF::default(); banks],
            placed_shift: vec![DFF::default(); banks],
            placed_count: DFF::default(),
            placed_any: DFF::default(),
            placed_two: DFF::default(),
            placed_drop: DFF::default(),
            placed_meets: vec![DFF::default(); banks],
            placed_after1: vec![DFF::default(); banks],
            placed_after2: vec![DFF::default(); banks],
            placed_after3: vec![DFF::default(); banks],
            held_valid: DFF::default(),
            held_flags: DFF::default(),
            held_slot: vec![DFF::default(); banks],
            held_shift: vec![DFF::default(); banks],
            held_count: DFF::default(),
            held_any: DFF::default(),
            held_two: DFF::default(),
            held_drop: DFF::default(),
            held_near: DFF::default(),
            held_free: DFF::default(),
            issued_slot: vec![DFF::default(); banks],
            earlier_slot: vec![DFF::default(); banks],
            current_valid: DFF::default(),
            current: DFF::default(),
            near_low: (0..banks).map(|_| Relay::new(hops)).collect(),
            near_high: (0..banks).map(|_| Relay::new(hops)).collect(),
            near_shift: (0..banks).map(|_| Relay::new(hops)).collect(),
            ranks: Ranks::new(banks),
            masked: Signal::default(),
            waiting: Signal::default(),
            all_ended: Signal::default(),
            ends: Signal::default(),
            form: Signal::default(),
            opening: Signal::default(),
            new_flags: Signal::default(),
            new_slot: vec![Signal::default(); banks],
            active: vec![Signal::default(); banks + 1],
            reach: Signal::default(),
            step1: Signal::default(),
            step2: Signal::default(),
            step3: Signal::default(),
            step4: Signal::default(),
            meets_placed: vec![Signal::default(); banks],
            meets_held: vec![Signal::default(); banks],
            meets_issued: vec![Signal::default(); banks],
            meets_earlier: vec![Signal::default(); banks],
            near0: Signal::default(),
            near1: Signal::default(),
            near2: Signal::default(),
            near3: Signal::default(),
            coded: Signal::default(),
            served: Signal::default(),
            go: Signal::default(),
            advance: Signal::default(),
            low: Signal::default(),
            high: Signal::default(),
            spread_low: vec![Signal::default(); banks],
            spread_high: vec![Signal::default(); banks],
            picked_low: vec![Signal::default(); banks],
            picked_high: vec![Signal::default(); banks],
            full: Constant::new((F / 2).to_bits()),
            wrap: Constant::new((F / 2 - 1).to_bits()),
            plane: Constant::new((F / 2).to_bits()),
            low_mask: Constant::new((u64::MAX >> (64 - F / 2)).into()),
            bit_of: (0..banks)
                .map(|b| Constant::new((1_u64 << b).to_bits()))
                .collect(),
            _banks: banks,
        }
    }
}
