#!/usr/bin/env python3
"""PyTorch's training step for tools/bench: reads lines "B T F H L O", answers with milliseconds a step (median).

nn.LSTM with a linear head on the last output, MSE, clipping by norm, Adam: what a user of PyTorch would write.
The number of threads is the only argument.
"""
import sys
import time

import torch

torch.set_num_threads(int(sys.argv[1]))
print("ready", torch.__version__, "threads", torch.get_num_threads(), flush=True)
models = {}


def make(b, t, f, h, layers, o):
    lstm = torch.nn.LSTM(f, h, layers, batch_first=True)
    head = torch.nn.Linear(h, o)
    parameters = list(lstm.parameters()) + list(head.parameters())
    optimiser = torch.optim.Adam(parameters)
    x, y = torch.randn(b, t, f), torch.randn(b, o)

    def step():
        optimiser.zero_grad()
        out, _ = lstm(x)
        loss = ((head(out[:, -1]) - y) ** 2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()

    for _ in range(2):
        step()
    return step


for line in sys.stdin:
    shape = tuple(int(v) for v in line.split())
    if shape not in models:
        models[shape] = make(*shape)
    step, times, begin = models[shape], [], time.perf_counter()
    while time.perf_counter() - begin < 0.4 or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    times.sort()
    print(1e3 * times[len(times) // 2], flush=True)
