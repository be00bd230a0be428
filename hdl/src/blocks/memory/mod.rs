//! Simple dual-port memories: one write port, one read port, one clock. The blocks are pins around the primitives
//! `weft_ram` and `weft_queue_ram` ([`crate::primitives`]), of which each family of parts has its own form.

use crate::rtl::*;

/// Block RAM with an output register: data follow the address by two clocks.
/// What a read of the word that is written in the same cycle answers is undefined: nothing relies on it.
#[derive(LogicBlock)]
pub struct RegisteredRam<const N: usize, const A: usize> {
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
    /// The word addressed two edges ago.
    pub read_data: Signal<Out, Bits<N>>,
    _words: usize,
    _memory: Vec<Bits<N>>,
    _answer: Bits<N>,
}

impl<const N: usize, const A: usize> RegisteredRam<N, A> {
    /// A memory of `words` words (a power of two, at most `1 << A`).
    #[must_use]
    pub fn new(words: usize) -> Self {
        assert!(words.is_power_of_two() && words <= 1 << A);
        Self {
            clock: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            _words: words,
            _memory: vec![Bits::default(); words],
            _answer: Bits::default(),
        }
    }
}

impl<const N: usize, const A: usize> Logic for RegisteredRam<N, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.read_data.next = self._answer;
            self._answer = self._memory[self.read_address.val().index() % self._words];
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
        instance("weft_ram", N, self._words)
    }
}

/// Memory of a queue: data follow the address by one clock.
/// What a read of the word that is written in the same cycle answers is undefined: nothing relies on it.
#[derive(LogicBlock)]
pub struct QueueRam<const N: usize, const A: usize> {
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
    /// The word addressed one edge ago.
    pub read_data: Signal<Out, Bits<N>>,
    _words: usize,
    _memory: Vec<Bits<N>>,
}

impl<const N: usize, const A: usize> QueueRam<N, A> {
    /// A memory of `words` words (a power of two, at most `1 << A`).
    #[must_use]
    pub fn new(words: usize) -> Self {
        assert!(words.is_power_of_two() && words <= 1 << A);
        Self {
            clock: Signal::default(),
            write_enable: Signal::default(),
            write_address: Signal::default(),
            write_data: Signal::default(),
            read_address: Signal::default(),
            read_data: Signal::default(),
            _words: words,
            _memory: vec![Bits::default(); words],
        }
    }
}

impl<const N: usize, const A: usize> Logic for QueueRam<N, A> {
    fn update(&mut self) {
        if self.clock.pos_edge() {
            self.read_data.next = self._memory[self.read_address.val().index() % self._words];
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
        instance("weft_queue_ram", N, self._words)
    }
}

/// The primitive `module` behind the pins of a memory block.
fn instance(module: &str, width: usize, words: usize) -> Verilog {
    let address = clog2(words).max(1);
    let high = address - 1;
    Verilog::Wrapper(Wrapper {
        code: format!(
            "{module} #(.WIDTH({width}), .WORDS({words}), .ADDRESS({address})) inner (\n    .clock(clock), \
             .write_enable(write_enable), .write_address(write_address[{high}:0]), .write_data(write_data),\n    \
             .read_address(read_address[{high}:0]), .read_data(read_data)\n);"
        ),
        cores: String::new(),
    })
}
