#!/usr/bin/env python3
"""Automatic ETS over many series, Norn beside statsforecast, in turns: the last rows of each series are left out.

    bench_classical.py NORN FILE.tsf HORIZON SEASON [EVERY [ROUNDS]]

EVERY takes each so-manieth series, for a shorter run. statsforecast runs warm (its functions are compiled before the
clock starts) in one process and in one for each core, and the faster counts; Norn's time is that of its fits, by
--timings. Printed are both times, their ratio and the sMAPE of both on the rows left out.
"""

import csv
import os
import subprocess
import sys
import tempfile
import time

import numpy as np

try:
    import pandas as pd
    from statsforecast import StatsForecast
    from statsforecast.models import AutoETS
except ImportError as error:
    sys.exit(f"statsforecast cannot be imported ({error})")

norn, path, horizon, season = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
every = int(sys.argv[5]) if len(sys.argv) > 5 else 1
rounds = int(sys.argv[6]) if len(sys.argv) > 6 else 1

with open(path, encoding="latin1") as file:
    lines = file.read().split("\n")
first = next(i for i, line in enumerate(lines) if line.startswith("@data")) + 1
chosen = [line for line in lines[first:] if line.strip()][::every]
series = [np.array([float(x) for x in line.split(":")[-1].split(",")]) for line in chosen]
frame = pd.concat([pd.DataFrame({"unique_id": i, "ds": np.arange(len(y) - horizon), "y": y[:-horizon]})
                   for i, y in enumerate(series)])
truth = np.stack([y[-horizon:] for y in series])


def smape(forecast):
    return np.mean(200 * abs(truth - forecast) / (abs(truth) + abs(forecast)))


def theirs(processes):
    begin = time.perf_counter()
    out = StatsForecast(models=[AutoETS(season_length=season)], freq=1, n_jobs=processes).forecast(df=frame, h=horizon)
    return time.perf_counter() - begin, smape(out["AutoETS"].to_numpy().reshape(truth.shape))


def ours(folder, source):
    timings, forecasts = os.path.join(folder, "timings.csv"), os.path.join(folder, "forecasts.csv")
    subprocess.run([norn, "backtest", source, "-q", "--folds", "1", "-n", str(horizon), "--season", str(season),
                    "--bootstrap", "0", "--models", "ets", "--timings", timings, "-o", forecasts], check=True)
    with open(timings, encoding="utf-8") as table:
        row = next(r for r in csv.DictReader(table) if r["model"] == "ETS")
    values = pd.read_csv(forecasts)["ETS"].to_numpy()
    return float(row["fit_seconds"]) + float(row["forecast_seconds"]), smape(values.reshape(truth.shape))


with tempfile.TemporaryDirectory() as folder:
    source = os.path.join(folder, "some.tsf")
    with open(source, "w", encoding="latin1") as file:
        file.write("\n".join(lines[:first] + chosen) + "\n")
    StatsForecast(models=[AutoETS(season_length=season)], freq=1).forecast(df=frame[frame.unique_id < 2], h=horizon)
    for _ in range(rounds):
        mine = ours(folder, source)
        one, many = theirs(1), theirs(os.cpu_count())
        best = min(one, many)
        print(f"{len(series)} series: norn {mine[0]:.3f} s (sMAPE {mine[1]:.3f}); statsforecast {one[0]:.2f} s in one "
              f"process, {many[0]:.2f} s in {os.cpu_count()} (sMAPE {best[1]:.3f}); {best[0] / mine[0]:.0f} times")
