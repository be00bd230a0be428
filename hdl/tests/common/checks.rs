//! What every core is held to: random streams with the twin's answers.

use super::bench::Gaps;
use super::stream::{Random, corrupted, edges, hostile, read_fresh, session};
use weft_hdl::{CoreConfig, Twin};
use weft_protocol::packet::Request;
use weft_protocol::registers::Register;

/// Registers that do not depend on timing.
const STABLE: [Register; 13] = [
    Register::Magic,
    Register::Version,
    Register::MapHash,
    Register::Banks,
    Register::Batch,
    Register::StreamBytes,
    Register::Depth,
    Register::Beats,
    Register::Nonzeros,
    Register::Columns,
    Register::Tiles,
    Register::Errors,
    Register::Rounds,
];

/// A stream, how both sides hesitate, and the words that must come.
pub struct Check {
    pub bytes: Vec<u8>,
    pub gaps: Gaps,
    pub expected: Vec<u32>,
}

fn read_all(out: &mut Vec<u8>) {
    for register in STABLE {
        let register = register as u16;
        Request::Read { register }.encode(out);
    }
}

/// The stream, between reads: of all counters where no tile was ever opened, so that all are zero, and of the stable
/// ones at the end, before and after a reset, which leaves the count of errors.
fn read_around(stream: Vec<u8>) -> Vec<u8> {
    let mut out = Vec::new();
    read_fresh(&mut out);
    out.extend(stream);
    read_all(&mut out);
    Request::Reset.encode(&mut out);
    read_all(&mut out);
    out
}

/// `rounds` random streams of each sort.
pub fn checks(config: CoreConfig, rounds: u64) -> Vec<Check> {
    let seed = (config.banks * 1000 + config.batch * 10 + config.depth) as u64;
    let mut random = Random(seed);
    let mut out = Vec::new();
    for i in 0..rounds {
        let streams = [
            session(&mut random, &config, 4),
            hostile(&mut random, &config),
            corrupted(&mut random, &config),
            edges(&mut random, &config),
        ];
        for stream in streams {
            let bytes = read_around(stream);
            let mut twin = Twin::new(config);
            twin.push(&bytes);
            let gap = [0, 0, 60, 200];
            let gaps = Gaps {
                input: gap[random.below(4)],
                output: gap[random.below(4)],
                seed: seed * 1000 + i,
            };
            let expected = twin.responses();
            out.push(Check {
                bytes,
                gaps,
                expected,
            });
        }
    }
    out.push(strangers(config));
    out
}

/// Registers next to those that there are, each refused, before a reader so slow that the answers back up.
fn strangers(config: CoreConfig) -> Check {
    let mut bytes = Vec::new();
    let registers = [7, 15, 26, 31, 32, 48, 0x0110, u16::MAX];
    for register in registers.into_iter().cycle().take(24) {
        Request::Read { register }.encode(&mut bytes);
        Request::Reset.encode(&mut bytes);
    }
    let mut twin = Twin::new(config);
    twin.push(&bytes);
    Check {
        bytes,
        gaps: Gaps {
            input: 0,
            output: 254,
            seed: 1,
        },
        expected: twin.responses(),
    }
}
