//! The unit against arithmetic, against the simulator's own interpreter, and from a snapshot.

use std::fs::File;
use std::path::Path;

use weft_sim::{Design, In, Options, Out, Probes, Random, Result, Simulator};

/// The unit with its ports, looked up once.
struct Mac {
    sim: Simulator,
    enable: In<bool>,
    first: In<bool>,
    a: In<i16>,
    b: In<i16>,
    sum: Out<i32>,
}

impl Mac {
    fn new(design: &Design, options: &Options) -> Result<Self> {
        let sim = Simulator::new(design.compile_with(options)?);
        Ok(Mac {
            enable: sim.typed_input("enable")?,
            first: sim.typed_input("first")?,
            a: sim.typed_input("a")?,
            b: sim.typed_input("b")?,
            sum: sim.typed_output("sum")?,
            sim,
        })
    }

    /// Feeds one pair.
    fn pair(&mut self, first: bool, a: i16, b: i16) {
        self.sim.set(self.enable, true);
        self.sim.set(self.first, first);
        self.sim.set(self.a, a);
        self.sim.set(self.b, b);
        self.sim.cycle();
    }

    /// The sum of all pairs so far.
    fn sum(&mut self) -> Result<i32> {
        self.sim.eval()?;
        Ok(self.sim.get(self.sum))
    }
}

fn design() -> Result<Design> {
    Design::from_verilog(&example_mac::verilog(), "top")
}

#[test]
fn sums_are_those_of_arithmetic() -> Result<()> {
    let design = design()?;
    let probes = Probes::All;
    let mut mac = Mac::new(&design, &Options { probes })?;
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mac.vcd");
    mac.sim
        .trace(File::create(path).expect("the waveform's file"))?;
    // The slow interpreter follows and would name the first signal that differs.
    mac.sim.start_crosscheck(&design)?;
    let mut random = Random::new(7);
    let mut expected = 0i32;
    for n in 0..2000 {
        let first = n == 0 || random.chance(5);
        let (a, b) = (random.word() as i16, random.word() as i16);
        let product = i32::from(a) * i32::from(b);
        expected = if first {
            product
        } else {
            expected.wrapping_add(product)
        };
        mac.pair(first, a, b);
        assert_eq!(mac.sum()?, expected, "pair {n}");
    }
    mac.sim.finish_crosscheck()?;
    mac.sim.finish_trace()
}

#[test]
fn extremes() -> Result<()> {
    let mut mac = Mac::new(&design()?, &Options::default())?;
    mac.pair(true, i16::MIN, i16::MIN);
    assert_eq!(mac.sum()?, 1 << 30);
    mac.pair(false, i16::MIN, i16::MIN);
    assert_eq!(mac.sum()?, i32::MIN, "the sum wraps");
    mac.pair(true, i16::MIN, i16::MAX);
    assert_eq!(mac.sum()?, -(1 << 30) + (1 << 15));
    Ok(())
}

#[test]
fn a_snapshot_is_a_place_to_return_to() -> Result<()> {
    let mut mac = Mac::new(&design()?, &Options::default())?;
    mac.pair(true, 3, 5);
    let before = mac.sim.save();
    mac.pair(false, 100, 100);
    assert_eq!(mac.sum()?, 10_015);
    mac.sim.restore(&before)?;
    assert_eq!(mac.sum()?, 15);
    Ok(())
}
