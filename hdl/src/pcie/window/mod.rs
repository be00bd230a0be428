//! The window: memory on the card behind BAR2.

use crate::rtl::*;

/// `1 << A` words of eight bytes: one write port of a doubleword with byte enables, one read port of a word.
#[derive(LogicBlock)]
pub struct Window {
    /// Rising edge clocks both ports.
    pub clock: Signal<In, Clock>,
    /// Writes at the next edge.
    pub write: Signal<In, Bit>,
    /// Doubleword to write; what is beyond the memory wraps.
    pub write_address: Signal<In, Bits<22>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<32>>,
    /// Bytes to write.
    pub write_enable: Signal<In, Bits<4>>,
    /// Word to read, sampled at every edge.
    pub read_address: Signal<In, Bits<21>>,
    /// The word addressed one edge ago.
    pub read_data: Signal<Out, Bits<64>>,
    _log2_words: usize,
    _memory: Vec<u64>,
}

impl Window {
    /// A window of `1 << log2_bytes` bytes, log2 4 to 24.
    #[must_use]
    pub fn new(log2_bytes: usize) -> Self {
        assert!((4..=24).contains(&log2_bytes));
        Self {
            clock: Signal::default(),
            write: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            write_enable: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            _log2_words: log2_bytes - 3,
            _memory: vec![0; 1 << (log2_bytes - 3)],
        }
    }
}

impl Logic for Window {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let mask = (1 << self._log2_words) - 1;
            self.read_data.next = self._memory[self.read_address.val().index() & mask].to_bits();
            if self.write.val() {
                let at = self.write_address.val().index();
                let shift = 32 * (at & 1);
                let enable = self.write_enable.val();
                for byte in (0..4).filter(|&b| enable.get_bit(b)) {
                    let bits = 0xff << (8 * byte);
                    let data = self.write_data.val().to_u64() & bits;
                    let word = &mut self._memory[(at >> 1) & mask];
                    *word = *word & !(bits << shift) | data << shift;
                }
            }
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let (top, high) = ((1_usize << self._log2_words) - 1, self._log2_words - 1);
        let mut code = format!(
            "reg [63:0] mem [0:{top}];\nreg [63:0] answer;\nassign read_data = answer;\n\
             wire [{high}:0] write_word = write_address[{}:1];\n\
             always @(posedge clock) begin\n    answer <= mem[read_address[{high}:0]];",
            high + 1
        );
        for lane in 0..8 {
            let (byte, odd) = (lane % 4, lane / 4);
            code.push_str(&format!(
                "\n    if (write && write_enable[{byte}] && write_address[0] == 1'd{odd})\n        \
                 mem[write_word][{}:{}] <= write_data[{}:{}];",
                8 * lane + 7,
                8 * lane,
                8 * byte + 7,
                8 * byte
            ));
        }
        code.push_str("\nend");
        Verilog::Wrapper(Wrapper {
            code,
            cores: String::new(),
        })
    }
}
