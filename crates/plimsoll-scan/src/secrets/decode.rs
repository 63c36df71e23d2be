//! Encodings in which secrets are kept: base64 of both alphabets.

/// Bytes of base64 in either alphabet, with or without padding; none where it is neither.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let mut bytes = Vec::with_capacity(end * 3 / 4);
    let mut bits = 0u32;
    let mut held = 0;
    for byte in &text[..end] {
        bits = bits << 6 | u32::from(sextet(*byte)?);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    (held < 6).then_some(bytes)
}

fn sextet(byte: u8) -> Option<u8> {
    Some(match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' | b'-' => 62,
        b'/' | b'_' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_in_both_alphabets() {
        assert_eq!(base64(b"Zm9vOmJhcg==").as_deref(), Some(b"foo:bar".as_slice()));
        assert_eq!(base64(b"Zm9vOmJhcg").as_deref(), Some(b"foo:bar".as_slice()));
        assert_eq!(base64(b"-_-_"), base64(b"+/+/"));
        assert_eq!(base64(b"a b"), None);
        assert_eq!(base64(b"Z"), None);
    }
}
