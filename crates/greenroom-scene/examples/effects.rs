//! Every effect on one picture, to be looked at:
//! `cargo run --example effects -- PICTURE MATTE BACKGROUND FOLDER [EFFECT...]`
//!
//! PICTURE and MATTE (grey) are PNG files of one size; each effect is written to FOLDER as a PNG.
//! Without arguments it says what effects there are.

use std::error::Error;
use std::path::Path;

use greenroom_frame::{Colour, Frame, MatteView, PixelFormat, Rgb8, SizePx, Yuv8};
use greenroom_scene::{
    BackgroundSpec, EffectSpec, MattedFrame, Pace, SceneFormat, SceneSpec, effects_help,
};
use image::{GrayImage, Rgb, RgbImage};

fn main() -> Result<(), Box<dyn Error>> {
    let mut args = std::env::args().skip(1).peekable();
    if args.peek().is_none() {
        print!("{}", effects_help());
        return Ok(());
    }
    let mut next = || args.next().ok_or("give PICTURE MATTE BACKGROUND FOLDER [EFFECT...]");
    let (picture, matte) = (image::open(next()?)?.to_rgb8(), image::open(next()?)?.to_luma8());
    let (background, folder): (BackgroundSpec, _) = (next()?.parse()?, next()?);
    let mut effects: Vec<EffectSpec> = args.map(|text| text.parse()).collect::<Result<_, _>>()?;
    if effects.is_empty() {
        effects.extend(EffectSpec::every());
    }
    let frame = frame(&picture)?;
    let chroma = frame.format().chroma().plane_size(frame.size());
    let small = image::imageops::thumbnail(&matte, chroma.width_px, chroma.height_px);
    let (luma, chroma) = (grey(&matte)?, grey(&small)?);
    let matte = MatteView::new(frame.view(), luma.view(), chroma.view())?;
    let room = MattedFrame { frame: frame.view(), matte };
    let mut canvas = frame.clone();
    for effect in effects {
        let name = effect.to_string().replace([':', '=', ',', '#'], "-");
        let spec = SceneSpec {
            background: background.clone(),
            effects: vec![effect],
            ..SceneSpec::default()
        };
        spec.build(SceneFormat { shape: frame.shape(), pace: Pace::Exact })?
            .compose(&room, &mut canvas)?;
        rgb(&canvas).save(Path::new(&folder).join(name + ".png"))?;
    }
    Ok(())
}

fn frame(picture: &RgbImage) -> Result<Frame, Box<dyn Error>> {
    let size = SizePx::new(picture.width(), picture.height());
    let mut frame = Frame::new(PixelFormat::I420, size, Colour::WEBCAM)?;
    let mut view = frame.view_mut();
    let [mut y, mut u, mut v] = view.yuv_mut();
    for (column, row, &Rgb([r, g, b])) in picture.enumerate_pixels() {
        let yuv = Colour::WEBCAM.encode(Rgb8 { r, g, b });
        let (column, row) = (column as usize, row as usize);
        y.row_mut(row)[column] = yuv.y;
        (u.row_mut(row / 2)[column / 2], v.row_mut(row / 2)[column / 2]) = (yuv.u, yuv.v);
    }
    Ok(frame)
}

fn grey(matte: &GrayImage) -> Result<Frame, Box<dyn Error>> {
    let size = SizePx::new(matte.width(), matte.height());
    let mut frame = Frame::new(PixelFormat::Grey, size, Colour::JPEG)?;
    frame.bytes_mut().copy_from_slice(matte.as_raw());
    Ok(frame)
}

fn rgb(frame: &Frame) -> RgbImage {
    let view = frame.view();
    let planes = [0, 1, 2].map(|plane| view.plane(plane));
    RgbImage::from_fn(frame.size().width_px, frame.size().height_px, |x, y| {
        let (x, y) = (x as usize, y as usize);
        let [luma, u, v] =
            [planes[0].row(y)[x], planes[1].row(y / 2)[x / 2], planes[2].row(y / 2)[x / 2]];
        let Rgb8 { r, g, b } = frame.colour().decode(Yuv8 { y: luma, u, v });
        Rgb([r, g, b])
    })
}
