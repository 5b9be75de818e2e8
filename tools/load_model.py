#!/usr/bin/env python3
"""Loads a model of Norn into PyTorch: the parameters by load_state_dict, after the member's prefix is stripped.

    tools/load_model.py MODEL [MEMBER]

prints what the model is, and what member MEMBER (0) forecasts, in scaled units, of a window of zeros and of a ramp. Needs
PyTorch and nothing else: the file is read here in a dozen lines, which the package safetensors would do too:

    state = {k[3:]: v for k, v in safetensors.torch.load_file(path).items() if k.startswith("m0.")}

Exit code 77 where there is no PyTorch. docs/model-file.md describes the file.
"""

import json
import sys
import zlib

try:
    import torch
except ImportError:
    print("skipped: no PyTorch")
    sys.exit(77)

DTYPES = {
    "F32": torch.float32,
    "F64": torch.float64,
    "I64": torch.int64,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


def read(path):
    """The texts and the tensors of a file; its checksum is looked at."""
    with open(path, "rb") as file:
        content = bytearray(file.read())
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    texts = header.pop("__metadata__", {})
    tensors, checksum = {}, zlib.crc32(texts.get("norn", "").encode())
    for name, entry in sorted(header.items(), key=lambda item: item[0].encode()):
        begin, stop = (end + offset for offset in entry["data_offsets"])
        shape = ",".join(str(n) for n in entry["shape"])
        for part in (name.encode() + b"\0", entry["dtype"].encode() + b"\0", shape.encode() + b"\0", content[begin:stop]):
            checksum = zlib.crc32(part, checksum)
        numbers = content[begin:stop]
        flat = torch.frombuffer(numbers, dtype=DTYPES[entry["dtype"]]) if numbers else torch.zeros(0)
        tensors[name] = flat.reshape(entry["shape"])
    if texts.get("norn_crc32", f"{checksum:08x}") != f"{checksum:08x}":
        sys.exit(f"{path}: damaged: the checksum is {checksum:08x}, not {texts['norn_crc32']}")
    return texts, tensors


class Network(torch.nn.Module):
    """What Norn trains: stacked recurrent layers, and all steps of the horizon from the last output of the top one."""

    def __init__(self, module, options, inputs, hidden, layers, horizon):
        super().__init__()
        self.rnn = module(inputs, hidden, layers, batch_first=True, **options)
        self.head = torch.nn.Linear(hidden, horizon)

    def forward(self, x):  # [B][window][inputs] -> [B][horizon]
        output, _ = self.rnn(x)
        return self.head(output[:, -1])


def load(path, member=0):
    """The network of a member, and the model's description."""
    texts, tensors = read(path)
    about = json.loads(texts["norn"])
    shape = about["network"]
    kind = shape.get("parameters", "LSTM")
    if kind not in ("LSTM", "GRU", "RNN"):
        sys.exit(f"{path}: PyTorch has no module for the cell {shape['cell']}; its parameters are those of the formula")
    options = {"nonlinearity": "relu"} if shape["cell"] == "elman_relu" else {}
    network = Network(getattr(torch.nn, kind), options, shape["inputs"], shape["hidden"], shape["layers"], shape["horizon"])
    prefix = f"m{member}."
    state = {name[len(prefix) :]: tensor for name, tensor in tensors.items() if name.startswith(prefix)}
    network.load_state_dict(state, strict=True)
    return network.eval(), about


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    network, about = load(sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 0)
    shape = about["network"]
    print(f"Norn {about['library']}, format {about['format']}: {network}")
    network = network.double()
    steps = torch.arange(shape["window"] * shape["inputs"], dtype=torch.float64)
    windows = torch.stack([torch.zeros_like(steps), (steps - len(steps) / 2) / 8])
    with torch.no_grad():
        for row in network(windows.reshape(2, shape["window"], shape["inputs"])):
            print(" ".join(f"{y:.9f}" for y in row.tolist()))


if __name__ == "__main__":
    main()
