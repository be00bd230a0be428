//! Wires only: the bits of a beat, sorted for those who use them.

use crate::rtl::*;

/// Sorts the bits of a beat of `D` bits into mask words of `M` bits a bank and into two planes of nibbles.
#[derive(LogicBlock)]
pub struct Wiring<const D: usize, const M: usize> {
    /// A beat of the stream.
    pub beat: Signal<In, Bits<D>>,
    /// Low nibbles of the beat's bytes in the low half, high nibbles in the high half.
    pub planes: Signal<Out, Bits<D>>,
    /// For each bank its bits of a beat of mask, the lowest row in bit 0.
    pub mask: Vec<Signal<Out, Bits<M>>>,
}

impl<const D: usize, const M: usize> Default for Wiring<D, M> {
    fn default() -> Self {
        Self {
            beat: Signal::default(),
            planes: Signal::default(),
            mask: vec![Signal::default(); D / M],
        }
    }
}

/// For each bit of the planes, the bit of the beat that it is.
fn plane_sources(width: usize) -> Vec<usize> {
    let nibble =
        |first: usize| (0..width / 8).flat_map(move |j| (0..4).map(move |b| 8 * j + first + b));
    nibble(0).chain(nibble(4)).collect()
}

fn gather<const D: usize>(beat: Bits<D>, sources: impl Iterator<Item = usize>) -> u64 {
    sources
        .enumerate()
        .fold(0, |v, (to, from)| v | u64::from(beat.get_bit(from)) << to)
}

/// A Verilog concatenation of nibbles of the beat.
fn concatenation(parts: impl DoubleEndedIterator<Item = String>) -> String {
    format!("{{{}}}", parts.rev().collect::<Vec<_>>().join(", "))
}

impl<const D: usize, const M: usize> Logic for Wiring<D, M> {
    fn update(&mut self) {
        let beat = self.beat.val();
        self.planes.next = gather(beat, plane_sources(D).into_iter()).to_bits();
        let banks = self.mask.len();
        for (bank, word) in self.mask.iter_mut().enumerate() {
            word.next = gather(beat, (bank..D).step_by(banks)).to_bits();
        }
    }

    fn connect(&mut self) {
        self.planes.connect();
        for word in &mut self.mask {
            word.connect();
        }
    }

    fn hdl(&self) -> Verilog {
        let nibbles = plane_sources(D).into_iter().step_by(4);
        let planes = concatenation(
            nibbles
                .map(|b| format!("beat[{}:{b}]", b + 3))
                .collect::<Vec<_>>()
                .into_iter(),
        );
        let mut code = format!("assign planes = {planes};");
        let banks = self.mask.len();
        for bank in 0..banks {
            let bits: Vec<_> = (bank..D)
                .step_by(banks)
                .map(|b| format!("beat[{b}]"))
                .collect();
            let word = concatenation(bits.into_iter());
            code.push_str(&format!("\nassign mask${bank} = {word};"));
        }
        Verilog::Wrapper(Wrapper {
            code,
            cores: String::new(),
        })
    }
}
