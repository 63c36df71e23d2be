//! What images and archives hold: each file of each layer, whether a later layer hides it or not. An OCI layout or an
//! image's tar file is a tree of files of which some are archives, so nothing of its indices has to be believed.

pub(super) use super::secrets::Collected;
use super::{
    stream::{self, said},
    tree::Files,
    zstd::{self, Frames},
};
use crate::failure::Failure;
use flate2::read::MultiGzDecoder;
use plimsoll_model::{reason::printable, removed};
use plimsoll_scan::secrets::Scanner;
use std::{
    io::{self, Read},
    path::Path,
};

/// Archives inside archives.
const DEPTH: usize = 4;
/// Most bytes that all archives together may unpack to.
const UNPACKED: u64 = 16 << 30;
/// Most files in all archives together.
const ENTRIES: u64 = 2_000_000;
/// Bytes of a ZIP archive, whose list of files stands at its end.
const ZIPPED: u64 = 256 << 20;
/// What is looked at to tell what something is; a tar header's mark stands at byte 257.
const HEAD: usize = 512;

/// Looks at a directory, or a file, and into every archive.
///
/// # Errors
/// When `path` cannot be opened.
pub(crate) fn scan(scanner: &Scanner, path: &Path) -> Result<Collected, Failure> {
    let files = Files::everything_at(path)?;
    Ok(unpacked(&files, &|path, content, size| stream::scan(scanner, path, content, size)))
}

/// Gives each file, and each file in an archive, to `look`.
///
/// # Errors
/// When `path` cannot be opened.
pub(super) fn each(path: &Path, look: &Look<'_>) -> Result<Collected, Failure> {
    Ok(unpacked(&Files::at(path)?, look))
}

/// Looks at the file of this path, with this content and, where it is known, of this size.
pub(super) type Look<'a> = dyn Fn(&str, &mut dyn Read, Option<u64>) -> Collected + 'a;

fn unpacked(files: &Files, look: &Look<'_>) -> Collected {
    let mut unpack = Unpack { look, collected: Collected::default(), bytes: 0, entries: 0 };
    unpack.collected.coverage.gaps.extend_from_slice(files.gaps());
    let first = if removed!("every-layer") { files.paths().len().saturating_sub(1) } else { 0 };
    for (index, path) in files.paths().enumerate().skip(first) {
        match files.open(index) {
            Ok(Some(file)) => {
                let size = file.metadata().ok().map(|data| data.len());
                unpack.stream(&path, &mut io::BufReader::with_capacity(1 << 16, file), size, 0);
            }
            Ok(None) => {}
            Err(problem) => unpack.collected.gap(path, problem),
        }
    }
    unpack.collected
}

struct Unpack<'a> {
    look: &'a Look<'a>,
    collected: Collected,
    bytes: u64,
    entries: u64,
}

/// What is read of a file, also of one that is given up in the middle.
struct Counted<'a> {
    content: &'a mut dyn Read,
    bytes: u64,
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.content.read(buffer)?;
        self.bytes = self.bytes.saturating_add(count as u64);
        Ok(count)
    }
}

/// Reads what follows the end of an archive. It must be there, for whoever packed it checks its end; and where it says
/// anything, other readers could take that for more files.
fn nothing_more(rest: &mut dyn Read) -> io::Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match rest.read(&mut buffer)? {
            0 => return Ok(()),
            count if buffer.iter().take(count).all(|byte| *byte == 0) => {}
            _ => return Err(io::Error::other("there is something after its end")),
        }
    }
}

/// What the beginning of a file says.
#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Tar,
    Gzip,
    Zstd,
    Zip,
    Unread(&'static str),
    File,
}

fn kind(head: &[u8]) -> Kind {
    match head {
        [0x1f, 0x8b, 8, ..] => Kind::Gzip,
        [b'P', b'K', 3, 4, ..] => Kind::Zip,
        _ if zstd::starts(head) => Kind::Zstd,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Kind::Unread("it is compressed with xz, which is not read"),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Kind::Unread("it is compressed with bzip2, which is not read"),
        _ if head.get(257..262) == Some(b"ustar") => Kind::Tar,
        _ => Kind::File,
    }
}

impl Unpack<'_> {
    /// Looks at a file, or at what it holds. What is read is counted, however often it is packed.
    fn stream(&mut self, path: &str, content: &mut dyn Read, size: Option<u64>, depth: usize) {
        let mut head = Vec::with_capacity(HEAD);
        if let Err(error) = (&mut *content).take(HEAD as u64).read_to_end(&mut head) {
            return self.collected.gap(path, said(&error));
        }
        let kind = kind(&head);
        let whole = &mut head.as_slice().chain(content);
        match kind {
            Kind::File => self.file(path, whole, size),
            Kind::Unread(problem) => self.collected.gap(path, problem),
            _ if depth >= DEPTH => {
                self.collected.gap(path, format!("it is packed more than {DEPTH} times"));
            }
            Kind::Gzip => self.stream(path, &mut MultiGzDecoder::new(whole).take(UNPACKED), None, depth + 1),
            Kind::Zstd => self.stream(path, &mut Frames::new(whole).take(UNPACKED), None, depth + 1),
            Kind::Zip => self.zip(path, whole, depth),
            Kind::Tar => {
                if let Err(error) = self.tar(path, whole, depth) {
                    self.collected.gap(path, said(&error));
                }
            }
        }
    }

    fn tar(&mut self, path: &str, content: &mut dyn Read, depth: usize) -> io::Result<()> {
        let mut archive = tar::Archive::new(content);
        for entry in archive.entries()? {
            let mut entry = entry?;
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(io::Error::other(format!("there are more than {ENTRIES} files")));
            }
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = printable(&format!("{path}!/{}", name.trim_start_matches("./")), 4096);
            let size = entry.size();
            self.stream(&path, &mut entry, Some(size), depth + 1);
            if self.bytes > UNPACKED {
                return Err(io::Error::other(format!("it unpacks to more than {UNPACKED} bytes")));
            }
        }
        nothing_more(archive.into_inner())
    }

    /// A ZIP archive or a jar: as the file that it is, since something can stand around its entries, and then each of these.
    fn zip(&mut self, path: &str, content: &mut dyn Read, depth: usize) {
        let mut bytes = Vec::new();
        if let Err(error) = content.take(ZIPPED + 1).read_to_end(&mut bytes) {
            return self.collected.gap(path, said(&error));
        }
        if bytes.len() as u64 > ZIPPED {
            return self.collected.gap(path, format!("it is an archive of more than {ZIPPED} bytes"));
        }
        self.file(path, &mut bytes.as_slice(), Some(bytes.len() as u64));
        if let Err(error) = self.entries(path, &bytes, depth) {
            self.collected.gap(path, said(&error));
        }
    }

    fn entries(&mut self, path: &str, bytes: &[u8], depth: usize) -> io::Result<()> {
        let mut archive = zip::ZipArchive::new(io::Cursor::new(bytes))?;
        for index in 0..archive.len() {
            let mut entry = archive.by_index(index)?;
            self.entries += 1;
            if self.entries > ENTRIES {
                return Err(io::Error::other(format!("there are more than {ENTRIES} files")));
            }
            if !entry.is_file() {
                continue;
            }
            let path = printable(&format!("{path}!/{}", entry.name()?.trim_start_matches("./")), 4096);
            // What it says of its size is a claim; what it unpacks to is counted.
            self.stream(&path, &mut (&mut entry).take(UNPACKED), None, depth + 1);
            if self.bytes > UNPACKED {
                return Err(io::Error::other(format!("it unpacks to more than {UNPACKED} bytes")));
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &str, content: &mut dyn Read, size: Option<u64>) {
        let mut counted = Counted { content, bytes: 0 };
        let looked = (self.look)(path, &mut counted, size);
        self.bytes = self.bytes.saturating_add(counted.bytes);
        self.collected.add(looked);
    }
}
