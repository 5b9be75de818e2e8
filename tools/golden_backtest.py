#!/usr/bin/env python3
"""Golden values of forecasters, metrics and tests of significance, by NumPy, SciPy, statsmodels and scikit-learn.

Run by hand when a case is added; needs those packages, which nothing else of Norn does:

    python3 tools/golden_backtest.py

It writes tests/golden/backtest.h. Series are drawn on a grid of 1/64, so that the file stays small; results have 17
digits. Nothing here shares code or formulas with src/: the linear models are solved as least squares with the ridge as
further rows, Naive2's season comes from statsmodels, and so do the autocorrelations.
"""

import os

import numpy as np
import scipy.stats
import sklearn.metrics
import statsmodels.stats.diagnostic
import statsmodels.tsa.seasonal
import statsmodels.tsa.stattools

from golden_common import Arrays, on_grid, target

TARGET = target("backtest.h")
ARRAYS = Arrays()
put, LINES = ARRAYS.put, ARRAYS.lines


def seasonal_series(seed, n, m, noise):
    draw = np.random.default_rng(seed)
    t = np.arange(n)
    figure = 1 + 0.4 * np.sin(2 * np.pi * t / m) + 0.15 * np.cos(4 * np.pi * t / m)
    return on_grid((20 + 0.1 * t) * figure * (1 + noise * draw.standard_normal(n)))


# ---- Naive2 ------------------------------------------------------------------------------------------------------


def seasonality(y, m):
    """|r_m| over its standard error: above 1.645 the M4 code calls the series seasonal."""
    r = statsmodels.tsa.stattools.acf(y, nlags=m, fft=False)[1:]
    return abs(r[m - 1]) / np.sqrt((1 + 2 * np.sum(r[: m - 1] ** 2)) / len(y))


def near_the_limit(low, high):
    """The first weakly seasonal series whose statistic lies between the two."""
    for seed in range(1000):
        y = seasonal_series(seed, 60, 6, 0.6)
        if low < seasonality(y, 6) < high and np.all(y > 0):
            return y
    raise ValueError("no such series")


def naive2(y, m, h):
    n = len(y)
    seasonal = False
    if n >= 3 * m and m <= int(10 * np.log10(n)):
        seasonal = seasonality(y, m) > 1.645
    if not seasonal:
        return np.repeat(y[-1], h)
    found = statsmodels.tsa.seasonal.seasonal_decompose(y, model="multiplicative", period=m).seasonal
    last = np.resize(found[-m:], h)
    return y[-1] / found[-1] * last


def naive2_cases():
    for name, seed, n, m, noise in (("even", 1, 75, 12, 0.05), ("odd", 2, 40, 7, 0.05), ("flat", 3, 60, 12, 30.0)):
        y = seasonal_series(seed, n, m, noise)
        if name == "flat":
            y = on_grid(50 + np.random.default_rng(seed).standard_normal(n))
        put(f"naive2_{name}_y", y, f"season {m}")
        put(f"naive2_{name}", naive2(y, m, 15))
    for name, low, high in (("below", 1.55, 1.645), ("above", 1.645, 1.75)):
        y = near_the_limit(low, high)
        put(f"naive2_{name}_y", y, f"season 6, statistic {seasonality(y, 6):.3f}")
        put(f"naive2_{name}", naive2(y, 6, 15))


# ---- linear models -----------------------------------------------------------------------------------------------


def ridge(features, targets, weight):
    """Unpenalised constant; the ridge as further rows of a least squares problem."""
    p = features.shape[1]
    rows = np.hstack([features, np.ones((len(features), 1))])
    more = np.hstack([np.sqrt(weight) * np.eye(p), np.zeros((p, 1))])
    a = np.vstack([rows, more])
    b = np.vstack([targets, np.zeros((p, targets.shape[1]))])
    return np.linalg.lstsq(a, b, rcond=None)[0]


def windows_of(y, w, h):
    count = len(y) - w - h + 1
    x = np.stack([y[i : i + w] for i in range(count)])
    t = np.stack([y[i + w : i + w + h] for i in range(count)])
    return x, t


def dlinear(y, w, h):
    q = min(25, w if w % 2 else w - 1) // 2

    def average(x):
        padded = np.concatenate([np.repeat(x[:1], q), x, np.repeat(x[-1:], q)])
        return np.convolve(padded, np.ones(2 * q + 1) / (2 * q + 1), "valid")

    x, t = windows_of(y, w, h)
    split = lambda rows: np.array([np.concatenate([r - average(r), average(r)]) for r in rows])
    z = split(x)
    centred = z - z.mean(axis=0)
    weight = 1e-3 * np.trace(centred.T @ centred) / w
    beta = ridge(z, t, weight)
    return np.concatenate([split(y[None, -w:])[0], [1.0]]) @ beta


def linear_cases():
    y = seasonal_series(5, 150, 12, 0.08)
    put("linear_y", y)
    put("dlinear_36", dlinear(y, 36, 6), "window 36, horizon 6")
    put("dlinear_10", dlinear(y, 10, 14), "window 10, horizon 14: the average is over 9 values")


# ---- metrics -----------------------------------------------------------------------------------------------------

S, K, H, M = 2, 3, 4, 3  # series, folds, horizon, season
ROWS = (40, 31)


def metric_cases():
    draw = np.random.default_rng(7)
    names = ["mae", "mse", "rmse", "bias", "mape", "smape", "wape", "mase", "rmsse", "r2", "u1", "u2", "direction"]
    series = [on_grid(10 + np.cumsum(draw.standard_normal(n))) for n in ROWS]
    series[1][27] = 0.0  # a truth of zero
    series[0][35] = series[0][36]  # and a row that does not change
    forecasts = []
    for s, y in enumerate(series):
        put(f"metric_y{s}", y)
        for k in range(K):
            cut = ROWS[s] - 1 - H - (K - 1 - k) * 2  # step 2
            forecasts.append((s, k, cut, on_grid(y[cut + 1 : cut + 1 + H] + 1.5 * draw.standard_normal(H))))
    put("metric_f", np.concatenate([f[3] for f in forecasts]), "[series][fold][step], step between cutoffs 2")

    def rows(picked):
        out = []
        for s, k, cut, f in picked:
            y = series[s]
            past = y[: cut + 1]
            for j in range(H):
                out.append((s, y[cut + 1 + j], f[j], y[cut], y[cut + j], np.mean(np.abs(past[M:] - past[:-M])),
                            np.mean((past[M:] - past[:-M]) ** 2), k, j))
        return out

    def measures(all_rows):
        y, f = np.array([r[1] for r in all_rows]), np.array([r[2] for r in all_rows])
        ids = np.array([r[0] for r in all_rows])
        base, before = np.array([r[3] for r in all_rows]), np.array([r[4] for r in all_rows])
        scale, square = np.array([r[5] for r in all_rows]), np.array([r[6] for r in all_rows])
        e = y - f
        some = y != 0
        each = {"mase": [], "rmsse": [], "r2": [], "u1": [], "u2": []}
        for s in np.unique(ids):
            i = ids == s
            each["mase"].append(np.mean(np.abs(e[i]) / scale[i]))
            each["rmsse"].append(np.sqrt(np.mean(e[i] ** 2 / square[i])))
            each["r2"].append(sklearn.metrics.r2_score(y[i], f[i]))
            each["u1"].append(np.sqrt(np.mean(e[i] ** 2)) / (np.sqrt(np.mean(y[i] ** 2)) + np.sqrt(np.mean(f[i] ** 2))))
            i &= before != 0
            fpe, ape = f[i] / before[i] - 1, y[i] / before[i] - 1
            each["u2"].append(np.sqrt(np.sum((fpe - ape) ** 2) / np.sum(ape**2)))
        moved = y != base
        right = np.sign(y - base) == np.sign(f - base)
        half = np.where(f == base, 0.5, right)
        return [
            sklearn.metrics.mean_absolute_error(y, f),
            sklearn.metrics.mean_squared_error(y, f),
            sklearn.metrics.root_mean_squared_error(y, f),
            np.mean(f - y),
            100 * sklearn.metrics.mean_absolute_percentage_error(y[some], f[some]),
            np.mean(200 * np.abs(e) / (np.abs(y) + np.abs(f))),
            100 * np.sum(np.abs(e)) / np.sum(np.abs(y)),
            *[np.mean(each[k]) for k in ("mase", "rmsse", "r2", "u1", "u2")],
            100 * np.mean(half[moved]),
        ]

    LINES.append("/* " + " ".join(names) + " */\n")
    everything = rows(forecasts)
    put("metric_pooled", measures(everything))
    put("metric_series1", measures([r for r in everything if r[0] == 1]))
    put("metric_fold0", measures([r for r in everything if r[7] == 0]))
    put("metric_step2", measures([r for r in everything if r[8] == 2]))


# ---- significance ------------------------------------------------------------------------------------------------


def diebold_mariano(d, lags):
    n = len(d)
    c = d - d.mean()
    gamma = [np.sum(c[k:] * c[: n - k]) / n for k in range(lags + 1)]
    v = (gamma[0] + 2 * sum(gamma[1:])) / n
    h = lags + 1
    factor = np.sqrt((n + 1 - 2 * h + h * (h - 1) / n) / n)
    stat = factor * d.mean() / np.sqrt(v)
    return [stat, 2 * scipy.stats.t.sf(abs(stat), n - 1)]


def significance_cases():
    draw = np.random.default_rng(9)
    noise = draw.standard_normal(41)
    d = on_grid(0.35 + noise[1:] + 0.4 * noise[:-1])
    put("dm_d", d)
    put("dm_0", diebold_mariano(d, 0), "lags 0: statistic, p")
    put("dm_1", diebold_mariano(d, 1), "lags 1")
    put("dm_3", diebold_mariano(d[:12], 3), "the first 12, lags 3")

    points = [(nu, t) for nu in (1, 2, 5, 7, 30, 1000) for t in (0.0, 0.1, 1.0, 2.262157, 6.5, 40.0)]
    put("student", [v for nu, t in points for v in (nu, t, 2 * scipy.stats.t.sf(t, nu))], "degrees, t, two-sided p")
    points = [(k, x) for k in (1, 2, 3, 10, 24, 200) for x in (0.0, 0.01, 0.7, 3.84, 12.0, 60.0, 260.0)]
    put("chi_square", [v for k, x in points for v in (k, x, scipy.stats.chi2.sf(x, k))], "degrees, x, upper tail")

    noise = draw.standard_normal(81)
    e = on_grid(noise[1:] + 0.3 * noise[:-1])
    put("residual", e)
    put("residual_acf", statsmodels.tsa.stattools.acf(e, nlags=10, fft=False), "lags 0 to 10")
    box = statsmodels.stats.diagnostic.acorr_ljungbox(e, lags=[10])
    put("ljung_box_10", [box["lb_stat"].iloc[0], box["lb_pvalue"].iloc[0]], "statistic, p")
    put("residual_moments", [e.mean(), e.std(ddof=1), scipy.stats.skew(e), scipy.stats.kurtosis(e)],
        "mean, deviation, skewness, excess kurtosis")


def main():
    naive2_cases()
    linear_cases()
    metric_cases()
    significance_cases()
    versions = f"NumPy {np.__version__}, SciPy {scipy.__version__}, statsmodels {statsmodels.__version__}, "
    versions += f"scikit-learn {sklearn.__version__}"
    text = f"""/*
 * Golden values of forecasters, metrics and tests of significance: made by tools/golden_backtest.py with
 * {versions}. Do not edit.
 */
// clang-format off
#ifndef NORN_TESTS_GOLDEN_BACKTEST_H
#define NORN_TESTS_GOLDEN_BACKTEST_H

#include <math.h>

"""
    text += "\n".join(LINES) + "\n#endif\n"
    with open(TARGET, "w", encoding="ascii") as out:
        out.write(text)
    print(f"{os.path.relpath(TARGET)}: {len(text)} bytes, {versions}")


if __name__ == "__main__":
    main()
