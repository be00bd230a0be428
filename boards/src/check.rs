//! What must hold between a board, its part and the part's family.
//!
//! Pins are checked against the package's own list; whether a pin can carry an IO standard, or a clock, is left
//! to nextpnr, which knows the banks.

use crate::error::{BoardError, Problem};
use crate::pll;
use crate::{Board, Catalog, Family, Part, Variant};

/// The name inside must be the file's.
pub(crate) fn name(file: &str, inside: &str) -> Result<(), BoardError> {
    let stem = file.rsplit('/').next().unwrap_or(file);
    let stem = stem.strip_suffix(".toml").unwrap_or(stem);
    if stem == inside {
        return Ok(());
    }
    fail(
        file,
        Problem::Name {
            inside: inside.into(),
        },
    )
}

/// A part against its family.
pub(crate) fn part(file: &str, part: &Part, catalog: &Catalog) -> Result<(), BoardError> {
    let Some(family) = catalog.family(&part.family) else {
        return fail(
            file,
            Problem::UnknownFamily {
                family: part.family.clone(),
            },
        );
    };
    for (placeholder, value) in [("{device}", &part.device), ("{series}", &part.series)] {
        let commands = family.place_and_route.args.iter().chain(&family.pack.args);
        if value.is_none() && commands.into_iter().any(|a| a.contains(placeholder)) {
            return fail(
                file,
                Problem::Placeholder {
                    family: family.name.clone(),
                    placeholder: placeholder.into(),
                },
            );
        }
    }
    if part.idcode.is_some() && part.idcode_value().is_none() {
        return fail(
            file,
            Problem::Value {
                key: "idcode".into(),
                value: part.idcode.clone().unwrap_or_default(),
                rule: "0x and hex digits",
            },
        );
    }
    Ok(())
}

/// A board against the parts of its variants.
pub(crate) fn board(file: &str, board: &Board, catalog: &Catalog) -> Result<(), BoardError> {
    if board.variants.is_empty() {
        return fail(file, Problem::NoVariant);
    }
    if !(board.clock.mhz.is_finite() && board.clock.mhz > 0.0) {
        return fail(
            file,
            Problem::Value {
                key: "clock.mhz".into(),
                value: board.clock.mhz.to_string(),
                rule: "above 0",
            },
        );
    }
    usb(file, &board.programmer.usb)?;
    let pins = pins(board);
    for (i, (role, pin)) in pins.iter().enumerate() {
        if let Some((first, _)) = pins[..i].iter().find(|(_, p)| p == pin) {
            return fail(
                file,
                Problem::SamePin {
                    pin: (*pin).into(),
                    first: first.clone(),
                    second: role.clone(),
                },
            );
        }
    }
    for (i, v) in board.variants.iter().enumerate() {
        let earlier = board.variants[..i].iter().any(|o| o.name == v.name);
        if earlier || catalog.targets().any(|t| t.variant.name == v.name) {
            return fail(
                file,
                Problem::Twice {
                    variant: v.name.clone(),
                },
            );
        }
        variant(file, board, v, &pins, catalog)?;
    }
    Ok(())
}

fn usb(file: &str, text: &str) -> Result<(), BoardError> {
    let four = |s: &str| s.len() == 4 && s.bytes().all(|b| b.is_ascii_hexdigit());
    match text.split_once(':') {
        Some((vendor, product)) if four(vendor) && four(product) => Ok(()),
        _ => fail(
            file,
            Problem::Value {
                key: "programmer.usb".into(),
                value: format!("{text:?}"),
                rule: "vendor:product, four hex digits each",
            },
        ),
    }
}

fn variant(
    file: &str,
    board: &Board,
    variant: &Variant,
    pins: &[(String, &str)],
    catalog: &Catalog,
) -> Result<(), BoardError> {
    let Some(part) = catalog.part(&variant.part) else {
        return fail(
            file,
            Problem::UnknownPart {
                variant: variant.name.clone(),
                part: variant.part.clone(),
            },
        );
    };
    let Some(package) = part.packages.get(&variant.package) else {
        return fail(
            file,
            Problem::UnknownPackage {
                part: part.title.clone(),
                package: variant.package.clone(),
                known: list(part.packages.keys()),
            },
        );
    };
    let grade_known = match &variant.speed {
        Some(grade) => part.speed_grades.contains(grade),
        None => part.speed_grades.is_empty(),
    };
    if !grade_known {
        return fail(
            file,
            Problem::SpeedGrade {
                part: part.title.clone(),
                speed: variant.speed.clone().unwrap_or_else(|| "none".into()),
                known: list(part.speed_grades.iter()),
            },
        );
    }
    if let Some((role, pin)) = pins.iter().find(|(_, pin)| !package.has(pin)) {
        return fail(
            file,
            Problem::Pin {
                role: role.clone(),
                pin: (*pin).into(),
                part: part.title.clone(),
                package: variant.package.clone(),
            },
        );
    }
    match catalog.family(&part.family) {
        Some(family) => clock(file, board, variant, part, family),
        None => Ok(()),
    }
}

fn clock(
    file: &str,
    board: &Board,
    variant: &Variant,
    part: &Part,
    family: &Family,
) -> Result<(), BoardError> {
    let wanted = variant.core_mhz.unwrap_or(board.clock.mhz);
    if wanted == board.clock.mhz {
        return Ok(());
    }
    let ranges = part
        .pll
        .or_else(|| family.pll.as_ref().and_then(|p| p.ranges()));
    let (Some(multiplier), Some(ranges)) = (&family.pll, ranges) else {
        return fail(
            file,
            Problem::NoPll {
                variant: variant.name.clone(),
                wanted,
                clock: board.clock.mhz,
                family: family.name.clone(),
            },
        );
    };
    match pll::solve(multiplier.kind, &ranges, board.clock.mhz, wanted) {
        Ok(_) => Ok(()),
        Err(cause) => fail(
            file,
            Problem::Pll {
                variant: variant.name.clone(),
                cause,
            },
        ),
    }
}

/// Every pin of a board with its role.
fn pins(board: &Board) -> Vec<(String, &str)> {
    let mut pins: Vec<(String, &str)> = vec![
        ("the clock".into(), &board.clock.pin),
        ("serial.rx".into(), &board.serial.rx),
        ("serial.tx".into(), &board.serial.tx),
    ];
    let leds = board.leds.iter().flat_map(|l| l.pins.iter().enumerate());
    pins.extend(leds.map(|(i, pin)| (format!("LED {i}"), pin.as_str())));
    let buttons = board.buttons.iter();
    pins.extend(buttons.map(|b| (format!("button {}", b.name), b.pin.as_str())));
    if let Some(flash) = &board.flash {
        pins.extend([
            ("flash.cs".into(), flash.cs.as_str()),
            ("flash.mosi".into(), &flash.mosi),
            ("flash.miso".into(), &flash.miso),
        ]);
    }
    pins
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.map(String::as_str).collect();
    if names.is_empty() {
        "none".into()
    } else {
        names.join(", ")
    }
}

fn fail<T>(file: &str, problem: Problem) -> Result<T, BoardError> {
    Err(BoardError::Check {
        file: file.into(),
        problem,
    })
}
