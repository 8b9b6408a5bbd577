"""What refinement costs, in inferences of the landscape model by the reference runtime: `cargo xtask cost` calls this.

Arguments: REFINE (the example of greenroom-matte), MODEL.tflite, FRAMES (raw I420), WIDTH, HEIGHT, ROUNDS. Each round
times the reference, ours without and with all of refinement, and the reference again, on one thread each; a round's
ratio is of that round's times. Prints medians over the rounds: milliseconds of the reference, of plain enlargement, of
refining the mask and of fitting it to the picture; then of the ratio net of the enlargement it replaces the median,
the least and the most, and the median of the gross ratio.
"""

import statistics
import subprocess
import sys
import time

import numpy
from ai_edge_litert.interpreter import Interpreter

refine, model, frames, width, height, rounds = sys.argv[1:]
interpreter = Interpreter(model, num_threads=1)
interpreter.allocate_tensors()
entry = interpreter.get_input_details()[0]
noise = numpy.random.default_rng(1).random(entry["shape"], numpy.float32)
interpreter.set_tensor(entry["index"], noise)


def reference():
    times = []
    for _ in range(40):
        start = time.perf_counter()
        interpreter.invoke()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def ours(*steps):
    with open(frames, "rb") as source:
        done = subprocess.run(
            [refine, width, height, "general", *steps],
            stdin=source,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=True,
        )
    return [float(word) / 1e3 for word in done.stderr.split()]


rows, nets, grosses = [], [], []
for _ in range(int(rounds)):
    before = reference()
    bare = ours()
    full = ours("all")
    unit = (before + reference()) / 2
    rows.append((unit, bare[3], full[2], full[3]))
    # What the crop adds to the preparation, or spares, counts as well.
    gross = full[2] + full[3] + full[0] - bare[0]
    grosses.append(gross / unit)
    nets.append((gross - bare[2] - bare[3]) / unit)
print(*(statistics.median(column) for column in zip(*rows)))
print(statistics.median(nets), min(nets), max(nets), statistics.median(grosses))
