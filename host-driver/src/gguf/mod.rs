//! GGUF model files: structure, metadata and quantised tensors, read from a memory map.
//!
//! [`Gguf::open`] checks the whole directory (every offset, count and type) before anything is
//! handed out, so a [`TensorView`] always covers bytes that exist. Rows are turned into `f32` by
//! [`TensorView::dequantize_row`]; the four-bit types also give their own codes, group by group,
//! through [`TensorView::group4`], which is what the packer keeps bit for bit.

mod blocks;
mod error;
mod groups;
mod kblocks;
pub mod limits;
mod metadata;
mod parse;
mod tensor_type;
mod value;
mod view;

pub use blocks::dequantize_row;
pub use error::GgufError;
pub use groups::{GROUP, Group4};
pub use tensor_type::TensorType;
pub use value::{Array, Value};
pub use view::TensorView;

use crate::mapped::Mapped;
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
    path::Path,
};

/// Alignment of the data section when the file does not say.
const DEFAULT_ALIGNMENT: u64 = 32;

#[derive(Debug)]
enum Backing {
    Mapped(Mapped),
    Owned(Vec<u8>),
}

impl Backing {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Mapped(m) => m,
            Self::Owned(v) => v,
        }
    }
}

/// A tensor's directory entry, checked.
#[derive(Debug, Clone)]
pub struct TensorInfo {
    /// Its name, for example `blk.0.attn_q.weight`.
    pub name: String,
    /// Its element format.
    pub ty: TensorType,
    /// Outputs: the product of all dimensions but the first.
    pub rows: usize,
    /// Inputs: the first dimension, contiguous in the file.
    pub cols: usize,
    /// Where its bytes are in the file.
    range: Range<usize>,
}

/// An open GGUF file.
#[derive(Debug)]
pub struct Gguf {
    backing: Backing,
    version: u32,
    metadata: BTreeMap<String, Value>,
    tensors: Vec<TensorInfo>,
    index: HashMap<String, usize>,
}

impl Gguf {
    /// Maps and checks the file at `path`.
    ///
    /// # Errors
    /// [`GgufError::Open`] when it cannot be opened; otherwise the first thing that is wrong with it.
    pub fn open(path: &Path) -> Result<Self, GgufError> {
        let map = Mapped::open(path).map_err(|source| GgufError::Open {
            path: path.to_owned(),
            source,
        })?;
        Self::from_backing(Backing::Mapped(map))
    }

    /// Checks a file that is already in memory.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Self, GgufError> {
        Self::from_backing(Backing::Owned(bytes))
    }

    fn from_backing(backing: Backing) -> Result<Self, GgufError> {
        let file = backing.bytes();
        let head = parse::head(file)?;
        let mut metadata = BTreeMap::new();
        for (key, value) in head.entries {
            if metadata.contains_key(&key) {
                return Err(GgufError::DuplicateKey { key });
            }
            metadata.insert(key, value);
        }
        let alignment = alignment(&metadata)?;
        let data_start = (head.len as u64).next_multiple_of(alignment);
        let data_len = (file.len() as u64).saturating_sub(data_start);
        let mut tensors = Vec::with_capacity(head.tensors.len());
        let mut index = HashMap::with_capacity(head.tensors.len());
        for raw in &head.tensors {
            let info = place(raw, alignment, data_start, data_len)?;
            if index.insert(info.name.clone(), tensors.len()).is_some() {
                return Err(GgufError::DuplicateTensor { name: info.name });
            }
            tensors.push(info);
        }
        Ok(Self {
            version: head.version,
            backing,
            metadata,
            tensors,
            index,
        })
    }

    /// Version of the format, 2 or 3.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// All metadata, by key.
    pub fn metadata(&self) -> &BTreeMap<String, Value> {
        &self.metadata
    }

    /// The tensor directory in file order.
    pub fn tensors(&self) -> &[TensorInfo] {
        &self.tensors
    }

    /// Whether a tensor of this name exists.
    pub fn has_tensor(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// The tensor `name`.
    ///
    /// # Errors
    /// [`GgufError::MissingTensor`].
    pub fn tensor(&self, name: &str) -> Result<TensorView<'_>, GgufError> {
        let &i = self
            .index
            .get(name)
            .ok_or_else(|| GgufError::MissingTensor { name: name.into() })?;
        let info = &self.tensors[i];
        Ok(TensorView {
            name: &info.name,
            ty: info.ty,
            rows: info.rows,
            cols: info.cols,
            bytes: &self.backing.bytes()[info.range.clone()],
        })
    }

    /// Lets the kernel take back the memory in which the tensor `name` was read; reading it again is allowed.
    pub fn release(&self, name: &str) {
        if let (Some(&i), Backing::Mapped(map)) = (self.index.get(name), &self.backing) {
            map.release(self.tensors[i].range.clone());
        }
    }

    /// The tensor `name`, which must be `rows` x `cols` (outputs x inputs).
    ///
    /// # Errors
    /// [`GgufError::MissingTensor`] or [`GgufError::TensorShape`].
    pub fn tensor_of(
        &self,
        name: &str,
        rows: usize,
        cols: usize,
    ) -> Result<TensorView<'_>, GgufError> {
        let t = self.tensor(name)?;
        if (t.rows, t.cols) != (rows, cols) {
            return Err(GgufError::TensorShape {
                name: name.into(),
                rows: t.rows,
                cols: t.cols,
                want_rows: rows,
                want_cols: cols,
            });
        }
        Ok(t)
    }
}

fn alignment(metadata: &BTreeMap<String, Value>) -> Result<u64, GgufError> {
    const KEY: &str = "general.alignment";
    match metadata.get(KEY) {
        None => Ok(DEFAULT_ALIGNMENT),
        Some(Value::Int(v)) => {
            let found = u64::try_from(*v).unwrap_or(u64::MAX);
            if found.is_power_of_two() && found <= limits::ALIGNMENT {
                Ok(found)
            } else {
                Err(GgufError::Alignment { found })
            }
        }
        Some(other) => Err(GgufError::KeyType {
            key: KEY.into(),
            found: other.describe(),
            expected: "an integer",
        }),
    }
}

/// Checks a directory entry and finds its bytes.
fn place(
    raw: &parse::RawTensor,
    alignment: u64,
    data_start: u64,
    data_len: u64,
) -> Result<TensorInfo, GgufError> {
    let ty = parse::tensor_type(raw)?;
    let shape = |reason| GgufError::Shape {
        name: raw.name.clone(),
        dims: raw.dims.clone(),
        reason,
    };
    let (&cols, outer) = raw
        .dims
        .split_first()
        .ok_or_else(|| shape("it has no dimensions"))?;
    if raw.dims.contains(&0) {
        return Err(shape("a dimension is zero"));
    }
    if cols % ty.block_len() as u64 != 0 {
        return Err(shape("its rows are not whole blocks of its type"));
    }
    let rows = outer
        .iter()
        .try_fold(1u64, |n, &d| n.checked_mul(d))
        .ok_or_else(|| shape("its size overflows"))?;
    let bytes = (cols / ty.block_len() as u64 * ty.block_bytes() as u64)
        .checked_mul(rows)
        .ok_or_else(|| shape("its size overflows"))?;
    let extent = |reason| GgufError::Extent {
        name: raw.name.clone(),
        offset: raw.offset,
        bytes,
        available: data_len,
        reason,
    };
    if !raw.offset.is_multiple_of(alignment) {
        return Err(extent("is not aligned"));
    }
    match raw.offset.checked_add(bytes) {
        Some(end) if end <= data_len => {}
        _ => return Err(extent("reaches beyond the end of the file")),
    }
    // Both ends are inside a file that is mapped, so they fit `usize`.
    let start = (data_start + raw.offset) as usize;
    Ok(TensorInfo {
        name: raw.name.clone(),
        ty,
        rows: rows as usize,
        cols: cols as usize,
        range: start..start + bytes as usize,
    })
}
