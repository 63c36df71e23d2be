//! Which loader an executable needs. Reads a file header and the program headers it points to, within limits.

use object::{
    Endianness,
    elf::{FileHeader32, FileHeader64, PT_INTERP},
    read::{
        ReadCache, ReadRef,
        elf::{FileHeader, ProgramHeader},
    },
};
use std::{fs::File, os::unix::fs::FileExt};

/// Linux takes no loader with a longer name (`PATH_MAX`, binfmt_elf).
const NAME_LIMIT: u64 = 4096;
/// Linux takes no more program headers than fit into a page of 64 KiB (binfmt_elf, `ELF_MIN_ALIGN`).
const PROGRAM_HEADERS: usize = 65_536 / 32;

/// The loader that the file names (`PT_INTERP`); none for a static executable and for whatever is no ELF file that
/// Linux would start. A name that cannot be read is given as a text that is no path.
pub(super) fn interpreter(file: &File) -> Option<String> {
    let mut magic = [0; 5];
    file.read_exact_at(&mut magic, 0).ok()?;
    let data = ReadCache::new(file);
    match magic {
        [0x7f, b'E', b'L', b'F', 1] => of_header(FileHeader32::<Endianness>::parse(&data).ok()?, &data),
        [0x7f, b'E', b'L', b'F', 2] => of_header(FileHeader64::<Endianness>::parse(&data).ok()?, &data),
        _ => None,
    }
}

fn of_header<'data, H: FileHeader<Endian = Endianness>, R: ReadRef<'data>>(
    header: &H,
    data: R,
) -> Option<String> {
    let endian = header.endian().ok()?;
    if usize::from(header.e_phnum(endian)) > PROGRAM_HEADERS {
        return None;
    }
    let segments = header.program_headers(endian, data).ok()?;
    let segment = segments.iter().find(|segment| segment.p_type(endian) == PT_INTERP)?;
    let (offset, size) = segment.file_range(endian);
    let name = (size <= NAME_LIMIT).then(|| data.read_bytes_at(offset, size).ok()).flatten();
    let name = name.and_then(|bytes| bytes.split(|byte| *byte == 0).next());
    let name = name.and_then(|bytes| str::from_utf8(bytes).ok());
    Some(name.map_or_else(|| "a loader whose name cannot be read".to_owned(), str::to_owned))
}
