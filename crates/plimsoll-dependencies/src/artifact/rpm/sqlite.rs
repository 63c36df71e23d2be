//! One table of an SQLite database, row by row, read from bytes (SQLite, "Database File Format", sections 1.3 to 2.6). Each
//! page is taken at most once, so that links that go in circles end, and the time is that of reading the file.

use crate::format::Unreadable;

/// The first bytes of every database.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";
/// Bytes of the file's header, which lies before the b-tree of the first page.
const HEADER: usize = 100;
/// Levels of a b-tree. A page holds four children and more, so that 2^32 pages need fewer.
const MAX_DEPTH: usize = 20;
/// Columns of a row that are looked at; the rest is skipped.
const MAX_COLUMNS: usize = 16;

/// A value of a row: what the tables that are read here have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// A whole number.
    Integer(i64),
    /// Text or a blob, as its bytes.
    Bytes(Vec<u8>),
    /// Nothing, or a number with a fraction.
    Other,
}

/// A database.
pub(super) struct Database<'a> {
    bytes: &'a [u8],
    page: usize,
    /// Bytes of a page that its b-tree may use.
    usable: usize,
    /// By page: whether it was taken.
    taken: Vec<bool>,
}

fn broken(what: &str) -> Unreadable {
    Unreadable::new(format!("it is not a sound SQLite database: {what}"))
}

impl<'a> Database<'a> {
    /// Reads the header (section 1.3).
    ///
    /// # Errors
    /// When it is none.
    pub(super) fn open(bytes: &'a [u8]) -> Result<Self, Unreadable> {
        let header = bytes.get(..HEADER).filter(|header| header.starts_with(MAGIC));
        let header = header.ok_or_else(|| broken("it has no header"))?;
        // 1 stands for 65,536, which two bytes cannot hold.
        let page = match usize::from(u16::from_be_bytes([header[16], header[17]])) {
            1 => 65_536,
            size if size.is_power_of_two() && size >= 512 => size,
            _ => return Err(broken("its pages have no size")),
        };
        let usable = page - usize::from(header[20]);
        if usable < 480 || bytes.len() < page || !matches!(header[56..60], [0, 0, 0, 0 | 1]) {
            return Err(broken("its header does not fit"));
        }
        // How many pages there are, where whoever wrote last knew to say so (section 1.3.7).
        let pages = if header[24..28] == header[92..96] { long(header, 28)? } else { 0 };
        if pages as usize > bytes.len() / page {
            return Err(broken("it was cut off"));
        }
        Ok(Self { bytes, page, usable, taken: vec![false; bytes.len() / page] })
    }

    /// Hands every row of a table to `each`, in order of its keys. `false` where there is no such table.
    ///
    /// # Errors
    /// When a page or a row is not what it has to be, or `each` says so.
    pub(super) fn rows(
        &mut self,
        table: &str,
        each: &mut dyn FnMut(&[Value]) -> Result<(), Unreadable>,
    ) -> Result<bool, Unreadable> {
        let mut root = None;
        // The schema (section 2.6): type, name, table, first page, text.
        self.walk(1, &mut |row| {
            let is = |at: usize, text: &str| row.get(at) == Some(&Value::Bytes(text.as_bytes().to_vec()));
            if is(0, "table")
                && is(1, table)
                && let Some(Value::Integer(page)) = row.get(3)
            {
                root = Some(*page);
            }
            Ok(())
        })?;
        let Some(root) = root else { return Ok(false) };
        self.walk(usize::try_from(root).unwrap_or_default(), each)?;
        Ok(true)
    }

    /// Every row of the b-tree below a page (section 1.6).
    fn walk(
        &mut self,
        root: usize,
        each: &mut dyn FnMut(&[Value]) -> Result<(), Unreadable>,
    ) -> Result<(), Unreadable> {
        let mut open = vec![(root, 0)];
        while let Some((number, depth)) = open.pop() {
            let page = self.take(number)?;
            let start = if number == 1 { HEADER } else { 0 };
            let kind = *page.get(start).ok_or_else(|| broken("a page is too short"))?;
            let cells = usize::from(short(page, start + 3)?);
            match kind {
                // A leaf of a table.
                0x0d => {
                    for cell in 0..cells {
                        let at = usize::from(short(page, start + 8 + 2 * cell)?);
                        let row = self.row(page, at)?;
                        each(&row)?;
                    }
                }
                // An inner page of a table: the child before each key, and one after the last.
                0x05 if depth < MAX_DEPTH => {
                    let last = long(page, start + 8)?;
                    let before =
                        (0..cells).map(|cell| long(page, usize::from(short(page, start + 12 + 2 * cell)?)));
                    let mut children = before.collect::<Result<Vec<u32>, _>>()?;
                    children.push(last);
                    open.extend(children.into_iter().rev().map(|child| (child as usize, depth + 1)));
                }
                _ => return Err(broken("a page of its table is something else")),
            }
        }
        Ok(())
    }

    /// A page by its number, which counts from 1. Nothing asks for the same one twice in a sound file.
    fn take(&mut self, number: usize) -> Result<&'a [u8], Unreadable> {
        let at = number.checked_sub(1).ok_or_else(|| broken("a link leads nowhere"))?;
        let taken = self.taken.get_mut(at).ok_or_else(|| broken("it was cut off"))?;
        if std::mem::replace(taken, true) {
            return Err(broken("two links lead to one page"));
        }
        let start = at * self.page;
        self.bytes.get(start..start + self.page).ok_or_else(|| broken("it was cut off"))
    }

    /// The row of a cell of a leaf: the length of its payload, its key, and the payload.
    fn row(&mut self, page: &[u8], at: usize) -> Result<Vec<Value>, Unreadable> {
        let cell = page.get(at..self.usable).ok_or_else(|| broken("a cell lies outside of its page"))?;
        let (length, rest) = varint(cell)?;
        let (_key, rest) = varint(rest)?;
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.bytes.len() {
            return Err(broken("a row is longer than the file"));
        }
        let payload = self.payload(rest, length)?;
        values(&payload)
    }

    /// A payload, of which what does not fit into its page lies in others (section 1.6, "overflow").
    fn payload(&mut self, cell: &[u8], length: usize) -> Result<Vec<u8>, Unreadable> {
        let (most, least) = (self.usable - 35, (self.usable - 12) * 32 / 255 - 23);
        let kept = least + length.saturating_sub(least) % (self.usable - 4);
        let local = match (length <= most, kept <= most) {
            (true, _) => length,
            (false, true) => kept,
            (false, false) => least,
        };
        let cut = || broken("a row lies outside of its page");
        let mut payload = cell.get(..local).ok_or_else(cut)?.to_vec();
        let mut next = if local < length { long(cell, local)? } else { 0 };
        while payload.len() < length {
            let page = self.take(next as usize)?;
            next = long(page, 0)?;
            let part = page.get(4..self.usable).ok_or_else(cut)?;
            payload.extend_from_slice(&part[..part.len().min(length - payload.len())]);
        }
        Ok(payload)
    }
}

/// The values of a record (section 2.1).
fn values(payload: &[u8]) -> Result<Vec<Value>, Unreadable> {
    let cut = || broken("a row is cut off");
    // The length of the header counts itself.
    let (header, rest) = varint(payload)?;
    let header = usize::try_from(header).unwrap_or(usize::MAX);
    let mut kinds = payload.get(payload.len() - rest.len()..header).ok_or_else(cut)?;
    let mut body = &payload[header..];
    let mut found = Vec::new();
    while !kinds.is_empty() && found.len() < MAX_COLUMNS {
        let (kind, rest) = varint(kinds)?;
        kinds = rest;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            10 | 11 => return Err(broken("a row has a value of no kind")),
            _ => (kind - 12) / 2,
        };
        let length = usize::try_from(length).ok().filter(|length| *length <= body.len()).ok_or_else(cut)?;
        let (value, rest) = body.split_at(length);
        body = rest;
        found.push(match kind {
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            1..=6 => Value::Integer(integer(value)),
            12.. => Value::Bytes(value.to_vec()),
            _ => Value::Other,
        });
    }
    Ok(found)
}

/// A number of up to eight bytes in two's complement, the most significant one first.
fn integer(bytes: &[u8]) -> i64 {
    let start = if bytes.first().is_some_and(|first| first & 0x80 != 0) { -1 } else { 0 };
    bytes.iter().fold(start, |number, byte| number << 8 | i64::from(*byte))
}

/// A number of one to nine bytes (section 1.6, "varint"), and what follows.
fn varint(bytes: &[u8]) -> Result<(u64, &[u8]), Unreadable> {
    let mut number: u64 = 0;
    for (at, byte) in bytes.iter().enumerate().take(9) {
        if at == 8 {
            return Ok((number << 8 | u64::from(*byte), &bytes[9..]));
        }
        number = number << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Ok((number, &bytes[at + 1..]));
        }
    }
    Err(broken("a number is cut off"))
}

fn short(bytes: &[u8], at: usize) -> Result<u16, Unreadable> {
    let two =
        bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(|| broken("a page is too short"))?;
    Ok(u16::from_be_bytes(*two))
}

fn long(bytes: &[u8], at: usize) -> Result<u32, Unreadable> {
    let four =
        bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(|| broken("a page is too short"))?;
    Ok(u32::from_be_bytes(*four))
}
