//! What is tested in the machine, in this order.

use serde_json::Value;

use crate::guest::{Guest, RUN, on_cpu};

/// A test and its name.
type Test = (&'static str, fn(&mut Guest));

pub(crate) const ALL: &[Test] = &[
    ("doctor_tells_the_truth", doctor_tells_the_truth),
    ("the_self_test_passes", the_self_test_passes),
    (
        "a_read_outside_of_the_card_s_memory_is_stopped_by_the_iommu",
        a_read_outside_of_the_card_s_memory_is_stopped_by_the_iommu,
    ),
    (
        "a_llama_on_the_drive_decodes_by_direct_reads",
        a_llama_on_the_drive_decodes_by_direct_reads,
    ),
    (
        "a_driver_killed_in_mid_transfer_leaves_nothing_behind",
        a_driver_killed_in_mid_transfer_leaves_nothing_behind,
    ),
    (
        "a_card_reset_under_load_runs_again",
        a_card_reset_under_load_runs_again,
    ),
];

/// The model on the drive, by the card.
fn run(more: &str) -> String {
    format!("weft run $DRIVE --device pcie:$CARD {RUN} {more}")
}

#[track_caller]
fn same(guest: &Guest, found: &Value) {
    let wanted = on_cpu(&guest.model());
    for key in ["tokens", "logits_hash", "text"] {
        assert_eq!(found[key], wanted[key], "{key}");
    }
}

/// What the doctor found of `what`, or its next step.
fn finding(report: &Value, what: &str) -> Result<String, String> {
    let text = |v: &Value| v.as_str().map(str::to_owned);
    let all = report.as_array().expect("a list");
    let finding = all
        .iter()
        .find(|f| f["what"].as_str().is_some_and(|w| w.starts_with(what)))
        .unwrap_or_else(|| panic!("no finding of {what} in {report}"));
    text(&finding["found"]).ok_or_else(|| text(&finding["next_step"]).expect("a next step"))
}

fn doctor_tells_the_truth(guest: &mut Guest) {
    let doctor = "weft doctor --json";
    let group = guest.sh("basename $(readlink /sys/bus/pci/devices/$CARD/iommu_group)");
    let group = group.output.trim().to_owned();
    let well = guest.sh(doctor).json();
    let card = finding(&well, "card 0000:").expect("ready");
    assert!(card.starts_with(&format!("group {group}, ")), "{card}");
    for what in ["IOMMU groups", "VFIO", "locked memory", "huge pages"] {
        finding(&well, what).unwrap_or_else(|step| panic!("{what}: {step}"));
    }

    let limited = guest.sh(&format!("(ulimit -l 64; {doctor})")).json();
    let step = finding(&limited, "locked memory").expect_err("too little");
    assert!(step.contains("ulimit -l"), "{step}");
    let few = "echo 0 > /proc/sys/vm/nr_hugepages";
    let few = guest.sh(&format!("{few}; {doctor}")).json();
    let step = finding(&few, "huge pages").expect_err("none");
    assert!(step.contains("nr_hugepages"), "{step}");
    guest.sh("echo 32 > /proc/sys/vm/nr_hugepages");

    // The commands that it prints are the ones that help, without the `sudo` that this machine has not.
    let unbind = "echo $CARD > /sys/bus/pci/devices/$CARD/driver/unbind";
    let clear = "echo > /sys/bus/pci/devices/$CARD/driver_override";
    let unbound = guest.sh(&format!("{unbind}; {clear}; {doctor}")).json();
    let step = finding(&unbound, "card 0000:").expect_err("unbound");
    let bind = step.strip_prefix("bind it: ").expect("how to bind it");
    let refused = guest.sh("weft selftest --device pcie:$CARD 2>&1");
    assert_eq!(refused.code, 5, "{}", refused.output);
    assert!(refused.output.contains("weft doctor"), "{}", refused.output);
    guest.sh(&bind.replace("sudo ", "").replace("modprobe vfio-pci; ", ""));
    finding(&guest.sh(doctor).json(), "card 0000:").expect("bound again");

    guest.sh("mkdir -p /etc; echo nobody:x:65534:65534::/:/bin/sh > /etc/passwd");
    let as_nobody = "start-stop-daemon -S -c 65534 -x /bin/weft -- doctor --json";
    let nobody = guest.sh(as_nobody).json();
    let step = finding(&nobody, "card 0000:").expect_err("not allowed");
    assert!(step.contains("chown"), "{step}");
}

fn the_self_test_passes(guest: &mut Guest) {
    for more in ["", "--config 8x4 --seed 2 --products 4"] {
        let report = guest.sh(&format!("weft selftest --device pcie:$CARD --json {more}"));
        let report = report.json();
        assert_eq!(report["passed"], true, "{report}");
        let checks = report["checks"].as_array().expect("a list");
        let names: Vec<_> = checks.iter().filter_map(|c| c["name"].as_str()).collect();
        for name in ["registers", "counters", "refusal", "protection"] {
            assert!(names.contains(&name), "{name} in {names:?}");
        }
    }
}

fn a_read_outside_of_the_card_s_memory_is_stopped_by_the_iommu(guest: &mut Guest) {
    let before = guest.card.state().refused.len();
    guest.sh("dmesg -c > /dev/null");
    let report = guest.sh("weft selftest --device pcie:$CARD --products 1 --json");
    assert_eq!(report.json()["passed"], true);
    let refused = guest.card.state().refused.split_off(before);
    let [address] = refused[..] else {
        panic!("one read was refused: {refused:x?}");
    };
    let log = guest.sh("echo ${CARD#0000:}; dmesg");
    let (name, log) = log.output.split_once('\n').expect("two outputs");
    let fault = log
        .lines()
        .find(|l| l.contains("DMAR: [DMA Read"))
        .unwrap_or_else(|| panic!("the kernel reports a fault: {log}"));
    assert!(fault.contains(&format!("[{name}]")), "{fault}");
    assert!(fault.contains(&format!("{address:#x}")), "{fault}");
    works(guest);
}

/// Runs the model and gives its report.
fn guest_run(guest: &mut Guest, more: &str) -> Value {
    guest.sh(&run(more)).json()
}

/// The next run is like any other.
fn works(guest: &mut Guest) {
    let report = guest_run(guest, "");
    same(guest, &report);
}

/// Bytes that the drive has delivered so far.
fn delivered(guest: &mut Guest) -> u64 {
    let stat = guest.sh("cat /sys/block/nvme0n1/stat").output;
    let sectors = stat.split_whitespace().nth(2).expect("sectors read");
    512 * sectors.parse::<u64>().expect("a number")
}

fn a_llama_on_the_drive_decodes_by_direct_reads(guest: &mut Guest) {
    for more in ["", "--poll"] {
        // The page cache is warm from the run before, so what is not read directly is not read at all.
        let before = delivered(guest);
        let report = guest_run(guest, more);
        let drive = delivered(guest) - before;
        same(guest, &report);
        let link = &report["link"];
        assert_eq!(link["read_method"], "direct", "{link}");
        assert_eq!(link["copied_bytes"], 0, "{link}");
        let read = link["read_bytes"].as_u64().expect("a number");
        let fetched = link["host_bytes"].as_u64().expect("a number");
        assert!(fetched > 100_000 && read >= fetched, "{link}");
        assert!(drive >= read, "{drive} bytes from the drive, {read} read");
    }
}

/// Starts a run, and lets the card stop somewhere in the middle of its weights.
fn in_mid_transfer(guest: &mut Guest) {
    guest.card.hold_after(60_000);
    guest.sh(&format!("({}) > run.json 2> run.err &", run("")));
    let state = guest
        .card
        .wait_for("the card is in mid-transfer", |s| s.held);
    assert!(!state.idle && state.maps > 0, "{state:?}");
}

fn a_driver_killed_in_mid_transfer_leaves_nothing_behind(guest: &mut Guest) {
    let idle_maps = guest.card.state().maps;
    let before = guest.card.state().resets;
    in_mid_transfer(guest);
    let done = guest.sh("kill -9 $(pidof weft); wait");
    assert_eq!(done.code, 0, "{}", done.output);
    let state = guest.card.wait_for("the card is reset and idle", |s| {
        s.resets > before + 1 && s.idle && s.maps == idle_maps
    });
    guest.card.release();
    let later = guest.sh("sleep 0.3; cat run.json; pidof weft");
    assert_eq!((later.code, later.output.as_str()), (1, ""));
    let read = guest.card.state().read;
    assert_eq!(read, state.read, "the card touches no memory any more");
    works(guest);
}

fn a_card_reset_under_load_runs_again(guest: &mut Guest) {
    in_mid_transfer(guest);
    let before = guest.card.state().resets;
    guest.sh("echo 1 > /sys/bus/pci/devices/$CARD/reset");
    guest.card.wait_for("reset", |s| s.resets > before);
    guest.card.release();
    let done = guest.sh("wait; cat run.err >&2; cat run.json");
    let report = done.json();
    same(guest, &report);
    let link = &report["link"];
    assert!(link["retries"].as_u64() >= Some(1), "{link}");
    works(guest);
}
