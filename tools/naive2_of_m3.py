"""What M3's Naive2 may have been: sMAPE of the monthly series (horizon 18) under several tests of seasonality and means.

    naive2_of_m3.py ../shared/data/m3_monthly/m3_monthly.tsf

M3's authors published 16.91 and did not say how they tested for a season. All variants divide the series by a centred
moving average of 12 (half weights at its ends), average the ratios by month, scale the twelve to a mean of 1, and repeat
the last adjusted value. See docs/decisions.md, "Backtests".
"""
import sys

import numpy as np

H, M = 18, 12


def autocorrelations(y):
    d = y - y.mean()
    return np.array([(d[k:] * d[:-k]).sum() for k in range(1, M + 1)]) / (d * d).sum()


def limit(r, n, z, bartlett):
    return z * np.sqrt((1 + 2 * (r[:-1] ** 2).sum() * bartlett) / n)


def factors(y, mean):
    weights = np.r_[0.5, np.ones(M - 1), 0.5] / M
    ratios = np.full(len(y), np.nan)
    ratios[M // 2 : -(M // 2)] = y[M // 2 : -(M // 2)] / np.convolve(y, weights, "valid")
    out = np.array([mean(np.sort(v[np.isfinite(v)])) for v in (ratios[p::M] for p in range(M))])
    return out / out.mean()


def smape(y, f):
    return (200 * np.abs(y - f) / (np.abs(y) + np.abs(f))).mean()


means = {
    "mean": np.mean,
    "median": np.median,
    "medial": lambda v: v[1:-1].mean() if len(v) > 2 else v.mean(),  # without the least and the greatest
    "medial 2": lambda v: v[2:-2].mean() if len(v) > 4 else v.mean(),
}
tests = {"never": None, "always": None}
for rows in ("values", "differences"):
    for bartlett in (True, False):
        for z in (1.645, 1.96):
            tests[f"{rows}, {'Bartlett' if bartlett else 'white noise'}, {z}"] = (rows, bartlett, z)

series = []
with open(sys.argv[1], encoding="latin-1") as file:
    for line in file:
        if line[0] not in "#@" and ":" in line:
            y = np.array(line.rsplit(":", 1)[1].split(","), float)
            series.append((y[:-H], y[-H:]))

print(f"{'seasonal if |r12| is above the limit of':40}" + "".join(f"{name:>10}" for name in means) + "   seasonal")
of = {rows: [autocorrelations(np.diff(y) if rows == "differences" else y) for y, _ in series] for rows in ("values", "differences")}
adjusted = {name: [factors(y, mean) for y, _ in series] for name, mean in means.items()}
for name, test in tests.items():
    chosen = [name == "always"] * len(series)
    if test:
        rows, bartlett, z = test
        chosen = [abs(r[-1]) > limit(r, len(y), z, bartlett) for r, (y, _) in zip(of[rows], series)]
    line = ""
    for mean in means:
        total = 0.0
        for (y, truth), seasonal, f in zip(series, chosen, adjusted[mean]):
            f = f if seasonal else np.ones(M)
            n = len(y)
            total += smape(truth, y[-1] / f[(n - 1) % M] * f[(n + np.arange(H)) % M])
        line += f"{total / len(series):10.3f}"
    print(f"{name:40}{line}{sum(chosen):11d}")
