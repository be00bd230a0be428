//! What is tested in the machine, in this order.

use serde_json::Value;

use crate::card::Made;
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
    (
        "a_drive_delivers_into_the_card_and_host_memory_sees_nothing",
        a_drive_delivers_into_the_card_and_host_memory_sees_nothing,
    ),
    (
        "the_card_in_logic_does_the_same_in_a_machine_of_its_own",
        the_card_in_logic_does_the_same_in_a_machine_of_its_own,
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

/// Runs the self-test; every check of a card is there, and passes. How long it took.
fn self_test(guest: &mut Guest, more: &str) -> f64 {
    let report = guest.sh(&format!("weft selftest --device pcie:$CARD --json {more}"));
    let report = report.json();
    assert_eq!(report["passed"], true, "{report}");
    let detail = |name: &str| {
        let checks = report["checks"].as_array().expect("a list");
        let check = checks.iter().find(|c| c["name"] == name);
        let check = check.unwrap_or_else(|| panic!("{name} in {checks:?}"));
        check["detail"].as_str().expect("text").to_owned()
    };
    for name in ["registers", "counters", "protection"] {
        detail(name);
    }
    // `Errors` grew by one, although a reset came between.
    let refusal = detail("refusal");
    assert!(refusal.contains("refused and counted"), "{refusal}");
    report["seconds"].as_f64().expect("a number")
}

fn the_self_test_passes(guest: &mut Guest) {
    for more in ["", "--seed 2 --products 4"] {
        self_test(guest, more);
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
        .wait_for("the card is in mid-transfer", |s| s.held && !s.idle);
    assert!(state.maps > 0, "{state:?}");
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

fn a_drive_delivers_into_the_card_and_host_memory_sees_nothing(guest: &mut Guest) {
    guest.sh("NVME=$(basename $(readlink -f /sys/class/nvme/nvme0/device)); cp $DRIVE /model.weft");
    guest.sh("echo $NVME > /sys/bus/pci/devices/$NVME/driver/unbind");
    guest.sh("echo vfio-pci > /sys/bus/pci/devices/$NVME/driver_override");
    guest.sh("echo $NVME > /sys/bus/pci/drivers_probe");
    let model = "weft run /model.weft --device pcie:$CARD@$NVME";
    let before = guest.card.state();
    let done = guest.sh(&format!("{model} {RUN}"));
    let report = done.json();
    same(guest, &report);
    let after = guest.card.state();
    let link = &report["link"];
    assert_eq!(link["read_method"], "peer", "{link}");
    for none in ["host_bytes", "copied_bytes"] {
        assert_eq!(link[none], 0, "{none} in {link}");
    }
    let weights = link["window_bytes"].as_u64().expect("a number") as usize;
    let delivered = link["read_bytes"].as_u64().expect("a number") as usize;
    assert!(weights > 100_000 && delivered >= weights, "{link}");
    // All that the drive read is in the window, and what the card fetched from the host is headers and activations.
    assert_eq!(after.window - before.window, delivered);
    let fetched = after.read - before.read;
    assert!(
        fetched < weights / 2,
        "{fetched} bytes fetched for {weights} of weights"
    );

    // Another model's bytes are refused before anything is computed from them.
    let other = guest.sh(&format!("{} {RUN} 2>&1", model.replace("model", "other")));
    assert_eq!(other.code, 5, "{}", other.output);
    assert!(
        other
            .output
            .contains("does not begin with the model's bytes"),
        "{}",
        other.output
    );
    guest.sh("echo > /sys/bus/pci/devices/$NVME/driver_override");
    guest.sh("echo $NVME > /sys/bus/pci/devices/$NVME/driver/unbind");
    guest.sh("echo $NVME > /sys/bus/pci/drivers_probe; sleep 0.5");
    works(guest);
}

fn the_card_in_logic_does_the_same_in_a_machine_of_its_own(_: &mut Guest) {
    let mut guest = Guest::boot(Made::OfLogic, "8x1").expect("the first one booted");
    let seconds = self_test(&mut guest, "--products 4");
    eprintln!("the self-test of the card in logic took {seconds:.1} s");
    let report = guest_run(&mut guest, "");
    same(&guest, &report);
    assert_eq!(report["cycles_are"], "counted");
    eprintln!("the model on it {} s a token", report["seconds_per_token"]);
}
