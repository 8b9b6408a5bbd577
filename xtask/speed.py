"""Our engine against the reference runtime, one thread each, in interleaved rounds.

    cargo build --release --package greenroom-matte --example speed
    target/golden/venv/bin/python xtask/speed.py target/release/examples/speed [ROUNDS [ISA [MODEL]]]

(`cargo xtask golden` makes the environment and the pictures.) Prints for each model and two pictures the median processor time of one inference of both,
and the median, over the rounds, of ours divided by the reference's in the same round.
"""

import itertools
import pathlib
import random
import statistics
import subprocess
import sys
import time

import numpy

import resize

MODELS = {
    "landscape": ("selfie_segmentation_landscape.tflite", 256, 144),
    "general": ("selfie_segmentation.tflite", 320, 224),
    "multiclass": ("selfie_multiclass_256x256.tflite", 256, 256),
}
PICTURES = ["franck_01829", "blocks"]
# Inferences at a time.
COUNTS = {"landscape": 12, "general": 12, "multiclass": 2}

ours = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 30
isa = sys.argv[3] if len(sys.argv) > 3 else "best"
models = sys.argv[4:] or list(MODELS)
assets = pathlib.Path(__file__).parent.parent / "assets/models"
pictures = pathlib.Path(sys.prefix).parent


def show(interpreter, picture):
    input_ = interpreter.get_input_details()[0]
    rgb = numpy.fromfile(picture, dtype=numpy.uint8).reshape(input_["shape"])
    unit = rgb.astype(numpy.float32) / 255
    multiclass = interpreter.get_output_details()[0]["shape"][3] > 1
    interpreter.set_tensor(input_["index"], unit * 2 - 1 if multiclass else unit)


def time_ours(model, picture):
    print(model, isa, COUNTS[model], picture, file=ours.stdin, flush=True)
    return int(ours.stdout.readline())


def time_reference(model, _):
    start = time.process_time_ns()
    for _ in range(COUNTS[model]):
        interpreters[model].invoke()
    return (time.process_time_ns() - start) / COUNTS[model]


interpreters = {
    model: resize.interpreter(assets / file, width, height)
    for model, (file, width, height) in MODELS.items()
    if model in models
}
for model, name in itertools.product(models, PICTURES):
    picture = pictures / model / f"{name}.rgb"
    show(interpreters[model], picture)
    time_ours(model, picture), time_reference(model, picture)
    pairs = []
    for _ in range(rounds):
        sides = [time_ours, time_reference]
        random.shuffle(sides)
        times = {side: side(model, picture) for side in sides}
        pairs.append((times[time_ours], times[time_reference]))
    mine, theirs = (statistics.median(side) / 1e6 for side in zip(*pairs))
    best = min(pair[0] for pair in pairs) / 1e6
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{model}, {name}: ours {mine:.3f} ms (best {best:.3f}), reference {theirs:.3f} ms, ratio {ratio:.3f}")
