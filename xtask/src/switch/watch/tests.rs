//! The watcher must catch what is wrong in these frames.

use super::*;

#[test]
fn old_scenes_leaks_and_jumps_are_caught() {
    let start = Instant::now();
    let at = |ms| start + Duration::from_millis(ms);
    let (black, white, grey, red) = ([0; 3], [255; 3], [128; 3], [200, 30, 30]);
    let yuv = |rgb| encoded(rgb, false);
    let calm = Yuv8 { y: 58, u: 122, v: 114 };
    let shown = |ms, rgb, is_grey| Shown { asked_at: at(ms), ..Shown::new("", rgb, is_grey) };
    let history = [shown(0, black, false), shown(100, white, false), shown(200, grey, false)];
    let judged = |history: &[Shown], seen: &[(u64, Yuv8)]| {
        let seen = seen.iter().map(|&(ms, corner)| Seen {
            at: at(ms),
            corner,
            is_placeholder: corner == calm,
        });
        Frames(seen.collect()).judge(history).len()
    };
    let half = Yuv8 { y: 60, u: 128, v: 128 };
    let good = [(0, yuv(black)), (110, half), (120, yuv(white)), (300, yuv(grey))];
    assert_eq!(judged(&history, &good), 0);
    assert_eq!(judged(&history, &[(0, yuv(black)), (50, half)]), 1, "nothing was asked for yet");
    assert_eq!(judged(&history, &[(0, yuv(black)), (110, yuv(red))]), 1, "never asked for");
    let back = [(0, yuv(black)), (120, yuv(white)), (300, yuv(grey)), (310, yuv(black))];
    assert_eq!(judged(&history, &back), 1, "an old scene");
    assert_eq!(judged(&history, &[(0, yuv(red)), (1, yuv(black))]), 0, "before it begins");
    let slow = [(0, yuv(black)), (10, calm), (120, yuv(white)), (130, calm), (310, yuv(grey))];
    assert_eq!(judged(&history, &slow), 0, "the placeholder is never wrong");
    let back = [(0, yuv(black)), (120, yuv(white)), (130, calm), (140, yuv(black))];
    assert_eq!(judged(&history, &back), 1, "an old scene after the placeholder");
    // The effect may be there before the background that was asked for earlier.
    let history = [shown(0, red, false), shown(100, white, false), shown(110, white, true)];
    let early = [(0, yuv(red)), (120, encoded(red, true)), (300, yuv(white))];
    assert_eq!(judged(&history, &early), 0);
    assert_eq!(judged(&history, &[(0, yuv(red)), (105, encoded(red, true))]), 1);
    // A fade passes through the grey of a scene that was asked for, and goes on.
    let history = [shown(0, white, false), shown(100, black, false), shown(110, grey, false)];
    let passing =
        [(0, yuv(white)), (120, yuv(grey)), (150, half), (160, yuv(black)), (200, yuv(grey))];
    assert_eq!(judged(&history, &passing), 0);
    assert_eq!(judged(&history, &[&passing[..], &[(300, yuv(black))]].concat()), 1);
}
