"""What refinement costs, in inferences of the landscape model by the reference runtime: `cargo xtask cost` calls this.

Arguments: REFINE (the example of greenroom-matte), MODEL.tflite, FRAMES (raw I420), WIDTH, HEIGHT, ROUNDS. Each frame is
handed to ours without and with all of refinement, and the reference runs once, in turns and on one thread each: machines
change their speed by a half from one second to the next, and so do all three. A frame's ratio is of that frame's times.
Prints a JSON object. It has medians in milliseconds of the reference, of plain enlargement, of refining the mask, of
fitting it to the picture and of what composing takes longer; of the ratio net of the enlargement that is replaced the
median over all frames, and the least and the most of the rounds' medians; the median of the gross ratio. Of all
inference it has, in inferences of the reference and spread over all frames, what the looks at them took, and what the
second opinion took behind the first frame of each round, and how many questions there were in a round.
"""

import json
import os
import statistics
import subprocess
import sys
import time

import numpy
from ai_edge_litert.interpreter import Interpreter

refine, model, frames, *numbers = sys.argv[1:]
width, height, rounds = map(int, numbers)
frame_bytes = width * height + 2 * ((width + 1) // 2) * ((height + 1) // 2)
interpreter = Interpreter(model, num_threads=1)
interpreter.allocate_tensors()
entry = interpreter.get_input_details()[0]
noise = numpy.random.default_rng(1).random(entry["shape"], numpy.float32)
interpreter.set_tensor(entry["index"], noise)


def reference():
    start = time.perf_counter()
    interpreter.invoke()
    return (time.perf_counter() - start) * 1e3


class Ours:
    def __init__(self, *steps):
        self.process = subprocess.Popen(
            [refine, str(width), str(height), "general", "each", *steps],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )

    def times(self, frame):
        """Milliseconds of preparing, inferring, refining, fitting and composing, then of the network in the second and
        third of these."""
        self.process.stdin.write(frame)
        self.process.stdin.flush()
        assert len(self.process.stdout.read(width * height)) == width * height
        return [float(word) / 1e3 for word in self.process.stderr.readline().split()[:7]]

    def stop(self):
        self.process.stdin.close()
        assert self.process.wait() == 0


# All of them on one core: two cores differ as well, by what their neighbours do.
os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
rows, nets, grosses, medians = [], [], [], []
looks, opinions, questions = [], [], 0
# A frame whose mask takes so many times the median to refine, without more looks of the network, is one that the second
# opinion was asked about.
ASKED = 10
for _ in range(rounds):
    bare, full = Ours(), Ours("all")
    in_round, refining = [], []
    with open(frames, "rb") as source:
        while len(frame := source.read(frame_bytes)) == frame_bytes:
            plain, all_of_it, unit = bare.times(frame), full.times(frame), reference()
            # What the crop adds to the preparation, or spares, and taking the old room out of the edge count
            # as well.
            composing = all_of_it[4] - plain[4]
            looks.append(all_of_it[5] + all_of_it[6])
            refining.append((all_of_it[2] - all_of_it[6], unit))
            rows.append((unit, plain[3], all_of_it[2], all_of_it[3], composing))
            gross = all_of_it[2] + all_of_it[3] + composing + all_of_it[0] - plain[0]
            grosses.append(gross / unit)
            in_round.append((gross - plain[2] - plain[3]) / unit)
    bare.stop()
    full.stop()
    nets += in_round
    medians.append(statistics.median(in_round))
    # When somebody begins to watch, the second opinion is asked at once: that is no part of a call's every second.
    usual = statistics.median(time for time, _ in refining)
    asked = [(time - usual) / unit for time, unit in refining[1:] if time > ASKED * usual]
    opinions.append(sum(asked) / len(refining[1:]))
    questions += len(asked)
names = ("inference_ms", "enlarge_ms", "refine_ms", "fit_ms", "compose_ms")
cost = {name: statistics.median(column) for name, column in zip(names, zip(*rows))}
cost.update(net=statistics.median(nets), least=min(medians), most=max(medians), gross=statistics.median(grosses))
looks = sum(looks) / sum(row[0] for row in rows)
cost.update(looks=looks, opinion=statistics.mean(opinions), questions=questions / rounds)
print(json.dumps(cost))
