"""The reference runtime for `cargo xtask golden`.

usage: golden.py MODEL.tflite WIDTH HEIGHT FOLDER

Reads every FOLDER/*.rgb (8-bit RGB, WIDTH x HEIGHT), runs the model on it with one thread and writes the
probabilities beside it as little-endian float32, FOLDER/*.f32. A model with several outputs a pixel is the multiclass
one: its input is -1 to 1, and the probability is that of all classes but the first.
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
    rgb = numpy.fromfile(path, dtype=numpy.uint8).reshape(input_["shape"]).astype(numpy.float32)
    multiclass = output["shape"][3] > 1
    interpreter.set_tensor(input_["index"], rgb / 127.5 - 1 if multiclass else rgb / 255)
    interpreter.invoke()
    result = interpreter.get_tensor(output["index"]).astype(numpy.float64)
    if multiclass:
        powers = numpy.exp(result - result.max(axis=3, keepdims=True))
        result = 1 - powers[..., 0] / powers.sum(axis=3)
    result.astype("<f4").tofile(path.with_suffix(".f32"))
