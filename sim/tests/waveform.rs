//! A waveform, character by character.

use std::io::Write;
use std::sync::{Arc, Mutex};

use weft_sim::{Design, Options, Probes, Simulator};

#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

const TEXT: &str = "
module half(input wire clock, input wire [2:0] d, output reg [2:0] q);
    initial q = 0;
    always @(posedge clock) q <= d;
endmodule
module top(input wire clock, input wire go, output wire [2:0] count);
    half u(.clock(clock), .d(go ? count + 3'd1 : count), .q(count));
endmodule
";

const GOLDEN: &str = "\
$timescale 1 ns $end
$scope module top $end
$var wire 1 ! clock $end
$var wire 3 \" count $end
$var wire 1 # go $end
$scope module u $end
$var wire 1 $ clock $end
$var wire 3 % d $end
$var wire 3 & q $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
1!
b000 \"
1#
0$
b001 %
b000 &
#5
0!
#10
1!
b001 \"
0#
b001 &
#15
0!
#20
1!
#25
0!
#30
";

#[test]
fn golden() {
    let design = Design::from_verilog(TEXT, "top").unwrap();
    let mut sim = Simulator::new(
        design
            .compile_with(&Options {
                probes: Probes::All,
            })
            .unwrap(),
    );
    let go = sim.input("go").unwrap();
    let out = Shared::default();
    sim.trace(out.clone()).unwrap();
    sim.poke(go, 1);
    sim.cycle();
    sim.poke(go, 0);
    sim.run(2);
    sim.finish_trace().unwrap();
    let text = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
    assert_eq!(text, GOLDEN);
}

#[test]
fn a_failing_writer_is_reported() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("no space left"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let design = Design::from_verilog(TEXT, "top").unwrap();
    let mut sim = Simulator::new(design.compile().unwrap());
    sim.trace(Full).unwrap();
    sim.run(10_000);
    assert!(
        sim.finish_trace()
            .unwrap_err()
            .to_string()
            .contains("no space left")
    );
}
