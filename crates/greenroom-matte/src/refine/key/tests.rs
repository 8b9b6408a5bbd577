mod studio;

use greenroom_frame::{Colour, Frame, PixelFormat, Rgb8, SizePx};

use self::studio::{BLUE, GREEN, Studio, uneven};
use super::{KeyColour, ScreenKey};
use crate::Guide;

/// Frames until a key knows the light.
const FRAMES: u64 = 6;

/// A key that has looked at a few pictures, and what came out for the last: the alphas of luma and chroma, and whether
/// the key had a say.
struct Cut {
    key: ScreenKey,
    luma: Frame,
    chroma: Frame,
    is_keyed: bool,
}

fn cut(studio: &Studio, key: KeyColour, network: &Frame) -> Cut {
    cut_out_of(|seed| studio.picture(seed), key, network)
}

fn cut_out_of(picture: impl Fn(u64) -> Frame, key: KeyColour, network: &Frame) -> Cut {
    let mut key = ScreenKey::new(key);
    let mut guide = Guide::new();
    let mut is_keyed = false;
    for seed in 0..FRAMES {
        let picture = picture(seed);
        let (network, picture) = (network.view(), picture.view());
        let keyed = key.pull(&network, &picture).unwrap();
        is_keyed = keyed.is_some();
        guide.fit(&keyed.unwrap_or(network), &picture).unwrap();
        let [luma, chroma] = guide.planes_mut();
        key.draw(&picture, luma, chroma);
        assert!(guide.blocks().is_none(), "the key may have drawn anywhere");
    }
    let [luma, chroma] = guide.planes_mut().map(|plane| plane.clone());
    Cut { key, luma, chroma, is_keyed }
}

/// Mean absolute difference from the truth, ×1000: of all, and in the 4 pixels on both sides of the true edge.
fn errors(studio: &Studio, ours: &[u8]) -> [f64; 2] {
    let (truth, width) = (studio.alpha(), studio.size.width_px as usize);
    let is_person = |at: usize| truth[at] >= 128;
    let reach = (width / 160) as isize;
    let is_near_edge = |at: usize| {
        let (x, y) = ((at % width) as isize, (at / width) as isize);
        (-reach..=reach).any(|dy| {
            (-reach..=reach).any(|dx| {
                let (x, y) = (x + dx, y + dy);
                let height = (truth.len() / width) as isize;
                dx * dx + dy * dy <= reach * reach
                    && (0..width as isize).contains(&x)
                    && (0..height).contains(&y)
                    && is_person(y as usize * width + x as usize) != is_person(at)
            })
        })
    };
    let off = |at: usize| f64::from(ours[at].abs_diff(truth[at])) / 0.255;
    let edge: Vec<usize> = (0..truth.len()).filter(|&at| is_near_edge(at)).collect();
    let all = (0..truth.len()).map(off).sum::<f64>() / truth.len() as f64;
    [all, edge.iter().map(|&at| off(at)).sum::<f64>() / edge.len() as f64]
}

#[track_caller]
fn assert_exact(studio: &Studio, key: KeyColour) {
    let cut = cut(studio, key, &studio.network());
    assert!(cut.is_keyed, "{key}: the screen is found");
    let [mad, edge] = errors(studio, cut.luma.bytes());
    println!("{key}: MAD {mad:.2}, edge {edge:.1}");
    assert!(mad <= 2.0, "{key}: MAD {mad:.2}");
    assert!(edge <= 60.0, "{key}: edge MAD {edge:.1}");
}

#[test]
fn a_plain_screen_is_cut_exactly() {
    for format in [PixelFormat::I420, PixelFormat::I422] {
        for (screen, other) in [(GREEN, "#10a050"), (BLUE, "#1050a0")] {
            let studio = Studio { format, screen, ..Studio::default() };
            assert_exact(&studio, KeyColour::Auto);
            assert_exact(&studio, KeyColour::Colour(screen));
            // Named about right.
            assert_exact(&studio, other.parse().unwrap());
        }
    }
}

#[test]
fn light_shadow_and_folds_are_no_person() {
    for size in [SizePx::new(640, 360), SizePx::new(1280, 720), SizePx::new(641, 361)] {
        let studio = Studio { size, light: uneven, ..Studio::default() };
        assert_exact(&studio, KeyColour::Auto);
        assert_exact(&studio, KeyColour::Colour(GREEN));
    }
    let noisy =
        Studio { light: uneven, noise: 6.0, format: PixelFormat::I422, ..Studio::default() };
    assert_exact(&noisy, KeyColour::Auto);
}

#[test]
fn spill_makes_nobody_transparent() {
    let studio = Studio { light: uneven, spill: 0.12, ..Studio::default() };
    assert_exact(&studio, KeyColour::Auto);
    let cut = cut(&studio, KeyColour::Auto, &studio.network());
    let inside = studio
        .alpha()
        .into_iter()
        .zip(cut.luma.bytes())
        .filter(|(truth, _)| *truth == 255)
        .map(|(_, ours)| *ours);
    let (sum, count) =
        inside.fold((0.0, 0.0), |(sum, count), ours| (sum + f64::from(ours), count + 1.0));
    assert!(sum / count > 253.0, "{}", sum / count);
}

#[test]
fn beside_a_screen_the_network_decides() {
    let studio = Studio { covers: [0.2, 0.85], light: uneven, ..Studio::default() };
    let mut network = studio.network();
    let cut_well = cut(&studio, KeyColour::Auto, &network);
    assert!(cut_well.is_keyed);
    let [mad, edge] = errors(&studio, cut_well.luma.bytes());
    assert!(mad <= 2.0 && edge <= 60.0, "{mad} {edge}");
    let room_shown = |luma: &Frame| {
        let width = studio.size.width_px as usize;
        let is_room = |at: usize| !(0.19..0.86).contains(&((at % width) as f32 / width as f32));
        let shown =
            luma.bytes().iter().enumerate().filter(|&(at, &alpha)| is_room(at) && alpha > 25);
        shown.count()
    };
    assert_eq!(room_shown(&cut_well.luma), 0);
    // Who is there and sees nobody: nothing is shown, the room neither.
    network.bytes_mut().fill(0);
    let nobody = cut(&studio, KeyColour::Auto, &network);
    assert_eq!(nobody.luma.bytes().iter().filter(|&&alpha| alpha > 25).count(), 0);
}

#[test]
fn a_shirt_of_the_screens_colour_is_kept() {
    let studio = Studio { shirt: GREEN, ..Studio::default() };
    for key in [KeyColour::Auto, KeyColour::Colour(GREEN)] {
        let cut = cut(&studio, key, &studio.network());
        assert!(cut.is_keyed);
        let (width, alpha) = (640, cut.luma.bytes());
        // In the middle of the chest, and of the face.
        for y in [110, 240, 300, 350] {
            assert!(alpha[y * width + 300..][..40].iter().all(|&alpha| alpha > 250), "{key} {y}");
        }
        assert!(cut.key.reported.clothes, "it is said");
    }
    let cut = cut(&Studio::default(), KeyColour::Auto, &studio.network());
    assert!(!cut.key.reported.clothes);
}

#[test]
fn without_a_screen_the_network_decides() {
    let studio = Studio { covers: [0.0, 0.0], ..Studio::default() };
    let network = studio.network();
    for key in [KeyColour::Auto, KeyColour::Colour(GREEN)] {
        let Cut { mut key, luma, chroma, is_keyed } = cut(&studio, key, &network);
        assert!(!is_keyed && !key.reported.missing);
        let picture = studio.picture(FRAMES - 1);
        let mut guide = Guide::new();
        guide.fit(&network.view(), &picture.view()).unwrap();
        assert_eq!([luma.bytes(), chroma.bytes()], guide.planes().map(|plane| plane.bytes()));
        for _ in 0..super::REPORT_AFTER {
            assert!(key.pull(&network.view(), &picture.view()).unwrap().is_none());
        }
        assert!(key.reported.missing, "it is said");
    }
    // Another colour than the one that is named.
    let blue = Studio { screen: BLUE, ..Studio::default() };
    assert!(!cut(&blue, KeyColour::Colour(GREEN), &network).is_keyed);
}

#[test]
fn a_screen_that_goes_dim_or_goes_away_is_followed() {
    let studio = Studio::default();
    let network = studio.network();
    let Cut { mut key, mut luma, mut chroma, .. } = cut(&studio, KeyColour::Auto, &network);
    let dim = Studio { light: |_, _| 0.6, ..Studio::default() };
    let picture = dim.picture(1);
    for _ in 0..30 {
        assert!(key.pull(&network.view(), &picture.view()).unwrap().is_some());
    }
    luma.bytes_mut().fill(0);
    key.draw(&picture.view(), &mut luma, &mut chroma);
    let [mad, edge] = errors(&dim, luma.bytes());
    assert!(mad <= 2.0 && edge <= 60.0, "{mad} {edge}");
    // Within six frames: the shadow of who walks moves.
    let Cut { mut key, .. } = cut(&studio, KeyColour::Auto, &network);
    let shaded = Studio { light: uneven, ..Studio::default() };
    for seed in 0..6 {
        assert!(key.pull(&network.view(), &shaded.picture(seed).view()).unwrap().is_some());
    }
    luma.bytes_mut().fill(0);
    key.draw(&shaded.picture(5).view(), &mut luma, &mut chroma);
    let [mad, edge] = errors(&shaded, luma.bytes());
    println!("shaded: MAD {mad:.2}, edge {edge:.1}");
    assert!(mad <= 2.0 && edge <= 60.0, "{mad} {edge}");
    // Another screen in its place.
    let blue = Studio { screen: BLUE, ..Studio::default() }.picture(1);
    let keyed =
        (0..60).filter(|_| key.pull(&network.view(), &blue.view()).unwrap().is_some()).count();
    assert!(
        (20..40).contains(&keyed),
        "after a second without one it is looked for again: {keyed}"
    );
    // Pictures without chroma have no screen.
    let grey = Frame::new(PixelFormat::Grey, studio.size, Colour::JPEG).unwrap();
    assert!(key.pull(&network.view(), &grey.view()).unwrap().is_none());
}

#[test]
fn who_is_lost_by_the_network_stays_for_a_second() {
    let studio = Studio::default();
    let mut network = studio.network();
    let Cut { mut key, .. } = cut(&studio, KeyColour::Auto, &network);
    network.bytes_mut().fill(0);
    let picture = studio.picture(1);
    let is_shown = |key: &mut ScreenKey| {
        let mask = key.pull(&network.view(), &picture.view()).unwrap().unwrap();
        mask.plane(0).row(150)[160] == 255
    };
    let frames = (0..60).take_while(|_| is_shown(&mut key)).count();
    assert!((20..40).contains(&frames), "{frames}");
    // Not over the end of a call.
    let Cut { mut key, .. } = cut(&studio, KeyColour::Auto, &studio.network());
    key.reset();
    assert!(!is_shown(&mut key));
}

#[test]
fn whose_face_alone_the_network_sees_is_shown_as_a_whole() {
    let studio = Studio::default();
    let mut network = studio.network();
    // The chin is in row 121.
    network.bytes_mut()[121 * 320..].fill(0);
    let [mad, edge] = errors(&studio, cut(&studio, KeyColour::Auto, &network).luma.bytes());
    assert!(mad <= 2.0 && edge <= 60.0, "MAD {mad:.2}, edge {edge:.1}");
}

/// What comes out where a brown thing stands before the screen; its corners are at `from` and `to`, on even columns and rows.
fn cut_with_thing(studio: &Studio, from: [usize; 2], to: [usize; 2]) -> Cut {
    let picture = |seed| {
        let mut picture = studio.picture(seed);
        put(&mut picture, from, to);
        picture
    };
    cut_out_of(picture, KeyColour::Auto, &studio.network())
}

fn put(picture: &mut Frame, from: [usize; 2], to: [usize; 2]) {
    let codes = Colour::WEBCAM.encode(Rgb8 { r: 90, g: 80, b: 75 });
    let mut view = picture.view_mut();
    for (plane, code) in [codes.y, codes.u, codes.v].into_iter().enumerate() {
        let step = if plane == 0 { 1 } else { 2 };
        let mut plane = view.plane_mut(plane);
        for y in from[1] / step..to[1] / step {
            plane.row_mut(y)[from[0] / step..to[0] / step].fill(code);
        }
    }
}

#[test]
fn a_lamp_before_the_screen_is_not_shown() {
    // Far from the person, surrounded by the screen.
    let cut = cut_with_thing(&Studio::default(), [80, 60], [120, 140]);
    let rows = cut.luma.bytes().chunks_exact(640).skip(60).take(80);
    assert_eq!(rows.flat_map(|row| &row[80..120]).filter(|&&alpha| alpha > 25).count(), 0);
}

#[test]
fn what_a_person_touches_is_shown_as_far_as_an_arm_reaches() {
    // A rod from near the picture's left side to the head, which begins in column 265.
    let cut = cut_with_thing(&Studio::default(), [24, 112], [268, 136]);
    let row = cut.luma.bytes().chunks_exact(640).nth(124).unwrap();
    let begin = row.iter().position(|&alpha| alpha > 128).unwrap();
    // 24 cells of 8 columns, and what is beside them.
    assert!((48..80).contains(&begin), "{begin}");
}
