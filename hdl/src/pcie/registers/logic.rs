//! What a write changes, and what a read finds.

use super::CardRegisters;
use crate::rtl::*;

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
