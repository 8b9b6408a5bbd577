"""Alphas of a clip by the reference runtime (PyPI ai-edge-litert), bare: `cargo xtask score` calls this.

Arguments: MODEL WIDTH HEIGHT. Standard input: RGB frames, 8 bits, already at the model's size. Standard output: for
each frame the probabilities, float32, at the model's size.
"""

import sys

import numpy

import resize

model, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
interpreter = resize.interpreter(model, width, height)
entry = interpreter.get_input_details()[0]["index"]
result = interpreter.get_output_details()[0]["index"]
size = width * height * 3
while len(rgb := sys.stdin.buffer.read(size)) == size:
    picture = numpy.frombuffer(rgb, numpy.uint8).reshape(1, height, width, 3)
    interpreter.set_tensor(entry, picture.astype(numpy.float32) / 255)
    interpreter.invoke()
    sys.stdout.buffer.write(interpreter.get_tensor(result).astype(numpy.float32).tobytes())
