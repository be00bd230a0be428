//! Puts the checksums of a file right, whatever else it holds: who means harm computes them, too.

use super::header::{BLOCK_BYTES, HEADER_BYTES, names, put_seal, raw_sections};
use xxhash_rust::xxh3::xxh3_64;

/// Computes the checksums of every block and section that lies inside the file, and of the header.
pub(crate) fn reseal(file: &mut [u8]) {
    if file.len() < HEADER_BYTES {
        return;
    }
    let sections: Vec<_> = raw_sections(file)
        .into_iter()
        .filter(|(_, s)| {
            let end = s.offset.checked_add(s.length);
            s.offset >= HEADER_BYTES as u64 && end.is_some_and(|end| end <= file.len() as u64)
        })
        .collect();
    let find = |name| sections.iter().find(|(_, s)| s.name == name);
    if let (Some((_, data)), Some((_, blocks))) = (find(names::DATA), find(names::BLOCKS)) {
        let payload = HEADER_BYTES..data.range().end;
        let sums: Vec<u8> = file[payload]
            .chunks(BLOCK_BYTES)
            .flat_map(|b| xxh3_64(b).to_le_bytes())
            .collect();
        let table = &mut file[blocks.range()];
        let n = table.len().min(sums.len());
        table[..n].copy_from_slice(&sums[..n]);
    }
    for (at, s) in &sections {
        if s.name != names::EMBED && s.name != names::DATA {
            let sum = xxh3_64(&file[s.range()]);
            file[at + 24..at + 32].copy_from_slice(&sum.to_le_bytes());
        }
    }
    put_seal(file);
}
