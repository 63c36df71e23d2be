//! The control socket of a supervisor: a connection tells that it lives, the word `stop` ends it.

use crate::record::ServiceDirectory;
use std::{
    fs, io,
    io::{Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    sync::mpsc::Sender,
    thread,
    time::Duration,
};

/// Longest wait for a supervisor to stop its service.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a service was not stopped.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    /// Nothing listens: there is no supervisor.
    #[error("nothing runs here")]
    NotRunning,
    /// The supervisor did not answer.
    #[error("the supervisor did not answer")]
    Silent(#[source] io::Error),
}

/// Stops the service of `directory` and waits until it is gone.
///
/// # Errors
/// When there is none, or its supervisor does not answer in time.
pub fn stop(directory: &ServiceDirectory) -> Result<(), ControlError> {
    let mut stream = UnixStream::connect(directory.control()).map_err(|_| ControlError::NotRunning)?;
    stream.set_read_timeout(Some(PATIENCE)).map_err(ControlError::Silent)?;
    stream.write_all(b"stop\n").map_err(ControlError::Silent)?;
    let mut answer = String::new();
    stream.take(16).read_to_string(&mut answer).map_err(ControlError::Silent)?;
    if answer.starts_with("stopped") {
        Ok(())
    } else {
        Err(ControlError::Silent(io::ErrorKind::UnexpectedEof.into()))
    }
}

/// Somebody who asked for a stop and waits to hear that it happened.
pub(crate) struct StopAsked(UnixStream);

impl StopAsked {
    /// Tells that the service is gone. From then on nobody finds its supervisor, which is about to end.
    pub(crate) fn answer(mut self, directory: &ServiceDirectory) {
        let _ = fs::remove_file(directory.control());
        // Who asked may have left; the service is gone all the same.
        let _ = self.0.write_all(b"stopped\n");
    }
}

/// Listens on the control socket, replacing one that a dead supervisor left, and passes on requests to stop.
///
/// # Errors
/// When the socket cannot be made.
pub(crate) fn listen<E: Send + 'static>(
    directory: &ServiceDirectory,
    events: Sender<E>,
    event: fn(StopAsked) -> E,
) -> io::Result<()> {
    let path = directory.control();
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(path)?;
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut word = [0; 5];
            let in_time = stream.set_read_timeout(Some(Duration::from_secs(1))).is_ok();
            let mut reader = &stream;
            if in_time
                && reader.read_exact(&mut word).is_ok()
                && &word == b"stop\n"
                && events.send(event(StopAsked(stream))).is_err()
            {
                return;
            }
        }
    });
    Ok(())
}
