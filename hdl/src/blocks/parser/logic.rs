//! The parser's state machine.
//!
//! What a state asks of a long word (how many beats are left, whether this one ends its part) stands in a register
//! of one bit that is worked out along with the word.

use super::{Parser, State};
use crate::rtl::*;

// The description language has no match guards, and `else if` branches stand in order of precedence.
#[allow(clippy::collapsible_match, clippy::if_same_then_else)]
impl<const D: usize> Logic for Parser<D> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            state,
            after,
            reason,
            failed,
            flushing,
            draining,
            sweeping,
            head_low,
            head_high,
            answer_low,
            answer_high,
            tile,
            opened,
            scales,
            granules,
            batch,
            groups,
            settle,
            settled,
            half,
            plain,
            masked,
            fetch_scales,
            column_end,
            column_before,
            column_index,
            column_last,
            left,
            left_any,
            left_more,
            code_blocked,
            column_blocked,
            part,
            part_last,
            first_beat,
            padded,
            fewer_survivors,
            none
        );
        clock!(self, clock, shape, judge, outlet);

        // Shape of the tile.
        self.shape.granules.next = self.granules.q.val();
        self.shape.batch.next = self.batch.q.val();
        self.last_row.next = self.shape.last_row.val();
        self.next_to_last_row.next = self.shape.next_to_last_row.val();
        self.last_word.next = self.shape.last_word.val();
        self.next_to_last_word.next = self.shape.next_to_last_word.val();
        self.last_lane.next = self.shape.last_lane.val();
        self.log2_batch.next = self.batch.q.val();

        // Header fields.
        self.flags.next = self.head_low.q.val().get_bits::<8>(8);
        self.arg16.next = self.head_low.q.val().get_bits::<16>(16);
        self.register.next = self.arg16.val();
        self.judge.low.next = self.head_low.q.val();
        self.judge.high.next = self.head_high.q.val();
        self.judge.batch.next = self.batch.q.val();
        self.judge.scales.next = self.scales.q.val();

        // Codes of the column, less one, in units of eight bytes. With four bytes a beat no part ends with its
        // first beat; with eight, a column of one unit does.
        self.fewer.next = self.shape.dense_fewer.val();
        if self.masked.q.val() {
            self.fewer.next = self.fewer_survivors.q.val();
        }
        self.units.next = self.fewer.val() >> 4;
        if self.plain.q.val() {
            self.units.next = self.fewer.val() >> 3;
        }
        self.single.next = !self.units.val().any();
        self.empty_column.next = false;

        // Which unit the beat is for, and whether that unit has room. Queues say early that they are full, so what they said
        // may be a clock old.
        self.code_blocked.d.next = self.code_full.val();
        self.column_blocked.d.next = self.column_full.val();
        self.have.next = !self.beat_empty.val();
        self.header_read.next = false;
        self.payload.next = false;
        self.room.next = true;
        self.scale_offer.next = false;
        match self.state.q.val() {
            State::Header => {
                self.header_read.next = true;
            }
            State::HeaderHigh => {
                self.header_read.next = true;
            }
            State::Activations => {
                self.payload.next = true;
            }
            State::Scales => {
                self.payload.next = true;
                self.scale_offer.next = self.have.val() && self.left_any.q.val();
                self.room.next = self.scale_accept.val();
            }
            State::Mask => {
                self.payload.next = true;
                self.room.next = !self.mask_full.val();
            }
            State::Codes => {
                self.payload.next = true;
                self.empty_column.next =
                    self.first_beat.q.val() && self.masked.q.val() && self.none.q.val();
                self.room.next = !self.code_blocked.q.val()
                    && (!self.first_beat.q.val() || !self.column_blocked.q.val());
            }
            _ => {}
        }
        self.consume.next = self.payload.val()
            && self.have.val()
            && self.room.val()
            && self.left_any.q.val()
            && !self.empty_column.val();
        self.beat_read.next = self.consume.val() || (self.header_read.val() && self.have.val());
        self.busy.next = self.opened.q.val() && !(self.state.q.val() == State::Drain);
        self.starved.next = self.busy.val()
            && !self.have.val()
            && (self.header_read.val() || (self.payload.val() && self.room.val()));
        self.stalled.next = self.opened.q.val() && self.have.val() && !self.beat_read.val();

        // The beat's place in its part.
        self.last.next = self.part_last.q.val();
        if self.first_beat.q.val() && (self.state.q.val() == State::Codes) {
            self.last.next = self.wide.val() && self.single.val();
        }
        self.part_done.next = (self.consume.val() && self.last.val())
            || (self.empty_column.val() && !self.column_blocked.q.val());
        self.column_last.d.next = self.column_index.q.val() == self.column_end.q.val();
        if self.consume.val() {
            self.first_beat.d.next = false;
            self.part.d.next = self.part.q.val() - 1;
            self.part_last.d.next = self.part.q.val() == 2;
            if self.first_beat.q.val() && (self.state.q.val() == State::Codes) {
                self.part.d.next = bit_cast::<16, 15>(self.units.val());
                self.part_last.d.next = self.units.val() == 1;
                self.padded.d.next = false;
                if !self.wide.val() {
                    self.part.d.next = (bit_cast::<16, 15>(self.units.val()) << 1) + 1;
                    self.part_last.d.next = self.single.val();
                    self.padded.d.next = !self.plain.q.val() && !self.fewer.val().get_bit(3);
                }
            }
        }

        // Beats handed on.
        self.outlet.state.next = self.state.q.val();
        self.outlet.beat.next = self.beat.val();
        self.outlet.consume.next = self.consume.val();
        self.outlet.last.next = self.last.val();
        self.outlet.padding.next =
            self.part_last.q.val() && self.padded.q.val() && !self.first_beat.q.val();
        self.outlet.opens.next = (self.state.q.val() == State::Codes)
            && ((self.consume.val() && self.first_beat.q.val())
                || (self.empty_column.val() && !self.column_blocked.q.val()));
        self.outlet.described.next = (bit_cast::<4, 1>(self.column_last.q.val().into()) << 3)
            | (bit_cast::<4, 1>(self.half.q.val().into()) << 2)
            | (bit_cast::<4, 1>(self.plain.q.val().into()) << 1)
            | bit_cast::<4, 1>(self.masked.q.val().into());
        self.handed.next = self.outlet.handed.val();
        self.index.next = self.outlet.index.val();
        self.x_write.next = self.outlet.x_write.val();
        self.x_last.next = self.outlet.x_last.val();
        self.mask_write.next = self.outlet.mask_write.val();
        self.code_write.next = self.outlet.code_write.val();
        self.code_last.next = self.outlet.code_last.val();
        self.column_write.next = self.outlet.column_write.val();
        self.column.next = self.outlet.column.val();
        self.last_column.next = bit_cast::<6, 7>(self.column_end.q.val());
        self.scale_restart.next = self.state.q.val() == State::Activations;
        self.scale_half.next = self.half.q.val();
        self.code_plain.next = self.plain.q.val();
        if self.consume.val() && (self.state.q.val() == State::Mask) {
            self.fewer_survivors.d.next =
                self.fewer_survivors.q.val() + bit_cast::<15, 7>(self.ones.val());
            self.none.d.next = self.none.q.val() && !self.some.val();
        }

        // Waiting until every round has left and every sum is stored.
        self.settled.d.next = self.settle.q.val().all() && !self.groups.q.val().any();
        if self.groups.q.val().any() {
            self.settle.d.next = 0.into();
        } else if !self.settle.q.val().all() {
            self.settle.d.next = self.settle.q.val() + 1;
        }

        // State machine.
        self.refuse.next = false;
        self.start_group.next = false;
        self.tile_done.next = false;
        self.answer_write.next = false;
        self.answer.next = self.answer_low.q.val();
        self.draining.d.next = false;
        self.sweeping.d.next = false;
        self.clear.next = false;
        self.error.next = false;
        self.enter_scales.next = false;
        self.enter_mask.next = false;
        self.enter_codes.next = false;
        match self.state.q.val() {
            State::Boot => {
                self.sweeping.d.next = true;
                if self.sweep_done.val() {
                    self.state.d.next = State::Header;
                }
            }
            State::Header => {
                if self.have.val() {
                    self.head_low.d.next = bit_cast::<32, D>(self.beat.val());
                    self.head_high.d.next =
                        bit_cast::<32, D>(self.beat.val() >> self.high_shift.val());
                    self.state.d.next = State::HeaderHigh;
                    if self.wide.val() {
                        self.state.d.next = State::Decode;
                    }
                }
            }
            State::HeaderHigh => {
                if self.have.val() {
                    self.head_high.d.next = bit_cast::<32, D>(self.beat.val());
                    self.state.d.next = State::Decode;
                }
            }
            State::Decode => {
                self.state.d.next = State::Execute;
            }
            State::Execute => {
                self.state.d.next = State::Header;
                if self.judge.is.val().get_bit(0) {
                    self.state.d.next = State::Sweep;
                } else if self.failed.q.val() {
                    self.state.d.next = State::Header;
                } else if self.judge.is.val().get_bit(1) {
                    if self.judge.bad_rows.val() {
                        self.refuse.next = true;
                        self.reason.d.next = 3.into();
                    } else if self.judge.bad_batch.val() {
                        self.refuse.next = true;
                        self.reason.d.next = 4.into();
                    } else if !self.settled.q.val() {
                        self.state.d.next = State::Execute;
                    } else {
                        self.tile.d.next = true;
                        self.opened.d.next = true;
                        self.scales.d.next = false;
                        self.granules.d.next = bit_cast::<9, 16>(self.arg16.val());
                        self.batch.d.next = bit_cast::<3, 8>(self.flags.val());
                    }
                } else if self.judge.is.val().get_bit(2) {
                    if !self.tile.q.val() {
                        self.refuse.next = true;
                        self.reason.d.next = 6.into();
                    } else if self.judge.bad_columns.val() {
                        self.refuse.next = true;
                        self.reason.d.next = 5.into();
                    } else if self.judge.no_scales.val() {
                        self.refuse.next = true;
                        self.reason.d.next = 9.into();
                    } else if self.groups.q.val().get_bit(1) {
                        self.state.d.next = State::Execute;
                    } else {
                        self.start_group.next = true;
                        self.opened.d.next = true;
                        self.plain.d.next = self.flags.val().get_bit(0);
                        self.masked.d.next = self.flags.val().get_bit(1);
                        self.fetch_scales.d.next =
                            !self.flags.val().get_bit(0) && !self.flags.val().get_bit(2);
                        if !self.flags.val().get_bit(0) && !self.flags.val().get_bit(2) {
                            self.half.d.next = !self.half.q.val();
                            self.scales.d.next = true;
                        }
                        self.column_end.d.next = bit_cast::<7, 16>(self.arg16.val()) - 1;
                        self.column_before.d.next = bit_cast::<7, 16>(self.arg16.val()) - 2;
                        self.column_index.d.next = 0.into();
                        self.part.d.next = bit_cast::<16, 12>(self.judge.x_beats.val());
                        self.part_last.d.next = self.judge.x_beats.val() == 1;
                        self.left.d.next =
                            bit_cast::<33, 32>(self.head_high.q.val()) << self.beat_shift.val();
                        self.left_any.d.next = self.head_high.q.val().any();
                        self.left_more.d.next = self.head_high.q.val().any()
                            && (!self.wide.val() || (self.head_high.q.val() >> 1).any());
                        self.state.d.next = State::Activations;
                    }
                } else if self.judge.is.val().get_bit(3) {
                    if !self.tile.q.val() {
                        self.refuse.next = true;
                        self.reason.d.next = 6.into();
                    } else if !self.settled.q.val() || !self.answer_empty.val() {
                        // A drain counts on an empty queue for its words.
                        self.state.d.next = State::Execute;
                    } else {
                        self.answer_low.d.next = (bit_cast::<32, 9>(self.granules.q.val()) << 16)
                            | (bit_cast::<32, 3>(self.batch.q.val()) << 8)
                            | 0x83;
                        self.answer_high.d.next = self.head_high.q.val();
                        self.after.d.next = State::Drain;
                        self.state.d.next = State::AnswerLow;
                    }
                } else if self.judge.is.val().get_bit(4) {
                    if !self.register_known.val() {
                        self.refuse.next = true;
                        self.reason.d.next = 7.into();
                    } else if !self.settled.q.val() {
                        self.state.d.next = State::Execute;
                    } else {
                        self.answer_low.d.next =
                            (bit_cast::<32, 16>(self.arg16.val()) << 16) | 0x84;
                        self.after.d.next = State::Header;
                        self.state.d.next = State::Fetch;
                    }
                } else if self.judge.is.val().get_bit(6) {
                    self.refuse.next = true;
                    self.reason.d.next = 8.into();
                } else if self.judge.is.val().get_bit(5) {
                    self.refuse.next = true;
                    self.reason.d.next = 1.into();
                }
            }
            State::Fetch => {
                self.state.d.next = State::Fetched;
            }
            State::Fetched => {
                self.answer_high.d.next = self.register_value.val();
                self.state.d.next = State::AnswerLow;
            }
            State::Activations => {
                if self.part_done.val() {
                    if self.fetch_scales.q.val() {
                        self.enter_scales.next = true;
                    } else if self.masked.q.val() {
                        self.enter_mask.next = true;
                    } else {
                        self.enter_codes.next = true;
                    }
                }
            }
            State::Scales => {
                if self.part_done.val() {
                    if self.masked.q.val() {
                        self.enter_mask.next = true;
                    } else {
                        self.enter_codes.next = true;
                    }
                }
            }
            State::Mask => {
                if self.part_done.val() {
                    self.enter_codes.next = true;
                }
            }
            State::Codes => {
                if self.part_done.val() {
                    self.column_index.d.next = self.column_index.q.val() + 1;
                    self.column_last.d.next =
                        self.column_index.q.val() == self.column_before.q.val();
                    if self.column_last.q.val() {
                        self.state.d.next = State::Header;
                        if self.left_any.q.val() && (!self.consume.val() || self.left_more.q.val())
                        {
                            self.refuse.next = true;
                            self.reason.d.next = 2.into();
                        }
                    } else if self.masked.q.val() {
                        self.enter_mask.next = true;
                    } else {
                        self.enter_codes.next = true;
                    }
                }
            }
            State::AnswerLow => {
                self.answer_write.next = !self.answer_full.val();
                if !self.answer_full.val() {
                    self.state.d.next = State::AnswerHigh;
                }
            }
            State::AnswerHigh => {
                self.answer.next = self.answer_high.q.val();
                self.answer_write.next = !self.answer_full.val();
                if !self.answer_full.val() {
                    self.state.d.next = self.after.q.val();
                }
            }
            State::Drain => {
                self.draining.d.next = true;
                if self.drain_done.val() && self.answer_empty.val() {
                    self.tile_done.next = true;
                    self.opened.d.next = false;
                    self.state.d.next = State::Header;
                }
            }
            State::Sweep => {
                self.sweeping.d.next = true;
                self.clear.next = true;
                self.failed.d.next = false;
                self.tile.d.next = false;
                self.opened.d.next = false;
                self.scales.d.next = false;
                self.half.d.next = false;
                if self.sweep_done.val() {
                    self.answer_low.d.next = 0x85.into();
                    self.answer_high.d.next = self.version.val();
                    self.after.d.next = State::Header;
                    self.state.d.next = State::AnswerLow;
                }
            }
            State::Refuse => {
                self.error.next = true;
                self.failed.d.next = true;
                self.opened.d.next = false;
                self.answer_low.d.next = (bit_cast::<32, 4>(self.reason.q.val()) << 8) | 0x8e;
                self.answer_high.d.next = self.head_low.q.val();
                self.after.d.next = State::Header;
                self.state.d.next = State::AnswerLow;
            }
            _ => {}
        }
        self.drain.next = self.draining.q.val();
        self.sweep.next = self.sweeping.q.val();

        // The next part of a payload.
        if self.enter_scales.val() {
            self.state.d.next = State::Scales;
            self.part.d.next =
                (bit_cast::<16, 9>(self.granules.q.val()) << 4) << self.beat_shift.val();
            self.part_last.d.next = false;
        }
        if self.enter_mask.val() {
            self.state.d.next = State::Mask;
            self.part.d.next = bit_cast::<16, 9>(self.granules.q.val()) << self.beat_shift.val();
            self.part_last.d.next = self.wide.val() && (self.granules.q.val() == 1);
            self.fewer_survivors.d.next = 0x7fff.into();
            self.none.d.next = true;
        }
        if self.enter_codes.val() {
            self.state.d.next = State::Codes;
            self.first_beat.d.next = true;
        }

        // What is left of the payload; one that ends before its parts do is refused.
        if self.consume.val() {
            self.left.d.next = self.left.q.val() - 1;
            self.left_any.d.next = self.left_more.q.val();
            self.left_more.d.next =
                (self.left.q.val() >> 2).any() || (self.left.q.val().get_bits::<2>(0) == 3);
        }
        if self.payload.val() && !self.empty_column.val() && !self.left_any.q.val() {
            self.refuse.next = true;
            self.reason.d.next = 2.into();
        }
        if self.refuse.val() {
            self.state.d.next = State::Refuse;
        }

        // Groups under way.
        if self.start_group.val() && !self.group_done.val() {
            self.groups.d.next = self.groups.q.val() + 1;
        }
        if !self.start_group.val() && self.group_done.val() {
            self.groups.d.next = self.groups.q.val() - 1;
        }
        self.flushing.d.next = self.failed.q.val() || (self.state.q.val() == State::Sweep);
        self.flush.next = self.flushing.q.val();
        if self.flushing.q.val() {
            self.groups.d.next = 0.into();
        }

        if self.reset.val() {
            self.state.d.next = State::Boot;
            self.flushing.d.next = true;
            self.clear.next = true;
            self.draining.d.next = false;
            self.sweeping.d.next = false;
            self.failed.d.next = false;
            self.tile.d.next = false;
            self.opened.d.next = false;
            self.scales.d.next = false;
            self.half.d.next = false;
        }
        self.open.next = self.opened.q.val();
    }
}
