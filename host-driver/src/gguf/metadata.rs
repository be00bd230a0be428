//! Typed access to metadata.

use super::{Array, Gguf, GgufError, Value};

/// Getters come in two forms: `find_*` gives `None` for an absent key, `get_*` calls it an error.
/// Both refuse a key that is there with another type.
impl Gguf {
    fn find<'a, T>(
        &'a self,
        key: &str,
        expected: &'static str,
        read: impl Fn(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, GgufError> {
        match self.metadata.get(key) {
            None => Ok(None),
            Some(v) => read(v).map(Some).ok_or_else(|| GgufError::KeyType {
                key: key.into(),
                found: v.describe(),
                expected,
            }),
        }
    }

    /// A string, if the key is there.
    ///
    /// # Errors
    /// [`GgufError::KeyType`].
    pub fn find_str(&self, key: &str) -> Result<Option<&str>, GgufError> {
        self.find(key, "a string", |v| match v {
            Value::String(s) => Some(s.as_str()),
            _ => None,
        })
    }

    /// An unsigned 32-bit integer (stored with any width), if the key is there.
    ///
    /// # Errors
    /// [`GgufError::KeyType`].
    pub fn find_u32(&self, key: &str) -> Result<Option<u32>, GgufError> {
        self.find(key, "an unsigned 32-bit integer", |v| match v {
            Value::Int(i) => u32::try_from(*i).ok(),
            _ => None,
        })
    }

    /// A finite number, if the key is there.
    ///
    /// # Errors
    /// [`GgufError::KeyType`].
    pub fn find_f32(&self, key: &str) -> Result<Option<f32>, GgufError> {
        self.find(key, "a finite number", |v| match v {
            Value::Float(f) if (*f as f32).is_finite() => Some(*f as f32),
            _ => None,
        })
    }

    /// A boolean, if the key is there.
    ///
    /// # Errors
    /// [`GgufError::KeyType`].
    pub fn find_bool(&self, key: &str) -> Result<Option<bool>, GgufError> {
        self.find(key, "a boolean", |v| match v {
            Value::Bool(b) => Some(*b),
            _ => None,
        })
    }

    /// An array of strings, if the key is there.
    ///
    /// # Errors
    /// [`GgufError::KeyType`].
    pub fn find_strings(&self, key: &str) -> Result<Option<&[String]>, GgufError> {
        self.find(key, "an array of strings", |v| match v {
            Value::Array(Array::String(s)) => Some(s.as_slice()),
            _ => None,
        })
    }

    /// An array of integers, if the key is there.
    ///
    /// # Errors
    /// [`GgufError::KeyType`].
    pub fn find_ints(&self, key: &str) -> Result<Option<&[i64]>, GgufError> {
        self.find(key, "an array of integers", |v| match v {
            Value::Array(Array::Int(s)) => Some(s.as_slice()),
            _ => None,
        })
    }

    /// A string.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`] or [`GgufError::KeyType`].
    pub fn get_str(&self, key: &str) -> Result<&str, GgufError> {
        self.find_str(key)?.ok_or_else(|| missing(key))
    }

    /// An unsigned 32-bit integer (stored with any width).
    ///
    /// # Errors
    /// [`GgufError::MissingKey`] or [`GgufError::KeyType`].
    pub fn get_u32(&self, key: &str) -> Result<u32, GgufError> {
        self.find_u32(key)?.ok_or_else(|| missing(key))
    }

    /// A finite number.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`] or [`GgufError::KeyType`].
    pub fn get_f32(&self, key: &str) -> Result<f32, GgufError> {
        self.find_f32(key)?.ok_or_else(|| missing(key))
    }

    /// An array of strings.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`] or [`GgufError::KeyType`].
    pub fn get_strings(&self, key: &str) -> Result<&[String], GgufError> {
        self.find_strings(key)?.ok_or_else(|| missing(key))
    }

    /// An array of integers.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`] or [`GgufError::KeyType`].
    pub fn get_ints(&self, key: &str) -> Result<&[i64], GgufError> {
        self.find_ints(key)?.ok_or_else(|| missing(key))
    }

    /// An array of numbers.
    ///
    /// # Errors
    /// [`GgufError::MissingKey`] or [`GgufError::KeyType`].
    pub fn get_floats(&self, key: &str) -> Result<&[f64], GgufError> {
        self.find(key, "an array of numbers", |v| match v {
            Value::Array(Array::Float(s)) => Some(s.as_slice()),
            _ => None,
        })?
        .ok_or_else(|| missing(key))
    }
}

fn missing(key: &str) -> GgufError {
    GgufError::MissingKey { key: key.into() }
}
