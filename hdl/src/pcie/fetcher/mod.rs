//! Fetches the slots of a ring in host memory, ahead of whoever takes them.

use crate::rtl::*;

/// What the fetcher does.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
pub enum FetchState {
    /// Compares positions.
    Look,
    /// Works out how many slots one request may ask for.
    Limit,
    /// Wants them.
    Ask,
    /// Waits for them.
    Wait,
    /// A request failed; until a reset.
    Failed,
}

/// One request at a time, for slots that lie in one aligned piece of memory of the maximum read request.
#[derive(LogicBlock, Default)]
pub struct Fetcher {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// Forget everything: positions become zero.
    pub clear: Signal<In, Bit>,
    /// New requests may be made.
    pub enable: Signal<In, Bit>,
    /// Forget what was fetched and not taken.
    pub rewind: Signal<In, Bit>,
    /// Address of the ring.
    pub base: Signal<In, Bits<64>>,
    /// Log2 of its slots.
    pub log2: Signal<In, Bits<4>>,
    /// Slots written by the host.
    pub tail: Signal<In, Bits<16>>,
    /// Slots taken out of the queue.
    pub taken: Signal<In, Bits<16>>,
    /// Slots that the queue holds.
    pub capacity: Signal<In, Bits<16>>,
    /// Bytes of the maximum read request, minus one.
    pub piece: Signal<In, Bits<9>>,
    /// Cycles after which a request counts as lost.
    pub timeout: Signal<In, Bits<32>>,

    /// Slots are wanted, until `done`.
    pub want: Signal<Out, Bit>,
    /// From here on.
    pub address: Signal<Out, Bits<64>>,
    /// Words of eight bytes.
    pub words: Signal<Out, Bits<7>>,
    /// The tag is booked.
    pub done: Signal<In, Bit>,
    /// The tag's answer is owed.
    pub pending: Signal<In, Bit>,
    /// Its outcome when it is not.
    pub outcome: Signal<In, Bits<4>>,
    /// The last request failed.
    pub failed: Signal<Out, Bit>,
    /// How.
    pub fault: Signal<Out, Bits<4>>,
    /// Counts a request that was not answered in time.
    pub lost: Signal<Out, Bit>,
    /// No request is under way.
    pub idle: Signal<Out, Bit>,
    /// Everything that the host wrote is fetched.
    pub complete: Signal<Out, Bit>,

    state: DFF<FetchState>,
    fetched: DFF<Bits<16>>,
    slots: DFF<Bits<16>>,
    limit: DFF<Bits<16>>,
    from: DFF<Bits<64>>,
    age: DFF<Bits<32>>,
    code: DFF<Bits<4>>,
    size: Signal<Local, Bits<16>>,
    index: Signal<Local, Bits<16>>,
    to_end: Signal<Local, Bits<16>>,
    available: Signal<Local, Bits<16>>,
    queued: Signal<Local, Bits<16>>,
    room: Signal<Local, Bits<16>>,
    to_piece: Signal<Local, Bits<16>>,
    offset: Signal<Local, Bits<9>>,
    least: Signal<Local, Bits<16>>,
}

#[allow(clippy::collapsible_match)]
impl Logic for Fetcher {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, fetched, slots, limit, from, age, code);
        self.size.next = bits::<16>(1) << self.log2.val();
        self.index.next = self.fetched.q.val() & (self.size.val() - 1);
        self.to_end.next = self.size.val() - self.index.val();
        self.available.next = self.tail.val() - self.fetched.q.val();
        self.queued.next = self.fetched.q.val() - self.taken.val();
        self.room.next = self.capacity.val() - self.queued.val();
        self.offset.next = bit_cast::<9, 64>(self.from.q.val()) & self.piece.val();
        self.to_piece.next = (bit_cast::<16, 9>(self.piece.val() - self.offset.val()) >> 4) + 1;
        self.least.next = self.limit.q.val();
        if self.to_piece.val() < self.limit.q.val() {
            self.least.next = self.to_piece.val();
        }

        self.want.next = false;
        self.address.next = self.from.q.val();
        self.words.next = bit_cast::<7, 16>(self.slots.q.val()) << 1;
        self.lost.next = false;
        self.failed.next = false;
        self.fault.next = self.code.q.val();
        self.idle.next = false;
        self.complete.next = !self.available.val().any();
        match self.state.q.val() {
            FetchState::Look => {
                self.idle.next = !(self.enable.val() && self.available.val().any());
                self.from.d.next = self.base.val() + (bit_cast::<64, 16>(self.index.val()) << 4);
                self.slots.d.next = self.available.val();
                if self.room.val() < self.available.val() {
                    self.slots.d.next = self.room.val();
                }
                self.limit.d.next = self.to_end.val();
                if self.rewind.val() {
                    self.fetched.d.next = self.taken.val();
                } else if self.enable.val() && self.available.val().any() && self.room.val().any() {
                    self.state.d.next = FetchState::Limit;
                }
            }
            FetchState::Limit => {
                if self.least.val() < self.slots.q.val() {
                    self.slots.d.next = self.least.val();
                }
                self.state.d.next = FetchState::Ask;
            }
            FetchState::Ask => {
                self.want.next = true;
                self.age.d.next = 0.into();
                if self.done.val() {
                    self.fetched.d.next = self.fetched.q.val() + self.slots.q.val();
                    self.state.d.next = FetchState::Wait;
                }
            }
            FetchState::Wait => {
                self.age.d.next = self.age.q.val() + 1;
                if !self.pending.val() && self.age.q.val().any() {
                    self.code.d.next = self.outcome.val();
                    self.state.d.next = FetchState::Look;
                    if self.outcome.val().any() {
                        self.state.d.next = FetchState::Failed;
                    }
                } else if self.age.q.val() >= self.timeout.val() {
                    self.lost.next = true;
                    self.code.d.next = 7.into();
                    self.state.d.next = FetchState::Failed;
                }
            }
            FetchState::Failed => {
                self.failed.next = true;
                self.idle.next = true;
            }
            _ => {}
        }
        if self.clear.val() {
            self.state.d.next = FetchState::Look;
            self.fetched.d.next = 0.into();
        }
    }
}
