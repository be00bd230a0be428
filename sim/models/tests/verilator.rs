//! The card's outputs, cycle by cycle, under the simulator and under Verilator: traffic of the rings with reordering and
//! hesitation, then random levels on every pin.

mod common;
#[path = "../../tests/common/mod.rs"]
mod sim_common;

use common::driver::{COMMANDS, HIGH, LOW, RECORDS, RESULTS, ranges};
use sim_common::stimulus::random_stimulus;
use sim_common::verilator::{Case, available, compare};
use weft_hdl::CoreConfig;
use weft_hdl::pcie::{CARD_TOP, CardConfig, generate_card};
use weft_models::root_complex::{DEVICE, RootConfig};
use weft_models::{HostMemory, RootComplex};
use weft_protocol::packet::Request;
use weft_protocol::pcie::ring::{NOTIFY, Slot, SlotKind};
use weft_protocol::pcie::{CardRegister, Control};
use weft_sim::{Bits, Design, Simulator};

/// Cycles of traffic, and of random levels behind it.
const TRAFFIC: usize = 5000;
const RANDOM: u64 = 1500;

/// The inputs of every cycle of a root complex and rings at work, in the order in which the card declares them.
fn traffic(design: &Design) -> Vec<Vec<Bits>> {
    let config = RootConfig {
        latency: 30..200,
        split: true,
        reorder: true,
        hesitate: 5,
        credits: [(4, 80), (3, 3)],
        ..RootConfig::default()
    };
    let mut root = RootComplex::new(config, 1 << 16);
    let mut memory = HostMemory::new(&ranges());
    fill(&mut root, &mut memory);
    let mut sim = Simulator::new(design.compile().unwrap());
    let names: Vec<(String, u32)> = sim_common::data_inputs(design);
    let mut recorded = Vec::new();
    let mut reads_ok = true;
    for _ in 0..TRAFFIC {
        let beat = root.offer(reads_ok);
        let allowed = root.allowed();
        let level = |name: &str| match name {
            "rx_valid" => u64::from(beat.is_some()),
            "rx_data" => beat.map_or(0, |b| b.data),
            "rx_last" => beat.map_or(0, |b| b.last.into()),
            "rx_keep" => beat.map_or(0, |b| b.keep.into()),
            "rx_bar" => beat.map_or(0, |b| b.bar.into()),
            "tx_ready" => allowed.ready.into(),
            "tx_posted_ok" => allowed.posted.into(),
            "tx_read_ok" => allowed.read.into(),
            "device" => DEVICE.into(),
            "tx_completion_ok" | "bus_master" | "max_payload" => 1,
            "max_read" => 2,
            _ => 0,
        };
        recorded.push(names.iter().map(|(n, w)| Bits::new(*w, level(n))).collect());
        for (name, _) in &names {
            let pin = sim.input(name).unwrap();
            sim.poke(pin, level(name));
        }
        sim.cycle();
        let pin = |name| sim.peek(sim.output(name).unwrap());
        if beat.is_some() && pin("rx_ready") == 1 {
            root.taken();
        }
        reads_ok = pin("rx_read_ok") == 1;
        if pin("tx_valid") == 1 && allowed.ready {
            root.push(pin("tx_data"), pin("tx_last") == 1, pin("tx_keep") == 1);
        }
        root.tick(&mut memory);
    }
    assert!(
        root.sent_by_card() > 60,
        "the traffic is long enough to mean something"
    );
    assert_eq!(root.checker.violations(), []);
    recorded
}

/// Rings full of slots that ask the core for a register, and of buffers for its answers.
fn fill(root: &mut RootComplex, memory: &mut HostMemory) {
    use CardRegister as R;
    let mut request = Vec::new();
    Request::Read { register: 2 }.encode(&mut request);
    for i in 0..30 {
        let mut slot = Slot {
            address: HIGH + 4096 * i - 8,
            length: 16,
            kind: SlotKind::Host as u8,
            flags: NOTIFY,
            cookie: i as u16,
        };
        if i > 0 {
            let data = memory.slice_mut(slot.address, 16).unwrap();
            data.copy_from_slice(&request.repeat(2));
        } else {
            slot.kind = SlotKind::Window as u8;
            slot.address = 0;
        }
        let place = memory.slice_mut(COMMANDS + 16 * i, 16).unwrap();
        place.copy_from_slice(&slot.to_bytes());
        for half in [0, 1] {
            (slot.address, slot.kind, slot.flags) = (LOW + 128 * i + 64 * half, 0, 0);
            let place = memory.slice_mut(RESULTS + 32 * i + 16 * half, 16).unwrap();
            place.copy_from_slice(&slot.to_bytes());
        }
    }
    root.host_write(2, 0, &request.repeat(2));
    for (register, value) in [
        (R::CommandBase, COMMANDS as u32),
        (R::CommandLog2, 6),
        (R::ResultBase, RESULTS as u32),
        (R::ResultLog2, 6),
        (R::CompletionBase, RECORDS as u32),
        (R::CompletionLog2, 7),
        (R::Control, Control::RUN),
        (R::ResultTail, 60),
        (R::CommandTail, 30),
    ] {
        root.host_write(0, register.offset(), &value.to_le_bytes());
    }
    root.host_read(0, 0, 200);
}

#[test]
fn outputs_are_those_of_verilator() {
    if !available() {
        return;
    }
    let core = CoreConfig {
        banks: 1,
        batch: 1,
        stream_bytes: 4,
        depth: 64,
    };
    let verilog = generate_card(&CardConfig {
        core,
        log2_window: 12,
    })
    .unwrap();
    let design = Design::from_verilog(&verilog, CARD_TOP).unwrap();
    let mut stimulus = traffic(&design);
    let mut rng = sim_common::Rng::new(4);
    stimulus.extend(random_stimulus(&mut rng, &design, RANDOM));
    let case = Case {
        name: CARD_TOP.into(),
        verilog,
        files: Vec::new(),
    };
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("verilator_card");
    let failures = compare(&folder, &[case], |_, _| stimulus.clone());
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
