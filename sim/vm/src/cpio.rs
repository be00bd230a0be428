//! The archive that Linux unpacks as its first file system.
//!
//! Format `newc`, as in the kernel's Documentation/driver-api/early-userspace/buffer-format.rst: a header of 110
//! ASCII bytes (magic `070701`, then 13 numbers of 8 hexadecimal digits), the name with a zero, the content; name and
//! content padded to 4 bytes. The last entry is called `TRAILER!!!`.

use std::io::{self, Write};

const FOLDER: u32 = 0o040_755;
const FILE: u32 = 0o100_755;
const CHARACTER_DEVICE: u32 = 0o020_600;

/// Writes an archive, entry by entry.
pub(crate) struct Archive<W: Write> {
    out: W,
    entries: u32,
}

impl<W: Write> Archive<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, entries: 0 }
    }

    /// A folder; those above it come first.
    pub(crate) fn folder(&mut self, name: &str) -> io::Result<()> {
        self.entry(name, FOLDER, &[], (0, 0))
    }

    /// An executable file.
    pub(crate) fn file(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.entry(name, FILE, content, (0, 0))
    }

    /// A character device with its major and minor number.
    pub(crate) fn device(&mut self, name: &str, number: (u32, u32)) -> io::Result<()> {
        self.entry(name, CHARACTER_DEVICE, &[], number)
    }

    /// Ends the archive.
    pub(crate) fn finish(mut self) -> io::Result<W> {
        self.entry("TRAILER!!!", 0, &[], (0, 0))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn entry(
        &mut self,
        name: &str,
        mode: u32,
        content: &[u8],
        device: (u32, u32),
    ) -> io::Result<()> {
        let bytes = u32::try_from(content.len()).map_err(|_| {
            io::Error::new(io::ErrorKind::FileTooLarge, format!("{name} exceeds 4 GiB"))
        })?;
        self.entries += 1;
        // inode, mode, user, group, links, time, bytes, device of the file, device number, name, checksum
        let (user, group, links, time, checksum) = (0, 0, 1, 0, 0);
        let fields = [
            self.entries,
            mode,
            user,
            group,
            links,
            time,
            bytes,
            0,
            0,
            device.0,
            device.1,
            name.len() as u32 + 1,
            checksum,
        ];
        let mut head = String::from("070701");
        for field in fields {
            head.push_str(&format!("{field:08x}"));
        }
        self.padded(format!("{head}{name}\0").as_bytes())?;
        self.padded(content)
    }

    fn padded(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out
            .write_all(&[0; 3][..bytes.len().wrapping_neg() % 4])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_archive_can_be_read_back_by_its_own_lengths() {
        let mut archive = Archive::new(Vec::new());
        archive.folder("bin").unwrap();
        archive.file("bin/five", b"12345").unwrap();
        archive.device("console", (5, 1)).unwrap();
        let bytes = archive.finish().unwrap();
        let (mut at, mut seen) = (0, Vec::new());
        while at < bytes.len() {
            let field = |i: usize| {
                let digits = &bytes[at + 6 + 8 * i..at + 14 + 8 * i];
                usize::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap()
            };
            assert_eq!(&bytes[at..at + 6], b"070701");
            let (mode, size, name_len) = (field(1), field(6), field(11));
            let name = &bytes[at + 110..at + 110 + name_len - 1];
            let content = (at + 110 + name_len).next_multiple_of(4);
            seen.push((
                String::from_utf8(name.to_vec()).unwrap(),
                mode,
                bytes[content..content + size].to_vec(),
                (field(9), field(10)),
            ));
            at = (content + size).next_multiple_of(4);
        }
        assert_eq!(
            seen,
            [
                ("bin".into(), 0o040_755, vec![], (0, 0)),
                ("bin/five".into(), 0o100_755, b"12345".to_vec(), (0, 0)),
                ("console".into(), 0o020_600, vec![], (5, 1)),
                ("TRAILER!!!".into(), 0, vec![], (0, 0)),
            ]
        );
    }
}
