//! Divider values for the clock multipliers of the families.
//!
//! One search serves all: a kind is a list of candidate dividers with the frequencies that they give. Among
//! equally close candidates each kind takes the one that its public tool takes (`ecppll`, `icepll`,
//! `gowin_pll`), so that the values can be compared.

use serde::{Deserialize, Serialize};

/// Which arithmetic a clock multiplier follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PllKind {
    /// ECP5 `EHXPLLL`, feedback from the first output.
    Ehxplll,
    /// iCE40 `SB_PLL40`, simple feedback.
    #[serde(rename = "sb_pll40")]
    SbPll40,
    /// Gowin `rPLL`.
    Rpll,
    /// GateMate `CC_PLL`, which is told its frequencies only: nextpnr splits the two factors found here among five
    /// dividers.
    CcPll,
}

/// Frequencies that a part allows, lowest and highest, MHz.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Ranges {
    /// Input clock.
    pub input_mhz: [f64; 2],
    /// Output clock.
    pub output_mhz: [f64; 2],
    /// Phase detector.
    pub pfd_mhz: [f64; 2],
    /// Oscillator.
    pub vco_mhz: [f64; 2],
}

/// Values found for one clock multiplier.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PllSetting {
    /// Parameters of the vendor's cell with their values.
    pub parameters: Vec<(&'static str, u32)>,
    /// Phase detector, MHz.
    pub pfd_mhz: f64,
    /// Oscillator, MHz.
    pub vco_mhz: f64,
    /// Output, MHz.
    pub out_mhz: f64,
}

/// Why no values were found.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum PllError {
    /// The input is outside the range.
    #[error("an input clock of {mhz} MHz is outside {}..{} MHz", range[0], range[1])]
    Input {
        /// The input.
        mhz: f64,
        /// The range.
        range: [f64; 2],
    },
    /// The output is outside the range.
    #[error("an output clock of {mhz} MHz is outside {}..{} MHz", range[0], range[1])]
    Output {
        /// The output.
        mhz: f64,
        /// The range.
        range: [f64; 2],
    },
    /// Nothing within [`TOLERANCE`] of what was wanted.
    #[error("{wanted} MHz cannot be made from {input} MHz: {}", nearest.map_or("no divider fits the ranges".into(), |n| format!("the nearest is {n:.3} MHz")))]
    Unreachable {
        /// The input, MHz.
        input: f64,
        /// What was wanted, MHz.
        wanted: f64,
        /// The nearest that the dividers give, MHz.
        nearest: Option<f64>,
    },
}

/// How far off an output may be: a two-hundredth.
pub const TOLERANCE: f64 = 0.005;

/// Values for `wanted` MHz from `input` MHz, within [`TOLERANCE`].
///
/// # Errors
/// [`PllError`] when a clock is out of range or nothing comes close enough.
pub fn solve(
    kind: PllKind,
    ranges: &Ranges,
    input: f64,
    wanted: f64,
) -> Result<PllSetting, PllError> {
    if !inside(input, ranges.input_mhz) {
        return Err(PllError::Input {
            mhz: input,
            range: ranges.input_mhz,
        });
    }
    if !inside(wanted, ranges.output_mhz) {
        return Err(PllError::Output {
            mhz: wanted,
            range: ranges.output_mhz,
        });
    }
    let mut best: Option<Candidate> = None;
    candidates(kind, input, |candidate| {
        if !inside(candidate.pfd, ranges.pfd_mhz) || !inside(candidate.vco, ranges.vco_mhz) {
            return;
        }
        // Frequencies are quotients of small integers: closer than a millionth is the same.
        let same = 1e-6 * wanted;
        let closer = best.is_none_or(|old| {
            let gain = (old.out - wanted).abs() - (candidate.out - wanted).abs();
            gain > same || (gain >= -same && prefers(kind, &candidate, &old))
        });
        if closer {
            best = Some(candidate);
        }
    });
    match best {
        Some(found) if (found.out - wanted).abs() <= wanted * TOLERANCE => Ok(PllSetting {
            parameters: names(kind).iter().copied().zip(found.dividers).collect(),
            pfd_mhz: found.pfd,
            vco_mhz: found.vco,
            out_mhz: found.out,
        }),
        other => Err(PllError::Unreachable {
            input,
            wanted,
            nearest: other.map(|o| o.out),
        }),
    }
}

/// Dividers, in the order of [`names`], with the frequencies they give.
#[derive(Clone, Copy)]
struct Candidate {
    dividers: [u32; 4],
    pfd: f64,
    vco: f64,
    out: f64,
}

const fn names(kind: PllKind) -> &'static [&'static str] {
    match kind {
        PllKind::Ehxplll => &["CLKI_DIV", "CLKFB_DIV", "CLKOP_DIV"],
        PllKind::SbPll40 => &["DIVR", "DIVF", "DIVQ", "FILTER_RANGE"],
        PllKind::Rpll => &["IDIV_SEL", "FBDIV_SEL", "ODIV_SEL"],
        PllKind::CcPll => &["N", "M"],
    }
}

fn inside(mhz: f64, [low, high]: [f64; 2]) -> bool {
    (low..=high).contains(&mhz)
}

/// Whether the tool of this kind would take `new` over an equally close `old`: `ecppll` likes an oscillator near
/// the middle of its range, the others keep the first they find.
fn prefers(kind: PllKind, new: &Candidate, old: &Candidate) -> bool {
    const MIDDLE: f64 = 600.0;
    kind == PllKind::Ehxplll && (new.vco - MIDDLE).abs() < (old.vco - MIDDLE).abs()
}

/// Everything the dividers can do, in the order in which the kind's tool tries it.
fn candidates(kind: PllKind, input: f64, mut take: impl FnMut(Candidate)) {
    match kind {
        PllKind::Ehxplll => {
            for reference in 1..=128 {
                let pfd = input / f64::from(reference);
                for feedback in 1..=80 {
                    let out = pfd * f64::from(feedback);
                    for output in 1..=128 {
                        take(Candidate {
                            dividers: [reference, feedback, output, 0],
                            pfd,
                            vco: out * f64::from(output),
                            out,
                        });
                    }
                }
            }
        }
        PllKind::SbPll40 => {
            for divr in 0..=15 {
                let pfd = input / f64::from(divr + 1);
                for divf in 0..=127 {
                    let vco = pfd * f64::from(divf + 1);
                    for divq in 1..=6 {
                        take(Candidate {
                            dividers: [divr, divf, divq, filter_range(pfd)],
                            pfd,
                            vco,
                            out: vco / f64::from(1 << divq),
                        });
                    }
                }
            }
        }
        PllKind::Rpll => {
            for idiv in 0..64 {
                let pfd = input / f64::from(idiv + 1);
                for fbdiv in 0..64 {
                    let out = pfd * f64::from(fbdiv + 1);
                    for odiv in [2, 4, 8, 16, 32, 48, 64, 80, 96, 112, 128] {
                        take(Candidate {
                            dividers: [idiv, fbdiv, odiv, 0],
                            pfd,
                            vco: out * f64::from(odiv),
                            out,
                        });
                    }
                }
            }
        }
        // N = N1 N2 and M = M1 M2, K = 1, PDIV1 = 2. M is even for the sake of four phases; that N is, too, keeps what
        // enters the second divider of each slow enough.
        PllKind::CcPll => {
            for n in (2..=2048).step_by(2) {
                let vco = 2.0 * input * f64::from(n);
                for m in (2..=512).step_by(2) {
                    take(Candidate {
                        dividers: [n, m, 0, 0],
                        pfd: input,
                        vco,
                        out: vco / f64::from(4 * m),
                    });
                }
            }
        }
    }
}

/// Setting of the iCE40's loop filter by the phase detector's frequency in MHz, as `icepll` chooses it.
fn filter_range(pfd: f64) -> u32 {
    const ABOVE: [f64; 5] = [17.0, 26.0, 44.0, 66.0, 101.0];
    1 + ABOVE.iter().filter(|limit| pfd >= **limit).count() as u32
}
