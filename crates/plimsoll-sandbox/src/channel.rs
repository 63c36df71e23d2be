//! Messages with descriptors over a sequenced-packet socket (`unix(7)`): what the engine and the sandbox's own processes
//! say to each other. A message is a small JSON value and arrives whole or not at all.

use rustix::{
    io::{Errno, retry_on_intr},
    net::{
        AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
        SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
    },
    process::Pid,
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{BorrowedFd, OwnedFd},
};

/// Bytes of the longest message.
const LONGEST: usize = 64 << 10;

/// Most descriptors of one message; the kernel's own limit is 253 (`SCM_MAX_FD`).
pub(crate) const MOST_DESCRIPTORS: usize = 250;

/// What arrived.
pub(crate) struct Message<T> {
    /// The value.
    pub(crate) value: T,
    /// Descriptors that came with it.
    pub(crate) descriptors: Vec<OwnedFd>,
    /// Who sent it, as a process id of the receiver's namespace; only where the receiver asked for it.
    pub(crate) sender: Option<Pid>,
}

/// Two connected ends. Both are closed by `execve(2)`.
pub(crate) fn pair() -> io::Result<(OwnedFd, OwnedFd)> {
    let family = AddressFamily::UNIX;
    Ok(rustix::net::socketpair(family, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Sends one message.
pub(crate) fn send<T: Serialize>(
    socket: BorrowedFd<'_>,
    value: &T,
    descriptors: &[BorrowedFd<'_>],
) -> io::Result<()> {
    let bytes = serde_json::to_vec(value)?;
    if bytes.len() > LONGEST || descriptors.len() > MOST_DESCRIPTORS {
        return Err(Errno::MSGSIZE.into());
    }
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        ancillary.push(SendAncillaryMessage::ScmRights(descriptors));
    }
    let slices = [IoSlice::new(&bytes)];
    retry_on_intr(|| rustix::net::sendmsg(socket, &slices, &mut ancillary, SendFlags::NOSIGNAL))?;
    Ok(())
}

/// Waits for one message; none when the other end is closed.
pub(crate) fn receive<T: DeserializeOwned>(socket: BorrowedFd<'_>) -> io::Result<Option<Message<T>>> {
    let mut bytes = vec![0; LONGEST];
    let mut space =
        [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MOST_DESCRIPTORS), ScmCredentials(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut once = || {
        let mut slices = [IoSliceMut::new(&mut bytes)];
        rustix::net::recvmsg(socket, &mut slices, &mut ancillary, RecvFlags::CMSG_CLOEXEC)
    };
    // The other end closed before it read all that we sent. That is reported once, ahead of what it still told us.
    let received = match retry_on_intr(&mut once) {
        Err(Errno::CONNRESET) => retry_on_intr(once)?,
        other => other?,
    };
    let (mut descriptors, mut sender) = (Vec::new(), None);
    for message in ancillary.drain() {
        match message {
            RecvAncillaryMessage::ScmRights(fds) => descriptors.extend(fds),
            RecvAncillaryMessage::ScmCredentials(credentials) => sender = Some(credentials.pid),
            _ => {}
        }
    }
    if received.bytes == 0 {
        return Ok(None);
    }
    if received.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
        return Err(Errno::MSGSIZE.into());
    }
    let value = serde_json::from_slice(&bytes[..received.bytes])?;
    Ok(Some(Message { value, descriptors, sender }))
}
