//! Devices by name, and the options that choose them.

use std::ops::Range;
use std::sync::Arc;
#[cfg(target_os = "linux")]
use std::sync::PoisonError;

use anyhow::Context;
use weft_hdl::CoreConfig;
#[cfg(target_os = "linux")]
use weft_host::device::pcie::{self, PcieCard, Socket, Vfio};
use weft_host::device::sim::{Sim, SimCore, Watch};
use weft_host::device::{Cpu, Device, PackedModel};
use weft_host::link::{self, Prediction};
use weft_host::model::Site;

use crate::cmd::verilog::parse_config;
use crate::exit::{self, OrExit, fail};
use crate::loaded::Loaded;
use crate::ui::Cancel;

/// A device chosen at run time.
pub(crate) type AnyDevice = Box<dyn Device + Send>;

/// A device by name, as `--device` takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DeviceName {
    /// This machine's processor.
    Cpu,
    /// The core's Verilog in the simulator.
    Sim,
    /// A card at a PCI address.
    #[cfg(target_os = "linux")]
    Pcie(String),
    /// A card behind a vfio-user socket.
    #[cfg(target_os = "linux")]
    VfioUser(std::path::PathBuf),
}

impl DeviceName {
    /// Reads a name.
    fn parse(text: &str) -> Result<Self, String> {
        match text.split_once(':') {
            None if text == "cpu" => Ok(Self::Cpu),
            None if text == "sim" => Ok(Self::Sim),
            #[cfg(target_os = "linux")]
            Some(("pcie", address)) => pcie::parse_address(address).map(Self::Pcie),
            #[cfg(target_os = "linux")]
            Some(("vfio-user", path)) if !path.is_empty() => Ok(Self::VfioUser(path.into())),
            _ => Err("devices are cpu, sim, pcie:ADDRESS and vfio-user:SOCKET".into()),
        }
    }
}

/// Which device computes the products.
#[derive(clap::Args, Clone)]
pub(crate) struct DeviceArgs {
    /// cpu: this machine's processor, bit-exact; sim: the core's Verilog, cycle by cycle; pcie:ADDRESS: a card in a
    /// slot, through VFIO; vfio-user:SOCKET: a card that `weft card` serves
    #[arg(long, default_value = "cpu", value_name = "DEVICE", value_parser = DeviceName::parse)]
    pub(crate) device: DeviceName,
    /// With pcie: and vfio-user: look at memory for completions over and over instead of waiting for interrupts
    #[arg(long)]
    pub(crate) poll: bool,
    /// Core configuration of the sim device: banks x batch
    #[arg(long, value_name = "NAME", default_value = "8x1", value_parser = parse_config)]
    pub(crate) config: CoreConfig,
    /// With --device sim: simulate only these layers, the head being the one after the last; the rest run on cpu
    #[arg(long, value_name = "A..B", value_parser = parse_layers)]
    pub(crate) sim_layers: Option<Range<usize>>,
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

    /// Fewest cycles of a pass in which every column is sent.
    pub(crate) fn bound_cycles(&self, model: &Loaded) -> u64 {
        let core = self.products.devices().0.info();
        core.bound_cycles(model.weft.weight_bytes(), model.weights())
    }
}

impl DeviceArgs {
    /// The card that the name means, if it means one.
    #[cfg(target_os = "linux")]
    fn open_card(&self) -> anyhow::Result<Option<PcieCard>> {
        let way: Box<dyn pcie::Transport> = match &self.device {
            DeviceName::Pcie(address) => Box::new(Vfio::open(address).or_exit(exit::DEVICE)?),
            DeviceName::VfioUser(path) => Box::new(Socket::connect(path).or_exit(exit::DEVICE)?),
            _ => return Ok(None),
        };
        let options = pcie::Options {
            completion: if self.poll {
                pcie::Completion::Polling
            } else {
                pcie::Completion::Interrupts
            },
            ..pcie::Options::default()
        };
        let name = way.name();
        let card = PcieCard::open(way, options)
            .with_context(|| format!("cannot use {name}"))
            .or_exit(exit::DEVICE)?;
        Ok(Some(card))
    }

    /// Puts `model` on the device.
    pub(crate) fn build(&self, model: &Loaded, cancel: &Cancel) -> anyhow::Result<OnDevice> {
        let watch = Arc::new(Watch::new(cancel.flag().clone()));
        let weft = model.weft.clone();
        if self.sim_layers.is_some() && self.device != DeviceName::Sim {
            return Err(fail(exit::USAGE, "--sim-layers goes with --device sim"));
        }
        #[cfg(target_os = "linux")]
        if let Some(mut card) = self.open_card()? {
            card.stream_from(&weft).or_exit(exit::DEVICE)?;
            let info = card.info().clone();
            let link = card.watch();
            let card: AnyDevice = Box::new(card);
            return Ok(OnDevice {
                products: PackedModel::new(weft, card).or_exit(exit::DEVICE)?,
                name: info.name,
                batch: info.batch,
                watch,
                simulated: false,
                counts_all: true,
                link: Some(Box::new(move || {
                    let stats = *link.lock().unwrap_or_else(PoisonError::into_inner);
                    serde_json::to_value(stats).unwrap_or_default()
                })),
            });
        }
        if self.device == DeviceName::Cpu {
            let core = Cpu::default_core();
            let batch = core.batch;
            let cpu: AnyDevice = Box::new(Cpu::new(core, self.threads).or_exit(exit::DEVICE)?);
            let products = PackedModel::new(weft, cpu).or_exit(exit::DEVICE)?;
            return Ok(OnDevice {
                products,
                name: "cpu".into(),
                batch,
                watch,
                simulated: false,
                counts_all: false,
                link: None,
            });
        }
        let core = SimCore::new(&self.config).or_exit(exit::DEVICE)?;
        let sim = Sim::new(&core, watch.clone()).or_exit(exit::DEVICE)?;
        let info = sim.info().clone();
        let (name, batch) = (info.name.clone(), info.batch);
        let sim: AnyDevice = Box::new(sim);
        let products = match self.sim_layers.clone() {
            None => PackedModel::new(weft, sim),
            Some(range) => {
                let layers = model.model.config().layers;
                if range.end > layers + 1 {
                    return Err(fail(
                        exit::USAGE,
                        format!(
                            "--sim-layers {}..{}: the model has layers 0..{layers}, and its head is layer {layers}",
                            range.start, range.end
                        ),
                    ));
                }
                // The cpu stands in for the same core, so that both cut the prompt into the same batches.
                let cpu: AnyDevice = Box::new(Cpu::new(info, self.threads).or_exit(exit::DEVICE)?);
                PackedModel::new(weft, cpu).and_then(|p| {
                    p.with_second(sim, move |key| {
                        range.contains(&if key.site == Site::Head {
                            layers
                        } else {
                            key.layer
                        })
                    })
                })
            }
        };
        let counts_all = self.sim_layers.is_none();
        Ok(OnDevice {
            products: products.or_exit(exit::DEVICE)?,
            name,
            batch,
            watch,
            simulated: true,
            counts_all,
            link: None,
        })
    }
}
