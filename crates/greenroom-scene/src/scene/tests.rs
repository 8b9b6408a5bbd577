use greenroom_frame::{Colour, FrameShape, Isa, MatteBlocks, MatteView, PixelFormat, SizePx, Yuv8};

use super::*;
use crate::Pace;

/// Where a background that stands still is shown already, it is not drawn again. Here it is changed behind the scene's back, which the
/// picture then does not show.
#[test]
fn a_background_that_stands_still_is_drawn_once() {
    let size = SizePx::new(128, 72);
    let shape = FrameShape { format: PixelFormat::I420, size, colour: Colour::WEBCAM };
    let scene = |background: &str| {
        let spec = SceneSpec { background: background.parse().unwrap(), ..SceneSpec::default() };
        spec.build(SceneFormat { shape, pace: Pace::Exact }).unwrap()
    };
    let mut frame = Frame::new(shape.format, size, shape.colour).unwrap();
    frame.fill(Yuv8 { y: 77, u: 128, v: 128 });
    // Somebody is in the left section of the two that there are.
    let alpha = |size: SizePx| {
        let mut alpha = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        let mut blocks = MatteBlocks::new(size);
        for (y, row) in alpha.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
            let third = row.len() / 3;
            row[..third].fill(255);
            blocks.draw_row(Isa::best(), y, row);
        }
        (alpha, blocks)
    };
    let [luma, chroma] = [size, SizePx::new(64, 36)].map(alpha);
    let matte = MatteView::new(frame.view(), luma.0.view(), chroma.0.view()).unwrap();
    let matte = matte.with_blocks(Some([&luma.1, &chroma.1]));
    let mut packed = PackedPicture::new(PixelFormat::Yuyv, size, Colour::WEBCAM).unwrap();
    let mut white = scene("#ffffff");
    let mut luma_seen = |scene: &mut Scene| {
        let matted = MattedFrame { frame: frame.view(), matte };
        scene.compose_packed(&matted, &mut packed).unwrap();
        let row = packed.view().plane(0).row(40);
        // Beside the person, and in the other section.
        (row[2 * 50], row[2 * 100])
    };
    assert_eq!(luma_seen(&mut white), (235, 235));
    white.background = scene("#000000").background;
    assert_eq!(luma_seen(&mut white), (16, 235));
    white.backdrop_id = BackdropId::unique();
    assert_eq!(luma_seen(&mut white), (16, 16));
}
