//! The meaning of every operation, on [`Bits`]: the definition that folding and the interpreter share.

use std::cmp::Ordering;

use super::{Binary, Op, Unary};
use crate::bits::Bits;

/// Value of an operation without state (no input, register, signal or memory read) of `width` bits, given its
/// operands' values in order.
pub(crate) fn eval(op: &Op, width: u32, args: &[&Bits]) -> Bits {
    match op {
        Op::Const(b) => b.clone(),
        Op::Unary(u, _) => match u {
            Unary::Not => args[0].not(),
            Unary::Neg => args[0].neg(),
            Unary::RedAnd => Bits::bool(args[0].is_ones()),
            Unary::RedOr => Bits::bool(!args[0].is_zero()),
            Unary::RedXor => Bits::bool(args[0].parity()),
        },
        Op::Binary(op, _, _) => binary(*op, args[0], args[1]),
        Op::Mux(..) => args[if args[0].is_zero() { 2 } else { 1 }].clone(),
        Op::Slice(_, lo) => args[0].slice(*lo, width),
        Op::Concat(_) => {
            let mut out = Bits::zero(width);
            let mut lo = 0;
            for part in args.iter().rev() {
                out.insert(lo, part);
                lo += part.width();
            }
            out
        }
        Op::Zext(_) => args[0].zext(width),
        Op::Sext(_) => args[0].sext(width),
        Op::Input(_) | Op::Reg(_) | Op::Signal(_) | Op::Read(..) => {
            unreachable!("state is read by the caller")
        }
        Op::Vector(_) | Op::Lane(..) => unreachable!("nothing is evaluated after `vectorise`"),
    }
}

fn binary(op: Binary, a: &Bits, b: &Bits) -> Bits {
    let amount = || b.to_u64().unwrap_or(u64::MAX);
    match op {
        Binary::And => a.and(b),
        Binary::Or => a.or(b),
        Binary::Xor => a.xor(b),
        Binary::Add => a.add(b),
        Binary::Sub => a.sub(b),
        Binary::Mul => a.mul(b),
        Binary::Udiv => a.divrem(b).0,
        Binary::Urem => a.divrem(b).1,
        Binary::Sdiv => a.sdivrem(b).0,
        Binary::Srem => a.sdivrem(b).1,
        Binary::Eq => Bits::bool(a == b),
        Binary::Ult => Bits::bool(a.ucmp(b) == Ordering::Less),
        Binary::Slt => Bits::bool(a.scmp(b) == Ordering::Less),
        Binary::Shl => a.shl(amount()),
        Binary::Lshr => a.lshr(amount()),
        Binary::Ashr => a.ashr(amount()),
    }
}
