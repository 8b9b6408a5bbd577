"""One number on standard output: the median time, in nanoseconds, of one inference of a network in the reference
runtime, one thread. `choice.py MODEL COUNT`."""

import statistics
import sys
import time

import numpy
from ai_edge_litert.interpreter import Interpreter

interpreter = Interpreter(sys.argv[1], num_threads=1)
interpreter.allocate_tensors()
detail = interpreter.get_input_details()[0]
noise = numpy.random.default_rng(1).random(detail["shape"], dtype=numpy.float32)
interpreter.set_tensor(detail["index"], noise)
times = []
for _ in range(int(sys.argv[2]) + 3):
    start = time.perf_counter_ns()
    interpreter.invoke()
    times.append(time.perf_counter_ns() - start)
print(int(statistics.median(times[3:])))
