use super::action::Effect;
use super::kind::{Allowed, EffectKind, Parameter};
use super::tables::{Tables, chroma_table, luma_table};
use super::target::Target;

pub(super) const KIND: EffectKind = EffectKind {
    names: &["posterise", "posterize"],
    help: "few shades, as on a printed poster",
    targets: Target::ALL_FIRST,
    parameters: &[Parameter {
        name: "shades",
        allowed: Allowed::Whole { least: 2, most: 16, default: 5, unit: " shades" },
    }],
    make: |target, values| {
        let last = values.number(0) - 1.0;
        Effect::picture(
            target,
            Tables::new(move |colour| {
                // Chroma in steps as well, with none at all as one of them: a quarter as wide as
                // luma's, since faces and rooms have little colour to lose.
                let steps = 4.0 * last;
                [
                    Some(luma_table(colour, |share| (share * last).round() / last)),
                    Some(chroma_table(colour, |share| (share * steps).round() / steps)),
                ]
            }),
        )
    },
};
