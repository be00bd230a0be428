//! Answers requests to the card: reads of its BARs with data, everything else as unsupported.

use super::header::CompletionHeader;
use crate::blocks::fifo::Fifo;
use crate::rtl::*;

/// What the completer does.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum CompleteState {
    /// Waits for a request.
    Idle,
    /// Knows the request; works out its bytes.
    Size,
    /// Reads the doublewords of one completion.
    Fetch,
    /// Has them; the completion is offered.
    Offer,
}

/// One request at a time, in completions that end at multiples of 128 bytes (the read completion boundary of an
/// endpoint, 2.3.1.1), so that no maximum payload is too small.
#[derive(LogicBlock, Default)]
pub struct Completer {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// A request for the queue.
    pub push: Signal<In, Bit>,
    /// It: doubleword address (bits 71 to 50), requester (49 to 34), tag (33 to 26), length (25 to 16), last and first
    /// byte enables (15 to 12, 11 to 8), traffic class (7 to 5), attributes (4, 3), window rather than BAR0 (2), memory
    /// rather than anything else (1), supported (0).
    pub request: Signal<In, Bits<72>>,
    /// The queue has no room.
    pub full: Signal<Out, Bit>,
    /// The queue has room for four more; a hard block that still delivers a few requests after it falls loses none.
    pub read_ok: Signal<Out, Bit>,
    /// Counts a request answered as unsupported.
    pub unsupported: Signal<Out, Bit>,
    /// Bus, device and function of the card.
    pub device: Signal<In, Bits<16>>,

    /// A doubleword is read.
    pub read: Signal<Out, Bit>,
    /// Out of the window, else out of BAR0.
    pub read_window: Signal<Out, Bit>,
    /// Its doubleword address in the BAR.
    pub read_address: Signal<Out, Bits<22>>,
    /// BAR0's answer, one cycle later.
    pub register_value: Signal<In, Bits<32>>,
    /// The window's answer, one cycle later: the doubleword and its neighbour.
    pub window_value: Signal<In, Bits<64>>,

    /// A completion is offered until `done`.
    pub offer: Signal<Out, Bit>,
    /// Its header.
    pub header: Signal<Out, Bits<128>>,
    /// Its doublewords of data.
    pub dwords: Signal<Out, Bits<10>>,
    /// Next eight bytes of data.
    pub word: Signal<Out, Bits<64>>,
    /// They are taken.
    pub take: Signal<In, Bit>,
    /// The completion is on its way.
    pub done: Signal<In, Bit>,

    queue: Fifo<72, 3, 4>,
    words: Fifo<64, 4, 5>,
    form: CompletionHeader,
    state: DFF<CompleteState>,
    queued: DFF<Bits<4>>,
    current: DFF<Bits<72>>,
    address: DFF<Bits<22>>,
    left: DFF<Bits<11>>,
    bytes: DFF<Bits<13>>,
    skipped: DFF<Bits<2>>,
    asked: DFF<Bits<6>>,
    chunk: DFF<Bits<6>>,
    coming: DFF<Bit>,
    coming_last: DFF<Bit>,
    coming_high: DFF<Bit>,
    half: DFF<Bits<32>>,
    half_full: DFF<Bit>,
    supported: Signal<Local, Bit>,
    memory: Signal<Local, Bit>,
    first_enable: Signal<Local, Bits<4>>,
    last_enable: Signal<Local, Bits<4>>,
    length: Signal<Local, Bits<11>>,
    ahead: Signal<Local, Bits<13>>,
    behind: Signal<Local, Bits<13>>,
    room: Signal<Local, Bits<11>>,
    next_chunk: Signal<Local, Bits<11>>,
    last_asked: Signal<Local, Bits<6>>,
    answer: Signal<Local, Bits<32>>,
    start: Signal<Local, Bit>,
}

#[allow(clippy::collapsible_match, clippy::if_same_then_else)]
impl Logic for Completer {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            state,
            queued,
            current,
            address,
            left,
            bytes,
            skipped,
            asked,
            chunk,
            coming,
            coming_last,
            coming_high,
            half,
            half_full
        );
        clock!(self, clock, queue, words);

        // The queue of requests.
        self.queue.clear.next = false;
        self.queue.write.next = self.push.val();
        self.queue.data.next = self.request.val();
        self.full.next = self.queue.full.val();
        self.read_ok.next = self.queued.q.val() < 5;
        self.start.next = (self.state.q.val() == CompleteState::Idle) && !self.queue.empty.val();
        self.queue.read.next = self.start.val();
        if self.push.val() && !self.start.val() {
            self.queued.d.next = self.queued.q.val() + 1;
        }
        if !self.push.val() && self.start.val() {
            self.queued.d.next = self.queued.q.val() - 1;
        }

        // Bytes before the first and behind the last enabled one (tables 2-37 and 2-38).
        self.supported.next = self.current.q.val().get_bit(0);
        self.memory.next = self.current.q.val().get_bit(1);
        self.first_enable.next = self.current.q.val().get_bits::<4>(8);
        self.last_enable.next = self.current.q.val().get_bits::<4>(12);
        self.length.next = bit_cast::<11, 10>(self.current.q.val().get_bits::<10>(16));
        if self.current.q.val().get_bits::<10>(16) == 0 {
            self.length.next = 1024.into();
        }
        if self.length.val() == 1 {
            self.last_enable.next = self.current.q.val().get_bits::<4>(8);
        }
        self.ahead.next = 0.into();
        if self.first_enable.val().get_bit(0) {
            self.ahead.next = 0.into();
        } else if self.first_enable.val().get_bit(1) {
            self.ahead.next = 1.into();
        } else if self.first_enable.val().get_bit(2) {
            self.ahead.next = 2.into();
        } else if self.first_enable.val().get_bit(3) {
            self.ahead.next = 3.into();
        }
        self.behind.next = 3.into();
        if self.last_enable.val().get_bit(3) {
            self.behind.next = 0.into();
        } else if self.last_enable.val().get_bit(2) {
            self.behind.next = 1.into();
        } else if self.last_enable.val().get_bit(1) {
            self.behind.next = 2.into();
        }

        // Doublewords of the next completion.
        self.room.next = bits::<11>(32) - bit_cast::<11, 5>(self.address.q.val().get_bits::<5>(0));
        self.next_chunk.next = self.room.val();
        if self.left.q.val() < self.room.val() {
            self.next_chunk.next = self.left.q.val();
        }
        self.last_asked.next = self.chunk.q.val() - 1;

        // Reading: an address a cycle, its doubleword one cycle later.
        self.read.next = false;
        self.read_window.next = self.current.q.val().get_bit(2);
        self.read_address.next = self.address.q.val();
        self.coming.d.next = false;
        self.coming_last.d.next = false;
        self.coming_high.d.next = self.address.q.val().get_bit(0);
        self.answer.next = self.register_value.val();
        if self.current.q.val().get_bit(2) {
            self.answer.next = self.window_value.val().get_bits::<32>(0);
            if self.coming_high.q.val() {
                self.answer.next = self.window_value.val().get_bits::<32>(32);
            }
        }
        self.words.clear.next = false;
        self.words.write.next = false;
        self.words.data.next = bit_cast::<64, 32>(self.answer.val());
        self.words.read.next = self.take.val();
        self.word.next = self.words.head.val();
        if self.half_full.q.val() {
            self.words.data.next = (bit_cast::<64, 32>(self.answer.val()) << 32)
                | bit_cast::<64, 32>(self.half.q.val());
        }
        if self.coming.q.val() {
            self.half.d.next = self.answer.val();
            self.half_full.d.next = !self.half_full.q.val();
            self.words.write.next = self.half_full.q.val() || self.coming_last.q.val();
            if self.coming_last.q.val() {
                self.half_full.d.next = false;
            }
        }

        // The completion.
        self.offer.next = self.state.q.val() == CompleteState::Offer;
        self.dwords.next = bit_cast::<10, 6>(self.chunk.q.val());
        self.form.success.next = self.supported.val();
        self.form.traffic.next = self.current.q.val().get_bits::<3>(5);
        self.form.attributes.next = self.current.q.val().get_bits::<2>(3);
        self.form.length.next = bit_cast::<10, 6>(self.chunk.q.val());
        self.form.completer.next = self.device.val();
        self.form.byte_count.next = bit_cast::<12, 13>(self.bytes.q.val());
        self.form.requester.next = self.current.q.val().get_bits::<16>(34);
        self.form.tag.next = self.current.q.val().get_bits::<8>(26);
        // The address has moved past the data of this completion: its start is kept in `skipped` and the chunk.
        self.form.lower_address.next = (bit_cast::<7, 5>(
            bit_cast::<5, 22>(self.address.q.val()) - bit_cast::<5, 6>(self.chunk.q.val()),
        ) << 2)
            | bit_cast::<7, 2>(self.skipped.q.val());
        if !self.memory.val() {
            self.form.lower_address.next = 0.into();
        }
        self.header.next = self.form.header.val();
        self.unsupported.next = false;

        match self.state.q.val() {
            CompleteState::Idle => {
                self.current.d.next = self.queue.head.val();
                if self.start.val() {
                    self.state.d.next = CompleteState::Size;
                }
            }
            CompleteState::Size => {
                self.address.d.next = self.current.q.val().get_bits::<22>(50);
                self.left.d.next = self.length.val();
                self.bytes.d.next = (bit_cast::<13, 11>(self.length.val()) << 2)
                    - self.ahead.val()
                    - self.behind.val();
                self.skipped.d.next = bit_cast::<2, 13>(self.ahead.val());
                self.asked.d.next = 0.into();
                self.chunk.d.next = 0.into();
                if self.supported.val() {
                    self.state.d.next = CompleteState::Fetch;
                } else {
                    self.unsupported.next = true;
                    self.state.d.next = CompleteState::Offer;
                    if !self.memory.val() {
                        self.bytes.d.next = 4.into();
                    }
                }
            }
            CompleteState::Fetch => {
                if self.chunk.q.val() == 0 {
                    self.chunk.d.next = bit_cast::<6, 11>(self.next_chunk.val());
                } else if self.asked.q.val() < self.chunk.q.val() {
                    self.read.next = true;
                    self.asked.d.next = self.asked.q.val() + 1;
                    self.address.d.next = self.address.q.val() + 1;
                    self.left.d.next = self.left.q.val() - 1;
                    self.coming.d.next = true;
                    self.coming_last.d.next = self.asked.q.val() == self.last_asked.val();
                } else if !self.coming.q.val() {
                    self.state.d.next = CompleteState::Offer;
                }
            }
            CompleteState::Offer => {
                if self.done.val() {
                    self.asked.d.next = 0.into();
                    self.chunk.d.next = 0.into();
                    self.bytes.d.next = self.bytes.q.val()
                        - (bit_cast::<13, 6>(self.chunk.q.val()) << 2)
                        + bit_cast::<13, 2>(self.skipped.q.val());
                    self.skipped.d.next = 0.into();
                    self.state.d.next = CompleteState::Idle;
                    if self.supported.val() && self.left.q.val().any() {
                        self.state.d.next = CompleteState::Fetch;
                    }
                }
            }
            _ => {}
        }
    }
}
