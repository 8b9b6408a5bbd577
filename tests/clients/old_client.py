"""Does what the client of the program that greenroom supersedes does with its mask server: half the
frame's size, JPEG, POST, the bytes as they are, back to the frame's size, dilated and blurred.

old_client.py URL WIDTH HEIGHT CLIENTS ANSWERS MATTES < FRAMES
    FRAMES   raw bgr24 frames
    MATTES   a file of raw grey frames of the same size: greenroom's own mattes

Prints a line of JSON: IoU of every frame, and of CLIENTS at once, until they have ANSWERS together,
how many answers each got and how many of them were not the mask that one client alone gets.
"""

import json
import sys
import threading

import cv2
import numpy as np
import requests


def get_mask(frame, url):
    width, height = frame.shape[1] // 2, frame.shape[0] // 2
    half = cv2.resize(frame, (width, height))
    _, jpeg = cv2.imencode(".jpg", half)
    answer = requests.post(
        url, data=jpeg.tobytes(), headers={"Content-Type": "application/octet-stream"}, timeout=600
    )
    answer.raise_for_status()
    mask = np.frombuffer(answer.content, dtype=np.uint8).reshape((height, width))
    return cv2.resize(mask, (frame.shape[1], frame.shape[0]))


def post_process(mask):
    mask = cv2.dilate(mask, np.ones((10, 10), np.uint8), iterations=1)
    return cv2.blur(mask.astype(float), (10, 10))


def iou(one, other):
    either = np.logical_or(one, other).sum()
    return 1.0 if either == 0 else float(np.logical_and(one, other).sum() / either)


def crowd(frames, masks, url, clients, answers):
    counts, wrong = [0] * clients, [0] * clients

    def one(me):
        at = me
        while sum(counts) < answers:
            at = (at + 7) % len(frames)
            wrong[me] += not np.array_equal(get_mask(frames[at], url), masks[at])
            counts[me] += 1

    threads = [threading.Thread(target=one, args=(me,)) for me in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return counts, sum(wrong)


def main():
    url, (width, height, clients) = sys.argv[1], map(int, sys.argv[2:5])
    answers, mattes = int(sys.argv[5]), sys.argv[6]
    frames = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(-1, height, width, 3)
    mattes = np.fromfile(mattes, np.uint8).reshape(-1, height, width)
    assert len(frames) == len(mattes), (len(frames), len(mattes))
    masks = [get_mask(frame, url) for frame in frames]
    ious = [iou(mask > 0, matte >= 128) for mask, matte in zip(masks, mattes)]
    for mask in masks:
        assert mask.max() <= 1
        final = post_process(mask)
        assert final.shape == (height, width) and 0 <= final.min() and final.max() <= 1
        # Dilated first, so that nothing of the person is lost.
        assert final[mask > 0].min(initial=1) > 0.2
    people = [float((mask > 0).mean()) for mask in masks]
    counts, wrong = crowd(frames, masks, url, clients, answers)
    print(json.dumps({"ious": ious, "people": people, "counts": counts, "wrong": wrong}))


if __name__ == "__main__":
    main()
