//! Several devices with cores of one shape as one device: every run is shared out, and they work side by side.
//!
//! Sums are exact integers, so it does not matter which device added what: the results are those of one device, to
//! the bit. Two boards halve the time of a token, and so do two simulated cores on two processors.

use weft_protocol::wrap_accumulator;

use super::shares::{Share, Shares};
use super::{CoreInfo, Device, DeviceError, RunStats};

/// Why devices cannot work as one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SeveralError {
    /// None was given.
    #[error("there is no device to share the work out to")]
    None,
    /// Their cores differ.
    #[error(
        "{first} and {other} have cores of different shapes ({first_shape} and {other_shape}); devices that share their work need the same banks, batch and depth"
    )]
    Shapes {
        /// The first device.
        first: String,
        /// Banks, batch and depth of its core.
        first_shape: String,
        /// The one that differs.
        other: String,
        /// Banks, batch and depth of its core.
        other_shape: String,
    },
}

/// Devices that share every run.
#[derive(Debug)]
pub struct Several<D> {
    info: CoreInfo,
    members: Vec<Member<D>>,
}

/// A device and its sums of the last run.
#[derive(Debug)]
struct Member<D> {
    device: D,
    sums: Vec<i32>,
}

impl<D: Device + Send> Several<D> {
    /// One device that shares its runs out to `devices`.
    ///
    /// Its shape is that of one core. Its statistics are those of all cores added up: cycles of the simulation or
    /// of the boards' clocks, not of the time that passed.
    ///
    /// # Errors
    /// [`SeveralError::Shapes`] for cores of different shapes, [`SeveralError::None`] for no devices.
    pub fn new(devices: Vec<D>) -> Result<Self, SeveralError> {
        let first = devices.first().ok_or(SeveralError::None)?.info().clone();
        let shape = |core: &CoreInfo| {
            format!(
                "{} banks, batch {}, depth {}",
                core.banks, core.batch, core.depth
            )
        };
        for device in &devices {
            let other = device.info();
            if shape(other) != shape(&first) {
                return Err(SeveralError::Shapes {
                    first_shape: shape(&first),
                    first: first.name,
                    other: other.name.clone(),
                    other_shape: shape(other),
                });
            }
        }
        let mut names: Vec<&str> = devices.iter().map(|d| d.info().name.as_str()).collect();
        names.dedup();
        let name = match names[..] {
            [one] if devices.len() > 1 => format!("{} x {one}", devices.len()),
            _ => names.join(" + "),
        };
        Ok(Self {
            info: CoreInfo { name, ..first },
            members: devices
                .into_iter()
                .map(|device| Member {
                    device,
                    sums: Vec::new(),
                })
                .collect(),
        })
    }
}

impl<D: Device> Member<D> {
    /// Runs its share; a request that is refused is named by its place in the common run.
    fn run(&mut self, share: &Share<'_>) -> Result<RunStats, DeviceError> {
        let whole = |index: usize| share.origins.get(index).copied().unwrap_or(index);
        self.device
            .run(&share.requests, &mut self.sums)
            .map_err(|error| match error {
                DeviceError::Refused {
                    device,
                    index,
                    code,
                } => DeviceError::Refused {
                    device,
                    index: whole(index),
                    code,
                },
                DeviceError::NoScales { index } => DeviceError::NoScales {
                    index: whole(index),
                },
                other => other,
            })
    }
}

impl<D: Device + Send> Device for Several<D> {
    fn info(&self) -> &CoreInfo {
        &self.info
    }

    fn run(
        &mut self,
        requests: &[weft_protocol::packet::Request<'_>],
        out: &mut Vec<i32>,
    ) -> Result<RunStats, DeviceError> {
        let Some(shares) = Shares::of(requests, &self.info, self.members.len()) else {
            return self.members[0].device.run(requests, out);
        };
        let results: Vec<_> = std::thread::scope(|scope| {
            let mut work = self.members.iter_mut().zip(&shares.shares);
            let first = work.next();
            let others: Vec<_> = work
                .map(|(member, share)| scope.spawn(move || member.run(share)))
                .collect();
            let first = first.map(|(member, share)| member.run(share));
            let others = others.into_iter().map(|thread| match thread.join() {
                Ok(result) => result,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            first.into_iter().chain(others).collect()
        });
        let mut stats = RunStats::default();
        for result in results {
            stats.add(&result?);
        }
        stats.runs = 1;

        out.clear();
        out.resize(shares.words, 0);
        for (member, share) in self.members.iter().zip(&shares.shares) {
            let mut sums = &member.sums[..];
            for drain in &share.drains {
                let (of_drain, rest) = sums.split_at(drain.len());
                for (sum, more) in out[drain.clone()].iter_mut().zip(of_drain) {
                    *sum = wrap_accumulator(sum.wrapping_add(*more));
                }
                sums = rest;
            }
        }
        Ok(stats)
    }

    fn link_counters(&self) -> Vec<(&'static str, u64)> {
        let mut all: Vec<(&'static str, u64)> = Vec::new();
        for (name, count) in self.members.iter().flat_map(|m| m.device.link_counters()) {
            match all.iter_mut().find(|(known, _)| *known == name) {
                Some((_, sum)) => *sum += count,
                None => all.push((name, count)),
            }
        }
        all
    }
}
