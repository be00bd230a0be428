//! A checker of what a card puts on its link. It shares tables of fields with the card's RTL and nothing else: it keeps
//! its own account of what is outstanding, and names the rule that a packet breaks.

use crate::tlp::Tlp;
use std::collections::HashMap;
use weft_protocol::pcie::tlp::{
    ANSWERED, ANSWERED_TAG, AT, ATTR, BCM, BOUNDARY, BYTE_COUNT, COMPLETER, COMPLETION, EP,
    FIRST_BE, LAST_BE, LENGTH, LOWER_ADDRESS, MEMORY, REQUESTER, STATUS, SUCCESS, TAG, TC, TD, TH,
    TYPE, UNSUPPORTED,
};

/// What a packet can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rule {
    /// The packet's bytes are what its header says (2.2.2).
    Framing,
    /// Only memory requests and completions come from a card (2.2.1).
    Kind,
    /// Fields that this card has no use for are zero (2.2.1).
    Reserved,
    /// Data are at most the maximum payload (2.2.2).
    MaxPayload,
    /// A read asks for at most the maximum read request (2.2.7).
    MaxReadRequest,
    /// A request stays between two multiples of 4 KiB (2.2.7).
    Boundary,
    /// Byte enables fit the length (2.2.5).
    ByteEnables,
    /// Addresses below 4 GiB have the short header (2.2.4.1).
    AddressForm,
    /// The card gives its own bus, device and function (2.2.6.2, 2.2.9).
    Identity,
    /// No two reads with one tag are outstanding, and tags have five bits (2.2.6.2).
    Tag,
    /// Requests need the bus master enable (7.5.1.1).
    BusMaster,
    /// A completion answers something outstanding (2.3.2).
    Unasked,
    /// Status and data of a completion fit together and to the request (2.2.9, 2.3.1).
    Status,
    /// The byte count is what is still owed (2.2.9).
    ByteCount,
    /// The lower address is that of the first byte (2.2.9).
    LowerAddress,
    /// A completion that is not the last ends at the read completion boundary, 128 bytes for a card (2.3.1.1).
    CompletionBoundary,
    /// Traffic class and attributes are those of the request (2.2.9).
    Attributes,
    /// Every packet has its credits (2.6.1).
    Credits,
    /// A beat that was offered stays until it is taken; only a last beat is half full.
    Stream,
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// Which.
    pub rule: Rule,
    /// What was found.
    pub detail: String,
}

/// What configuration space says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bus, device and function of the card.
    pub device: u16,
    /// Bus master enable.
    pub bus_master: bool,
    /// Maximum payload in bytes.
    pub max_payload: usize,
    /// Maximum read request in bytes.
    pub max_read: usize,
}

/// A request to the card that it owes an answer.
#[derive(Clone, Copy, Debug)]
struct Owed {
    address: u64,
    bytes: usize,
    class: u32,
    attributes: u32,
    memory: bool,
}

/// Watches one card.
#[derive(Clone, Debug)]
pub struct Checker {
    limits: Limits,
    /// Bytes that each of the card's reads is still owed, by tag.
    reads: HashMap<u32, usize>,
    /// Requests to the card, by requester and tag.
    owed: HashMap<(u32, u32), Owed>,
    violations: Vec<Violation>,
}

impl Checker {
    /// A checker of a card that has sent nothing yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            reads: HashMap::new(),
            owed: HashMap::new(),
            violations: Vec::new(),
        }
    }

    /// Follows configuration space.
    pub fn configure(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Every rule that was broken so far, in order.
    #[must_use]
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// Reads of the card that are not fully answered.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.reads.len()
    }

    /// Requests to the card that it has not fully answered.
    #[must_use]
    pub fn owed(&self) -> usize {
        self.owed.len()
    }

    /// Notes a broken rule that only who drives the pins can see.
    pub fn report(&mut self, rule: Rule, detail: impl Into<String>) {
        self.violations.push(Violation {
            rule,
            detail: detail.into(),
        });
    }

    fn require(&mut self, holds: bool, rule: Rule, detail: impl FnOnce() -> String) {
        if !holds {
            self.report(rule, detail());
        }
    }

    /// The root complex gave up on a read: its tag may be used again.
    pub fn forget(&mut self, tag: u32) {
        self.reads.remove(&tag);
    }

    /// A packet went to the card.
    pub fn received(&mut self, tlp: &Tlp) {
        if tlp.is_completion() {
            let tag = tlp.get(ANSWERED_TAG);
            if let Some(left) = self.reads.get_mut(&tag) {
                *left = left.saturating_sub(tlp.data.len());
                if *left == 0 || tlp.get(STATUS) != SUCCESS {
                    self.reads.remove(&tag);
                }
            }
        } else if !tlp.is_write() && tlp.get(TYPE) < 0x10 {
            let memory = tlp.is_read();
            let (address, bytes) = if memory { tlp.span() } else { (0, 4) };
            let owed = Owed {
                address,
                bytes,
                class: tlp.get(TC),
                attributes: tlp.get(ATTR),
                memory,
            };
            self.owed.insert((tlp.get(REQUESTER), tlp.get(TAG)), owed);
        }
    }

    /// A packet came from the card; `bytes` from its header's first byte on.
    pub fn sent(&mut self, bytes: &[u8]) -> Option<Tlp> {
        let tlp = match Tlp::from_bytes(bytes) {
            Ok(tlp) => tlp,
            Err(cause) => {
                self.report(Rule::Framing, cause.to_string());
                return None;
            }
        };
        for field in [TH, TD, EP, AT] {
            let value = tlp.get(field);
            self.require(value == 0, Rule::Reserved, || {
                format!("{} is {value}", field.name)
            });
        }
        let (data, most) = (tlp.data.len(), self.limits.max_payload);
        self.require(data <= most, Rule::MaxPayload, || {
            format!("{data} bytes of data, at most {most} are allowed")
        });
        match tlp.get(TYPE) {
            MEMORY => self.request(&tlp),
            COMPLETION => self.completion(&tlp),
            kind => self.report(Rule::Kind, format!("type {kind:#07b}")),
        }
        Some(tlp)
    }

    fn request(&mut self, tlp: &Tlp) {
        let Limits {
            device,
            bus_master,
            max_read,
            ..
        } = self.limits;
        let (address, bytes) = (tlp.address(), 4 * tlp.dwords());
        let what = || format!("{bytes} bytes at {address:#x}");
        self.require(bus_master, Rule::BusMaster, what);
        self.require(
            tlp.get(REQUESTER) == u32::from(device),
            Rule::Identity,
            || format!("requester {:#06x}", tlp.get(REQUESTER)),
        );
        self.require(!tlp.long() || address >> 32 != 0, Rule::AddressForm, what);
        self.require(
            address % BOUNDARY + bytes as u64 <= BOUNDARY,
            Rule::Boundary,
            what,
        );
        let (first, last) = (tlp.get(FIRST_BE), tlp.get(LAST_BE));
        let fits = if tlp.dwords() == 1 {
            last == 0
        } else {
            // Gaps between enabled bytes are allowed in two doublewords at a multiple of eight only.
            let joined = matches!(first, 0xf | 0xe | 0xc | 8) && matches!(last, 0xf | 7 | 3 | 1);
            let pair = tlp.dwords() == 2 && address.is_multiple_of(8) && first != 0 && last != 0;
            joined || pair
        };
        self.require(fits, Rule::ByteEnables, || {
            format!(
                "byte enables {first:04b} and {last:04b} with {} doublewords",
                tlp.dwords()
            )
        });
        let (class, attributes) = (tlp.get(TC), tlp.get(ATTR));
        self.require(class == 0 && attributes == 0, Rule::Reserved, || {
            format!("traffic class {class}, attributes {attributes}")
        });
        if tlp.is_read() {
            self.require(bytes <= max_read, Rule::MaxReadRequest, what);
            let tag = tlp.get(TAG);
            let free = !self.reads.contains_key(&tag) && tag < 32;
            self.require(free, Rule::Tag, || {
                format!("tag {tag} for {bytes} bytes at {address:#x}")
            });
            self.reads.insert(tag, bytes);
        }
    }

    fn completion(&mut self, tlp: &Tlp) {
        let device = self.limits.device;
        self.require(
            tlp.get(COMPLETER) == u32::from(device),
            Rule::Identity,
            || format!("completer {:#06x}", tlp.get(COMPLETER)),
        );
        self.require(tlp.get(BCM) == 0, Rule::Reserved, || "BCM is 1".into());
        let key = (tlp.get(ANSWERED), tlp.get(ANSWERED_TAG));
        let Some(mut owed) = self.owed.remove(&key) else {
            let detail = format!("requester {:#06x}, tag {}", key.0, key.1);
            return self.report(Rule::Unasked, detail);
        };
        self.require(
            tlp.get(TC) == owed.class && tlp.get(ATTR) == owed.attributes,
            Rule::Attributes,
            || {
                format!(
                    "traffic class {}, attributes {}",
                    tlp.get(TC),
                    tlp.get(ATTR)
                )
            },
        );
        let lower = if owed.memory {
            (owed.address & 0x7f) as u32
        } else {
            0
        };
        self.require(tlp.get(LOWER_ADDRESS) == lower, Rule::LowerAddress, || {
            format!("{:#x} instead of {lower:#x}", tlp.get(LOWER_ADDRESS))
        });
        let count = (owed.bytes & 0xfff) as u32;
        self.require(tlp.get(BYTE_COUNT) == count, Rule::ByteCount, || {
            format!("{} instead of {count}", tlp.get(BYTE_COUNT))
        });
        let status = tlp.get(STATUS);
        if status != SUCCESS {
            let fits = status == UNSUPPORTED && !tlp.has_data() && tlp.get(LENGTH) == 0;
            return self.require(fits, Rule::Status, || {
                format!("status {status} with {} bytes of data", tlp.data.len())
            });
        }
        self.require(tlp.has_data() && owed.memory, Rule::Status, || {
            format!("success with {} bytes of data", tlp.data.len())
        });
        let before = (owed.address & 3) as usize;
        let carried = tlp.data.len().saturating_sub(before).min(owed.bytes);
        if carried < owed.bytes {
            let end = owed.address + carried as u64;
            self.require(
                end.is_multiple_of(128) && carried > 0,
                Rule::CompletionBoundary,
                || {
                    format!(
                        "a part ends at {end:#x}, {} bytes are still owed",
                        owed.bytes - carried
                    )
                },
            );
            owed.address = end;
            owed.bytes -= carried;
            self.owed.insert(key, owed);
        } else {
            let dwords = (before + owed.bytes).div_ceil(4);
            self.require(tlp.dwords() == dwords, Rule::Framing, || {
                format!("{} doublewords where {dwords} are owed", tlp.dwords())
            });
        }
    }
}
