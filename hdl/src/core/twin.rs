//! The bit-exact software twin of the core, at byte level: the same packets in, the same words out.
//!
//! It is scalar and written to be read. It knows nothing of cycles, so the registers that count them
//! (`Cycles`, `Starved`, `Stalled`, `Hazards`) answer zero; every other answer equals the hardware's to the bit.
//!
//! Its functions are `inline` for one reason: this crate is compiled quickly rather than well, and so they are
//! compiled again, well, in the crates that run them.

use super::CoreConfig;
use weft_protocol::layout::{Kind, round_order};
use weft_protocol::packet::{ErrorCode, GroupFlags, Header, Opcode, RESET_ARG16, RESET_ARG32};
use weft_protocol::registers::{MAGIC, MAP_HASH, Register, VERSION};
use weft_protocol::{ALIGN, MAX_COLUMNS, ROW_GRANULE, align, g4, wrap_accumulator};

/// What the twin counts; each equals the register of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Beats taken.
    pub beats: u32,
    /// Codes multiplied.
    pub nonzeros: u32,
    /// Columns finished.
    pub columns: u32,
    /// Tiles drained.
    pub tiles: u32,
    /// Error packets sent.
    pub errors: u32,
    /// Rounds issued.
    pub rounds: u32,
}

/// Shape of the open tile.
#[derive(Clone, Copy, Debug)]
struct Tile {
    rows: usize,
    log2_batch: u8,
    scales_sent: bool,
}

/// The part of a group's payload that comes next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Part {
    Activations,
    Scales,
    Mask,
    Codes,
}

/// A group whose payload is arriving.
#[derive(Clone, Debug)]
struct Group {
    header: Header,
    kind: Kind,
    masked: bool,
    keep_scales: bool,
    columns: usize,
    column: usize,
    part: Part,
    units_left: u64,
    activations: Vec<i8>,
    mask: Vec<u8>,
}

/// A core in software.
#[derive(Clone, Debug)]
pub struct Twin {
    config: CoreConfig,
    input: Vec<u8>,
    output: Vec<u32>,
    failed: bool,
    tile: Option<Tile>,
    group: Option<Group>,
    scales: Vec<u16>,
    accumulators: Vec<i32>,
    counts: Counts,
}

impl Twin {
    /// A core after power-up.
    #[must_use]
    #[inline]
    pub fn new(config: CoreConfig) -> Self {
        Self {
            config,
            input: Vec::new(),
            output: Vec::new(),
            failed: false,
            tile: None,
            group: None,
            scales: vec![0; config.rows()],
            accumulators: vec![0; config.rows() * config.batch],
            counts: Counts::default(),
        }
    }

    /// What a reset packet does, whatever went before and without its answer: as after power-up, but for the count of
    /// errors.
    #[inline]
    pub fn reset(&mut self) {
        let errors = self.counts.errors;
        *self = Self::new(self.config);
        self.counts.errors = errors;
    }

    /// Takes bytes of the packet stream, in pieces of any length.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        let mut used = 0;
        while let Some(n) = self.step(used) {
            used += n;
        }
        self.input.drain(..used);
    }

    /// The answer words since the last call, in order.
    #[inline]
    pub fn responses(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.output)
    }

    /// What was counted since power-up or the last reset; errors since power-up.
    #[must_use]
    #[inline]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Executes the next header or part at `at` and returns its bytes; `None` if more input is needed.
    #[inline]
    fn step(&mut self, at: usize) -> Option<usize> {
        let there = self.input.len() - at;
        let Some(mut group) = self.group.take() else {
            if there < ALIGN {
                return None;
            }
            let mut bytes = [0; ALIGN];
            bytes.copy_from_slice(&self.input[at..at + ALIGN]);
            self.count_beats(ALIGN);
            self.header(Header::from_bytes(bytes));
            return Some(ALIGN);
        };
        let wanted = self.part_bytes(&group);
        let granted = wanted.min((group.units_left * ALIGN as u64) as usize);
        if there < granted {
            self.group = Some(group);
            return None;
        }
        self.count_beats(granted);
        group.units_left -= (granted / ALIGN) as u64;
        if granted < wanted {
            self.refuse(ErrorCode::Length, group.header);
            return Some(granted);
        }
        let part = self.input[at..at + granted].to_vec();
        self.part(group, &part);
        Some(granted)
    }

    #[inline]
    fn count_beats(&mut self, bytes: usize) {
        let beats = (bytes / self.config.stream_bytes) as u32;
        self.counts.beats = self.counts.beats.wrapping_add(beats);
    }

    #[inline]
    fn answer(&mut self, header: Header) {
        let bytes = header.to_bytes();
        for word in bytes.chunks_exact(4) {
            let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]);
            self.output.push(word);
        }
    }

    #[inline]
    fn refuse(&mut self, code: ErrorCode, header: Header) {
        let first = u32::from_le_bytes([
            header.op,
            header.flags,
            header.arg16.to_le_bytes()[0],
            header.arg16.to_le_bytes()[1],
        ]);
        self.answer(Header::new(Opcode::Error, code as u8, 0, first));
        self.counts.errors = self.counts.errors.wrapping_add(1);
        self.failed = true;
        self.group = None;
    }

    #[inline]
    fn header(&mut self, h: Header) {
        let reset = h.op == Opcode::Reset as u8 && h.arg16 == RESET_ARG16 && h.arg32 == RESET_ARG32;
        if reset {
            let output = std::mem::take(&mut self.output);
            let input = std::mem::take(&mut self.input);
            self.reset();
            (self.input, self.output) = (input, output);
            self.answer(Header::new(Opcode::ResetDone, 0, 0, VERSION));
            return;
        }
        if self.failed {
            return;
        }
        let result = match Opcode::from_code(h.op) {
            Some(Opcode::Nop) => Ok(()),
            Some(Opcode::Tile) => self.open(h),
            Some(Opcode::Group) => self.begin(h),
            Some(Opcode::Drain) => self.drain(h),
            Some(Opcode::Read) => self.read(h),
            Some(Opcode::Reset) => Err(ErrorCode::Reset),
            _ => Err(ErrorCode::Opcode),
        };
        if let Err(code) = result {
            self.refuse(code, h);
        }
    }

    #[inline]
    fn open(&mut self, h: Header) -> Result<(), ErrorCode> {
        let rows = usize::from(h.arg16) * ROW_GRANULE;
        if rows == 0 || rows > self.config.rows() {
            return Err(ErrorCode::Rows);
        }
        if h.flags > 7 || 1 << h.flags > self.config.batch {
            return Err(ErrorCode::Batch);
        }
        self.tile = Some(Tile {
            rows,
            log2_batch: h.flags,
            scales_sent: false,
        });
        Ok(())
    }

    #[inline]
    fn begin(&mut self, h: Header) -> Result<(), ErrorCode> {
        let tile = self.tile.as_mut().ok_or(ErrorCode::NoTile)?;
        let columns = usize::from(h.arg16);
        if columns == 0 || columns > MAX_COLUMNS {
            return Err(ErrorCode::Columns);
        }
        let kind = if h.flags & GroupFlags::I8 == 0 {
            Kind::G4
        } else {
            Kind::I8
        };
        let keep_scales = h.flags & GroupFlags::KEEP_SCALES != 0;
        if kind == Kind::G4 && keep_scales && !tile.scales_sent {
            return Err(ErrorCode::Scales);
        }
        tile.scales_sent |= kind == Kind::G4;
        self.group = Some(Group {
            header: h,
            kind,
            masked: h.flags & GroupFlags::MASKED != 0,
            keep_scales,
            columns,
            column: 0,
            part: Part::Activations,
            units_left: u64::from(h.arg32),
            activations: Vec::new(),
            mask: Vec::new(),
        });
        Ok(())
    }

    #[inline]
    fn drain(&mut self, h: Header) -> Result<(), ErrorCode> {
        let tile = self.tile.ok_or(ErrorCode::NoTile)?;
        let granules = (tile.rows / ROW_GRANULE) as u16;
        self.answer(Header::new(
            Opcode::Result,
            tile.log2_batch,
            granules,
            h.arg32,
        ));
        let batch = self.config.batch;
        for lanes in self.accumulators[..tile.rows * batch].chunks_exact_mut(batch) {
            let used = &lanes[..1 << tile.log2_batch];
            self.output.extend(used.iter().map(|&v| v as u32));
            lanes.fill(0);
        }
        self.counts.tiles = self.counts.tiles.wrapping_add(1);
        Ok(())
    }

    #[inline]
    fn read(&mut self, h: Header) -> Result<(), ErrorCode> {
        let register = Register::from_index(h.arg16).ok_or(ErrorCode::Register)?;
        let value = self.register(register);
        self.answer(Header::new(Opcode::Value, 0, h.arg16, value));
        Ok(())
    }

    #[inline]
    fn register(&self, register: Register) -> u32 {
        match register {
            Register::Magic => MAGIC,
            Register::Version => VERSION,
            Register::MapHash => MAP_HASH,
            Register::Banks => self.config.banks as u32,
            Register::Batch => self.config.batch as u32,
            Register::StreamBytes => self.config.stream_bytes as u32,
            Register::Depth => self.config.depth as u32,
            Register::Beats => self.counts.beats,
            Register::Nonzeros => self.counts.nonzeros,
            Register::Columns => self.counts.columns,
            Register::Tiles => self.counts.tiles,
            Register::Errors => self.counts.errors,
            Register::Rounds => self.counts.rounds,
            Register::Cycles | Register::Starved | Register::Stalled | Register::Hazards => 0,
        }
    }

    /// Bytes of the part that comes next, padding included.
    #[inline]
    fn part_bytes(&self, group: &Group) -> usize {
        let tile = self.tile.expect("a group is only begun in a tile");
        match group.part {
            Part::Activations => align(group.columns << tile.log2_batch),
            Part::Scales => group.kind.scale_bytes(tile.rows),
            Part::Mask => tile.rows / 8,
            Part::Codes if group.masked => {
                let survivors: u32 = group.mask.iter().map(|m| m.count_ones()).sum();
                group.kind.masked_bytes(tile.rows, survivors as usize) - tile.rows / 8
            }
            Part::Codes => group.kind.dense_bytes(tile.rows),
        }
    }

    #[inline]
    fn part(&mut self, mut group: Group, bytes: &[u8]) {
        let column_starts_with = if group.masked {
            Part::Mask
        } else {
            Part::Codes
        };
        match group.part {
            Part::Activations => {
                group.activations = bytes.iter().map(|&b| b as i8).collect();
                let scaled = group.kind == Kind::G4 && !group.keep_scales;
                group.part = if scaled {
                    Part::Scales
                } else {
                    column_starts_with
                };
            }
            Part::Scales => {
                for (scale, word) in self.scales.iter_mut().zip(bytes.chunks_exact(2)) {
                    *scale = u16::from_le_bytes([word[0], word[1]]);
                }
                group.part = column_starts_with;
            }
            Part::Mask => {
                group.mask = bytes.to_vec();
                group.part = Part::Codes;
            }
            Part::Codes => {
                self.column(&group, bytes);
                group.column += 1;
                group.part = column_starts_with;
                if group.column == group.columns {
                    if group.units_left != 0 {
                        self.refuse(ErrorCode::Length, group.header);
                    }
                    return;
                }
            }
        }
        self.group = Some(group);
    }

    /// Multiplies one column into the accumulators.
    #[inline]
    fn column(&mut self, group: &Group, codes: &[u8]) {
        let tile = self.tile.expect("a group is only begun in a tile");
        let tokens = 1 << tile.log2_batch;
        let x = &group.activations[group.column * tokens..][..tokens];
        let rows: Vec<u32> = if group.masked {
            round_order(&group.mask, self.config.banks)
        } else {
            (0..tile.rows as u32).collect()
        };
        let mut of_bank = vec![0u32; self.config.banks];
        for (k, &row) in rows.iter().enumerate() {
            let row = row as usize;
            let weight = match group.kind {
                Kind::I8 => codes[k] as i8,
                Kind::G4 => {
                    let code = codes[k / 2] >> (k % 2 * 4) & 15;
                    let [d, z] = self.scales[row].to_le_bytes();
                    g4::expand(code, d, z as i8)
                }
            };
            for (lane, &x) in x.iter().enumerate() {
                let sum = &mut self.accumulators[row * self.config.batch + lane];
                *sum = wrap_accumulator(*sum + i32::from(weight) * i32::from(x));
            }
            of_bank[row % self.config.banks] += 1;
        }
        let rounds = of_bank.iter().max().copied().unwrap_or(0);
        self.counts.nonzeros = self.counts.nonzeros.wrapping_add(rows.len() as u32);
        self.counts.rounds = self.counts.rounds.wrapping_add(rounds);
        self.counts.columns = self.counts.columns.wrapping_add(1);
    }
}
