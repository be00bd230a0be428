//! The processor as a device against a scalar reference and the core's twin, on random runs.

use proptest::prelude::*;
use weft_host::device::{CoreInfo, Cpu, Device, DeviceError, Several, SeveralError};
use weft_protocol::layout::{Kind, round_order};
use weft_protocol::packet::{ErrorCode, Group, Header, Opcode, Request, masked_bundle};
use weft_protocol::{g4, wrap_accumulator};

/// A group with its own bytes.
#[derive(Clone, Debug)]
struct OwnGroup {
    kind: Kind,
    masked: bool,
    keep: bool,
    x: Vec<i8>,
    scales: Vec<u8>,
    bundles: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct OwnTile {
    rows: usize,
    log2_batch: u8,
    /// Groups between drains.
    drains: Vec<Vec<OwnGroup>>,
}

const BANKS: usize = 8;

/// A small generator, so that cases need no strategy a byte.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let x = self.0 ^ (self.0 >> 33);
        x.wrapping_mul(0xff51_afd7_ed55_8ccd) >> 16
    }

    fn below(&mut self, n: usize) -> usize {
        self.next() as usize % n
    }

    fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

fn own_group(rng: &mut Rng, rows: usize, log2_batch: u8, first: bool) -> OwnGroup {
    let kind = [Kind::G4, Kind::I8][rng.below(2)];
    let masked = rng.below(3) == 0;
    let n = 1 + rng.below(64);
    let bundles = (0..n)
        .map(|_| {
            if masked {
                let density = rng.below(5);
                let mut mask = rng.bytes(rows / 8);
                for byte in &mut mask {
                    match density {
                        0 => *byte = 0,
                        1 => *byte = 0xff,
                        2 => *byte &= rng.next() as u8,
                        _ => {}
                    }
                }
                masked_bundle(kind, &mask, &rng.bytes(rows), BANKS)
            } else {
                rng.bytes(kind.dense_bytes(rows))
            }
        })
        .collect();
    OwnGroup {
        kind,
        masked,
        keep: kind == Kind::G4 && !first && rng.below(4) == 0,
        x: rng
            .bytes(n << log2_batch)
            .iter()
            .map(|&b| b as i8)
            .collect(),
        scales: rng.bytes(kind.scale_bytes(rows)),
        bundles,
    }
}

fn own_run(seed: u64) -> Vec<OwnTile> {
    let mut rng = Rng(seed);
    (0..1 + rng.below(3))
        .map(|_| {
            let rows = 64 * (1 + rng.below(9));
            let log2_batch = rng.below(5) as u8;
            let mut scales_sent = false;
            let drains = (0..1 + rng.below(3))
                .map(|_| {
                    (0..rng.below(4))
                        .map(|_| {
                            let g = own_group(&mut rng, rows, log2_batch, !scales_sent);
                            scales_sent |= g.kind == Kind::G4;
                            g
                        })
                        .collect()
                })
                .collect();
            OwnTile {
                rows,
                log2_batch,
                drains,
            }
        })
        .collect()
}

fn requests(run: &[OwnTile]) -> Vec<Request<'_>> {
    let mut out = Vec::new();
    for tile in run {
        out.push(Request::Tile {
            rows: tile.rows,
            log2_batch: tile.log2_batch,
        });
        for (tag, groups) in tile.drains.iter().enumerate() {
            out.extend(groups.iter().map(|g| {
                Request::Group(Group {
                    kind: g.kind,
                    masked: g.masked,
                    activations: &g.x,
                    scales: (g.kind == Kind::G4 && !g.keep).then_some(&g.scales[..]),
                    bundles: g.bundles.iter().map(Vec::as_slice).collect(),
                })
            }));
            out.push(Request::Drain { tag: tag as u32 });
        }
    }
    out
}

/// What the format means, one weight at a time.
fn reference(run: &[OwnTile]) -> Vec<i32> {
    let mut out = Vec::new();
    for tile in run {
        let batch = 1 << tile.log2_batch;
        let mut scales: &[u8] = &[];
        for groups in &tile.drains {
            let mut sums = vec![0i32; tile.rows * batch];
            for g in groups {
                if g.kind == Kind::G4 && !g.keep {
                    scales = &g.scales;
                }
                for (c, bundle) in g.bundles.iter().enumerate() {
                    let code = |codes: &[u8], i: usize| match g.kind {
                        Kind::G4 => codes[i / 2] >> (4 * (i % 2)) & 15,
                        Kind::I8 => codes[i],
                    };
                    let weight = |r: usize, code: u8| match g.kind {
                        Kind::G4 => g4::expand(code, scales[2 * r], scales[2 * r + 1] as i8),
                        Kind::I8 => code as i8,
                    };
                    let order = if g.masked {
                        round_order(&bundle[..tile.rows / 8], BANKS)
                    } else {
                        (0..tile.rows as u32).collect()
                    };
                    let codes = if g.masked {
                        &bundle[tile.rows / 8..]
                    } else {
                        bundle
                    };
                    for (i, &r) in order.iter().enumerate() {
                        let w = i32::from(weight(r as usize, code(codes, i)));
                        for t in 0..batch {
                            let sum = &mut sums[r as usize * batch + t];
                            *sum = wrap_accumulator(*sum + w * i32::from(g.x[c * batch + t]));
                        }
                    }
                }
            }
            out.extend(sums);
        }
    }
    out
}

/// The same from the core's byte-level twin, and what it counted.
fn twin(requests: &[Request<'_>]) -> (Vec<i32>, weft_hdl::core::twin::Counts) {
    let config = weft_hdl::CoreConfig::named("8x16").unwrap();
    let mut twin = weft_hdl::Twin::new(config);
    let mut bytes = Vec::new();
    requests.iter().for_each(|r| r.encode(&mut bytes));
    twin.push(&bytes);
    let mut words = twin.responses().into_iter();
    let mut sums = Vec::new();
    while let (Some(a), Some(b)) = (words.next(), words.next()) {
        let header = (u64::from(b) << 32 | u64::from(a)).to_le_bytes();
        let header = Header::from_bytes(header);
        assert_eq!(header.op, Opcode::Result as u8);
        let n = (usize::from(header.arg16) * 64) << header.flags;
        sums.extend(words.by_ref().take(n).map(|w| w as i32));
    }
    (sums, twin.counts())
}

fn devices() -> Vec<Cpu> {
    let new = |threads| Cpu::new(Cpu::default_core(), threads).unwrap();
    vec![new(1), new(3), new(2).narrow(), new(2).portable()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn sums_are_the_references_to_the_bit(seed in any::<u64>()) {
        let run = own_run(seed);
        let requests = requests(&run);
        let wanted = reference(&run);
        let (of_twin, counts) = twin(&requests);
        prop_assert_eq!(&of_twin, &wanted, "the twin");
        let mut sums = vec![7; 3];
        for mut cpu in devices() {
            let stats = cpu.run(&requests, &mut sums).unwrap();
            prop_assert_eq!(&sums, &wanted, "{} with {} threads", cpu.instruction_set(), cpu.threads());
            let bytes: usize = requests.iter().map(Request::bytes).sum();
            prop_assert_eq!(stats.stream_bytes, bytes as u64);
            prop_assert_eq!(stats.nonzeros, u64::from(counts.nonzeros));
            prop_assert_eq!(stats.columns, u64::from(counts.columns));
            prop_assert_eq!(stats.tiles, u64::from(counts.tiles));
            prop_assert_eq!(stats.result_words, wanted.len() as u64);
        }
        for n in 1..=4 {
            let members = (0..n).map(|_| Cpu::new(Cpu::default_core(), 1).unwrap()).collect();
            let stats = Several::new(members).unwrap().run(&requests, &mut sums).unwrap();
            prop_assert_eq!(&sums, &wanted, "shared out to {}", n);
            prop_assert_eq!(stats.nonzeros, u64::from(counts.nonzeros));
            prop_assert_eq!(stats.columns, u64::from(counts.columns));
        }
    }
}

#[test]
fn devices_that_share_runs_have_one_shape_and_name_requests_as_they_came() {
    let cpu = |depth| {
        let core = CoreInfo {
            depth,
            ..Cpu::default_core()
        };
        Cpu::new(core, 1).unwrap()
    };
    let none = Several::<Cpu>::new(Vec::new()).unwrap_err();
    assert!(matches!(none, SeveralError::None));
    let mixed = Several::new(vec![cpu(512), cpu(256)]).unwrap_err();
    assert!(mixed.to_string().contains("depth 256"), "{mixed}");

    let mut several = Several::new(vec![cpu(512), cpu(512)]).unwrap();
    assert_eq!(several.info().name, "2 x cpu");
    let (x, column) = ([1i8], [1u8; 64]);
    let group = |kind| {
        Request::Group(Group {
            kind,
            masked: false,
            activations: &x,
            scales: None,
            bundles: vec![&column],
        })
    };
    let tile = Request::Tile {
        rows: 64,
        log2_batch: 0,
    };
    let drain = Request::Drain { tag: 0 };
    let ones = vec![group(Kind::I8); 8];
    let mut run = |groups: Vec<Request<'_>>| {
        let mut requests = vec![tile.clone()];
        requests.extend(groups);
        requests.push(drain.clone());
        let mut sums = Vec::new();
        several.run(&requests, &mut sums).map(|_| sums)
    };
    assert_eq!(run(ones.clone()).unwrap(), [8; 64]);
    let mut wrong = ones.clone();
    wrong[6] = group(Kind::G4);
    let error = run(wrong).unwrap_err();
    let named = matches!(error, DeviceError::Refused { index: 7, .. });
    assert!(named, "{error}");
    assert_eq!(run(ones).unwrap(), [8; 64], "it works on after an error");
}

#[test]
fn a_run_that_a_core_refuses_is_refused_by_name() {
    let mut cpu = Cpu::new(Cpu::default_core(), 1).unwrap();
    let tile = |rows, log2_batch| Request::Tile { rows, log2_batch };
    let x = [1i8; 2];
    let column = [1u8; 64];
    let group = |bundles: usize, kind| {
        Request::Group(Group {
            kind,
            masked: false,
            activations: &x[..bundles],
            scales: None,
            bundles: vec![&column; bundles],
        })
    };
    let drain = Request::Drain { tag: 0 };
    let mut fails = |requests: &[Request<'_>]| cpu.run(requests, &mut Vec::new()).unwrap_err();
    let cases: [(ErrorCode, Vec<Request<'_>>); 6] = [
        (ErrorCode::NoTile, vec![drain.clone()]),
        (ErrorCode::NoTile, vec![group(1, Kind::I8)]),
        (ErrorCode::Rows, vec![tile(8192, 0)]),
        (ErrorCode::Rows, vec![tile(63, 0)]),
        (ErrorCode::Batch, vec![tile(64, 5)]),
        (
            ErrorCode::Length,
            vec![tile(128, 0), group(1, Kind::I8), drain.clone()],
        ),
    ];
    for (wanted, run) in cases {
        match fails(&run) {
            DeviceError::Refused { code, .. } => assert_eq!(code, wanted),
            other => panic!("{other}"),
        }
    }
    assert!(matches!(
        fails(&[tile(128, 0), group(1, Kind::G4), drain.clone()]),
        DeviceError::NoScales { index: 1 }
    ));
    assert!(matches!(
        fails(&[tile(64, 0), group(2, Kind::I8)]),
        DeviceError::Undrained { index: 2 }
    ));
    assert!(matches!(
        fails(&[Request::Reset]),
        DeviceError::NotAProduct { index: 0 }
    ));
    // It still works afterwards.
    let mut sums = Vec::new();
    cpu.run(&[tile(64, 0), group(2, Kind::I8), drain], &mut sums)
        .unwrap();
    assert_eq!(sums, [2; 64]);
}

#[test]
fn the_bound_is_the_slower_of_link_and_banks() {
    let core = CoreInfo {
        stream_bytes: 4,
        ..Cpu::default_core()
    };
    assert_eq!(core.bound_cycles(17, 8), 5);
    assert_eq!(core.bound_cycles(17, 49), 7);
}
