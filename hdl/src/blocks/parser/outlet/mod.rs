//! Hands the beats of a group on, a clock later, with a mark for the unit that each is for.

use super::State;
use crate::rtl::*;

/// Registers on the way from the parser to activations, scanners, codes and columns; `D` is the stream width in bits.
#[derive(LogicBlock)]
pub struct Outlet<const D: usize> {
    /// Rising edge clocks everything.
    pub clock: Signal<In, Clock>,
    /// What the parser does with the beat.
    pub state: Signal<In, State>,
    /// Next beat of the stream.
    pub beat: Signal<In, Bits<D>>,
    /// The beat is taken, and part of a payload.
    pub consume: Signal<In, Bit>,
    /// It is the last one of its activations, mask or codes.
    pub last: Signal<In, Bit>,
    /// It is there for the part's length only.
    pub padding: Signal<In, Bit>,
    /// A column begins with it, or without any beat.
    pub opens: Signal<In, Bit>,
    /// Describes that column.
    pub described: Signal<In, Bits<4>>,

    /// The beat that was taken a cycle ago, for activations, masks and codes.
    pub handed: Signal<Out, Bits<D>>,
    /// Its number among the activations.
    pub index: Signal<Out, Bits<9>>,
    /// It holds activations.
    pub x_write: Signal<Out, Bit>,
    /// It is the last one of its group that does.
    pub x_last: Signal<Out, Bit>,
    /// It holds mask bits.
    pub mask_write: Signal<Out, Bit>,
    /// It holds codes.
    pub code_write: Signal<Out, Bit>,
    /// They are the last of their column.
    pub code_last: Signal<Out, Bit>,
    /// `column` describes the column whose codes follow.
    pub column_write: Signal<Out, Bit>,
    /// The description.
    pub column: Signal<Out, Bits<4>>,
    given: DFF<Bits<D>>,
    x_index: DFF<Bits<9>>,
    given_index: DFF<Bits<9>>,
    given_x: DFF<Bit>,
    given_x_last: DFF<Bit>,
    given_mask: DFF<Bit>,
    given_code: DFF<Bit>,
    given_code_last: DFF<Bit>,
    given_column: DFF<Bit>,
    given_description: DFF<Bits<4>>,
}

impl<const D: usize> Default for Outlet<D> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            state: Signal::default(),
            beat: Signal::default(),
            consume: Signal::default(),
            last: Signal::default(),
            padding: Signal::default(),
            opens: Signal::default(),
            described: Signal::default(),
            handed: Signal::default(),
            index: Signal::default(),
            x_write: Signal::default(),
            x_last: Signal::default(),
            mask_write: Signal::default(),
            code_write: Signal::default(),
            code_last: Signal::default(),
            column_write: Signal::default(),
            column: Signal::default(),
            given: DFF::default(),
            x_index: DFF::default(),
            given_index: DFF::default(),
            given_x: DFF::default(),
            given_x_last: DFF::default(),
            given_mask: DFF::default(),
            given_code: DFF::default(),
            given_code_last: DFF::default(),
            given_column: DFF::default(),
            given_description: DFF::default(),
        }
    }
}

impl<const D: usize> Logic for Outlet<D> {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(
            self,
            clock,
            given,
            x_index,
            given_index,
            given_x,
            given_x_last,
            given_mask,
            given_code,
            given_code_last,
            given_column,
            given_description
        );
        self.given.d.next = self.beat.val();
        self.x_index.d.next = 0.into();
        if self.state.val() == State::Activations {
            self.x_index.d.next = self.x_index.q.val();
            if self.consume.val() {
                self.x_index.d.next = self.x_index.q.val() + 1;
            }
        }
        self.given_index.d.next = self.x_index.q.val();
        self.given_x.d.next = self.consume.val() && (self.state.val() == State::Activations);
        self.given_x_last.d.next =
            self.consume.val() && self.last.val() && (self.state.val() == State::Activations);
        self.given_mask.d.next = self.consume.val() && (self.state.val() == State::Mask);
        self.given_code.d.next =
            self.consume.val() && (self.state.val() == State::Codes) && !self.padding.val();
        self.given_code_last.d.next = self.last.val();
        self.given_column.d.next = self.opens.val();
        self.given_description.d.next = self.described.val();

        self.handed.next = self.given.q.val();
        self.index.next = self.given_index.q.val();
        self.x_write.next = self.given_x.q.val();
        self.x_last.next = self.given_x_last.q.val();
        self.mask_write.next = self.given_mask.q.val();
        self.code_write.next = self.given_code.q.val();
        self.code_last.next = self.given_code_last.q.val();
        self.column_write.next = self.given_column.q.val();
        self.column.next = self.given_description.q.val();
    }
}
