//! The files as committed hold, and each kind of mistake in one is found.

use weft_boards::catalog::{BOARDS, FAMILIES, PARTS};
use weft_boards::{BoardError, Catalog, Problem};

fn catalog() -> Catalog {
    Catalog::embedded().unwrap_or_else(|e| panic!("{e}"))
}

#[test]
fn every_file_of_the_folders_is_compiled_in() {
    for (folder, listed) in [("families", FAMILIES), ("parts", PARTS), ("boards", BOARDS)] {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
        let mut found: Vec<String> = std::fs::read_dir(dir)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.ends_with(".toml"))
            .map(|name| format!("{folder}/{name}"))
            .collect();
        found.sort();
        let mut listed: Vec<String> = listed.iter().map(|(path, _)| (*path).to_owned()).collect();
        listed.sort();
        assert_eq!(found, listed);
    }
}

#[test]
fn every_board_asked_for_is_there() {
    let catalog = catalog();
    for name in [
        "ulx3s-12f",
        "ulx3s-25f",
        "ulx3s-45f",
        "ulx3s-85f",
        "colorlight-i5",
        "colorlight-i9",
        "orangecrab-25f",
        "orangecrab-85f",
        "ecpix5-45f",
        "ecpix5-85f",
        "icebreaker",
        "icestick",
        "tang-nano-9k",
        "tang-nano-20k",
        "gatemate-a1-evb",
    ] {
        let target = catalog.target(name).unwrap_or_else(|e| panic!("{e}"));
        assert!(!target.board.sources.is_empty(), "{name} cites no source");
    }
}

#[test]
fn an_unknown_board_is_named_with_the_closest() {
    let message = |name: &str| catalog().target(name).unwrap_err().to_string();
    assert_eq!(
        message("ulx3s-85"),
        "no board is called \"ulx3s-85\" (did you mean ulx3s-85f?); `weft boards` lists 15"
    );
    assert_eq!(
        message("tang-nano"),
        "no board is called \"tang-nano\" (did you mean tang-nano-9k?); `weft boards` lists 15"
    );
    assert_eq!(
        message("de10-nano"),
        "no board is called \"de10-nano\"; `weft boards` lists 15"
    );
    assert_eq!(
        catalog().target("ULX3S-85F").unwrap().variant.name,
        "ulx3s-85f"
    );
}

/// The committed catalogue with one text replaced in one file.
fn changed(file: &str, from: &str, to: &str) -> Result<Catalog, BoardError> {
    let mut hit = false;
    let mut edit = |files: &[(&'static str, &'static str)]| -> Vec<(&'static str, String)> {
        files
            .iter()
            .map(|(path, text)| {
                let text = if *path == file {
                    assert!(text.contains(from), "{file} has no {from:?}");
                    hit = true;
                    text.replacen(from, to, 1)
                } else {
                    (*text).to_owned()
                };
                (*path, text)
            })
            .collect()
    };
    let (families, parts, boards) = (edit(FAMILIES), edit(PARTS), edit(BOARDS));
    assert!(hit, "no file {file}");
    fn refs<'a>(files: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
        files.iter().map(|(p, t)| (*p, t.as_str())).collect()
    }
    Catalog::from_texts(&refs(&families), &refs(&parts), &refs(&boards))
}

fn message(file: &str, from: &str, to: &str) -> String {
    match changed(file, from, to) {
        Ok(_) => panic!("{file} with {to:?} was taken"),
        Err(e) => e.to_string(),
    }
}

#[test]
fn an_unknown_key_is_named_with_file_and_line() {
    let text = message("boards/ulx3s.toml", "mhz = 25.0", "mhz = 25.0\nmzh = 25.0");
    assert!(text.starts_with("cannot read boards/ulx3s.toml: TOML parse error at line"));
    assert!(
        text.contains("unknown field `mzh`, expected one of"),
        "{text}"
    );
}

#[test]
fn a_missing_key_is_named() {
    let text = message("parts/lfe5u-85f.toml", "multipliers = 156\n", "");
    assert!(text.contains("missing field `multipliers`"), "{text}");
}

#[test]
fn mistakes_between_files_are_named() {
    let cases = [
        (
            (
                "boards/ulx3s.toml",
                "part = \"lfe5u-12f\"",
                "part = \"lfe5u-13f\"",
            ),
            "boards/ulx3s.toml is wrong: variant ulx3s-12f names the part \"lfe5u-13f\", which has no file under parts/",
        ),
        (
            ("boards/ulx3s.toml", "\"CABGA381\"", "\"CABGA382\""),
            "boards/ulx3s.toml is wrong: LFE5U-12F has no package \"CABGA382\"; its file lists CABGA381",
        ),
        (
            ("boards/ecpix5.toml", "speed = \"8\"", "speed = \"6\""),
            "boards/ecpix5.toml is wrong: LFE5UM5G-45F has no speed grade 6; its file lists 8",
        ),
        (
            ("boards/icebreaker.toml", "tx = \"9\"", "tx = \"8\""),
            "boards/icebreaker.toml is wrong: serial.tx is on pin 8, which a design in iCE40UP5K sg48 cannot use",
        ),
        (
            ("boards/icestick.toml", "\"95\"", "\"99\""),
            "boards/icestick.toml is wrong: pin 99 is LED 0 and LED 4; one of them is wrong",
        ),
        (
            (
                "boards/tang-nano-9k.toml",
                "usb = \"0403:6010\"",
                "usb = \"ft2232\"",
            ),
            "boards/tang-nano-9k.toml is wrong: programmer.usb is \"ft2232\"; it must be vendor:product, four hex digits each",
        ),
        (
            (
                "boards/orangecrab.toml",
                "name = \"orangecrab-85f\"",
                "name = \"orangecrab-25f\"",
            ),
            "boards/orangecrab.toml is wrong: another board has the variant \"orangecrab-25f\" too; names must differ",
        ),
        (
            ("boards/ulx3s.toml", "name = \"ulx3s\"", "name = \"ulx4s\""),
            "boards/ulx3s.toml is wrong: it calls itself \"ulx4s\"; the name must be the file's",
        ),
        (
            (
                "parts/gw1nr-9c.toml",
                "family = \"gowin\"",
                "family = \"gowon\"",
            ),
            "parts/gw1nr-9c.toml is wrong: it names the family \"gowon\", which has no file under families/",
        ),
        (
            ("parts/gw1nr-9c.toml", "series = \"GW1N-9C\"\n", ""),
            "parts/gw1nr-9c.toml is wrong: the commands of family gowin need \"{series}\", which the part does not give: add that key",
        ),
        (
            (
                "families/gatemate.toml",
                "[pll]
kind = \"cc_pll\"
input_mhz = [1.0, 50.0]
output_mhz = [0.5, 312.5]
pfd_mhz = [1.0, 50.0]
vco_mhz = [1000.5, 2000.0]
",
                "",
            ),
            "boards/gatemate-a1-evb.toml is wrong: variant gatemate-a1-evb wants a core clock of 25 MHz from 10 MHz, but family gatemate has no [pll]",
        ),
        (
            (
                "boards/icebreaker.toml",
                "package = \"sg48\"",
                "package = \"sg48\"\ncore_mhz = 14.0",
            ),
            "boards/icebreaker.toml is wrong: variant icebreaker: an output clock of 14 MHz is outside 16..275 MHz",
        ),
    ];
    for ((file, from, to), wanted) in cases {
        assert_eq!(message(file, from, to), wanted);
    }
    // Not a catch-all: the unchanged files pass, and a comment changes nothing.
    let same = changed("boards/ulx3s.toml", "[clock]", "# the oscillator\n[clock]").unwrap();
    assert_eq!(same, catalog());
}

#[test]
fn problems_can_be_told_apart_by_kind() {
    let error = changed("boards/ulx3s.toml", "pin = \"G2\"", "pin = \"L4\"").unwrap_err();
    assert!(matches!(
        error,
        BoardError::Check {
            problem: Problem::SamePin { .. },
            ..
        }
    ));
}

#[test]
fn the_readme_table_is_fresh() {
    let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let Ok(text) = std::fs::read_to_string(readme) else {
        return;
    };
    if let Some(table) = weft_boards::markdown::table_in(&text) {
        assert_eq!(
            table,
            weft_boards::markdown::table(&catalog()),
            "put the output of `weft boards --markdown` between the markers"
        );
    }
}

#[test]
fn the_table_has_a_line_a_target() {
    let catalog = catalog();
    let table = weft_boards::markdown::table(&catalog);
    assert_eq!(table.lines().count(), 2 + catalog.targets().count());
    let document = format!("a\n<!-- boards -->\n{table}<!-- /boards -->\nb");
    assert_eq!(
        weft_boards::markdown::table_in(&document),
        Some(table.as_str())
    );
    assert_eq!(weft_boards::markdown::table_in("no markers"), None);
    insta::assert_snapshot!(table);
}
