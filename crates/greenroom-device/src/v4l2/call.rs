use std::ffi::c_void;
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;

use rustix::io::Errno;
use rustix::ioctl::{Ioctl, IoctlOutput, Opcode, opcode};

use super::argument::Argument;
use super::error::V4l2Error;
use super::raw;

/// One ioctl of V4L2: its name, number and argument.
pub(super) struct Request<T> {
    name: &'static str,
    opcode: Opcode,
    argument: PhantomData<fn(&mut T)>,
}

/// Direction of an ioctl, seen from the program.
#[derive(Clone, Copy)]
enum Way {
    Read,
    Write,
    ReadWrite,
}

impl<T> Request<T> {
    /// The number is made from the size of `T`, and the kernel copies exactly as many bytes as the
    /// number says: a wrong `T` is refused by it (ENOTTY), never overrun.
    const fn new(name: &'static str, way: Way, number: u8) -> Self {
        let opcode = match way {
            Way::Read => opcode::read::<T>(b'V', number),
            Way::Write => opcode::write::<T>(b'V', number),
            Way::ReadWrite => opcode::read_write::<T>(b'V', number),
        };
        Self { name, opcode, argument: PhantomData }
    }
}

pub(super) const QUERYCAP: Request<raw::Capability> = Request::new("VIDIOC_QUERYCAP", Way::Read, 0);
pub(super) const ENUM_FMT: Request<raw::FmtDesc> =
    Request::new("VIDIOC_ENUM_FMT", Way::ReadWrite, 2);
pub(super) const G_FMT: Request<raw::Format> = Request::new("VIDIOC_G_FMT", Way::ReadWrite, 4);
pub(super) const S_FMT: Request<raw::Format> = Request::new("VIDIOC_S_FMT", Way::ReadWrite, 5);
pub(super) const REQBUFS: Request<raw::RequestBuffers> =
    Request::new("VIDIOC_REQBUFS", Way::ReadWrite, 8);
pub(super) const QUERYBUF: Request<raw::BufferDesc> =
    Request::new("VIDIOC_QUERYBUF", Way::ReadWrite, 9);
pub(super) const QBUF: Request<raw::BufferDesc> = Request::new("VIDIOC_QBUF", Way::ReadWrite, 15);
pub(super) const DQBUF: Request<raw::BufferDesc> = Request::new("VIDIOC_DQBUF", Way::ReadWrite, 17);
pub(super) const STREAMON: Request<u32> = Request::new("VIDIOC_STREAMON", Way::Write, 18);
pub(super) const STREAMOFF: Request<u32> = Request::new("VIDIOC_STREAMOFF", Way::Write, 19);
pub(super) const G_PARM: Request<raw::StreamParm> =
    Request::new("VIDIOC_G_PARM", Way::ReadWrite, 21);
pub(super) const S_PARM: Request<raw::StreamParm> =
    Request::new("VIDIOC_S_PARM", Way::ReadWrite, 22);
pub(super) const G_CTRL: Request<raw::Control> = Request::new("VIDIOC_G_CTRL", Way::ReadWrite, 27);
pub(super) const S_CTRL: Request<raw::Control> = Request::new("VIDIOC_S_CTRL", Way::ReadWrite, 28);
pub(super) const G_INPUT: Request<u32> = Request::new("VIDIOC_G_INPUT", Way::Read, 38);
pub(super) const TRY_FMT: Request<raw::Format> = Request::new("VIDIOC_TRY_FMT", Way::ReadWrite, 64);
pub(super) const ENUM_FRAMESIZES: Request<raw::FrmSizeEnum> =
    Request::new("VIDIOC_ENUM_FRAMESIZES", Way::ReadWrite, 74);
pub(super) const ENUM_FRAMEINTERVALS: Request<raw::FrmIvalEnum> =
    Request::new("VIDIOC_ENUM_FRAMEINTERVALS", Way::ReadWrite, 75);
pub(super) const DQEVENT: Request<raw::EventDesc> = Request::new("VIDIOC_DQEVENT", Way::Read, 89);
pub(super) const SUBSCRIBE_EVENT: Request<raw::EventSubscription> =
    Request::new("VIDIOC_SUBSCRIBE_EVENT", Way::Write, 90);

/// A request with its argument, as rustix wants it.
struct Call<'a, T> {
    opcode: Opcode,
    argument: &'a mut T,
}

// SAFETY: the number carries the size of `T`, so the kernel touches exactly `argument`, which is
// borrowed for the call; `T: Argument` holds for any bytes that it writes there.
unsafe impl<T: Argument> Ioctl for Call<'_, T> {
    type Output = ();
    const IS_MUTATING: bool = true;

    fn opcode(&self) -> Opcode {
        self.opcode
    }

    fn as_ptr(&mut self) -> *mut c_void {
        std::ptr::from_mut(self.argument).cast()
    }

    // SAFETY: this body relies on nothing: the kernel's answer lies in `argument`.
    unsafe fn output_from_ptr(_: IoctlOutput, _: *mut c_void) -> rustix::io::Result<()> {
        Ok(())
    }
}

/// More signals than this cannot come in between by chance: the driver itself says EINTR, always.
const SIGNALS_MAX: u32 = 1000;

/// Does `request` on `fd`, again if a signal came in between.
pub(super) fn call<T: Argument>(
    fd: BorrowedFd<'_>,
    request: &Request<T>,
    argument: &mut T,
) -> Result<(), V4l2Error> {
    let mut signals = 0;
    loop {
        match ask(fd, request, argument) {
            Ok(()) => return Ok(()),
            Err(Errno::INTR) if signals < SIGNALS_MAX => signals += 1,
            Err(errno) => return Err(V4l2Error::Os { call: request.name, errno }),
        }
    }
}

/// Asks the kernel, once; in a test the driver that it put in the kernel's place.
fn ask<T: Argument>(
    fd: BorrowedFd<'_>,
    request: &Request<T>,
    argument: &mut T,
) -> rustix::io::Result<()> {
    #[cfg(any(test, feature = "fuzzing"))]
    if let Some(answer) = super::fake::answer(request.name, argument) {
        return answer;
    }
    let call = Call { opcode: request.opcode, argument };
    // SAFETY: see the implementation of `Ioctl` above; none of the requests listed here has an
    // effect on memory besides its argument (the mappings of buffers outlive a STREAMOFF).
    unsafe { rustix::ioctl::ioctl(fd, call) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_header() {
        // Printed by a C program from linux/videodev2.h.
        let of = |name: &str, have: Opcode, want: u32| assert_eq!(have, want as Opcode, "{name}");
        of(QUERYCAP.name, QUERYCAP.opcode, 0x8068_5600);
        of(ENUM_FMT.name, ENUM_FMT.opcode, 0xc040_5602);
        of(G_FMT.name, G_FMT.opcode, 0xc0d0_5604);
        of(S_FMT.name, S_FMT.opcode, 0xc0d0_5605);
        of(TRY_FMT.name, TRY_FMT.opcode, 0xc0d0_5640);
        of(REQBUFS.name, REQBUFS.opcode, 0xc014_5608);
        of(QUERYBUF.name, QUERYBUF.opcode, 0xc058_5609);
        of(QBUF.name, QBUF.opcode, 0xc058_560f);
        of(DQBUF.name, DQBUF.opcode, 0xc058_5611);
        of(STREAMON.name, STREAMON.opcode, 0x4004_5612);
        of(STREAMOFF.name, STREAMOFF.opcode, 0x4004_5613);
        of(G_PARM.name, G_PARM.opcode, 0xc0cc_5615);
        of(S_PARM.name, S_PARM.opcode, 0xc0cc_5616);
        of(G_CTRL.name, G_CTRL.opcode, 0xc008_561b);
        of(S_CTRL.name, S_CTRL.opcode, 0xc008_561c);
        of(G_INPUT.name, G_INPUT.opcode, 0x8004_5626);
        of(ENUM_FRAMESIZES.name, ENUM_FRAMESIZES.opcode, 0xc02c_564a);
        of(ENUM_FRAMEINTERVALS.name, ENUM_FRAMEINTERVALS.opcode, 0xc034_564b);
        of(DQEVENT.name, DQEVENT.opcode, 0x8088_5659);
        of(SUBSCRIBE_EVENT.name, SUBSCRIBE_EVENT.opcode, 0x4020_565a);
    }

    #[test]
    fn a_file_that_is_no_video_device_says_so() {
        let null = std::fs::File::open("/dev/null").unwrap();
        let mut caps = raw::Capability::default();
        let error = call(std::os::fd::AsFd::as_fd(&null), &QUERYCAP, &mut caps).unwrap_err();
        assert_eq!(error.errno(), Some(Errno::NOTTY));
    }
}
