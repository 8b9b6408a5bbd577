"""Judges frames of the fake camera: compose.py ROOM MATTE (--halves L R | --either A B) [--hologram]. Each is a composed one
or the placeholder; it waits until it has seen enough composed ones.

Frames (standard input) and ROOM are YUYV 1280x720, MATTE is a grey Y4M with one frame of that size. Only the standard library: it runs in
the guest.
"""
import argparse
import sys
import time

WIDTH, HEIGHT = 1280, 720
FRAME = WIDTH * HEIGHT * 2

parser = argparse.ArgumentParser()
parser.add_argument("room")
parser.add_argument("matte")
parser.add_argument("--halves", nargs=2)
parser.add_argument("--either", nargs=2)
parser.add_argument("--seconds", type=float, default=300)
parser.add_argument("--hologram", action="store_true")
parser.add_argument("--keep", required=True, help="a folder for a frame that is wrong")
args = parser.parse_args()


def yuv(text):
    r, g, b = (int(text[i:i + 2], 16) for i in (0, 2, 4))
    return (16 + (65.481 * r + 128.553 * g + 24.966 * b) / 255,
            128 + (-37.797 * r - 74.203 * g + 112 * b) / 255,
            128 + (112 * r - 93.786 * g - 18.214 * b) / 255)


def pixel(frame, x, y):
    at = (y * WIDTH + x) * 2
    pair = at - at % 4
    return frame[at], frame[pair + 1], frame[pair + 3]


def near(seen, wanted, tolerance):
    return all(abs(a - b) <= tolerance for a, b in zip(seen, wanted))


def nearly_all(truths):
    """The guest's network rounds elsewhere than the host's: at a point or two it sees a bit of a person."""
    truths = list(truths)
    return sum(truths) >= 0.99 * len(truths)


def is_placeholder(frame):
    """greenroom's own: from luma 59 at the head to 26 at the foot, each row of one colour; text in the middle third."""
    above = 70
    for y in range(16, HEIGHT, 32):
        if HEIGHT <= 3 * y <= 2 * HEIGHT:
            continue
        paper = pixel(frame, 16, y)
        if paper[0] > above or not all(near(pixel(frame, x, y), paper, 1) for x in range(16, WIDTH, 32)):
            return False
        above = paper[0]
    return 20 <= above <= 32


with open(args.matte, "rb") as file:
    assert b" W1280 H720 " in file.readline()
    assert file.readline().startswith(b"FRAME")
    matte = file.read(WIDTH * HEIGHT)
with open(args.room, "rb") as file:
    room = file.read(FRAME)
points = [(x, y) for y in range(16, HEIGHT, 32) for x in range(16, WIDTH, 32)]
people = [(x, y) for x, y in points if matte[y * WIDTH + x] >= 250]
nobody = [(x, y) for x, y in points if matte[y * WIDTH + x] <= 2]
assert len(people) > 100 and len(nobody) > 500, (len(people), len(nobody))

kinds = []
# Five composed frames are enough, with both pictures of a video among them; the guest makes less than one a second.
ended = time.monotonic() + args.seconds
while time.monotonic() < ended:
    frame = sys.stdin.buffer.read(FRAME)
    assert len(frame) == FRAME, "the consumer has ended"
    behind = [pixel(frame, x, y) for x, y in nobody]
    if args.halves:
        left, right = map(yuv, args.halves)
        # Four columns where the halves meet may be of both.
        shown = nearly_all(near(seen, left if x < WIDTH // 2 else right, 4)
                           for seen, (x, y) in zip(behind, nobody) if abs(x - WIDTH // 2) > 4)
        kind = "composed" if shown else None
    else:
        shown = [text for text in args.either if nearly_all(near(seen, yuv(text), 5) for seen in behind)]
        kind = shown[0] if shown else None
    if kind is None:
        # The placeholder then, and not one point as the room has it where the room is not dark.
        leaks = sum(near(seen, pixel(room, x, y), 6) for seen, (x, y) in zip(behind, nobody)
                    if pixel(room, x, y)[0] > 90)
        assert leaks < 5, f"frame {len(kinds)}: the room is seen at {leaks} points"
        if not is_placeholder(frame):
            with open(f"{args.keep}/neither.yuyv", "wb") as file:
                file.write(frame)
            raise AssertionError(f"frame {len(kinds)}: neither composed nor the placeholder, see neither.yuyv")
        kinds.append("placeholder")
        continue
    kinds.append(kind)
    person = [pixel(frame, x, y) for x, y in people]
    truth = [pixel(room, x, y) for x, y in people]
    apart = sum(abs(a[0] - b[0]) for a, b in zip(person, truth)) / len(people)
    red = sum(seen[2] for seen in person) / len(people)
    red_before = sum(seen[2] for seen in truth) / len(people)
    if args.hologram:
        # Green and blue over the skin, and dark bands.
        assert apart > 8 and red < red_before - 10, f"no hologram: {apart:.1f}, V {red_before:.0f} -> {red:.0f}"
    else:
        assert apart < 4, f"the person is not as the camera has it: {apart:.1f}"
    composed = [kind for kind in kinds if kind != "placeholder"]
    if len(composed) >= 5 and len(set(composed)) == (2 if args.either else 1):
        break
composed = [kind for kind in kinds if kind != "placeholder"]
print(f"{len(kinds)} frames, {len(composed)} composed: {sorted(set(composed))}; person {apart:.1f} apart, V {red_before:.0f} -> {red:.0f}"
      if composed else f"{len(kinds)} frames, none composed")
assert len(composed) >= 5, "too few composed frames"
if args.either:
    assert len(set(composed)) == 2, "the video stands still"
