//! The threads of the processor device: a team that takes one job together and waits awake for the next.
//!
//! A token is a hundred small products with a few microseconds of the host's work between them. Waking a sleeping
//! thread costs more than that, so a member looks for the next job for a while before it sleeps.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How long a member looks for the next job before it sleeps.
const AWAKE: Duration = Duration::from_micros(300);

/// A job: called once by every member, with the member's number.
#[derive(Clone, Copy)]
struct Job(*const (dyn Fn(usize) + Sync));

// SAFETY: the closure behind the pointer is `Sync`, so it may be called from any thread; that it is alive then is
// what `Team::run` sees to.
unsafe impl Send for Job {}

#[derive(Default)]
struct Shared {
    job: Mutex<Option<Job>>,
    /// Goes up by one with every job.
    round: AtomicUsize,
    /// Members that have not finished the job.
    busy: AtomicUsize,
    failed: AtomicBool,
    stop: AtomicBool,
}

/// The calling thread and its helpers.
pub(super) struct Team {
    shared: Arc<Shared>,
    helpers: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Team {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Team")
            .field("members", &self.members())
            .finish()
    }
}

impl Team {
    /// A team of `members`, the calling thread being one of them.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub(super) fn new(members: usize) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let mut team = Self {
            shared,
            helpers: Vec::new(),
        };
        for member in 1..members {
            let shared = Arc::clone(&team.shared);
            let helper = thread::Builder::new().name(format!("weft-cpu-{member}"));
            team.helpers
                .push(helper.spawn(move || help(&shared, member))?);
        }
        Ok(team)
    }

    /// Threads that work.
    pub(super) fn members(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Calls `job` once on every member and returns when all are done.
    ///
    /// # Panics
    /// When `job` does, on any member.
    pub(super) fn run(&mut self, job: &(dyn Fn(usize) + Sync)) {
        let shared = &*self.shared;
        // SAFETY: only the lifetime changes. Helpers call the closure between the increment of `round` and their
        // decrement of `busy`; this function does not return or unwind before `busy` is zero.
        let erased: &'static (dyn Fn(usize) + Sync) = unsafe { std::mem::transmute(job) };
        *shared.job.lock().unwrap_or_else(PoisonError::into_inner) = Some(Job(erased));
        shared.busy.store(self.helpers.len(), Ordering::Relaxed);
        shared.round.fetch_add(1, Ordering::Release);
        for helper in &self.helpers {
            helper.thread().unpark();
        }
        let own = catch_unwind(AssertUnwindSafe(|| job(0)));
        let start = Instant::now();
        while shared.busy.load(Ordering::Acquire) > 0 {
            std::hint::spin_loop();
            if start.elapsed() > AWAKE {
                thread::yield_now();
            }
        }
        if let Err(panic) = own {
            resume_unwind(panic);
        }
        assert!(
            !shared.failed.swap(false, Ordering::Relaxed),
            "a helper of the processor device panicked"
        );
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.round.fetch_add(1, Ordering::Release);
        for helper in self.helpers.drain(..) {
            helper.thread().unpark();
            let _ = helper.join();
        }
    }
}

fn help(shared: &Shared, member: usize) {
    let mut seen = 0;
    loop {
        seen = next_round(shared, seen);
        if shared.stop.load(Ordering::Relaxed) {
            return;
        }
        let job = *shared.job.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Job(job)) = job {
            // SAFETY: `Team::run` published this pointer with the round just seen, and waits for the decrement
            // below before the closure goes away.
            let job = unsafe { &*job };
            if catch_unwind(AssertUnwindSafe(|| job(member))).is_err() {
                shared.failed.store(true, Ordering::Relaxed);
            }
        }
        shared.busy.fetch_sub(1, Ordering::Release);
    }
}

/// Waits for a round after `seen`: awake at first, then asleep.
fn next_round(shared: &Shared, seen: usize) -> usize {
    let start = Instant::now();
    loop {
        for _ in 0..64 {
            let round = shared.round.load(Ordering::Acquire);
            if round != seen {
                return round;
            }
            std::hint::spin_loop();
        }
        if start.elapsed() > AWAKE {
            thread::park(); // an unpark since the last look makes this return at once
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_does_every_job_once() {
        let mut team = Team::new(3).expect("threads");
        for pause in [0, 0, 1, 0, 2] {
            let calls = [const { AtomicUsize::new(0) }; 3];
            team.run(&|member| {
                calls[member].fetch_add(1, Ordering::Relaxed);
            });
            assert!(calls.iter().all(|c| c.load(Ordering::Relaxed) == 1));
            thread::sleep(Duration::from_millis(pause)); // long enough to fall asleep
        }
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_goes_on() {
        let mut team = Team::new(2).expect("threads");
        for culprit in [0, 1] {
            let run = catch_unwind(AssertUnwindSafe(|| {
                team.run(&|member| assert_ne!(member, culprit))
            }));
            assert!(run.is_err());
        }
        team.run(&|_| ());
    }
}
