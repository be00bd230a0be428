//! A run as the card needs it: small things, data, and the answers to expect.

use crate::device::{CoreInfo, DeviceError};
use std::ops::Range;
use weft_protocol::packet::{Header, Opcode, Request};
use weft_protocol::registers::Register;
use weft_protocol::{ALIGN, ROW_GRANULE};

/// The next bytes of the packet stream.
#[derive(Clone, Debug)]
pub(super) enum Piece<'a> {
    /// A range of [`Plan::small`]: headers and activations.
    Small(Range<usize>),
    /// Scales or a bundle, wherever they lie.
    Data(&'a [u8]),
}

/// An answer packet that will come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// Its header.
    pub header: Header,
    /// Bytes of the whole packet.
    pub bytes: usize,
}

/// All of a run.
#[derive(Debug, Default)]
pub(super) struct Plan<'a> {
    /// Headers and activations, one after the other.
    pub small: Vec<u8>,
    /// The stream in order.
    pub pieces: Vec<Piece<'a>>,
    /// The answers in order: a result a drain, then a value a register.
    pub answers: Vec<Answer>,
}

impl<'a> Plan<'a> {
    /// Lays `requests` out, and asks for `registers` behind them.
    pub(super) fn new(
        requests: &[Request<'a>],
        core: &CoreInfo,
        registers: &[Register],
    ) -> Result<Self, DeviceError> {
        let mut plan = Self::default();
        let mut tile = None;
        let mut undrained = false;
        for (index, request) in requests.iter().enumerate() {
            match request {
                Request::Tile { rows, log2_batch } => {
                    if undrained {
                        return Err(DeviceError::Undrained { index });
                    }
                    tile = Some((*rows, *log2_batch));
                    plan.header(request);
                }
                Request::Group(group) => {
                    undrained = true;
                    plan.header(request);
                    plan.add(|small| small.extend(group.activations.iter().map(|&x| x as u8)));
                    for data in group.scales.iter().chain(&group.bundles) {
                        plan.pieces.push(Piece::Data(data));
                    }
                }
                Request::Drain { tag } => {
                    undrained = false;
                    plan.header(request);
                    plan.expect_result(tile, *tag, core);
                }
                Request::Read { .. } | Request::Reset => {
                    return Err(DeviceError::NotAProduct { index });
                }
            }
        }
        if undrained {
            let index = requests.len();
            return Err(DeviceError::Undrained { index });
        }
        for &register in registers {
            let register = register as u16;
            plan.header(&Request::Read { register });
            plan.answers.push(Answer {
                header: Header::new(Opcode::Value, 0, register, 0),
                bytes: ALIGN,
            });
        }
        Ok(plan)
    }

    fn header(&mut self, request: &Request<'_>) {
        self.add(|small| small.extend_from_slice(&request.header().to_bytes()));
    }

    /// Appends to the small bytes, pads them, and lets them join the small piece before.
    fn add(&mut self, append: impl FnOnce(&mut Vec<u8>)) {
        let start = self.small.len();
        append(&mut self.small);
        self.small
            .resize(self.small.len().next_multiple_of(ALIGN), 0);
        let end = self.small.len();
        match self.pieces.last_mut() {
            Some(Piece::Small(range)) => range.end = end,
            _ => self.pieces.push(Piece::Small(start..end)),
        }
    }

    /// A drain's answer. What a core of this shape cannot hold it refuses, with an error packet in place of the
    /// result, so that nothing larger than its largest result is ever expected.
    fn expect_result(&mut self, tile: Option<(usize, u8)>, tag: u32, core: &CoreInfo) {
        let (rows, log2_batch) = tile.unwrap_or((0, 0));
        let rows = rows.min(core.rows());
        let log2_batch = u32::from(log2_batch).min(core.batch.trailing_zeros()) as u8;
        self.answers.push(Answer {
            header: Header::new(Opcode::Result, log2_batch, (rows / ROW_GRANULE) as u16, tag),
            bytes: ALIGN + 4 * (rows << log2_batch),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::device::random::{RandomProduct, Shape};
    use weft_protocol::layout::Kind;

    #[test]
    fn the_pieces_joined_are_the_packets() {
        let core = crate::device::Cpu::default_core();
        for (log2_batch, kind, density) in [(0, Kind::G4, 1.0), (3, Kind::I8, 0.3)] {
            let product = RandomProduct::new(
                Shape {
                    rows: 192,
                    cols: 70,
                    log2_batch,
                    density,
                    kind,
                    banks: 8,
                },
                3,
            );
            let requests = product.requests();
            let plan = Plan::new(&requests, &core, &[Register::Cycles]).expect("a product");
            let mut joined = Vec::new();
            for piece in &plan.pieces {
                match piece {
                    Piece::Small(range) => joined.extend_from_slice(&plan.small[range.clone()]),
                    Piece::Data(data) => joined.extend_from_slice(data),
                }
            }
            let mut wanted = Vec::new();
            for request in &requests {
                request.encode(&mut wanted);
            }
            Request::Read {
                register: Register::Cycles as u16,
            }
            .encode(&mut wanted);
            assert!(joined == wanted);
            let bytes: Vec<usize> = plan.answers.iter().map(|a| a.bytes).collect();
            assert_eq!(bytes, [8 + (192 << log2_batch) * 4, 8]);
        }
    }

    #[test]
    fn sums_that_nobody_asks_for_are_refused() {
        let core = crate::device::Cpu::default_core();
        let product = RandomProduct::new(
            Shape {
                rows: 64,
                cols: 3,
                log2_batch: 0,
                density: 1.0,
                kind: Kind::I8,
                banks: 8,
            },
            3,
        );
        let requests = product.requests();
        let undrained = Plan::new(&requests[..2], &core, &[]);
        assert!(matches!(
            undrained,
            Err(DeviceError::Undrained { index: 2 })
        ));
        let read = [Request::Read { register: 0 }];
        let refused = Plan::new(&read, &core, &[]);
        assert!(matches!(
            refused,
            Err(DeviceError::NotAProduct { index: 0 })
        ));
    }
}
