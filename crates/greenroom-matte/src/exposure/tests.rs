use super::*;

const VIDEO: Colour = Colour::WEBCAM;

/// A picture of `room` with a person of `person` in its first quarter, and their alpha.
fn picture(room: u8, person: u8) -> (Vec<u8>, Vec<f32>) {
    let luma = (0..4096).map(|at| if at < 1024 { person } else { room }).collect();
    (luma, (0..4096).map(|at| f32::from(at < 1024)).collect())
}

/// The gain after `frames` of a picture.
fn settle(exposure: &mut Exposure, (luma, alpha): &(Vec<u8>, Vec<f32>), frames: u32) -> f32 {
    for _ in 0..frames {
        exposure.gain(luma, VIDEO);
        exposure.learn(luma, VIDEO, alpha);
    }
    exposure.gain(luma, VIDEO)
}

#[test]
fn a_bright_picture_is_left_alone() {
    let mut exposure = Exposure::new();
    assert_eq!(exposure.gain(&picture(120, 110).0, VIDEO), 1.0);
    assert_eq!(settle(&mut exposure, &picture(120, 110), 100), 1.0);
}

#[test]
fn a_dark_picture_is_raised_at_once_and_black_is_not_raised_for_ever() {
    let mut exposure = Exposure::new();
    let gain = exposure.gain(&picture(30, 30).0, VIDEO);
    assert!((gain * (30.0 - 16.0) / 219.0 * 255.0 - MEAN[0]).abs() < 0.1, "{gain}");
    assert_eq!(Exposure::new().gain(&picture(16, 16).0, VIDEO), MOST);
    assert_eq!(Exposure::new().gain(&[], VIDEO), MOST);
}

#[test]
fn a_person_against_the_light_is_raised_and_a_lit_one_in_a_dark_room_is_not() {
    let gain = settle(&mut Exposure::new(), &picture(220, 40), 100);
    let bright = gain * (40.0 - 16.0) / 219.0 * 255.0;
    // Levels are counted by fours.
    assert!((bright - BRIGHT[0]).abs() < 15.0, "{bright}");
    assert_eq!(settle(&mut Exposure::new(), &picture(30, 120), 100), 1.0);
    // Dark clothes and a face in good light.
    let (mut luma, alpha) = picture(150, 40);
    luma[..160].fill(150);
    assert_eq!(settle(&mut Exposure::new(), &(luma, alpha), 100), 1.0);
}

#[test]
fn it_comes_back_to_exactly_one_when_the_light_goes_on() {
    let mut exposure = Exposure::new();
    assert!(settle(&mut exposure, &picture(30, 30), 50) > 4.0);
    assert_eq!(settle(&mut exposure, &picture(120, 110), 100), 1.0);
}

#[test]
fn small_changes_of_light_do_not_flicker() {
    let mut exposure = Exposure::new();
    settle(&mut exposure, &picture(40, 40), 50);
    let gains: Vec<f32> =
        (0..20).map(|at| settle(&mut exposure, &picture(40, 40 + at % 2 * 4), 1)).collect();
    let steps = gains.windows(2).map(|pair| (pair[1] / pair[0] - 1.0).abs());
    assert!(steps.fold(0.0, f32::max) < 0.02, "{gains:?}");
}

#[test]
fn what_is_no_alpha_teaches_nothing() {
    let mut exposure = Exposure::new();
    let (luma, _) = picture(120, 110);
    exposure.gain(&luma, VIDEO);
    exposure.learn(&luma, VIDEO, &vec![f32::NAN; 4096]);
    exposure.learn(&luma, VIDEO, &[0.5; 10]);
    assert_eq!(exposure.gain(&luma, VIDEO), 1.0);
}
