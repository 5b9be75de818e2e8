"""PyTorch and ONNX Runtime for tools/bench: reads requests from standard input, answers each with a number.

    WHAT CELL DEVICE TF32 THREADS B T F H L O

WHAT is train (milliseconds of a training step), infer (of a forward pass), onnx (of the same network exported to
ONNX, in ONNX Runtime), gemm (GF/s of a product of 1024^3) or copy (GB/s read and written); CELL lstm, gru or elman;
DEVICE cpu or cuda; TF32 0 or 1; THREADS those of a CPU. A negative number: not possible here.

The network is what a user of PyTorch would write: nn.LSTM, nn.GRU or nn.RNN with a linear head on the last output;
MSE, clipping by norm, Adam. Times are medians over half a second.
"""
import io
import sys
import time
import warnings

import torch

warnings.simplefilter("ignore")
CELLS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "elman": torch.nn.RNN}
made = {}


class Network(torch.nn.Module):
    def __init__(self, cell, f, h, layers, o):
        super().__init__()
        self.rnn = CELLS[cell](f, h, layers, batch_first=True)
        self.head = torch.nn.Linear(h, o)

    def forward(self, x):
        return self.head(self.rnn(x)[0][:, -1])


def wait(device):
    if device == "cuda":
        torch.cuda.synchronize()


def make_train(cell, device, b, t, f, h, layers, o):
    network = Network(cell, f, h, layers, o).to(device)
    parameters = list(network.parameters())
    optimiser = torch.optim.Adam(parameters)
    x, y = torch.randn(b, t, f, device=device), torch.randn(b, o, device=device)

    def step():
        optimiser.zero_grad()
        loss = ((network(x) - y) ** 2).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        wait(device)

    return step


def make_infer(cell, device, b, t, f, h, layers, o):
    network = Network(cell, f, h, layers, o).to(device).eval()
    x = torch.randn(b, t, f, device=device)

    def step():
        with torch.inference_mode():
            network(x).cpu()

    return step


def make_onnx(cell, threads, b, t, f, h, layers, o):
    import onnxruntime

    network, x, file = Network(cell, f, h, layers, o).eval(), torch.randn(b, t, f), io.BytesIO()
    torch.onnx.export(network, (x,), file, dynamo=False, input_names=["x"], output_names=["y"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    feed = {"x": x.numpy()}
    with torch.inference_mode():
        off = abs(session.run(None, feed)[0] - network(x).numpy()).max()
    if off > 1e-4:
        raise RuntimeError(f"ONNX Runtime's forecast is off by {off} of PyTorch's")
    return lambda: session.run(None, feed)


def median_ms(step, device):
    for _ in range(2):
        step()
    times, begin = [], time.perf_counter()
    while time.perf_counter() - begin < 0.5 or len(times) < 3:
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    times.sort()
    return 1e3 * times[len(times) // 2]


def answer(what, cell, device, tf32, threads, *shape):
    threads, shape = int(threads), tuple(int(v) for v in shape)
    torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = tf32 == "1"
    key = (what, cell, device, threads if what == "onnx" else 0, shape)
    if what in ("gemm", "copy"):
        size = 1024 if what == "gemm" else 4096
        a, b = torch.randn(size, size, device=device), torch.randn(size, size, device=device)

        def step():
            torch.mm(a, a, out=b) if what == "gemm" else b.copy_(a)
            wait(device)

        moved = 2e-9 * size**3 if what == "gemm" else 8e-9 * size**2
        return 1e3 * moved / median_ms(step, device)
    if key not in made:
        if what == "onnx":
            made[key] = make_onnx(cell, threads, *shape)
        else:
            made[key] = {"train": make_train, "infer": make_infer}[what](cell, device, *shape)
    return median_ms(made[key], device)


def versions():
    words = ["PyTorch", torch.__version__]
    try:
        import onnxruntime

        words += ["ONNX Runtime", onnxruntime.__version__]
    except ImportError:
        pass
    if torch.cuda.is_available():
        words += ["CUDA device", torch.cuda.get_device_name(0), "cuDNN", str(torch.backends.cudnn.version())]
    return " ".join(words)


if __name__ == "__main__":
    print("ready", versions(), flush=True)
    for line in sys.stdin:
        words = line.split()
        if words[2] == "cuda" and not torch.cuda.is_available():
            print(-1.0, flush=True)
            continue
        try:
            print(answer(*words), flush=True)
        except Exception as trouble:  # measured without it, and said
            print(f"bench: {' '.join(words)}: {trouble}", file=sys.stderr)
            print(-1.0, flush=True)
