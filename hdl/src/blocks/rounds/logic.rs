//! What the stages do.
//!
//! A stage takes the round before it when it is empty or its own round moves on, so gaps close up while the last
//! stage waits. An accumulator is read in stage 8 of a bank and written at the end of stage 12: a round must not
//! leave while one of the four before it, cycle by cycle, has the same row of the same bank.

use super::Rounds;
use crate::rtl::*;

impl<const F: usize> Logic for Rounds<F> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            under_way,
            counter,
            dense_last,
            spare_valid,
            spare_flags,
            formed_valid,
            formed_flags,
            ranked_valid,
            ranked_flags,
            ranked_count,
            position,
            placed_valid,
            placed_flags,
            placed_count,
            placed_any,
            placed_two,
            placed_drop,
            held_valid,
            held_flags,
            held_count,
            held_any,
            held_two,
            held_drop,
            held_near,
            held_free,
            current_valid,
            current
        );
        for i in 0..self._banks {
            self.spare_slot[i].clock.next = self.clock.val();
            self.formed_slot[i].clock.next = self.clock.val();
            self.ranked_slot[i].clock.next = self.clock.val();
            self.ranked_before[i].clock.next = self.clock.val();
            self.placed_slot[i].clock.next = self.clock.val();
            self.placed_shift[i].clock.next = self.clock.val();
            self.placed_meets[i].clock.next = self.clock.val();
            self.placed_after1[i].clock.next = self.clock.val();
            self.placed_after2[i].clock.next = self.clock.val();
            self.placed_after3[i].clock.next = self.clock.val();
            self.held_slot[i].clock.next = self.clock.val();
            self.held_shift[i].clock.next = self.clock.val();
            self.issued_slot[i].clock.next = self.clock.val();
            self.earlier_slot[i].clock.next = self.clock.val();
            self.near_low[i].clock.next = self.clock.val();
            self.near_high[i].clock.next = self.clock.val();
            self.near_shift[i].clock.next = self.clock.val();
            self.spare_slot[i].d.next = self.spare_slot[i].q.val();
            self.formed_slot[i].d.next = self.formed_slot[i].q.val();
            self.ranked_slot[i].d.next = self.ranked_slot[i].q.val();
            self.ranked_before[i].d.next = self.ranked_before[i].q.val();
            self.placed_slot[i].d.next = self.placed_slot[i].q.val();
            self.placed_shift[i].d.next = self.placed_shift[i].q.val();
            self.held_slot[i].d.next = self.held_slot[i].q.val();
            self.held_shift[i].d.next = self.held_shift[i].q.val();
        }

        // The dispenser: codes, activations, accumulators.
        self.coded.next = !self.held_any.q.val()
            || (self.current_valid.q.val() && (!self.held_two.q.val() || !self.word_empty.val()));
        self.served.next = self.held_valid.q.val()
            && self.coded.val()
            && (!self.held_flags.q.val().get_bit(1) || self.x_ready.val());
        self.go.next = self.served.val() && self.held_free.q.val();
        self.hazard.next = self.served.val() && !self.held_free.q.val();
        self.step4.next = !self.held_valid.q.val() || self.go.val();
        self.step3.next = self.step4.val() || !self.placed_valid.q.val();
        self.step2.next = self.step3.val() || !self.ranked_valid.q.val();
        self.step1.next = self.step2.val() || !self.formed_valid.q.val();

        // The former: one row of each bank that has one.
        self.masked.next = self.column.val().get_bit(0);
        self.waiting.next = false;
        self.all_ended.next = true;
        for i in 0..self._banks {
            if self.row_empty[i].val() {
                self.waiting.next = true;
            }
            if !self.row[i].val().get_bit(10) {
                self.all_ended.next = false;
            }
        }
        self.form.next = !self.column_empty.val()
            && (!self.masked.val() || !self.waiting.val())
            && !self.spare_valid.q.val();
        self.ends.next = self.masked.val() && self.all_ended.val();
        self.column_read.next =
            self.form.val() && (self.ends.val() || (!self.masked.val() && self.dense_last.q.val()));
        self.opening.next = !self.under_way.q.val();
        self.new_flags.next = bit_cast::<6, 1>(self.ends.val().into())
            | (bit_cast::<6, 1>(self.opening.val().into()) << 1)
            | (bit_cast::<6, 1>(self.column_read.val().into()) << 2)
            | (bit_cast::<6, 1>((self.column_read.val() && self.column.val().get_bit(3)).into())
                << 3)
            | (bit_cast::<6, 1>(self.column.val().get_bit(1).into()) << 4)
            | (bit_cast::<6, 1>(self.column.val().get_bit(2).into()) << 5);
        for i in 0..self._banks {
            self.row_read[i].next = self.form.val()
                && self.masked.val()
                && (self.all_ended.val() || !self.row[i].val().get_bit(10));
            self.new_slot[i].next = bit_cast::<11, 10>(self.counter.q.val()) | 0x400;
            if self.masked.val() {
                self.new_slot[i].next = self.row[i].val() ^ 0x400;
            }
        }
        if self.form.val() {
            self.under_way.d.next = !self.column_read.val();
            self.counter.d.next = self.counter.q.val() + 1;
            self.dense_last.d.next = self.counter.q.val() == self.next_to_last_row.val();
            if self.column_read.val() {
                self.counter.d.next = 0.into();
                self.dense_last.d.next = false;
            }
        }

        // Stage 1, and the spare place before it.
        if !self.spare_valid.q.val() {
            self.spare_flags.d.next = self.new_flags.val();
            for i in 0..self._banks {
                self.spare_slot[i].d.next = self.new_slot[i].val();
            }
        }
        if self.step1.val() {
            self.spare_valid.d.next = false;
            self.formed_valid.d.next = self.spare_valid.q.val() || self.form.val();
            self.formed_flags.d.next = self.new_flags.val();
            if self.spare_valid.q.val() {
                self.formed_flags.d.next = self.spare_flags.q.val();
            }
            for i in 0..self._banks {
                self.formed_slot[i].d.next = self.new_slot[i].val();
                if self.spare_valid.q.val() {
                    self.formed_slot[i].d.next = self.spare_slot[i].q.val();
                }
            }
        } else if self.form.val() {
            self.spare_valid.d.next = true;
        }

        // Stage 2: the codes of the banks before each bank.
        self.active[0].next = 0.into();
        for i in 0..self._banks {
            self.active[i + 1].next = self.active[i].val();
            if self.formed_slot[i].q.val().get_bit(10) {
                self.active[i + 1].next = self.active[i].val() | self.bit_of[i].val();
            }
            self.ranks.active.next = self.active[i + 1].val();
        }
        if self.step2.val() {
            self.ranked_valid.d.next = self.formed_valid.q.val();
            self.ranked_flags.d.next = self.formed_flags.q.val();
            for i in 0..self._banks {
                self.ranked_slot[i].d.next = self.formed_slot[i].q.val();
                self.ranked_before[i].d.next = self.ranks.before[i].val();
                self.ranked_count.d.next = self.ranks.before[i + 1].val();
            }
        }

        // Stage 3: codes lie from `position` of the current word onward, a column begins with a new word.
        self.reach.next =
            bit_cast::<8, 7>(self.position.q.val()) + bit_cast::<8, 7>(self.ranked_count.q.val());
        if self.step3.val() {
            self.placed_valid.d.next = self.ranked_valid.q.val();
            self.placed_flags.d.next = self.ranked_flags.q.val();
            self.placed_count.d.next = bit_cast::<5, 7>(self.ranked_count.q.val() >> 2);
            self.placed_any.d.next = self.ranked_count.q.val().any();
            self.placed_two.d.next = self.reach.val() > self.full.val();
            self.placed_drop.d.next = (self.reach.val() >= self.full.val())
                || (self.ranked_flags.q.val().get_bit(0) && self.position.q.val().any());
            for i in 0..self._banks {
                self.placed_slot[i].d.next = self.ranked_slot[i].q.val();
                self.placed_shift[i].d.next = self.position.q.val() + self.ranked_before[i].q.val();
            }
            if self.ranked_valid.q.val() {
                self.position.d.next = bit_cast::<7, 8>(self.reach.val() & self.wrap.val());
                if self.ranked_flags.q.val().get_bit(0) {
                    self.position.d.next = 0.into();
                }
            }
        }

        // The interlock looks ahead from stage 2. In stage 3 a bank knows whether it meets the round in stage 4, and
        // those that left one, two and three cycles ago; in stage 4 bit k - 1 is the one that left k cycles ago.
        self.near0.next = false;
        self.near1.next = false;
        self.near2.next = false;
        self.near3.next = false;
        for i in 0..self._banks {
            self.meets_placed[i].next = self.ranked_slot[i].q.val().get_bit(10)
                && (self.ranked_slot[i].q.val() == self.placed_slot[i].q.val());
            self.meets_held[i].next = self.ranked_slot[i].q.val().get_bit(10)
                && (self.ranked_slot[i].q.val() == self.held_slot[i].q.val());
            self.meets_issued[i].next = self.ranked_slot[i].q.val().get_bit(10)
                && (self.ranked_slot[i].q.val() == self.issued_slot[i].q.val());
            self.meets_earlier[i].next = self.ranked_slot[i].q.val().get_bit(10)
                && (self.ranked_slot[i].q.val() == self.earlier_slot[i].q.val());
            self.placed_meets[i].d.next = self.placed_meets[i].q.val();
            self.placed_after1[i].d.next = false;
            self.placed_after2[i].d.next = self.placed_after1[i].q.val();
            self.placed_after3[i].d.next = self.placed_after2[i].q.val();
            if self.step3.val() {
                self.placed_meets[i].d.next = (self.placed_valid.q.val()
                    && self.meets_placed[i].val())
                    || (!self.placed_valid.q.val()
                        && self.held_valid.q.val()
                        && !self.go.val()
                        && self.meets_held[i].val());
                self.placed_after1[i].d.next = self.meets_held[i].val() && self.go.val();
                self.placed_after2[i].d.next = self.meets_issued[i].val();
                self.placed_after3[i].d.next = self.meets_earlier[i].val();
            }
            if self.placed_meets[i].q.val() {
                self.near0.next = true;
            }
            if self.placed_after1[i].q.val() {
                self.near1.next = true;
            }
            if self.placed_after2[i].q.val() {
                self.near2.next = true;
            }
            if self.placed_after3[i].q.val() {
                self.near3.next = true;
            }
            self.issued_slot[i].d.next = 0.into();
            if self.go.val() {
                self.issued_slot[i].d.next = self.held_slot[i].q.val();
            }
            self.earlier_slot[i].d.next = self.issued_slot[i].q.val();
        }
        self.held_near.d.next = self.held_near.q.val() << 1;
        self.held_free.d.next = !(self.held_near.q.val() & 7).any();

        // Stage 4.
        if self.step4.val() {
            self.held_valid.d.next = self.placed_valid.q.val();
            self.held_flags.d.next = self.placed_flags.q.val();
            self.held_count.d.next = self.placed_count.q.val();
            self.held_any.d.next = self.placed_any.q.val();
            self.held_two.d.next = self.placed_two.q.val();
            self.held_drop.d.next = self.placed_drop.q.val();
            self.held_near.d.next = bit_cast::<4, 1>((self.near0.val() && self.go.val()).into())
                | (bit_cast::<4, 1>(self.near1.val().into()) << 1)
                | (bit_cast::<4, 1>(self.near2.val().into()) << 2)
                | (bit_cast::<4, 1>(self.near3.val().into()) << 3);
            self.held_free.d.next = !((self.near0.val() && self.go.val())
                || self.near1.val()
                || self.near2.val()
                || self.near3.val());
            for i in 0..self._banks {
                self.held_slot[i].d.next = self.placed_slot[i].q.val();
                self.held_shift[i].d.next = self.placed_shift[i].q.val();
            }
        }

        // What leaves.
        self.fire.next = self.go.val();
        self.first.next = self.held_flags.q.val().get_bit(1);
        self.plain.next = self.held_flags.q.val().get_bit(4);
        self.scale_half.next = self.held_flags.q.val().get_bit(5);
        self.column_done.next = self.go.val() && self.held_flags.q.val().get_bit(2);
        self.group_done.next = self.go.val() && self.held_flags.q.val().get_bit(3);
        self.codes_done.next = 0.into();
        if self.go.val() {
            self.codes_done.next = self.held_count.q.val();
        }
        self.low.next =
            (self.current.q.val() & self.low_mask.val()) | (self.word.val() << self.plane.val());
        self.high.next =
            (self.current.q.val() >> self.plane.val()) | (self.word.val() & !self.low_mask.val());
        for i in 0..self._banks {
            self.issue[i].next = self.go.val() && self.held_slot[i].q.val().get_bit(10);
            self.address[i].next = self.held_slot[i].q.val().get_bits::<10>(0);
            // One nibble of sixteen and more is two steps: four of them now, one of those behind a relay.
            self.spread_low[i].next = self.low.val() >> (self.held_shift[i].q.val() & 0x70);
            self.spread_high[i].next = self.high.val() >> (self.held_shift[i].q.val() & 0x70);
            self.near_low[i].d.next = self.spread_low[i].val().get_bits::<16>(0);
            self.near_high[i].d.next = self.spread_high[i].val().get_bits::<16>(0);
            self.near_shift[i].d.next = self.held_shift[i].q.val().get_bits::<4>(0);
            self.picked_low[i].next = self.near_low[i].q.val() >> self.near_shift[i].q.val();
            self.picked_high[i].next = self.near_high[i].q.val() >> self.near_shift[i].q.val();
            self.code_low[i].next = self.picked_low[i].val().get_bits::<4>(0);
            self.code_high[i].next = self.picked_high[i].val().get_bits::<4>(0);
        }

        // The current word, and its successor at the head of the queue.
        self.advance.next =
            !self.current_valid.q.val() || (self.go.val() && self.held_drop.q.val());
        self.word_read.next = self.advance.val() && !self.word_empty.val();
        if self.advance.val() {
            self.current.d.next = self.word.val();
            self.current_valid.d.next = !self.word_empty.val();
        }

        if self.flush.val() {
            self.under_way.d.next = false;
            self.counter.d.next = 0.into();
            self.dense_last.d.next = false;
            self.spare_valid.d.next = false;
            self.formed_valid.d.next = false;
            self.ranked_valid.d.next = false;
            self.placed_valid.d.next = false;
            self.held_valid.d.next = false;
            self.position.d.next = 0.into();
            self.current_valid.d.next = false;
        }
    }
}
