"""A virtual background in the manner of Linux-Fake-Background-Webcam, written from its description and not from its code.

selfie.py COUNTER WIDTH HEIGHT BACKGROUND MODEL.tflite < BGR > I420

MediaPipe's landscape network by its own runtime, a mask by threshold (75 %), dilated (5x5) and blurred (Gauss 7x7, box 10x10)
at the picture's size, half of the one before (the default), each colour blended by it in RGB.
"""

import sys

import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from common import Sink, pictures

counter, width, height, background, model = sys.argv[1:]
width, height = int(width), int(height)
THRESHOLD = 0.75
UPDATE = 0.5

# One thread takes the least processor time.
interpreter = Interpreter(model, num_threads=1)
interpreter.allocate_tensors()
entry, result = interpreter.get_input_details()[0], interpreter.get_output_details()[0]
_, input_height, input_width, _ = entry["shape"]
behind = cv2.resize(cv2.imread(background), (width, height)).astype(np.float32)
kernel = np.ones((5, 5), np.uint8)
sink = Sink(counter)
last = np.zeros((height, width), np.float32)
for frame in pictures(width, height):
    small = cv2.resize(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB), (input_width, input_height))
    interpreter.set_tensor(entry["index"], small[np.newaxis].astype(np.float32) / 255)
    interpreter.invoke()
    found = interpreter.get_tensor(result["index"]).reshape(input_height, input_width)
    mask = (cv2.resize(found, (width, height)) > THRESHOLD).astype(np.float32)
    mask = cv2.dilate(mask, kernel, iterations=1)
    mask = cv2.blur(cv2.GaussianBlur(mask, (7, 7), 0), (10, 10))
    last = mask * UPDATE + last * (1 - UPDATE)
    picture = np.empty_like(frame)
    for colour in range(3):
        picture[:, :, colour] = frame[:, :, colour] * last + behind[:, :, colour] * (1 - last)
    sink.write(cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420))
