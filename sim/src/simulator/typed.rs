//! Ports as Rust integers.

use std::marker::PhantomData;

use super::{Input, Signal, Simulator};
use crate::error::{Error, Result};

/// A Rust type that a port's bits convert to and from.
pub trait PortValue: Copy + private::Sealed {
    /// Bits of the type; ports may be narrower.
    const WIDTH: u32;
    /// Little-endian limbs, sign-extended for signed types.
    fn to_limbs(self) -> [u64; 2];
    /// From the limbs of a port of `width` bits; signed types extend its sign.
    fn from_limbs(limbs: [u64; 2], width: u32) -> Self;
}

mod private {
    /// Keeps the set of types closed.
    pub trait Sealed {}
}

impl private::Sealed for bool {}
impl PortValue for bool {
    const WIDTH: u32 = 1;
    fn to_limbs(self) -> [u64; 2] {
        [self.into(), 0]
    }
    fn from_limbs(limbs: [u64; 2], _: u32) -> Self {
        limbs[0] != 0
    }
}

macro_rules! unsigned {
    ($($t:ty),*) => {$(
        impl private::Sealed for $t {}
        impl PortValue for $t {
            const WIDTH: u32 = <$t>::BITS;
            fn to_limbs(self) -> [u64; 2] {
                let wide = u128::from(self);
                [wide as u64, (wide >> 64) as u64]
            }
            fn from_limbs(limbs: [u64; 2], _: u32) -> Self {
                (u128::from(limbs[1]) << 64 | u128::from(limbs[0])) as $t
            }
        }
    )*};
}
unsigned!(u8, u16, u32, u64, u128);

macro_rules! signed {
    ($($t:ty),*) => {$(
        impl private::Sealed for $t {}
        impl PortValue for $t {
            const WIDTH: u32 = <$t>::BITS;
            fn to_limbs(self) -> [u64; 2] {
                let wide = i128::from(self);
                [wide as u64, (wide >> 64) as u64]
            }
            fn from_limbs(limbs: [u64; 2], width: u32) -> Self {
                let wide = (u128::from(limbs[1]) << 64 | u128::from(limbs[0])) as i128;
                let unused = 128 - width;
                (wide << unused >> unused) as $t
            }
        }
    )*};
}
signed!(i8, i16, i32, i64, i128);

/// An input of the top module that takes `T`.
#[derive(Debug, Clone, Copy)]
pub struct In<T>(Input, PhantomData<T>);

/// An output or probe that gives `T`.
#[derive(Debug, Clone, Copy)]
pub struct Out<T>(Signal, PhantomData<T>);

fn fits<T: PortValue>(name: &str, width: u32) -> Result<()> {
    if width <= T::WIDTH {
        return Ok(());
    }
    Err(Error::Access {
        name: name.into(),
        message: format!(
            "it has {width} bits and the Rust type {} holds {}",
            std::any::type_name::<T>(),
            T::WIDTH
        ),
    })
}

impl Simulator {
    /// Looks up an input as a Rust type, which must hold all its bits.
    pub fn typed_input<T: PortValue>(&self, name: &str) -> Result<In<T>> {
        let input = self.input(name)?;
        fits::<T>(name, input.width())?;
        Ok(In(input, PhantomData))
    }

    /// Looks up an output, or a probe by its path, as a Rust type, which must hold all its bits.
    pub fn typed_output<T: PortValue>(&self, name: &str) -> Result<Out<T>> {
        let signal = self
            .output(name)
            .or_else(|e| self.probe(name).map_err(|_| e))?;
        fits::<T>(name, signal.width())?;
        Ok(Out(signal, PhantomData))
    }

    /// Sets an input; bits beyond its width are dropped, so that `-1` sets all of them.
    #[inline]
    pub fn set<T: PortValue>(&mut self, port: In<T>, value: T) {
        let limbs = value.to_limbs();
        match port.0.width() {
            0..=64 => self.poke(port.0, limbs[0]),
            _ => self.poke_wide(port.0, &limbs),
        }
    }

    /// The value of an output or probe, as before the clock edge of the last cycle.
    #[inline]
    pub fn get<T: PortValue>(&self, port: Out<T>) -> T {
        let width = port.0.width();
        let mut limbs = [0; 2];
        match width {
            0..=64 => limbs[0] = self.peek(port.0),
            _ => self.peek_wide(port.0, &mut limbs),
        }
        T::from_limbs(limbs, width)
    }
}
