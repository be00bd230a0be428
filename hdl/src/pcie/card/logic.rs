//! The card's wires, and its resets and faults.

use super::Card;
use crate::rtl::*;

#[allow(clippy::if_same_then_else)]
impl<const D: usize, const M: usize, const F: usize, const E: usize> Logic for Card<D, M, F, E> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, halted, fault, cookie, reset_seen, quiet, patience, read_high
        );
        clock!(
            self,
            clock,
            receiver,
            completer,
            sender,
            registers,
            counters,
            interrupts,
            window,
            reassembly,
            requests,
            command_fetcher,
            command_slots,
            result_fetcher,
            result_slots,
            commands,
            segments,
            data,
            joiner,
            core,
            answers,
            jobs,
            words,
            records,
            writer
        );
        self.resetting.next = self.registers.resetting.val();
        self.stopped.next = self.halted.q.val() || self.resetting.val();

        // Sizes that configuration space sets.
        self.max_payload_words.next = 64.into();
        if self.max_payload.val() == 0 {
            self.max_payload_words.next = 16.into();
        } else if self.max_payload.val() == 1 {
            self.max_payload_words.next = 32.into();
        } else if self.max_payload.val() == 7 {
            self.max_payload_words.next = 8.into();
        }
        self.max_read_words.next = 64.into();
        self.read_piece.next = 511.into();
        if self.max_read.val() == 0 {
            self.max_read_words.next = 16.into();
            self.read_piece.next = 127.into();
        } else if self.max_read.val() == 1 {
            self.max_read_words.next = 32.into();
            self.read_piece.next = 255.into();
        }

        // Received packets.
        self.receiver.valid.next = self.rx_valid.val();
        self.rx_ready.next = self.receiver.ready.val();
        self.receiver.data.next = self.rx_data.val();
        self.receiver.last.next = self.rx_last.val();
        self.receiver.keep.next = self.rx_keep.val();
        self.receiver.poison.next = self.rx_poison.val();
        self.receiver.bar.next = self.rx_bar.val();
        self.rx_read_ok.next = self.completer.read_ok.val();

        // Requests to the card.
        self.completer.push.next = self.receiver.request.val();
        self.completer.request.next = self.receiver.request_fields.val();
        self.receiver.request_full.next = self.completer.full.val();
        self.completer.device.next = self.device.val();
        self.registers.function_reset.next = self.function_reset.val();
        self.registers.write.next = self.receiver.write.val()
            && !self.receiver.write_window.val()
            && !self.receiver.write_address.val().get_bit(11);
        self.registers.write_address.next = bit_cast::<12, 22>(self.receiver.write_address.val());
        self.registers.write_data.next = self.receiver.write_data.val();
        self.registers.write_enable.next = self.receiver.write_enable.val();
        self.registers.read_address.next = bit_cast::<12, 22>(self.completer.read_address.val());
        self.interrupts.write.next = self.receiver.write.val()
            && !self.receiver.write_window.val()
            && (self.receiver.write_address.val().get_bits::<9>(3) == 0x100);
        self.interrupts.write_address.next = bit_cast::<3, 22>(self.receiver.write_address.val());
        self.interrupts.write_data.next = self.receiver.write_data.val();
        self.interrupts.write_enable.next = self.receiver.write_enable.val();
        self.interrupts.read_address.next = bit_cast::<11, 22>(self.completer.read_address.val());
        self.read_high.d.next = self.completer.read_address.val().get_bit(11);
        self.completer.register_value.next = self.registers.value.val();
        if self.read_high.q.val() {
            self.completer.register_value.next = self.interrupts.value.val();
        }

        // The window: written by others, read by them first and then by the engine.
        self.window.write.next = self.receiver.write.val() && self.receiver.write_window.val();
        self.window.write_address.next = self.receiver.write_address.val();
        self.window.write_data.next = self.receiver.write_data.val();
        self.window.write_enable.next = self.receiver.write_enable.val();
        self.engine_window.next = !(self.completer.read.val() && self.completer.read_window.val());
        self.window.read_address.next = self.commands.window_address.val();
        if !self.engine_window.val() {
            self.window.read_address.next =
                bit_cast::<21, 22>(self.completer.read_address.val() >> 1);
        }
        self.completer.window_value.next = self.window.read_data.val();
        self.commands.window_value.next = self.window.read_data.val();
        self.commands.window_ok.next = self.engine_window.val();
        self.commands.window_bytes.next = self.window_bytes.val();

        // Completions for the card.
        self.reassembly.forget.next = self.reset_done.val();
        self.reassembly.requester.next = self.device.val();
        self.reassembly.completion.next = self.receiver.completion.val();
        self.reassembly.has_data.next = self.receiver.completion_data.val();
        self.reassembly.poisoned.next = self.receiver.completion_poisoned.val();
        self.reassembly.status.next = self.receiver.status.val();
        self.reassembly.length.next = self.receiver.length.val();
        self.reassembly.byte_count.next = self.receiver.byte_count.val();
        self.reassembly.answered.next = self.receiver.answered.val();
        self.reassembly.tag.next = self.receiver.tag.val();
        self.reassembly.lower_address.next = self.receiver.lower_address.val();
        self.reassembly.word_write.next = self.receiver.word_write.val();
        self.reassembly.completion_end.next = self.receiver.completion_end.val();
        self.reassembly.book.next = self.requests.book.val();
        self.requests.book_ok.next = self.reassembly.book_ok.val();
        self.reassembly.book_tag.next = self.requests.tag.val();
        self.reassembly.book_words.next = self.requests.words.val();
        self.reassembly.book_lower.next = self.requests.lower_address.val();
        self.reassembly.book_place.next = self.requests.place.val();
        self.reassembly.ask_tag.next = self.joiner.ask_tag.val();

        // Reads of the card.
        self.requests.allow.next = self.bus_master.val() && !self.halted.q.val();
        self.requests.requester.next = self.device.val();
        self.requests.result.next = self.result_fetcher.want.val();
        self.requests.result_address.next = self.result_fetcher.address.val();
        self.requests.result_words.next = self.result_fetcher.words.val();
        self.result_fetcher.done.next = self.requests.result_done.val();
        self.requests.command.next = self.command_fetcher.want.val();
        self.requests.command_address.next = self.command_fetcher.address.val();
        self.requests.command_words.next = self.command_fetcher.words.val();
        self.command_fetcher.done.next = self.requests.command_done.val();
        self.requests.data.next = self.commands.want.val();
        self.requests.data_address.next = self.commands.address.val();
        self.requests.data_words.next = self.commands.words.val();
        self.requests.data_tag.next = self.commands.tag.val();
        self.requests.data_place.next = self.commands.place.val();
        self.commands.done.next = self.requests.data_done.val();

        // The command ring, into segments.
        self.command_fetcher.clear.next = self.resetting.val();
        self.command_fetcher.enable.next =
            !self.stopped.val() && (self.registers.run.val() || !self.commands.idle.val());
        self.command_fetcher.rewind.next = !self.registers.run.val()
            && self.commands.idle.val()
            && self.command_fetcher.idle.val();
        self.command_fetcher.base.next = self.registers.command_base.val();
        self.command_fetcher.log2.next = self.registers.command_log2.val();
        self.command_fetcher.tail.next = self.registers.command_tail.val();
        self.command_fetcher.taken.next = self.commands.taken.val();
        self.command_fetcher.capacity.next = self.command_capacity.val();
        self.command_fetcher.piece.next = self.read_piece.val();
        self.command_fetcher.timeout.next = self.registers.timeout.val();
        self.command_fetcher.pending.next = self.reassembly.pending.val().get_bit(30);
        self.command_fetcher.outcome.next = self.reassembly.command_outcome.val();
        self.command_slots.clear.next = self.resetting.val() || self.command_fetcher.rewind.val();
        self.command_slots.write.next = self.reassembly.command_write.val();
        self.command_slots.data.next = self.receiver.word.val();
        self.command_slots.read.next = self.commands.slot_read.val();
        self.commands.clear.next = self.resetting.val();
        self.commands.run.next = self.registers.run.val() && !self.stopped.val();
        self.commands.max_words.next = self.max_read_words.val();
        self.commands.slot_empty.next = self.command_slots.empty.val();
        self.commands.slot.next = self.command_slots.head.val();
        self.commands.copy_ok.next = !self.reassembly.data_write.val();
        self.commands.segments_full.next = self.segments.full.val();
        self.commands.freed.next = self.joiner.segment_read.val();
        self.commands.release_words.next = self.joiner.release_words.val();
        self.commands.release_tag.next = self.joiner.release_tag.val();
        self.segments.clear.next = self.resetting.val();
        self.segments.write.next = self.commands.segment_write.val();
        self.segments.data.next = self.commands.segment.val();
        self.segments.read.next = self.joiner.segment_read.val();

        // The buffer: completions first, copies in between.
        self.data.write_enable.next =
            self.reassembly.data_write.val() || self.commands.copy_write.val();
        self.data.write_address.next = self.commands.copy_place.val();
        self.data.write_data.next = self.commands.copy.val();
        if self.reassembly.data_write.val() {
            self.data.write_address.next = self.reassembly.data_place.val();
            self.data.write_data.next = self.receiver.word.val();
        }
        self.data.read_address.next = self.joiner.buffer_address.val();

        // Segments, into the core.
        self.joiner.resetting.next = self.resetting.val();
        self.joiner.halted.next = self.halted.q.val();
        self.joiner.timeout.next = self.registers.timeout.val();
        self.joiner.segment_empty.next = self.segments.empty.val();
        self.joiner.segment.next = self.segments.head.val();
        self.joiner.book.next = self.requests.book.val();
        self.joiner.book_tag.next = self.requests.tag.val();
        self.joiner.pending.next = self.reassembly.pending.val();
        self.joiner.outcome.next = self.reassembly.outcome.val();
        self.joiner.buffer_data.next = self.data.read_data.val();
        self.joiner.record_full.next = self.records.full.val();
        self.core.reset.next = false;
        self.core.in_valid.next = self.joiner.core_valid.val();
        self.core.in_data.next = self.joiner.core_data.val();
        self.joiner.core_ready.next = self.core.in_ready.val();

        // The ring of result buffers, and answers into them.
        self.result_fetcher.clear.next = self.resetting.val();
        self.result_fetcher.enable.next = !self.stopped.val();
        self.result_fetcher.rewind.next = false;
        self.result_fetcher.base.next = self.registers.result_base.val();
        self.result_fetcher.log2.next = self.registers.result_log2.val();
        self.result_fetcher.tail.next = self.registers.result_tail.val();
        self.result_fetcher.taken.next = self.answers.taken.val();
        self.result_fetcher.capacity.next = self.result_capacity.val();
        self.result_fetcher.piece.next = self.read_piece.val();
        self.result_fetcher.timeout.next = self.registers.timeout.val();
        self.result_fetcher.pending.next = self.reassembly.pending.val().get_bit(31);
        self.result_fetcher.outcome.next = self.reassembly.result_outcome.val();
        self.result_slots.clear.next = self.resetting.val();
        self.result_slots.write.next = self.reassembly.result_write.val();
        self.result_slots.data.next = self.receiver.word.val();
        self.result_slots.read.next = self.answers.slot_read.val();
        self.answers.drop_all.next = self.resetting.val();
        self.answers.halted.next = self.halted.q.val();
        self.answers.core_valid.next = self.core.out_valid.val();
        self.core.out_ready.next = self.answers.core_ready.val();
        self.answers.core_data.next = self.core.out_data.val();
        self.answers.slot_empty.next = self.result_slots.empty.val();
        self.answers.slot.next = self.result_slots.head.val();
        self.answers.job_full.next = self.jobs.full.val();
        self.answers.word_full.next = self.words.full.val();
        self.jobs.clear.next = self.resetting.val();
        self.jobs.write.next = self.answers.job_write.val();
        self.jobs.data.next = self.answers.job.val();
        self.jobs.read.next = self.writer.job_read.val();
        self.words.clear.next = self.resetting.val() && self.writer.resting.val();
        self.words.write.next = self.answers.word_write.val();
        self.words.data.next = self.answers.word.val();
        self.words.read.next = self.writer.word_read.val();

        // Records and interrupts, and everything that is written.
        self.records.clear.next = self.resetting.val() && self.writer.resting.val();
        self.records.write.next = self.joiner.record_write.val();
        self.records.data.next = self.joiner.record.val();
        self.records.read.next = self.writer.record_read.val();
        self.writer.clear.next = self.resetting.val();
        self.writer.allow.next = self.bus_master.val();
        self.writer.requester.next = self.device.val();
        self.writer.max_words.next = self.max_payload_words.val();
        self.writer.job_empty.next = self.jobs.empty.val();
        self.writer.job.next = self.jobs.head.val();
        self.writer.word_count.next = self.words.count.val();
        self.writer.word.next = self.words.head.val();
        self.writer.record_empty.next = self.records.empty.val();
        self.writer.record.next = self.records.head.val();
        self.writer.base.next = self.registers.completion_base.val();
        self.writer.log2.next = self.registers.completion_log2.val();
        self.writer.head.next = self.registers.completion_head.val();
        self.interrupts.clear.next = self.resetting.val();
        self.interrupts.function_reset.next = self.function_reset.val();
        self.interrupts.enabled.next = self.msix_enable.val();
        self.interrupts.masked.next = self.msix_mask.val();
        self.interrupts.record.next = self.writer.record_sent.val();
        self.interrupts.fault.next = self.failing.val() && !self.halted.q.val();
        self.interrupts.count.next = self.registers.interrupt_count.val();
        self.interrupts.delay.next = self.registers.interrupt_delay.val();
        self.interrupts.done.next = self.writer.interrupt_done.val();
        self.writer.interrupt.next = self.interrupts.offer.val();
        self.writer.interrupt_address.next = self.interrupts.address.val();
        self.writer.interrupt_data.next = self.interrupts.data.val();

        // Sent packets.
        self.tx_valid.next = self.sender.valid.val();
        self.sender.ready.next = self.tx_ready.val();
        self.tx_data.next = self.sender.data.val();
        self.tx_last.next = self.sender.last.val();
        self.tx_keep.next = self.sender.keep.val();
        self.sender.allow_write.next = self.tx_posted_ok.val();
        self.sender.allow_read.next = self.tx_read_ok.val();
        self.sender.allow_completion.next = self.tx_completion_ok.val();
        self.sender.completion.next = self.completer.offer.val();
        self.sender.completion_header.next = self.completer.header.val();
        self.sender.completion_dwords.next = self.completer.dwords.val();
        self.sender.completion_word.next = self.completer.word.val();
        self.completer.take.next = self.sender.completion_take.val();
        self.completer.done.next = self.sender.completion_done.val();
        self.sender.read.next = self.requests.offer.val();
        self.sender.read_header.next = self.requests.header.val();
        self.sender.read_long.next = self.requests.long.val();
        self.requests.done.next = self.sender.read_done.val();
        self.sender.write.next = self.writer.offer.val();
        self.sender.write_header.next = self.writer.header.val();
        self.sender.write_long.next = self.writer.long.val();
        self.sender.write_dwords.next = self.writer.dwords.val();
        self.sender.write_word.next = self.writer.out_word.val();
        self.writer.take.next = self.sender.write_take.val();
        self.writer.done.next = self.sender.write_done.val();

        // Faults: the first one halts the card until a reset.
        self.failing.next = self.joiner.fault.val()
            || self.answers.fault.val()
            || self.command_fetcher.failed.val()
            || self.result_fetcher.failed.val();
        if self.failing.val() && !self.halted.q.val() {
            self.halted.d.next = true;
            self.fault.d.next = self.answers.fault_code.val();
            self.cookie.d.next = self.answers.fault_cookie.val();
            if self.joiner.fault.val() {
                self.fault.d.next = self.joiner.fault_code.val();
                self.cookie.d.next = self.joiner.fault_cookie.val();
            } else if self.command_fetcher.failed.val() {
                self.fault.d.next = self.command_fetcher.fault.val();
                self.cookie.d.next = 0.into();
            } else if self.result_fetcher.failed.val() {
                self.fault.d.next = self.result_fetcher.fault.val();
                self.cookie.d.next = 0.into();
            }
        }

        // A reset is done when the core answered its reset packet and is quiet, no packet is half sent, and no answer
        // is owed or every one had its time.
        if self.answers.reset_seen.val() {
            self.reset_seen.d.next = true;
        }
        self.patience.d.next = self.patience.q.val() + 1;
        if self.core.out_valid.val() || !self.joiner.flushed.val() {
            self.quiet.d.next = 0.into();
        } else if !self.quiet.q.val().get_bit(12) {
            self.quiet.d.next = self.quiet.q.val() + 1;
        }
        self.reset_done.next = self.resetting.val()
            && self.quiet.q.val().get_bit(12)
            && self.reset_seen.q.val()
            && self.requests.idle.val()
            && self.writer.resting.val()
            && (!self.reassembly.pending.val().any()
                || (self.patience.q.val() >= self.registers.timeout.val()));
        if !self.resetting.val() {
            self.reset_seen.d.next = false;
            self.patience.d.next = 0.into();
        } else {
            self.halted.d.next = false;
            self.fault.d.next = 0.into();
            self.cookie.d.next = 0.into();
        }

        // What the registers report.
        self.quiescent.next = self.commands.idle.val()
            && self.joiner.idle.val()
            && self.requests.idle.val()
            && self.command_fetcher.idle.val()
            && self.result_fetcher.idle.val()
            && self.answers.idle.val()
            && self.writer.idle.val();
        self.registers.reset_done.next = self.reset_done.val();
        self.registers.idle.next = self.quiescent.val() && !self.resetting.val();
        self.registers.halted.next = self.halted.q.val();
        self.registers.fault.next = self.fault.q.val();
        self.registers.cookie.next = self.cookie.q.val();
        self.registers.command_head.next = self.commands.taken.val();
        self.registers.result_head.next = self.answers.taken.val();
        self.registers.completion_tail.next = self.writer.tail.val();
        self.registers.outstanding.next = self.reassembly.outstanding.val();
        self.counters.index.next = self.registers.counter_index.val();
        self.registers.counter.next = self.counters.value.val();
        self.counters.read_request.next = self.sender.read_done.val();
        self.counters.write_request.next = self.writer.sent.val();
        self.counters.written_dwords.next = self.writer.dwords.val();
        self.counters.word_read.next = self.reassembly.data_write.val()
            || self.reassembly.command_write.val()
            || self.reassembly.result_write.val();
        self.counters.unexpected.next = self.reassembly.unexpected.val();
        self.counters.failed.next = self.reassembly.failed.val();
        self.counters.lost.next = self.joiner.lost.val()
            || self.command_fetcher.lost.val()
            || self.result_fetcher.lost.val();
        self.counters.refused.next = self.completer.unsupported.val();
        self.counters.dropped.next = self.receiver.unsupported.val();
        self.counters.interrupt.next = self.writer.interrupt_done.val();
        self.counters.poisoned_write.next = self.receiver.poisoned_write.val();
    }
}
