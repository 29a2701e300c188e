//! The file format of a bundle: a header, a directory, and sections that begin at multiples of 64 bytes.
//!
//! Header (64 bytes, little-endian): magic `HOTPATHB`, version u32, number of sections u32, length of the file u64,
//! XXH3-64 of the file without this field u64, zeros. The directory has 24 bytes a section: kind u32, zero u32, offset
//! u64, length u64 in bytes. A later version may add kinds; this one wants each of its own exactly once.
use crate::error::{Error, Result, invalid};
use std::{fs, io::Write, ops::Range, path::Path};
use xxhash_rust::xxh3::Xxh3;

#[cfg(target_endian = "big")]
compile_error!("bundles are little-endian, and read in place");

const MAGIC: &[u8; 8] = b"HOTPATHB";
const VERSION: u32 = 1;
const ALIGNMENT: usize = 64;
const ENTRY: usize = 24;
const CHECKSUM: Range<usize> = 24..32;

/// Kinds of sections, numbered from 1 in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// The candidate's manifest, JSON as written by training.
    Manifest,
    /// The transform's spec, JSON.
    Spec,
    /// [`crate::model::Model`], JSON.
    Model,
    /// [`crate::features::Feature`] of every feature, JSON array.
    Features,
    /// u32 a tree: the index of its root; a tree's nodes end where the next begins.
    Roots,
    /// [`crate::score::Node`], children behind their parent, siblings adjacent.
    Nodes,
    /// The sets of levels, bit by bit; the bit behind a set's last is where missing goes.
    Levels,
    /// u32 a leaf: its node id in H2O.
    LeafIds,
    /// f32 a node: the weight of the training rows that came through it.
    Weights,
}

pub const SECTIONS: [Section; 9] = [
    Section::Manifest,
    Section::Spec,
    Section::Model,
    Section::Features,
    Section::Roots,
    Section::Nodes,
    Section::Levels,
    Section::LeafIds,
    Section::Weights,
];

/// Writes a bundle of these sections, in the order of [`SECTIONS`], beside `path` and renames it there: a mapped
/// bundle is never rewritten in place.
pub fn write(path: &Path, sections: [&[u8]; SECTIONS.len()]) -> Result<()> {
    let aside = path.with_extension(format!("writing-{}", std::process::id()));
    let io = |error| Error::Io(aside.display().to_string(), error);
    let mut file = fs::File::create(&aside).map_err(io)?;
    file.write_all(&lay_out(sections))
        .and_then(|()| file.sync_all())
        .map_err(io)?;
    fs::rename(&aside, path).map_err(|error| Error::Io(path.display().to_string(), error))
}

/// The bytes of a bundle.
pub fn lay_out(sections: [&[u8]; SECTIONS.len()]) -> Vec<u8> {
    let mut bytes = vec![0; ALIGNMENT + SECTIONS.len() * ENTRY];
    for (number, section) in sections.iter().enumerate() {
        bytes.resize(bytes.len().next_multiple_of(ALIGNMENT), 0);
        let (entry, offset) = (ALIGNMENT + number * ENTRY, bytes.len() as u64);
        put_u32(&mut bytes, entry, number as u32 + 1);
        put_u64(&mut bytes, entry + 8, offset);
        put_u64(&mut bytes, entry + 16, section.len() as u64);
        bytes.extend_from_slice(section);
    }
    bytes[..8].copy_from_slice(MAGIC);
    put_u32(&mut bytes, 8, VERSION);
    put_u32(&mut bytes, 12, SECTIONS.len() as u32);
    let length = bytes.len() as u64;
    put_u64(&mut bytes, 16, length);
    seal(&mut bytes);
    bytes
}

/// Sets the checksum. Of no use but to [`lay_out`], and to tests that break a bundle beyond its checksum.
pub fn seal(bytes: &mut [u8]) {
    let checksum = checksum(bytes);
    put_u64(bytes, CHECKSUM.start, checksum);
}

/// Where each section lies, in the order of [`SECTIONS`]; checks everything that this module writes.
pub fn read(bytes: &[u8]) -> Result<[Range<usize>; SECTIONS.len()]> {
    let header = |what| invalid("the bundle's header", what);
    let directory = ALIGNMENT + SECTIONS.len() * ENTRY;
    if bytes.len() < directory || bytes[..8] != *MAGIC {
        return Err(header("this file is not a bundle".to_owned()));
    }
    let version = get_u32(bytes, 8);
    if version != VERSION {
        return Err(header(format!(
            "format {version}; this version reads {VERSION}: compile the candidate again"
        )));
    }
    if get_u64(bytes, 16) != bytes.len() as u64 || get_u32(bytes, 12) as usize != SECTIONS.len() {
        return Err(header(format!(
            "the file has {} bytes, not what the header says: copy it again",
            bytes.len()
        )));
    }
    if get_u64(bytes, CHECKSUM.start) != checksum(bytes) {
        return Err(header(
            "the checksum is wrong: the file is damaged, compile the candidate again".to_owned(),
        ));
    }
    let mut end = directory;
    let mut ranges = [const { 0..0 }; SECTIONS.len()];
    for (number, range) in ranges.iter_mut().enumerate() {
        *range = entry(bytes, number, end)
            .ok_or_else(|| header(format!("section {number} is out of place")))?;
        end = range.end;
    }
    match end == bytes.len() {
        true => Ok(ranges),
        false => Err(header("something follows the last section".to_owned())),
    }
}

fn entry(bytes: &[u8], number: usize, end_before: usize) -> Option<Range<usize>> {
    let at = ALIGNMENT + number * ENTRY;
    let (start, length) = (get_u64(bytes, at + 8), get_u64(bytes, at + 16));
    let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
    let end = start
        .checked_add(length)
        .filter(|end| *end <= bytes.len())?;
    let in_place = start == end_before.next_multiple_of(ALIGNMENT);
    (get_u32(bytes, at) as usize == number + 1 && get_u32(bytes, at + 4) == 0 && in_place)
        .then_some(start..end)
}

fn checksum(bytes: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&bytes[..CHECKSUM.start]);
    hash.update(&bytes[CHECKSUM.end..]);
    hash.digest()
}

fn put_u32(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
}

fn put_u64(bytes: &mut [u8], at: usize, value: u64) {
    bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
}

fn get_u32(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|k| bytes[at + k]))
}

fn get_u64(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|k| bytes[at + k]))
}
