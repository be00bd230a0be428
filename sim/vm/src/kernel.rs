//! The kernel in the form that boots quickest under emulation, and its modules.
//!
//! QEMU enters an ELF kernel through its PVH note, with no firmware between and nothing to decompress: that is most
//! of the difference between 7 and 15 seconds of boot when the processor is emulated.

use std::fs;
use std::io::{Cursor, Read};
use std::path::Path;

use crate::error::{Error, Result, at};

/// Most bytes of a decompressed kernel or module.
const MOST: u64 = 512 << 20;

/// Where the Linux boot protocol (Documentation/arch/x86/boot.rst) keeps what finds the compressed kernel.
mod setup {
    /// Sectors of 512 bytes before the protected-mode code, without the first.
    pub(super) const SECTORS: usize = 0x1f1;
    /// `HdrS`.
    pub(super) const MAGIC: usize = 0x202;
    /// Bytes from the protected-mode code to the payload.
    pub(super) const PAYLOAD_OFFSET: usize = 0x248;
    /// Bytes of the payload; its last four tell the decompressed length.
    pub(super) const PAYLOAD_LENGTH: usize = 0x24c;
}

/// The ELF image inside the bzImage at `path`.
pub(crate) fn elf_of(path: &Path) -> Result<Vec<u8>> {
    let image = fs::read(path).map_err(at(path))?;
    let damaged = |cause: &str| Error::Damaged {
        path: path.to_owned(),
        cause: cause.into(),
    };
    let word = |offset: usize| {
        let bytes = image.get(offset..offset + 4)?;
        Some(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize)
    };
    if image.get(setup::MAGIC..setup::MAGIC + 4) != Some(b"HdrS") {
        return Err(damaged("not a Linux kernel (no HdrS)"));
    }
    let payload = (|| {
        let code = (usize::from(image[setup::SECTORS]) + 1) * 512;
        let start = code.checked_add(word(setup::PAYLOAD_OFFSET)?)?;
        let end = start.checked_add(word(setup::PAYLOAD_LENGTH)?)?;
        // The length behind the payload is not part of the compressed stream.
        image.get(start..end.checked_sub(4)?)
    })();
    let payload =
        payload.ok_or_else(|| damaged("the compressed kernel reaches beyond the file"))?;
    let elf = decompressed(payload).map_err(|e| damaged(&e))?;
    if elf.starts_with(b"\x7fELF") {
        Ok(elf)
    } else {
        Err(damaged("what is compressed in it is not ELF"))
    }
}

/// A module's ELF image; `path` ends with `.ko`, `.ko.xz` or `.ko.zst`.
pub(crate) fn module(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).map_err(at(path))?;
    if bytes.starts_with(b"\x7fELF") {
        return Ok(bytes);
    }
    decompressed(&bytes).map_err(|cause| Error::Damaged {
        path: path.to_owned(),
        cause,
    })
}

/// Decompresses xz or zstd, told by the first bytes.
fn decompressed(bytes: &[u8]) -> std::result::Result<Vec<u8>, String> {
    let mut out = Vec::new();
    if bytes.starts_with(b"\xfd7zXZ\0") {
        let reader = lzma_rust2::XzReader::new(Cursor::new(bytes), false);
        read_limited(reader, &mut out)
    } else if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        let reader = ruzstd::decoding::StreamingDecoder::new(Cursor::new(bytes));
        read_limited(reader.map_err(|e| e.to_string())?, &mut out)
    } else {
        Err("compressed in a form other than xz and zstd".into())
    }?;
    Ok(out)
}

fn read_limited(reader: impl Read, out: &mut Vec<u8>) -> std::result::Result<(), String> {
    let n = reader.take(MOST + 1).read_to_end(out);
    match n.map_err(|e| e.to_string())? {
        n if n as u64 > MOST => Err(format!("more than {MOST} bytes inside")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_kernels_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vmlinuz");
        let mut image = vec![0; 2048];
        let refusal = |image: &[u8]| {
            fs::write(&path, image).unwrap();
            elf_of(&path).unwrap_err().to_string()
        };
        assert!(refusal(&image).contains("HdrS"));
        image[setup::MAGIC..setup::MAGIC + 4].copy_from_slice(b"HdrS");
        image[setup::PAYLOAD_LENGTH] = 200;
        assert!(refusal(&image).contains("other than xz and zstd"));
        image[setup::PAYLOAD_LENGTH + 3] = 200;
        assert!(refusal(&image).contains("beyond the file"));
        image[512..516].copy_from_slice(&[0x28, 0xb5, 0x2f, 0xfd]);
        image[setup::PAYLOAD_LENGTH + 3] = 0;
        assert!(refusal(&image).contains("vmlinuz"));
        image.truncate(100);
        assert!(refusal(&image).contains("HdrS"));
    }
}
