//! Small blocks under rust-hdl's own simulator: their simulation models are their Verilog's meaning.

use weft_hdl::blocks::multiplier::SignedMultiplier;
use weft_hdl::blocks::wiring::Wiring;
use weft_hdl::rtl::*;

/// Half a period, in rust-hdl's femtoseconds.
const HALF: u64 = 5_000_000;

#[test]
fn multiplier_is_signed_twice_registered_and_takes_the_most_negative_values() {
    let mut uut = SignedMultiplier::<8, 8, 24>::default();
    uut.clock.connect();
    uut.a.connect();
    uut.b.connect();
    uut.connect_all();
    let mut sim = Simulation::new();
    sim.add_clock(HALF, |x: &mut Box<SignedMultiplier<8, 8, 24>>| {
        x.clock.next = !x.clock.val();
    });
    sim.add_testbench(move |mut ep: Sim<SignedMultiplier<8, 8, 24>>| {
        let mut x = ep.init()?;
        for (a, b) in [
            (-128i32, -128i32),
            (-128, 127),
            (127, 127),
            (0, -1),
            (-1, 1),
        ] {
            x = ep.watch(|x| !x.clock.val().clk, x)?;
            x.a.next = (a as u32 & 0xff).to_bits();
            x.b.next = (b as u32 & 0xff).to_bits();
            for _ in 0..2 {
                x = ep.watch(|x| x.clock.val().clk, x)?;
                x = ep.watch(|x| !x.clock.val().clk, x)?;
            }
            let product = ((x.product.val().to_u64() << 40) as i64) >> 40;
            sim_assert!(ep, product == i64::from(a * b), x);
        }
        ep.done(x)
    });
    sim.run(Box::new(uut), 100 * HALF).unwrap();
}

#[test]
fn wiring_sorts_nibbles_and_mask_bits() {
    let mut uut = Wiring::<32, 4>::default();
    uut.beat.connect();
    uut.connect_all();
    let mut sim = Simulation::new();
    sim.add_testbench(move |mut ep: Sim<Wiring<32, 4>>| {
        let mut x = ep.init()?;
        x.beat.next = 0x8765_4321_u32.to_bits();
        x = ep.wait(HALF, x)?;
        sim_assert!(ep, x.planes.val().to_u64() == 0x8642_7531_u64, x);
        for bank in 0..8 {
            let word: u64 = (0..4)
                .map(|k| (0x8765_4321_u64 >> (bank + 8 * k) & 1) << k)
                .sum();
            sim_assert!(ep, x.mask[bank].val().to_u64() == word, x);
        }
        ep.done(x)
    });
    sim.run(Box::new(uut), 100 * HALF).unwrap();
}
