//! FPGA boards and parts as data, and the open tool flow around them.
//!
//! A board is one TOML file under `boards/`, the part on it one under `parts/`, what a vendor's parts have in
//! common one under `families/`; all are compiled in, so the program needs no files. [`Catalog`] reads and
//! checks them, [`pll`] finds divider values, [`constraints`] writes the pin file of each tool.
//!
//! A [`plan::Plan`] is a build as plain data: files and commands, computed with no tool installed. [`tools`] finds
//! the programs, [`mod@build`] runs a plan (every seed, the best kept), [`run`] one step of it, [`cause`] says why it
//! failed, [`report`] reads what they measured, [`picture`] draws it, [`fit`] looks for the largest core of a part,
//! [`passport`] ties an image to how it was made, and [`flash`] puts it on the board.

pub mod board;
pub mod build;
pub mod catalog;
pub mod cause;
pub mod check;
pub mod constraints;
pub mod error;
pub mod family;
pub mod figures;
pub mod fit;
pub mod flash;
pub mod harness;
pub mod histogram;
pub mod markdown;
pub mod part;
pub mod passport;
pub mod picture;
pub mod plan;
pub mod pll;
pub mod report;
pub mod run;
pub mod tools;

pub use board::{Board, Variant};
pub use catalog::{Catalog, Target};
pub use error::{BoardError, Problem};
pub use family::Family;
pub use part::Part;
