//! Programs that stand in for the tools: shell scripts in a temporary folder, handed over by path.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Writes a shell script and makes it executable.
pub(crate) fn script(dir: &Path, name: &str, body: &str) -> PathBuf {
    let (draft, path) = (dir.join(format!("{name}.draft")), dir.join(name));
    fs::write(&draft, format!("#!/bin/sh\n{body}\n")).unwrap();
    // Copied by another process: a file that this one had open for writing may still be open in a child that
    // another test just started, and cannot be run then.
    let copied = Command::new("cp").args([&draft, &path]).status().unwrap();
    assert!(copied.success());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}
