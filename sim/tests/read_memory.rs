//! `$readmemh` and `$readmemb`: what files give, and what is wrong with others. Random modules that read files are
//! compared with Verilator (`verilator.rs`).

use std::path::{Path, PathBuf};

use weft_sim::{Design, Error, Simulator};

/// A folder of its own for the files of a test.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join("read_memory")
        .join(name);
    std::fs::create_dir_all(&path).unwrap();
    path
}

/// A module that reads a memory of eight words of 12 bits with `task`, written to a file.
fn design(folder: &Path, task: &str) -> Result<Design, Error> {
    let file = folder.join("t.v");
    let text = format!(
        "module t #(parameter FILE = \"none.hex\")(input wire clock, input wire [3:0] a, output wire [11:0] y);\n\
         reg [11:0] m [0:7];\ninitial {task}\nassign y = m[a];\nendmodule\n\
         module over(input wire clock, input wire [3:0] a, output wire [11:0] y);\n\
         localparam F = \"data.hex\"; t #(.FILE(F)) u(clock, a, y);\nendmodule\n"
    );
    std::fs::write(&file, text).unwrap();
    let top = if task.contains("FILE") { "over" } else { "t" };
    Design::from_file(&file, top)
}

/// The words that `task` gives on both back ends.
fn words(folder: &Path, task: &str) -> Vec<u64> {
    let design = design(folder, task).unwrap_or_else(|e| panic!("{task}: {e}"));
    let mut sim = Simulator::new(design.compile().unwrap());
    sim.start_crosscheck(&design).unwrap();
    let (a, y) = (sim.input("a").unwrap(), sim.output("y").unwrap());
    let words = (0..8).map(|i| {
        sim.poke(a, i);
        sim.cycle();
        sim.peek(y)
    });
    let words = words.collect();
    sim.finish_crosscheck().unwrap();
    words
}

#[test]
fn words_addresses_comments_and_unknown_digits() {
    let folder = folder("words");
    std::fs::write(
        folder.join("data.hex"),
        "// a comment\n00a 1_2F /* over\nlines */ xzF @6 000123\n@4/**/fff // the end",
    )
    .unwrap();
    let expected = [0x00a, 0x12f, 0x00f, 0, 0xfff, 0, 0x123, 0];
    assert_eq!(words(&folder, "$readmemh(\"data.hex\", m);"), expected);
    assert_eq!(words(&folder, "$readmemh(FILE, m);"), expected);
    std::fs::write(folder.join("data.bin"), "101 1111_0000_1010\n@7 x1").unwrap();
    let expected = [5, 0xf0a, 0, 0, 0, 0, 0, 1];
    assert_eq!(words(&folder, "$readmemb(\"data.bin\", m);"), expected);
}

#[test]
fn start_and_finish_give_the_direction() {
    let folder = folder("range");
    std::fs::write(folder.join("data.hex"), "1 2 3").unwrap();
    let read = |limits: &str| words(&folder, &format!("$readmemh(\"data.hex\", m, {limits});"));
    assert_eq!(read("4"), [0, 0, 0, 0, 1, 2, 3, 0]);
    assert_eq!(read("2, 7"), [0, 0, 1, 2, 3, 0, 0, 0]);
    assert_eq!(read("5, 3"), [0, 0, 0, 3, 2, 1, 0, 0]);
    // A later file, and a later assignment, write over an earlier one.
    let task = "begin $readmemh(\"data.hex\", m); $readmemh(\"data.hex\", m, 1); m[2] = 9; end";
    assert_eq!(words(&folder, task), [1, 1, 9, 3, 0, 0, 0, 0]);
}

#[test]
fn what_is_wrong_is_named_with_both_places() {
    let folder = folder("wrong");
    let at = format!("{}:3", folder.join("t.v").display());
    let says = |content: &str, task: &str| {
        std::fs::write(folder.join("data.hex"), content).unwrap();
        let text = design(&folder, task).unwrap_err().to_string();
        assert!(text.contains(&at), "{text}");
        text
    };
    let data = |line: u32| format!("{}:{line}: ", folder.join("data.hex").display());
    let task = "$readmemh(\"data.hex\", m);";
    for (content, line, message) in [
        ("1\n2g\n", 2, "`2g` is no hexadecimal word"),
        (
            "1 2 3\n4 5 6 7 8\n9",
            3,
            "too many words: `9` goes beyond address 7",
        ),
        ("1\n1000", 2, "`1000` does not fit a word of 12 bits"),
        ("/* 1\n */ @8 1", 2, "no address of the memory: `@8`"),
        ("@-1", 1, "no address"),
        ("@fffffffffffffffffffffff", 1, "no address"),
        ("_", 1, "`_` has no digits"),
        ("1/2", 1, "`/2` is no hexadecimal word"),
    ] {
        let text = says(content, task);
        assert!(
            text.starts_with(&data(line)) && text.contains(message),
            "{message}: {text}"
        );
    }
    let text = says("102", "$readmemb(\"data.hex\", m);");
    assert!(text.contains("`102` is no binary word"), "{text}");
    for (task, message) in [
        ("$readmemh(\"none.hex\", m);", "none.hex: No such file"),
        ("$readmemh(\".\", m);", "it is no regular file"),
        (
            "$readmemh(\"data.hex\", m, 8);",
            "address 8 lies outside the memory",
        ),
        (
            "$readmemh(\"data.hex\", m, 0, 9);",
            "address 9 lies outside the memory",
        ),
        ("$readmemh(\"data.hex\", a);", "needs the name of a memory"),
        (
            "$readmemh(\"data.hex\");",
            "takes a file, a memory and at most two addresses",
        ),
    ] {
        let text = says("1", task);
        assert!(
            text.starts_with(&at) && text.contains(message),
            "{message}: {text}"
        );
    }
}

#[test]
fn a_text_without_a_folder_reads_nothing() {
    let text = "module t(input a, output y); reg m [0:1]; initial $readmemb(\"x\", m); assign y = m[a]; endmodule";
    let message = Design::from_verilog_named("t.v", text, "t")
        .unwrap_err()
        .to_string();
    assert!(
        message.starts_with("t.v:1: ") && message.contains("came from no file"),
        "{message}"
    );
}
