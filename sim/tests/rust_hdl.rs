//! Verilog that rust-hdl writes, simulated and compared with rust-hdl's own idea of the block or with arithmetic.

use rust_hdl::prelude::*;
use weft_sim::{Design, Simulator};

/// Registers in an array, a RAM, a ROM, signed arithmetic and a state machine, all in one block.
#[derive(Copy, Clone, PartialEq, Debug, LogicState)]
enum State {
    Idle,
    Load,
    Run,
}

#[derive(LogicBlock, Default)]
struct Lane {
    clock: Signal<In, Clock>,
    weight: Signal<In, Signed<16>>,
    activation: Signal<In, Signed<16>>,
    enable: Signal<In, Bit>,
    sum: Signal<Out, Signed<32>>,
    accumulator: DFF<Signed<32>>,
}

impl Logic for Lane {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, accumulator);
        if self.enable.val() {
            self.accumulator.d.next =
                self.accumulator.q.val() + self.weight.val() * self.activation.val();
        }
        self.sum.next = self.accumulator.q.val();
    }
}

#[derive(LogicBlock)]
struct Core {
    clock: Signal<In, Clock>,
    start: Signal<In, Bit>,
    data: Signal<In, Bits<16>>,
    lane_sum: Signal<Out, Signed<32>>,
    stored: Signal<Out, Bits<16>>,
    table: Signal<Out, Bits<8>>,
    busy: Signal<Out, Bit>,
    lanes: [Lane; 4],
    state: DFF<State>,
    count: DFF<Bits<4>>,
    ram: RAM<Bits<16>, 4>,
    rom: ROM<Bits<8>, 4>,
    steps: Constant<Bits<4>>,
}

impl Default for Core {
    fn default() -> Self {
        Core {
            clock: Default::default(),
            start: Default::default(),
            data: Default::default(),
            lane_sum: Default::default(),
            stored: Default::default(),
            table: Default::default(),
            busy: Default::default(),
            lanes: Default::default(),
            state: Default::default(),
            count: Default::default(),
            ram: RAM::from((0..16u64).map(|i| (i * 3).to_bits::<16>())),
            rom: ROM::from((0..16u64).map(|i| (i * i).to_bits::<8>())),
            steps: Constant::new(9.into()),
        }
    }
}

impl Logic for Core {
    #[hdl_gen]
    fn update(&mut self) {
        dff_setup!(self, clock, state, count);
        self.ram.read_clock.next = self.clock.val();
        self.ram.write_clock.next = self.clock.val();
        self.ram.read_address.next = self.count.q.val();
        self.ram.write_address.next = self.count.q.val();
        self.ram.write_data.next = self.data.val();
        self.ram.write_enable.next = self.state.q.val() == State::Load;
        self.rom.address.next = self.count.q.val();
        self.table.next = self.rom.data.val();
        self.stored.next = self.ram.read_data.val();
        self.busy.next = true;
        for i in 0..4 {
            self.lanes[i].clock.next = self.clock.val();
            self.lanes[i].weight.next = signed_cast(self.data.val());
            self.lanes[i].activation.next = signed_cast(self.ram.read_data.val());
            self.lanes[i].enable.next = self.state.q.val() == State::Run;
        }
        self.lane_sum.next = self.lanes[3].sum.val();
        match self.state.q.val() {
            State::Idle => {
                self.busy.next = false;
                if self.start.val() {
                    self.state.d.next = State::Load;
                    self.count.d.next = 0.into();
                }
            }
            State::Load => {
                self.count.d.next = self.count.q.val() + 1;
                if self.count.q.val() == self.steps.val() {
                    self.state.d.next = State::Run;
                }
            }
            State::Run => {
                self.count.d.next = self.count.q.val() + 1;
                if self.count.q.val().all() {
                    self.state.d.next = State::Idle;
                }
            }
        }
    }
}

fn core_verilog() -> String {
    let mut core = Core::default();
    core.connect_all();
    generate_verilog(&core)
}

#[test]
fn core_runs_as_a_model_says() {
    let design = Design::from_verilog(&core_verilog(), "top").unwrap();
    let mut sim = Simulator::new(design.compile().unwrap());
    let (start, data) = (sim.input("start").unwrap(), sim.input("data").unwrap());
    let [sum, stored, table, busy] =
        ["lane_sum", "stored", "table", "busy"].map(|name| sim.output(name).unwrap());
    let ram = sim.memory("ram.mem").unwrap();
    // The model, in plain arithmetic.
    let (mut m_state, mut m_count, mut m_read, mut m_sum) = (0u8, 0u64, 0u64, 0i32);
    let mut m_ram: Vec<u64> = (0..16).map(|i| i * 3).collect();
    let mut seed = 1u64;
    for cycle in 0..200 {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        let (s, d) = (u64::from(seed >> 60 > 11), seed >> 33 & 0xffff);
        sim.poke(start, s);
        sim.poke(data, d);
        sim.cycle();
        assert_eq!(sim.peek(busy), u64::from(m_state != 0), "cycle {cycle}");
        assert_eq!(sim.peek(table), (m_count * m_count) & 0xff, "cycle {cycle}");
        assert_eq!(sim.peek(stored), m_read, "cycle {cycle}");
        assert_eq!(sim.peek(sum), u64::from(m_sum as u32), "cycle {cycle}");
        let read = m_ram[m_count as usize];
        match m_state {
            0 if s == 1 => (m_state, m_count) = (1, 0),
            0 => {}
            1 => {
                m_ram[m_count as usize] = d;
                m_state = if m_count == 9 { 2 } else { 1 };
                m_count += 1;
            }
            _ => {
                m_sum = m_sum.wrapping_add(i32::from(d as i16) * i32::from(m_read as i16));
                m_state = if m_count == 15 { 0 } else { 2 };
                m_count = (m_count + 1) & 15;
            }
        }
        m_read = read;
    }
    for (i, word) in m_ram.iter().enumerate() {
        assert_eq!(sim.read_memory(ram, i as u64).unwrap(), *word);
    }
}

#[test]
fn interpreter_agrees() {
    let design = Design::from_verilog(&core_verilog(), "top").unwrap();
    let mut sim = Simulator::new(design.compile().unwrap());
    let mut slow = design.interpreter();
    let mut seed = 7u64;
    for cycle in 0..300 {
        for (name, width) in design.inputs().filter(|(n, _)| *n != "clock") {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let value = seed >> 20;
            sim.poke(sim.input(name).unwrap(), value);
            assert!(slow.poke(name, weft_sim::Bits::new(width, value)));
        }
        sim.cycle();
        slow.cycle();
        for (name, _) in design.outputs() {
            let fast = sim.peek_bits(sim.output(name).unwrap());
            assert_eq!(Some(&fast), slow.peek(name), "{name} in cycle {cycle}");
        }
    }
}
