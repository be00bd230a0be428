//! What each link could carry: the arithmetic behind every predicted token rate.
//!
//! A prediction is `1 / max(bytes a token / payload rate, cycles a token / clock)`: streaming and computing
//! overlap, so the slower of the two decides. Nothing here was measured on a board.

use serde::Serialize;

/// A way from the host to the fabric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Link {
    /// Short name, as JSON keys have it.
    pub name: &'static str,
    /// Payload bytes a second after the link's own framing.
    pub bytes_per_second: f64,
    /// Where the rate comes from.
    pub basis: &'static str,
}

/// Every link that predictions are made for, slowest first.
pub const LINKS: &[Link] = &[
    Link {
        name: "serial-3m",
        bytes_per_second: 300e3,
        basis: "3 Mbaud, ten bit times a byte",
    },
    Link {
        name: "udp-1g",
        bytes_per_second: 1e9 / 8.0 * 1472.0 / 1538.0,
        basis: "1 Gbit/s, 1472 payload bytes of 1538 on the wire",
    },
    Link {
        name: "pcie-gen2-x1",
        bytes_per_second: 500e6 * 128.0 / 152.0,
        basis: "5 GT/s 8b/10b, 128 payload bytes of 152 with headers and acknowledgements",
    },
    Link {
        name: "pcie-gen2-x4",
        bytes_per_second: 4.0 * 500e6 * 128.0 / 152.0,
        basis: "four such lanes",
    },
];

/// Fabric clock that predictions assume, in hertz.
pub const CLOCK_HZ: f64 = 100e6;

/// A predicted token rate over one link.
#[derive(Clone, Debug, Serialize)]
pub struct Prediction {
    /// The link's name.
    pub link: &'static str,
    /// Tokens a second.
    pub tokens_per_second: f64,
    /// `"link"` or `"fabric"`: which of the two is the slower.
    pub limited_by: &'static str,
}

/// Token rates over every link, for a core at `clock_hz` that takes `cycles_per_token` when it is never starved.
#[must_use]
pub fn predict(bytes_per_token: f64, cycles_per_token: f64, clock_hz: f64) -> Vec<Prediction> {
    let fabric = cycles_per_token / clock_hz;
    LINKS
        .iter()
        .map(|link| {
            let wire = bytes_per_token / link.bytes_per_second;
            Prediction {
                link: link.name,
                tokens_per_second: 1.0 / wire.max(fabric),
                limited_by: if wire >= fabric { "link" } else { "fabric" },
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_of_link_and_fabric_decides() {
        let predictions = predict(300e3, 1e6, 100e6);
        assert_eq!(predictions[0].limited_by, "link");
        assert!((predictions[0].tokens_per_second - 1.0).abs() < 1e-9);
        assert_eq!(predictions[1].limited_by, "fabric");
        assert!((predictions[1].tokens_per_second - 100.0).abs() < 1e-9);
    }
}
