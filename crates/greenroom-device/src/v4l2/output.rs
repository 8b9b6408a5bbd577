//! Buffers of a device that pictures are put out to.

use std::os::fd::AsFd;
use std::ptr::NonNull;

use rustix::mm::{MapFlags, ProtFlags};

use super::call::{self, call};
use super::device::{Device, Direction};
use super::error::V4l2Error;
use super::queue::MAX_BUFFER_BYTES;
use super::raw;

impl Device {
    /// VIDIOC_REQBUFS, VIDIOC_QUERYBUF and mmap: asks for one output buffer and copies `picture`
    /// into it. `fits` looks at the offset that the driver gives for it; if it says no, nothing is
    /// copied and the answer is false.
    pub(crate) fn fill_output_buffer(
        &self,
        picture: &[u8],
        fits: impl FnOnce(u32) -> bool,
    ) -> Result<bool, V4l2Error> {
        let mut request = raw::RequestBuffers {
            count: 1,
            buf_type: Direction::Output.buf_type(),
            memory: raw::MEMORY_MMAP,
            ..raw::RequestBuffers::default()
        };
        call(self.as_fd(), &call::REQBUFS, &mut request)?;
        let mut buffer = raw::BufferDesc {
            buf_type: Direction::Output.buf_type(),
            memory: raw::MEMORY_MMAP,
            ..raw::BufferDesc::default()
        };
        call(self.as_fd(), &call::QUERYBUF, &mut buffer)?;
        let len_bytes = buffer.length as usize;
        if !(picture.len().max(1)..=MAX_BUFFER_BYTES).contains(&len_bytes) {
            let what = format!("a buffer of {len_bytes} bytes for a frame of {}", picture.len());
            return Err(V4l2Error::Nonsense { call: "VIDIOC_QUERYBUF", what });
        }
        if !fits(buffer.offset) {
            return Ok(false);
        }
        self.copy_to(buffer.offset, len_bytes, picture)?;
        Ok(true)
    }

    /// Copies `picture` to the beginning of the `len_bytes` of the device's memory at `offset`.
    fn copy_to(&self, offset: u32, len_bytes: usize, picture: &[u8]) -> Result<(), V4l2Error> {
        assert!(picture.len() <= len_bytes, "checked by the caller");
        // SAFETY: a new mapping at an address of the kernel's choice touches no memory of ours.
        let start = unsafe {
            rustix::mm::mmap(
                std::ptr::null_mut(),
                len_bytes,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::SHARED,
                self.as_fd(),
                u64::from(offset),
            )
        }
        .map_err(|errno| V4l2Error::Os { call: "mmap", errno })?;
        let Some(target) = NonNull::new(start.cast::<u8>()) else {
            return Err(V4l2Error::Nonsense { call: "mmap", what: "the null address".to_owned() });
        };
        // SAFETY: `target` is the beginning of `len_bytes` writable bytes, `picture` is not longer,
        // and a mapping that is new overlaps nothing that is borrowed. No reference is made to it.
        unsafe {
            std::ptr::copy_nonoverlapping(picture.as_ptr(), target.as_ptr(), picture.len());
        }
        // SAFETY: exactly what `mmap` gave, and nothing refers to it any more. A failure can only
        // mean a wrong address, and there is nothing to do about it.
        let _ = unsafe { rustix::mm::munmap(start, len_bytes) };
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Device, fake};

    #[test]
    fn a_picture_goes_to_the_beginning_of_its_buffer() {
        let mut installed = fake::install("v4l2 loopback", &[], false);
        let device = Device::of(installed.memory());
        assert!(device.fill_output_buffer(&[7; 100], |offset| offset == 0).unwrap());
        let mut found = [1; 102];
        assert_eq!(rustix::io::pread(&device, &mut found, 0), Ok(102));
        assert_eq!((&found[..100], &found[100..]), (&[7; 100][..], &[0; 2][..]));
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let mut installed = fake::install("v4l2 loopback", &[], false);
        let device = Device::of(installed.memory());
        assert!(!device.fill_output_buffer(&[7; 100], |offset| offset != 0).unwrap());
        // Its buffers have 4096 bytes.
        assert!(device.fill_output_buffer(&[7; 4097], |_| true).is_err());
        assert!(device.fill_output_buffer(&[], |_| true).is_ok());
        let mut found = [1; 8];
        rustix::io::pread(&device, &mut found, 0).unwrap();
        assert_eq!(found, [0; 8]);
    }
}
