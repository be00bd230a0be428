//! The pseudo-terminal that stands in for a serial port.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags, fcntl_getfl, fcntl_setfl, open};
use rustix::io::Errno;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, tcgetattr, tcsetattr};

use super::{BoardError, Faults, VirtualBoard};

/// Clocks between two looks at the terminal.
const SLICE: u64 = 1000;
/// Clocks without a byte in either direction after which the board waits for the host: it speaks when it is asked.
const QUIET: u64 = 50_000;
/// Most bytes that wait for the host to read them.
const PENDING: usize = 1 << 20;
/// Longest wait for the host; then the stop flag is looked at.
const WAIT: Timespec = Timespec {
    tv_sec: 0,
    tv_nsec: 100_000_000,
};

/// A pseudo-terminal in raw mode.
pub struct Terminal {
    master: File,
    path: PathBuf,
    /// Kept open, so that the terminal outlives every host that opens it.
    _slave: OwnedFd,
}

fn at(step: &'static str) -> impl Fn(Errno) -> BoardError {
    move |errno| BoardError::Terminal {
        step,
        source: errno.into(),
    }
}

impl Terminal {
    /// A new one.
    ///
    /// # Errors
    /// When the system has none to give.
    pub fn new() -> Result<Self, BoardError> {
        let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY;
        let master = openpt(flags).map_err(at("open"))?;
        grantpt(&master).map_err(at("open"))?;
        unlockpt(&master).map_err(at("open"))?;
        let name = ptsname(&master, Vec::new()).map_err(at("name"))?;
        let path = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let slave = open(&path, flags, Mode::empty()).map_err(at("open"))?;
        let mut settings = tcgetattr(&slave).map_err(at("configure"))?;
        settings.make_raw();
        tcsetattr(&slave, OptionalActions::Now, &settings).map_err(at("configure"))?;
        let flags = fcntl_getfl(&master).map_err(at("configure"))?;
        fcntl_setfl(&master, flags | OFlags::NONBLOCK).map_err(at("configure"))?;
        Ok(Self {
            master: File::from(master),
            path,
            _slave: slave,
        })
    }

    /// What a host opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes from the host, if there are any.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        nothing_yet(self.master.read(buffer))
    }

    /// Hands bytes to the host, as many as it takes.
    fn write(&mut self, bytes: &mut VecDeque<u8>) -> io::Result<()> {
        while !bytes.is_empty() {
            let n = nothing_yet(self.master.write(bytes.as_slices().0))?;
            if n == 0 {
                break;
            }
            bytes.drain(..n);
        }
        Ok(())
    }

    /// Waits until the host sends, or takes if `writing`, or [`WAIT`] has passed.
    fn wait(&self, writing: bool) -> Result<(), BoardError> {
        let mut events = PollFlags::IN;
        events.set(PollFlags::OUT, writing);
        let mut fds = [PollFd::new(&self.master, events)];
        match poll(&mut fds, Some(&WAIT)) {
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(at("wait for")(errno)),
        }
    }
}

fn nothing_yet(result: io::Result<usize>) -> io::Result<usize> {
    match result {
        Err(e)
            if matches!(
                e.kind(),
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted
            ) =>
        {
            Ok(0)
        }
        other => other,
    }
}

/// What went through a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// Bytes from the host.
    pub from_host: u64,
    /// Bytes to the host.
    pub to_host: u64,
}

/// Runs the board behind the terminal until `stop` is set. The board's clock stands still while nobody speaks.
///
/// # Errors
/// [`BoardError::Terminal`] when the system takes the terminal away.
pub fn serve(
    terminal: &mut Terminal,
    board: &mut VirtualBoard,
    faults: &mut Faults,
    stop: &AtomicBool,
) -> Result<Served, BoardError> {
    let io_error = |step| move |source| BoardError::Terminal { step, source };
    let mut served = Served::default();
    let mut buffer = [0; 4096];
    let (mut line, mut sent) = (Vec::new(), Vec::new());
    let mut pending = VecDeque::new();
    let mut quiet = QUIET;
    while !stop.load(Ordering::Relaxed) {
        let n = terminal.read(&mut buffer).map_err(io_error("read from"))?;
        if n > 0 {
            served.from_host += n as u64;
            line.clear();
            faults.to_board(&buffer[..n], &mut line);
            board.send(&line);
            quiet = 0;
        }
        if quiet >= QUIET || pending.len() >= PENDING {
            terminal.wait(!pending.is_empty())?;
        } else {
            sent.clear();
            board.run(SLICE, &mut sent);
            quiet = match board.quiet() && sent.is_empty() {
                true => quiet + SLICE,
                false => 0,
            };
            served.to_host += sent.len() as u64;
            line.clear();
            faults.from_board(&sent, &mut line);
            pending.extend(&line);
        }
        terminal.write(&mut pending).map_err(io_error("write to"))?;
    }
    Ok(served)
}
