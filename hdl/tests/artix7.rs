//! The card on Artix-7, elaborated and mapped by yosys.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use weft_hdl::pcie::artix7::ARTIX7_TOP;
use weft_hdl::{CardConfig, CoreConfig, generate_artix7};

/// Runs yosys; `None`, loudly, if it is not installed.
fn yosys(script: &str) -> Option<String> {
    match Command::new("yosys")
        .args(["-Q", "-T", "-p", script])
        .output()
    {
        Ok(output) => {
            let text =
                String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            assert!(output.status.success(), "{text}");
            Some(text)
        }
        Err(cause) => {
            eprintln!("SKIPPED: cannot run yosys: {cause}");
            None
        }
    }
}

fn written() -> PathBuf {
    let core = CoreConfig {
        depth: 64,
        ..CoreConfig::named("1x1").unwrap()
    };
    let text = generate_artix7(&CardConfig::new(core)).unwrap();
    let file = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("weft_pcie_artix7.v");
    fs::write(&file, text).unwrap();
    file
}

#[test]
fn yosys_elaborates_the_top_and_maps_the_shim() {
    let file = written();
    let read = format!("read_verilog {}", file.display());
    // The card is checked by itself elsewhere; here it keeps its pins only.
    let map = format!(
        "{read}; read_verilog -lib +/xilinx/cells_xtra.v; hierarchy -check -top {ARTIX7_TOP}; \
         blackbox weft_pcie_card; hierarchy -check -top {ARTIX7_TOP}; check -assert; \
         synth_xilinx -family xc7 -top {ARTIX7_TOP} -flatten; check -assert; stat"
    );
    let Some(text) = yosys(&map) else { return };
    let stat = text
        .rsplit("Printing statistics")
        .next()
        .unwrap_or_default();
    for cell in ["PCIE_2_1", "weft_pcie_card", "RAMB36E1", "FDRE"] {
        assert!(stat.contains(cell), "no {cell} in\n{stat}");
    }
    assert!(!text.contains("is used but has no driver"), "{text}");
}
