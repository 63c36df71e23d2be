//! Zstandard (RFC 8878), the compression of many layers of images: a stream of frames as what they hold. A frame may ask for
//! a window of at most 100 MiB, and one whose checksum does not hold is damaged.

use ruzstd::decoding::{BlockDecodingStrategy::UptoBytes, FrameDecoder};
use std::io::{self, Read};

/// What frames begin with, without the lowest four bits of one that is to be skipped.
const FRAME: u32 = 0xfd2f_b528;
const SKIPPED: u32 = 0x184d_2a50;

/// A frame with nothing in it.
const EMPTY: [u8; 9] = [0x28, 0xb5, 0x2f, 0xfd, 0x20, 0, 1, 0, 0];

/// Whether a file that begins with `head` is such a stream.
pub(super) fn starts(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|mark| {
        let mark = u32::from_le_bytes(*mark);
        mark == FRAME || skipped(mark)
    })
}

fn skipped(mark: u32) -> bool {
    mark & !0xf == SKIPPED
}

/// The content of every frame of a stream. What is no frame is an error, as is a stream that ends inside of one.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    open: bool,
}

impl<R: Read> Frames<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, decoder: FrameDecoder::new(), open: false }
    }

    /// Opens the next frame; false at the end of the stream.
    fn next(&mut self) -> io::Result<bool> {
        loop {
            let mut mark = Vec::with_capacity(4);
            (&mut self.source).take(4).read_to_end(&mut mark)?;
            let number = mark.first_chunk().map(|mark| u32::from_le_bytes(*mark));
            match number {
                None if mark.is_empty() => return Ok(false),
                Some(FRAME) => {
                    // The decoder bounds the window of every frame but its first.
                    self.decoder.init(EMPTY.as_slice()).map_err(io::Error::other)?;
                    self.decoder.init(mark.chain(&mut self.source)).map_err(io::Error::other)?;
                    self.open = true;
                    return Ok(true);
                }
                Some(number) if skipped(number) => self.skip()?,
                _ => return Err(io::Error::other("there is something after its end")),
            }
        }
    }

    fn skip(&mut self) -> io::Result<()> {
        let mut length = [0; 4];
        self.source.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        let passed = io::copy(&mut (&mut self.source).take(length), &mut io::sink())?;
        if passed == length { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Fills `buffer` as far as the open frame reaches; nothing at its end.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() < buffer.len() && !self.decoder.is_finished() {
            let more = buffer.len() - self.decoder.can_collect();
            self.decoder.decode_blocks(&mut self.source, UptoBytes(more)).map_err(io::Error::other)?;
        }
        self.decoder.read(buffer)
    }

    fn close(&mut self) -> io::Result<()> {
        self.open = false;
        match (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum()) {
            (Some(said), Some(is)) if said != is => Err(io::Error::other("its checksum does not hold")),
            _ => Ok(()),
        }
    }
}

impl<R: Read> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.open || self.next()? {
            match self.fill(buffer)? {
                0 if !buffer.is_empty() => self.close()?,
                count => return Ok(count),
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    /// What zstd 1.5 makes of `hello zstd\n`, with its checksum.
    const GOLDEN: &[u8] = b"\x28\xb5\x2f\xfd\x04\x58\x59\0\0hello zstd\n\x6c\x57\xf9\x51";

    fn read(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut all = Vec::new();
        Frames::new(bytes).take(1 << 20).read_to_end(&mut all).map(|_| all)
    }

    #[test]
    fn frames_are_read_one_after_the_other_and_others_skipped() {
        let one = GOLDEN;
        let two = compress_to_vec(b"and more".as_slice(), CompressionLevel::Fastest);
        let skipped = [0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        assert_eq!(read(one).unwrap(), b"hello zstd\n");
        assert_eq!(read(&[one, &skipped, &two].concat()).unwrap(), b"hello zstd\nand more");
        assert!(starts(one) && starts(&skipped) && !starts(b"PK\x03\x04") && !starts(b""));
    }

    #[test]
    fn what_is_cut_damaged_or_more_is_an_error() {
        let whole = GOLDEN;
        for length in 1..whole.len() {
            assert!(read(&whole[..length]).is_err(), "{length}");
        }
        let mut damaged = whole.to_vec();
        *damaged.last_mut().unwrap() ^= 1;
        for bytes in [damaged, [whole, b"more"].concat(), vec![0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0]] {
            assert!(read(&bytes).is_err());
        }
    }

    #[test]
    fn a_window_of_more_than_100_mib_is_refused_before_memory_is_taken() {
        // Frame header: no single segment, window descriptor of 2 GiB.
        let said = read(&[0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa8, 0x01, 0, 0]).unwrap_err().to_string();
        assert!(said.to_lowercase().contains("window"), "{said}");
    }

    #[test]
    fn no_damaged_frame_makes_it_panic() {
        let text: Vec<u8> = (0..4000u32).flat_map(|number| (number * number % 977).to_le_bytes()).collect();
        let whole = compress_to_vec(text.as_slice(), CompressionLevel::Fastest);
        for at in 0..whole.len().min(2500) {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            let _ = read(&damaged);
        }
    }
}
