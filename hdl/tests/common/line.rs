//! A board's Verilog under the project's simulator, with a host's end of the serial line.

use weft_hdl::board::{self, BoardConfig};
use weft_hdl::link::uart::{LineReceiver, LineSender};
use weft_protocol::serial::{Deframer, FromBoard, Received, ToBoard, ask, tell};
use weft_sim::{Design, Input, Signal, Simulator};

/// A simulated board and the other end of its line.
pub struct Board {
    sim: Simulator,
    rx: Input,
    tx: Signal,
    /// Towards the board.
    pub sender: LineSender,
    receiver: LineReceiver,
    frames: Deframer<FromBoard>,
    /// Clocks to wait for an answer.
    patience: u64,
    /// What the next frames carry in their header.
    pub next: ToBoard,
    /// Answers that came in order, and how far.
    pub heard: Vec<u8>,
    position: u16,
    /// Frames of answers that did not continue them.
    pub holes: u32,
    /// Whether frames acknowledge them.
    pub acknowledging: bool,
}

impl Board {
    /// Compiles and starts the board.
    pub fn new(config: &BoardConfig) -> Self {
        let verilog = board::generate_verilog(config).expect("a configuration that can be built");
        let design =
            Design::from_verilog(&verilog, board::TOP).expect("Verilog the simulator takes");
        let mut sim = Simulator::new(design.compile().expect("a design without loops"));
        let (rx, tx) = (
            sim.input("serial_rx").expect("a port"),
            sim.output("serial_tx").expect("a port"),
        );
        sim.poke(rx, 1);
        sim.run(100);
        let clocks = config.link.clocks_per_bit;
        Self {
            sim,
            rx,
            tx,
            sender: LineSender::new(clocks),
            receiver: LineReceiver::new(clocks),
            frames: Deframer::default(),
            patience: u64::from(clocks) * 10 * 700,
            next: ToBoard::default(),
            heard: Vec::new(),
            position: 0,
            holes: 0,
            acknowledging: true,
        }
    }

    /// One clock.
    pub fn clock(&mut self) {
        self.sim.poke(self.rx, u64::from(self.sender.level()));
        self.sim.cycle();
        if let Some(byte) = self.receiver.take(self.sim.peek(self.tx) == 1) {
            self.frames.push(&[byte]);
        }
    }

    /// The next undamaged frame from the board, if one comes.
    pub fn receive(&mut self) -> Option<Received<FromBoard>> {
        let mut quiet = 0;
        while quiet < self.patience {
            if let Some(frame) = self.frames.next_frame() {
                let frame = frame.expect("the board sends whole frames");
                self.hear(&frame);
                return Some(frame);
            }
            self.clock();
            quiet = if self.sender.idle() { quiet + 1 } else { 0 };
        }
        None
    }

    fn hear(&mut self, frame: &Received<FromBoard>) {
        let ours = frame.header.session == self.next.session;
        if !ours || frame.header.flags & tell::INFO != 0 || frame.header.units == 0 {
            return;
        }
        if frame.header.position == self.position {
            self.heard.extend(&frame.payload);
            self.position = self.position.wrapping_add(u16::from(frame.header.units));
        } else {
            self.holes += 1;
        }
    }

    /// The bytes of a frame with `flags`, a new tag and this payload.
    pub fn frame(&mut self, flags: u8, payload: &[u8]) -> Vec<u8> {
        self.next.tag = self.next.tag.wrapping_add(1);
        self.next.flags = flags;
        if self.acknowledging {
            self.next.answers = self.position;
        }
        if flags & ask::FILL == 0 {
            self.next.units = (payload.len() / 8) as u8;
        }
        let mut bytes = Vec::new();
        self.next.encode(payload, &mut bytes);
        bytes
    }

    /// Sends a frame and returns the answer to it.
    pub fn ask(&mut self, flags: u8, payload: &[u8]) -> Received<FromBoard> {
        let bytes = self.frame(flags, payload);
        self.sender.push(&bytes);
        loop {
            let answer = self.receive().expect("an answer");
            if answer.header.tag == self.next.tag {
                return answer;
            }
        }
    }

    /// Opens session `session` and returns the answer.
    pub fn hello(&mut self, session: u8, flags: u8) -> Received<FromBoard> {
        self.next = ToBoard {
            session,
            tag: self.next.tag,
            ..ToBoard::default()
        };
        (self.position, self.holes) = (0, 0);
        self.heard.clear();
        self.ask(ask::HELLO | flags, &[])
    }
}
