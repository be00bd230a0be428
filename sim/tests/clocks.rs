//! Several clocks, falling edges and asynchronous resets.

use weft_sim::{Design, Options, Probes, Random, Simulator};

fn simulator(text: &str) -> (Design, Simulator) {
    let design = Design::from_verilog_named("t.v", text, "t").unwrap_or_else(|e| panic!("{e}"));
    let program = design.compile_with(&Options {
        probes: Probes::All,
    });
    let sim = Simulator::new(program.unwrap());
    (design, sim)
}

/// An asynchronous FIFO of eight words with Gray-coded pointers, as textbooks write it.
const FIFO: &str = "
module t(input wire wclk, input wire wrst_n, input wire push, input wire [7:0] din, output wire full,
         input wire rclk, input wire rrst_n, input wire pop, output wire [7:0] dout, output wire empty);
    reg [7:0] mem [0:7];
    reg [3:0] wbin, wgray, rbin, rgray, w1, w2, r1, r2;
    wire [3:0] wnext = wbin + (push & ~full);
    wire [3:0] rnext = rbin + (pop & ~empty);
    assign full = wgray == {~r2[3:2], r2[1:0]};
    assign empty = rgray == w2;
    assign dout = mem[rbin[2:0]];
    always @(posedge wclk) if (push & ~full) mem[wbin[2:0]] <= din;
    always @(posedge wclk or negedge wrst_n)
        if (!wrst_n) begin wbin <= 0; wgray <= 0; r1 <= 0; r2 <= 0; end
        else begin wbin <= wnext; wgray <= wnext ^ (wnext >> 1); r1 <= rgray; r2 <= r1; end
    always @(posedge rclk or negedge rrst_n)
        if (!rrst_n) begin rbin <= 0; rgray <= 0; w1 <= 0; w2 <= 0; end
        else begin rbin <= rnext; rgray <= rnext ^ (rnext >> 1); w1 <= wgray; w2 <= w1; end
endmodule
";

#[test]
fn words_cross_between_clocks_in_order() {
    let (design, mut sim) = simulator(FIFO);
    sim.start_crosscheck(&design).unwrap();
    let input = |name| sim.input(name).unwrap();
    let (wrst, rrst, push, pop, din) = (
        input("wrst_n"),
        input("rrst_n"),
        input("push"),
        input("pop"),
        input("din"),
    );
    let (full, empty) = (sim.output("full").unwrap(), sim.output("empty").unwrap());
    let dout = sim.output("dout").unwrap();
    let (wclk, rclk) = (sim.clock("wclk").unwrap(), sim.clock("rclk").unwrap());
    sim.eval().unwrap();
    sim.poke(wrst, 1);
    sim.poke(rrst, 1);
    let mut random = Random::new(11);
    let (mut sent, mut received) = (Vec::new(), Vec::new());
    let mut was_full = false;
    for _ in 0..4000 {
        // The writer's clock is about three times as fast.
        if random.below(4) > 0 {
            let word = random.below(256);
            let pushes = random.chance(70);
            sim.poke(push, pushes.into());
            sim.poke(din, word);
            sim.step(wclk);
            was_full |= sim.peek(full) == 1;
            if pushes && sim.peek(full) == 0 {
                sent.push(word);
            }
            sim.poke(push, 0);
        } else {
            sim.poke(pop, 1);
            sim.step(rclk);
            if sim.peek(empty) == 0 {
                received.push(sim.peek(dout));
            }
            sim.poke(pop, 0);
        }
    }
    assert!(was_full && received.len() > 500, "{}", received.len());
    assert_eq!(received, sent[..received.len()]);
    assert_eq!(sim.finish_crosscheck(), Ok(4001));
}

const RESETS: &str = "
module t(input wire clk, input wire rst_n, input wire set, input wire [7:0] d, output reg [7:0] q,
         output reg [7:0] kept, output reg flag, output wire [7:0] after);
    initial begin q = 8'h77; kept = 8'h11; flag = 0; end
    assign after = q + 1;
    always @(posedge clk or negedge rst_n)
        if (!rst_n) q[3:0] <= 4'h5;
        else begin q <= d; kept <= d; end
    always @(posedge clk, posedge set, negedge rst_n) begin
        if (set) flag <= 1;
        else if (~rst_n) flag <= 0;
        else flag <= d[0];
    end
endmodule
";

#[test]
fn asynchronous_resets_act_without_a_clock() {
    let (design, mut sim) = simulator(RESETS);
    sim.start_crosscheck(&design).unwrap();
    let (rst_n, set, d) = (
        sim.input("rst_n").unwrap(),
        sim.input("set").unwrap(),
        sim.input("d").unwrap(),
    );
    let outputs = ["q", "kept", "flag", "after"].map(|n| sim.output(n).unwrap());
    let now = |sim: &mut Simulator| {
        sim.eval().unwrap();
        outputs.map(|o| sim.peek(o))
    };
    sim.poke(rst_n, 1);
    assert_eq!(now(&mut sim), [0x77, 0x11, 0, 0x78], "initial values");
    sim.poke(rst_n, 0);
    sim.poke(set, 1);
    // The upper half of `q` is not reset, and the first reset in the text goes first.
    assert_eq!(now(&mut sim), [0x75, 0x11, 1, 0x76]);
    sim.poke(set, 0);
    sim.poke(d, 0xff);
    assert_eq!(now(&mut sim)[2], 0);
    sim.cycle();
    assert_eq!(
        now(&mut sim),
        [0x75, 0x11, 0, 0x76],
        "no clock acts during a reset"
    );
    sim.poke(rst_n, 1);
    assert_eq!(
        now(&mut sim),
        [0x75, 0x11, 0, 0x76],
        "a reset is remembered"
    );
    sim.cycle();
    assert_eq!(now(&mut sim), [0xff, 0xff, 1, 0]);
    assert!(sim.finish_crosscheck().is_ok());
}

#[test]
fn falling_edges_follow_rising_ones() {
    let text = "
        module t(input wire clk, input wire [7:0] d, output reg [7:0] rise, output reg [7:0] fall,
                 output reg level_at_rise, output reg level_at_fall);
            always @(posedge clk) begin rise <= d; level_at_rise <= clk; end
            always @(negedge clk) begin fall <= rise; level_at_fall <= clk; end
        endmodule";
    let (design, mut sim) = simulator(text);
    sim.start_crosscheck(&design).unwrap();
    let d = sim.input("d").unwrap();
    sim.poke(d, 9);
    sim.cycle();
    let register = |sim: &Simulator, name| sim.read_register(sim.register(name).unwrap()).low();
    assert_eq!((register(&sim, "rise"), register(&sim, "fall")), (9, 9));
    sim.poke(d, 4);
    sim.run(1);
    assert_eq!((register(&sim, "rise"), register(&sim, "fall")), (4, 4));
    // A clock reads as it was before its edge.
    assert_eq!(register(&sim, "level_at_rise"), 0);
    assert_eq!(register(&sim, "level_at_fall"), 1);
    assert_eq!(sim.finish_crosscheck(), Ok(2));
}

#[test]
fn a_clock_on_falling_edges_alone_is_a_clock() {
    let text = "
        module t(input wire clk, output reg [7:0] n);
            always @(negedge clk) n <= n + 1;
        endmodule";
    let (_, mut sim) = simulator(text);
    sim.run(7);
    sim.step(sim.clock("clk").unwrap());
    let n = sim.register("n").unwrap();
    assert_eq!((sim.read_register(n).low(), sim.cycles()), (8, 8));
}

#[test]
fn waveforms_show_the_clock_that_moved() {
    let text = "
        module t(input wire a, input wire b, output reg [1:0] x, output reg [1:0] y);
            always @(posedge a) x <= x + 1;
            always @(posedge b) y <= y + 1;
        endmodule";
    let design = Design::from_verilog(text, "t").unwrap();
    let mut sim = Simulator::new(design.compile().unwrap());
    let (a, b) = (sim.clock("a").unwrap(), sim.clock("b").unwrap());
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("clocks.vcd");
    sim.trace(std::fs::File::create(&path).unwrap()).unwrap();
    for clock in [a, b, a] {
        sim.step(clock);
    }
    sim.finish_trace().unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let changes = text.split("$enddefinitions $end\n").nth(1).unwrap();
    // Variables: a is !, b is \", x is #, y is $.
    let expected = "#0\n1!\n0\"\nb00 #\nb00 $\n#5\n0!\n#10\n1\"\nb01 #\n#15\n0\"\n#20\n1!\nb01 $\n#25\n0!\n#30\n";
    assert_eq!(changes, expected);
}

#[test]
fn what_is_no_reset_is_refused() {
    let refusal = |process: &str| {
        let text = format!(
            "module t(input wire clk, input wire rst, input wire [7:0] d, output reg [7:0] q);\n\
             reg [7:0] m [0:3];\n{process}\nendmodule"
        );
        let error = Design::from_verilog_named("t.v", &text, "t").unwrap_err();
        let text = error.to_string();
        assert!(text.starts_with("t.v:3: "), "{text}");
        text
    };
    let head = "always @(posedge clk or posedge rst)";
    for (body, says) in [
        ("q <= d;", "does not begin with `if`"),
        ("if (d[0]) q <= 0; else q <= d;", "tests none of the edges"),
        ("if (!rst) q <= 0; else q <= d;", "tests none of the edges"),
        ("if (rst) q <= d; else q <= 0;", "asynchronous load"),
        (
            "if (rst) m[0] <= 0; else q <= d;",
            "asynchronous reset of a memory",
        ),
    ] {
        let text = refusal(&format!("{head} {body}"));
        assert!(text.contains(says), "{says}: {text}");
    }
}
