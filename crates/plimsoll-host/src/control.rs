//! The control socket of a service: one word and its answer for each connection, and the connection of a hand-over,
//! which lives as long as there is a way back. Every word is short, and nobody is waited for without an end.
//!
//! The supervisor that has the traffic listens on `control.sock`. One that handed it over listens on `standby.sock`,
//! until it ends or has the traffic again.

use crate::record::{ServiceDirectory, Standby};
use plimsoll_model::Digest;
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags, SocketType,
    sockopt::{Timeout, set_socket_timeout, socket_acceptconn},
};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, File},
    io::{self, IoSlice, IoSliceMut, Read as _, Write as _},
    mem::MaybeUninit,
    net::{Shutdown, TcpListener},
    os::{
        fd::{AsFd as _, AsRawFd as _, OwnedFd},
        unix::net::{UnixListener, UnixStream},
    },
    sync::mpsc::Sender,
    thread,
    time::{Duration, Instant},
};

/// Longest wait for a supervisor to stop its service, or to let go of one that it replaced.
const PATIENCE: Duration = Duration::from_secs(45);
/// Longest wait for somebody who connected to say what they want, and for an answer that needs no work.
const PROMPT: Duration = Duration::from_secs(2);
/// Pause before a supervisor that was busy is asked again.
const PAUSE: Duration = Duration::from_millis(20);
/// Bytes of the longest line.
const LINE_LIMIT: usize = 4096;

/// The socket of whoever has the traffic.
const CONTROL: &str = "control.sock";
/// The socket of whoever had it before.
const STANDBY: &str = "standby.sock";
/// The socket of a supervisor that is about to take over.
const NEXT: &str = "next.sock";

/// Why a supervisor did not do as it was asked.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nothing listens: there is no supervisor.
    #[error("nothing runs here")]
    NotRunning,
    /// The supervisor did not answer.
    #[error("the supervisor did not answer")]
    Silent(#[source] io::Error),
}

/// What is said on a control socket, a line each.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Word {
    /// End, with everything before you.
    Stop,
    /// Give me the listening socket; this is who I am.
    HandOver(Claim),
    /// There is no way back any more: finish what is open and end.
    Retire,
    /// Take the traffic back.
    Resume,
}

impl Word {
    fn parse(line: &str) -> Option<Self> {
        match line {
            "stop" => Some(Self::Stop),
            "retire" => Some(Self::Retire),
            "resume" => Some(Self::Resume),
            other => serde_json::from_str(other.strip_prefix("handover ")?).ok().map(Self::HandOver),
        }
    }

    fn line(&self) -> String {
        match self {
            Self::Stop => "stop\n".into(),
            Self::Retire => "retire\n".into(),
            Self::Resume => "resume\n".into(),
            // The two digests of a claim always have a JSON form.
            Self::HandOver(claim) => {
                format!("handover {}\n", serde_json::to_string(claim).unwrap_or_default())
            }
        }
    }
}

/// What a supervisor that wants the traffic is started under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    /// Payload digest of the decision.
    pub(crate) decision: Digest,
    /// Digest of the release.
    pub(crate) release: Digest,
}

/// Stops the service of `directory`, with a standby where there is one, and waits until it is gone.
///
/// # Errors
/// When there is none, or its supervisor does not answer in time.
pub fn stop(directory: &ServiceDirectory) -> Result<(), ControlError> {
    let until = Instant::now() + PATIENCE;
    loop {
        let mut stream = connect(directory)?;
        match ask(&mut stream, &Word::Stop, until).as_deref() {
            Ok("stopped") => return Ok(()),
            // It is handing over, or it was killed and the one before it takes the traffic back.
            Ok("busy" | "") if Instant::now() < until => thread::sleep(PAUSE),
            Ok(_) => return Err(ControlError::Silent(io::ErrorKind::InvalidData.into())),
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => thread::sleep(PAUSE),
            Err(error) => return Err(ControlError::Silent(error.kind().into())),
        }
    }
}

/// Whether a supervisor of this service lives.
pub(crate) fn answers(directory: &ServiceDirectory) -> bool {
    connect(directory).is_ok()
}

/// Gets the listening socket from the supervisor that has the traffic, which then only waits for a word on the way back.
/// None where there is no supervisor, or one that knows no hand-over and was stopped.
///
/// # Errors
/// When the supervisor does not answer in time, or answers with something that is no listening socket.
pub(crate) fn take(
    directory: &ServiceDirectory,
    claim: &Claim,
) -> Result<Option<(TcpListener, Predecessor)>, ControlError> {
    let until = Instant::now() + PATIENCE;
    loop {
        let stream = match connect(directory) {
            Ok(stream) => stream,
            Err(ControlError::NotRunning) => return Ok(None),
            Err(other) => return Err(other),
        };
        match take_from(stream, claim, until) {
            Ok(Taken::Listener(listener, predecessor)) => return Ok(Some((listener, predecessor))),
            Ok(Taken::Busy) if Instant::now() < until => thread::sleep(PAUSE),
            Ok(Taken::Busy) => return Err(ControlError::Silent(io::ErrorKind::TimedOut.into())),
            // It does not know the word: it is of a version that only knows `stop`; or it was just killed.
            Ok(Taken::Nothing) => match stop(directory) {
                Ok(()) | Err(ControlError::NotRunning) => return Ok(None),
                Err(error) => return Err(error),
            },
            Err(error) => return Err(ControlError::Silent(error)),
        }
    }
}

enum Taken {
    Listener(TcpListener, Predecessor),
    Busy,
    Nothing,
}

fn take_from(mut stream: UnixStream, claim: &Claim, until: Instant) -> io::Result<Taken> {
    stream.set_write_timeout(Some(PROMPT))?;
    stream.write_all(Word::HandOver(*claim).line().as_bytes())?;
    stream.set_read_timeout(Some(remaining(until)?))?;
    let (line, descriptor) = match receive(&stream) {
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => return Ok(Taken::Nothing),
        other => other?,
    };
    let standby = match (line.trim_end_matches('\n'), descriptor) {
        ("", None) => return Ok(Taken::Nothing),
        ("busy", None) => return Ok(Taken::Busy),
        (line, Some(descriptor)) => line
            .strip_prefix("listener ")
            .and_then(|text| serde_json::from_str(text).ok())
            .zip(socket_acceptconn(&descriptor)?.then_some(descriptor)),
        _ => None,
    };
    let (standby, descriptor) = standby.ok_or(io::ErrorKind::InvalidData)?;
    Ok(Taken::Listener(TcpListener::from(descriptor), Predecessor { standby, stream, told: false }))
}

/// One line and the descriptor that came with it.
fn receive(stream: &UnixStream) -> io::Result<(String, Option<OwnedFd>)> {
    let mut bytes = [0; LINE_LIMIT];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = rustix::io::retry_on_intr(|| {
        let mut slices = [IoSliceMut::new(&mut bytes)];
        rustix::net::recvmsg(stream, &mut slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC)
    })?;
    let mut descriptors = ancillary.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(descriptors) => Some(descriptors),
        _ => None,
    });
    let descriptor = descriptors.next().and_then(|mut descriptors| descriptors.next());
    let text = std::str::from_utf8(&bytes[..received.bytes]).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok((text.to_owned(), descriptor))
}

/// The supervisor that had the traffic before, as its successor sees it. Dropping this gives the traffic back, unless it
/// was told to end; so does the death of this process.
pub(crate) struct Predecessor {
    /// What it holds warm.
    pub(crate) standby: Standby,
    stream: UnixStream,
    told: bool,
}

impl Drop for Predecessor {
    fn drop(&mut self) {
        self.resume();
        // The thread that listens has the connection, too.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

/// What becomes of a predecessor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PredecessorSaid {
    /// It has the traffic again.
    Resumed,
    /// It has ended, or does not answer any more.
    Gone,
}

impl Predecessor {
    /// Ends it, after its open connections.
    pub(crate) fn retire(&mut self) {
        self.say(&Word::Retire);
    }

    /// Ends it at once.
    pub(crate) fn stop(&mut self) {
        self.say(&Word::Stop);
    }

    /// Gives the traffic back.
    pub(crate) fn resume(&mut self) {
        self.say(&Word::Resume);
    }

    /// The first word counts. One that cannot hear it is gone, which the thread that listens notices.
    fn say(&mut self, word: &Word) {
        if !std::mem::replace(&mut self.told, true) {
            let _ = self.stream.write_all(word.line().as_bytes());
        }
    }

    /// Passes on what it says until it is gone.
    ///
    /// # Errors
    /// When the connection cannot be read.
    pub(crate) fn listen<E: Send + 'static>(
        &self,
        events: Sender<E>,
        event: fn(PredecessorSaid) -> E,
    ) -> io::Result<()> {
        let stream = self.stream.try_clone()?;
        stream.set_read_timeout(None)?;
        thread::spawn(move || {
            while let Ok(line) = read_line(&stream, None) {
                if line == "resumed" && events.send(event(PredecessorSaid::Resumed)).is_ok() {
                    continue;
                }
                break;
            }
            let _ = events.send(event(PredecessorSaid::Gone));
        });
        Ok(())
    }
}

/// Somebody asks for something.
#[derive(Debug)]
pub(crate) enum Asked {
    /// To end.
    Stop(StopAsked),
    /// For the listening socket.
    HandOver(HandOverAsked),
}

impl Asked {
    /// Says that this is not the time: whoever asked asks again.
    pub(crate) fn busy(self) {
        let (Self::Stop(StopAsked(mut stream)) | Self::HandOver(HandOverAsked { mut stream, .. })) = self;
        let _ = stream.write_all(b"busy\n");
    }
}

/// Somebody who asked for a stop and waits to hear that it happened.
#[derive(Debug)]
pub(crate) struct StopAsked(UnixStream);

impl StopAsked {
    /// Tells that the service is gone. From then on nobody finds its supervisor, which is about to end.
    pub(crate) fn answer(mut self, directory: &ServiceDirectory) {
        let _ = fs::remove_file(directory.path().join(CONTROL));
        // Who asked may have left; the service is gone all the same.
        let _ = self.0.write_all(b"stopped\n");
    }
}

/// A supervisor that wants the traffic.
#[derive(Debug)]
pub(crate) struct HandOverAsked {
    claim: Claim,
    stream: UnixStream,
}

impl HandOverAsked {
    /// Hands the listening socket over. From then on `control.sock` is the successor's to make.
    ///
    /// # Errors
    /// When it did not arrive; then nothing has changed.
    pub(crate) fn answer<E: Send + 'static>(
        self,
        directory: &ServiceDirectory,
        listener: &TcpListener,
        standby: &Standby,
        events: Sender<E>,
        event: fn(SuccessorSaid) -> E,
    ) -> io::Result<Successor> {
        let reader = self.stream.try_clone()?;
        reader.set_read_timeout(None)?;
        fs::rename(directory.path().join(CONTROL), directory.path().join(STANDBY))?;
        let line = format!("listener {}\n", serde_json::to_string(standby)?);
        if let Err(error) = send(&self.stream, &line, listener) {
            fs::rename(directory.path().join(STANDBY), directory.path().join(CONTROL))?;
            return Err(error);
        }
        thread::spawn(move || {
            // Nothing may come between a word and its end, so whatever else arrives counts as the end.
            let said = match read_line(&reader, None).ok().as_deref().and_then(Word::parse) {
                Some(Word::Retire) => SuccessorSaid::Retire,
                Some(Word::Resume) => SuccessorSaid::Resume,
                Some(Word::Stop) => SuccessorSaid::Stop,
                Some(Word::HandOver(_)) | None => SuccessorSaid::Died,
            };
            let _ = events.send(event(said));
        });
        Ok(Successor { claim: self.claim, stream: self.stream })
    }
}

fn send(stream: &UnixStream, line: &str, listener: &TcpListener) -> io::Result<()> {
    let descriptors = [listener.as_fd()];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
    let slices = [IoSlice::new(line.as_bytes())];
    let sent = rustix::io::retry_on_intr(|| {
        rustix::net::sendmsg(stream, &slices, &mut ancillary, SendFlags::NOSIGNAL)
    })?;
    if sent == line.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
}

/// What a successor says, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SuccessorSaid {
    /// It keeps the traffic.
    Retire,
    /// Everything is to end.
    Stop,
    /// It gives the traffic back.
    Resume,
    /// It ended without a word.
    Died,
}

/// The supervisor that has the traffic, as the one before sees it.
pub(crate) struct Successor {
    /// What it was started under.
    pub(crate) claim: Claim,
    stream: UnixStream,
}

impl Drop for Successor {
    fn drop(&mut self) {
        // The thread that listens has the connection, too.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

impl Successor {
    /// Tells that traffic arrives here again, and takes the name of the control socket back.
    pub(crate) fn resumed(mut self, directory: &ServiceDirectory) {
        let _ = fs::rename(directory.path().join(STANDBY), directory.path().join(CONTROL));
        let _ = self.stream.write_all(b"resumed\n");
    }
}

/// A control socket that nobody finds yet. Whoever makes one holds the lock of the directory.
pub(crate) struct Socket(UnixListener);

impl Socket {
    /// Makes the socket, in place of one that a killed supervisor left.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(crate) fn make(directory: &ServiceDirectory) -> io::Result<Self> {
        match fs::remove_file(directory.path().join(NEXT)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let parent = File::open(directory.path())?;
        Ok(Self(UnixListener::bind(beside(&parent, NEXT))?))
    }

    /// Takes the place of the socket that is found, and passes on what is asked.
    ///
    /// # Errors
    /// When it cannot be renamed.
    pub(crate) fn publish<E: Send + 'static>(
        self,
        directory: &ServiceDirectory,
        events: Sender<E>,
        event: fn(Asked) -> E,
    ) -> io::Result<()> {
        fs::rename(directory.path().join(NEXT), directory.path().join(CONTROL))?;
        thread::spawn(move || {
            for stream in self.0.incoming().flatten() {
                if let Some(asked) = hear(stream)
                    && events.send(event(asked)).is_err()
                {
                    return;
                }
            }
        });
        Ok(())
    }
}

/// What somebody who connected wants; none for silence, and for what is no question.
fn hear(stream: UnixStream) -> Option<Asked> {
    stream.set_write_timeout(Some(PROMPT)).ok()?;
    let line = read_line(&stream, Some(Instant::now() + PROMPT)).ok()?;
    match Word::parse(&line)? {
        Word::Stop => Some(Asked::Stop(StopAsked(stream))),
        Word::HandOver(claim) => Some(Asked::HandOver(HandOverAsked { claim, stream })),
        Word::Retire | Word::Resume => None,
    }
}

/// A connection to the supervisor of a service, wherever a hand-over may have brought it: the one with the traffic, or
/// else the one before, which may be the one with the traffic again by the time that it was looked for.
fn connect(directory: &ServiceDirectory) -> Result<UnixStream, ControlError> {
    let parent = File::open(directory.path()).map_err(ControlError::Silent)?;
    for name in [CONTROL, STANDBY, CONTROL] {
        match connect_to(&parent, name) {
            Ok(stream) => return Ok(stream),
            Err(error) if is_gone(&error) => {}
            Err(error) => return Err(ControlError::Silent(error)),
        }
    }
    Err(ControlError::NotRunning)
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused)
}

/// A supervisor that does not even take connections any more is waited for as long as for a word.
fn connect_to(parent: &File, name: &str) -> io::Result<UnixStream> {
    let socket =
        rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_socket_timeout(&socket, Timeout::Send, Some(PROMPT))?;
    rustix::net::connect(&socket, &SocketAddrUnix::new(beside(parent, name))?)?;
    Ok(UnixStream::from(socket))
}

/// A path in an open directory that is short enough for a socket's address (108 bytes, `unix(7)`), wherever the
/// directory is.
fn beside(parent: &File, name: &str) -> String {
    format!("/proc/self/fd/{}/{name}", parent.as_raw_fd())
}

/// Says a word and waits for one line; an empty one when the other end closed.
fn ask(stream: &mut UnixStream, word: &Word, until: Instant) -> io::Result<String> {
    stream.write_all(word.line().as_bytes())?;
    match read_line(stream, Some(until)) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(String::new()),
        other => other,
    }
}

/// One line without its end, of at most [`LINE_LIMIT`] bytes, with nothing behind it.
fn read_line(mut stream: &UnixStream, until: Option<Instant>) -> io::Result<String> {
    let (mut line, mut piece) = (Vec::new(), [0; 512]);
    loop {
        if let Some(until) = until {
            stream.set_read_timeout(Some(remaining(until)?))?;
        }
        match stream.read(&mut piece) {
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(length) => line.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        match line.iter().position(|byte| *byte == b'\n') {
            Some(end) if end + 1 == line.len() => {
                line.pop();
                return String::from_utf8(line).map_err(|_| io::ErrorKind::InvalidData.into());
            }
            None if line.len() < LINE_LIMIT => {}
            _ => return Err(io::ErrorKind::InvalidData.into()),
        }
    }
}

fn remaining(until: Instant) -> io::Result<Duration> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
}
