//! The one unsafe file of this crate: mapping a bundle.
use memmap2::{Mmap, MmapOptions};
use std::{fs::File, io, path::Path};

/// Maps a file for reading, all of it at once: no request waits for the disk.
pub fn map(path: &Path) -> io::Result<Mmap> {
    let file = File::open(path)?;
    // SAFETY: nobody changes the file while it is mapped. Bundles lie in a folder that only this user writes, are
    // written aside and renamed into place (`layout::write`), and never opened for writing again.
    unsafe { MmapOptions::new().populate().map(&file) }
}
