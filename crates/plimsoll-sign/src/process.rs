//! The signer as a process: started by its supervisor on an inherited descriptor, asked in length-prefixed JSON, gone
//! when the descriptor closes. Nothing else can reach it: it listens nowhere.

use plimsoll_engine::{
    ports::{Signer, SignerError},
    signer::{Request, Response},
};
use plimsoll_model::Role;
use std::{
    io::{self, Read, Write},
    os::{
        fd::{AsFd as _, OwnedFd},
        unix::net::UnixStream,
    },
    process::{Child, Command, Stdio},
};

/// No message is longer, in bytes. Blobs travel through the store, never through the pipe.
const MESSAGE_LIMIT: u32 = 8 << 20;

/// A running signer of one role. Dropping it closes the descriptor, at which the process ends.
#[derive(Debug)]
pub struct SignerProcess {
    role: Role,
    stream: Option<UnixStream>,
    child: Child,
}

impl SignerProcess {
    /// Starts `command`, which must call [`serve`] on its standard input. Its standard error is the caller's.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn start(role: Role, mut command: Command) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let theirs: OwnedFd = theirs.into();
        command.stdin(Stdio::from(theirs)).stdout(Stdio::null());
        let child = command.spawn()?;
        Ok(Self { role, stream: Some(ours), child })
    }

    fn exchange(&mut self, request: &Request) -> io::Result<Response> {
        let stream = self.stream.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        write_message(stream, &serde_json::to_vec(request)?)?;
        let answer = read_message(stream)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(serde_json::from_slice(&answer)?)
    }
}

impl Signer for SignerProcess {
    fn ask(&mut self, request: &Request) -> Result<Response, SignerError> {
        let answer = self.exchange(request);
        answer.map_err(|error| SignerError { role: self.role.to_string(), problem: error.to_string() })
    }
}

impl Drop for SignerProcess {
    fn drop(&mut self) {
        drop(self.stream.take());
        // The child ends by itself when its descriptor closes; waiting only collects it.
        let _ = self.child.wait();
    }
}

/// Answers requests on standard input, which must be the descriptor of [`SignerProcess::start`], until it closes.
///
/// # Errors
/// When standard input is no such descriptor, or a message breaks off.
pub fn serve(mut answer: impl FnMut(Request) -> Response) -> io::Result<()> {
    let stream = io::stdin().as_fd().try_clone_to_owned()?;
    let mut stream = UnixStream::from(stream);
    while let Some(message) = read_message(&mut stream)? {
        let response = match serde_json::from_slice(&message) {
            Ok(request) => answer(request),
            Err(error) => Response::unobserved(&format!("the request cannot be read: {error}")),
        };
        write_message(&mut stream, &serde_json::to_vec(&response)?)?;
    }
    Ok(())
}

fn write_message(stream: &mut impl Write, message: &[u8]) -> io::Result<()> {
    let length = u32::try_from(message.len()).ok().filter(|length| *length <= MESSAGE_LIMIT);
    let length =
        length.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "the message is too long"))?;
    stream.write_all(&length.to_le_bytes())?;
    stream.write_all(message)?;
    stream.flush()
}

/// The next message; none when the stream ended between two messages.
fn read_message(stream: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0_u8; 4];
    if stream.read(&mut length[..1])? == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut length[1..])?;
    let length = u32::from_le_bytes(length);
    if length > MESSAGE_LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the message is too long"));
    }
    let mut message = vec![0; length as usize];
    stream.read_exact(&mut message)?;
    Ok(Some(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_back_whole_and_ends_are_told_from_breaks() {
        let mut wire = Vec::new();
        write_message(&mut wire, b"one").unwrap();
        write_message(&mut wire, b"").unwrap();
        let mut stream = wire.as_slice();
        assert_eq!(read_message(&mut stream).unwrap(), Some(b"one".to_vec()));
        assert_eq!(read_message(&mut stream).unwrap(), Some(Vec::new()));
        assert_eq!(read_message(&mut stream).unwrap(), None);
        assert!(read_message(&mut &wire[..5]).is_err());
    }

    #[test]
    fn a_length_beyond_the_limit_is_refused_before_anything_is_allocated() {
        assert!(read_message(&mut u32::MAX.to_le_bytes().as_slice()).is_err());
    }
}
