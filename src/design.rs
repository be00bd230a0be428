//! A board's complete design: the numbers of its file as the hardware description takes them.

use weft_boards::Target;
use weft_boards::board::Active;
use weft_boards::pll::{self, PllKind};
use weft_hdl::board::{BoardConfig, Pll};
use weft_hdl::link::{LinkConfig, clocks_per_bit};
use weft_hdl::{CoreConfig, Family};
use weft_protocol::serial::board_id;

use crate::exit::{self, OrExit, fail};

/// Rates of serial lines that hosts and bridges agree on, fastest first.
const RATES: [u32; 10] = [
    12_000_000, 6_000_000, 4_000_000, 3_000_000, 2_000_000, 1_000_000, 921_600, 500_000, 460_800,
    115_200,
];

/// The rate of a board's serial line with its design at `mhz`: the fastest that the bridge allows and the clock can
/// make.
pub(crate) fn baud(target: &Target<'_>, mhz: f64) -> anyhow::Result<u32> {
    let most = target.board.serial.max_baud;
    let fits = |rate: &u32| *rate <= most && clocks_per_bit(1e6 * mhz, *rate).is_ok();
    RATES.into_iter().find(fits).ok_or_else(|| {
        fail(
            exit::USAGE,
            format!(
                "no usual rate up to {most} baud can be made from a clock of {mhz} MHz on {}; choose another --mhz",
                target.variant.name
            ),
        )
    })
}

/// The family whose cells a core for this board is built from; generic where the hardware description has none.
pub(crate) fn family(target: &Target<'_>) -> Family {
    // The multiplier of iCE40 is in the UltraPlus only.
    if target.part.resources.multipliers == 0 {
        return Family::Generic;
    }
    Family::named(&target.family.name).unwrap_or(Family::Generic)
}

/// The design of a board with this core, at `mhz`.
pub(crate) fn complete(
    target: &Target<'_>,
    core: CoreConfig,
    mhz: f64,
) -> anyhow::Result<BoardConfig> {
    let board = target.board;
    let rate = baud(target, mhz)?;
    let clocks = clocks_per_bit(1e6 * mhz, rate)?;
    let mut config = BoardConfig::new(
        core,
        LinkConfig::new(clocks, board_id(&target.variant.name)),
    );
    config.pll = multiplier(target, mhz)?;
    config.family = family(target);
    if let Some(leds) = &board.leds {
        config.leds = leds.pins.len();
        config.leds_low = leds.active == Active::Low;
    }
    config.buttons = board.buttons.len();
    config.button_low = board
        .buttons
        .first()
        .is_some_and(|b| b.active == Active::Low);
    Ok(config)
}

/// The clock multiplier that makes `mhz` from the board's oscillator; none where they are the same.
fn multiplier(target: &Target<'_>, mhz: f64) -> anyhow::Result<Pll> {
    let (board, part, family) = (target.board, target.part, target.family);
    let input = board.clock.mhz;
    if (mhz - input).abs() < 1e-9 {
        return Ok(Pll::None);
    }
    let own = family.pll.as_ref();
    let ranges = part.pll.or_else(|| own.and_then(|p| p.ranges()));
    let (Some(own), Some(ranges)) = (own, ranges) else {
        return Err(fail(
            exit::USAGE,
            format!(
                "{} runs at its oscillator's {input} MHz only: the clock multiplier of {} is not known here",
                target.variant.name, family.title
            ),
        ));
    };
    let found = pll::solve(own.kind, &ranges, input, mhz).or_exit(exit::USAGE)?;
    let value = |name: &str| {
        let known = found.parameters.iter().find(|(n, _)| *n == name);
        known.map_or(0, |(_, value)| *value)
    };
    Ok(match own.kind {
        PllKind::Ehxplll => Pll::Ehxplll {
            clki_div: value("CLKI_DIV"),
            clkfb_div: value("CLKFB_DIV"),
            clkop_div: value("CLKOP_DIV"),
        },
        PllKind::SbPll40 => Pll::SbPll40 {
            pad: board.clock.pll_pad,
            divr: value("DIVR"),
            divf: value("DIVF"),
            divq: value("DIVQ"),
            filter_range: value("FILTER_RANGE"),
        },
        PllKind::Rpll => Pll::Rpll {
            fclkin: input.to_string(),
            device: part.title.clone(),
            idiv_sel: value("IDIV_SEL"),
            fbdiv_sel: value("FBDIV_SEL"),
            odiv_sel: value("ODIV_SEL"),
        },
        PllKind::CcPll => Pll::CcPll {
            ref_clk: format!("{input:?}"),
            out_clk: format!("{:?}", found.out_mhz),
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use weft_boards::Catalog;

    /// Every board's file is one that its whole design can be written from, at the clock it promises.
    #[test]
    fn every_board_has_a_complete_design() {
        let core = CoreConfig::named("1x1").unwrap();
        for target in Catalog::embedded().unwrap().targets() {
            let name = &target.variant.name;
            let config = complete(&target, core, target.core_mhz())
                .unwrap_or_else(|e| panic!("{name}: {e:#}"));
            let text = weft_hdl::board::generate_verilog(&config)
                .unwrap_or_else(|e| panic!("{name}: {e}"));
            assert!(text.contains("module weft_board("), "{name}");
            assert_eq!(
                config.pll == Pll::None,
                target.core_mhz() == target.board.clock.mhz,
                "{name}"
            );
        }
    }

    #[test]
    fn the_fastest_rate_that_clock_and_bridge_allow_is_taken() {
        let catalog = Catalog::embedded().unwrap();
        let rate = |board: &str, mhz| baud(&catalog.target(board).unwrap(), mhz).unwrap();
        assert_eq!(rate("ulx3s-85f", 100.0), 3_000_000);
        assert_eq!(rate("icebreaker", 24.0), 6_000_000);
        // 13.5 clocks a bit at two million.
        assert_eq!(rate("tang-nano-9k", 27.0), 1_000_000);
        assert!(baud(&catalog.target("icebreaker").unwrap(), 0.1).is_err());
    }
}
