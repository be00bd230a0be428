//! The driver in a real kernel: Debian's own, in QEMU, with its vfio-pci and its IOMMU, a virtual card, and an NVMe
//! drive that holds a small llama. One boot serves all tests; they run one after another.
//!
//! The machine's packages are fetched into the user's cache once. Where Debian's archive is out of reach nothing can
//! be tested: every test is then counted as ignored, and the reason is printed.

#[cfg(target_os = "linux")]
mod card;
#[cfg(target_os = "linux")]
mod guest;
#[cfg(target_os = "linux")]
mod tests;
#[cfg(target_os = "linux")]
#[path = "../tiny/mod.rs"]
mod tiny;

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use std::sync::{Arc, Mutex, PoisonError};

    let mut arguments = libtest_mimic::Arguments::from_args();
    arguments.test_threads = Some(1);
    let mut machine = None;
    let mut ignored = false;
    if !arguments.list {
        match guest::Guest::boot(card::Made::OfBehaviour, "8x4") {
            Ok(guest) => machine = Some(guest),
            Err(reason) => {
                ignored = true;
                eprintln!("SKIPPED: the driver was not tested in a real kernel: {reason}");
            }
        }
    }
    let machine = Arc::new(Mutex::new(machine));
    let trials = tests::ALL.iter().map(|&(name, test)| {
        let machine = Arc::clone(&machine);
        let run = move || {
            let mut machine = machine.lock().unwrap_or_else(PoisonError::into_inner);
            let guest = machine.as_mut().ok_or("there is no machine")?;
            guest.card.release();
            test(guest);
            Ok(())
        };
        libtest_mimic::Trial::test(name, run).with_ignored_flag(ignored)
    });
    let conclusion = libtest_mimic::run(&arguments, trials.collect());
    drop(machine);
    conclusion.exit_code()
}

#[cfg(not(target_os = "linux"))]
fn main() {
    eprintln!("SKIPPED: cards on PCI Express are driven on Linux only");
}
