//! Layers in pairs, on a machine that multiplies bf16: against the reference within what rounding to bf16 costs, and
//! within float rounding against the reference on inputs and weights that were rounded before.

use super::*;

/// The nearest value of eight significant bits, of two equally near ones that with an even last place.
fn rounded(value: f32) -> f32 {
    let step = 1 << 16;
    let below = value.to_bits() / step * step;
    let [below, above] = [below, below + step].map(f32::from_bits);
    let [to_below, to_above] = [below, above].map(|near| f64::from(value - near).abs());
    let is_even = below.to_bits() / step % 2 == 0;
    if to_below < to_above || (to_below == to_above && is_even) { below } else { above }
}

fn all_rounded(values: &[f32]) -> Vec<f32> {
    values.iter().copied().map(rounded).collect()
}

#[test]
fn the_model_rounds_to_eight_bits_and_ties_to_even() {
    let step = 1.0 / 128.0;
    for (value, want) in [
        (1.0, 1.0),
        (1.0 + 0.5 * step, 1.0),
        (1.0 + 0.51 * step, 1.0 + step),
        (1.0 + 1.5 * step, 1.0 + 2.0 * step),
        (-1.0 - 1.49 * step, -1.0 - step),
        (2.0 - 0.25 * step, 2.0),
    ] {
        assert_eq!(rounded(value), want, "{value}");
    }
}

/// The instruction set that has pairs, if this machine has it.
fn isa_of_pairs() -> Option<Isa> {
    let isa = Isa::avx512_bf16();
    if isa.is_none() {
        println!("not tested: no AVX512_BF16 here");
    }
    isa
}

/// Both comparisons of what `run` makes of a layer and its input: it gets an instruction set, a layer and the values of
/// the map.
fn check(
    (shape, activation): ((usize, usize), Activation),
    values: &[f32],
    run: impl Fn(Isa, &Pointwise, &[f32]) -> Vec<f32>,
) {
    let Some(isa) = isa_of_pairs() else { return };
    let (inputs, outputs) = shape;
    let (weights, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
    let layer = |weights: &[f32], bias| Pointwise::new(shape, weights, bias, activation);
    let paired = layer(&weights, &bias).in_pairs(isa);
    assert!(paired.is_in_pairs());
    let have = run(isa, &paired, values);
    let what = format!("{shape:?}, {} values", values.len());
    // Weights and inputs are off by up to 2^-8 of themselves, so a product by 2^-7 of itself and a little more; hard-swish
    // makes of that 1.5 times as much. How large all products of a sum are, is the sum for positive numbers.
    let positive = |values: &[f32]| values.iter().map(|value| value.abs()).collect::<Vec<_>>();
    let sizes = Pointwise::new(shape, &positive(&weights), &vec![0.0; outputs], Activation::None);
    let sizes = run(Isa::SCALAR, &sizes, &positive(values));
    let exact = run(Isa::SCALAR, &layer(&weights, &bias), values);
    for (have, (want, size)) in have.iter().zip(exact.iter().zip(sizes)) {
        assert!(
            (have - want).abs() <= 1.5 * 1.01 / 128.0 * size + 1e-6,
            "{what}: {have} for {want}"
        );
    }
    let want = run(Isa::SCALAR, &layer(&all_rounded(&weights), &bias), &all_rounded(values));
    let tolerance = 2e-7 * inputs.max(128) as f32;
    assert_close(&have, &want, tolerance, &what);
}

#[test]
fn pointwise_in_pairs_is_the_sum_of_rounded_products() {
    for (index, inputs) in [2, 8, 16, 24, 30, 32, 72, 88, 96, 128, 384].into_iter().enumerate() {
        for outputs in CHANNELS {
            // Beyond 40: more pixels than are rounded at a time.
            let more = if inputs < 100 { vec![] } else { vec![64, 65, 79, 130] };
            for width in (1..=40).chain(more) {
                let addend = noise(width * outputs, 4);
                let addend = (width % 2 == 0).then_some(&*addend);
                let layer = ((inputs, outputs), ACTIVATIONS[index % 3]);
                check(layer, &noise(width * inputs, 3), |isa, layer, values| {
                    let mut out = vec![9.0; width * outputs];
                    // The addend has no part in the sizes of the products.
                    let addend = addend.filter(|_| layer.bias().iter().any(|&bias| bias != 0.0));
                    pointwise(isa, layer, values, addend, &mut out);
                    out
                });
            }
        }
    }
}

#[test]
fn pointwise_in_pairs_takes_the_widest_layer() {
    for width in [1, 7, 16, 17, 40] {
        check(((1536, 24), Activation::None), &noise(width * 1536, 3), |isa, layer, values| {
            let mut out = vec![9.0; width * 24];
            pointwise(isa, layer, values, None, &mut out);
            out
        });
    }
}

#[test]
fn convolve_in_pairs_is_the_sum_of_rounded_products() {
    for (channels, outputs, (height, width)) in [
        (8, 16, (3, 7)),
        (16, 8, (1, 1)),
        (24, 40, (4, 32)),
        (256, 24, (2, 41)),
        (384, 16, (1, 16)),
    ] {
        let values = noise((height + 2) * (width + 2) * channels, 3);
        check(((9 * channels, outputs), Activation::Relu), &values, |isa, layer, values| {
            let mut out = vec![9.0; height * width * outputs];
            convolve(isa, layer, Bordered { values, width, channels }, &mut out);
            out
        });
    }
}

#[test]
fn a_stem_in_pairs_is_the_sum_of_rounded_products() {
    let Some(isa) = isa_of_pairs() else { return };
    for outputs in [8, 16, 24] {
        let (weights, bias) = (all_rounded(&noise(27 * outputs, 1)), noise(outputs, 2));
        for width in 1..=200 {
            let values = noise(9 * 2 * width, 3);
            let run = |isa: Isa, values: &[f32]| {
                let layer = Stem::new(outputs, &weights, &bias, Activation::HardSwish, isa);
                let mut out = vec![9.0; width * outputs];
                let rows = stem_rows_of(values, width);
                stem(isa, &layer, &rows, ValuesMut::Floats(&mut out));
                out
            };
            let want = run(Isa::SCALAR, &all_rounded(&values));
            assert_close(&run(isa, &values), &want, 2e-5, &format!("stem {outputs}x{width}"));
        }
    }
}

/// Pairs of the nearest values of eight significant bits.
fn paired(values: &[f32]) -> Vec<Pair> {
    let bits = |value: f32| rounded(value).to_bits() >> 16;
    values.as_chunks().0.iter().map(|&[first, second]| bits(first) | bits(second) << 16).collect()
}

#[test]
fn maps_in_pairs_are_rounded_maps() {
    let Some(isa) = isa_of_pairs() else { return };
    for (index, inputs) in [2, 8, 16, 24, 72, 96].into_iter().enumerate() {
        for outputs in CHANNELS {
            let (weights, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
            let activation = ACTIVATIONS[index % 3];
            let layer = Pointwise::new((inputs, outputs), &weights, &bias, activation);
            let layer = layer.in_pairs(isa);
            for width in (1..=40).chain([130, 300]) {
                let (input, addend) = (noise(width * inputs, 3), noise(width * outputs, 4));
                let addend = (width % 2 == 0).then_some(&*addend);
                let mut want = vec![9.0; width * outputs];
                pointwise(isa, &layer, &input, addend, &mut want);
                let mut have = vec![9; width * outputs / 2];
                let (out, input) = (ValuesMut::Pairs(&mut have), paired(&input));
                pointwise_of(isa, &layer, Values::Pairs(&input), addend, out);
                assert!(have == paired(&want), "{inputs}x{outputs}x{width}");
                let mut have = vec![9.0; width * outputs];
                let out = ValuesMut::Floats(&mut have);
                pointwise_of(isa, &layer, Values::Pairs(&input), addend, out);
                assert!(have == want, "{inputs}x{outputs}x{width}");
            }
        }
    }
}

#[test]
fn a_stem_gives_rounded_maps() {
    let Some(isa) = isa_of_pairs() else { return };
    for outputs in [8, 16, 24] {
        let (weights, bias) = (noise(27 * outputs, 1), noise(outputs, 2));
        let layer = Stem::new(outputs, &weights, &bias, Activation::HardSwish, isa);
        for width in 1..=200 {
            let values = noise(9 * 2 * width, 3);
            let rows = stem_rows_of(&values, width);
            let mut want = vec![9.0; width * outputs];
            stem(isa, &layer, &rows, ValuesMut::Floats(&mut want));
            let mut have = vec![9; width * outputs / 2];
            stem(isa, &layer, &rows, ValuesMut::Pairs(&mut have));
            assert!(have == paired(&want), "{outputs}x{width}");
        }
    }
}

#[test]
fn depthwise_gives_rounded_maps() {
    let Some(isa) = isa_of_pairs() else { return };
    for (window, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
        for (index, channels) in CHANNELS.into_iter().enumerate() {
            let (weights, bias) = (noise(window * window * channels, 1), noise(channels, 2));
            let (shape, activation) = ((window, stride, channels), ACTIVATIONS[index % 3]);
            let layer = Depthwise::new(shape, &weights, &bias, activation, index % 2 == 0);
            for width in 1..=130 {
                let columns = (width - 1) * stride + window;
                let values = noise(window * columns * channels, 3);
                let rows: Vec<&[f32]> = values.chunks_exact(columns * channels).collect();
                let mut want = vec![9.0; width * channels];
                depthwise(isa, &layer, &rows, ValuesMut::Floats(&mut want));
                let mut have = vec![9; width * channels / 2];
                depthwise(isa, &layer, &rows, ValuesMut::Pairs(&mut have));
                assert!(have == paired(&want), "{shape:?} {width}");
            }
        }
    }
}

#[test]
fn sums_of_pairs_are_those_of_their_values() {
    let Some(isa) = isa_of_pairs() else { return };
    for channels in CHANNELS {
        for width in 1..=130 {
            let values = all_rounded(&noise(width * channels, 3));
            let sums = |isa, row: Values<'_>| {
                let mut sums = noise(channels, 5);
                accumulate(isa, row, &mut sums);
                sums
            };
            let want = sums(Isa::SCALAR, Values::Floats(&values));
            let have = sums(isa, Values::Pairs(&paired(&values)));
            assert_close(&have, &want, 2e-5, &format!("{channels}x{width}"));
        }
    }
}

#[test]
fn gated_weights_in_pairs_are_gated_before_they_are_rounded() {
    let Some(isa) = isa_of_pairs() else { return };
    let (inputs, outputs, pixels) = (16, 40, 5);
    let (weights, factors) = (noise(inputs * outputs, 1), noise(inputs, 2));
    let layer =
        |weights: &[f32]| Pointwise::new((inputs, outputs), weights, &[0.5; 40], Activation::None);
    let mut gated = layer(&weights).in_pairs(isa);
    gated.set_gated(&layer(&weights), &factors);
    let products = weights.iter().enumerate().map(|(at, weight)| weight * factors[at % inputs]);
    let plain = layer(&products.collect::<Vec<_>>()).in_pairs(isa);
    let [have, want] = [&gated, &plain].map(|layer| {
        let mut out = vec![9.0; pixels * outputs];
        pointwise(isa, layer, &noise(pixels * inputs, 3), None, &mut out);
        out
    });
    assert!(have == want);
}

#[test]
fn layers_for_others_and_of_an_odd_number_of_inputs_stay_as_they_are() {
    let layer =
        |inputs| Pointwise::new((inputs, 8), &noise(inputs * 8, 1), &[0.0; 8], Activation::None);
    for isa in Isa::available() {
        assert_eq!(layer(4).in_pairs(isa).is_in_pairs(), Isa::avx512_bf16() == Some(isa), "{isa}");
        assert!(!layer(27).in_pairs(isa).is_in_pairs());
    }
}
