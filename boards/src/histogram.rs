//! nextpnr's histogram of slacks: how many end points have how much time left.

use serde::Serialize;

/// End points by slack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Histogram {
    /// Bins, least slack first.
    pub bins: Vec<Bin>,
}

/// End points whose slack is in a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Bin {
    /// Least slack, ps; negative where time is missing.
    pub from_ps: i64,
    /// First slack above the bin, ps.
    pub to_ps: i64,
    /// End points, to the resolution of the printed bar.
    pub end_points: u64,
}

impl Histogram {
    /// The last histogram in what nextpnr printed, which is the one after routing; `None` where there is none.
    #[must_use]
    pub fn last_in(log: &str) -> Option<Self> {
        let (_, text) = log.rsplit_once("legend: * represents ")?;
        let unit: u64 = text.split_whitespace().next()?.parse().ok()?;
        let bins: Vec<Bin> = text
            .lines()
            .skip(1)
            .skip_while(|l| !l.contains('|'))
            .map_while(|l| bin(l, unit))
            .collect();
        (!bins.is_empty()).then_some(Self { bins })
    }
}

/// A line such as `Info: [ -9600,  -8000) |****+`: a star is `unit` end points, a plus fewer.
fn bin(line: &str, unit: u64) -> Option<Bin> {
    let (_, rest) = line.split_once('[')?;
    let (range, bar) = rest.split_once(')')?;
    let (from, to) = range.split_once(',')?;
    let bar = bar.trim().strip_prefix('|')?;
    let stars = bar.matches('*').count() as u64;
    // Between 1 and `unit - 1` of them: half.
    let part = if bar.contains('+') {
        unit.div_ceil(2)
    } else {
        0
    };
    Some(Bin {
        from_ps: from.trim().parse().ok()?,
        to_ps: to.trim().parse().ok()?,
        end_points: stars * unit + part,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "Info: Slack histogram:\nInfo:  legend: * represents 9 endpoint(s)\nInfo:          + represents [1,9) endpoint(s)\nInfo: [     1,      2) |***\n\
        Info: Slack histogram:\nInfo:  legend: * represents 4 endpoint(s)\nInfo:          + represents [1,4) endpoint(s)\n\
        Info: [ -9600,  -8000) |**+\nInfo: [ -8000,  -6400) |\nInfo: [ -6400,  -4800) |*\nInfo: Program finished normally.\n";

    #[test]
    fn the_last_histogram_is_read() {
        let bins = Histogram::last_in(LOG).unwrap().bins;
        let read: Vec<_> = bins
            .iter()
            .map(|b| (b.from_ps, b.to_ps, b.end_points))
            .collect();
        assert_eq!(
            read,
            [(-9600, -8000, 10), (-8000, -6400, 0), (-6400, -4800, 4)]
        );
    }

    #[test]
    fn a_log_without_one_has_none() {
        assert_eq!(Histogram::last_in("Info: Routing.."), None);
        assert_eq!(Histogram::last_in("legend: * represents x"), None);
    }
}
