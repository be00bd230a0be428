//! `$readmemh` and `$readmemb`: the words of a memory from a file.
//!
//! The file holds words in digits of the radix, apart by white space and comments, and `@` with a hexadecimal address
//! where the next word goes. Unknown digits are zero. Words go from the lowest address up, or from the start towards
//! the finish that the call gives (IEEE 1364-2005, 17.2.9).

use std::io::Read as _;
use std::path::Path;

use super::Elaborator;
use super::process::{Kind, Process};
use super::scope::{Scope, Symbol};
use crate::bits::Bits;
use crate::error::{Error, Place, Result};
use crate::front::ast::{Expr, ExprKind};
use crate::limits::MAX_SOURCE_BYTES;

/// Work of a word and of a byte, see [`MAX_WORK`](crate::limits::MAX_WORK).
const WORD_WORK: u64 = 64;
const BYTE_WORK: u64 = 8;
/// Bits that a word takes beside its own until the end.
const WORD_BITS: u64 = 128;
/// Characters of a bad word that a message shows.
const SHOWN: usize = 24;

/// Where words go: the next address, the last one, and the lowest.
struct Range {
    next: i64,
    start: i64,
    finish: i64,
}

impl Range {
    fn contains(&self, address: i64) -> bool {
        (self.start.min(self.finish)..=self.start.max(self.finish)).contains(&address)
    }
    fn advance(&mut self) {
        self.next += if self.start <= self.finish { 1 } else { -1 };
    }
}

impl Elaborator<'_> {
    /// Executes a call with `args`: file, memory and, if given, start and finish.
    pub(super) fn read_memory(
        &mut self,
        scope: &mut Scope,
        p: &Process<'_>,
        line: u32,
        radix: u32,
        args: &[Expr],
    ) -> Result<()> {
        let task = if radix == 16 {
            "$readmemh"
        } else {
            "$readmemb"
        };
        if p.kind != Kind::Initial {
            return Err(self.unsupported(line, format!("{task} outside an initial block")));
        }
        if !p.path.is_empty() {
            let construct = format!("{task} under a condition that is not constant");
            return Err(self.unsupported(line, construct));
        }
        let (file, name, limits) = match args {
            [file, name, limits @ ..] if limits.len() <= 2 => (file, name, limits),
            _ => {
                let message = format!("{task} takes a file, a memory and at most two addresses");
                return Err(self.meaning(line, message));
            }
        };
        let Some(file) = scope.text(file).map(String::from) else {
            let construct = format!("{task} of a file that is not named by a string");
            return Err(self.unsupported(line, construct));
        };
        let memory = match &name.kind {
            ExprKind::Ident(name) => Some(self.symbol(scope, line, name)?.clone()),
            _ => None,
        };
        let Some(Symbol::Memory { id, words, .. }) = memory else {
            return Err(self.meaning(line, format!("{task} needs the name of a memory")));
        };
        let mut range = Range {
            next: words.low(),
            start: words.low(),
            finish: words.high(),
        };
        if let Some(start) = limits.first() {
            range.start = self.constant_i64(scope, start)?;
            range.next = range.start;
        }
        if let Some(finish) = limits.get(1) {
            range.finish = self.constant_i64(scope, finish)?;
        }
        for address in [range.start, range.finish] {
            if address < words.low() || address > words.high() {
                let message = format!("{task}: address {address} lies outside the memory");
                return Err(self.meaning(line, message));
            }
        }
        let (shown, text) = self.file(line, task, &file)?;
        let width = self.memories[id as usize].width;
        for (at, word) in words_of(&text) {
            self.builder
                .charge(WORD_WORK + BYTE_WORK * word.len() as u64);
            self.check()?;
            let wrong = |what: String| Error::Meaning {
                at: Place {
                    file: shown.clone(),
                    line: at,
                },
                message: format!("{what} (read by {task} at {}:{line})", self.file),
            };
            if let Some(address) = word.strip_prefix('@') {
                let digits = address.replace('_', "");
                let plain = digits.chars().all(|c| c.is_ascii_hexdigit());
                let address = i64::from_str_radix(&digits, 16).ok().filter(|_| plain);
                match address.filter(|a| range.contains(*a)) {
                    Some(address) => range.next = address,
                    None => {
                        let what = format!("no address of the memory: `{}`", start_of(word));
                        return Err(wrong(what));
                    }
                }
                continue;
            }
            let value = value(word, radix, width).map_err(&wrong)?;
            if !range.contains(range.next) {
                let what = format!(
                    "too many words: `{}` goes beyond address {}",
                    start_of(word),
                    range.finish
                );
                return Err(wrong(what));
            }
            self.builder.hold(WORD_BITS + u64::from(width));
            let index = range.next.abs_diff(words.low());
            self.memories[id as usize].init.push((index, value));
            range.advance();
        }
        self.check()
    }

    /// A file's name for messages, and its text.
    fn file(&mut self, line: u32, task: &str, name: &str) -> Result<(String, String)> {
        let Some(folder) = self.folder else {
            let message = format!(
                "{task} cannot look for `{name}`: this text came from no file; give its folder with `Source::within`"
            );
            return Err(self.meaning(line, message));
        };
        let path = folder.join(name);
        let shown = path.display().to_string();
        let bytes = read(&path)
            .map_err(|why| self.meaning(line, format!("{task} cannot read {shown}: {why}")))?;
        self.builder.charge(BYTE_WORK * bytes.len() as u64);
        self.check()?;
        Ok((shown, String::from_utf8_lossy(&bytes).into_owned()))
    }
}

/// A regular file of at most [`MAX_SOURCE_BYTES`].
fn read(path: &Path) -> Result<Vec<u8>, String> {
    let most = MAX_SOURCE_BYTES as u64;
    if !std::fs::metadata(path)
        .map_err(|e| e.to_string())?
        .is_file()
    {
        return Err("it is no regular file".into());
    }
    let file = std::fs::File::open(path).map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    let read = file.take(most + 1).read_to_end(&mut bytes);
    match read.map_err(|e| e.to_string())? as u64 {
        n if n > most => Err(format!("it has more than MAX_SOURCE_BYTES = {most} bytes")),
        _ => Ok(bytes),
    }
}

/// The beginning of a word, short enough for a message.
fn start_of(word: &str) -> String {
    word.chars().take(SHOWN).collect()
}

/// Words and addresses with their lines; comments are white space.
fn words_of(text: &str) -> impl Iterator<Item = (u32, &str)> {
    let (mut rest, mut line) = (text, 1);
    std::iter::from_fn(move || {
        loop {
            let skip = if rest.starts_with("//") {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else {
                let space = rest.len() - rest.trim_start().len();
                if space == 0 {
                    break;
                }
                space
            };
            line += rest[..skip].matches('\n').count() as u32;
            rest = &rest[skip..];
        }
        let end = rest
            .char_indices()
            .find(|(i, c)| c.is_whitespace() || (*i > 0 && rest[*i..].starts_with("/")))
            .map_or(rest.len(), |(i, _)| i);
        let word;
        (word, rest) = rest.split_at(end);
        (!word.is_empty()).then_some((line, word))
    })
}

/// The value of a word; digits that are unknown are zero.
fn value(word: &str, radix: u32, width: u32) -> Result<Bits, String> {
    let bits = radix.ilog2();
    let mut value = Bits::zero(width);
    let mut lo = 0;
    for c in word.chars().rev().filter(|c| *c != '_') {
        let digit = match c {
            'x' | 'X' | 'z' | 'Z' => 0,
            _ => c.to_digit(radix).ok_or_else(|| {
                let kind = if radix == 16 { "hexadecimal" } else { "binary" };
                format!("`{}` is no {kind} word", start_of(word))
            })?,
        };
        for i in (0..bits).filter(|i| digit >> i & 1 == 1) {
            if lo + i >= width {
                let word = start_of(word);
                return Err(format!("`{word}` does not fit a word of {width} bits"));
            }
            value.set(lo + i, true);
        }
        lo += bits;
    }
    if lo == 0 {
        return Err(format!("`{}` has no digits", start_of(word)));
    }
    Ok(value)
}
