//! The loops of a depthwise convolution over vectors of channels, written once for all sizes of vectors.

/// Makes `row(layer, rows, out, channels)`, which is a row of the convolution for these channels, whole vectors of them. It asks of its
/// caller what [`depthwise`](super::depthwise) asserts.
///
/// * `features`: what it is compiled for;
/// * `vector` of so many `lanes`, and in which order its parts are worked on: `most` pixels at a time, as neighbours share most of
///   their inputs, then four, then one;
/// * the functions for vectors;
/// * what `out` is made of, and how many values are in one of these.
macro_rules! depthwise_rows {
    (
        $features:literal, $vector:ident of $lanes:ident, $most:literal pixels,
        $load:path, $add:path, $fmadd:path, $activate:path,
        $store:path, $out:ident of $values:literal
    ) => {
        /// The columns that the most pixels of the widest windows look at.
        const MOST_COLUMNS: usize = ($most - 1) * 2 + 5;

        #[target_feature(enable = $features)]
        pub(super) fn row(
            layer: &Depthwise,
            rows: &[&[f32]],
            out: &mut [$out],
            channels: std::ops::Range<usize>,
        ) {
            debug_assert!(channels.len() % $lanes == 0 && channels.end <= layer.channels());
            match (layer.window(), layer.stride()) {
                (3, 1) => row_of::<3, 1>(layer, rows, out, channels),
                (3, 2) => row_of::<3, 2>(layer, rows, out, channels),
                (5, 1) => row_of::<5, 1>(layer, rows, out, channels),
                (5, 2) => row_of::<5, 2>(layer, rows, out, channels),
                other => unreachable!("no layer has the window and stride {other:?}"),
            }
        }

        #[target_feature(enable = $features)]
        fn row_of<const WINDOW: usize, const STRIDE: usize>(
            layer: &Depthwise,
            rows: &[&[f32]],
            out: &mut [$out],
            channels: std::ops::Range<usize>,
        ) {
            let rows = rows.first_chunk().expect("there are as many rows as the window has");
            let pixels = $values * out.len() / layer.channels();
            for channel in channels.step_by($lanes) {
                let mut pixel = 0;
                // SAFETY: the pixels of each tile are below `pixels`; the rows have the columns that all pixels look at;
                // there is a vector of channels from `channel` on.
                unsafe {
                    while pixel + $most <= pixels {
                        tile::<WINDOW, STRIDE, $most>(layer, rows, out, (pixel, channel));
                        pixel += $most;
                    }
                    while pixel + 4 <= pixels {
                        tile::<WINDOW, STRIDE, 4>(layer, rows, out, (pixel, channel));
                        pixel += 4;
                    }
                    while pixel < pixels {
                        tile::<WINDOW, STRIDE, 1>(layer, rows, out, (pixel, channel));
                        pixel += 1;
                    }
                }
            }
        }

        /// A vector of channels of `COUNT` pixels.
        ///
        /// # Safety
        /// `pixel + COUNT` is at most the number of pixels of `out`; the rows have all the columns that these look at; from
        /// `channel` on there is a vector of channels.
        #[inline]
        #[target_feature(enable = $features)]
        unsafe fn tile<const WINDOW: usize, const STRIDE: usize, const COUNT: usize>(
            layer: &Depthwise,
            rows: &[&[f32]; WINDOW],
            out: &mut [$out],
            (pixel, channel): (usize, usize),
        ) {
            let channels = layer.channels();
            // SAFETY: the caller's promise; weights and bias have the lengths that go with the window and the channels, because
            // the layer's constructor asserts that.
            unsafe {
                let weights = layer.weights().as_ptr().add(channel);
                let bias = $load(layer.bias().as_ptr().add(channel));
                let mut sums = [bias; COUNT];
                for (y, row) in rows.iter().enumerate() {
                    let values = row.as_ptr().add(pixel * STRIDE * channels + channel);
                    let mut columns = [bias; MOST_COLUMNS];
                    let looked_at = (COUNT - 1) * STRIDE + WINDOW;
                    for (x, column) in columns[..looked_at].iter_mut().enumerate() {
                        *column = $load(values.add(x * channels));
                    }
                    for x in 0..WINDOW {
                        let weight = $load(weights.add((y * WINDOW + x) * channels));
                        for (index, sum) in sums.iter_mut().enumerate() {
                            *sum = $fmadd(columns[index * STRIDE + x], weight, *sum);
                        }
                    }
                }
                let middle = rows[WINDOW / 2].as_ptr();
                for (index, sum) in sums.into_iter().enumerate() {
                    let mut value: $vector = $activate(layer.activation(), sum);
                    if layer.adds_input() {
                        let column = (pixel + index) * STRIDE + WINDOW / 2;
                        value = $add(value, $load(middle.add(column * channels + channel)));
                    }
                    let at = (pixel + index) * channels + channel;
                    $store(out.as_mut_ptr().add(at / $values), value);
                }
            }
        }
    };
}
pub(super) use depthwise_rows;
