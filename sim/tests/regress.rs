//! File tests: what random modules and hostile texts found, cut down, with the values that the standard gives.
//!
//! A line `// in a=1 b=ff -> y=0` is one cycle of module `t`: inputs and expected outputs, in hexadecimal.

use std::path::Path;

use weft_sim::{Bits, Design, Simulator};

fn pairs(text: &str) -> impl Iterator<Item = (&str, u64)> {
    text.split_whitespace().map(|pair| {
        let (name, value) = pair.split_once('=').expect("name=value");
        (name, u64::from_str_radix(value, 16).expect("hexadecimal"))
    })
}

fn check(file: &str, text: &str) -> usize {
    let design = Design::from_verilog_named(file, text, "t").unwrap_or_else(|e| panic!("{e}"));
    let mut fast = Simulator::new(design.compile().unwrap_or_else(|e| panic!("{file}: {e}")));
    let mut slow = design.interpreter();
    let mut cycles = 0;
    for line in text.lines().filter_map(|l| l.strip_prefix("// in ")) {
        let (inputs, outputs) = line.split_once("->").expect("inputs -> outputs");
        for (name, value) in pairs(inputs) {
            let input = fast.input(name).unwrap();
            fast.poke(input, value);
            assert!(slow.poke(name, Bits::new(input.width(), value)), "{name}");
        }
        fast.cycle();
        slow.cycle();
        for (name, value) in pairs(outputs) {
            let output = fast.output(name).unwrap();
            let expected = Bits::new(output.width(), value);
            assert_eq!(
                fast.peek_bits(output),
                expected,
                "{file}: `{name}` in: {line}"
            );
            assert_eq!(
                slow.peek(name),
                Some(&expected),
                "{file}: interpreter, `{name}` in: {line}"
            );
        }
        cycles += 1;
    }
    cycles
}

#[test]
fn files_give_the_values_of_the_standard() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/regress");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let file = path.file_name().unwrap().to_string_lossy();
        assert!(check(&file, &text) > 0, "{file} has no cycles");
        files += 1;
    }
    assert!(files >= 8, "only {files} files");
}
