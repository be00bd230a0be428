//! The parser's state machine.

use super::{Parser, State};
use crate::rtl::*;

// The description language has no match guards, and `else if` branches stand in order of precedence.
#[allow(clippy::collapsible_match, clippy::if_same_then_else)]
impl<const D: usize, const E: usize> Logic for Parser<D, E> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            state,
            after,
            failed,
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
            half,
            plain,
            masked,
            fetch_scales,
            columns,
            column_index,
            left,
            beat_index,
            survivors
        );

        // Shape of the tile.
        self.last_row.next = bit_cast::<10, 16>(
            (bit_cast::<16, 9>(self.granules.q.val()) << self.row_shift.val()) - 1,
        );
        self.last_word.next = bit_cast::<9, 10>(
            (bit_cast::<10, 9>(self.granules.q.val()) << self.beat_shift.val()) - 1,
        );
        self.log2_batch.next = self.batch.q.val();
        self.lanes.next = bits::<5>(1) << self.batch.q.val();
        self.last_lane.next = bit_cast::<4, 5>(self.lanes.val() - 1);

        // Header fields.
        self.op.next = self.head_low.q.val().get_bits::<8>(0);
        self.flags.next = self.head_low.q.val().get_bits::<8>(8);
        self.arg16.next = self.head_low.q.val().get_bits::<16>(16);
        self.register.next = self.arg16.val();
        self.reset_header.next = (self.op.val() == 0x05)
            && (self.arg16.val() == self.reset16.val())
            && (self.head_high.q.val() == self.reset32.val());

        // Ones of a mask beat.
        self.pairs.next = self.beat.val() - ((self.beat.val() >> 1) & self.mask1.val());
        self.quads.next =
            (self.pairs.val() & self.mask2.val()) + ((self.pairs.val() >> 2) & self.mask2.val());
        self.octets.next = (self.quads.val() + (self.quads.val() >> 4)) & self.mask4.val();
        self.sixteens.next = (self.octets.val() + (self.octets.val() >> 8)) & self.mask8.val();
        self.words.next = self.sixteens.val() + (self.sixteens.val() >> 16);
        self.ones.next = bit_cast::<15, D>(self.words.val() + (self.words.val() >> 32)) & 0x7f;

        // Length of each part of a payload, in beats.
        self.codes.next = bit_cast::<15, 9>(self.granules.q.val()) << 6;
        if self.masked.q.val() {
            self.codes.next = self.survivors.q.val();
        }
        self.code_units.next = (self.codes.val() + 15) >> 4;
        self.code_beats.next =
            (self.codes.val() + self.packed_round.val()) >> self.packed_log2.val();
        self.padding.next =
            bit_cast::<4, 15>((bits::<15>(0) - self.codes.val()) & self.packed_round.val());
        if self.plain.q.val() {
            self.code_units.next = (self.codes.val() + 7) >> 3;
            self.code_beats.next =
                (self.codes.val() + self.plain_round.val()) >> self.plain_log2.val();
            self.padding.next =
                bit_cast::<4, 15>((bits::<15>(0) - self.codes.val()) & self.plain_round.val());
        }
        self.activations.next =
            ((bit_cast::<11, 7>(self.columns.q.val()) << self.batch.q.val()) + 7) >> 3;
        self.limit.next = bit_cast::<16, 15>(self.code_units.val()) << self.beat_shift.val();
        self.empty_column.next = false;

        // Which unit the beat is for, and whether that unit has room.
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
                self.limit.next =
                    bit_cast::<16, 11>(self.activations.val()) << self.beat_shift.val();
            }
            State::Scales => {
                self.payload.next = true;
                self.scale_offer.next = self.have.val() && self.left.q.val().any();
                self.room.next = self.scale_accept.val() || !self.have.val();
                self.limit.next =
                    (bit_cast::<16, 9>(self.granules.q.val()) << 4) << self.beat_shift.val();
            }
            State::Mask => {
                self.payload.next = true;
                self.room.next = !self.mask_full.val();
                self.limit.next = bit_cast::<16, 9>(self.granules.q.val()) << self.beat_shift.val();
            }
            State::Codes => {
                self.payload.next = true;
                self.empty_column.next = !self.codes.val().any();
                self.room.next = !self.code_full.val()
                    && (self.beat_index.q.val().any() || !self.column_full.val());
            }
            _ => {}
        }
        self.consume.next = self.payload.val()
            && self.have.val()
            && self.room.val()
            && self.left.q.val().any()
            && !self.empty_column.val();
        self.beat_read.next = self.consume.val() || (self.header_read.val() && self.have.val());
        self.busy.next = self.opened.q.val() && !(self.state.q.val() == State::Drain);
        self.starved.next = self.busy.val()
            && !self.have.val()
            && (self.header_read.val() || (self.payload.val() && self.room.val()));
        self.stalled.next = self.opened.q.val() && self.have.val() && !self.beat_read.val();

        // Beats handed on.
        self.index.next = self.beat_index.q.val();
        self.next_index.next = self.beat_index.q.val() + 1;
        self.next_column.next = self.column_index.q.val() + 1;
        self.column_last.next = self.next_column.val() == self.columns.q.val();
        self.part_done.next = (self.consume.val() && (self.next_index.val() == self.limit.val()))
            || (self.empty_column.val() && !self.column_full.val());
        self.x_write.next = self.consume.val() && (self.state.q.val() == State::Activations);
        self.x_last.next = self.x_write.val() && self.part_done.val();
        self.last_column.next = bit_cast::<6, 7>(self.columns.q.val() - 1);
        self.scale_restart.next = self.state.q.val() == State::Activations;
        self.scale_half.next = self.half.q.val();
        self.mask_write.next = self.consume.val() && (self.state.q.val() == State::Mask);
        self.code_write.next = self.consume.val()
            && (self.state.q.val() == State::Codes)
            && (bit_cast::<15, 16>(self.beat_index.q.val()) < self.code_beats.val());
        self.code.next = bit_cast::<E, D>(self.beat.val());
        if self.plain.q.val() {
            self.code.next = bit_cast::<E, D>(self.planes.val()) | self.kind.val();
        }
        self.column_write.next = (self.state.q.val() == State::Codes)
            && ((self.consume.val() && !self.beat_index.q.val().any())
                || (self.empty_column.val() && !self.column_full.val()));
        self.column.next = (bit_cast::<8, 4>(self.padding.val()) << 4)
            | (bit_cast::<8, 1>(self.column_last.val().into()) << 3)
            | (bit_cast::<8, 1>(self.half.q.val().into()) << 2)
            | (bit_cast::<8, 1>(self.plain.q.val().into()) << 1)
            | bit_cast::<8, 1>(self.masked.q.val().into());
        if self.mask_write.val() {
            self.survivors.d.next = self.survivors.q.val() + self.ones.val();
            if !self.beat_index.q.val().any() {
                self.survivors.d.next = self.ones.val();
            }
        }

        // Waiting until every round has left and every sum is stored.
        self.settled.next = self.settle.q.val().all();
        if self.groups.q.val().any() {
            self.settle.d.next = 0.into();
        } else if !self.settled.val() {
            self.settle.d.next = self.settle.q.val() + 1;
        }

        // State machine.
        self.refuse.next = false;
        self.reason.next = 0.into();
        self.start_group.next = false;
        self.tile_done.next = false;
        self.answer_write.next = false;
        self.answer.next = self.answer_low.q.val();
        self.drain.next = false;
        self.sweep.next = false;
        self.clear.next = false;
        self.after_scales.next = State::Codes;
        if self.masked.q.val() {
            self.after_scales.next = State::Mask;
        }
        match self.state.q.val() {
            State::Boot => {
                self.sweep.next = true;
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
                self.state.d.next = State::Header;
                if self.reset_header.val() {
                    self.state.d.next = State::Sweep;
                } else if self.failed.q.val() {
                    self.state.d.next = State::Header;
                } else if self.op.val() == 0x00 {
                    self.state.d.next = State::Header;
                } else if self.op.val() == 0x01 {
                    if !self.arg16.val().any() || (self.arg16.val() > self.most_granules.val()) {
                        self.refuse.next = true;
                        self.reason.next = 3.into();
                    } else if self.flags.val() > self.most_log2.val() {
                        self.refuse.next = true;
                        self.reason.next = 4.into();
                    } else if !self.settled.val() {
                        self.state.d.next = State::Decode;
                    } else {
                        self.tile.d.next = true;
                        self.opened.d.next = true;
                        self.scales.d.next = false;
                        self.granules.d.next = bit_cast::<9, 16>(self.arg16.val());
                        self.batch.d.next = bit_cast::<3, 8>(self.flags.val());
                    }
                } else if self.op.val() == 0x02 {
                    if !self.tile.q.val() {
                        self.refuse.next = true;
                        self.reason.next = 6.into();
                    } else if !self.arg16.val().any() || (self.arg16.val() > 64) {
                        self.refuse.next = true;
                        self.reason.next = 5.into();
                    } else if !self.flags.val().get_bit(0)
                        && self.flags.val().get_bit(2)
                        && !self.scales.q.val()
                    {
                        self.refuse.next = true;
                        self.reason.next = 9.into();
                    } else if self.groups.q.val().get_bit(1) {
                        self.state.d.next = State::Decode;
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
                        self.columns.d.next = bit_cast::<7, 16>(self.arg16.val());
                        self.column_index.d.next = 0.into();
                        self.beat_index.d.next = 0.into();
                        self.left.d.next =
                            bit_cast::<33, 32>(self.head_high.q.val()) << self.beat_shift.val();
                        self.state.d.next = State::Activations;
                    }
                } else if self.op.val() == 0x03 {
                    if !self.tile.q.val() {
                        self.refuse.next = true;
                        self.reason.next = 6.into();
                    } else if !self.settled.val() {
                        self.state.d.next = State::Decode;
                    } else {
                        self.answer_low.d.next = (bit_cast::<32, 9>(self.granules.q.val()) << 16)
                            | (bit_cast::<32, 3>(self.batch.q.val()) << 8)
                            | 0x83;
                        self.answer_high.d.next = self.head_high.q.val();
                        self.after.d.next = State::Drain;
                        self.state.d.next = State::AnswerLow;
                    }
                } else if self.op.val() == 0x04 {
                    if !self.register_known.val() {
                        self.refuse.next = true;
                        self.reason.next = 7.into();
                    } else if !self.settled.val() {
                        self.state.d.next = State::Decode;
                    } else {
                        self.answer_low.d.next =
                            (bit_cast::<32, 16>(self.arg16.val()) << 16) | 0x84;
                        self.answer_high.d.next = self.register_value.val();
                        self.after.d.next = State::Header;
                        self.state.d.next = State::AnswerLow;
                    }
                } else if self.op.val() == 0x05 {
                    self.refuse.next = true;
                    self.reason.next = 8.into();
                } else {
                    self.refuse.next = true;
                    self.reason.next = 1.into();
                }
            }
            State::Activations => {
                if self.part_done.val() {
                    self.state.d.next = self.after_scales.val();
                    if self.fetch_scales.q.val() {
                        self.state.d.next = State::Scales;
                    }
                }
            }
            State::Scales => {
                if self.part_done.val() {
                    self.state.d.next = self.after_scales.val();
                }
            }
            State::Mask => {
                if self.part_done.val() {
                    self.state.d.next = State::Codes;
                }
            }
            State::Codes => {
                if self.part_done.val() {
                    self.column_index.d.next = self.next_column.val();
                    self.state.d.next = self.after_scales.val();
                    if self.column_last.val() {
                        self.state.d.next = State::Header;
                        if !((self.left.q.val() == 0)
                            || (self.consume.val() && (self.left.q.val() == 1)))
                        {
                            self.refuse.next = true;
                            self.reason.next = 2.into();
                        }
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
                self.drain.next = true;
                if self.drain_done.val() && self.answer_empty.val() {
                    self.tile_done.next = true;
                    self.opened.d.next = false;
                    self.state.d.next = State::Header;
                }
            }
            State::Sweep => {
                self.sweep.next = true;
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
            _ => {}
        }

        // Payload counting; a payload that ends before its parts do is refused.
        if self.consume.val() {
            self.left.d.next = self.left.q.val() - 1;
            self.beat_index.d.next = self.next_index.val();
        }
        if self.payload.val() && self.part_done.val() {
            self.beat_index.d.next = 0.into();
        }
        if self.payload.val() && !self.empty_column.val() && !self.left.q.val().any() {
            self.refuse.next = true;
            self.reason.next = 2.into();
        }
        self.error.next = self.refuse.val();
        if self.refuse.val() {
            self.failed.d.next = true;
            self.opened.d.next = false;
            self.answer_low.d.next = (bit_cast::<32, 4>(self.reason.val()) << 8) | 0x8e;
            self.answer_high.d.next = self.head_low.q.val();
            self.after.d.next = State::Header;
            self.state.d.next = State::AnswerLow;
        }

        // Groups under way.
        if self.start_group.val() && !self.group_done.val() {
            self.groups.d.next = self.groups.q.val() + 1;
        }
        if !self.start_group.val() && self.group_done.val() {
            self.groups.d.next = self.groups.q.val() - 1;
        }
        self.flush.next = self.failed.q.val() || (self.state.q.val() == State::Sweep);
        if self.flush.val() {
            self.groups.d.next = 0.into();
        }
        self.open.next = self.opened.q.val();
    }
}
