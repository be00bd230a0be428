//! Divider values against those that the public tools print, and the arithmetic against the vendor's own tool.

use weft_boards::Catalog;
use weft_boards::pll::{PllError, PllKind, Ranges, TOLERANCE, solve};

fn ranges(part: &str) -> (PllKind, Ranges) {
    let catalog = Catalog::embedded().unwrap();
    let part = catalog.part(part).unwrap();
    let pll = catalog.family(&part.family).unwrap().pll.clone().unwrap();
    (pll.kind, part.pll.or_else(|| pll.ranges()).unwrap())
}

/// `wanted` are the values in the order of the solver's parameters, as the tool prints them.
fn agrees(part: &str, cases: &[(f64, f64, &[u32], f64)]) {
    let (kind, ranges) = ranges(part);
    for (input, output, dividers, vco) in cases {
        let found = solve(kind, &ranges, *input, *output).unwrap_or_else(|e| panic!("{e}"));
        let values: Vec<u32> = found.parameters.iter().map(|(_, v)| *v).collect();
        assert_eq!(values, *dividers, "{part}: {output} MHz from {input} MHz");
        assert!((found.vco_mhz - vco).abs() < 0.001, "{}", found.vco_mhz);
        assert!((found.out_mhz - output).abs() <= output * TOLERANCE);
    }
}

#[test]
fn ehxplll_as_ecppll_1_4_prints() {
    agrees(
        "lfe5u-85f",
        &[
            (25.0, 100.0, &[1, 4, 6], 600.0),
            (25.0, 125.0, &[1, 5, 5], 625.0),
            (12.0, 48.0, &[1, 4, 12], 576.0),
            (100.0, 150.0, &[2, 3, 4], 600.0),
            (48.0, 96.0, &[1, 2, 6], 576.0),
        ],
    );
}

/// `ecppll` takes an output divider of 5 here and we one of 4: both oscillators are 66.7 MHz off the middle.
#[test]
fn ehxplll_comes_as_close_as_ecppll() {
    let (kind, ranges) = ranges("lfe5u-85f");
    let found = solve(kind, &ranges, 25.0, 133.0).unwrap();
    assert_eq!(found.parameters[..2], [("CLKI_DIV", 3), ("CLKFB_DIV", 16)]);
    assert!((found.out_mhz - 133.333).abs() < 0.001);
}

/// Dividers that Lattice's Clarity Designer chose (listed in prjtrellis, libtrellis/tools/ecppll.cpp): the same
/// arithmetic gives the wanted output within the allowed oscillator range.
#[test]
fn ehxplll_as_the_vendors_tool_divides() {
    let (kind, ranges) = ranges("lfe5u-25f");
    for (input, output, reference, feedback, divider, vco) in [
        (12.0, 48.0, 1.0, 4.0, 12.0, 576.0),
        (12.0, 60.0, 1.0, 5.0, 10.0, 600.0),
        (20.0, 30.0, 2.0, 3.0, 20.0, 600.0),
        (45.0, 30.0, 3.0, 2.0, 20.0, 600.0),
        (100.0, 400.0, 1.0, 4.0, 1.0, 400.0),
        (70.0, 40.0, 7.0, 4.0, 15.0, 600.0),
        (12.0, 96.0, 1.0, 8.0, 6.0, 576.0),
        (90.0, 50.0, 9.0, 5.0, 13.0, 650.0),
        (43.0, 86.0, 1.0, 2.0, 7.0, 602.0),
    ] {
        assert_eq!(input / reference * feedback * divider, vco);
        let found = solve(kind, &ranges, input, output).unwrap();
        assert!((found.out_mhz - output).abs() < 1e-9);
        assert!((ranges.vco_mhz[0]..=ranges.vco_mhz[1]).contains(&found.vco_mhz));
    }
}

#[test]
fn sb_pll40_as_icepll_prints() {
    agrees(
        "ice40up5k",
        &[
            (12.0, 60.0, &[0, 79, 4, 1], 960.0),
            (12.0, 24.0, &[0, 63, 5, 1], 768.0),
            (12.0, 48.0, &[0, 63, 4, 1], 768.0),
            (16.0, 100.0, &[0, 49, 3, 1], 800.0),
            (12.0, 30.5, &[0, 80, 5, 1], 972.0),
        ],
    );
}

#[test]
fn rpll_as_gowin_pll_prints() {
    agrees(
        "gw1nr-9c",
        &[
            (27.0, 54.0, &[0, 1, 8], 432.0),
            (27.0, 108.0, &[0, 3, 4], 432.0),
            (27.0, 81.0, &[0, 2, 8], 648.0),
            (27.0, 100.0, &[6, 25, 4], 401.143),
        ],
    );
    agrees(
        "gw2ar-18c",
        &[
            (27.0, 54.0, &[0, 1, 16], 864.0),
            (27.0, 108.0, &[0, 3, 8], 864.0),
            (27.0, 100.0, &[6, 25, 8], 802.286),
        ],
    );
}

/// nextpnr 0.11.1 divides by itself; of each of these it says that it makes exactly the clock that was asked for.
#[test]
fn cc_pll_makes_what_nextpnr_makes() {
    let (kind, ranges) = ranges("ccgm1a1");
    for (input, output) in [(10.0, 25.0), (10.0, 20.0), (10.0, 50.0), (25.0, 62.5)] {
        let found = solve(kind, &ranges, input, output).unwrap();
        let [(_, n), (_, m)] = found.parameters[..] else {
            panic!("{:?}", found.parameters);
        };
        assert_eq!(found.out_mhz, output);
        assert_eq!(found.out_mhz, input * f64::from(n) / f64::from(2 * m));
        assert!(found.vco_mhz > 1000.0 && found.vco_mhz <= 2000.0);
        assert_eq!((n % 2, m % 2), (0, 0));
    }
    let far = solve(kind, &ranges, 60.0, 25.0).unwrap_err();
    assert_eq!(
        far.to_string(),
        "an input clock of 60 MHz is outside 1..50 MHz"
    );
}

#[test]
fn clocks_out_of_reach_are_refused() {
    let (kind, ranges) = ranges("ice40up5k");
    assert_eq!(
        solve(kind, &ranges, 8.0, 48.0).unwrap_err().to_string(),
        "an input clock of 8 MHz is outside 10..133 MHz"
    );
    assert_eq!(
        solve(kind, &ranges, 12.0, 300.0).unwrap_err().to_string(),
        "an output clock of 300 MHz is outside 16..275 MHz"
    );
    let narrow = Ranges {
        vco_mhz: [600.0, 601.0],
        ..ranges
    };
    assert_eq!(
        solve(kind, &narrow, 12.0, 48.0).unwrap_err().to_string(),
        "48 MHz cannot be made from 12 MHz: the nearest is 37.500 MHz"
    );
    let none = Ranges {
        vco_mhz: [601.0, 602.0],
        ..ranges
    };
    let error = solve(kind, &none, 12.0, 48.0).unwrap_err();
    assert!(matches!(error, PllError::Unreachable { nearest: None, .. }));
}
