//! Metadata values.

/// One metadata value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// An integer of any width, signed or not; every width of the format fits.
    Int(i128),
    /// An `f32` or `f64`.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A UTF-8 string.
    String(String),
    /// An array.
    Array(Array),
}

/// A metadata array; all elements have one type.
#[derive(Debug, Clone, PartialEq)]
pub enum Array {
    /// Integers of any width.
    Int(Vec<i64>),
    /// Unsigned 64-bit integers, the only width that does not fit [`Array::Int`].
    U64(Vec<u64>),
    /// `f32` or `f64`.
    Float(Vec<f64>),
    /// Booleans.
    Bool(Vec<bool>),
    /// UTF-8 strings.
    String(Vec<String>),
    /// Arrays.
    Array(Vec<Array>),
}

impl Array {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::Int(v) => v.len(),
            Self::U64(v) => v.len(),
            Self::Float(v) => v.len(),
            Self::Bool(v) => v.len(),
            Self::String(v) => v.len(),
            Self::Array(v) => v.len(),
        }
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Value {
    /// What the value is, for messages.
    pub(super) fn describe(&self) -> String {
        match self {
            Self::Int(v) => format!("the integer {v}"),
            Self::Float(v) => format!("the number {v}"),
            Self::Bool(v) => format!("the boolean {v}"),
            Self::String(_) => "a string".into(),
            Self::Array(a) => {
                let of = match a {
                    Array::Int(_) | Array::U64(_) => "integers",
                    Array::Float(_) => "numbers",
                    Array::Bool(_) => "booleans",
                    Array::String(_) => "strings",
                    Array::Array(_) => "arrays",
                };
                format!("an array of {} {of}", a.len())
            }
        }
    }
}
