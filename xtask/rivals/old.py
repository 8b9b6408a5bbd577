"""A virtual background in the manner of the program that greenroom supersedes, written from its description: the client.

old.py COUNTER WIDTH HEIGHT BACKGROUND URL < BGR > YUYV

Half of the picture goes to the mask server as a JPEG; the mask is enlarged, dilated and blurred (10x10 each) in 64-bit floats;
each colour is blended by it; rows are packed one by one.
"""

import pathlib
import sys

import cv2
import numpy as np

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tests/clients"))
from common import Sink, pictures
from old_client import get_mask, post_process

counter, width, height, background, url = sys.argv[1:]
width, height = int(width), int(height)
behind = cv2.resize(cv2.imread(background), (width, height))
sink = Sink(counter)
packed = np.empty((height, width * 2), np.uint8)
for frame in pictures(width, height):
    mask = post_process(get_mask(frame, url))
    inverse = 1 - mask
    picture = np.empty_like(frame)
    for colour in range(3):
        picture[:, :, colour] = frame[:, :, colour] * mask + behind[:, :, colour] * inverse
    yuv = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB), cv2.COLOR_RGB2YUV)
    for y in range(height):
        packed[y, ::2] = yuv[y, :, 0]
        packed[y, 1::4] = yuv[y, ::2, 1]
        packed[y, 3::4] = yuv[y, ::2, 2]
    sink.write(packed)
