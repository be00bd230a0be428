//! Programs that stand in for the tools: shell scripts in a temporary folder, handed over by path.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes a shell script and makes it executable.
pub(crate) fn script(dir: &Path, name: &str, body: &str) -> PathBuf {
    let path = dir.join(name);
    // Written elsewhere and renamed: a file still open for writing cannot be run.
    let draft = dir.join(format!("{name}.draft"));
    fs::write(&draft, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&draft, fs::Permissions::from_mode(0o755)).unwrap();
    fs::rename(&draft, &path).unwrap();
    path
}
