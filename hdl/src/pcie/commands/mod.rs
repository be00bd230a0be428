//! Takes command slots apart into segments: pieces of the stream that one read or one copy brings into the buffer.

use crate::blocks::fifo::Fifo;
use crate::rtl::*;

/// What is done with the slot under way.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum CommandState {
    /// Waits for a slot's first word: the address.
    First,
    /// Waits for its second word.
    Second,
    /// Checks it.
    Check,
    /// Works out the next segment.
    Split,
    /// Waits for room in the buffer, a tag, and room in the queue of segments.
    Reserve,
    /// Wants its read sent.
    Ask,
    /// Copies inline words.
    Inline,
    /// Drops the word that pads inline words to a whole slot.
    Pad,
    /// Copies words of the window.
    Window,
    /// The slot was refused: says so to the joiner.
    Refuse,
    /// A refused slot ends the stream until a reset.
    Dead,
}

/// One slot after the other, ahead of the joiner: segments of slots to come are under way while one is joined.
#[derive(LogicBlock, Default)]
pub struct Commands {
    /// Rising limit clocks everything.
    pub clock: Signal<In, Clock>,
    /// Forget everything.
    pub clear: Signal<In, Bit>,
    /// New slots may be taken.
    pub run: Signal<In, Bit>,
    /// Words of the maximum read request, at most 64.
    pub max_words: Signal<In, Bits<7>>,
    /// Bytes of the window.
    pub window_bytes: Signal<In, Bits<26>>,

    /// No word of a slot is queued.
    pub slot_empty: Signal<In, Bit>,
    /// The next one.
    pub slot: Signal<In, Bits<64>>,
    /// It is taken.
    pub slot_read: Signal<Out, Bit>,
    /// Slots taken, modulo 2^16.
    pub taken: Signal<Out, Bits<16>>,

    /// A read is wanted, until `done`.
    pub want: Signal<Out, Bit>,
    /// From here on.
    pub address: Signal<Out, Bits<64>>,
    /// Words of eight bytes.
    pub words: Signal<Out, Bits<7>>,
    /// Its tag.
    pub tag: Signal<Out, Bits<5>>,
    /// Its place in the buffer.
    pub place: Signal<Out, Bits<10>>,
    /// The tag is booked.
    pub done: Signal<In, Bit>,

    /// The window's port is wanted.
    pub window_read: Signal<Out, Bit>,
    /// For this word.
    pub window_address: Signal<Out, Bits<21>>,
    /// It is granted.
    pub window_ok: Signal<In, Bit>,
    /// The word, one cycle later.
    pub window_value: Signal<In, Bits<64>>,

    /// The buffer has a cycle for a copied word.
    pub copy_ok: Signal<In, Bit>,
    /// It is written.
    pub copy_write: Signal<Out, Bit>,
    /// At this place.
    pub copy_place: Signal<Out, Bits<10>>,
    /// The word.
    pub copy: Signal<Out, Bits<64>>,

    /// The queue of segments has no room.
    pub segments_full: Signal<In, Bit>,
    /// A segment is queued.
    pub segment_write: Signal<Out, Bit>,
    /// It: refusal (bits 34 to 31), cookie (30 to 15), record wanted (14), last of its slot (13), of a tag rather than
    /// copied (12), tag (11 to 7), words (6 to 0).
    pub segment: Signal<Out, Bits<35>>,
    /// The joiner is done with a segment.
    pub freed: Signal<In, Bit>,
    /// Of so many words.
    pub release_words: Signal<In, Bits<7>>,
    /// And of a tag.
    pub release_tag: Signal<In, Bit>,

    /// No slot is under way.
    pub idle: Signal<Out, Bit>,

    state: DFF<CommandState>,
    start: DFF<Bits<64>>,
    left: DFF<Bits<22>>,
    length: DFF<Bits<32>>,
    kind: DFF<Bits<8>>,
    notify: DFF<Bit>,
    cookie: DFF<Bits<16>>,
    second: DFF<Bit>,
    head: DFF<Bits<16>>,
    size: DFF<Bits<7>>,
    next_place: DFF<Bits<10>>,
    used: DFF<Bits<11>>,
    next_tag: DFF<Bits<5>>,
    tags: DFF<Bits<5>>,
    asked: DFF<Bits<7>>,
    copied: DFF<Bits<7>>,
    coming: DFF<Bit>,
    code: DFF<Bits<4>>,
    ahead: Fifo<64, 2, 3>,

    is_inline: Signal<Local, Bit>,
    is_window: Signal<Local, Bit>,
    bytes: Signal<Local, Bits<32>>,
    window_end: Signal<Local, Bits<26>>,
    misplaced: Signal<Local, Bit>,
    limit: Signal<Local, Bits<7>>,
    offset: Signal<Local, Bits<7>>,
    filled: Signal<Local, Bits<11>>,
    flying: Signal<Local, Bits<7>>,
    copied_next: Signal<Local, Bits<7>>,
    copied_all: Signal<Local, Bit>,
    allocate: Signal<Local, Bit>,
    book: Signal<Local, Bit>,
    advance: Signal<Local, Bit>,
    last: Signal<Local, Bit>,
    refusal: Signal<Local, Bits<4>>,
    fits: Signal<Local, Bit>,
}

#[allow(clippy::collapsible_match, clippy::if_same_then_else)]
impl Logic for Commands {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self, clock, state, start, left, length, kind, notify, cookie, second, head, size,
            next_place, used, next_tag, tags, asked, copied, coming, code
        );
        clock!(self, clock, ahead);
        self.is_inline.next = self.kind.q.val() == 1;
        self.is_window.next = self.kind.q.val() == 2;

        // The check, in the order kind, shape, window (`weft_protocol::pcie::ring::Slot::check`).
        self.bytes.next = self.length.q.val();
        self.misplaced.next = !self.is_inline.val() && self.start.q.val().get_bits::<3>(0).any();
        self.window_end.next =
            bit_cast::<26, 64>(self.start.q.val()) + bit_cast::<26, 32>(self.bytes.val());
        self.refusal.next = 0.into();
        if self.kind.q.val() > 2 {
            self.refusal.next = 2.into();
        } else if !self.bytes.val().any()
            || self.bytes.val().get_bits::<3>(0).any()
            || (self.bytes.val() > 0x0100_0000)
            || (self.is_inline.val() && (self.bytes.val() > 512))
            || self.misplaced.val()
        {
            self.refusal.next = 1.into();
        } else if self.is_window.val()
            && (self.start.q.val().get_bits::<39>(25).any()
                || (self.window_end.val() > self.window_bytes.val()))
        {
            self.refusal.next = 3.into();
        }

        // The next segment ends where the slot does or at a multiple of the maximum read request.
        self.offset.next =
            bit_cast::<7, 6>(self.start.q.val().get_bits::<6>(3)) & (self.max_words.val() - 1);
        self.limit.next = self.max_words.val() - self.offset.val();
        if self.is_inline.val() {
            self.limit.next = 64.into();
        }
        self.last.next = self.left.q.val() == bit_cast::<22, 7>(self.size.q.val());
        self.filled.next = self.used.q.val() + bit_cast::<11, 7>(self.size.q.val());
        self.fits.next = (self.filled.val() < 1025)
            && !self.segments_full.val()
            && ((self.kind.q.val() != 0) || (self.tags.q.val() < 30));
        self.segment.next = (bit_cast::<35, 16>(self.cookie.q.val()) << 15)
            | (bit_cast::<35, 1>(self.notify.q.val().into()) << 14)
            | (bit_cast::<35, 1>(self.last.val().into()) << 13)
            | (bit_cast::<35, 1>((self.kind.q.val() == 0).into()) << 12)
            | (bit_cast::<35, 5>(self.next_tag.q.val()) << 7)
            | bit_cast::<35, 7>(self.size.q.val());
        self.segment_write.next = false;

        // Outputs at rest.
        self.slot_read.next = false;
        self.taken.next = self.head.q.val();
        self.want.next = false;
        self.address.next = self.start.q.val();
        self.words.next = self.size.q.val();
        self.tag.next = self.next_tag.q.val();
        self.place.next = self.next_place.q.val();
        self.window_read.next = false;
        self.window_address.next = bit_cast::<21, 61>(self.start.q.val().get_bits::<61>(3))
            + bit_cast::<21, 7>(self.asked.q.val());
        self.flying.next = self.asked.q.val() - self.copied.q.val();
        self.coming.d.next = false;
        self.ahead.clear.next = self.clear.val();
        self.ahead.write.next = self.coming.q.val();
        self.ahead.data.next = self.window_value.val();
        self.ahead.read.next = false;
        self.copied_next.next = self.copied.q.val() + 1;
        self.copied_all.next = self.copied_next.val() == self.size.q.val();
        self.copy_write.next = false;
        self.copy_place.next = self.next_place.q.val() + bit_cast::<10, 7>(self.copied.q.val());
        self.copy.next = self.slot.val();
        self.allocate.next = false;
        self.book.next = false;
        self.advance.next = false;
        self.idle.next = false;

        match self.state.q.val() {
            CommandState::First => {
                self.idle.next = true;
                if self.run.val() && !self.slot_empty.val() {
                    self.idle.next = false;
                    self.slot_read.next = true;
                    self.start.d.next = self.slot.val();
                    self.state.d.next = CommandState::Second;
                }
            }
            CommandState::Second => {
                if !self.slot_empty.val() {
                    self.slot_read.next = true;
                    self.length.d.next = self.slot.val().get_bits::<32>(0);
                    self.left.d.next = self.slot.val().get_bits::<22>(3);
                    self.kind.d.next = self.slot.val().get_bits::<8>(32);
                    self.notify.d.next = self.slot.val().get_bit(40);
                    self.cookie.d.next = self.slot.val().get_bits::<16>(48);
                    self.state.d.next = CommandState::Check;
                }
            }
            CommandState::Check => {
                self.code.d.next = self.refusal.val();
                self.state.d.next = CommandState::Split;
                if self.refusal.val().any() {
                    self.state.d.next = CommandState::Refuse;
                }
            }
            CommandState::Split => {
                self.size.d.next = self.limit.val();
                if self.left.q.val() < bit_cast::<22, 7>(self.limit.val()) {
                    self.size.d.next = bit_cast::<7, 22>(self.left.q.val());
                }
                self.asked.d.next = 0.into();
                self.copied.d.next = 0.into();
                self.state.d.next = CommandState::Reserve;
            }
            CommandState::Reserve => {
                if self.fits.val() {
                    self.allocate.next = true;
                    self.state.d.next = CommandState::Ask;
                    if self.is_inline.val() {
                        self.state.d.next = CommandState::Inline;
                    } else if self.is_window.val() {
                        self.state.d.next = CommandState::Window;
                    }
                }
            }
            CommandState::Ask => {
                self.want.next = true;
                if self.done.val() {
                    self.book.next = true;
                    self.advance.next = true;
                    self.next_tag.d.next = self.next_tag.q.val() + 1;
                    if self.next_tag.q.val() == 29 {
                        self.next_tag.d.next = 0.into();
                    }
                }
            }
            CommandState::Inline => {
                if !self.slot_empty.val() && self.copy_ok.val() {
                    self.slot_read.next = true;
                    self.copy_write.next = true;
                    self.copied.d.next = self.copied_next.val();
                    if self.copied_all.val() {
                        self.state.d.next = CommandState::Pad;
                        if !self.size.q.val().get_bit(0) {
                            self.advance.next = true;
                        }
                    }
                }
            }
            CommandState::Pad => {
                if !self.slot_empty.val() {
                    self.slot_read.next = true;
                    self.advance.next = true;
                }
            }
            CommandState::Window => {
                self.copy.next = self.ahead.head.val();
                if (self.asked.q.val() < self.size.q.val()) && (self.flying.val() < 3) {
                    self.window_read.next = true;
                    if self.window_ok.val() {
                        self.coming.d.next = true;
                        self.asked.d.next = self.asked.q.val() + 1;
                    }
                }
                if !self.ahead.empty.val() && self.copy_ok.val() {
                    self.ahead.read.next = true;
                    self.copy_write.next = true;
                    self.copied.d.next = self.copied_next.val();
                    self.advance.next = self.copied_all.val();
                }
            }
            CommandState::Refuse => {
                self.segment.next = (bit_cast::<35, 4>(self.code.q.val()) << 31)
                    | (bit_cast::<35, 16>(self.cookie.q.val()) << 15)
                    | 0x2000;
                if !self.segments_full.val() {
                    self.segment_write.next = true;
                    self.state.d.next = CommandState::Dead;
                }
            }
            CommandState::Dead => {
                self.idle.next = true;
            }
            _ => {}
        }
        if self.advance.val() {
            self.segment_write.next = true;
            self.start.d.next = self.start.q.val() + (bit_cast::<64, 7>(self.size.q.val()) << 3);
            self.left.d.next = self.left.q.val() - bit_cast::<22, 7>(self.size.q.val());
            self.next_place.d.next = self.next_place.q.val() + bit_cast::<10, 7>(self.size.q.val());
            self.state.d.next = CommandState::Split;
            if self.last.val() {
                self.state.d.next = CommandState::First;
            }
        }
        if self.slot_read.val() {
            self.second.d.next = !self.second.q.val();
            if self.second.q.val() {
                self.head.d.next = self.head.q.val() + 1;
            }
        }

        // What the joiner has not released yet.
        if self.allocate.val() && self.freed.val() {
            self.used.d.next = self.filled.val() - bit_cast::<11, 7>(self.release_words.val());
        } else if self.allocate.val() {
            self.used.d.next = self.filled.val();
        } else if self.freed.val() {
            self.used.d.next = self.used.q.val() - bit_cast::<11, 7>(self.release_words.val());
        }
        if self.book.val() && !self.release_tag.val() {
            self.tags.d.next = self.tags.q.val() + 1;
        }
        if !self.book.val() && self.release_tag.val() {
            self.tags.d.next = self.tags.q.val() - 1;
        }
        if self.clear.val() {
            self.state.d.next = CommandState::First;
            self.second.d.next = false;
            self.head.d.next = 0.into();
            self.next_place.d.next = 0.into();
            self.used.d.next = 0.into();
            self.tags.d.next = 0.into();
            self.next_tag.d.next = 0.into();
            self.coming.d.next = false;
        }
    }
}
