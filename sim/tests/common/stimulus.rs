//! Random inputs of a design, row by row.

use weft_sim::{Bits, Design};

use super::Rng;

/// Words that are often near the ends, so that corner cases are met.
fn mixed(rng: &mut Rng) -> u64 {
    let (kind, word) = (rng.word() >> 60, rng.word());
    match kind {
        0 => 0,
        1 => u64::MAX,
        2 => word >> 40,
        3 => word & word >> 7,
        _ => word,
    }
}

/// Random inputs of a design for some cycles.
pub fn random_stimulus(rng: &mut Rng, design: &Design, cycles: u64) -> Vec<Vec<Bits>> {
    let inputs = super::data_inputs(design);
    let mut value = |width: u32| {
        let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| mixed(rng)).collect();
        Bits::from_limbs(width, &limbs)
    };
    (0..cycles)
        .map(|_| inputs.iter().map(|(_, w)| value(*w)).collect())
        .collect()
}

/// Inputs that stay for a while and single bits that are mostly one value for some time, so that queues fill and empty
/// and long conditions come true.
pub fn biased_stimulus(rng: &mut Rng, design: &Design, cycles: u64) -> Vec<Vec<Bits>> {
    let inputs = super::data_inputs(design);
    let mut bias = vec![(50, 0); inputs.len()];
    let mut row: Vec<Bits> = inputs.iter().map(|(_, w)| Bits::zero(*w)).collect();
    let mut next = |cycle| {
        for ((value, (_, width)), (ones, hold)) in row.iter_mut().zip(&inputs).zip(&mut bias) {
            if cycle % 48 == 0 {
                (*ones, *hold) = (*rng.pick(&[3, 20, 50, 80, 97]), *rng.pick(&[0, 0, 60, 90]));
            }
            if *width == 1 {
                *value = Bits::bool(rng.chance(*ones));
            } else if !rng.chance(*hold) {
                let limbs: Vec<u64> = (0..width.div_ceil(64)).map(|_| mixed(rng)).collect();
                *value = Bits::from_limbs(*width, &limbs);
            }
        }
        row.clone()
    };
    (0..cycles).map(&mut next).collect()
}
