//! Simple dual-port memories: one write port, one read port, one clock. Synthesis infers a block RAM from
//! [`BlockRam`] and distributed RAM from [`LookupRam`]; both are the portable form that a vendor primitive may
//! replace behind the same pins and the same latency.

use crate::rtl::*;

/// Memory with a synchronous read: data follow the address by one clock, or by two with the output register.
/// A read of the word that is written in the same cycle answers the old word.
#[derive(LogicBlock)]
pub struct BlockRam<const N: usize, const A: usize> {
    /// Rising edge clocks both ports.
    pub clock: Signal<In, Clock>,
    /// Writes `write_data` at the next edge.
    pub write_enable: Signal<In, Bit>,
    /// Word to write.
    pub write_address: Signal<In, Bits<A>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<N>>,
    /// Word to read, sampled at every edge.
    pub read_address: Signal<In, Bits<A>>,
    /// The word addressed one edge ago (two with the output register).
    pub read_data: Signal<Out, Bits<N>>,
    _words: usize,
    _output_register: bool,
    _memory: Vec<Bits<N>>,
    _answer: Bits<N>,
}

impl<const N: usize, const A: usize> BlockRam<N, A> {
    /// A memory of `words` words (a power of two, at most `1 << A`).
    #[must_use]
    pub fn new(words: usize, output_register: bool) -> Self {
        assert!(words.is_power_of_two() && words <= 1 << A);
        Self {
            clock: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            _words: words,
            _output_register: output_register,
            _memory: vec![Bits::default(); words],
            _answer: Bits::default(),
        }
    }
}

impl<const N: usize, const A: usize> Logic for BlockRam<N, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            let word = self._memory[self.read_address.val().index() % self._words];
            self.read_data.next = if self._output_register {
                self._answer
            } else {
                word
            };
            self._answer = word;
            if self.write_enable.val() {
                let at = self.write_address.val().index() % self._words;
                self._memory[at] = self.write_data.val();
            }
        }
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let (n, top, high) = (N - 1, self._words - 1, address_high(self._words));
        let (declare, clocked, answer) = if self._output_register {
            (
                format!("reg [{n}:0] answer;\nreg [{n}:0] held;"),
                "\n    held <= answer;",
                "held",
            )
        } else {
            (format!("reg [{n}:0] answer;"), "", "answer")
        };
        Verilog::Wrapper(Wrapper {
            code: format!(
                "reg [{n}:0] mem [0:{top}];\n{declare}\nassign read_data = {answer};\n\
                 always @(posedge clock) begin\n    if (write_enable) mem[write_address[{high}:0]] <= write_data;\n    \
                 answer <= mem[read_address[{high}:0]];{clocked}\nend"
            ),
            cores: String::new(),
        })
    }
}

/// Memory with an asynchronous read, for small queues: distributed RAM where the part has it.
#[derive(LogicBlock)]
pub struct LookupRam<const N: usize, const A: usize> {
    /// Rising edge clocks the write port.
    pub clock: Signal<In, Clock>,
    /// Writes `write_data` at the next edge.
    pub write_enable: Signal<In, Bit>,
    /// Word to write.
    pub write_address: Signal<In, Bits<A>>,
    /// Data to write.
    pub write_data: Signal<In, Bits<N>>,
    /// Word to read.
    pub read_address: Signal<In, Bits<A>>,
    /// The addressed word, in the same cycle.
    pub read_data: Signal<Out, Bits<N>>,
    _memory: Vec<Bits<N>>,
}

impl<const N: usize, const A: usize> Default for LookupRam<N, A> {
    fn default() -> Self {
        Self {
            clock: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            _memory: vec![Bits::default(); 1 << A],
        }
    }
}

impl<const N: usize, const A: usize> Logic for LookupRam<N, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() && self.write_enable.val() {
            let at = self.write_address.val().index();
            self._memory[at] = self.write_data.val();
        }
        self.read_data.next = self._memory[self.read_address.val().index()];
    }

    fn connect(&mut self) {
        self.read_data.connect();
    }

    fn hdl(&self) -> Verilog {
        let (n, top) = (N - 1, (1 << A) - 1);
        Verilog::Wrapper(Wrapper {
            code: format!(
                "reg [{n}:0] mem [0:{top}];\nassign read_data = mem[read_address];\n\
                 always @(posedge clock) begin\n    if (write_enable) mem[write_address] <= write_data;\nend"
            ),
            cores: String::new(),
        })
    }
}

fn address_high(words: usize) -> usize {
    clog2(words).max(1) - 1
}
