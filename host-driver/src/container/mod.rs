//! `.weft` files: a packed model, ready for the link, in one file that runs alone.
//!
//! | part | where | what |
//! |---|---|---|
//! | header | first 4096 bytes | magic, version, section table, checksum; see [`header`] |
//! | `EMBED` | aligned to 4096 | token embedding rows in the model file's own blocks, row-major for look-up |
//! | `DATA` | aligned to 4096 | tiles, each aligned to 4096: scale words and column bundles in wire layout |
//! | `META` | | JSON: hyper-parameters, packing choices, source; see [`Meta`] |
//! | `TOKENIZER` | | JSON, chat template included |
//! | `HOST` | | norms and biases, `f32`, found by name through `META` |
//! | `INDEX` | | binary: sites, matrices, row scales, tiles, groups; see [`index`] |
//! | `BLOCKS` | | one xxh3 for each 256 KiB of the file between the header and the end of `DATA` |
//!
//! A *site* is one input vector of the model and all weight matrices that read it. A *matrix* is one row space
//! of one weight kind; a site whose matrices have one kind is a single matrix (q, k and v together). A matrix is
//! cut into *tiles* of rows, a tile into *groups* of 32 columns, a group holds its scale words and then one
//! *bundle* a column, exactly as [`weft_protocol::layout`] has them on the wire: they go from the file to the
//! link untouched.
//!
//! Everything but `EMBED` and `DATA` is checked when the file is opened; these two are checked block by block when
//! first used, so that opening a file costs no more than reading its index. All fields are little endian.

mod error;
mod group;
pub mod header;
mod host;
pub mod index;
pub mod limits;
mod meta;
mod parse;
mod reader;
mod reseal;
mod writer;

pub use error::ContainerError;
pub use group::GroupData;
pub use host::host_tensors;
pub use index::{Group, Matrix, Part, Segment, SiteEntry, SiteKey, Tile};
pub use meta::{EmbedInfo, HostEntry, Meta, PackOptions, Source};
pub use reader::Weft;
pub(crate) use reseal::reseal;
pub use writer::{Writer, create};
