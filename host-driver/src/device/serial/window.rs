//! Where both ends of a session stand: what was sent, taken and heard, and when to go back.
//!
//! Positions count units of 8 bytes since the session began. Headers carry their low 16 bits; tags of frames have 8.

use weft_protocol::serial::{FromBoard, tell};

/// Most frames without an answer, half of what tags can tell apart.
pub(super) const IN_FLIGHT: u8 = 100;

/// The host's view of a session.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// Tag of the last frame sent.
    pub(super) tag: u8,
    /// Tag of the last frame answered.
    pub(super) answered: u8,
    /// First tag since sending went back.
    back: u8,
    /// First tag since answers were asked for again.
    again: u8,
    /// What the core took, of what the board received, of what was sent, of what there is to send.
    pub(super) taken: u64,
    pub(super) received: u64,
    pub(super) next: u64,
    pub(super) end: u64,
    /// Answers heard without a hole.
    pub(super) heard: u64,
    /// The next poll asks for answers again.
    pub(super) resend: bool,
}

/// How a frame of answers continues those heard before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hearing {
    /// These are the next ones.
    Next,
    /// Nothing new.
    Known,
    /// Some before it are missing.
    Hole,
}

impl Window {
    /// Everything from the beginning; tags go on, since frames of the last session may still be on their way.
    pub(super) fn restart(&mut self) {
        let tag = self.tag;
        *self = Self {
            tag,
            answered: tag,
            back: tag,
            again: tag,
            ..Self::default()
        };
    }

    /// Frames sent and not answered.
    pub(super) fn in_flight(&self) -> u8 {
        self.tag.wrapping_sub(self.answered)
    }

    /// The positions that only progress moves.
    pub(super) fn reached(&self) -> [u64; 3] {
        [self.received, self.taken, self.heard]
    }

    /// Takes in the tag, positions and complaints of a frame. True if the complaint is one to go back for.
    pub(super) fn account(&mut self, header: &FromBoard) -> bool {
        if header.tag.wrapping_sub(self.answered) <= self.in_flight() {
            self.answered = header.tag;
        }
        let received = grown(self.received, header.received);
        if received <= self.end {
            self.received = received;
            self.next = self.next.max(received);
        }
        let taken = grown(self.taken, header.taken);
        if taken <= self.received {
            self.taken = taken;
        }
        let complaint = tell::BAD | tell::GAP | tell::FULL;
        let since = header.tag.wrapping_sub(self.back) as i8;
        // A damaged frame has no tag: the one before it speaks.
        let new = since >= 0 || (header.flags & tell::BAD != 0 && since >= -1);
        header.flags & complaint != 0 && new && self.received < self.next
    }

    /// Sends again from what the board has. True if anything is lost by it.
    pub(super) fn go_back(&mut self) -> bool {
        let again = self.next > self.received;
        self.next = self.received;
        self.back = self.tag.wrapping_add(1);
        again
    }

    /// Answers are asked for again by the next frame.
    pub(super) fn ask_again(&mut self) {
        self.resend = false;
        self.again = self.tag.wrapping_add(1);
    }

    /// Takes in where a frame's `units` of answers stand; a hole makes the next poll ask again.
    pub(super) fn hear(&mut self, header: &FromBoard, units: usize) -> Hearing {
        let ahead = header.position.wrapping_sub(self.heard as u16) as i16;
        if ahead == 0 {
            self.heard += units as u64;
            Hearing::Next
        } else if ahead > 0 {
            // Frames sent before the last request for a resend say nothing new.
            self.resend |= header.tag.wrapping_sub(self.again) as i8 >= 0;
            Hearing::Hole
        } else {
            Hearing::Known
        }
    }
}

/// A position of which a header has the low half. Positions only grow; an older frame that comes late says less.
fn grown(old: u64, new: u16) -> u64 {
    let by = new.wrapping_sub(old as u16);
    if by < 0x8000 {
        old + u64::from(by)
    } else {
        old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window() -> Window {
        Window {
            tag: 9,
            answered: 4,
            received: 0x1_fff0,
            taken: 0x1_ffe0,
            next: 0x2_0010,
            end: 0x2_0100,
            ..Window::default()
        }
    }

    #[test]
    fn positions_grow_past_sixteen_bits_and_never_shrink() {
        let mut w = window();
        let mut header = FromBoard {
            tag: 6,
            received: 0x0008,
            taken: 0xfff8,
            ..FromBoard::default()
        };
        assert!(!w.account(&header));
        assert_eq!((w.answered, w.received, w.taken), (6, 0x2_0008, 0x1_fff8));
        (header.tag, header.received, header.taken) = (5, 0xfff0, 0xffe0);
        w.account(&header);
        assert_eq!((w.answered, w.received, w.taken), (6, 0x2_0008, 0x1_fff8));
    }

    #[test]
    fn one_complaint_goes_back_once() {
        let mut w = window();
        let header = FromBoard {
            tag: 7,
            flags: tell::GAP,
            received: 0xfff0,
            taken: 0xffe0,
            ..FromBoard::default()
        };
        assert!(w.account(&header));
        assert!(w.go_back());
        assert_eq!(w.next, w.received);
        w.next += 4;
        assert!(!w.account(&header), "a frame sent before going back");
    }

    #[test]
    fn holes_ask_again_once() {
        let mut w = window();
        w.ask_again();
        let late = FromBoard {
            tag: 10,
            position: 4,
            ..FromBoard::default()
        };
        let early = FromBoard { tag: 9, ..late };
        assert_eq!((w.hear(&early, 1), w.resend), (Hearing::Hole, false));
        assert_eq!((w.hear(&late, 1), w.resend), (Hearing::Hole, true));
        let next = FromBoard {
            position: 0,
            ..late
        };
        assert_eq!((w.hear(&next, 4), w.heard), (Hearing::Next, 4));
        assert_eq!(w.hear(&next, 4), Hearing::Known);
    }
}
