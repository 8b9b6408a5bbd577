"""The processor time of greenroom at a camera's pace, in floors: `cargo xtask paced` calls this.

Arguments: GREENROOM, MODEL.tflite, SECONDS, ROUNDS, then for each case a word and the command that runs it, as a JSON list:
the arguments of a `greenroom run` or a `greenroom bench` (with a `taskset` before them, if there is one). The floor
(measuring.py) is measured before each case and after the last one of a round. Prints one JSON object a line: {"case", "round",
"frames", "floor_ms", "ms": {thread: milliseconds a frame}, "core_share", "latency_ms": {"p50", …}, "compute_ms", "dropped"}.
"compute_ms" is the sum of the medians of the stages of a frame's way.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

from measuring import Floor, times_of

greenroom, model, seconds, rounds, *cases = sys.argv[1:]
seconds, rounds = float(seconds), int(rounds)
# A picture is decoded, the networks load, the first questions are asked.
WARM_S = 4


def status_of(socket):
    status = subprocess.run([greenroom, "status", "--json", "--socket", socket], capture_output=True, check=True)
    return json.loads(status.stdout)


def compute_ms(stages):
    return sum(stage["p50"] for stage in stages)


def dropped_of(counts):
    return sum(counts["dropped"].values())


def run(command):
    """Of a `greenroom run`."""
    with tempfile.TemporaryDirectory() as folder:
        socket = f"{folder}/socket"
        command = [*command, "--output", "null", "--always-on", "--socket", socket]
        environment = {**os.environ, "XDG_CONFIG_HOME": folder, "XDG_RUNTIME_DIR": folder}
        daemon = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        try:
            time.sleep(WARM_S)
            if daemon.poll() is not None:
                sys.exit(f"greenroom has ended: {daemon.stderr.read().strip()}")
            first, before = status_of(socket), times_of(daemon.pid)
            time.sleep(seconds)
            last, after = status_of(socket), times_of(daemon.pid)
        finally:
            daemon.terminate()
            daemon.wait()
    frames = last["frames"]["composed"] - first["frames"]["composed"]
    if frames == 0:
        sys.exit(f"no picture came through in {seconds} s: {last}")
    return {
        "frames": frames,
        "ms": {name: (after[name] - before.get(name, 0)) / frames for name in after},
        "core_share": sum(after[name] - before.get(name, 0) for name in after) / 1e3 / seconds,
        "latency_ms": last["latency_ms"],
        "compute_ms": compute_ms(last["stages_ms"]),
        "dropped": dropped_of(last["frames"]) - dropped_of(first["frames"]),
    }


def bench(command):
    """Of a `greenroom bench` of one case."""
    measured = subprocess.run([*command, "--json", "--seconds", str(seconds)], capture_output=True, text=True)
    if measured.returncode != 0:
        sys.exit(f"greenroom bench has failed: {measured.stderr.strip()}")
    report = json.loads(measured.stdout)
    (case,) = report["cases"]
    return {
        "frames": case["frames"]["written"] // len(report["backgrounds"]),
        "ms": case["threads_ms"],
        "core_share": case["core_share"],
        "latency_ms": case["latency_ms"],
        "compute_ms": compute_ms(case["stages_ms"]),
        "dropped": case["frames"]["dropped"],
    }


floor = Floor(model, seconds / 4)
for index in range(rounds):
    floor_before = floor.ms()
    for case, command in zip(cases[::2], cases[1::2]):
        command = json.loads(command)
        at = next(at for at, word in enumerate(command) if word in ("run", "bench"))
        measure = run if command[at] == "run" else bench
        line = measure([*command[:at], greenroom, *command[at:]])
        floor_after = floor.ms()
        line |= {"case": case, "round": index, "floor_ms": (floor_before + floor_after) / 2}
        print(json.dumps(line), flush=True)
        floor_before = floor_after
