//! The file's structure, by nom: header, metadata, tensor directory.
//!
//! Parsers return what they read or the exact field that is wrong. No count from the file is
//! believed before it is under its limit and the bytes it needs are there, so memory is bounded by
//! the size of the file.

use super::{Array, GgufError, TensorType, Value, limits};
use nom::{
    IResult, Parser,
    bytes::complete::take,
    error::{ErrorKind, ParseError},
    number::complete::{
        le_f32, le_f64, le_i8, le_i16, le_i32, le_i64, le_u8, le_u16, le_u32, le_u64,
    },
};

/// A failure and how many bytes were left when it happened.
#[derive(Debug)]
pub(super) struct Fault {
    left: usize,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Truncated(&'static str),
    Limit {
        what: &'static str,
        found: u64,
        limit: u64,
    },
    Utf8(&'static str),
    ValueType(u32),
    Bool(u8),
}

impl<'a> ParseError<&'a [u8]> for Fault {
    fn from_error_kind(input: &'a [u8], _: ErrorKind) -> Self {
        Fault {
            left: input.len(),
            cause: Cause::Truncated("a field"),
        }
    }

    fn append(_: &'a [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl Fault {
    fn at(input: &[u8], cause: Cause) -> nom::Err<Self> {
        nom::Err::Failure(Fault {
            left: input.len(),
            cause,
        })
    }

    fn into_error(self, total: usize) -> GgufError {
        let at = total - self.left;
        match self.cause {
            Cause::Truncated(what) => GgufError::Truncated { what, at },
            Cause::Limit { what, found, limit } => GgufError::Limit {
                what,
                found,
                limit,
                at,
            },
            Cause::Utf8(what) => GgufError::Utf8 { what, at },
            Cause::ValueType(found) => GgufError::ValueType { found, at },
            Cause::Bool(found) => GgufError::Bool { found, at },
        }
    }
}

type Parsed<'a, T> = IResult<&'a [u8], T, Fault>;

/// Names the part that `parser` reads, for the truncation message.
fn part<'a, T>(
    what: &'static str,
    mut parser: impl Parser<&'a [u8], Output = T, Error = Fault>,
) -> impl FnMut(&'a [u8]) -> Parsed<'a, T> {
    move |input| {
        parser.parse(input).map_err(|e| match e {
            nom::Err::Error(f) => Fault::at(&input[input.len() - f.left..], Cause::Truncated(what)),
            other => other,
        })
    }
}

/// A 64-bit count no larger than `limit`.
fn count(what: &'static str, limit: u64) -> impl FnMut(&[u8]) -> Parsed<'_, usize> {
    move |input| {
        let (rest, found) = part(what, le_u64).parse(input)?;
        if found > limit {
            return Err(Fault::at(input, Cause::Limit { what, found, limit }));
        }
        Ok((rest, found as usize))
    }
}

fn string(what: &'static str, limit: u64) -> impl FnMut(&[u8]) -> Parsed<'_, String> {
    move |input| {
        let (rest, len) = count(what, limit)(input)?;
        let (rest, bytes) = part(what, take(len)).parse(rest)?;
        match std::str::from_utf8(bytes) {
            Ok(s) => Ok((rest, s.to_owned())),
            Err(_) => Err(Fault::at(input, Cause::Utf8(what))),
        }
    }
}

fn boolean(input: &[u8]) -> Parsed<'_, bool> {
    let (rest, byte) = part("a boolean", le_u8).parse(input)?;
    match byte {
        0 | 1 => Ok((rest, byte == 1)),
        other => Err(Fault::at(input, Cause::Bool(other))),
    }
}

const INT: &str = "an integer";
const FLOAT: &str = "a number";
const TEXT: &str = "a metadata string";

fn value(kind: u32, input: &[u8]) -> Parsed<'_, Value> {
    let int = |v: i128| Value::Int(v);
    match kind {
        0 => part(INT, le_u8.map(|v| int(v.into()))).parse(input),
        1 => part(INT, le_i8.map(|v| int(v.into()))).parse(input),
        2 => part(INT, le_u16.map(|v| int(v.into()))).parse(input),
        3 => part(INT, le_i16.map(|v| int(v.into()))).parse(input),
        4 => part(INT, le_u32.map(|v| int(v.into()))).parse(input),
        5 => part(INT, le_i32.map(|v| int(v.into()))).parse(input),
        6 => part(FLOAT, le_f32.map(|v| Value::Float(v.into()))).parse(input),
        7 => boolean.map(Value::Bool).parse(input),
        8 => string(TEXT, limits::STRING).map(Value::String).parse(input),
        9 => array(1, input).map(|(rest, a)| (rest, Value::Array(a))),
        10 => part(INT, le_u64.map(|v| int(v.into()))).parse(input),
        11 => part(INT, le_i64.map(|v| int(v.into()))).parse(input),
        12 => part(FLOAT, le_f64.map(Value::Float)).parse(input),
        found => Err(Fault::at(input, Cause::ValueType(found))),
    }
}

/// `len` items, growing as they are read: a count that the file cannot hold ends in `Truncated`.
fn items<'a, T>(
    len: usize,
    mut item: impl FnMut(&'a [u8]) -> Parsed<'a, T>,
    input: &'a [u8],
) -> Parsed<'a, Vec<T>> {
    let mut out = Vec::with_capacity(len.min(input.len()).min(4096));
    let mut rest = input;
    for _ in 0..len {
        let (next, one) = item(rest)?;
        out.push(one);
        rest = next;
    }
    Ok((rest, out))
}

fn array(depth: u64, input: &[u8]) -> Parsed<'_, Array> {
    if depth > limits::ARRAY_DEPTH {
        return Err(Fault::at(
            input,
            Cause::Limit {
                what: "the nesting of arrays",
                found: depth,
                limit: limits::ARRAY_DEPTH,
            },
        ));
    }
    let (after_kind, kind) = part("an array's element type", le_u32).parse(input)?;
    let (rest, len) = count("an array's length", limits::ARRAY)(after_kind)?;
    let ints = |(r, v)| (r, Array::Int(v));
    match kind {
        0 => items(len, part(INT, le_u8.map(i64::from)), rest).map(ints),
        1 => items(len, part(INT, le_i8.map(i64::from)), rest).map(ints),
        2 => items(len, part(INT, le_u16.map(i64::from)), rest).map(ints),
        3 => items(len, part(INT, le_i16.map(i64::from)), rest).map(ints),
        4 => items(len, part(INT, le_u32.map(i64::from)), rest).map(ints),
        5 => items(len, part(INT, le_i32.map(i64::from)), rest).map(ints),
        6 => {
            items(len, part(FLOAT, le_f32.map(f64::from)), rest).map(|(r, v)| (r, Array::Float(v)))
        }
        7 => items(len, boolean, rest).map(|(r, v)| (r, Array::Bool(v))),
        8 => items(len, string("a string of an array", limits::STRING), rest)
            .map(|(r, v)| (r, Array::String(v))),
        9 => items(len, |i| array(depth + 1, i), rest).map(|(r, v)| (r, Array::Array(v))),
        10 => items(len, part(INT, le_u64), rest).map(|(r, v)| (r, Array::U64(v))),
        11 => items(len, part(INT, le_i64), rest).map(ints),
        12 => items(len, part(FLOAT, le_f64), rest).map(|(r, v)| (r, Array::Float(v))),
        found => Err(Fault::at(input, Cause::ValueType(found))),
    }
}

fn entry(input: &[u8]) -> Parsed<'_, (String, Value)> {
    let (rest, key) = string("a metadata key", limits::NAME)(input)?;
    let (after_kind, kind) = part("a metadata value's type", le_u32).parse(rest)?;
    let fault_at = rest;
    let (rest, value) = match value(kind, after_kind) {
        Err(nom::Err::Failure(Fault {
            cause: Cause::ValueType(found),
            ..
        })) if found == kind => return Err(Fault::at(fault_at, Cause::ValueType(found))),
        other => other?,
    };
    Ok((rest, (key, value)))
}

/// A tensor's directory entry as it stands in the file.
#[derive(Debug)]
pub(super) struct RawTensor {
    pub(super) name: String,
    pub(super) dims: Vec<u64>,
    pub(super) type_number: u32,
    pub(super) offset: u64,
}

fn tensor(input: &[u8]) -> Parsed<'_, RawTensor> {
    let (dims_at, name) = string("a tensor's name", limits::NAME)(input)?;
    let what = "a tensor's number of dimensions";
    let (rest, n_dims) = part(what, le_u32).parse(dims_at)?;
    let n_dims = u64::from(n_dims);
    if n_dims > limits::DIMS {
        let (found, limit) = (n_dims, limits::DIMS);
        return Err(Fault::at(dims_at, Cause::Limit { what, found, limit }));
    }
    let (rest, dims) = items(
        n_dims as usize,
        |i| count("a tensor's dimension", limits::DIM)(i).map(|(r, d)| (r, d as u64)),
        rest,
    )?;
    let (rest, (type_number, offset)) = (
        part("a tensor's type", le_u32),
        part("a tensor's offset", le_u64),
    )
        .parse(rest)?;
    Ok((
        rest,
        RawTensor {
            name,
            dims,
            type_number,
            offset,
        },
    ))
}

/// What stands before the data section.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) entries: Vec<(String, Value)>,
    pub(super) tensors: Vec<RawTensor>,
    /// Bytes from the start of the file to the end of the tensor directory.
    pub(super) len: usize,
}

/// Reads everything before the data section.
pub(super) fn head(file: &[u8]) -> Result<Head, GgufError> {
    let total = file.len();
    let finish = |e: nom::Err<Fault>| match e {
        nom::Err::Error(f) | nom::Err::Failure(f) => f.into_error(total),
        // `complete` parsers do not ask for more.
        nom::Err::Incomplete(_) => GgufError::Truncated {
            what: "the file",
            at: total,
        },
    };
    if !file.starts_with(b"GGUF") {
        if b"GGUF".starts_with(file) {
            return Err(GgufError::Truncated {
                what: "the magic number",
                at: total,
            });
        }
        return Err(GgufError::Magic {
            found: file.iter().take(4).copied().collect(),
        });
    }
    let (rest, version) = part("the version", le_u32)(&file[4..]).map_err(finish)?;
    if !(2..=3).contains(&version) {
        return Err(GgufError::Version { found: version });
    }
    let (rest, n_tensors) =
        count("the number of tensors", limits::TENSORS)(rest).map_err(finish)?;
    let (rest, n_entries) =
        count("the number of metadata entries", limits::METADATA)(rest).map_err(finish)?;
    let (rest, entries) = items(n_entries, entry, rest).map_err(finish)?;
    let (rest, tensors) = items(n_tensors, tensor, rest).map_err(finish)?;
    Ok(Head {
        version,
        entries,
        tensors,
        len: total - rest.len(),
    })
}

/// The readable type of a directory entry.
pub(super) fn tensor_type(raw: &RawTensor) -> Result<TensorType, GgufError> {
    TensorType::from_number(raw.type_number).ok_or_else(|| GgufError::TensorType {
        name: raw.name.clone(),
        number: raw.type_number,
        type_name: TensorType::foreign_name(raw.type_number),
    })
}
