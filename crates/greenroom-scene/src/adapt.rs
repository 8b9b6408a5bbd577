use greenroom_frame::{
    Frame, FrameError, FrameShape, FrameView, PixelFormat, PlaneScaler, recolour,
};

/// Brings a picture to another shape: fills it, cuts off what stands out, changes chroma and colour.
/// For pictures that were made for frames of another shape than those that came: quick (bilinear)
/// rather than good.
#[derive(Debug, Default)]
pub(crate) struct Adapter {
    scalers: Vec<PlaneScaler>,
    adapted: Option<Frame>,
}

impl Adapter {
    /// `picture`, itself if it is of `shape`, else adapted, cut to its sides: worked out anew each time.
    ///
    /// # Errors
    /// [`FrameError::NoConversion`] unless both are planar and in colour.
    pub(crate) fn adapt<'a>(
        &'a mut self,
        picture: FrameView<'a>,
        shape: FrameShape,
    ) -> Result<FrameView<'a>, FrameError> {
        check(picture, shape)?;
        self.stretch(picture.middle_of_shape(shape.size), shape)
    }

    /// As [`adapt`](Self::adapt), but all of `picture`, distorted where the sides differ.
    ///
    /// # Errors
    /// As for `adapt`.
    pub(crate) fn stretch<'a>(
        &'a mut self,
        picture: FrameView<'a>,
        shape: FrameShape,
    ) -> Result<FrameView<'a>, FrameError> {
        if picture.shape() == shape {
            return Ok(picture);
        }
        check(picture, shape)?;
        if self.adapted.is_none() {
            self.adapted = Some(Frame::new(shape.format, shape.size, picture.colour())?);
        }
        let adapted = self.adapted.as_mut().expect("made above");
        adapted.reshape(shape.format, shape.size, picture.colour())?;
        let (from_chroma, to_chroma) = (
            picture.format().chroma().plane_size(picture.size()),
            shape.format.chroma().plane_size(shape.size),
        );
        for (index, mut plane) in adapted.view_mut().planes_mut().enumerate() {
            let (from, to) =
                if index == 0 { (picture.size(), shape.size) } else { (from_chroma, to_chroma) };
            match self.scalers.get_mut(index) {
                Some(scaler) if (scaler.from(), scaler.to()) == (from, to) => {}
                Some(scaler) => *scaler = PlaneScaler::new(from, to)?,
                None => self.scalers.push(PlaneScaler::new(from, to)?),
            }
            self.scalers[index].scale(picture.plane(index), &mut plane);
        }
        recolour(adapted, shape.colour);
        Ok(adapted.view())
    }
}

/// Whether `picture` can be brought to `shape`: both are planar and in colour, or it has that shape.
fn check(picture: FrameView<'_>, shape: FrameShape) -> Result<(), FrameError> {
    let in_colour = |format| matches!(format, PixelFormat::I420 | PixelFormat::I422);
    if picture.shape() == shape || (in_colour(picture.format()) && in_colour(shape.format)) {
        return Ok(());
    }
    Err(FrameError::NoConversion {
        from: picture.format(),
        from_size: picture.size(),
        to: shape.format,
        to_size: shape.size,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use greenroom_frame::{Colour, Rgb8, SizePx};

    #[test]
    fn a_packed_picture_is_refused() {
        let picture = Frame::new(PixelFormat::Yuyv, SizePx::new(64, 64), Colour::WEBCAM).unwrap();
        let size = SizePx::new(32, 18);
        let shape = FrameShape { format: PixelFormat::I420, size, colour: Colour::WEBCAM };
        let refused = Adapter::default().adapt(picture.view(), shape).err();
        assert!(matches!(refused, Some(FrameError::NoConversion { .. })), "{refused:?}");
    }

    #[test]
    fn any_shape_becomes_any_other() {
        let shape = |format, width, height, colour| FrameShape {
            format,
            size: SizePx::new(width, height),
            colour,
        };
        let shapes = [
            shape(PixelFormat::I420, 64, 36, Colour::WEBCAM),
            shape(PixelFormat::I422, 31, 99, Colour::JPEG),
            shape(PixelFormat::I420, 200, 50, Colour::HD),
        ];
        let mut adapter = Adapter::default();
        let orange = Rgb8 { r: 220, g: 120, b: 40 };
        for from in shapes {
            let mut picture = Frame::new(from.format, from.size, from.colour).unwrap();
            picture.fill(from.colour.encode(orange));
            for to in shapes {
                let adapted = adapter.adapt(picture.view(), to).unwrap();
                assert_eq!(adapted.shape(), to);
                let wanted = to.colour.encode(orange);
                for (plane, wanted) in [wanted.y, wanted.u, wanted.v].into_iter().enumerate() {
                    for &sample in adapted.plane(plane).iter_rows().flatten() {
                        assert!(sample.abs_diff(wanted) <= 2, "{from:?} {to:?} {sample} {wanted}");
                    }
                }
            }
        }
        let grey = Frame::new(PixelFormat::Grey, SizePx::new(4, 4), Colour::JPEG).unwrap();
        assert!(adapter.adapt(grey.view(), shapes[0]).is_err());
    }
}
