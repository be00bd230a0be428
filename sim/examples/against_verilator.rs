//! Compares modules of a file with Verilator on random inputs, and says where each first differs:
//! `cargo run --release -p weft-sim --example against_verilator -- FILE.v TOP[,TOP...] [CYCLES] [SEED]`.
//! What the random modules of `tests/verilator.rs` find is cut down with it: write variants under several names and see
//! which of them still differ. A name that does not elaborate is passed over.

#[path = "../tests/common/mod.rs"]
mod common;

use common::Rng;
use common::stimulus::random_stimulus;
use common::verilator::{Case, available, compare};
use weft_sim::Design;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [file, tops, rest @ ..] = args.as_slice() else {
        return Err("usage: against_verilator FILE.v TOP[,TOP...] [CYCLES] [SEED]".into());
    };
    let number = |i: usize, default| rest.get(i).map_or(Ok(default), |n| n.parse());
    let (cycles, seed): (u64, u64) = (number(0, 40)?, number(1, 1)?);
    if !available() {
        return Ok(());
    }
    let verilog = std::fs::read_to_string(file)?;
    let elaborates = |name: &&str| match Design::from_verilog_named(file, &verilog, name) {
        Ok(_) => true,
        Err(e) => {
            println!("{name}: {e}");
            false
        }
    };
    let cases: Vec<Case> = tops
        .split(',')
        .filter(elaborates)
        .map(|name| Case {
            name: name.into(),
            verilog: verilog.clone(),
            files: Vec::new(),
        })
        .collect();
    let dir = std::env::temp_dir().join(format!("weft_against_verilator_{}", std::process::id()));
    let mut rng = Rng::new(seed);
    let found = compare(&dir, &cases, |_, design| {
        random_stimulus(&mut rng, design, cycles)
    });
    std::fs::remove_dir_all(&dir)?;
    println!(
        "{} modules, {cycles} cycles: {} differ",
        cases.len(),
        found.len()
    );
    found.iter().for_each(|f| println!("{f}"));
    Ok(())
}
