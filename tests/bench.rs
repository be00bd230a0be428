//! `weft bench pcie --json`: what it promises to print.

use std::process::Command;

use serde_json::Value;

#[test]
fn the_use_of_a_pcie_link_is_reported_by_case() {
    let output = Command::new(env!("CARGO_BIN_EXE_weft"))
        .args(["bench", "pcie", "--json", "--cycles", "10000"])
        .args(["--config", "1x1"])
        .output()
        .expect("the binary starts");
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{err}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(report["kind"], "simulated");
    let cases = report["cases"].as_object().expect("an object");
    for direction in ["read", "write"] {
        for payload in [64, 128, 256, 512] {
            for latency in ["0.5", "1", "2", "4"] {
                let name = format!("{direction}_{payload}B_{latency}us");
                let case = cases.get(&name).unwrap_or_else(|| panic!("{name}"));
                let number = |key: &str| {
                    let value = case[key].as_f64();
                    value.unwrap_or_else(|| panic!("{key} of {name} is a number"))
                };
                let (found, ceiling) = (number("payload_bytes_per_cycle"), number("ceiling"));
                assert!(
                    found > 0.0 && found <= ceiling,
                    "{name}: {found} of {ceiling}"
                );
                // Longer packets have less around them, and no link carries more than its four bytes a cycle.
                assert!(ceiling < 4.0, "{name}: {ceiling}");
                assert!((number("ratio") - found / ceiling).abs() < 1e-9, "{name}");
            }
        }
    }
    assert_eq!(cases.len(), 32);
}
