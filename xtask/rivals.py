"""The processor time of other programs' ways beside greenroom's, in floors: `cargo xtask rivals` calls this.

Arguments: GREENROOM, MODEL.tflite, CLIP, BACKGROUND, SECONDS, ROUNDS, NODE_MODULES, FOLDER. Everything gets the same clip of
1280x720 from an FFmpeg at 30 frames a second, which is not counted: greenroom starts its own, the others get raw BGR pictures
through a pipe (so their decoding costs them nothing). Everything writes to a null sink. The floor (measuring.py) is measured
before each case and after the last one of a round. Prints one JSON object a line: {"case", "round", "frames", "floor_ms",
"ms": {process: milliseconds a frame}, "fps"}.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

import numpy
from measuring import Floor, ms_of

greenroom, model, clip, background, seconds, rounds, node_modules, folder = sys.argv[1:]
seconds, rounds = float(seconds), int(rounds)
HERE = os.path.dirname(os.path.abspath(__file__))
WIDTH, HEIGHT = 1280, 720
WARM_S = 5
PATIENCE_S = 60


def feed():
    """Raw pictures at the camera's pace."""
    command = ["ffmpeg", "-v", "error", "-nostdin", "-stream_loop", "-1", "-re", "-i", clip]
    command += ["-pix_fmt", "bgr24", "-f", "rawvideo", "-"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def end(*processes):
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait()


def observe(processes, frames):
    """Frames, seconds, and milliseconds a frame of each of `processes`, by name; `frames` counts up to now."""
    deadline = time.monotonic() + PATIENCE_S
    while frames() == 0:
        time.sleep(0.2)
        dead = [name for name, process in processes.items() if process.poll() is not None]
        if dead or time.monotonic() > deadline:
            sys.exit(f"{', '.join(dead) or 'one of ' + ', '.join(processes)} makes no picture")
    time.sleep(WARM_S)
    count, start = frames(), time.monotonic()
    before = {name: ms_of(process.pid) for name, process in processes.items()}
    time.sleep(seconds)
    count, passed = frames() - count, time.monotonic() - start
    after = {name: ms_of(process.pid) for name, process in processes.items()}
    if count == 0:
        sys.exit(f"{', '.join(processes)}: no picture in {passed:.0f} s")
    return {
        "frames": count,
        "fps": count / passed,
        "ms": {name: (after[name] - before[name]) / count for name in processes},
    }


def ours():
    with tempfile.TemporaryDirectory() as home:
        socket = f"{home}/socket"
        command = [greenroom, "run", "--camera", clip, "--background", background, "--output", "null"]
        environment = {**os.environ, "XDG_CONFIG_HOME": home, "XDG_RUNTIME_DIR": home}
        program = subprocess.Popen([*command, "--socket", socket], env=environment, stderr=subprocess.DEVNULL)

        def frames():
            command = [greenroom, "status", "--json", "--socket", socket]
            status = subprocess.run(command, capture_output=True, text=True)
            return json.loads(status.stdout)["frames"]["composed"] if status.returncode == 0 else 0

        try:
            return observe({"greenroom": program}, frames)
        finally:
            end(program)


def theirs(script, arguments, servers):
    """A Python program in `script`; `servers` are processes that it needs, by name."""
    counter = numpy.memmap(f"{folder}/counter", numpy.uint64, "w+", shape=1)
    source = feed()
    command = [sys.executable, f"{HERE}/rivals/{script}", f"{folder}/counter", str(WIDTH), str(HEIGHT), background]
    program = subprocess.Popen([*command, *arguments], stdin=source.stdout, stdout=subprocess.DEVNULL)
    # Only the program holds it now: its end ends the feed.
    source.stdout.close()
    try:
        return observe({"program": program, **servers}, lambda: int(counter[0]))
    finally:
        end(program, *servers.values(), source)


def selfie():
    return theirs("selfie.py", [model], {})


def body_pix(network, width, height):
    def way():
        command = ["node", f"{HERE}/rivals/bodypix.cjs", f"{folder}/{network}.onnx", str(width), str(height)]
        environment = {**os.environ, "NODE_PATH": node_modules}
        server = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        port = server.stdout.readline().strip()
        if not port:
            sys.exit("the mask server does not listen")
        return theirs("old.py", [f"http://127.0.0.1:{port}/"], {"mask server": server})

    return way


WAYS = {
    "greenroom": ours,
    "selfie": selfie,
    # Half of the picture's size is its half again inside the server (internalResolution "high"), as a multiple of the stride
    # and one.
    "mobilenet": body_pix("mobilenet", 321, 177),
    "resnet50": body_pix("resnet50", 321, 177),
}

floor = Floor(model, seconds / 4)
for index in range(rounds):
    floor_before = floor.ms()
    for case, way in WAYS.items():
        line = way()
        floor_after = floor.ms()
        line |= {"case": case, "round": index, "floor_ms": (floor_before + floor_after) / 2}
        print(json.dumps(line), flush=True)
        floor_before = floor_after
