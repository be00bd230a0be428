//! Golden pairs of every pass: `passes/PASS/CASE.v` or `.ir` is what goes in, `CASE.out` what comes out, an error
//! included. Write the results anew with
//! `WEFT_UPDATE_GOLDEN=1 cargo test --release -p weft-sim --test passes` and read the difference before committing.

use std::path::{Path, PathBuf};

use weft_sim::{Design, Options, passes};

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

fn result(pass: &str, file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let name = file.file_name().unwrap().to_string_lossy();
    let result = if name.ends_with(".v") {
        let top = if text.contains("module top") {
            "top"
        } else {
            "inverter"
        };
        Design::from_verilog_named(&name, &text, top)
            .and_then(|design| design.dump_after(pass, &Options::default()))
    } else {
        passes::apply(pass, &text)
    };
    // The signature names the platform's calling convention.
    let result = result.map(|r| match pass {
        "lower" => r.split_inclusive('\n').skip(1).collect(),
        _ => r,
    });
    result.unwrap_or_else(|e| format!("error: {e}\n"))
}

#[test]
fn golden() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/passes");
    let update = std::env::var_os("WEFT_UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for pass in &passes::PASSES {
        let mut cases = 0;
        for input in entries(&folder.join(pass.name)) {
            if input.extension().is_some_and(|e| e == "out") {
                continue;
            }
            cases += 1;
            let got = result(pass.name, &input);
            let golden = input.with_extension("out");
            if update {
                std::fs::write(&golden, &got).unwrap();
            }
            // A checkout may have other line ends.
            let want = std::fs::read_to_string(&golden).unwrap_or_default();
            if want.replace("\r\n", "\n") != got {
                wrong.push(format!("{}: now\n{got}", golden.display()));
            }
        }
        assert!(cases > 0, "pass {} has no golden pair", pass.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // A folder of a pass that is no more is a test that no longer runs.
    for path in entries(&folder) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(
            passes::PASSES.iter().any(|p| p.name == name),
            "no pass {name}"
        );
    }
}
