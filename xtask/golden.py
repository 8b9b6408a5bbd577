"""The reference runtime for `cargo xtask golden`.

usage: golden.py MODEL.tflite WIDTH HEIGHT FOLDER

Reads every FOLDER/*.rgb (8-bit RGB, WIDTH x HEIGHT), runs the model on it with one thread and writes the
probabilities beside it as little-endian float32, FOLDER/*.f32. A model with several outputs a pixel is the multiclass
one: its input is -1 to 1, and the probability is that of all classes but the first. A model with two outputs is the
finder of faces: its input is -1 to 1, and for each anchor its logit and the four values of its box are written.
"""

import pathlib
import sys

import numpy

import resize

model, width, height, folder = sys.argv[1:]
interpreter = resize.interpreter(model, int(width), int(height))
input_ = interpreter.get_input_details()[0]
outputs = interpreter.get_output_details()
output = outputs[0]

for path in sorted(pathlib.Path(folder).glob("*.rgb")):
    rgb = numpy.fromfile(path, dtype=numpy.uint8).reshape(input_["shape"]).astype(numpy.float32)
    faces = len(outputs) == 2
    multiclass = not faces and output["shape"][3] > 1
    interpreter.set_tensor(input_["index"], rgb / 127.5 - 1 if multiclass or faces else rgb / 255)
    interpreter.invoke()
    result = interpreter.get_tensor(output["index"]).astype(numpy.float64)
    if faces:
        logits = next(o["index"] for o in outputs if o["shape"][2] == 1)
        boxes = next(o["index"] for o in outputs if o["shape"][2] == 16)
        logits, boxes = interpreter.get_tensor(logits)[0], interpreter.get_tensor(boxes)[0]
        result = numpy.concatenate([logits, boxes[:, :4]], axis=1)
    if multiclass:
        powers = numpy.exp(result - result.max(axis=3, keepdims=True))
        result = 1 - powers[..., 0] / powers.sum(axis=3)
    result.astype("<f4").tofile(path.with_suffix(".f32"))
