//! The largest core that fits a part, found by synthesising cores and counting their cells.
//!
//! Sizes are measured, never remembered: a core's cells change with every change of the core, the tools and the part.

use crate::cause::Overflow;

/// What a search found out about one core.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried<T> {
    /// The core.
    pub core: T,
    /// What of the part it overflows; nothing if it fits.
    pub overflow: Vec<Overflow>,
}

/// Searches `cores`, which must be ordered from small to large, for the largest that fits; returns its place, if any
/// fits, and every core that was tried. `measure` tells what a core overflows. Cores that lie between two
/// measurements are taken to be as large as their order says, so that few are synthesised.
///
/// # Errors
/// The first one of `measure`.
pub fn largest<T: Copy, E>(
    cores: &[T],
    mut measure: impl FnMut(T) -> Result<Vec<Overflow>, E>,
) -> Result<(Option<usize>, Vec<Tried<T>>), E> {
    let (mut fits, mut too_large) = (0, cores.len());
    let mut tried = Vec::new();
    // All before `fits` fit, all from `too_large` on do not.
    while fits < too_large {
        let middle = fits + (too_large - fits) / 2;
        let core = cores[middle];
        let overflow = measure(core)?;
        if overflow.is_empty() {
            fits = middle + 1;
        } else {
            too_large = middle;
        }
        tried.push(Tried { core, overflow });
    }
    Ok((fits.checked_sub(1), tried))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(used: u64, available: u64) -> Vec<Overflow> {
        (used > available)
            .then(|| Overflow {
                cell: "LUT4".into(),
                used,
                available,
            })
            .into_iter()
            .collect()
    }

    #[test]
    fn the_largest_is_found_with_few_measurements() {
        let cores = [100, 200, 300, 400, 500, 600, 700];
        for (available, wanted) in [(50, None), (100, Some(0)), (450, Some(3)), (9000, Some(6))] {
            let (found, tried) = largest(&cores, |c| Ok::<_, ()>(over(c, available))).unwrap();
            assert_eq!(found, wanted, "{available}");
            assert!(tried.len() <= 3, "{available}: {tried:?}");
        }
    }

    #[test]
    fn a_failed_measurement_ends_the_search() {
        let mut calls = 0;
        let result = largest(&[1, 2, 3], |_| {
            calls += 1;
            Err("tool missing")
        });
        assert_eq!((result.unwrap_err(), calls), ("tool missing", 1));
    }

    #[test]
    fn nothing_to_try_finds_nothing() {
        let nothing = largest(&[] as &[u8], |_| Ok::<_, ()>(Vec::new())).unwrap();
        assert_eq!(nothing, (None, Vec::new()));
    }
}
