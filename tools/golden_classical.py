#!/usr/bin/env python3
"""Golden values of exponential smoothing, Theta and Croston, by statsforecast, statsmodels, NumPy and SciPy.

Run by hand when a case is added; needs those packages, which nothing else of Norn does:

    python3 tools/golden_classical.py

It writes tests/golden/classical.h. For each form of ETS and each series statsforecast (AutoETS's own functions) fits
the form: its parameters and log-likelihood are kept, forecasts are checked against the book's equations, and the
deviation of the rows to come is simulated. statsmodels' ETSModel says the log-likelihood, constants and all, at the same
parameters, which checks the first. The optimised Theta models are written out as NumPy from the paper, checked against
statsforecast at its own parameters, and minimised by SciPy, to sums of squares that statsforecast's are never below.
"""

import warnings

import numpy as np
import scipy.optimize
import statsforecast.ets as sf_ets
import statsforecast.models as sf_models
import statsforecast.theta as sf_theta
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from golden_common import Arrays, dataset, on_grid, target, text_of

warnings.filterwarnings("ignore")
TARGET = target("classical.h")
ARRAYS = Arrays(width=100, end="")
put, LINES = ARRAYS.put, ARRAYS.lines


# ---- series ------------------------------------------------------------------------------------------------------


def air_passengers():
    return dataset("air_passengers.csv")


def quarters(seed):
    """Four seasons a year with a trend that changes."""
    draw = np.random.default_rng(seed)
    level, trend, season, out = 50.0, 0.8, np.array([1.1, 0.9, 0.8, 1.2]), []
    for t in range(52):
        e = 0.03 * draw.standard_normal()
        out.append((level + trend) * season[t % 4] * (1 + e))
        level, trend = (level + trend) * (1 + 0.3 * e), trend + 0.05 * (level + trend) * e
        season[t % 4] *= 1 + 0.2 * e
    return on_grid(out)


def below_zero(seed):
    """Additive season of twelve, values on both sides of 0."""
    draw = np.random.default_rng(seed)
    t = np.arange(90)
    return on_grid(np.cumsum(draw.standard_normal(90)) * 0.5 + 4 * np.sin(2 * np.pi * t / 12) + draw.standard_normal(90))


def wandering(seed):
    draw = np.random.default_rng(seed)
    return on_grid(100 + np.cumsum(draw.standard_normal(60) + 0.3) + draw.standard_normal(60))


SERIES = [("air", air_passengers(), 12), ("quarters", quarters(1), 4), ("below", below_zero(2), 12),
          ("wander", wandering(3), 1)]

# ---- ETS ---------------------------------------------------------------------------------------------------------

FORMS = [("ANN", False), ("AAN", False), ("AAN", True), ("ANA", False), ("AAA", False), ("AAA", True),
         ("MNN", False), ("MAN", False), ("MAN", True), ("MNA", False), ("MAA", False), ("MAA", True),
         ("MNM", False), ("MAM", False), ("MAM", True)]
WORD = {"A": "add", "M": "mul", "N": None}


def statsmodels_likelihood(y, m, form, damped, fit):
    alpha, beta, gamma, phi = fit["par"][:4]
    states = fit["states"][0]
    trend = form[1] != "N"
    model = ETSModel(y, error=WORD[form[0]], trend=WORD[form[1]], damped_trend=damped, seasonal=WORD[form[2]],
                     seasonal_periods=m if form[2] != "N" else None, initialization_method="known",
                     initial_level=states[0], initial_trend=states[1] if trend else None,
                     initial_seasonal=states[1 + trend:][::-1] if form[2] != "N" else None,
                     bounds={"smoothing_trend": (0, 1)} if trend else None)
    named = {"smoothing_level": alpha, "smoothing_trend": beta, "smoothing_seasonal": gamma, "damping_trend": phi}
    return model.loglike(np.array([named[n] for n in model.param_names if n in named]))


def deviation(form, m, par, last, sigma, mean):
    """Of 100,000 pairs of mirrored paths, root mean square around their own mean; statsforecast's seasonal formulas take
    the number of whole seasons of the last row for all rows."""
    draw = np.random.default_rng(8)
    alpha, beta, gamma, phi = par
    trend = form[1] != "N"
    level = np.full(200000, last[0])
    slope = np.full(200000, last[1] if trend else 0.0)
    figures = [np.full(200000, s) for s in last[1 + trend:][::-1]] if form[2] != "N" else [np.zeros(200000)]
    out = []
    for j in range(30):
        half = draw.standard_normal(100000)
        e = sigma * np.concatenate([half, -half])
        q, s = level + phi * slope, figures[j % len(figures)]
        f = q * s if form[2] == "M" else q + s
        y = f * (1 + e) if form[0] == "M" else f + e
        d = y / s - q if form[2] == "M" else y - s - q
        if form[2] != "N":
            figures[j % len(figures)] = s + gamma * (y / q - s if form[2] == "M" else d)
        level, slope = q + alpha * d, phi * slope + beta * d
        out.append(np.std(y))
    return np.array(out)


def smoothing():
    rows = []
    for index, (name, y, m) in enumerate(SERIES):
        put(f"{name}_y", y)
        for number, (form, damped) in enumerate(FORMS):
            if (form[2] != "N" and m == 1) or ("M" in form and min(y) <= 0):
                continue
            fit = sf_ets.ets_f(y, m if form[2] != "N" else 1, model=form, damped=damped)
            out = sf_ets.forecast_ets(fit, 30)
            par = np.nan_to_num(fit["par"][:4], nan=0.0)
            if not damped:
                par[3] = 1.0
            states = fit["states"][0]
            trend = form[1] != "N"
            figures = states[1 + trend:][::-1] if form[2] != "N" else []
            known = statsmodels_likelihood(y, m, form, damped, fit)
            constant = len(y) / 2 * (np.log(2 * np.pi / len(y)) + 1)
            # statsmodels' recursion of multiplicative seasons is another than the book's and forecast::ets's
            assert form[2] == "M" or abs(known - (fit["loglik"] - constant)) < 1e-6 * abs(known), (name, form, known)
            known = fit["loglik"] - constant
            data = f"{name}_{number}"
            put(f"{data}_figures", figures if len(figures) else [0.0])
            # forecast::ets and statsforecast add up phi + phi + phi^2 + ..., one power late: the book's sum is used
            last, sums = fit["states"][-1], np.cumsum(par[3] ** np.arange(1, 31))
            mean = last[0] + (last[1] * sums if trend else 0.0)
            if form[2] != "N":
                figure = last[1 + trend:][::-1][np.arange(30) % m]
                mean = mean + figure if form[2] == "A" else mean * figure
            assert damped or np.allclose(mean, out["mean"], rtol=1e-12), (name, form)
            put(f"{data}_mean", mean * np.ones(30))
            put(f"{data}_deviation", np.round(deviation(form, m, par, last, np.sqrt(fit["sigma2"]), np.ones(30) * mean), 6))
            rows.append(f"    {{{index}, {number}, {{{text_of(list(par) + [states[0], states[1] if trend else 0.0], '', 100)}}},"
                        f"\n     {float(known)!r}, {float(np.sqrt(fit['sigma2']))!r}, {data}_figures, {data}_mean, {data}_deviation}},")
    series = "\n".join(f"    {{{n}_y, {len(y)}, {m}}}," for n, y, m in SERIES)
    LINES.append(f"static const struct {{\n    const double *y;\n    size_t n, m;\n}} classical_series[] = {{\n{series}\n}};\n")
    LINES.append("""/* A form of ETS as statsforecast fits it: alpha, beta, gamma, phi, level, trend before the first row, the figures by row
 * mod m; the log-likelihood with its constants and sigma; mean of 30 rows and, simulated, their deviation around it. */
static const struct {
    size_t series, form;
    double parameters[6], likelihood, sigma;
    const double *figures, *mean, *deviation;
} ets_cases[] = {
""" + "\n".join(rows) + "\n};\n")


# ---- Theta -------------------------------------------------------------------------------------------------------


def otm(y, first, alpha, theta, h, dynamic):
    """Sum of squares from the third row on, and forecasts: the paper's recursions, a line of each kind."""
    values = list(y)
    n, level, squares, out = len(y), first, 0.0, []
    slope, intercept = np.polyfit(np.arange(1, n + 1), y, 1)
    for t in range(1, n + h + 1):
        a, b = intercept, slope
        if dynamic:
            a, b = (0.0, 0.0) if t == 1 else (values[0], 0.0) if t == 2 else \
                np.polyfit(np.arange(1, t), values[: t - 1], 1)[::-1]
        f = level + (1 - 1 / theta) * ((1 - alpha) ** (t - 1) * a + (1 - (1 - alpha) ** t) / alpha * b)
        if t > n:
            values.append(f)
            out.append(f)
        elif t >= 3:
            squares += (values[t - 1] - f) ** 2
        level = alpha * values[t - 1] + (1 - alpha) * level
    return squares, np.array(out)


def rows(y, first, alpha, weight, dynamic):
    """What otm forecasts of rows 3 on, one step ahead: linear in first, and with first in weight."""
    values, level, out = np.asarray(y), first, []
    slope, intercept = np.polyfit(np.arange(1, len(y) + 1), y, 1)
    for t in range(1, len(y) + 1):
        a, b = intercept, slope
        if dynamic:
            a, b = (0.0, 0.0) if t == 1 else (values[0], 0.0) if t == 2 else \
                np.polyfit(np.arange(1, t), values[: t - 1], 1)[::-1]
        out.append(level + weight * ((1 - alpha) ** (t - 1) * a + (1 - (1 - alpha) ** t) / alpha * b))
        level = alpha * values[t - 1] + (1 - alpha) * level
    return np.array(out[2:])


def optimised(y, h, dynamic):
    """First level and weight by bounded least squares at each alpha; alpha by a fine grid and SciPy around its best."""
    def solve(alpha):
        base = rows(y, 0.0, alpha, 0.0, dynamic)
        matrix = np.stack([rows(y, 1.0, alpha, 0.0, dynamic) - base, rows(y, 0.0, alpha, 1.0, dynamic) - base], axis=1)
        return scipy.optimize.lsq_linear(matrix, y[2:] - base, bounds=([-np.inf, 0], [np.inf, 1]), tol=1e-14)

    grid = np.linspace(0.1, 0.99, 90)
    best = grid[np.argmin([solve(a).cost for a in grid])]
    alpha = scipy.optimize.minimize_scalar(lambda a: solve(a).cost, method="bounded", options={"xatol": 1e-10},
                                           bounds=(max(0.1, best - 0.02), min(0.99, best + 0.02))).x
    alpha = min((0.1, alpha, 0.99), key=lambda a: solve(a).cost)
    first, weight = solve(alpha).x
    theta = 1 / max(1 - weight, 1e-12)
    squares, out = otm(y, first, alpha, theta, h, dynamic)
    return squares, alpha, theta, out


def thetas():
    h = 8
    for name in ("wander", "below"):
        y = dict((n, v) for n, v, _ in SERIES)[name]
        for dynamic, kind in ((False, "OTM"), (True, "DOTM")):
            theirs = sf_theta.thetamodel(y, 1, kind, np.nan, np.nan, np.nan, 3)
            par = theirs["par"]
            check = otm(y, par["initial_smoothed"], par["alpha"], par["theta"], h, dynamic)[1]
            mean = sf_theta.forecast_theta(theirs, h)["mean"]
            assert np.allclose(check, mean, rtol=1e-8), (name, kind, check, mean)
            squares, alpha, theta, out = optimised(y, h, dynamic)
            assert squares <= otm(y, par["initial_smoothed"], par["alpha"], par["theta"], h, dynamic)[0] * (1 + 1e-9)
            put(f"{kind.lower()}_{name}", np.concatenate([[alpha, theta, squares], out]),
                f"alpha, theta, sum of squares, {h} rows")
        # Theta itself: the mean of a line and of the least-squares SES of 2 y - line
        t = np.arange(len(y))
        slope, intercept = np.polyfit(t, y, 1)
        curved = 2 * y - (intercept + slope * t)

        def residuals(x):
            level, out = x[1], []
            for v in curved:
                out.append(v - level)
                level += x[0] * out[-1]
            return np.array(out), level

        best = min((scipy.optimize.minimize(lambda x: np.sum(residuals([np.clip(x[0], 1e-4, 0.9999), x[1]])[0] ** 2),
                                            [a, curved[0]], method="Nelder-Mead",
                                            options={"xatol": 1e-11, "fatol": 1e-12, "maxiter": 8000, "maxfev": 8000})
                    for a in (0.05, 0.3, 0.7, 0.95)), key=lambda r: r.fun)
        level = residuals([np.clip(best.x[0], 1e-4, 0.9999), best.x[1]])[1]
        put(f"theta_{name}", 0.5 * (level + intercept + slope * (len(y) + np.arange(h))), "8 rows, no season")


# ---- Croston -----------------------------------------------------------------------------------------------------


def croston():
    draw = np.random.default_rng(5)
    for i, share in enumerate((0.15, 0.5)):
        y = np.where(draw.random(60) < share, draw.poisson(6, 60) + 1.0, 0.0)
        put(f"demand_{i}_y", y)
        classic = sf_models.CrostonClassic().forecast(y, h=1)["mean"][0]
        sba = sf_models.CrostonSBA().forecast(y, h=1)["mean"][0]
        put(f"demand_{i}", [classic, sba], "CrostonClassic, CrostonSBA")


smoothing()
thetas()
croston()
with open(TARGET, "w", encoding="ascii") as file:
    file.write("/* Made by tools/golden_classical.py. */\n#ifndef NORN_TESTS_GOLDEN_CLASSICAL_H\n"
               "#define NORN_TESTS_GOLDEN_CLASSICAL_H\n\n#include <math.h>\n#include <stddef.h>\n\n"
               "/* clang-format off */\n\n" + "\n".join(LINES) + "\n/* clang-format on */\n\n#endif\n")
