//! Verilog text to tokens, with nom: comments, attributes and harmless directives disappear here.

use nom::branch::alt;
use nom::bytes::complete::{tag, take_till, take_until, take_while, take_while1};
use nom::character::complete::{char, one_of};
use nom::combinator::{map, opt, recognize};
use nom::sequence::{delimited, pair, preceded, terminated};
use nom::{IResult, Parser};

use super::ast::Number;
use super::number::{Radix, literal};
use crate::error::{Error, Place, Result};
use crate::limits::{MAX_TOKENS, MAX_TOTAL_NODE_BITS};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token<'a> {
    Ident(&'a str),
    /// `$name`, without the dollar sign.
    System(&'a str),
    Number(Number),
    Real,
    /// Without its quotes.
    Str(&'a str),
    Symbol(&'static str),
    End,
}

impl std::fmt::Display for Token<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Token::Ident(s) => write!(f, "`{s}`"),
            Token::System(s) => write!(f, "`${s}`"),
            Token::Number(n) => write!(f, "number {:x}", n.value),
            Token::Real => write!(f, "a real number"),
            Token::Str(_) => write!(f, "a string"),
            Token::Symbol(s) => write!(f, "`{s}`"),
            Token::End => write!(f, "the end of the text"),
        }
    }
}

/// Longest first, so that the first match is the right one.
const SYMBOLS: [&str; 51] = [
    "<<<", ">>>", "===", "!==", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||", "**", "~&", "~|",
    "~^", "^~", "+:", "-:", "->", "(", ")", "[", "]", "{", "}", ";", ",", ".", ":", "=", "<", ">",
    "+", "-", "*", "/", "%", "&", "|", "^", "~", "!", "?", "@", "#", "'", "$", "\\", "`", "\"",
];

/// Directives that change nothing in two-state, zero-delay simulation; the rest of their line is skipped.
const IGNORED_DIRECTIVES: [&str; 5] = [
    "timescale",
    "default_nettype",
    "celldefine",
    "endcelldefine",
    "resetall",
];

type Out<'a, T> = IResult<&'a str, T>;

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '$'
}

fn comment(i: &str) -> Out<'_, &str> {
    alt((
        recognize(pair(tag("//"), take_till(|c| c == '\n'))),
        recognize((tag("/*"), take_until("*/"), tag("*/"))),
    ))
    .parse(i)
}

/// Whether an attribute starts here.
fn is_attribute(i: &str) -> bool {
    i.strip_prefix("(*")
        .is_some_and(|rest| !rest.trim_start().starts_with(')'))
}

/// `(* ... *)`, and not the `(*)` of a sensitivity list.
fn attribute(i: &str) -> Out<'_, &str> {
    let (rest, _) = tag("(*")(i)?;
    if !is_attribute(i) {
        return Err(nom::Err::Error(nom::error::Error::new(
            i,
            nom::error::ErrorKind::Tag,
        )));
    }
    recognize(terminated(take_until("*)"), tag("*)"))).parse(rest)
}

fn ignored_directive(i: &str) -> Out<'_, &str> {
    let (rest, name) = preceded(char('`'), take_while1(is_word)).parse(i)?;
    if !IGNORED_DIRECTIVES.contains(&name) {
        return Err(nom::Err::Error(nom::error::Error::new(
            i,
            nom::error::ErrorKind::Tag,
        )));
    }
    take_till(|c| c == '\n')(rest)
}

fn blank(i: &str) -> Out<'_, &str> {
    alt((
        take_while1(char::is_whitespace),
        comment,
        attribute,
        ignored_directive,
    ))
    .parse(i)
}

fn identifier(i: &str) -> Out<'_, &str> {
    alt((
        recognize(pair(
            take_while1(|c: char| c.is_ascii_alphabetic() || c == '_'),
            take_while(is_word),
        )),
        delimited(
            char('\\'),
            take_till(char::is_whitespace),
            take_while(char::is_whitespace),
        ),
    ))
    .parse(i)
}

fn system(i: &str) -> Out<'_, &str> {
    preceded(char('$'), take_while1(is_word)).parse(i)
}

fn decimal(i: &str) -> Out<'_, &str> {
    recognize(pair(
        one_of("0123456789"),
        take_while(|c: char| c.is_ascii_digit() || c == '_'),
    ))
    .parse(i)
}

fn real(i: &str) -> Out<'_, &str> {
    let exponent = || recognize((one_of("eE"), opt(one_of("+-")), decimal));
    alt((
        recognize((decimal, char('.'), decimal, opt(exponent()))),
        recognize((decimal, exponent())),
    ))
    .parse(i)
}

/// The parts of a literal: size, sign flag, base and digits.
type Parts<'a> = (Option<&'a str>, bool, Radix, &'a str);

fn based(i: &str) -> Out<'_, Parts<'_>> {
    let spaces = || take_while(|c: char| c == ' ' || c == '\t');
    let sign = map(opt(one_of("sS")), |s| s.is_some());
    let radix = map(one_of("bBoOdDhH"), Radix::of);
    let digits = take_while1(|c: char| {
        c.is_ascii_hexdigit() || matches!(c, '_' | 'x' | 'X' | 'z' | 'Z' | '?')
    });
    let (rest, (size, _, _, sign, radix, _, digits)) = (
        opt(decimal),
        spaces(),
        char('\''),
        sign,
        radix,
        spaces(),
        digits,
    )
        .parse(i)?;
    Ok((rest, (size, sign, radix, digits)))
}

fn string(i: &str) -> Out<'_, &str> {
    delimited(char('"'), take_till(|c| c == '"' || c == '\n'), char('"')).parse(i)
}

fn symbol(i: &str) -> Option<(&str, &'static str)> {
    SYMBOLS
        .iter()
        .find_map(|s| i.strip_prefix(s).map(|rest| (rest, *s)))
}

/// Splits `source` into tokens with their lines; the last one is [`Token::End`].
pub(super) fn tokens<'a>(file: &str, source: &'a str) -> Result<Vec<(Token<'a>, u32)>> {
    let mut out = Vec::with_capacity(source.len() / 8);
    let (mut rest, mut line) = (source, 1u32);
    let mut literal_bits = 0;
    loop {
        let before = rest;
        while let Ok((r, _)) = blank(rest) {
            rest = r;
        }
        line += newlines(before, rest);
        if rest.is_empty() {
            out.push((Token::End, line));
            return Ok(out);
        }
        let at = || Place {
            file: file.into(),
            line,
        };
        let start = rest;
        let at_limit = |what, name, limit| Error::Limit {
            what: format!("{what} up to {}", at()),
            name,
            limit,
        };
        if out.len() >= MAX_TOKENS {
            let what = "the number of tokens";
            return Err(at_limit(what, "MAX_TOKENS", MAX_TOKENS as u64));
        }
        if literal_bits > MAX_TOTAL_NODE_BITS {
            let what = "the number of bits of literals";
            return Err(at_limit(what, "MAX_TOTAL_NODE_BITS", MAX_TOTAL_NODE_BITS));
        }
        let token = if let Ok((r, word)) = identifier(rest) {
            rest = r;
            Token::Ident(word)
        } else if let Ok((r, word)) = system(rest) {
            rest = r;
            Token::System(word)
        } else if let Ok((r, (size, signed, radix, digits))) = based(rest) {
            rest = r;
            Token::Number(
                literal(size, signed, radix, digits)
                    .map_err(|message| Error::Meaning { at: at(), message })?,
            )
        } else if let Ok((r, _)) = real(rest) {
            rest = r;
            Token::Real
        } else if let Ok((r, digits)) = decimal(rest) {
            rest = r;
            let n = literal(None, true, Radix::Decimal, digits);
            Token::Number(n.map_err(|message| Error::Meaning { at: at(), message })?)
        } else if let Ok((r, text)) = string(rest) {
            rest = r;
            Token::Str(text)
        } else if rest.starts_with('`') {
            let word: String = rest
                .chars()
                .take_while(|c| !c.is_whitespace())
                .take(40)
                .collect();
            return Err(Error::Unsupported {
                at: at(),
                construct: format!("compiler directive {word}"),
            });
        } else if let Some((r, s)) =
            symbol(rest).filter(|_| !rest.starts_with("/*") && !is_attribute(rest))
        {
            rest = r;
            Token::Symbol(s)
        } else {
            let found = rest.chars().next().unwrap_or(' ');
            let expected = if rest.starts_with("/*") {
                "the end of a comment"
            } else if is_attribute(rest) {
                "the end of an attribute"
            } else {
                "a Verilog token"
            };
            return Err(Error::Syntax {
                at: at(),
                expected: expected.into(),
                found: format!("{found:?}"),
            });
        };
        if let Token::Number(n) = &token {
            literal_bits += u64::from(n.value.width() + n.x.width() + n.z.width());
        }
        out.push((token, line));
        line += newlines(start, rest);
    }
}

fn newlines(from: &str, to: &str) -> u32 {
    from.as_bytes()[..from.len() - to.len()]
        .iter()
        .filter(|b| **b == b'\n')
        .count() as u32
}
