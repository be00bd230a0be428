//! Parameters of a link.

use weft_protocol::serial::{CLOCKS_PER_BIT, Identity, MAX_UNITS};

use crate::core::CoreConfig;

/// Largest share by which a line's rate may miss the one asked for. Ten bits sampled in their middle tolerate 5%
/// between both ends; each end may use up less than half.
pub const BAUD_TOLERANCE: f64 = 0.02;

/// What a link is built for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkConfig {
    /// Clocks of one bit, 4 to 4095.
    pub clocks_per_bit: u32,
    /// Units of requests that the board holds: a power of two, 128 to 2048.
    pub request_units: u32,
    /// Units of answers that the board holds: a power of two, 128 to 2048.
    pub answer_units: u32,
    /// [`weft_protocol::serial::board_id`] of the board's name.
    pub board: u32,
}

/// Why a link cannot be described.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum LinkError {
    /// A parameter is outside what can be built.
    #[error("cannot describe a serial link with {parameter} = {value}: it must be {rule}")]
    Parameter {
        /// Field of the configuration.
        parameter: &'static str,
        /// What it was.
        value: u32,
        /// What it must be.
        rule: &'static str,
    },
    /// No divider comes close enough to the rate.
    #[error(
        "{baud} baud cannot be made from a clock of {clock_hz} Hz: {clocks} clocks a bit miss it by {:.1}%, \
         at most {:.0}% are allowed; take a rate that divides the clock, or at most a quarter of it",
        off * 100.0, BAUD_TOLERANCE * 100.0
    )]
    Baud {
        /// The rate asked for.
        baud: u32,
        /// The clock.
        clock_hz: f64,
        /// The nearest divider.
        clocks: u32,
        /// The share by which it misses.
        off: f64,
    },
}

/// Clocks of one bit for a rate.
///
/// # Errors
/// [`LinkError::Baud`] when the nearest whole number misses the rate by more than [`BAUD_TOLERANCE`].
pub fn clocks_per_bit(clock_hz: f64, baud: u32) -> Result<u32, LinkError> {
    let [low, high] = CLOCKS_PER_BIT;
    let exact = clock_hz / f64::from(baud.max(1));
    let clocks = (exact.round().max(f64::from(low)).min(f64::from(high))) as u32;
    let off = (exact / f64::from(clocks) - 1.0).abs();
    // A clock of zero or not a number misses everything.
    if off.is_nan() || off > BAUD_TOLERANCE {
        return Err(LinkError::Baud {
            baud,
            clock_hz,
            clocks,
            off,
        });
    }
    Ok(clocks)
}

impl LinkConfig {
    /// Buffers of 2 KiB each way, and `clocks_per_bit`.
    #[must_use]
    pub const fn new(clocks_per_bit: u32, board: u32) -> Self {
        Self {
            clocks_per_bit,
            request_units: 256,
            answer_units: 256,
            board,
        }
    }

    /// Checks every parameter.
    ///
    /// # Errors
    /// [`LinkError::Parameter`] names the one that cannot be built.
    pub fn check(&self) -> Result<(), LinkError> {
        let [low, high] = CLOCKS_PER_BIT;
        if !(low..=high).contains(&self.clocks_per_bit) {
            return Err(LinkError::Parameter {
                parameter: "clocks_per_bit",
                value: self.clocks_per_bit,
                rule: "4 to 4095",
            });
        }
        for (parameter, value) in [
            ("request_units", self.request_units),
            ("answer_units", self.answer_units),
        ] {
            let least = 4 * MAX_UNITS as u32;
            if !value.is_power_of_two() || !(least..=2048).contains(&value) {
                return Err(LinkError::Parameter {
                    parameter,
                    value,
                    rule: "a power of two from 128 to 2048",
                });
            }
        }
        Ok(())
    }

    /// What the board will say about itself, counters zero.
    #[must_use]
    pub fn identity(&self, core: &CoreConfig) -> Identity {
        Identity {
            banks: core.banks as u8,
            batch: core.batch as u8,
            stream_bytes: core.stream_bytes as u8,
            depth: core.depth as u16,
            board: self.board,
            clocks_per_bit: self.clocks_per_bit as u16,
            request_units: self.request_units as u16,
            answer_units: self.answer_units as u16,
            ..Identity::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dividers_are_near_or_refused() {
        assert_eq!(clocks_per_bit(100e6, 3_000_000), Ok(33));
        assert_eq!(clocks_per_bit(12e6, 3_000_000), Ok(4));
        assert_eq!(clocks_per_bit(27e6, 115_200), Ok(234));
        // 13.5 clocks a bit: 3.7% off either way.
        assert!(clocks_per_bit(27e6, 2_000_000).is_err());
        assert!(clocks_per_bit(12e6, 4_000_000).is_err());
        assert!(clocks_per_bit(100e6, 0).is_err());
        assert!(clocks_per_bit(f64::NAN, 9600).is_err());
        assert!(clocks_per_bit(0.0, 9600).is_err());
    }

    #[test]
    fn buffers_are_powers_of_two() {
        let mut config = LinkConfig::new(4, 0);
        assert_eq!(config.check(), Ok(()));
        config.answer_units = 300;
        assert!(config.check().is_err());
        config.answer_units = 64;
        assert!(config.check().is_err());
        config = LinkConfig::new(3, 0);
        assert!(config.check().is_err());
    }
}
