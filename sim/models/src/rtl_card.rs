//! A card whose register-transfer logic runs in the simulator, seen from the software side.
//!
//! Between two calls of [`Card::advance`] the card gets no credits for requests, so nothing that it wants of the bus
//! overtakes an answer to a BAR read: what a register says was written is written.

use crate::root_complex::{INTERRUPTS, Ticket};
use crate::{
    Activity, Bus, BusError, Card, CardProgram, Endpoint, EndpointError, RootComplex, RootConfig,
};
use weft_protocol::pcie::{BAR0_BYTES, CardRegister, Control, MSIX_TABLE, Status, VECTORS};

/// Cycles of one [`Card::advance`].
const SLICE: u64 = 2048;
/// Cycles within which a card answers a read of a register, or ends what it is sending.
const PATIENCE: u64 = 100_000;
/// Cycles without a request of the card after which it may be called idle.
const CALM: u64 = 4096;
/// Longest interrupt delay that is waited for.
const LONGEST_DELAY: u64 = 1 << 24;

/// What is there while no bus is: reads wait, or fail at once during a reset, which means to lose all requests. Writes get
/// here during a reset only.
struct NoBus {
    resetting: bool,
}

const NO_BUS: NoBus = NoBus { resetting: false };

impl Bus for NoBus {
    fn ready(&mut self, _: u64, _: usize) -> bool {
        self.resetting
    }

    fn read(&mut self, _: u64, _: &mut [u8]) -> Result<(), BusError> {
        Err(BusError::Unsupported)
    }

    fn write(&mut self, _: u64, _: &[u8]) {}

    fn interrupt(&mut self, _: u16) {}
}

/// A simulated card behind a link. Its message table is the system's business, which signals vectors by
/// [`Bus::interrupt`]: here the table is memory, and the logic's own table points at the root complex.
#[derive(Debug)]
pub struct RtlCard {
    endpoint: Endpoint,
    root: RootComplex,
    window: u64,
    /// The half of BAR0 with the message table and its pending bits.
    table: Vec<u8>,
    /// Cycle of the last request of the card.
    busy_until: u64,
}

impl RtlCard {
    /// A card after power-up. The root complex is always bus master until [`Card::configure`] says otherwise.
    ///
    /// # Errors
    /// [`EndpointError`] if the program has not the pins of a card.
    pub fn new(program: &CardProgram, config: RootConfig) -> Result<Self, EndpointError> {
        let window = 1 << program.config().log2_window;
        let mut card = Self {
            endpoint: Endpoint::new(program)?,
            root: RootComplex::new(config, window),
            window,
            table: vec![0; BAR0_BYTES - MSIX_TABLE],
            busy_until: 0,
        };
        card.root.hold(true);
        card.set_up_messages();
        Ok(card)
    }

    /// The other end of the link: what goes wrong there, and what the card did wrong.
    pub fn root(&mut self) -> &mut RootComplex {
        &mut self.root
    }

    /// Cycles so far.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.root.cycle()
    }

    fn set_up_messages(&mut self) {
        self.table.fill(0);
        for vector in 0..VECTORS {
            self.table[16 * vector + 12] = 1;
            let address = INTERRUPTS.start + 4 * vector as u64;
            let mut entry = [0; 16];
            entry[..8].copy_from_slice(&address.to_le_bytes());
            self.root
                .host_write(0, (MSIX_TABLE + 16 * vector) as u64, &entry);
        }
        self.settle();
    }

    fn run(&mut self, cycles: u64, bus: &mut dyn Bus) {
        (0..cycles).for_each(|_| self.endpoint.cycle(&mut self.root, bus));
    }

    /// Lets what is under way to the card arrive.
    fn settle(&mut self) {
        for _ in 0..PATIENCE {
            if self.root.delivered() {
                break;
            }
            self.run(1, &mut { NO_BUS });
        }
    }

    fn wait(&mut self, ticket: Ticket) -> Option<Vec<u8>> {
        for _ in 0..PATIENCE {
            if let Some(answer) = self.root.answer(ticket) {
                return answer.ok();
            }
            self.run(1, &mut { NO_BUS });
        }
        None
    }

    fn register(&mut self, register: CardRegister) -> u32 {
        let mut data = [0; 4];
        self.bar_read(0, register.offset(), &mut data);
        u32::from_le_bytes(data)
    }

    /// Whether nothing will happen until a BAR is written.
    fn idle(&mut self) -> bool {
        let busy = self.root.cycle() < self.busy_until || !self.root.quiet();
        if busy || self.register(CardRegister::Control) & Control::RESET != 0 {
            return false;
        }
        let status = Status(self.register(CardRegister::Status));
        let delay = u64::from(self.register(CardRegister::InterruptDelay)).min(LONGEST_DELAY);
        (status.idle() || status.halted()) && self.root.cycle() >= self.busy_until + delay
    }
}

impl Card for RtlCard {
    fn bar_bytes(&self, bar: usize) -> u64 {
        match bar {
            0 => BAR0_BYTES as u64,
            2 => self.window,
            _ => 0,
        }
    }

    fn bar_read(&mut self, bar: usize, offset: u64, data: &mut [u8]) {
        if bar == 0 && offset >= MSIX_TABLE as u64 {
            let from = offset as usize - MSIX_TABLE;
            return match self.table.get(from..from + data.len()) {
                Some(found) => data.copy_from_slice(found),
                None => data.fill(0xff),
            };
        }
        let ticket = self.root.host_read(bar, offset, data.len());
        match self.wait(ticket) {
            Some(found) => data.copy_from_slice(&found),
            None => data.fill(0xff),
        }
    }

    fn bar_write(&mut self, bar: usize, offset: u64, data: &[u8]) {
        if bar == 0 && offset >= MSIX_TABLE as u64 {
            let from = offset as usize - MSIX_TABLE;
            if let Some(place) = self.table.get_mut(from..from + data.len()) {
                place.copy_from_slice(data);
            }
            return;
        }
        self.root.host_write(bar, offset, data);
        self.settle();
        self.busy_until = self.root.cycle() + CALM;
    }

    fn configure(&mut self, bus_master: bool, max_payload: usize, max_read: usize) {
        self.root.configure(|c| {
            c.bus_master = bus_master;
            c.max_payload = max_payload;
            c.completion = c.completion.min(max_payload);
            c.max_read = max_read;
        });
        self.busy_until = self.root.cycle() + CALM;
    }

    fn advance(&mut self, bus: &mut dyn Bus) -> Activity {
        let before = self.root.sent_by_card();
        self.root.hold(false);
        self.run(SLICE, bus);
        // Whatever the card has begun to send arrives before anybody reads a register.
        self.root.hold(true);
        let mut calm = 0;
        for _ in 0..PATIENCE {
            calm = if self.root.received() { calm + 1 } else { 0 };
            if calm > 8 {
                break;
            }
            self.run(1, bus);
        }
        if self.root.sent_by_card() != before {
            self.busy_until = self.root.cycle() + CALM;
        }
        if self.idle() {
            Activity::Idle
        } else {
            Activity::Busy
        }
    }

    fn reset(&mut self) {
        let mut bus = NoBus { resetting: true };
        self.endpoint.function_reset(true);
        self.run(2, &mut bus);
        self.endpoint.function_reset(false);
        self.root.hold(false);
        for _ in 0..PATIENCE {
            self.run(64, &mut bus);
            if self.register(CardRegister::Control) & Control::RESET == 0 {
                break;
            }
        }
        self.root.hold(true);
        self.settle();
        self.set_up_messages();
    }
}
