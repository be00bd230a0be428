//! Every block of the accelerator, by itself, cycle by cycle on all outputs against Verilator under random stimulus.
//!
//! rust-hdl writes a module for each instance, so the blocks are found in the text of the core: a block that is added
//! to the core is compared without a change here, and one that is in no core is noticed.

mod common;
#[path = "../../hdl/tests/common/modules.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    reason = "shared with the core's own tests"
)]
mod modules;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use common::stimulus::biased_stimulus;
use common::verilator::{Case, available, compare};
use common::{Rng, data_inputs};
use modules::{distinct, path};
use weft_hdl::{CoreConfig, generate_verilog};
use weft_sim::Design;

const CYCLES: u64 = 600;

/// Cores that differ in the widths and depths of their blocks.
const CONFIGS: [CoreConfig; 3] = [
    config(1, 1, 4, 64),
    config(4, 2, 8, 128),
    config(16, 1, 8, 64),
];

const fn config(banks: usize, batch: usize, stream_bytes: usize, depth: usize) -> CoreConfig {
    CoreConfig {
        banks,
        batch,
        stream_bytes,
        depth,
    }
}

fn compare_blocks(config: &CoreConfig) {
    let verilog = generate_verilog(config).unwrap();
    let has_inputs = |name: &str| {
        let design = Design::from_verilog(&verilog, name).unwrap();
        !data_inputs(&design).is_empty()
    };
    let cases: Vec<Case> = distinct(&verilog)
        .into_iter()
        .filter(|m| has_inputs(&m.name))
        .map(|m| Case {
            name: m.name,
            verilog: verilog.clone(),
            files: Vec::new(),
        })
        .collect();
    println!(
        "{config}, {} stream bytes, depth {}: {} distinct blocks, {CYCLES} cycles each",
        config.stream_bytes,
        config.depth,
        cases.len()
    );
    if !available() {
        return;
    }
    let mut rng = Rng::new(config.banks as u64);
    let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("verilator_blocks_{config}"));
    let failures = compare(&dir, &cases, |_, design| {
        biased_stimulus(&mut rng, design, CYCLES)
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn blocks_of_the_smallest_core() {
    compare_blocks(&CONFIGS[0]);
}

#[test]
fn blocks_of_a_core_with_lanes() {
    compare_blocks(&CONFIGS[1]);
}

#[test]
#[ignore = "long: run with --include-ignored"]
fn blocks_of_the_widest_core() {
    compare_blocks(&CONFIGS[2]);
}

/// Rust sources below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(sources(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            out.push(path);
        }
    }
    out
}

/// Names of the structures that derive `LogicBlock`.
fn blocks(text: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("#[derive(") && line.contains("LogicBlock") {
            let name = lines.by_ref().find_map(|l| l.strip_prefix("pub struct "));
            let end = |c: char| !c.is_alphanumeric();
            out.extend(name.and_then(|n| n.split(end).next()).map(String::from));
        }
    }
    out
}

/// The names of the fields that hold a block: `name: Block`, `name: Vec<Block<4>>`.
fn fields(text: &str, block: &str) -> Vec<String> {
    let declared = text.lines().filter_map(|l| l.trim().split_once(": "));
    declared
        .filter(|(_, kind)| {
            let kind = kind.trim_start_matches("Vec<").trim_start_matches('[');
            kind.split(|c: char| !c.is_alphanumeric()).next() == Some(block)
        })
        .map(|(name, _)| name.trim_start_matches("pub ").to_string())
        .collect()
}

#[test]
fn no_block_is_left_out() {
    let compared: BTreeSet<String> = CONFIGS
        .iter()
        .flat_map(|c| distinct(&generate_verilog(c).unwrap()))
        .filter_map(|m| path(&m.name).rsplit('.').next().map(String::from))
        .collect();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../hdl/src");
    let read = |p: &PathBuf| std::fs::read_to_string(p).unwrap();
    let everything: String = sources(&source).iter().map(read).collect();
    let in_folders: String = sources(&source.join("blocks")).iter().map(read).collect();
    let blocks = blocks(&in_folders);
    assert!(blocks.len() > 10, "{blocks:?}");
    for block in blocks {
        let names = fields(&everything, &block);
        assert!(
            names.iter().any(|n| compared.contains(n)),
            "block {block} is in no core that is compared; its instances: {names:?}"
        );
    }
}
