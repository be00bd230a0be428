//! A card on a socket, and registers through a client.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use tempfile::TempDir;
use weft_hdl::CoreConfig;
use weft_models::BehaviouralCard;
use weft_models::vfio_user::{Server, Statistics};
use weft_protocol::pcie::CardRegister as R;
use weft_vfio_user::wire::region;
use weft_vfio_user::{Client, ClientError};
pub(crate) const WINDOW_LOG2: u8 = 16;
pub(crate) const SOON: Duration = Duration::from_secs(5);
pub(crate) const COMMAND: u64 = 4;

pub(crate) struct Served {
    pub(crate) folder: TempDir,
    pub(crate) stop: Arc<AtomicBool>,
    pub(crate) thread: Option<JoinHandle<Statistics>>,
}

impl Served {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let server = Server::bind(&folder.path().join("card.sock")).expect("listens");
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let core = CoreConfig::named("4x1").expect("named");
            let mut card = BehaviouralCard::new(core, WINDOW_LOG2);
            server.serve(&mut card, &seen, &mut |_| ()).expect("serves")
        });
        Self {
            folder,
            stop,
            thread: Some(thread),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("card.sock")
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.path(), SOON).expect("connects")
    }

    /// A client whose card answers and may start requests.
    pub(crate) fn enabled(&self) -> Client {
        let mut client = self.client();
        client.write(region::CONFIG, COMMAND, &[6, 0]).expect("on");
        client
    }

    pub(crate) fn stop(mut self) -> Statistics {
        self.stop.store(true, Ordering::Relaxed);
        let thread = self.thread.take().expect("once");
        thread.join().expect("the server does not panic")
    }
}

pub(crate) fn get(client: &mut Client, register: R) -> u32 {
    let mut data = [0; 4];
    client.read(0, register.offset(), &mut data).expect("read");
    u32::from_le_bytes(data)
}

pub(crate) fn set(client: &mut Client, register: R, value: u32) {
    let data = value.to_le_bytes();
    client.write(0, register.offset(), &data).expect("written");
}

pub(crate) fn errno_of<T: std::fmt::Debug>(result: Result<T, ClientError>) -> u32 {
    match result {
        Err(ClientError::Refused { errno, .. }) => errno,
        other => panic!("refused, not {other:?}"),
    }
}
