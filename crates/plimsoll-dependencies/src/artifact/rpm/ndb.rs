//! The database that SUSE's rpm keeps in one file (`Packages.db`, rpm's "ndb"): slots that say where the header of each
//! package lies, in blocks of 16 bytes. All numbers have the least significant byte first.

use crate::format::Unreadable;

/// The first bytes of every database.
pub(super) const MAGIC: &[u8] = b"RpmP";
/// Bytes of a page of slots.
const PAGE: usize = 4096;
/// Bytes of a slot, of a block, and of what lies before a header in its blocks.
const UNIT: usize = 16;
/// Bytes of the file's header, which takes the place of the first slots.
const HEADER: usize = 32;

fn broken(what: &str) -> Unreadable {
    Unreadable::new(format!("it is not a sound database of rpm: {what}"))
}

/// Hands the header of every package to `each`, in the order of the slots.
///
/// # Errors
/// When the file is not what it has to be, or `each` says so.
pub(super) fn rows(
    bytes: &[u8],
    each: &mut dyn FnMut(&[u8]) -> Result<(), Unreadable>,
) -> Result<(), Unreadable> {
    if number(bytes, 4)? != 0 {
        return Err(broken("it is of a version that is not known"));
    }
    let slots = (number(bytes, 12)? as usize).saturating_mul(PAGE);
    let slots = bytes.get(HEADER..slots).ok_or_else(|| broken("it was cut off"))?;
    for slot in slots.chunks_exact(UNIT) {
        if !slot.starts_with(b"Slot") {
            return Err(broken("a slot is something else"));
        }
        let (package, block, blocks) =
            (number(slot, 4)?, number(slot, 8)? as usize, number(slot, 12)? as usize);
        if package != 0 && block != 0 {
            each(header(bytes, package, block, blocks)?)?;
        }
    }
    Ok(())
}

/// The header of a package, after `BlbS`, its number, a generation and its length.
fn header(bytes: &[u8], package: u32, block: usize, blocks: usize) -> Result<&[u8], Unreadable> {
    let start = block.saturating_mul(UNIT);
    let end = start.saturating_add(blocks.saturating_mul(UNIT));
    let blob = bytes.get(start..end).ok_or_else(|| broken("it was cut off"))?;
    if !blob.starts_with(b"BlbS") || number(blob, 4)? != package {
        return Err(broken("a slot leads to another package"));
    }
    let length = number(blob, 12)? as usize;
    blob.get(UNIT..).and_then(|rest| rest.get(..length)).ok_or_else(|| broken("a package is cut off"))
}

fn number(bytes: &[u8], at: usize) -> Result<u32, Unreadable> {
    let four = bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or_else(|| broken("it was cut off"))?;
    Ok(u32::from_le_bytes(*four))
}
