//! Clients that do not keep to the protocol.

use super::served::{SOON, Served, get};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use weft_models::Random;
use weft_protocol::pcie::CardRegister as R;
use weft_protocol::registers::MAGIC;
use weft_vfio_user::socket::{Receiver, send};
use weft_vfio_user::wire::{self, command, dma, errno, irq};
/// A connection that can send anything.
struct Raw {
    stream: UnixStream,
    receiver: Receiver,
}

impl Raw {
    fn agreed(served: &Served) -> Self {
        let stream = UnixStream::connect(served.path()).expect("connects");
        let receiver = Receiver::new(stream.try_clone().expect("cloned"));
        let mut raw = Self { stream, receiver };
        assert_eq!(raw.ask(command::VERSION, &wire::version(false)), None);
        raw
    }

    fn tell(&mut self, command: u16, body: &[u8]) {
        send(&self.stream, (1, command), (0, 0), &[body], &[]).expect("sent");
    }

    /// The error number of the reply.
    fn ask(&mut self, command: u16, body: &[u8]) -> Option<u32> {
        self.tell(command, body);
        let reply = self.receiver.receive(SOON).expect("open").expect("a reply");
        assert!(reply.is_reply());
        reply.failure()
    }

    fn closed(mut self) -> bool {
        let mut rest = Vec::new();
        self.stream.set_read_timeout(Some(SOON)).expect("set");
        // What it did not read before it closed makes that a reset.
        match self.stream.read_to_end(&mut rest) {
            Ok(_) => true,
            Err(e) => e.kind() == std::io::ErrorKind::ConnectionReset,
        }
    }
}

#[test]
fn malformed_messages_are_refused_and_the_session_goes_on() {
    let served = Served::new();
    let mut raw = Raw::agreed(&served);
    let bad = Some(errno::INVALID);
    for short in [
        command::DMA_MAP,
        command::DMA_UNMAP,
        command::REGION_INFO,
        command::IRQ_INFO,
        command::SET_IRQS,
        command::REGION_READ,
        command::REGION_WRITE,
        command::REGION_WRITE_MULTI,
    ] {
        for bytes in [0, 3, 7, 15] {
            let reply = raw.ask(short, &vec![0xff; bytes]);
            assert_eq!(reply, bad, "command {short} of {bytes} bytes");
        }
    }
    assert_eq!(
        raw.ask(command::VERSION, &wire::version(false)),
        bad,
        "once"
    );
    assert_eq!(raw.ask(6, &[]), Some(errno::NO_SYSTEM_CALL));
    assert_eq!(raw.ask(999, &[1; 100]), Some(errno::NO_SYSTEM_CALL));
    let huge = wire::access(0, 2, u32::MAX);
    assert_eq!(raw.ask(command::REGION_READ, &huge), bad);
    assert_eq!(raw.ask(command::REGION_WRITE, &huge), bad);
    let many = [u64::MAX.to_le_bytes().to_vec(), vec![0; 48]].concat();
    assert_eq!(raw.ask(command::REGION_WRITE_MULTI, &many), bad);
    for words in [
        [20, irq::DATA_EVENTFD | irq::ACTION_TRIGGER, irq::MSIX, 1, 2],
        [
            20,
            irq::DATA_EVENTFD | irq::ACTION_TRIGGER,
            irq::MSIX,
            u32::MAX,
            2,
        ],
        [20, irq::DATA_NONE | irq::ACTION_TRIGGER, 0, 0, 1],
        [20, irq::DATA_NONE, irq::MSIX, 0, 0],
        [20, irq::DATA_BOOL | irq::ACTION_TRIGGER, irq::MSIX, 0, 2],
    ] {
        assert_eq!(
            raw.ask(command::SET_IRQS, &wire::words(&words)),
            bad,
            "{words:?}"
        );
    }
    assert_eq!(raw.ask(command::DEVICE_INFO, &[]), None, "still served");
    let mut map = wire::words(&[32, dma::READ]);
    map.extend([0; 8]);
    map.extend(u64::MAX.to_le_bytes());
    map.extend(2u64.to_le_bytes());
    assert_eq!(raw.ask(command::DMA_MAP, &map), bad);
    // A descriptor that is no memory.
    map[16..32].copy_from_slice(&[[0; 8], 4096u64.to_le_bytes()].concat());
    let null = std::fs::File::open("/dev/null").expect("opens");
    let kind = (1, command::DMA_MAP);
    send(&raw.stream, kind, (0, 0), &[&map], &[null.as_fd()]).expect("sent");
    let reply = raw.receiver.receive(SOON).expect("open").expect("a reply");
    assert_eq!(reply.failure(), bad);
}

#[test]
fn clients_that_do_not_speak_the_protocol_are_turned_away() {
    let served = Served::new();
    let connect = || {
        let stream = UnixStream::connect(served.path()).expect("connects");
        let receiver = Receiver::new(stream.try_clone().expect("cloned"));
        Raw { stream, receiver }
    };
    let mut raw = connect();
    raw.tell(command::DEVICE_INFO, &[]);
    assert!(raw.closed(), "the first message is the version");
    let mut raw = connect();
    raw.tell(command::VERSION, &[1, 0, 0, 0, 0]);
    assert!(raw.closed(), "another major version");
    let mut raw = connect();
    raw.stream.write_all(&[0xff; 64]).expect("sent");
    assert!(raw.closed(), "a length that no message has");
    drop(connect());
    assert_eq!(get(&mut served.enabled(), R::Magic), MAGIC);
    assert_eq!(served.stop().clients, 1);
}

#[test]
fn random_messages_end_no_server() {
    let served = Served::new();
    let mut random = Random(11);
    for _ in 0..20 {
        let mut raw = Raw::agreed(&served);
        for _ in 0..200 {
            let command = 1 + (random.bits() % 16) as u16;
            let bytes = (random.bits() % 80) as usize;
            let body: Vec<u8> = (0..bytes)
                .map(|_| match random.bits() % 4 {
                    0 => random.bits() as u8,
                    1 => 0xff,
                    _ => (random.bits() % 8) as u8,
                })
                .collect();
            raw.ask(command, &body);
        }
    }
    assert_eq!(get(&mut served.enabled(), R::Magic), MAGIC);
    let statistics = served.stop();
    assert!(statistics.refused > 1000 && statistics.clients == 21);
}
