//! Checksums that providers build into their tokens, so that a scanner can be certain.

use super::Proof;
use flate2::Crc;

const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// GitHub's and npm's: after the prefix and its `_`, all but the last six characters are random, and those six are the
/// CRC-32 of the others in base 62 (github.blog, "Behind GitHub's new authentication token formats").
pub(crate) fn base62_checksum(token: &[u8]) -> Proof {
    let body = token.iter().position(|byte| *byte == b'_').map_or(token, |at| &token[at + 1..]);
    let Some(split) = body.len().checked_sub(6) else { return Proof::Failed };
    let (random, sum) = body.split_at(split);
    let mut crc = Crc::new();
    crc.update(random);
    Proof::of(base62(crc.sum()) == *sum)
}

fn base62(mut number: u32) -> [u8; 6] {
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(number % 62) as usize];
        number /= 62;
    }
    digits
}

/// Grafana's service account tokens end with the CRC-32 of what is before, little-endian, in hexadecimal.
pub(super) fn grafana(token: &[u8]) -> Proof {
    let Some(split) = token.len().checked_sub(9) else { return Proof::Failed };
    let mut crc = Crc::new();
    crc.update(&token[..split]);
    let bytes = crc.sum().to_le_bytes();
    Proof::of(hex::encode(bytes).as_bytes() == &token[split + 1..])
}

/// NATS seeds: base32 of prefix, key and the CRC-16 (XMODEM) of both, little-endian.
pub(crate) fn nkey(seed: &[u8]) -> Proof {
    let Some(bytes) = base32(seed) else { return Proof::Failed };
    let Some(split) = bytes.len().checked_sub(2) else { return Proof::Failed };
    let crc = bytes[..split].iter().fold(0u16, |crc, byte| {
        (0..8).fold(
            crc ^ u16::from(*byte) << 8,
            |crc, _| if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 },
        )
    });
    Proof::of(crc.to_le_bytes() == bytes[split..])
}

fn base32(text: &[u8]) -> Option<Vec<u8>> {
    let mut bits = 0u32;
    let mut held = 0;
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'2'..=b'7' => byte - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(value);
        held += 5;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held & 0xff) as u8);
        }
    }
    Some(bytes)
}

/// A macaroon of PyPI begins with version 2 and names the index as its location.
pub(super) fn pypi(token: &[u8]) -> Proof {
    Proof::of(
        token.windows(20).any(|part| part == b"AgEIcHlwaS5vcmcCJDE0" || part.starts_with(b"AgEIcHlwaS5vcmc")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_github_token_carries_the_checksum_of_itself() {
        // The all-zero example that GitHub's own documentation of the format leads to, made here.
        let random = "0".repeat(30);
        let mut crc = Crc::new();
        crc.update(random.as_bytes());
        let sum = String::from_utf8(base62(crc.sum()).to_vec()).unwrap();
        assert_eq!(base62_checksum(format!("ghp_{random}{sum}").as_bytes()), Proof::Proven);
        assert_eq!(base62_checksum(format!("ghp_1{}{sum}", &random[1..]).as_bytes()), Proof::Failed);
    }

    #[test]
    fn a_seed_of_nats_proves_itself_and_a_changed_one_does_not() {
        // From the tests of the public nkeys library.
        let seed = ["SUAKYRHVIOREXV7EUZTBHUHL7NUM", "HPMAS7QMDU3GTIUWEI5LDNOXD43IZY"].concat();
        assert_eq!(nkey(seed.as_bytes()), Proof::Proven);
        assert_eq!(nkey(seed.replace("KYR", "KYS").as_bytes()), Proof::Failed);
        assert_eq!(nkey(b"not base32"), Proof::Failed);
    }
}
