//! From the request buffer to the core, a word at a time.

use crate::rtl::*;

/// What the feeder does.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum State {
    /// Waits for units.
    Idle,
    /// The buffer looks the word up.
    Look,
    /// The buffer's output register takes it.
    Wait,
    /// The word is offered.
    Offer,
    /// The comparison with what was received catches up.
    Settle,
}

/// Reads units of two words and offers the words. A unit once begun is finished, whatever happens to the session.
#[derive(LogicBlock, Default)]
pub struct Feeder {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Units received.
    pub received: Signal<In, Bits<16>>,
    /// Start again at position 0 when no unit is under way.
    pub restart: Signal<In, Bit>,
    /// Offer zeros.
    pub filling: Signal<In, Bit>,
    /// Address in the buffer; its answer comes two clocks later.
    pub address: Signal<Out, Bits<12>>,
    /// The buffer's answer.
    pub data: Signal<In, Bits<32>>,
    /// Units passed on.
    pub taken: Signal<Out, Bits<16>>,
    /// Everything received was passed on; one clock, when it becomes so.
    pub followed: Signal<Out, Bit>,
    /// Position is 0 again; one clock.
    pub restarted: Signal<Out, Bit>,
    /// A word is offered.
    pub valid: Signal<Out, Bit>,
    /// The word.
    pub word: Signal<Out, Bits<32>>,
    /// The word is taken at this edge if it is offered.
    pub ready: Signal<In, Bit>,
    state: DFF<State>,
    done: DFF<Bits<16>>,
    half: DFF<Bit>,
    more: DFF<Bit>,
    had: DFF<Bit>,
    held: DFF<Bits<32>>,
    differs: Signal<Local, Bit>,
}

#[allow(clippy::collapsible_match)] // the description language has no match guards
impl Logic for Feeder {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, done, half, more, had, held);
        self.differs.next = self.done.q.val() != self.received.val();
        self.more.d.next = self.differs.val();
        self.had.d.next = self.more.q.val();
        self.followed.next = self.had.q.val() && !self.more.q.val() && !self.differs.val();
        self.address.next = (bit_cast::<12, 16>(self.done.q.val()) << 1)
            | bit_cast::<12, 1>(self.half.q.val().into());
        self.restarted.next = false;
        match self.state.q.val() {
            State::Idle => {
                if self.restart.val() && !self.half.q.val() {
                    self.done.d.next = 0.into();
                    self.restarted.next = true;
                    self.state.d.next = State::Settle;
                } else if self.more.q.val() || self.half.q.val() {
                    self.state.d.next = State::Look;
                }
            }
            State::Look => {
                self.state.d.next = State::Wait;
            }
            State::Wait => {
                self.held.d.next = self.data.val();
                if self.filling.val() {
                    self.held.d.next = 0.into();
                }
                self.state.d.next = State::Offer;
            }
            State::Offer => {
                if self.ready.val() {
                    self.half.d.next = !self.half.q.val();
                    if self.half.q.val() {
                        self.done.d.next = self.done.q.val() + 1;
                    }
                    self.state.d.next = State::Settle;
                }
            }
            State::Settle => {
                self.state.d.next = State::Idle;
            }
            _ => {}
        }
        self.taken.next = self.done.q.val();
        self.valid.next = self.state.q.val() == State::Offer;
        self.word.next = self.held.q.val();
    }
}
