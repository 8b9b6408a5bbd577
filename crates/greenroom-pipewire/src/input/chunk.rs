//! What a buffer says of itself is checked before a byte of it is read as a picture.

use std::time::Instant;

use greenroom_device::{CameraBytes, Codec, MjpegData};
use greenroom_frame::{FrameLayout, FrameView, PixelFormat, RgbOrder, RgbView, SizePx};

use super::formats::Negotiated;
use crate::raw::Block;

/// What is in a buffer.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// A picture, to be decoded.
    Picture(CameraBytes<'a>),
    /// No whole picture, and why: passed over.
    Damaged(&'static str),
}

/// The picture in `blocks`, captured at `captured_at`. Planes in blocks of their own are copied to `planes` first.
///
/// # Errors
/// What a camera that does as it has agreed would not send.
pub(super) fn content<'a>(
    agreed: &Negotiated,
    blocks: &[Block<'a>],
    captured_at: Instant,
    planes: &'a mut Vec<u8>,
) -> Result<Content<'a>, String> {
    if blocks.iter().any(|block| block.is_corrupt) {
        return Ok(Content::Damaged("the camera says so"));
    }
    match (agreed.codec, blocks) {
        (Codec::Mjpeg, [block]) => Ok(match data(block)? {
            [] => Content::Damaged("it is empty"),
            bytes => Content::Picture(CameraBytes::Mjpeg(MjpegData(bytes), captured_at)),
        }),
        (Codec::Raw(format), [block]) => {
            let layout = layout(format, agreed.size, block.stride_bytes)?;
            let bytes = data(block)?;
            if bytes.len() < layout.len_bytes() {
                return Ok(Content::Damaged("it is too short"));
            }
            picture(layout, agreed, captured_at, bytes)
        }
        (Codec::Raw(format), blocks) if blocks.len() == format.plane_count() => {
            planes.clear();
            for (plane, block) in blocks.iter().enumerate() {
                let (row_bytes, rows) = format.plane_bytes(plane, agreed.size);
                let stride_bytes = stride(block.stride_bytes, row_bytes)?;
                let bytes = data(block)?;
                if bytes.len() < stride_bytes * (rows - 1) + row_bytes {
                    return Ok(Content::Damaged("a plane is too short"));
                }
                for row in bytes.chunks(stride_bytes).take(rows) {
                    planes.extend_from_slice(&row[..row_bytes]);
                }
            }
            let layout = FrameLayout::tight(format, agreed.size);
            picture(layout.map_err(|error| error.to_string())?, agreed, captured_at, planes)
        }
        (codec, blocks) => Err(format!("{} blocks of memory for a frame in {codec}", blocks.len())),
    }
}

/// Whether the planes of a picture in one block lie where everybody expects them: for other sizes, GStreamer, V4L2 and
/// libcamera round the length of a row of chroma in different ways, and no buffer says in which.
pub(super) fn has_one_layout(format: PixelFormat, size: SizePx) -> bool {
    format.plane_count() == 1
        || (size.width_px.is_multiple_of(8) && size.height_px.is_multiple_of(2))
}

fn picture<'a>(
    layout: FrameLayout,
    agreed: &Negotiated,
    captured_at: Instant,
    bytes: &'a [u8],
) -> Result<Content<'a>, String> {
    let view = FrameView::new(layout, agreed.colour, captured_at, bytes);
    view.map(|view| Content::Picture(CameraBytes::Raw(view))).map_err(|error| error.to_string())
}

/// The picture of red, green and blue in `blocks`; `None` if there is none.
///
/// # Errors
/// What a program that does as it has agreed would not send.
pub(super) fn rgb_picture<'a>(
    order: RgbOrder,
    size: SizePx,
    blocks: &[Block<'a>],
) -> Result<Option<RgbView<'a>>, String> {
    let [block] = blocks else {
        return Err(format!("{} blocks of memory for a picture of a screen", blocks.len()));
    };
    // Some send a buffer when only the pointer has moved.
    if block.is_corrupt || block.size_bytes == 0 {
        return Ok(None);
    }
    let stride_bytes = stride(block.stride_bytes, 4 * size.width_px as usize)?;
    let view = RgbView::new(order, size, stride_bytes, data(block)?);
    view.map(Some).map_err(|error| error.to_string())
}

/// The bytes of a block that are data.
fn data<'a>(block: &Block<'a>) -> Result<&'a [u8], String> {
    let Block { memory, offset_bytes, size_bytes, .. } = *block;
    let (start, len) = (offset_bytes as usize, size_bytes as usize);
    let end = start.checked_add(len);
    end.and_then(|end| memory.get(start..end)).ok_or_else(|| {
        format!("{len} bytes from byte {start} on of a buffer that has {}", memory.len())
    })
}

fn layout(format: PixelFormat, size: SizePx, stride_bytes: i32) -> Result<FrameLayout, String> {
    let (row_bytes, _) = format.plane_bytes(0, size);
    FrameLayout::with_stride(format, size, stride(stride_bytes, row_bytes)?)
        .map_err(|error| error.to_string())
}

/// Bytes from one row to the next, if a row fits: as told, else without padding.
fn stride(told_bytes: i32, row_bytes: usize) -> Result<usize, String> {
    match usize::try_from(told_bytes) {
        Ok(0) => Ok(row_bytes),
        Ok(stride_bytes) if stride_bytes >= row_bytes => Ok(stride_bytes),
        _ => Err(format!("rows of {told_bytes} bytes, where a row needs {row_bytes}")),
    }
}

#[cfg(test)]
mod tests {
    use greenroom_device::FrameRate;
    use greenroom_frame::Colour;

    use super::*;

    fn agreed(codec: Codec, width_px: u32, height_px: u32) -> Negotiated {
        let (size, rate) = (SizePx::new(width_px, height_px), FrameRate::new(30, 1).unwrap());
        Negotiated { codec, size, rate, colour: Colour::WEBCAM }
    }

    fn block(memory: &[u8], offset_bytes: u32, size_bytes: u32, stride_bytes: i32) -> Block<'_> {
        Block { memory, offset_bytes, size_bytes, stride_bytes, is_corrupt: false }
    }

    #[test]
    fn a_screen_that_lies_is_not_read() {
        let (size, memory) = (SizePx::new(2, 2), [9; 40]);
        let read = |blocks: &[Block<'_>]| {
            rgb_picture(RgbOrder::Bgrx, size, blocks).map(|view| view.map(|view| view.size()))
        };
        assert_eq!(read(&[block(&memory, 0, 16, 0)]), Ok(Some(size)));
        assert_eq!(read(&[block(&memory, 8, 24, 16)]), Ok(Some(size)));
        assert_eq!(read(&[block(&memory, 0, 0, 8)]), Ok(None));
        for (offset, size, stride) in
            [(0, 15, 8), (32, 16, 8), (0, 16, 4), (0, 40, 40), (0, 16, -8)]
        {
            read(&[block(&memory, offset, size, stride)]).unwrap_err();
        }
        read(&[]).unwrap_err();
        read(&[block(&memory, 0, 16, 0); 2]).unwrap_err();
    }

    fn read(agreed: &Negotiated, blocks: &[Block<'_>]) -> Result<Option<Vec<u8>>, String> {
        let mut planes = Vec::new();
        Ok(match content(agreed, blocks, Instant::now(), &mut planes)? {
            Content::Picture(CameraBytes::Mjpeg(jpeg, _)) => Some(jpeg.0.to_vec()),
            Content::Picture(CameraBytes::Raw(view)) => {
                let planes = 0..view.format().plane_count();
                Some(planes.flat_map(|at| view.plane(at).iter_rows().flatten().copied()).collect())
            }
            Content::Damaged(_) => None,
        })
    }

    #[test]
    fn rows_are_read_at_the_stride_that_is_told() {
        let memory: Vec<u8> = (0..100).collect();
        let format = agreed(Codec::Raw(PixelFormat::Yuyv), 4, 2);
        let seen = read(&format, &[block(&memory, 10, 20, 12)]).unwrap().unwrap();
        assert_eq!(seen, [10, 11, 12, 13, 14, 15, 16, 17, 22, 23, 24, 25, 26, 27, 28, 29]);
        // Not told: no padding.
        let seen = read(&format, &[block(&memory, 0, 16, 0)]).unwrap().unwrap();
        assert_eq!(seen, (0..16).collect::<Vec<u8>>());
    }

    #[test]
    fn planes_in_blocks_of_their_own_come_together() {
        let memory: Vec<u8> = (0..100).collect();
        let format = agreed(Codec::Raw(PixelFormat::Nv12), 4, 2);
        let blocks = [block(&memory, 0, 12, 8), block(&memory, 50, 8, 8)];
        let seen = read(&format, &blocks).unwrap().unwrap();
        assert_eq!(seen, [0, 1, 2, 3, 8, 9, 10, 11, 50, 51, 52, 53]);
        assert_eq!(read(&format, &blocks[..1]), Ok(None));
        assert_eq!(read(&format, &[blocks[0], block(&memory, 50, 3, 8)]), Ok(None));
    }

    #[test]
    fn what_is_too_short_is_no_picture() {
        let memory = [7; 100];
        let yuyv = agreed(Codec::Raw(PixelFormat::Yuyv), 4, 2);
        assert_eq!(read(&yuyv, &[block(&memory, 0, 15, 8)]), Ok(None));
        assert_eq!(read(&yuyv, &[block(&memory, 0, 0, 8)]), Ok(None));
        let jpeg = agreed(Codec::Mjpeg, 4, 2);
        assert_eq!(read(&jpeg, &[block(&memory, 0, 0, 0)]), Ok(None));
        assert_eq!(read(&jpeg, &[block(&memory, 3, 50, -9)]), Ok(Some(vec![7; 50])));
        let corrupt = Block { is_corrupt: true, ..block(&memory, 0, 16, 8) };
        assert_eq!(read(&yuyv, &[corrupt]), Ok(None));
    }

    #[test]
    fn nothing_is_read_outside_its_memory_or_at_a_wrong_stride() {
        let memory = [7; 100];
        let (yuyv, jpeg) =
            (agreed(Codec::Raw(PixelFormat::Yuyv), 4, 2), agreed(Codec::Mjpeg, 4, 2));
        for (offset, size) in [(0, 101), (101, 0), (90, 11), (u32::MAX, u32::MAX), (1, u32::MAX)] {
            for format in [&yuyv, &jpeg] {
                let why = read(format, &[block(&memory, offset, size, 8)]).unwrap_err();
                assert!(why.ends_with("of a buffer that has 100"), "{why}");
            }
        }
        for stride in [7, -8, i32::MIN, i32::MAX] {
            assert!(read(&yuyv, &[block(&memory, 0, 100, stride)]).is_err(), "{stride}");
        }
        let two = [block(&memory, 0, 16, 8), block(&memory, 0, 16, 8)];
        assert_eq!(read(&yuyv, &two).unwrap_err(), "2 blocks of memory for a frame in YUYV");
        assert!(read(&jpeg, &two).is_err() && read(&yuyv, &[]).is_err());
        let nv12 = agreed(Codec::Raw(PixelFormat::Nv12), 4, 2);
        assert!(read(&nv12, &[two[0], block(&memory, 0, 16, 3)]).is_err());
    }

    #[test]
    fn planes_in_one_block_lie_in_one_way_only_in_some_sizes() {
        let size = SizePx::new;
        assert!(has_one_layout(PixelFormat::I420, size(640, 360)));
        assert!(!has_one_layout(PixelFormat::I420, size(644, 360)));
        assert!(!has_one_layout(PixelFormat::Nv12, size(640, 361)));
        assert!(has_one_layout(PixelFormat::Yuyv, size(642, 361)));
    }
}
