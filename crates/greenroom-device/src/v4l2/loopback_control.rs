//! The ioctls of `/dev/v4l2loopback`, by which nodes are added and removed (v4l2loopback 0.13 and
//! later).
//!
//! 0.13 has the numbers 0x4C80 to 0x4C82 alone. From 0.15 on, the header has others, which carry the
//! size of the struct, and the driver goes on answering these. The struct is the same in 0.13.2,
//! 0.15.0 and 0.15.4, whose headers were compared. `/dev/loop-control` has the same three numbers for
//! something else: whoever calls these has to know that the file is the right one.

use std::ffi::c_void;
use std::mem::{offset_of, size_of};
use std::os::fd::BorrowedFd;

use rustix::ioctl::{Ioctl, IoctlOutput, Opcode};

const ADD: Opcode = 0x4C80;
const REMOVE: Opcode = 0x4C81;
const QUERY: Opcode = 0x4C82;

/// `struct v4l2_loopback_config`. 0 stands for the driver's default where nothing else is said.
#[repr(C)]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Config {
    /// N of `/dev/videoN`.
    pub(crate) number: i32,
    pub(crate) unused: i32,
    pub(crate) label: [u8; 32],
    pub(crate) min_width: u32,
    pub(crate) max_width: u32,
    pub(crate) min_height: u32,
    pub(crate) max_height: u32,
    pub(crate) buffers: i32,
    pub(crate) openers: i32,
    pub(crate) debug: i32,
    /// 0: it shows itself as a camera only (`exclusive_caps=1`). Negative: as the driver likes.
    pub(crate) announce_all_caps: i32,
}

const _: () = assert!(
    size_of::<Config>() == 72
        && offset_of!(Config, label) == 8
        && offset_of!(Config, buffers) == 56
        && offset_of!(Config, announce_all_caps) == 68
);

/// A call whose argument is a [`Config`], which the driver reads, and for `QUERY` writes.
struct WithConfig<'a> {
    opcode: Opcode,
    config: &'a mut Config,
}

// SAFETY: the driver copies exactly one `struct v4l2_loopback_config` (72 bytes, see above) from and
// to the pointer, which is that of a borrowed `Config`; any bytes are a value of it. No pointer is
// in it.
unsafe impl Ioctl for WithConfig<'_> {
    type Output = i32;
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self.config).cast()
    }

    // SAFETY: this body relies on nothing but the call's own answer.
    unsafe fn output_from_ptr(answer: IoctlOutput, _: *mut c_void) -> rustix::io::Result<i32> {
        Ok(answer)
    }
}

/// A call whose argument is a node's number itself.
struct WithNumber(u32);

// SAFETY: the driver takes the argument as a number and never as a pointer.
unsafe impl Ioctl for WithNumber {
    type Output = ();
    const IS_MUTATING: bool = false;

    fn opcode(&self) -> Opcode {
        REMOVE
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::without_provenance_mut(self.0 as usize)
    }

    // SAFETY: this body relies on nothing.
    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> rustix::io::Result<()> {
        Ok(())
    }
}

/// Adds a node. Returns its number, which is another if a driver of another kind has that number.
pub(crate) fn add(fd: BorrowedFd<'_>, mut config: Config) -> rustix::io::Result<i32> {
    let call = WithConfig { opcode: ADD, config: &mut config };
    // SAFETY: see the implementation of `Ioctl`; a new node has no effect on memory of this process.
    unsafe { rustix::ioctl::ioctl(fd, call) }
}

/// What the driver knows of a node.
pub(crate) fn query(fd: BorrowedFd<'_>, number: i32) -> rustix::io::Result<Config> {
    let mut config = Config { number, unused: -1, ..Config::default() };
    let call = WithConfig { opcode: QUERY, config: &mut config };
    // SAFETY: see the implementation of `Ioctl`.
    unsafe { rustix::ioctl::ioctl(fd, call) }?;
    Ok(config)
}

/// Removes a node that nobody has open.
pub(crate) fn remove(fd: BorrowedFd<'_>, number: u32) -> rustix::io::Result<()> {
    // SAFETY: see the implementation of `Ioctl`; the driver refuses a node that is open (EBUSY), so
    // no mapping of ours is taken away.
    unsafe { rustix::ioctl::ioctl(fd, WithNumber(number)) }
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use rustix::io::Errno;

    use super::*;

    #[test]
    fn a_file_that_is_no_control_device_says_so() {
        let null = std::fs::File::open("/dev/null").unwrap();
        assert_eq!(add(null.as_fd(), Config::default()).unwrap_err(), Errno::NOTTY);
        assert_eq!(query(null.as_fd(), 10).unwrap_err(), Errno::NOTTY);
        assert_eq!(remove(null.as_fd(), 10).unwrap_err(), Errno::NOTTY);
    }
}
