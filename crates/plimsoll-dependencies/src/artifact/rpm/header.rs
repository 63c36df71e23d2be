//! The header of a package as rpm's databases keep it (rpm, "RPM V4 Package format", "Header Structure"): an index of tags,
//! and the store that they point into. Numbers have the most significant byte first.

use crate::format::Unreadable;

/// Entries of an index. The largest packages that were published have some hundred.
const MAX_TAGS: usize = 4096;
/// Texts of one tag that are looked at: files of the largest packages are many more, but no one asks for those.
const MAX_TEXTS: usize = 65_536;

/// A tag that is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Tag {
    Name = 1000,
    Version = 1001,
    Release = 1002,
    Epoch = 1003,
    License = 1014,
    Architecture = 1022,
    SourcePackage = 1044,
    Provides = 1047,
    Requires = 1049,
}

/// Kinds of values (the same, "Header Data Types").
const NUMBERS: u32 = 4;
const TEXTS: [u32; 3] = [6, 8, 9];

/// A header.
pub(super) struct Header<'a> {
    /// Entries of 16 bytes: tag, kind, offset, count.
    index: &'a [u8],
    store: &'a [u8],
}

impl<'a> Header<'a> {
    /// Takes it apart; values are looked at when they are asked for.
    ///
    /// # Errors
    /// When it is not as long as it says.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let cut = || Unreadable::new("a package in it is cut off");
        let (tags, length) = number(bytes, 0).zip(number(bytes, 4)).ok_or_else(cut)?;
        let tags = usize::try_from(tags).ok().filter(|tags| *tags <= MAX_TAGS);
        let tags = tags.ok_or_else(|| Unreadable::new("a package in it has too many tags"))?;
        let (index, store) = bytes[8..].split_at_checked(16 * tags).ok_or_else(cut)?;
        let store = store.get(..length as usize).ok_or_else(cut)?;
        Ok(Self { index, store })
    }

    /// The first text of a tag.
    pub(super) fn text(&self, tag: Tag) -> Option<&'a str> {
        self.texts(tag).next()
    }

    /// All texts of a tag, each up to its zero byte; those that are not UTF-8 are left out.
    pub(super) fn texts(&self, tag: Tag) -> impl Iterator<Item = &'a str> + use<'a> {
        let entry = self.entry(tag).filter(|(kind, ..)| TEXTS.contains(kind));
        let (mut rest, count) = entry.map_or((&[][..], 0), |(_, store, count)| (store, count));
        let texts = (0..count.min(MAX_TEXTS)).map_while(move |_| {
            let end = memchr::memchr(0, rest)?;
            let text = str::from_utf8(&rest[..end]);
            rest = &rest[end + 1..];
            Some(text.ok())
        });
        texts.flatten()
    }

    /// The first number of a tag.
    pub(super) fn number(&self, tag: Tag) -> Option<u32> {
        let (_, store, count) = self.entry(tag).filter(|(kind, ..)| *kind == NUMBERS)?;
        number(store, 0).filter(|_| count > 0)
    }

    /// Kind, store from the first value on, and how many values.
    fn entry(&self, tag: Tag) -> Option<(u32, &'a [u8], usize)> {
        let entry = self.index.chunks_exact(16).find(|entry| number(entry, 0) == Some(tag as u32))?;
        let (kind, offset, count) = (number(entry, 4)?, number(entry, 8)?, number(entry, 12)?);
        Some((kind, self.store.get(offset as usize..)?, count as usize))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}
