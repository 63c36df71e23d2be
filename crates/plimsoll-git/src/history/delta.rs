//! Deltas (gitformat-pack(5), "Deltified representation"): the object they make, and which parts of it its base does not
//! have.

use super::Change;
use std::ops::Range;

/// Makes an object from its base into `out`. `changes` gets the parts that come from the delta itself, and an empty part
/// where two pieces of the base meet that are no neighbours there: what lies between two parts, not touching them, stands
/// in the base just so.
///
/// # Errors
/// When the delta is malformed, is one of another base, or makes more than `limit` bytes.
pub(crate) fn apply(
    base: &[u8],
    delta: &[u8],
    limit: u64,
    out: &mut Vec<u8>,
    changes: &mut Vec<Change>,
) -> Result<(), String> {
    let malformed = || "its delta is malformed".to_owned();
    let (base_size, rest) = size(delta).ok_or_else(malformed)?;
    let (size, mut rest) = size(rest).ok_or_else(malformed)?;
    if base_size != base.len() as u64 {
        return Err("its delta was made from another base".into());
    }
    if size > limit {
        return Err(too_large(size, limit));
    }
    let size = usize::try_from(size).map_err(|_| malformed())?;
    out.clear();
    changes.clear();
    out.reserve(size);
    // Where in the base the object goes on if nothing changed.
    let mut next = 0;
    while let Some((&command, tail)) = rest.split_first() {
        let piece = match command {
            0 => return Err(malformed()),
            1..=0x7f => {
                let (inserted, tail) = tail.split_at_checked(usize::from(command)).ok_or_else(malformed)?;
                mark(changes, out.len()..out.len() + inserted.len());
                rest = tail;
                inserted
            }
            _ => {
                let (offset, length, tail) = copy(command, tail).ok_or_else(malformed)?;
                if offset != next {
                    mark(changes, out.len()..out.len());
                }
                if let Some(last) = changes.last_mut().filter(|last| last.part.end == out.len()) {
                    last.next = offset;
                }
                next = offset + length;
                rest = tail;
                base.get(offset..next).ok_or_else(malformed)?
            }
        };
        if piece.len() > size - out.len() {
            return Err(malformed());
        }
        out.extend_from_slice(piece);
    }
    if next != base.len() {
        mark(changes, out.len()..out.len());
    }
    if out.len() == size { Ok(()) } else { Err(malformed()) }
}

/// What is said of an object that is not read.
pub(crate) fn too_large(size: u64, limit: u64) -> String {
    format!("it has {size} bytes; more than {limit} are not read")
}

/// Adds a part; one that touches the last one becomes part of it.
fn mark(changes: &mut Vec<Change>, part: Range<usize>) {
    match changes.last_mut() {
        Some(Change { part: last, .. }) if last.end >= part.start => last.end = last.end.max(part.end),
        _ => changes.push(Change { part, next: 0 }),
    }
}

fn size(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let mut size = 0_u64;
    for (index, byte) in bytes.iter().enumerate().take(9) {
        size |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((size, bytes.get(index + 1..)?));
        }
    }
    None
}

/// Offset and length of a copy, and what follows it.
fn copy(command: u8, mut rest: &[u8]) -> Option<(usize, usize, &[u8])> {
    let mut number = |bits: std::ops::Range<u32>| {
        let mut value = 0_usize;
        for (place, bit) in bits.enumerate() {
            if command & (1 << bit) != 0 {
                let (byte, tail) = rest.split_first()?;
                value |= usize::from(*byte) << (8 * place);
                rest = tail;
            }
        }
        Some(value)
    };
    let (offset, length) = (number(0..4)?, number(4..7)?);
    Some((offset, if length == 0 { 0x10000 } else { length }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A delta from instructions: text to insert, or a part of the base.
    fn delta(base: &[u8], size: usize, instructions: &[Result<&str, (u8, u8)>]) -> Vec<u8> {
        let mut bytes = vec![base.len() as u8, size as u8];
        for instruction in instructions {
            match instruction {
                Ok(text) => {
                    bytes.push(text.len() as u8);
                    bytes.extend(text.as_bytes());
                }
                Err((offset, length)) => bytes.extend([0x91, *offset, *length]),
            }
        }
        bytes
    }

    #[test]
    fn what_a_delta_adds_is_known_and_so_is_where_pieces_meet() {
        let base = b"0123456789";
        let check =
            |instructions: &[Result<&str, (u8, u8)>], text: &str, changes: &[(usize, usize, usize)]| {
                let (mut out, mut found) = (vec![], vec![]);
                apply(base, &delta(base, text.len(), instructions), 100, &mut out, &mut found).unwrap();
                let found: Vec<_> =
                    found.iter().map(|change| (change.part.start, change.part.end, change.next)).collect();
                assert_eq!((String::from_utf8(out).unwrap().as_str(), found.as_slice()), (text, changes));
            };
        check(&[Err((0, 10))], "0123456789", &[]);
        check(&[Err((0, 4)), Err((4, 6))], "0123456789", &[]);
        check(&[Err((0, 4)), Ok("ab"), Err((4, 6))], "0123ab456789", &[(4, 6, 4)]);
        check(&[Ok("a"), Ok("b"), Err((0, 10))], "ab0123456789", &[(0, 2, 0)]);
        check(&[Err((0, 2)), Err((8, 2))], "0189", &[(2, 2, 8)]);
        check(&[Err((5, 5))], "56789", &[(0, 0, 5)]);
        check(&[Err((0, 5))], "01234", &[(5, 5, 0)]);
    }

    #[test]
    fn a_delta_that_does_not_fit_is_refused() {
        let base = b"0123456789";
        let refused = |bytes: &[u8]| apply(base, bytes, 20, &mut vec![], &mut vec![]).unwrap_err();
        assert_eq!(refused(&[9, 0]), "its delta was made from another base");
        assert_eq!(refused(&[10, 21]), "it has 21 bytes; more than 20 are not read");
        for bytes in
            [&[][..], &[10], &[10, 1], &[10, 1, 0], &[10, 1, 2, 0], &[10, 1, 0x91, 9, 2], &[10, 1, 2, 0, 0]]
        {
            assert_eq!(refused(bytes), "its delta is malformed", "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_did_not_change_stands_in_the_base(base in any::<[u8; 10]>(), bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let (mut out, mut changes) = (vec![], vec![]);
            let header = [vec![10, 30], bytes].concat();
            if apply(&base, &header, 200, &mut out, &mut changes).is_ok() {
                prop_assert_eq!(out.len(), 30);
                let starts = std::iter::once((0, 0)).chain(changes.iter().map(|change| (change.part.end, change.next)));
                let ends = changes.iter().map(|change| change.part.start).chain([30]);
                for ((start, from), end) in starts.zip(ends).filter(|((start, _), end)| start < end) {
                    prop_assert_eq!(&base[from..from + (end - start)], &out[start..end]);
                }
            }
        }
    }
}
