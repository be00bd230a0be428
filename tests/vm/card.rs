//! A card that behaves, except that it can be held in the middle of a transfer, and is watched.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use weft_hdl::{CardConfig, CoreConfig};
use weft_models::vfio_user::{Event, Server};
use weft_models::{
    Activity, BehaviouralCard, Bus, BusError, Card, CardProgram, RootConfig, RtlCard, behaviour,
};
use weft_protocol::pcie::ring::SLOT_BYTES;
use weft_protocol::pcie::{CardRegister, Status};

/// What is known of the card from outside of the machine.
#[derive(Clone, Debug, Default)]
pub(crate) struct State {
    /// Bytes that it may still read before it is held.
    left: Option<usize>,
    /// It waits for bytes that it will not get.
    pub(crate) held: bool,
    /// It has nothing under way.
    pub(crate) idle: bool,
    /// Function-level resets.
    pub(crate) resets: usize,
    /// Ranges of memory that it may reach.
    pub(crate) maps: usize,
    /// Bytes that it read from memory.
    pub(crate) read: usize,
    /// Bytes that were written into its window.
    pub(crate) window: usize,
    /// Addresses whose reads were refused.
    pub(crate) refused: Vec<u64>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }
}

struct Watched {
    card: Box<dyn Card>,
    shared: Arc<Shared>,
}

struct WatchedBus<'a> {
    bus: &'a mut dyn Bus,
    shared: &'a Shared,
}

impl Bus for WatchedBus<'_> {
    fn ready(&mut self, address: u64, bytes: usize) -> bool {
        // What is longer than a slot is in the middle of one.
        if bytes > SLOT_BYTES && self.shared.state().left == Some(0) {
            self.shared.change(|s| s.held = true);
            return false;
        }
        self.bus.ready(address, bytes)
    }

    fn read(&mut self, address: u64, data: &mut [u8]) -> Result<(), BusError> {
        self.shared.change(|s| {
            s.read += data.len();
            s.left = s.left.map(|n| n.saturating_sub(data.len()));
        });
        self.bus.read(address, data)
    }

    fn write(&mut self, address: u64, data: &[u8]) {
        self.bus.write(address, data);
    }

    fn interrupt(&mut self, vector: u16) {
        self.bus.interrupt(vector);
    }
}

impl Card for Watched {
    fn bar_bytes(&self, bar: usize) -> u64 {
        self.card.bar_bytes(bar)
    }

    fn bar_read(&mut self, bar: usize, offset: u64, data: &mut [u8]) {
        self.card.bar_read(bar, offset, data);
    }

    fn bar_write(&mut self, bar: usize, offset: u64, data: &[u8]) {
        self.card.bar_write(bar, offset, data);
        if bar == 2 {
            self.shared.change(|s| s.window += data.len());
        }
    }

    fn configure(&mut self, bus_master: bool, max_payload: usize, max_read: usize) {
        self.card.configure(bus_master, max_payload, max_read);
    }

    fn advance(&mut self, bus: &mut dyn Bus) -> Activity {
        let shared = &*self.shared;
        let activity = self.card.advance(&mut WatchedBus { bus, shared });
        let mut status = [0; 4];
        self.card
            .bar_read(0, CardRegister::Status.offset(), &mut status);
        let idle = Status(u32::from_le_bytes(status)).idle();
        self.shared.change(|s| s.idle = idle);
        activity
    }

    fn reset(&mut self) {
        self.card.reset();
        self.shared.change(|s| {
            s.resets += 1;
            s.idle = true;
        });
    }
}

/// What a card is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Made {
    /// What the contract says.
    OfBehaviour,
    /// The Verilog, cycle by cycle.
    OfLogic,
}

impl Made {
    fn card(self, core: CoreConfig) -> Box<dyn Card> {
        match self {
            Self::OfBehaviour => {
                Box::new(BehaviouralCard::new(core, behaviour::DEFAULT_WINDOW_LOG2))
            }
            Self::OfLogic => {
                let program = CardProgram::new(CardConfig::new(core)).expect("compiles");
                let card = RtlCard::new(&program, RootConfig::default());
                Box::new(card.expect("has the pins of a card"))
            }
        }
    }
}

/// A card on a socket, served by a thread.
pub(crate) struct ServedCard {
    shared: Arc<Shared>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl ServedCard {
    /// Serves a card with the core of this name at `socket`.
    pub(crate) fn start(made: Made, core: &str, socket: &Path) -> Self {
        let core = CoreConfig::named(core).expect("a named core");
        let shared = Arc::<Shared>::default();
        let stop = Arc::<AtomicBool>::default();
        let server = Server::bind(socket).expect("listens");
        let (watched, stopped) = (Arc::clone(&shared), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            let mut card = Watched {
                card: made.card(core),
                shared: Arc::clone(&watched),
            };
            let mut watch = |event| match event {
                Event::Mapped { maps } => watched.change(|s| s.maps = maps),
                Event::Blocked { address, .. } => watched.change(|s| s.refused.push(address)),
                _ => {}
            };
            server
                .serve(&mut card, &stopped, &mut watch)
                .expect("serves");
        });
        Self {
            shared,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.shared.state().clone()
    }

    /// Holds the card once it has read so many bytes more.
    pub(crate) fn hold_after(&self, bytes: usize) {
        self.shared.change(|s| s.left = Some(bytes));
    }

    /// Lets it go on.
    pub(crate) fn release(&self) {
        self.shared.change(|s| {
            s.left = None;
            s.held = false;
        });
    }

    /// Waits until `there` holds.
    #[track_caller]
    pub(crate) fn wait_for(&self, what: &str, there: impl Fn(&State) -> bool) -> State {
        let until = Instant::now() + Duration::from_secs(60);
        let mut state = self.shared.state();
        while !there(&state) {
            assert!(Instant::now() < until, "{what}: {state:?}");
            let wait = Duration::from_millis(100);
            state = match self.shared.changed.wait_timeout(state, wait) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        state.clone()
    }
}

impl Drop for ServedCard {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
