//! Wires only: a header's fields out of its doublewords, and doublewords out of fields, both generated from the tables
//! of [`weft_protocol::pcie::tlp`].

use crate::rtl::*;
use weft_protocol::pcie::tlp::{self, Field};

/// Two doublewords of a beat as the numbers that the specification draws.
#[derive(LogicBlock, Default)]
pub struct Doublewords {
    /// Eight bytes of a packet, the first one in the low bits.
    pub beat: Signal<In, Bits<64>>,
    /// The first four, its first byte in the high bits.
    pub first: Signal<Out, Bits<32>>,
    /// The second four, its first byte in the high bits.
    pub second: Signal<Out, Bits<32>>,
}

impl Logic for Doublewords {
    fn update(&mut self) {
        let beat = self.beat.val().to_u64();
        self.first.next = (beat as u32).swap_bytes().to_bits();
        self.second.next = ((beat >> 32) as u32).swap_bytes().to_bits();
    }

    fn connect(&mut self) {
        self.first.connect();
        self.second.connect();
    }

    fn hdl(&self) -> Verilog {
        wires(
            "assign first = {beat[7:0], beat[15:8], beat[23:16], beat[31:24]};\n\
             assign second = {beat[39:32], beat[47:40], beat[55:48], beat[63:56]};"
                .into(),
        )
    }
}

/// A 32-bit mask of four byte enables.
#[derive(LogicBlock, Default)]
pub struct ByteMask {
    /// Byte enables.
    pub enable: Signal<In, Bits<4>>,
    /// Ones in every enabled byte.
    pub mask: Signal<Out, Bits<32>>,
}

impl Logic for ByteMask {
    fn update(&mut self) {
        let enable = self.enable.val();
        let byte = |i: usize| {
            if enable.get_bit(i) {
                0xff << (8 * i)
            } else {
                0
            }
        };
        self.mask.next = (0..4).map(byte).sum::<u64>().to_bits();
    }

    fn connect(&mut self) {
        self.mask.connect();
    }

    fn hdl(&self) -> Verilog {
        wires(
            "assign mask = {{8{enable[3]}}, {8{enable[2]}}, {8{enable[1]}}, {8{enable[0]}}};"
                .into(),
        )
    }
}

macro_rules! header_fields {
    ($($(#[$doc:meta])* $name:ident: $width:literal = $field:ident,)*) => {
        /// The fields of a header; which ones mean something depends on its type.
        #[derive(LogicBlock, Default)]
        pub struct HeaderFields {
            /// Doubleword 0 as a number.
            pub dword0: Signal<In, Bits<32>>,
            /// Doubleword 1.
            pub dword1: Signal<In, Bits<32>>,
            /// Doubleword 2.
            pub dword2: Signal<In, Bits<32>>,
            /// Doubleword 3, if the header has one.
            pub dword3: Signal<In, Bits<32>>,
            $($(#[$doc])* pub $name: Signal<Out, Bits<$width>>,)*
        }

        impl Logic for HeaderFields {
            fn update(&mut self) {
                let header = [&self.dword0, &self.dword1, &self.dword2, &self.dword3]
                    .map(|d| d.val().to_u32());
                $(self.$name.next = tlp::$field.get(&header).to_bits();)*
            }

            fn connect(&mut self) {
                $(self.$name.connect();)*
            }

            fn hdl(&self) -> Verilog {
                let part = |name: &str, width: u32, field: Field| {
                    assert_eq!(width, field.width(), "{name}");
                    format!("assign {name} = dword{}[{}:{}];", field.dword, field.high, field.low)
                };
                wires([$(part(stringify!($name), $width, tlp::$field)),*].join("\n"))
            }
        }
    };
}

header_fields! {
    /// Bit 1: has data; bit 0: four doublewords.
    fmt: 3 = FMT,
    /// What kind of packet.
    kind: 5 = TYPE,
    /// Traffic class.
    traffic: 3 = TC,
    /// Relaxed ordering, no snoop.
    attributes: 2 = ATTR,
    /// The data are poisoned.
    poisoned: 1 = EP,
    /// Doublewords.
    length: 10 = LENGTH,
    /// Who asks.
    requester: 16 = REQUESTER,
    /// Its number for it.
    tag: 8 = TAG,
    /// Byte enables of the last doubleword.
    last_enable: 4 = LAST_BE,
    /// Byte enables of the first doubleword.
    first_enable: 4 = FIRST_BE,
    /// Doubleword address in a short header.
    short_address: 30 = ADDRESS_SHORT,
    /// Low half of the doubleword address in a long header.
    long_address: 30 = ADDRESS_LOW,
    /// Status of a completion.
    status: 3 = STATUS,
    /// Bytes that a completion's transaction is still owed.
    byte_count: 12 = BYTE_COUNT,
    /// Whose transaction is completed.
    answered: 16 = ANSWERED,
    /// Its tag.
    answered_tag: 8 = ANSWERED_TAG,
    /// Low bits of the first byte's address.
    lower_address: 7 = LOWER_ADDRESS,
}

/// The header of a memory request.
#[derive(LogicBlock, Default)]
pub struct RequestHeader {
    /// It carries data: a write.
    pub write: Signal<In, Bit>,
    /// Byte address, a multiple of four.
    pub address: Signal<In, Bits<64>>,
    /// Doublewords.
    pub length: Signal<In, Bits<10>>,
    /// Who asks.
    pub requester: Signal<In, Bits<16>>,
    /// Tag.
    pub tag: Signal<In, Bits<8>>,
    /// The header, first byte in the low bits.
    pub header: Signal<Out, Bits<128>>,
    /// It has four doublewords, the address being above 4 GiB (2.2.4.1).
    pub long: Signal<Out, Bit>,
}

impl Logic for RequestHeader {
    fn update(&mut self) {
        let address = self.address.val().to_u64();
        let long = address >> 32 != 0;
        let mut header = [0; 4];
        let one = self.length.val().to_u32() == 1;
        tlp::FMT.set(
            &mut header,
            u32::from(long) | u32::from(self.write.val()) << 1,
        );
        tlp::LENGTH.set(&mut header, self.length.val().to_u32());
        tlp::REQUESTER.set(&mut header, self.requester.val().to_u32());
        tlp::TAG.set(&mut header, self.tag.val().to_u32());
        tlp::LAST_BE.set(&mut header, if one { 0 } else { 15 });
        tlp::FIRST_BE.set(&mut header, 15);
        if long {
            tlp::ADDRESS_HIGH.set(&mut header, (address >> 32) as u32);
            tlp::ADDRESS_LOW.set(&mut header, address as u32 >> 2);
        } else {
            tlp::ADDRESS_SHORT.set(&mut header, address as u32 >> 2);
        }
        self.header.next = wire_order(&header);
        self.long.next = long;
    }

    fn connect(&mut self) {
        self.header.connect();
        self.long.connect();
    }

    fn hdl(&self) -> Verilog {
        let common = [
            (tlp::FMT, "{1'b0, write, long}"),
            (tlp::LENGTH, "length"),
            (tlp::REQUESTER, "requester"),
            (tlp::TAG, "tag"),
            (tlp::LAST_BE, "{4{length != 10'd1}}"),
            (tlp::FIRST_BE, "4'hf"),
        ];
        let short = [&common[..], &[(tlp::ADDRESS_SHORT, "address[31:2]")]].concat();
        let high = (tlp::ADDRESS_HIGH, "address[63:32]");
        let long = [&common[..], &[high, (tlp::ADDRESS_LOW, "address[31:2]")]].concat();
        wires(format!(
            "assign long = address[63:32] != 32'd0;\n{}\n{}\n{}",
            assemble("short_form", &short),
            assemble("long_form", &long),
            "assign header = long ? long_form : short_form;"
        ))
    }
}

/// The header of a completion.
#[derive(LogicBlock, Default)]
pub struct CompletionHeader {
    /// It carries data, and its status is success; else it says unsupported request.
    pub success: Signal<In, Bit>,
    /// Traffic class of the request.
    pub traffic: Signal<In, Bits<3>>,
    /// Attributes of the request.
    pub attributes: Signal<In, Bits<2>>,
    /// Doublewords of data.
    pub length: Signal<In, Bits<10>>,
    /// Who answers.
    pub completer: Signal<In, Bits<16>>,
    /// Bytes still owed.
    pub byte_count: Signal<In, Bits<12>>,
    /// Who asked.
    pub requester: Signal<In, Bits<16>>,
    /// Its tag.
    pub tag: Signal<In, Bits<8>>,
    /// Low bits of the first byte's address.
    pub lower_address: Signal<In, Bits<7>>,
    /// The header, first byte in the low bits; three doublewords.
    pub header: Signal<Out, Bits<128>>,
}

impl Logic for CompletionHeader {
    fn update(&mut self) {
        let success = self.success.val();
        let mut header = [0; 4];
        tlp::FMT.set(&mut header, u32::from(success) << 1);
        tlp::TYPE.set(&mut header, tlp::COMPLETION);
        tlp::TC.set(&mut header, self.traffic.val().to_u32());
        tlp::ATTR.set(&mut header, self.attributes.val().to_u32());
        tlp::LENGTH.set(&mut header, self.length.val().to_u32());
        tlp::COMPLETER.set(&mut header, self.completer.val().to_u32());
        tlp::STATUS.set(&mut header, u32::from(!success));
        tlp::BYTE_COUNT.set(&mut header, self.byte_count.val().to_u32());
        tlp::ANSWERED.set(&mut header, self.requester.val().to_u32());
        tlp::ANSWERED_TAG.set(&mut header, self.tag.val().to_u32());
        tlp::LOWER_ADDRESS.set(&mut header, self.lower_address.val().to_u32());
        self.header.next = wire_order(&header);
    }

    fn connect(&mut self) {
        self.header.connect();
    }

    fn hdl(&self) -> Verilog {
        let fields = [
            (tlp::FMT, "{1'b0, success, 1'b0}"),
            (tlp::TYPE, "5'd10"),
            (tlp::TC, "traffic"),
            (tlp::ATTR, "attributes"),
            (tlp::LENGTH, "length"),
            (tlp::COMPLETER, "completer"),
            (tlp::STATUS, "{2'b0, !success}"),
            (tlp::BYTE_COUNT, "byte_count"),
            (tlp::ANSWERED, "requester"),
            (tlp::ANSWERED_TAG, "tag"),
            (tlp::LOWER_ADDRESS, "lower_address"),
        ];
        wires(format!(
            "{}\nassign header = packed_fields;",
            assemble("packed_fields", &fields)
        ))
    }
}

/// A header as it lies in the stream.
fn wire_order(header: &[u32; 4]) -> Bits<128> {
    let half = |i: usize| -> Bits<128> {
        let word = u64::from(header[i].swap_bytes()) | u64::from(header[i + 1].swap_bytes()) << 32;
        bit_cast::<128, 64>(word.to_bits())
    };
    half(0) | half(2) << 64_u64
}

/// Declares the 128-bit wire `name`: a header whose fields have these values, the rest zero, in the stream's order.
fn assemble(name: &str, fields: &[(Field, &str)]) -> String {
    let mut code = format!("wire [127:0] {name};");
    for dword in 0..4 {
        let mut parts: Vec<_> = fields.iter().filter(|(f, _)| f.dword == dword).collect();
        parts.sort_by_key(|(f, _)| std::cmp::Reverse(f.high));
        let (mut next, mut concatenated) = (32, Vec::new());
        for (field, value) in parts {
            if next > field.high + 1 {
                concatenated.push(format!("{}'d0", next - field.high - 1));
            }
            concatenated.push((*value).to_string());
            next = field.low;
        }
        if next > 0 {
            concatenated.push(format!("{next}'d0"));
        }
        code.push_str(&format!(
            "\nwire [31:0] {name}{dword} = {{{}}};",
            concatenated.join(", ")
        ));
        for byte in 0..4 {
            let (to, from) = (32 * dword + 8 * byte, 24 - 8 * byte);
            code.push_str(&format!(
                "\nassign {name}[{}:{to}] = {name}{dword}[{}:{from}];",
                to + 7,
                from + 7
            ));
        }
    }
    code
}

fn wires(code: String) -> Verilog {
    Verilog::Wrapper(Wrapper {
        code,
        cores: String::new(),
    })
}
