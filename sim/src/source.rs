//! Verilog text and where it came from.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::ir::Netlist;
use crate::limits::{FRONT_END_STACK, MAX_SOURCE_BYTES};
use crate::{elab, front};

/// Verilog text with the name that messages call it by and, if it came from a file, that file's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    name: String,
    text: String,
    folder: Option<PathBuf>,
}

impl Source {
    /// Text that came from no file; it cannot name files to read, unless [`Source::within`] says where they are.
    pub fn text(name: impl Into<String>, text: impl Into<String>) -> Self {
        Source {
            name: name.into(),
            text: text.into(),
            folder: None,
        }
    }

    /// The same text with `folder` as the place of the files that it names.
    pub fn within(self, folder: impl Into<PathBuf>) -> Self {
        Source {
            folder: Some(folder.into()),
            ..self
        }
    }

    /// Reads a file of at most [`MAX_SOURCE_BYTES`]. Messages carry its path as given.
    pub fn file(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let failed = |e: std::io::Error| Error::File {
            path: path.display().to_string(),
            message: e.to_string(),
        };
        let size = std::fs::metadata(path).map_err(failed)?.len();
        if size > MAX_SOURCE_BYTES as u64 {
            return Err(Error::Limit {
                what: format!("the size of {} in bytes", path.display()),
                name: "MAX_SOURCE_BYTES",
                limit: MAX_SOURCE_BYTES as u64,
            });
        }
        Ok(Source {
            name: path.display().to_string(),
            text: std::fs::read_to_string(path).map_err(failed)?,
            folder: Some(path.parent().unwrap_or(Path::new("")).to_path_buf()),
        })
    }

    /// Parses and elaborates `top`, then lets `finish` work on the symbolic netlist.
    pub(crate) fn elaborate<T: Send>(
        &self,
        top: &str,
        finish: impl FnOnce(Netlist) -> Result<T> + Send,
    ) -> Result<T> {
        self.on_large_stack(|| {
            let modules = front::parse(&self.name, &self.text)?;
            let folder = self.folder.as_deref();
            finish(elab::elaborate(&self.name, folder, &modules, top)?)
        })
    }

    /// The syntax tree, as text.
    pub(crate) fn tree(&self) -> Result<String> {
        self.on_large_stack(|| Ok(format!("{:#?}\n", front::parse(&self.name, &self.text)?)))
    }

    /// The front end recurses over nested text, so it gets a stack that fits its nesting limit.
    fn on_large_stack<T: Send>(&self, work: impl FnOnce() -> Result<T> + Send) -> Result<T> {
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new()
                .stack_size(FRONT_END_STACK)
                .spawn_scoped(scope, work);
            match thread.map(std::thread::ScopedJoinHandle::join) {
                Ok(Ok(result)) => result,
                Ok(Err(panic)) => std::panic::resume_unwind(panic),
                Err(e) => Err(Error::Backend(format!(
                    "starting the front end's thread: {e}"
                ))),
            }
        })
    }
}
