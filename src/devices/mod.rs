//! The options that choose devices, and devices with a model on them.

mod name;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::sync::PoisonError;
use std::time::Duration;

use anyhow::Context;
use weft_hdl::CoreConfig;
#[cfg(target_os = "linux")]
use weft_host::device::pcie::{self, PcieCard, Socket, Vfio};
use weft_host::device::serial::{self, Serial};
use weft_host::device::sim::{Sim, SimCore, Watch};
use weft_host::device::{Cpu, Device, PackedModel, Several};
use weft_host::link::{self, Prediction};
use weft_host::model::Site;

use crate::cmd::verilog::parse_config;
use crate::exit::{self, OrExit, fail};
use crate::loaded::Loaded;
use crate::ui::Cancel;

pub(crate) use name::DeviceName;

/// A device chosen at run time.
pub(crate) type AnyDevice = Box<dyn Device + Send>;

/// Opens a board on a serial line.
pub(crate) fn open_serial(
    path: &str,
    baud: Option<u32>,
    timeout: Duration,
    cancel: &Cancel,
) -> anyhow::Result<Serial> {
    let options = serial::Options {
        baud,
        timeout,
        cancel: cancel.flag().clone(),
    };
    match Serial::open(path, &options) {
        Ok(serial) => Ok(serial),
        Err(_) if cancel.is_set() => Err(fail(exit::INTERRUPTED, "interrupted")),
        Err(e) if e.missing() => Err(fail(exit::MISSING, e.to_string())),
        Err(e) => Err(fail(exit::DEVICE, e.to_string())),
    }
}

/// Reads a time-out.
pub(crate) fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(s) if (0.1..=3600.0).contains(&s) => Ok(Duration::from_secs_f64(s)),
        _ => Err("a time-out is 0.1 to 3600 seconds".into()),
    }
}

/// Which device computes the products.
#[derive(clap::Args, Clone)]
pub(crate) struct DeviceArgs {
    /// cpu: this machine's processor, bit-exact; sim: the core's Verilog, cycle by cycle; serial:PATH or
    /// serial:PATH@BAUD: a board, or `weft board-sim`; pcie:ADDRESS: a card in a slot, through VFIO; vfio-user:SOCKET: a
    /// card that `weft card` serves. Given several times, devices with cores of one shape share every product.
    /// Experimental: pcie:ADDRESS@DRIVE lets the NVMe drive at that PCI address, bound to vfio-pci too and holding the
    /// model's bytes from its first one on, deliver the weights straight into the card
    #[arg(long, default_value = "cpu", value_name = "DEVICE", value_parser = DeviceName::parse)]
    pub(crate) device: Vec<DeviceName>,
    /// With pcie: and vfio-user: look at memory for completions over and over instead of waiting for interrupts
    #[arg(long)]
    pub(crate) poll: bool,
    /// Core configuration of the sim device: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    pub(crate) config: CoreConfig,
    /// With --device sim and serial: run only these layers there, the head being the one after the last; the rest run
    /// on cpu
    #[arg(long, value_name = "A..B", value_parser = parse_layers, alias = "sim-layers")]
    pub(crate) device_layers: Option<Range<usize>>,
    /// With a board or card: longest silence, and longest time without progress, before an error
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) timeout: Duration,
    /// Threads of the cpu device [default: one a processor]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(crate) threads: usize,
}

fn parse_layers(text: &str) -> Result<Range<usize>, String> {
    let parts = text
        .split_once("..")
        .and_then(|(a, b)| Some(a.parse().ok()?..b.parse().ok()?));
    match parts {
        Some(range) if range.start < range.end => Ok(range),
        _ => Err(format!("{text:?} is not a range of layers like 0..2")),
    }
}

/// What went over a device's link so far.
pub(crate) type LinkReport = Box<dyn Fn() -> serde_json::Value + Send>;

/// A model on the chosen devices.
pub(crate) struct OnDevice {
    /// The products; the first device is cpu if layers are shared out.
    pub(crate) products: PackedModel<AnyDevice>,
    /// The device's name with its configuration, for people and JSON.
    pub(crate) name: String,
    /// Tokens that one pass takes.
    pub(crate) batch: usize,
    /// What the simulation shows while it runs; never moves on cpu.
    pub(crate) watch: Arc<Watch>,
    /// Whether any product is simulated.
    pub(crate) simulated: bool,
    /// Whether every product is, so that the core's cycle counter tells all.
    pub(crate) counts_all: bool,
    /// What its link counted, from devices that have one.
    pub(crate) link: Option<LinkReport>,
}

impl OnDevice {
    /// What each link would give when every column is sent and the core is at its bound.
    pub(crate) fn expectation(&self, model: &Loaded) -> Vec<Prediction> {
        let bytes = model.weft.weight_bytes() as f64;
        link::predict(bytes, self.bound_cycles(model) as f64, link::CLOCK_HZ)
    }

    /// What the link of the device counted.
    pub(crate) fn link_counters(&self) -> BTreeMap<&'static str, u64> {
        let (first, second) = self.products.devices();
        let counters = |d: &AnyDevice| d.link_counters();
        let all = counters(first).into_iter();
        all.chain(second.map(counters).unwrap_or_default())
            .collect()
    }

    /// Fewest cycles of a pass in which every column is sent.
    pub(crate) fn bound_cycles(&self, model: &Loaded) -> u64 {
        let core = self.products.devices().0.info();
        core.bound_cycles(model.weft.weight_bytes(), model.weights())
    }
}

/// Opens the card that `name` means, and the drive beside it.
#[cfg(target_os = "linux")]
pub(crate) fn open_card(
    name: &DeviceName,
    poll: bool,
    timeout: Duration,
) -> anyhow::Result<(PcieCard, Option<pcie::Peer>)> {
    let mut peer = None;
    let way: Box<dyn pcie::Transport> = match name {
        DeviceName::Pcie { address, drive } => {
            let mut vfio = Vfio::open(address).or_exit(exit::DEVICE)?;
            if let Some(drive) = drive {
                peer = Some(vfio.take_drive(drive).or_exit(exit::DEVICE)?);
            }
            Box::new(vfio)
        }
        DeviceName::VfioUser(path) => Box::new(Socket::connect(path).or_exit(exit::DEVICE)?),
        _ => return Err(fail(exit::USAGE, "not a card")),
    };
    let options = pcie::Options {
        completion: if poll {
            pcie::Completion::Polling
        } else {
            pcie::Completion::Interrupts
        },
        timeout,
        ..pcie::Options::default()
    };
    let name = way.name();
    let card = PcieCard::open(way, options)
        .with_context(|| format!("cannot use {name}"))
        .or_exit(exit::DEVICE)?;
    Ok((card, peer))
}

impl DeviceArgs {
    /// Opens each device; a simulated core is compiled once for all its cards.
    fn open(
        &self,
        model: &Loaded,
        watch: &Arc<Watch>,
        cancel: &Cancel,
    ) -> anyhow::Result<Vec<Opened>> {
        let mut opened = Vec::with_capacity(self.device.len());
        let mut compiled: Option<SimCore> = None;
        for name in &self.device {
            opened.push(match name {
                DeviceName::Cpu => {
                    let cpu = Cpu::new(Cpu::default_core(), self.threads).or_exit(exit::DEVICE)?;
                    Opened::without_report(cpu)
                }
                DeviceName::Sim => {
                    let core = match &compiled {
                        Some(core) => core,
                        None => compiled.insert(SimCore::new(&self.config).or_exit(exit::DEVICE)?),
                    };
                    Opened::without_report(Sim::new(core, watch.clone()).or_exit(exit::DEVICE)?)
                }
                DeviceName::Serial { path, baud } => {
                    Opened::without_report(open_serial(path, *baud, self.timeout, cancel)?)
                }
                #[cfg(target_os = "linux")]
                DeviceName::Pcie { .. } | DeviceName::VfioUser(_) => {
                    let (mut card, peer) = open_card(name, self.poll, self.timeout)?;
                    match peer {
                        Some(peer) => card.stream_from_peer(&model.weft, peer),
                        None => card.stream_from(&model.weft),
                    }
                    .or_exit(exit::DEVICE)?;
                    let link = card.watch();
                    Opened {
                        device: Box::new(card),
                        report: Some(Box::new(move || {
                            let stats = *link.lock().unwrap_or_else(PoisonError::into_inner);
                            serde_json::to_value(stats).unwrap_or_default()
                        })),
                    }
                }
            });
        }
        Ok(opened)
    }

    /// Puts `model` on the devices.
    pub(crate) fn build(&self, model: &Loaded, cancel: &Cancel) -> anyhow::Result<OnDevice> {
        let watch = Arc::new(Watch::new(cancel.flag().clone()));
        let weft = model.weft.clone();
        let all = |wanted: fn(&DeviceName) -> bool| self.device.iter().all(wanted);
        let cpu = all(|d| *d == DeviceName::Cpu);
        if self.device.len() > 1 && self.device.contains(&DeviceName::Cpu) {
            return Err(fail(
                exit::USAGE,
                "cpu shares its work out to its own threads (--threads): name it alone",
            ));
        }
        let stepped = all(|d| matches!(d, DeviceName::Sim | DeviceName::Serial { .. }));
        if self.device_layers.is_some() && !stepped {
            return Err(fail(
                exit::USAGE,
                "--device-layers goes with --device sim or serial",
            ));
        }
        let mut opened = self.open(model, &watch, cancel)?;
        let link = link_report(&mut opened);
        let mut devices: Vec<_> = opened.into_iter().map(|o| o.device).collect();
        let device = match devices.len() {
            1 => devices.remove(0),
            _ => Box::new(Several::new(devices).or_exit(exit::DEVICE)?) as AnyDevice,
        };
        let info = device.info().clone();
        let (name, batch) = (info.name.clone(), info.batch);
        let products = match self.device_layers.clone() {
            None => PackedModel::new(weft, device),
            Some(range) => {
                let layers = model.model.config().layers;
                if range.end > layers + 1 {
                    return Err(fail(
                        exit::USAGE,
                        format!(
                            "--device-layers {}..{}: the model has layers 0..{layers}, and its head is layer {layers}",
                            range.start, range.end
                        ),
                    ));
                }
                // The cpu stands in for the same core, so that both cut the prompt into the same batches.
                let cpu: AnyDevice = Box::new(Cpu::new(info, self.threads).or_exit(exit::DEVICE)?);
                PackedModel::new(weft, cpu).and_then(|p| {
                    p.with_second(device, move |key| {
                        range.contains(&if key.site == Site::Head {
                            layers
                        } else {
                            key.layer
                        })
                    })
                })
            }
        };
        Ok(OnDevice {
            products: products.or_exit(exit::DEVICE)?,
            name,
            batch,
            watch,
            simulated: self.device.contains(&DeviceName::Sim),
            counts_all: self.device_layers.is_none() && !cpu,
            link,
        })
    }
}

/// A device, and what tells of its link.
struct Opened {
    device: AnyDevice,
    report: Option<LinkReport>,
}

impl Opened {
    /// A device without a link, or one whose link's counters say all.
    fn without_report(device: impl Device + Send + 'static) -> Self {
        Self {
            device: Box::new(device),
            report: None,
        }
    }
}

/// The report of the only device that has one, or a list of all of them.
fn link_report(opened: &mut [Opened]) -> Option<LinkReport> {
    let mut reports: Vec<_> = opened.iter_mut().filter_map(|o| o.report.take()).collect();
    match reports.len() {
        0 | 1 => reports.pop(),
        _ => Some(Box::new(move || reports.iter().map(|r| r()).collect())),
    }
}
