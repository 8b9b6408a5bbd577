//! Brightness, contrast, saturation, gamma: one table for luma, one for chroma.

use super::action::Effect;
use super::kind::{Allowed, EffectKind, Parameter};
use super::tables::{Tables, chroma_table, luma_table};
use super::target::Target;

const fn percent(default: f32, most: f32) -> [Parameter; 1] {
    let allowed = Allowed::Number { least: -100.0, most, default, unit: " percent" };
    [Parameter { name: "change", allowed }]
}

/// All light times a factor, as a lamp is turned up.
pub(super) const BRIGHTNESS: EffectKind = EffectKind {
    names: &["brightness"],
    help: "more light (or less): -100 is black, 100 twice as bright",
    targets: Target::ALL_FIRST,
    parameters: &percent(25.0, 100.0),
    make: |target, values| {
        let factor = 1.0 + values.number(0) / 100.0;
        let times = move |share: f32| share * factor;
        Effect::picture(
            target,
            Tables::new(move |colour| {
                [Some(luma_table(colour, times)), Some(chroma_table(colour, times))]
            }),
        )
    },
};

/// The distance from mid-grey times a factor.
pub(super) const CONTRAST: EffectKind = EffectKind {
    names: &["contrast"],
    help: "more contrast (or less): -100 is grey all over, 100 twice as much",
    targets: Target::ALL_FIRST,
    parameters: &percent(25.0, 100.0),
    make: |target, values| {
        let factor = 1.0 + values.number(0) / 100.0;
        Effect::picture(
            target,
            Tables::new(move |colour| {
                [
                    Some(luma_table(colour, |share| 0.5 + (share - 0.5) * factor)),
                    Some(chroma_table(colour, |share| share * factor)),
                ]
            }),
        )
    },
};

/// The distance from grey times a factor.
pub(super) const SATURATION: EffectKind = EffectKind {
    names: &["saturation"],
    help: "more colour (or less): -100 is grey, 100 twice as much",
    targets: Target::ALL_FIRST,
    parameters: &percent(40.0, 300.0),
    make: |target, values| {
        let factor = 1.0 + values.number(0) / 100.0;
        Effect::picture(
            target,
            Tables::new(move |colour| [None, Some(chroma_table(colour, |share| share * factor))]),
        )
    },
};

/// Luma to the power of 1/gamma: black and white stay.
pub(super) const GAMMA: EffectKind = EffectKind {
    names: &["gamma"],
    help: "lighter shadows (above 1) or darker ones (below); black and white stay",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter {
        name: "gamma",
        allowed: Allowed::Number { least: 0.2, most: 5.0, default: 1.4, unit: "" },
    }],
    make: |target, values| {
        let power = 1.0 / values.number(0);
        Effect::picture(
            target,
            Tables::new(move |colour| [Some(luma_table(colour, |share| share.powf(power))), None]),
        )
    },
};
