"""The processor time of greenroom at a camera's pace, in floors: `cargo xtask paced` calls this.

Arguments: GREENROOM, MODEL.tflite, SECONDS, ROUNDS, then for each case a word and the arguments of its `greenroom run`, as
a JSON list. A floor is one inference of the landscape model by the reference runtime (XNNPACK, one thread) and three copies of a
1280x720 picture of two bytes a pixel; it is measured at 30 frames a second, too, before each case and after the last one of a
round. Prints one JSON object a line: {"case", "round", "frames", "floor_ms", "ms": {thread: milliseconds a frame}}.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import time

import numpy
from ai_edge_litert.interpreter import Interpreter

greenroom, model, seconds, rounds, *cases = sys.argv[1:]
seconds, rounds = float(seconds), int(rounds)
FPS = 30
# A picture is decoded, the networks load, the first questions are asked.
WARM_S = 4

interpreter = Interpreter(model, num_threads=1)
interpreter.allocate_tensors()
entry = interpreter.get_input_details()[0]
noise = numpy.random.default_rng(1).random(entry["shape"], numpy.float32)
interpreter.set_tensor(entry["index"], noise)
picture = numpy.full(1280 * 720 * 2, 100, numpy.uint8)
copies = [numpy.empty_like(picture) for _ in range(3)]


def floor():
    """Milliseconds of processor time a frame."""
    frames = int(FPS * seconds / 4)
    next_at = time.monotonic()
    used = 0
    for _ in range(frames):
        next_at += 1 / FPS
        time.sleep(max(0, next_at - time.monotonic()))
        start = time.thread_time_ns()
        interpreter.invoke()
        for copy in copies:
            numpy.copyto(copy, picture)
        used += time.thread_time_ns() - start
    return used / frames / 1e6


def times_of(pid):
    """Milliseconds of processor time of each thread so far, by its name."""
    times = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/schedstat") as file:
            nanoseconds = int(file.read().split()[0])
        with open(f"/proc/{pid}/task/{task}/comm") as file:
            name = re.sub(r"\W*\d+$", "", file.read().strip())
        times[name] = times.get(name, 0) + nanoseconds / 1e6
    return times


def frames_of(socket):
    status = subprocess.run([greenroom, "status", "--json", "--socket", socket], capture_output=True, check=True)
    return json.loads(status.stdout)["frames"]["composed"]


def measure(arguments):
    """Frames, and milliseconds of each thread a frame."""
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/socket"
        command = [greenroom, "run", "--output", "null", "--always-on", "--socket", socket, *arguments]
        environment = {**os.environ, "XDG_CONFIG_HOME": folder, "XDG_RUNTIME_DIR": folder}
        daemon = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            time.sleep(WARM_S)
            if daemon.poll() is not None:
                sys.exit(f"greenroom has ended: {daemon.stderr.read().strip()}")
            frames, before = frames_of(socket), times_of(daemon.pid)
            time.sleep(seconds)
            frames, after = frames_of(socket) - frames, times_of(daemon.pid)
        finally:
            daemon.terminate()
            daemon.wait()
    return frames, {name: (after[name] - before.get(name, 0)) / frames for name in after}


for index in range(rounds):
    floor_before = floor()
    for case, arguments in zip(cases[::2], cases[1::2]):
        frames, ms = measure(json.loads(arguments))
        floor_after = floor()
        line = {"case": case, "round": index, "frames": frames, "floor_ms": (floor_before + floor_after) / 2, "ms": ms}
        print(json.dumps(line), flush=True)
        floor_before = floor_after
