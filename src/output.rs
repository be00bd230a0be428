//! Files that appear whole or not at all: written beside their place, then renamed.

use std::io::Write;
use std::path::Path;

use anyhow::Context;
use tempfile::NamedTempFile;

use crate::exit::{self, OrExit};

/// A new file in the folder of `path`, to be persisted there; readable as any file the user makes.
pub(crate) fn beside(path: &Path) -> anyhow::Result<NamedTempFile> {
    let dir = match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".weft-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask takes its bits away from these.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder
        .tempfile_in(dir)
        .with_context(|| {
            format!(
                "cannot write {}: no file can be made in {}",
                path.display(),
                dir.display()
            )
        })
        .or_exit(exit::OUTPUT)
}

/// Writes `bytes` to `path`.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = beside(path)?;
    file.write_all(bytes)
        .and_then(|()| file.as_file().sync_all())
        .with_context(|| format!("cannot write {}", path.display()))
        .or_exit(exit::OUTPUT)?;
    persist(file, path)
}

/// Renames a finished file to `path`.
pub(crate) fn persist(file: NamedTempFile, path: &Path) -> anyhow::Result<()> {
    file.persist(path)
        .map(drop)
        .with_context(|| format!("cannot rename the finished file to {}", path.display()))
        .or_exit(exit::OUTPUT)
}
