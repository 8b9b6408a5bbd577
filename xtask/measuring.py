"""What `paced.py` and `rivals.py` share: the floor, and processor times of other processes."""

import os
import re
import time

import numpy
from ai_edge_litert.interpreter import Interpreter

# The pace at which everything is measured.
FPS = 30


class Floor:
    """One inference of the landscape model by the reference runtime (XNNPACK, one thread) and three copies of a 1280x720
    picture of two bytes a pixel, at the camera's pace."""

    def __init__(self, model, seconds):
        self.frames = max(int(FPS * seconds), 30)
        self.interpreter = Interpreter(model, num_threads=1)
        self.interpreter.allocate_tensors()
        entry = self.interpreter.get_input_details()[0]
        noise = numpy.random.default_rng(1).random(entry["shape"], numpy.float32)
        self.interpreter.set_tensor(entry["index"], noise)
        self.picture = numpy.full(1280 * 720 * 2, 100, numpy.uint8)
        self.copies = [numpy.empty_like(self.picture) for _ in range(3)]

    def ms(self):
        """Milliseconds of processor time a frame."""
        next_at = time.monotonic()
        used = 0
        for _ in range(self.frames):
            next_at += 1 / FPS
            time.sleep(max(0, next_at - time.monotonic()))
            start = time.thread_time_ns()
            self.interpreter.invoke()
            for copy in self.copies:
                numpy.copyto(copy, self.picture)
            used += time.thread_time_ns() - start
        return used / self.frames / 1e6


def times_of(pid):
    """Milliseconds of processor time of each thread so far, by its name."""
    times = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                nanoseconds = int(file.read().split()[0])
            with open(f"/proc/{pid}/task/{task}/comm") as file:
                name = re.sub(r"\W*\d+$", "", file.read().strip())
        except (FileNotFoundError, ProcessLookupError):
            # It has ended meanwhile.
            continue
        times[name] = times.get(name, 0) + nanoseconds / 1e6
    return times


def ms_of(pid):
    """Milliseconds of processor time of a process so far, also of its threads that have ended."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1e3 / os.sysconf("SC_CLK_TCK")
