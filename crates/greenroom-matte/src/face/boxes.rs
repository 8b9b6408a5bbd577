//! From what the network says of its anchors to faces.

use super::network::{Answer, HEADS, PICTURE};

/// A face in a picture: a square about from the brows to the chin, as MediaPipe draws it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    /// Its left edge, in shares of the picture's width. It may lie outside of 0..=1, as all edges may.
    pub left: f32,
    /// Its upper edge, in shares of the picture's height.
    pub top: f32,
    /// In shares of the picture's width, above 0.
    pub width: f32,
    /// In shares of the picture's height, above 0.
    pub height: f32,
    /// How sure the network is that this is a face: 0.5..=1.
    pub score: f32,
}

/// The least score of a face: the threshold of MediaPipe's face detection.
pub(super) const MIN_SCORE: f32 = 0.5;

/// Of two faces with a larger intersection over union, one is left: the threshold of MediaPipe's face detection.
const MAX_IOU: f32 = 0.3;

/// At most so many faces are found.
pub(super) const MAX_FACES: usize = 8;

/// Logits are brought to this range before they become scores, as MediaPipe does.
const MAX_LOGIT: f32 = 100.0;

/// The centres of the anchors, in the order of the [`Answer`]s, in shares of the square's side.
fn anchor_centres() -> impl Iterator<Item = (f32, f32)> {
    HEADS.iter().flat_map(|head| {
        let centre = |at: usize| (at as f32 + 0.5) / head.side as f32;
        let pixels = (0..head.side).flat_map(move |y| (0..head.side).map(move |x| (x, y)));
        pixels.flat_map(move |(x, y)| std::iter::repeat_n((centre(x), centre(y)), head.anchors))
    })
}

/// Makes `faces` those with [`MIN_SCORE`] among `answers`, best first, in shares of the square's side. Boxes that are
/// empty or not finite are left out.
pub(super) fn decode(answers: &[Answer], faces: &mut Vec<Face>) {
    faces.clear();
    for (&[logit, x, y, width, height], centre) in answers.iter().zip(anchor_centres()) {
        let score = 1.0 / (1.0 + (-logit.clamp(-MAX_LOGIT, MAX_LOGIT)).exp());
        let [x, y, width, height] = [x, y, width, height].map(|px| px / PICTURE.width as f32);
        let (left, top) = (centre.0 + x - width / 2.0, centre.1 + y - height / 2.0);
        let is_a_box = width > 0.0
            && height > 0.0
            && [left, top, width, height].iter().all(|value| value.is_finite());
        if score >= MIN_SCORE && is_a_box {
            faces.push(Face { left, top, width, height, score });
        }
    }
    faces.sort_unstable_by(|a, b| b.score.total_cmp(&a.score));
}

/// Non-maximum suppression: makes `kept` the best [`MAX_FACES`] of `faces`, which are sorted best first, without those
/// that overlap a better one by more than [`MAX_IOU`].
pub(super) fn suppress(faces: &[Face], kept: &mut Vec<Face>) {
    kept.clear();
    for face in faces {
        if kept.len() == MAX_FACES {
            return;
        }
        if kept.iter().all(|better| intersection_over_union(better, face) <= MAX_IOU) {
            kept.push(*face);
        }
    }
}

fn intersection_over_union(a: &Face, b: &Face) -> f32 {
    let common = |start_a: f32, len_a: f32, start_b: f32, len_b: f32| {
        ((start_a + len_a).min(start_b + len_b) - start_a.max(start_b)).max(0.0)
    };
    let both = common(a.left, a.width, b.left, b.width) * common(a.top, a.height, b.top, b.height);
    both / (a.width * a.height + b.width * b.height - both)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn face(left: f32, top: f32, size: f32, score: f32) -> Face {
        Face { left, top, width: size, height: size, score }
    }

    #[test]
    fn the_best_of_overlapping_faces_is_left() {
        let best = face(0.1, 0.1, 0.4, 0.9);
        // Moved by half its size it has 1/3 in common, moved by 0.6 of it 1/4.
        let (near, beside) = (face(0.3, 0.1, 0.4, 0.8), face(0.34, 0.1, 0.4, 0.7));
        assert!((intersection_over_union(&best, &near) - 1.0 / 3.0).abs() < 1e-6);
        assert!((intersection_over_union(&best, &beside) - 0.25).abs() < 1e-6);
        assert_eq!(intersection_over_union(&best, &face(0.6, 0.6, 0.1, 0.6)), 0.0);
        let mut kept = Vec::new();
        suppress(&[best, near, beside], &mut kept);
        assert_eq!(kept, [best, beside]);
    }

    #[test]
    fn there_are_never_more_faces_than_eight() {
        let faces: Vec<_> = (0..20).map(|at| face(at as f32, 0.0, 0.5, 0.9)).collect();
        let mut kept = Vec::new();
        suppress(&faces, &mut kept);
        assert_eq!(kept, faces[..MAX_FACES]);
    }

    #[test]
    fn an_answer_becomes_a_face_around_its_anchor() {
        let mut answers = vec![[-5.0, 0.0, 0.0, 0.0, 0.0]; 896];
        // The second anchor of column 3, row 2 of 16; the last anchor of all.
        answers[2 * (2 * 16 + 3) + 1] = [200.0, 4.0, -4.0, 32.0, 16.0];
        answers[895] = [1.0, 0.0, 0.0, 64.0, 64.0];
        // No boxes.
        answers[0] = [5.0, 0.0, 0.0, -1.0, 8.0];
        answers[1] = [f32::NAN, 0.0, 0.0, 8.0, 8.0];
        answers[2] = [5.0, f32::NAN, 0.0, 8.0, 8.0];
        answers[4] = [5.0, 0.0, 0.0, f32::INFINITY, 8.0];
        let mut faces = Vec::new();
        decode(&answers, &mut faces);
        let [first, last] = faces[..] else { panic!("{faces:?}") };
        let want = Face { left: 0.125, top: 0.0625, width: 0.25, height: 0.125, score: 1.0 };
        assert_eq!(first, want);
        assert_eq!((last.left, last.top), (0.6875, 0.6875));
        assert!((last.score - 0.731_058_6).abs() < 1e-6);
    }
}
