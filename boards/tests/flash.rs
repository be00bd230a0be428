//! Flashing with a program that answers as openFPGALoader does.
#![cfg(unix)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::script;
use weft_boards::board::Core;
use weft_boards::flash::{FlashError, FlashPlan};
use weft_boards::passport::{FORM, Image, Passport, PassportError};
use weft_boards::{Catalog, Target};

const HEADER: &str = "Bus device vid:pid       probe_type manufacturer     serial      product";
const ONE: &str =
    "001 005    0x0403:0x6015 ft231X     FER-RADIONA-EMARD 120001     ULX3S FPGA 85K v3.0.8";
const TWO: &str =
    "001 006    0x0403:0x6015 ft231X     FER-RADIONA-EMARD 120002     ULX3S FPGA 85K v3.0.8";

const BYTES: &[u8] = b"not a real bitstream, and nothing here reads it";

struct Bench {
    dir: tempfile::TempDir,
    catalog: Catalog,
}

impl Bench {
    fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            catalog: Catalog::embedded().unwrap(),
        }
    }

    fn target(&self, board: &str) -> Target<'_> {
        self.catalog.target(board).unwrap()
    }

    /// An image for a board with its passport.
    fn image(&self, board: &str) -> PathBuf {
        let target = self.target(board);
        let name = format!("weft.{}", target.family.image);
        let image = self.dir.path().join(&name);
        fs::write(&image, BYTES).unwrap();
        let passport = Passport {
            form: FORM,
            board: board.into(),
            part: target.part.title.clone(),
            design: "core-only".into(),
            core: Some(Core {
                banks: 8,
                batch: 1,
                stream_bytes: 4,
                depth: 512,
            }),
            made_by: "weft 0.1.0".into(),
            commit: None,
            target_mhz: 100.0,
            verilog_sha256: String::new(),
            map_hash: "0x00000000".into(),
            seed: 1,
            tools: Vec::new(),
            clocks: Vec::new(),
            usage: Vec::new(),
            image: Image::of(&name, BYTES),
        };
        passport.write(&image).unwrap();
        image
    }

    /// A loader that lists `cables`, answers `idcode`, and writes with `write`.
    fn loader(&self, cables: &[&str], idcode: &str, write: &str) -> PathBuf {
        let table = [&[HEADER], cables].concat().join("\n");
        let asked = self.dir.path().join("asked").display().to_string();
        script(
            self.dir.path(),
            "openFPGALoader",
            &format!(
                "echo \"$*\" >> '{asked}'\n\
                 case \"$*\" in\n\
                 *--scan-usb*) cat <<'END'\n{table}\nEND\n;;\n\
                 *--detect*) printf 'index 0:\\n\\tidcode {idcode}\\n\\tmanufacturer lattice\\n';;\n\
                 *) {write};;\nesac"
            ),
        )
    }

    fn asked(&self) -> String {
        fs::read_to_string(self.dir.path().join("asked")).unwrap()
    }

    fn flash(&self, board: &str, loader: &Path, serial: Option<&str>) -> Result<(), FlashError> {
        let image = self.image(board);
        FlashPlan::new(&self.target(board), &image, false, serial)?.run(loader)
    }
}

const GOOD: &str = "echo 'Load SRAM: [====] 100.00%'";

#[test]
fn one_board_of_the_right_part_is_written() {
    let bench = Bench::new();
    let loader = bench.loader(&[ONE], "0x41113043", GOOD);
    bench.flash("ulx3s-85f", &loader, None).unwrap();
    let image = bench.dir.path().join("weft.bit").display().to_string();
    assert_eq!(
        bench.asked(),
        format!("--scan-usb\n--board ulx3s --detect\n--board ulx3s --write-sram {image}\n")
    );
}

#[test]
fn no_board_is_said_before_anything_is_written() {
    let bench = Bench::new();
    let other = "001 009    0x0403:0x6010 FTDI2232   1BitSquared       none        iCEBreaker";
    let loader = bench.loader(&[other], "0x41113043", GOOD);
    let error = bench.flash("ulx3s-85f", &loader, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no ulx3s found: no USB device 0403:6015; check the cable, and that this user may open the device (udev rules)"
    );
    assert_eq!(bench.asked(), "--scan-usb\n");
}

#[test]
fn two_boards_want_a_choice() {
    let bench = Bench::new();
    let loader = bench.loader(&[ONE, TWO], "0x41113043", GOOD);
    let error = bench.flash("ulx3s-85f", &loader, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 programmers of the kind 0403:6015 are connected (120001, 120002); unplug all but one, or name one with --usb-serial"
    );
    assert_eq!(bench.asked(), "--scan-usb\n");
    bench.flash("ulx3s-85f", &loader, Some("120002")).unwrap();
    assert!(
        bench
            .asked()
            .contains("--board ulx3s --usb-serial-num 120002 --write-sram")
    );
}

#[test]
fn the_wrong_part_is_not_written() {
    let bench = Bench::new();
    let loader = bench.loader(&[ONE], "0x21111043", GOOD);
    let error = bench.flash("ulx3s-85f", &loader, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the part answers 0x21111043, a LFE5U-85F answers 0x41113043; name the right board with --board"
    );
    assert!(!bench.asked().contains("--write"));
}

#[test]
fn what_the_loader_says_is_told() {
    let bench = Bench::new();
    let write = "printf '\\033[31mFail to read Status register\\033[0m\\n' >&2; exit 1";
    let loader = bench.loader(&[ONE], "0x41113043", write);
    let error = bench.flash("ulx3s-85f", &loader, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "openFPGALoader failed while writing the image: Fail to read Status register"
    );
    let write = "echo 'unable to open ftdi device: -3 (device not found)'; exit 1";
    let loader = bench.loader(&[ONE], "0x41113043", write);
    let error = bench.flash("ulx3s-85f", &loader, None).unwrap_err();
    assert!(matches!(error, FlashError::NoDevice { .. }), "{error}");
}

#[test]
fn a_missing_loader_is_named() {
    let bench = Bench::new();
    let error = bench
        .flash("ulx3s-85f", Path::new("/nonexistent/openFPGALoader"), None)
        .unwrap_err();
    assert!(matches!(error, FlashError::Start { .. }), "{error}");
    assert!(
        error
            .to_string()
            .ends_with("install openFPGALoader and put it on the PATH")
    );
}

#[test]
fn a_changed_image_is_refused() {
    let bench = Bench::new();
    let image = bench.image("ulx3s-85f");
    let mut bytes = fs::read(&image).unwrap();
    bytes[3] ^= 1;
    fs::write(&image, bytes).unwrap();
    let error = FlashPlan::new(&bench.target("ulx3s-85f"), &image, false, None).unwrap_err();
    assert!(
        matches!(error, FlashError::Passport(PassportError::Changed { .. })),
        "{error}"
    );
}

#[test]
fn an_image_without_a_passport_is_refused() {
    let bench = Bench::new();
    let image = bench.image("ulx3s-85f");
    fs::remove_file(Passport::path_of(&image)).unwrap();
    let error = FlashPlan::new(&bench.target("ulx3s-85f"), &image, false, None).unwrap_err();
    assert!(
        matches!(error, FlashError::Passport(PassportError::None { .. })),
        "{error}"
    );
    fs::write(Passport::path_of(&image), "form = 2\nboard = 3\n").unwrap();
    let error = FlashPlan::new(&bench.target("ulx3s-85f"), &image, false, None).unwrap_err();
    assert!(
        matches!(error, FlashError::Passport(PassportError::Form { .. })),
        "{error}"
    );
}

#[test]
fn an_image_for_another_board_is_refused() {
    let bench = Bench::new();
    let image = bench.image("ulx3s-85f");
    let error = FlashPlan::new(&bench.target("ulx3s-45f"), &image, false, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "{} was built for the board ulx3s-85f, not ulx3s-45f; name it with --board ulx3s-85f",
            image.display()
        )
    );
}

#[test]
fn a_programmer_is_not_asked_for_what_it_cannot() {
    let bench = Bench::new();
    let image = bench.image("icebreaker");
    let target = bench.target("icebreaker");
    let error = FlashPlan::new(&target, &image, false, None).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the programmer of icebreaker writes the flash only; say --persist to overwrite what is in it"
    );
    let plan = FlashPlan::new(&target, &image, true, None).unwrap();
    assert_eq!(
        plan.write,
        ["--board", "ice40_generic", &image.display().to_string()]
    );
    assert_eq!(plan.detect, None);
}

#[test]
fn a_passport_survives_its_file() {
    let bench = Bench::new();
    let image = bench.image("tang-nano-9k");
    let read = Passport::read_checked(&image).unwrap();
    assert_eq!(read.board, "tang-nano-9k");
    assert_eq!(read.image.bytes, fs::metadata(&image).unwrap().len());
    let again = read.clone();
    again.write(&image).unwrap();
    assert_eq!(Passport::read_checked(&image).unwrap(), read);
}

/// A compressed image is checked, unpacked and written; what the loader gets is the image inside.
#[test]
fn a_compressed_image_is_unpacked_for_the_loader() {
    let bench = Bench::new();
    let plain = bench.image("ulx3s-85f");
    let passport = Passport::read_checked(&plain).unwrap();
    let store = bench.dir.path().join("store");
    let (packed, beside) = passport.keep(BYTES, &store).unwrap();
    assert_eq!(packed, store.join("weft.bit.gz"));
    assert_eq!(beside, store.join("weft.toml"));
    assert_eq!(Passport::read_checked(&packed).unwrap(), passport);
    let seen = bench.dir.path().join("seen");
    let write = format!("for last; do :; done; cp \"$last\" {}", seen.display());
    let loader = bench.loader(&[ONE], "0x41113043", &write);
    let plan = FlashPlan::new(&bench.target("ulx3s-85f"), &packed, false, None).unwrap();
    assert_eq!(plan.write.last().unwrap(), "weft.bit");
    plan.run(&loader).unwrap();
    assert_eq!(fs::read(seen).unwrap(), BYTES);

    let first = fs::read(&packed).unwrap();
    passport.keep(BYTES, &store).unwrap();
    assert_eq!(
        fs::read(&packed).unwrap(),
        first,
        "not the same bytes again"
    );
    fs::write(&packed, &first[..first.len() - 9]).unwrap();
    let error = FlashPlan::new(&bench.target("ulx3s-85f"), &packed, false, None).unwrap_err();
    assert!(
        error.to_string().starts_with("cannot decompress "),
        "{error}"
    );
}

#[test]
fn a_passport_of_another_form_is_refused() {
    let bench = Bench::new();
    let image = bench.image("ulx3s-85f");
    fs::write(Passport::path_of(&image), "form = 1\nboard = \"x\"\n").unwrap();
    let error = Passport::read_checked(&image).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("it has form 1, this program reads 2"),
        "{error}"
    );
}
