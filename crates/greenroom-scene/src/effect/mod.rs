//! The effects, a file each (tiny sisters share one). A new one is a file and a line in [`KINDS`].

mod action;
mod anonymise;
mod area;
mod blocks;
mod colour_map;
mod glow;
mod grain;
mod grammar;
mod greyscale;
mod halo;
mod hologram;
mod kind;
mod levels;
mod mirror;
mod opacity;
mod pixelate;
mod planes;
mod posterise;
mod rotate;
mod shadow;
mod sketch;
mod tables;
mod target;
mod temperature;
#[cfg(test)]
mod tests;
mod vignette;

pub(crate) use action::Effect;
pub use grammar::{EffectSpec, effects_help};
use kind::EffectKind;
pub use target::Target;

/// All effects, in the order in which they are listed to users.
static KINDS: [EffectKind; 21] = [
    hologram::KIND,
    greyscale::KIND,
    colour_map::SEPIA,
    colour_map::KIND,
    levels::BRIGHTNESS,
    levels::CONTRAST,
    levels::SATURATION,
    levels::GAMMA,
    temperature::KIND,
    vignette::KIND,
    pixelate::KIND,
    posterise::KIND,
    sketch::KIND,
    glow::KIND,
    shadow::KIND,
    mirror::MIRROR,
    mirror::FLIP,
    rotate::KIND,
    opacity::KIND,
    grain::KIND,
    anonymise::KIND,
];
