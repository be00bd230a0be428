//! Packing that cannot go on: full disks, places that cannot be written, options that cannot be met.

mod synthetic;

use std::io::{self, Cursor, Seek, SeekFrom, Write};

use synthetic::{input, open};
use weft_host::container::{ContainerError, Weft, create};
use weft_host::pack::{Method, Options, PackError, Prune, Skip, pack, pack_into};

/// Takes so many bytes and then is full.
struct SmallDisk {
    inner: Cursor<Vec<u8>>,
    room: usize,
}

impl Write for SmallDisk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(self.room);
        if n == 0 && !bytes.is_empty() {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        self.room -= n;
        self.inner.write(&bytes[..n])
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for SmallDisk {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
}

#[test]
fn a_full_disk_is_an_error_wherever_it_strikes() {
    let (gguf, config) = open(8);
    let options = Options::default();
    let sink = Cursor::new(Vec::new());
    let (sink, _) = pack_into(&input(&gguf, &config), &options, None, sink, &mut |_| {}).unwrap();
    let whole = sink.into_inner().len();
    for room in [0, 100, 4096, whole / 2, whole - 1, whole + 4095] {
        let sink = SmallDisk {
            inner: Cursor::default(),
            room,
        };
        let result = pack_into(&input(&gguf, &config), &options, None, sink, &mut |_| {});
        match result.map(|_| ()) {
            Err(PackError::Container(ContainerError::Sink { source, .. })) => {
                assert_eq!(source.kind(), io::ErrorKind::StorageFull);
            }
            other => panic!("{room} of {whole}: {other:?}"),
        }
    }
    #[cfg(target_os = "linux")]
    {
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .unwrap();
        let result = pack_into(&input(&gguf, &config), &options, None, full, &mut |_| {});
        assert!(result.is_err());
    }
}

#[test]
fn nothing_is_left_behind_when_packing_fails() {
    let (gguf, config) = open(9);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.weft");
    let names = || -> Vec<_> {
        let entries = std::fs::read_dir(folder.path()).unwrap();
        entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect()
    };
    std::fs::write(&path, b"older").unwrap();
    let failed: Result<(), ContainerError> = create(&path, |mut file| {
        file.write_all(b"half").unwrap();
        Err(ContainerError::Sink {
            step: "tiles",
            source: io::Error::from(io::ErrorKind::StorageFull),
        })
    });
    assert!(failed.is_err());
    assert_eq!(names(), ["model.weft"]);
    assert_eq!(std::fs::read(&path).unwrap(), b"older");

    let nowhere = folder.path().join("missing").join("model.weft");
    let options = Options::default();
    let result = pack(
        &input(&gguf, &config),
        &options,
        None,
        &nowhere,
        &mut |_| {},
    );
    let message = result.unwrap_err().to_string();
    assert!(
        message.contains("model.weft") && message.contains("cannot write"),
        "{message}"
    );
    let result = pack(
        &input(&gguf, &config),
        &options,
        None,
        folder.path(),
        &mut |_| {},
    );
    assert!(result.unwrap_err().to_string().contains("directory"));

    let mut last = None;
    pack(&input(&gguf, &config), &options, None, &path, &mut |p| {
        last = Some(p)
    })
    .unwrap();
    let last = last.unwrap();
    assert_eq!(last.done, last.total);
    assert_eq!(names(), ["model.weft"]);
    Weft::open(&path).unwrap().verify().unwrap();
}

#[test]
fn impossible_options_are_named() {
    let (gguf, config) = open(10);
    let fails = |options: &Options| {
        let sink = Cursor::new(Vec::new());
        let result = pack_into(&input(&gguf, &config), options, None, sink, &mut |_| {});
        result.map(|_| ()).unwrap_err().to_string()
    };
    let base = Options::default();
    let tile_rows = Options {
        tile_rows: 100,
        ..base.clone()
    };
    assert!(fails(&tile_rows).contains("--tile-rows"));
    let banks = Options {
        banks: 0,
        ..base.clone()
    };
    assert!(fails(&banks).contains("--banks"));
    let prune = |density| Options {
        prune: Some(Prune {
            method: Method::Wanda,
            density,
        }),
        ..base.clone()
    };
    assert!(fails(&prune(0.0)).contains("--density"));
    assert!(fails(&prune(f32::NAN)).contains("--density"));
    assert!(fails(&prune(0.5)).contains("calibration"));
    let skip = Options {
        skip: Skip::uneven(0.3),
        ..base
    };
    assert!(fails(&skip).contains("--skip"));
    for bad in ["x", "1.5", "-1", "attn_in", "head=0.5", "attn_in=2", "NaN"] {
        assert!(bad.parse::<Skip>().is_err(), "{bad}");
    }
}
