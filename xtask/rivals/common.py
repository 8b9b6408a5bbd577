"""What both Python programs do at their ends: pictures come from standard input and go to standard output, which is a null
sink here in place of a v4l2loopback node."""

import sys

import numpy as np


def pictures(width, height):
    """BGR pictures, as OpenCV's capture gives them."""
    size = width * height * 3
    while len(data := sys.stdin.buffer.read(size)) == size:
        yield np.frombuffer(data, np.uint8).reshape(height, width, 3)


class Sink:
    def __init__(self, counter):
        self.counter = np.memmap(counter, np.uint64, "r+", shape=1)

    def write(self, picture):
        sys.stdout.buffer.write(picture)
        sys.stdout.buffer.flush()
        self.counter[0] += 1
