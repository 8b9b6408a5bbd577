"""The reference runtime for `cargo xtask golden`.

usage: golden.py MODEL.tflite WIDTH HEIGHT FOLDER

Reads every FOLDER/*.rgb (8-bit RGB, WIDTH x HEIGHT), runs the model on it with one thread and writes the
probabilities beside it as little-endian float32, FOLDER/*.f32.
"""

import pathlib
import sys

import numpy

import resize

model, width, height, folder = sys.argv[1:]
interpreter = resize.interpreter(model, int(width), int(height))
input_ = interpreter.get_input_details()[0]
output = interpreter.get_output_details()[0]

for path in sorted(pathlib.Path(folder).glob("*.rgb")):
    rgb = numpy.fromfile(path, dtype=numpy.uint8).reshape(input_["shape"])
    interpreter.set_tensor(input_["index"], rgb.astype(numpy.float32) / 255)
    interpreter.invoke()
    interpreter.get_tensor(output["index"]).astype("<f4").tofile(path.with_suffix(".f32"))
