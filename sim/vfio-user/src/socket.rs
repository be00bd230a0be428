//! Messages over a Unix socket, with the descriptors that travel beside them.

use crate::wire::{HEADER_BYTES, MAX_FDS, MAX_MESSAGE, flag};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

/// Why a message did not arrive or leave. The connection is of no use afterwards.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SocketError {
    /// The other side closed the socket.
    #[error("the other side closed the connection")]
    Closed,
    /// A header gives a length that no message has.
    #[error("a message claims {0} bytes, allowed are {HEADER_BYTES} to {MAX_MESSAGE}")]
    Length(u32),
    /// More descriptors came than any command needs.
    #[error("a message came with more than {MAX_FDS} descriptors")]
    Descriptors,
    /// The other side takes no more bytes.
    #[error("the other side took nothing for {0:?}")]
    Stuck(Duration),
    /// The system's error.
    #[error("the socket failed: {0}")]
    System(#[from] io::Error),
}

/// How long a send may wait for room in the socket.
pub const SEND_TIMEOUT: Duration = Duration::from_secs(10);

/// A message as it came.
#[derive(Debug)]
pub struct Message {
    /// Chosen by who asked.
    pub id: u16,
    /// One of [`crate::wire::command`].
    pub command: u16,
    /// [`flag`]s.
    pub flags: u32,
    /// Error number, if [`flag::ERROR`] is set.
    pub error: u32,
    /// What follows the header.
    pub body: Vec<u8>,
    /// Descriptors that came along.
    pub fds: Vec<OwnedFd>,
}

impl Message {
    /// Whether this answers a command of ours.
    #[must_use]
    pub const fn is_reply(&self) -> bool {
        self.flags & flag::TYPE == flag::REPLY
    }

    /// Whether its sender waits for a reply.
    #[must_use]
    pub const fn wants_reply(&self) -> bool {
        !self.is_reply() && self.flags & flag::NO_REPLY == 0
    }

    /// The error number of a reply that carries one.
    #[must_use]
    pub fn failure(&self) -> Option<u32> {
        (self.flags & flag::ERROR != 0).then_some(self.error)
    }
}

/// Waits until one of `fds` can be read, at most `wait`; says which.
///
/// # Errors
/// The system's.
pub fn readable<const N: usize>(fds: [BorrowedFd<'_>; N], wait: Duration) -> io::Result<[bool; N]> {
    let until = Instant::now() + wait;
    let mut polls = fds.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN));
    loop {
        let left = until.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: left.subsec_nanos().into(),
        };
        match poll(&mut polls, Some(&left)) {
            Ok(_) => return Ok(std::array::from_fn(|i| !polls[i].revents().is_empty())),
            Err(rustix::io::Errno::INTR) => {}
            Err(e) => return Err(e.into()),
        }
    }
}

/// The receiving half of a socket; keeps what came of a message that is not whole yet.
#[derive(Debug)]
pub struct Receiver {
    stream: UnixStream,
    bytes: Vec<u8>,
    filled: usize,
    fds: Vec<OwnedFd>,
}

impl Receiver {
    /// Of `stream`.
    #[must_use]
    pub fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            bytes: vec![0; HEADER_BYTES],
            filled: 0,
            fds: Vec::new(),
        }
    }

    /// The next message, if it is whole within `wait`.
    ///
    /// # Errors
    /// [`SocketError`].
    pub fn receive(&mut self, wait: Duration) -> Result<Option<Message>, SocketError> {
        let until = Instant::now() + wait;
        loop {
            while self.filled < self.bytes.len() {
                if !self.more()? {
                    let left = until.saturating_duration_since(Instant::now());
                    let ready = readable([self.stream.as_fd()], left)?;
                    if !ready[0] {
                        return Ok(None);
                    }
                }
            }
            if self.bytes.len() == HEADER_BYTES {
                let length = self.word(4);
                let fits = (HEADER_BYTES..=MAX_MESSAGE).contains(&(length as usize));
                if !fits {
                    return Err(SocketError::Length(length));
                }
                self.bytes.resize(length as usize, 0);
                if length as usize > HEADER_BYTES {
                    continue;
                }
            }
            return Ok(Some(self.take()));
        }
    }

    fn word(&self, at: usize) -> u32 {
        u32::from_le_bytes(std::array::from_fn(|i| self.bytes[at + i]))
    }

    fn take(&mut self) -> Message {
        let first = self.word(0);
        let (flags, error) = (self.word(8), self.word(12));
        let mut body = std::mem::replace(&mut self.bytes, vec![0; HEADER_BYTES]);
        body.drain(..HEADER_BYTES);
        self.filled = 0;
        Message {
            id: first as u16,
            command: (first >> 16) as u16,
            flags,
            error,
            body,
            fds: std::mem::take(&mut self.fds),
        }
    }

    /// Takes what is there; false when nothing is.
    fn more(&mut self) -> Result<bool, SocketError> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let mut into = [IoSliceMut::new(&mut self.bytes[self.filled..])];
        let flags = RecvFlags::DONTWAIT | RecvFlags::CMSG_CLOEXEC;
        let got = match recvmsg(&self.stream, &mut into, &mut control, flags) {
            Ok(got) => got,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return Ok(false),
            Err(rustix::io::Errno::CONNRESET) => return Err(SocketError::Closed),
            Err(e) => return Err(SocketError::System(e.into())),
        };
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(fds) = message {
                self.fds.extend(fds);
            }
        }
        let cut = got.flags.contains(rustix::net::ReturnFlags::CTRUNC);
        if cut || self.fds.len() > MAX_FDS {
            return Err(SocketError::Descriptors);
        }
        if got.bytes == 0 {
            return Err(SocketError::Closed);
        }
        self.filled += got.bytes;
        Ok(true)
    }
}

/// Sends one message: header, then `parts`, with `fds` beside.
///
/// # Errors
/// [`SocketError`].
pub fn send(
    stream: &UnixStream,
    (id, command): (u16, u16),
    (flags, error): (u32, u32),
    parts: &[&[u8]],
    fds: &[BorrowedFd<'_>],
) -> Result<(), SocketError> {
    let length = HEADER_BYTES + parts.iter().map(|p| p.len()).sum::<usize>();
    let Some(length) = u32::try_from(length)
        .ok()
        .filter(|&n| n as usize <= MAX_MESSAGE)
    else {
        return Err(SocketError::Length(u32::MAX));
    };
    let mut bytes = Vec::with_capacity(length as usize);
    bytes.extend_from_slice(&id.to_le_bytes());
    bytes.extend_from_slice(&command.to_le_bytes());
    for word in [length, flags, error] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    for part in parts {
        bytes.extend_from_slice(part);
    }
    let mut sent = 0;
    let mut fds = fds;
    let until = Instant::now() + SEND_TIMEOUT;
    while sent < bytes.len() {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(SocketError::Descriptors);
        }
        let part = [IoSlice::new(&bytes[sent..])];
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        match sendmsg(stream, &part, &mut control, flags) {
            Ok(n) => {
                sent += n;
                fds = &[];
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => wait_for_room(stream, until)?,
            Err(rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET) => {
                return Err(SocketError::Closed);
            }
            Err(e) => return Err(SocketError::System(e.into())),
        }
    }
    Ok(())
}

fn wait_for_room(stream: &UnixStream, until: Instant) -> Result<(), SocketError> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() {
        return Err(SocketError::Stuck(SEND_TIMEOUT));
    }
    let mut polls = [PollFd::new(stream, PollFlags::OUT)];
    let slice = Timespec {
        tv_sec: 0,
        tv_nsec: left.min(Duration::from_millis(100)).subsec_nanos().into(),
    };
    match poll(&mut polls, Some(&slice)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
        Err(e) => Err(SocketError::System(e.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const SOON: Duration = Duration::from_millis(20);

    #[test]
    fn messages_arrive_whole_with_their_descriptors() {
        let (a, b) = UnixStream::pair().expect("sockets");
        let mut receiver = Receiver::new(b);
        assert!(receiver.receive(Duration::ZERO).expect("open").is_none());
        let file = std::fs::File::open("/dev/null").expect("opens");
        let fds = [file.as_fd(), file.as_fd()];
        send(&a, (7, 2), (0, 0), &[b"ab", b"c"], &fds).expect("sent");
        send(&a, (8, 3), (flag::REPLY | flag::ERROR, 22), &[], &[]).expect("sent");
        let first = receiver.receive(SOON).expect("open").expect("whole");
        assert_eq!((first.id, first.command, first.fds.len()), (7, 2, 2));
        assert_eq!(first.body, b"abc");
        assert!(first.wants_reply());
        let second = receiver.receive(SOON).expect("open").expect("whole");
        assert!(second.is_reply() && second.body.is_empty() && second.fds.is_empty());
        assert_eq!(second.failure(), Some(22));
        drop(a);
        assert!(matches!(receiver.receive(SOON), Err(SocketError::Closed)));
    }

    #[test]
    fn a_message_in_pieces_waits_for_its_end_and_a_false_length_ends_the_connection() {
        let (mut a, b) = UnixStream::pair().expect("sockets");
        let mut receiver = Receiver::new(b);
        let mut bytes = vec![1, 0, 9, 0, 20, 0, 0, 0];
        bytes.extend([0; 12]);
        for piece in bytes.chunks(5) {
            assert!(receiver.receive(Duration::ZERO).expect("open").is_none());
            a.write_all(piece).expect("sent");
        }
        let message = receiver.receive(SOON).expect("open").expect("whole");
        assert_eq!((message.command, message.body.len()), (9, 4));
        for length in [15u32, u32::MAX] {
            let (mut a, b) = UnixStream::pair().expect("sockets");
            a.write_all(&[0; 4]).expect("sent");
            a.write_all(&length.to_le_bytes()).expect("sent");
            a.write_all(&[0; 8]).expect("sent");
            let refused = Receiver::new(b).receive(SOON);
            assert!(matches!(refused, Err(SocketError::Length(l)) if l == length));
        }
    }
}
