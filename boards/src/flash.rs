//! Putting an image on a board with openFPGALoader.
//!
//! Before anything is written: the passport must fit image, board and part; exactly one programmer of the
//! board's kind must be there; over JTAG the part must answer with its own identity code.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Target;
use crate::board::{Memory, ProgrammerMode};
use crate::passport::{self, Passport, PassportError};

/// What is to be written, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct FlashPlan {
    /// Lists programmers.
    pub scan: Vec<String>,
    /// Asks the part who it is; absent where the programmer cannot.
    pub detect: Option<Vec<String>>,
    /// Writes the image.
    pub write: Vec<String>,
    /// USB identity of the board's programmer.
    usb: String,
    /// Serial number that was asked for.
    serial: Option<String>,
    /// Identity code that the part must answer.
    idcode: Option<u32>,
    part: String,
    /// The compressed image that is unpacked before the write, under the name that `write` ends with.
    pub unpack: Option<PathBuf>,
}

/// Why an image is not on the board.
#[derive(Debug, thiserror::Error)]
pub enum FlashError {
    /// The passport does not fit the image.
    #[error(transparent)]
    Passport(#[from] PassportError),
    /// The image is for another board.
    #[error("{image} was built for the board {built}, not {wanted}; name it with --board {built}")]
    Board {
        /// The image.
        image: String,
        /// The passport's board.
        built: String,
        /// The board asked for.
        wanted: String,
    },
    /// The image is for another part.
    #[error("{image} was built for the part {built}, but {board} has a {wanted}; build again")]
    Part {
        /// The image.
        image: String,
        /// The passport's part.
        built: String,
        /// The board asked for.
        board: String,
        /// The board's part.
        wanted: String,
    },
    /// The programmer cannot write this memory.
    #[error("the programmer of {board} {cannot}; {fix}")]
    Memory {
        /// The board.
        board: String,
        /// What it cannot do.
        cannot: &'static str,
        /// What to do.
        fix: &'static str,
    },
    /// The loader could not be started.
    #[error("cannot start {program}: {cause}; install openFPGALoader and put it on the PATH")]
    Start {
        /// The program.
        program: String,
        /// Why not.
        cause: std::io::Error,
    },
    /// No programmer of the board's kind.
    #[error(
        "no {board} found: no USB device {usb}; check the cable, and that this user may open the device (udev rules)"
    )]
    NoDevice {
        /// The board's name for openFPGALoader.
        board: String,
        /// USB identity.
        usb: String,
    },
    /// More than one programmer of the board's kind.
    #[error(
        "{} programmers of the kind {usb} are connected ({}); unplug all but one, or name one with --usb-serial", found.len(), found.join(", ")
    )]
    ManyDevices {
        /// USB identity.
        usb: String,
        /// Their serial numbers.
        found: Vec<String>,
    },
    /// The part on the board is another one.
    #[error(
        "the part answers {found:#010x}, a {wanted} answers {expected:#010x}; name the right board with --board"
    )]
    WrongPart {
        /// What it answered.
        found: u32,
        /// What it must answer.
        expected: u32,
        /// The part.
        wanted: String,
    },
    /// The loader failed.
    #[error("openFPGALoader failed while {doing}: {said}")]
    Loader {
        /// What it was doing.
        doing: &'static str,
        /// What it said.
        said: String,
    },
}

impl FlashPlan {
    /// What to run to put `image` on a board; `usb_serial` chooses among several programmers.
    ///
    /// # Errors
    /// [`FlashError::Passport`], [`FlashError::Board`], [`FlashError::Part`] and [`FlashError::Memory`].
    pub fn new(
        target: &Target<'_>,
        image: &Path,
        persist: bool,
        usb_serial: Option<&str>,
    ) -> Result<Self, FlashError> {
        let passport = Passport::read_checked(image)?;
        let mut name = image.display().to_string();
        if passport.board != target.variant.name {
            return Err(FlashError::Board {
                image: name,
                built: passport.board,
                wanted: target.variant.name.clone(),
            });
        }
        if passport.part != target.part.title {
            return Err(FlashError::Part {
                image: name,
                built: passport.part,
                board: target.variant.name.clone(),
                wanted: target.part.title.clone(),
            });
        }
        let unpack = passport::compressed(image).then(|| image.to_owned());
        if unpack.is_some() {
            let inner = image.file_stem().unwrap_or_default();
            name = inner.to_string_lossy().into_owned();
        }
        let programmer = &target.board.programmer;
        let memory = if persist { Memory::Flash } else { Memory::Sram };
        if !programmer.memory.contains(&memory) {
            let (cannot, fix) = if persist {
                ("cannot write the flash", "leave out --persist")
            } else {
                (
                    "writes the flash only",
                    "say --persist to overwrite what is in it",
                )
            };
            return Err(FlashError::Memory {
                board: target.variant.name.clone(),
                cannot,
                fix,
            });
        }
        let mut common = vec!["--board".to_owned(), programmer.board.clone()];
        if let Some(serial) = usb_serial {
            common.extend(["--usb-serial-num".to_owned(), serial.to_owned()]);
        }
        let with = |args: &[&str]| {
            let mut all = common.clone();
            all.extend(args.iter().map(|a| (*a).to_owned()));
            all
        };
        // Over SPI and DFU the loader knows one memory only and takes no choice.
        let jtag = programmer.mode == ProgrammerMode::Jtag;
        let choice = if persist {
            "--write-flash"
        } else {
            "--write-sram"
        };
        Ok(Self {
            scan: vec!["--scan-usb".into()],
            detect: jtag.then(|| with(&["--detect"])),
            write: if jtag {
                with(&[choice, &name])
            } else {
                with(&[&name])
            },
            usb: programmer.usb.to_lowercase(),
            serial: usb_serial.map(str::to_owned),
            idcode: target.part.idcode_value(),
            part: target.part.title.clone(),
            unpack,
        })
    }

    /// Looks, asks and writes, with the given openFPGALoader.
    ///
    /// # Errors
    /// [`FlashError`] of the first thing that is not as it must be; nothing is written then.
    pub fn run(&self, loader: &Path) -> Result<(), FlashError> {
        let board = &self.write[1];
        let scan = call(loader, &self.scan)?;
        let serials = serials(&scan.said, &self.usb);
        // A bootloader shows no programmer in the list; there the write itself tells.
        let named = self
            .serial
            .as_ref()
            .is_some_and(|wanted| serials.contains(wanted));
        if self.detect.is_some() && serials.is_empty() {
            return Err(FlashError::NoDevice {
                board: board.clone(),
                usb: self.usb.clone(),
            });
        }
        if serials.len() > 1 && !named {
            return Err(FlashError::ManyDevices {
                usb: self.usb.clone(),
                found: serials,
            });
        }
        if let Some(args) = &self.detect {
            let answer = call(loader, args)?;
            if !answer.well {
                return Err(self.failed("asking the part who it is", &answer.said));
            }
            match (idcode(&answer.said), self.idcode) {
                (Some(found), Some(expected)) if found != expected => {
                    return Err(FlashError::WrongPart {
                        found,
                        expected,
                        wanted: self.part.clone(),
                    });
                }
                (None, _) => return Err(self.failed("asking the part who it is", &answer.said)),
                _ => {}
            }
        }
        let mut write = self.write.clone();
        let unpacked = tempfile::tempdir().map_err(|cause| PassportError::File {
            action: "make a folder for",
            file: write.last().map(PathBuf::from).unwrap_or_default(),
            cause,
        })?;
        if let (Some(image), Some(name)) = (&self.unpack, write.last_mut()) {
            let path = unpacked.path().join(&name);
            let bytes = passport::load(image)?;
            fs::write(&path, bytes).map_err(|cause| PassportError::File {
                action: "write",
                file: path.clone(),
                cause,
            })?;
            *name = path.display().to_string();
        }
        let answer = call(loader, &write)?;
        if answer.well {
            Ok(())
        } else {
            Err(self.failed("writing the image", &answer.said))
        }
    }

    fn failed(&self, doing: &'static str, said: &str) -> FlashError {
        let lower = said.to_lowercase();
        let gone = [
            "unable to open ftdi device",
            "no device",
            "device not found",
            "fail to open device",
            "unable to connect to device",
        ];
        if gone.iter().any(|g| lower.contains(g)) {
            return FlashError::NoDevice {
                board: self.write[1].clone(),
                usb: self.usb.clone(),
            };
        }
        let lines: Vec<_> = said
            .lines()
            .map(str::trim)
            .filter(|l| !l.is_empty())
            .collect();
        FlashError::Loader {
            doing,
            said: lines[lines.len().saturating_sub(4)..].join("; "),
        }
    }
}

struct Answer {
    well: bool,
    said: String,
}

fn call(loader: &Path, args: &[String]) -> Result<Answer, FlashError> {
    let output = Command::new(loader)
        .args(args)
        .stdin(Stdio::null())
        .output()
        .map_err(|cause| FlashError::Start {
            program: loader.display().to_string(),
            cause,
        })?;
    let said = [output.stdout, output.stderr].concat();
    Ok(Answer {
        well: output.status.success(),
        said: plain(&String::from_utf8_lossy(&said)),
    })
}

/// The text without terminal colours.
fn plain(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            for c in chars.by_ref() {
                if c.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Serial numbers of the programmers with this USB identity, from the table that `--scan-usb` prints: the columns
/// start where their titles do, and hold names with spaces.
fn serials(scan: &str, usb: &str) -> Vec<String> {
    let wanted = format!("0x{}", usb.replace(':', ":0x"));
    let header = scan.lines().find(|l| l.contains("vid:pid"));
    let column = header.and_then(|h| Some(h.find(" serial")? + 1..h.find("product")?));
    scan.lines()
        .filter(|line| {
            line.to_lowercase()
                .split_whitespace()
                .any(|word| word == wanted)
        })
        .map(|line| {
            let serial = column.clone().and_then(|c| line.get(c));
            serial.map_or("unknown", str::trim).to_owned()
        })
        .collect()
}

/// The first `idcode 0x...` of what `--detect` prints.
fn idcode(said: &str) -> Option<u32> {
    let mut words = said.split_whitespace();
    words.find(|w| *w == "idcode")?;
    u32::from_str_radix(words.next()?.strip_prefix("0x")?, 16).ok()
}
