//! What a test bench does: typed ports, waiting with a limit, snapshots, deterministic seeds.

use weft_sim::{Design, Error, Options, Probes, Random, Simulator};

const TEXT: &str = "
module top(input wire clock, input wire start, input wire signed [11:0] a, input wire [99:0] wide,
           output reg busy, output reg signed [19:0] sum, output wire [99:0] echo);
    reg [4:0] left;
    initial begin busy = 0; sum = 0; left = 0; end
    assign echo = ~wide;
    always @(posedge clock) begin
        busy <= start | (left != 0);
        if (start) left <= 20;
        else if (left != 0) begin left <= left - 1; sum <= sum + a; end
    end
endmodule
";

fn simulator() -> Simulator {
    let design = Design::from_verilog(TEXT, "top").unwrap();
    Simulator::new(design.compile().unwrap())
}

#[test]
fn typed_ports_carry_signs_and_widths() {
    let mut sim = simulator();
    let start = sim.typed_input::<bool>("start").unwrap();
    let a = sim.typed_input::<i16>("a").unwrap();
    let wide = sim.typed_input::<u128>("wide").unwrap();
    let busy = sim.typed_output::<bool>("busy").unwrap();
    let sum = sim.typed_output::<i32>("sum").unwrap();
    let echo = sim.typed_output::<u128>("echo").unwrap();
    sim.set(start, true);
    sim.set(a, -7);
    sim.set(wide, 0x1234 << 70);
    sim.cycle();
    assert_eq!(sim.get(echo), ((1u128 << 100) - 1) & !(0x1234 << 70));
    sim.set(start, false);
    let mut seen = 0;
    let cycles = sim.run_until(1000, |sim| {
        seen += 1;
        !sim.get(busy)
    });
    assert_eq!(cycles, Ok(22));
    assert_eq!((seen, sim.get(sum)), (22, -140));
    let signed_wide = sim.typed_output::<i128>("echo").unwrap();
    sim.set(wide, 0);
    sim.cycle();
    assert_eq!(sim.get(signed_wide), -1);
    let narrow = sim.typed_output::<u16>("sum").unwrap_err().to_string();
    assert!(
        narrow.contains("20 bits") && narrow.contains("u16 holds 16"),
        "{narrow}"
    );
}

#[test]
fn waiting_ends_with_an_error() {
    let mut sim = simulator();
    let busy = sim.output("busy").unwrap();
    let error = sim.run_until(50, |sim| sim.peek(busy) == 1).unwrap_err();
    assert_eq!(
        error,
        Error::Timeout {
            limit: 50,
            cycle: 50
        }
    );
    assert_eq!(
        sim.run_until(0, |_| true),
        Err(Error::Timeout {
            limit: 0,
            cycle: 50
        })
    );
}

#[test]
fn snapshots_go_back_and_fit_only_their_own_design() {
    let mut sim = simulator();
    let (start, a) = (sim.input("start").unwrap(), sim.input("a").unwrap());
    sim.poke(start, 1);
    sim.poke(a, 3);
    sim.cycle();
    sim.poke(start, 0);
    sim.run(5);
    let saved = sim.save();
    let sum = sim.register("sum").unwrap();
    assert_eq!((saved.cycles(), sim.read_register(sum).low()), (6, 15));
    sim.run(10);
    let later = sim.read_register(sum);
    sim.restore(&saved).unwrap();
    assert_eq!((sim.cycles(), sim.read_register(sum).low()), (6, 15));
    sim.run(10);
    assert_eq!(sim.read_register(sum), later);

    // Another compilation of the same design takes it, with its inputs.
    let mut twin = simulator();
    twin.restore(&saved).unwrap();
    twin.run(10);
    assert_eq!(twin.read_register(twin.register("sum").unwrap()), later);

    // Other probes and other designs do not.
    let design = Design::from_verilog(TEXT, "top").unwrap();
    let all = Options {
        probes: Probes::All,
    };
    let other = Design::from_verilog(&TEXT.replace("left <= 20", "left <= 21"), "top").unwrap();
    for program in [design.compile_with(&all).unwrap(), other.compile().unwrap()] {
        let mut other = Simulator::new(program);
        let before = other.save();
        assert!(
            other
                .restore(&saved)
                .unwrap_err()
                .to_string()
                .contains("another design")
        );
        assert_eq!(other.cycles(), before.cycles());
    }
}

#[test]
fn seeds_are_for_ever() {
    let mut random = Random::new(1);
    let words = [random.word(), random.word(), random.word()];
    assert_eq!(
        words,
        [
            0x910a_2dec_8902_5cc1,
            0xbeeb_8da1_658e_ec67,
            0xf893_a2ee_fb32_555e
        ]
    );
    assert!((0..1000).all(|_| random.below(3) < 3));
    assert_eq!(random.below(0), 0);
    assert_eq!(random.bits(70).width(), 70);
}
