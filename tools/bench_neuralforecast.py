"""Refits an LSTM of NeuralForecast at 20 cutoffs and prints how many seconds that took; for tools/bench backtest.

    bench_neuralforecast.py FILE STEPS

The network, its windows, its steps and its folds are those of tools/bench_backtest.c: two layers of 32 units, window and
horizon 48, 32 windows a step, a linear head. Threads: the faster of one and all, by one short training of each.
"""
import logging
import os
import sys
import time
import warnings

warnings.filterwarnings("ignore")
os.environ["NIXTLA_ID_AS_COL"] = "1"
for name in ("pytorch_lightning", "lightning", "lightning.pytorch", "lightning_fabric"):
    logging.getLogger(name).setLevel(logging.ERROR)

import pandas
import torch
from neuralforecast import NeuralForecast
from neuralforecast.losses.pytorch import MSE
from neuralforecast.models import LSTM

H, FOLDS = 48, 20
frame = pandas.read_csv(sys.argv[1])
times = pandas.to_datetime(frame.iloc[:, 0])
frame = pandas.DataFrame({"unique_id": "y", "ds": times, "y": frame.iloc[:, -1].astype("float32")})


def refit(steps, folds):
    """Seconds of so many refits of so many steps."""
    model = LSTM(
        h=H,
        input_size=H,
        encoder_n_layers=2,
        encoder_hidden_size=32,
        decoder_layers=1,
        decoder_hidden_size=32,
        loss=MSE(),
        learning_rate=5e-3,
        max_steps=steps,
        batch_size=1,
        windows_batch_size=32,
        scaler_type="standard",
        val_check_steps=steps + 1,
        random_seed=1,
        accelerator="cpu",
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        enable_checkpointing=False,
    )
    forecast = NeuralForecast(models=[model], freq=pandas.infer_freq(times[:10]))
    start = time.monotonic()
    out = forecast.cross_validation(df=frame, n_windows=folds, step_size=H, refit=True, verbose=0)
    seconds = time.monotonic() - start
    assert len(out) == folds * H
    return seconds


def with_threads(count):
    torch.set_num_threads(count)
    return refit(20, 2)


# Lightning writes to both streams; the answer alone goes to ours.
answer = os.dup(1)
os.dup2(2, 1)
steps = int(sys.argv[2])
counts = sorted({1, os.cpu_count() or 1})
with_threads(counts[0])  # imports and first uses
best = min(counts, key=with_threads)
torch.set_num_threads(best)
seconds = refit(steps, FOLDS)
os.write(answer, f"{seconds}\n".encode())
