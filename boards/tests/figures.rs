//! The table of built designs, from passports, and the one in the README.

use std::path::Path;

use weft_boards::Catalog;
use weft_boards::board::Core;
use weft_boards::figures;
use weft_boards::passport::{FORM, Image, Passport};
use weft_boards::report::{ClockResult, Usage};

fn passport(design: &str, core: Option<Core>, reached: f64) -> Passport {
    Passport {
        form: FORM,
        board: "ulx3s-85f".into(),
        part: "LFE5U-85F".into(),
        design: design.into(),
        made_by: "weft 0.1.0".into(),
        commit: None,
        verilog_sha256: String::new(),
        map_hash: "0x00000000".into(),
        target_mhz: 100.0,
        seed: 1,
        core,
        tools: Vec::new(),
        clocks: vec![ClockResult {
            name: "clk".into(),
            achieved_mhz: reached,
            target_mhz: 100.0,
        }],
        usage: vec![Usage {
            resource: "LUTs".into(),
            used: 8_329,
            available: 83_640,
        }],
        image: Image::of(&format!("{design}.bit"), b"bits"),
    }
}

const CORE: Core = Core {
    banks: 8,
    batch: 16,
    stream_bytes: 4,
    depth: 512,
};

#[test]
fn a_share_is_of_what_the_multipliers_alone_could() {
    let catalog = Catalog::embedded().unwrap();
    let all = [
        passport("multiplier-only", None, 200.0),
        passport("top", Some(CORE), 118.2),
    ];
    // 128 multiplications at 100 MHz, of 156 at 200 MHz.
    let table = figures::table(&catalog, &all);
    let row = table.lines().nth(2).unwrap();
    assert_eq!(
        row,
        "| `ulx3s-85f` | LFE5U-85F | top | 8x16 | 118.2 MHz | 100.0 MHz | 8329 of 83640 | - | - | - | 12.80 G/s | 41.0 % of 31.2 G/s |"
    );
    assert_eq!(table.lines().count(), 3, "a single multiplier has a line");
    let alone = figures::table(&catalog, &all[1..]);
    assert!(alone.contains("| not measured |"), "{alone}");
    // The OrangeCrab's part is of another speed grade.
    let mut fast = all[1].clone();
    fast.board = "orangecrab-85f".into();
    let fast = figures::table(&catalog, &[all[0].clone(), fast]);
    assert!(fast.contains("| not measured |"), "{fast}");
    let mut logic = all[1].clone();
    (logic.board, logic.part) = ("gatemate-a1-evb".into(), "CCGM1A1".into());
    let logic = figures::table(&catalog, &[logic]);
    assert!(logic.contains("| no multiplier blocks |"), "{logic}");
}

#[test]
fn passports_are_found_in_their_folders() {
    let store = tempfile::tempdir().unwrap();
    let board = store.path().join("ulx3s-85f");
    let one = passport("top", Some(CORE), 118.2);
    one.keep(b"bits", &board).unwrap();
    std::fs::write(store.path().join("README.md"), "not a board").unwrap();
    assert_eq!(figures::passports(store.path()).unwrap(), [one]);
    std::fs::write(board.join("bad.toml"), "form = 2\n").unwrap();
    let text = figures::passports(store.path()).unwrap_err().to_string();
    assert!(
        text.contains("bad.toml") && text.contains("missing field"),
        "{text}"
    );
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

#[test]
fn the_readmes_table_is_what_the_passports_say() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap_or_default();
    let Some(table) = figures::table_in(&readme) else {
        return;
    };
    let passports = figures::passports(&root().join("bitstreams")).unwrap();
    assert_eq!(
        table,
        figures::table(&Catalog::embedded().unwrap(), &passports),
        "put the output of `weft boards --figures` between the markers"
    );
}

/// Every image that is kept is the one of its passport, for a board and a part that exist.
#[test]
fn every_kept_image_fits_its_passport() {
    let catalog = Catalog::embedded().unwrap();
    for passport in figures::passports(&root().join("bitstreams")).unwrap() {
        let target = catalog.target(&passport.board).unwrap();
        assert_eq!(passport.part, target.part.title, "{}", passport.board);
        let image = root()
            .join("bitstreams")
            .join(&passport.board)
            .join(format!("{}.gz", passport.image.file));
        assert_eq!(Passport::read_checked(&image).unwrap(), passport);
        for clock in &passport.clocks {
            assert!(clock.met(), "{}: {clock:?}", passport.board);
        }
    }
}
