#!/usr/bin/env python3
"""Golden values of decompositions and of the models of autoregression, state spaces and volatility.

Run by hand when a case is added; needs NumPy, statsmodels and arch, which nothing else of Norn does:

    python3 tools/golden_arima.py

It writes tests/golden/arima.h. Series are drawn on a grid of 1/64, so that the file stays small; results have 17
digits. Nothing here shares code or formulas with src/.
"""

import warnings

import numpy as np
import statsmodels
from arch import arch_model
from statsmodels.regression.linear_model import burg
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.seasonal import STL
from statsmodels.tsa.statespace.sarimax import SARIMAX
from statsmodels.tsa.statespace.structural import UnobservedComponents
from statsmodels.tsa.stattools import pacf_burg

from golden_common import Arrays, dataset, on_grid, target

warnings.simplefilter("ignore")
TARGET = target("arima.h")
ARRAYS = Arrays()
put, LINES = ARRAYS.put, ARRAYS.lines


# ---- STL and MSTL ------------------------------------------------------------------------------------------------


def stl():
    draw = np.random.default_rng(1)
    t = np.arange(75)
    y = on_grid(50 + 0.2 * t + (8 + 0.05 * t) * np.sin(2 * np.pi * t / 12) + 2 * draw.standard_normal(75))
    y[[20, 47]] += 40
    put("stl_y", y, "season 12, two outliers")
    plain = STL(y, period=12, seasonal=11).fit(inner_iter=2, outer_iter=0)
    put("stl_plain_season", plain.seasonal)
    put("stl_plain_trend", plain.trend)
    robust = STL(
        y, period=12, seasonal=11, robust=True, seasonal_jump=2, trend_jump=3, low_pass_jump=2
    ).fit(inner_iter=1, outer_iter=15)
    put("stl_robust_season", robust.seasonal, "jumps 2, 3, 2; one inner pass, fifteen outer ones")
    put("stl_robust_trend", robust.trend)
    put("stl_robust_weight", robust.weights)
    narrow = STL(y[:51], period=7, seasonal=3, trend=9, low_pass=9).fit(inner_iter=2, outer_iter=0)
    put("stl_narrow_season", narrow.seasonal, "the first 51 rows with season 7, widths 3, 9, 9")
    put("stl_narrow_trend", narrow.trend)

    t = np.arange(120)
    y = on_grid(
        30 + 0.05 * t + 5 * np.sin(2 * np.pi * t / 6) + 4 * np.cos(2 * np.pi * t / 24) + draw.standard_normal(120)
    )
    put("mstl_y", y, "seasons 6 and 24")
    # the jumps of a tenth of the width differ between the seasons, so they are given one by one
    seasons, adjusted = [np.zeros(120), np.zeros(120)], y.copy()
    for _ in range(2):
        for i, (m, q) in enumerate(((6, 11), (24, 15))):
            trend = 1.5 * m / (1 - 1.5 / q)
            trend = int(np.ceil(trend)) + (int(np.ceil(trend)) % 2 == 0)
            low = m + (m % 2 == 0)
            adjusted = adjusted + seasons[i]
            fit = STL(
                adjusted,
                period=m,
                seasonal=q,
                trend=trend,
                low_pass=low,
                seasonal_jump=-(-q // 10),
                trend_jump=-(-trend // 10),
                low_pass_jump=-(-low // 10),
            ).fit(inner_iter=2, outer_iter=0)
            seasons[i] = fit.seasonal
            adjusted = adjusted - seasons[i]
    put("mstl_first", seasons[0])
    put("mstl_second", seasons[1])
    put("mstl_trend", fit.trend)


# ---- autoregressions -----------------------------------------------------------------------------------------------


def order_by_aicc(y, most):
    """The order with the least AICc of regressions on the same rows."""
    rows = len(y) - most
    scores = []
    for p in range(most + 1):
        x = np.column_stack([np.ones(rows)] + [y[most - k : len(y) - k] for k in range(1, p + 1)])
        rest = y[most:] - x @ np.linalg.lstsq(x, y[most:], rcond=None)[0]
        k = p + 2
        scores.append(rows * np.log(rest @ rest / rows) + 2 * k + 2 * k * (k + 1) / (rows - k - 1))
    return int(np.argmin(scores))


def ar():
    for name, y in (("lynx", dataset("lynx.csv")), ("sunspots", dataset("sunspots_yearly.csv"))):
        n = len(y)
        most = int(10 * np.log10(n))
        p = order_by_aicc(y, most)
        fit = AutoReg(y, p, trend="c").fit()
        later = fit.get_prediction(n, n + 19)
        put(f"ar_{name}", np.concatenate([[p], fit.params]), "order, constant, phi")
        put(f"ar_{name}_mean", later.predicted_mean)
        # statsmodels divides by the rows, without those that the parameters used up
        wider = np.sqrt((n - p) / (n - p - p - 1))
        put(f"ar_{name}_sd", later.se_mean * wider)
        pacf = pacf_burg(y, nlags=most, demean=True)[0]
        variance = np.var(y) * np.concatenate([[1.0], np.cumprod(1 - pacf[1:] ** 2)])  # R's var.method = 1
        k = np.arange(most + 1) + 2
        p = int(np.argmin(n * np.log(variance) + 2 * k + 2 * k * (k + 1) / (n - k - 1)))
        rho, sigma2 = burg(y, p, demean=True)[0], variance[p]
        put(f"burg_{name}", np.concatenate([[p, sigma2], rho]), "order, variance, phi")


# ---- ARIMA ---------------------------------------------------------------------------------------------------------


def arima_case(name, y, order, seasonal, constant, starts=1):
    """Orders, parameters, log likelihood of the differenced rows, forecasts and their deviations."""
    (p, d, q), (sp, sd, sq, m) = order, seasonal
    trend = "c" if constant else None
    options = {"order": order, "seasonal_order": seasonal if m > 1 else (0, 0, 0, 0), "trend": trend}
    model = SARIMAX(y, simple_differencing=True, **options)
    fit = model.fit(disp=0, maxiter=500, method="lbfgs", pgtol=1e-9, factr=10)
    fit = model.fit(fit.params, disp=0, maxiter=2000, method="nm", xtol=1e-8, ftol=1e-10)
    theta = dict(zip(model.param_names, fit.params))
    phi = [theta[f"ar.L{k + 1}"] for k in range(p)]
    sphi = [theta[f"ar.S.L{m * (k + 1)}"] for k in range(sp)]
    mean = theta.get("intercept", 0.0) / (1 - sum(phi)) / (1 - sum(sphi))
    put(
        f"arima_{name}",
        [p, d, q, sp, sd, sq, m, int(constant)]
        + phi
        + [theta[f"ma.L{k + 1}"] for k in range(q)]
        + sphi
        + [theta[f"ma.S.L{m * (k + 1)}"] for k in range(sq)]
        + [mean, theta["sigma2"], fit.llf],
        f"{order}{seasonal}: orders, constant, phi, theta, Phi, Theta, mean, variance, log likelihood",
    )
    later = SARIMAX(y, use_exact_diffuse=True, **options).smooth(fit.params).get_forecast(24)
    put(f"arima_{name}_mean", later.predicted_mean)
    put(f"arima_{name}_sd", later.se_mean)


def arima():
    air = np.log(dataset("air_passengers.csv"))
    lynx = np.log(dataset("lynx.csv"))
    spots = dataset("sunspots_yearly.csv")
    nile = dataset("nile.csv")
    arima_case("airline", air, (0, 1, 1), (0, 1, 1, 12), False)
    arima_case("air_long", air, (2, 1, 1), (1, 1, 1, 12), False)
    arima_case("air_level", air, (1, 0, 1), (1, 1, 0, 12), True)
    arima_case("lynx", lynx, (2, 0, 2), (0, 0, 0, 1), True)
    arima_case("spots", spots, (3, 0, 1), (0, 0, 0, 1), True)
    arima_case("nile", nile, (1, 1, 1), (0, 0, 0, 1), True)
    arima_case("twice", np.cumsum(nile), (1, 2, 1), (0, 0, 0, 1), False)
    gaps = lynx.copy()
    gaps[[5, 30, 31, 32, 70, 100]] = np.nan
    arima_case("gaps", gaps, (2, 0, 1), (0, 0, 0, 1), True)


# ---- structural models -----------------------------------------------------------------------------------------------


def structural_case(name, y, level, season):
    """Variances, diffuse log likelihood, smoothed level (and season), forecasts and their deviations."""
    model = UnobservedComponents(y, level=level, seasonal=season, use_exact_diffuse=True)
    model.ssm.loglikelihood_burn = 0
    scale = np.var(np.diff(y[~np.isnan(y)]))
    fits = []
    for shares in ((0.5, 0.3, 0.03, 0.1), (0.1, 0.6, 0.1, 0.3), (0.7, 0.1, 0.005, 0.02)):
        start = dict(zip(("sigma2.irregular", "sigma2.level", "sigma2.trend", "sigma2.seasonal"), shares))
        start = [start[p] * scale for p in model.param_names]
        fit = model.fit(start, disp=0, method="lbfgs", maxiter=1000)
        fits.append(model.fit(fit.params, disp=0, method="nm", maxiter=4000, xtol=1e-9, ftol=1e-11))
    fit = max(fits, key=lambda f: f.llf)
    later = fit.get_forecast(24)
    theta = dict(zip(model.param_names, fit.params))
    names = ("sigma2.irregular", "sigma2.level", "sigma2.trend", "sigma2.seasonal")
    put(
        f"structural_{name}",
        [theta.get(n, 0.0) for n in names] + [fit.llf],
        "variances of irregular, level, slope, season; log likelihood",
    )
    put(f"structural_{name}_level", fit.smoothed_state[0][:: max(1, len(y) // 40)], "every n / 40 th row")
    put(f"structural_{name}_last", fit.smoothed_state[-1 if season else 0][:: max(1, len(y) // 40)], "last state")
    # exact smoothed variances: the filter must not be taken for still while it is
    model.ssm.tolerance = 0
    exact = model.smooth(fit.params)
    signal = [1.0] + [0.0] * (exact.smoothed_state.shape[0] - 1)
    if season:
        signal[2 if "trend" in level else 1] = 1.0
    errors = [np.sqrt(np.maximum(0, np.einsum("i,ijt,j->t", z, exact.smoothed_state_cov, z)))
              for z in (np.array(signal), *np.eye(len(signal))[: 3 if season else 2 if "trend" in level else 1])]
    put(f"structural_{name}_errors", np.array(errors)[:, :: max(1, len(y) // 40)],
        "standard errors of signal, level, slope, season, at the same rows")
    put(f"structural_{name}_mean", later.predicted_mean)
    put(f"structural_{name}_sd", later.se_mean)


def structural():
    air = np.log(dataset("air_passengers.csv"))
    nile = dataset("nile.csv")
    structural_case("nile", nile, "local level", None)
    structural_case("trend", air, "local linear trend", None)
    structural_case("air", air, "local linear trend", 12)
    gaps = nile.copy()
    gaps[[0, 1, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 70, 99]] = np.nan
    structural_case("gaps", gaps, "local linear trend", None)


# ---- volatility ------------------------------------------------------------------------------------------------------


def garch():
    draw = np.random.default_rng(4)
    r, v, e = [], 1.0, 0.0
    for _ in range(1000):
        v = 0.05 + 0.12 * e * e + 0.83 * v
        e = np.sqrt(v) * draw.standard_normal()
        r.append(0.1 + e)
    r = on_grid(r)
    put("garch_r", r, "returns")
    fit = arch_model(r, mean="Constant", vol="GARCH", p=1, q=1, rescale=False).fit(disp="off", tol=1e-12)
    put("garch_fit", np.concatenate([fit.params, [fit.loglikelihood]]), "mean, omega, alpha, beta; log likelihood")
    put("garch_variance", fit.forecast(horizon=10).variance.values[-1])


def main():
    stl()
    ar()
    arima()
    structural()
    garch()
    versions = f"NumPy {np.__version__}, statsmodels {statsmodels.__version__}"
    with open(TARGET, "w") as out:
        out.write(
            "/*\n * Golden values of decompositions and of the models of autoregression, state spaces and volatility:\n"
            f" * made by tools/golden_arima.py with {versions}. Do not edit.\n */\n"
            "// clang-format off\n#ifndef NORN_TESTS_GOLDEN_ARIMA_H\n#define NORN_TESTS_GOLDEN_ARIMA_H\n\n"
            "#include <math.h>\n\n" + "\n".join(LINES) + "\n#endif\n"
        )


if __name__ == "__main__":
    main()
