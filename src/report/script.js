/*
 * The script of a report: reads the data out of the page and draws it. Charts over time are dygraphs, the rest
 * is SVG. All text is put in as text nodes, never as markup: names come from files of strangers. Numbers are
 * written as the sentences write them (src/report/text.c).
 */
(function () {
"use strict";
var D = JSON.parse(document.getElementById("report-data").textContent);
var M = D.models.length, K = D.settings.folds, H = D.settings.horizon;
var byInfo = D.metrics.find(function (m) { return m.word === D.by; });
var by = byInfo.title;
var rival = D.beat !== null && D.beat !== D.best ? D.beat : D.next;
/* Legends are ours: those of dygraphs write markup and styles, which the page's policy forbids. */
Dygraph.PLUGINS = [Dygraph.Plugins.Grid, Dygraph.Plugins.Axes];
var LEGEND = 7; /* models in a drawing of all */
var charts = []; /* functions that draw anew in the colours of now */
var papers = []; /* and that fit a chart to the width of paper */

/* ---- making elements ---- */

function make(where, tag, attributes, children) {
    var node = where ? document.createElementNS(where, tag) : document.createElement(tag);
    for (var name in attributes || {})
        if (attributes[name] !== null && attributes[name] !== undefined) node.setAttribute(name, attributes[name]);
    [].concat(children === undefined ? [] : children).forEach(function (child) {
        if (child === null || child === undefined) return;
        node.appendChild(child.nodeType ? child : document.createTextNode(String(child)));
    });
    return node;
}
function el(tag, attributes, children) { return make(null, tag, attributes, children); }
function svg(tag, attributes, children) { return make("http://www.w3.org/2000/svg", tag, attributes, children); }
function color(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }

/* ---- numbers ---- */

/* A sign stays with its number at the end of a line. */
function tidy(text) { return text.replace(/(\d) %/g, "$1\u00a0%").replace(/p ([<=]) /g, "p\u00a0$1\u00a0"); }

function grouped(text) {
    var parts = text.split(".");
    parts[0] = parts[0].replace(/\B(?=(\d{3})+$)/g, ",");
    return parts.join(".");
}
function unsigned(text) { return /^-[0.]*$/.test(text) ? text.slice(1) : text; } /* no -0.0 */
function exponent(value) { return value.toExponential(3).replace(/e([+-])(\d)$/, "e$10$2"); }
function number(value) {
    if (value === null || value === undefined || !isFinite(value)) return "-";
    var size = Math.abs(value);
    if (size >= 1e9 || (size > 0 && size < 1e-3)) return exponent(value);
    return unsigned(grouped(value.toFixed(size >= 1000 ? 0 : size >= 100 ? 1 : size >= 10 ? 2 : size >= 1 ? 3 : 4)));
}
function count(value) { return grouped(String(value)); }
function percent(share) {
    if (share === null || share === undefined || !isFinite(share)) return "-";
    return Math.abs(share) >= 1e6 ? exponent(100 * share) + " %" : unsigned((100 * share).toFixed(1)) + " %";
}
function chance(p) { return p === null ? "-" : p < 0.001 ? "p < 0.001" : "p = " + p.toFixed(3); }
function plural(n, word) { return count(n) + " " + word + (n === 1 || word === "series" ? "" : "s"); }

function two(n) { return (n < 10 ? "0" : "") + n; }
function when(x) { /* what stands on the time axis, as text */
    if (D.integers) return String(x);
    var d = new Date(+x);
    var day = d.getUTCFullYear() + "-" + two(d.getUTCMonth() + 1) + "-" + two(d.getUTCDate());
    if (!D.clock) return day;
    return day + " " + two(d.getUTCHours()) + ":" + two(d.getUTCMinutes()) +
        (d.getUTCSeconds() ? ":" + two(d.getUTCSeconds()) : "");
}

/* ---- names and colours of models ---- */

function name(m) { return D.models[m]; }
function spoken(m) {
    return !D.simple[m] ? name(m) : /season/i.test(name(m)) ? "the seasonal naive forecast" :
        /2/.test(name(m)) ? name(m) : "the naive forecast";
}
function ink(m) {
    if (m === D.best) return "best";
    if (m === rival) return "beat";
    var others = D.order.filter(function (o) { return o !== D.best && o !== rival; });
    return "other" + (1 + others.indexOf(m) % 6);
}

/* ---- tables ---- */

/* columns: {title, key(row) to sort by, cell(row) text, node or [text, sub], text: left, hint} */
function table(columns, rows, options) {
    options = options || {};
    var body = el("tbody"), heads = [], drawn = rows.slice();
    function fill() {
        body.textContent = "";
        drawn.forEach(function (row) {
            var line = el("tr", { "class": options.mark && options.mark(row) ? "best" : null });
            columns.forEach(function (c, i) {
                var cell = c.cell(row);
                line.appendChild(i === 0 ? el("th", { scope: "row" }, cell) : el("td", { "class": c.text ? "text" : null }, cell));
            });
            body.appendChild(line);
        });
    }
    columns.forEach(function (c, i) {
        var head = el("th", { scope: "col", "class": c.text || i === 0 ? "text" : null, title: c.hint });
        if (!c.key) {
            head.appendChild(document.createTextNode(c.title));
        } else {
            var button = el("button", { type: "button" }, c.title);
            button.addEventListener("click", function () {
                var up = head.getAttribute("aria-sort") !== "ascending";
                heads.forEach(function (h) { h.removeAttribute("aria-sort"); });
                head.setAttribute("aria-sort", up ? "ascending" : "descending");
                drawn.sort(function (a, b) {
                    var x = c.key(a), y = c.key(b);
                    if (x === null || y === null) return (x === null) - (y === null); /* nothing comes last */
                    return (x < y ? -1 : x > y ? 1 : 0) * (up ? 1 : -1);
                });
                fill();
            });
            head.appendChild(button);
        }
        heads.push(head);
    });
    fill();
    return el("div", { "class": "scroll" + (options.tall ? " tall" : ""), tabindex: "0", role: "region", "aria-label": options.caption || "Table" },
        el("table", {}, [options.caption ? el("caption", {}, options.caption) : null,
            el("thead", {}, el("tr", {}, heads)), body]));
}
function words(rows) {
    return el("table", { "class": "words" }, el("tbody", {}, rows.map(function (r) {
        return el("tr", {}, [el("th", { scope: "row" }, r[0]), el("td", {}, r[1])]);
    })));
}
function folded(title, inside) { return el("details", {}, [el("summary", {}, title), inside]); }
/* Figures of all models along one axis. */
function along(head, labels, values, caption) {
    return table([{ title: head, key: function (i) { return i; }, cell: function (i) { return labels[i]; } }].concat(D.order.map(function (m) {
        return { title: name(m), key: function (i) { return values[m][i]; }, cell: function (i) { return number(values[m][i]); } };
    })), labels.map(function (_, i) { return i; }), { tall: true, caption: caption });
}

/* ---- SVG charts ---- */

function ticks(low, high, wanted) {
    var span = high - low || Math.abs(high) || 1, unit = Math.pow(10, Math.floor(Math.log10(span / wanted)));
    [1, 2, 5, 10].some(function (f) { if (span / (unit * f) <= wanted) { unit *= f; return true; } return false; });
    var out = [];
    for (var i = Math.ceil(low / unit - 1e-9); i * unit <= high + unit * 1e-9; i++) out.push(+(i * unit).toPrecision(12));
    return out;
}
function tickText(value) {
    var size = Math.abs(value);
    return size >= 1e6 || (size > 0 && size < 1e-3) ? value.toExponential() : grouped(String(+value.toPrecision(6)));
}
function range(list, zero) {
    var low = zero ? 0 : Infinity, high = zero ? 0 : -Infinity;
    list.forEach(function (values) { values.forEach(function (v) { if (v !== null && isFinite(v)) { low = Math.min(low, v); high = Math.max(high, v); } }); });
    if (!(low < high)) { low = isFinite(low) ? low - 1 : 0; high = low + 2; }
    return [low, high];
}

/* Axes and a grid; returns where things go. */
function frame(options) {
    var W = options.width || 520, T = options.height || 230, left = 52, right = 12, top = 8, bottom = options.xTitle ? 38 : 24;
    var root = svg("svg", { viewBox: "0 0 " + W + " " + T, role: "img", "aria-label": options.label });
    var x = function (v) { return left + (v - options.x[0]) / (options.x[1] - options.x[0]) * (W - left - right); };
    var y = function (v) { return T - bottom - (v - options.y[0]) / (options.y[1] - options.y[0]) * (T - top - bottom); };
    ticks(options.y[0], options.y[1], 5).forEach(function (v) {
        root.appendChild(svg("line", { x1: left, x2: W - right, y1: y(v), y2: y(v), "class": "grid" }));
        root.appendChild(svg("text", { x: left - 7, y: y(v) + 4, "text-anchor": "end" }, tickText(v)));
    });
    (options.xTicks || ticks(options.x[0], options.x[1], 8).map(function (v) { return [v, tickText(v)]; })).forEach(function (t) {
        root.appendChild(svg("text", { x: x(t[0]), y: T - bottom + 16, "text-anchor": "middle" }, t[1]));
    });
    root.appendChild(svg("line", { x1: left, x2: W - right, y1: y(Math.max(0, options.y[0])), y2: y(Math.max(0, options.y[0])), "class": "axis" }));
    if (options.xTitle) root.appendChild(svg("text", { x: (left + W - right) / 2, y: T - 3, "text-anchor": "middle" }, options.xTitle));
    return { root: root, x: x, y: y, left: left, right: W - right, top: top, bottom: T - bottom };
}
function path(f, xs, ys) {
    var out = "", pen = false;
    ys.forEach(function (v, i) {
        if (v === null || !isFinite(v)) { pen = false; return; }
        out += (pen ? "L" : "M") + f.x(xs[i]).toFixed(1) + " " + f.y(v).toFixed(1);
        pen = true;
    });
    return out;
}
/* A line a model over 1 .. n, the best and its rival on top. */
function lines(values, xs, options) {
    var main = [values[D.best]].concat(rival === null ? [] : [values[rival]]), shown = D.order.slice(0, LEGEND);
    var y = range(shown.map(function (m) { return values[m]; }), true), most = 3 * range(main, true)[1];
    if (y[1] > most) y[1] = most; /* a hopeless model would press the others flat */
    values = values.map(function (list) { return list.map(function (v) { return v > y[1] ? null : v; }); });
    var f = frame(Object.assign({ x: [xs[0], xs[xs.length - 1] > xs[0] ? xs[xs.length - 1] : xs[0] + 1], y: y }, options));
    shown.reverse().sort(function (a, b) { return (a === rival) - (b === rival) || (a === D.best) - (b === D.best); }).forEach(function (m) {
        var main = m === D.best || m === rival;
        var d = path(f, xs, values[m]);
        if (!d) return;
        var line = svg("path", { d: d, fill: "none", "stroke-linejoin": "round", "stroke-width": m === D.best ? 2.6 : main ? 2 : 1.2, "stroke-opacity": main ? 1 : .55 }, svg("title", {}, name(m)));
        painted(line, "stroke", ink(m));
        f.root.appendChild(line);
        if (xs.length === 1) { var dot = svg("circle", { cx: f.x(xs[0]), cy: f.y(values[m][0]), r: 4 }); painted(dot, "fill", ink(m)); f.root.appendChild(dot); }
    });
    return f.root;
}
function painted(node, attribute, ink) { node.setAttribute(attribute, "var(--" + ink + ")"); return node; }
function key(models) {
    return el("div", { "class": "legend" }, models.map(function (m) {
        return el("span", {}, [swatch(ink(m)), name(m)]);
    }));
}
function swatch(ink) {
    var s = el("span", { "class": "swatch" });
    s.style.background = "var(--" + ink + ")";
    return s;
}
/* Bars of one or two models by class. */
function bars(labels, values, options) {
    var models = values.map(function (v) { return v.model; });
    var f = frame(Object.assign({ x: [0, labels.length], y: range(values.map(function (v) { return v.e; }), true),
        xTicks: labels.map(function (l, i) { return labels.length > 16 && i % 3 ? null : [i + .5, l]; }).filter(Boolean) }, options));
    var each = .72 / values.length;
    values.forEach(function (v, n) {
        v.e.forEach(function (e, i) {
            if (e === null) return;
            var from = f.x(i + .14 + n * each), y = f.y(Math.max(e, 0));
            f.root.appendChild(painted(svg("rect", { x: from.toFixed(1), y: y.toFixed(1), width: Math.max(1, f.x(each) - f.x(0) - 1).toFixed(1), height: Math.max(0, f.y(0) - y).toFixed(1), rx: 1.5 },
                svg("title", {}, labels[i] + (v.model === null ? "" : ", " + name(v.model)) + ": " + number(e))), "fill", v.ink || ink(models[n])));
        });
    });
    return f.root;
}

/* ---- charts over time ---- */

/* [t0, step, times, ...] and [start value, ...] as the data have them */
function timesOf(packed) {
    var out = packed.length ? [packed[0]] : [], now = packed[0];
    for (var i = 1; i + 1 < packed.length; i += 2)
        for (var n = 0; n < packed[i + 1]; n++) out.push(now += packed[i]);
    return out;
}

/*
 * lines: {name, ink, width, dash, band: {lo, hi}, y}; rows: x. Returns {node, graph(), set(x, lines, marks)}.
 * marks: places of upright rules. Labels within dygraphs are numbers, since it writes them as markup.
 */
function timeChart(label, options) {
    options = options || {};
    var holder = el("div", { "class": "chart" + (options.low ? " low" : ""), role: "img", "aria-label": label });
    holder.style.height = options.height || "";
    var legend = el("div", { "class": "legend" }), graph = null, last = null, values = [];
    function draw() {
        if (!last) return;
        var banded = last.lines.some(function (l) { return l.band; });
        var rows = last.x.map(function (x, i) {
            return [D.integers ? x : new Date(x)].concat(last.lines.map(function (l) {
                var v = l.y[i];
                if (!banded) return v;
                if (v === null || v !== v) return [v, v, v];
                if (!l.band || l.band.lo[i] === null || l.band.hi[i] === null) return [v, v, v];
                return [l.band.lo[i], v, l.band.hi[i]];
            }));
        });
        if (!rows.length) return;
        var series = {};
        last.lines.forEach(function (l, i) {
            series["s" + i] = { color: color(l.ink), strokeWidth: l.width || 1.4, strokePattern: l.dash || null };
        });
        if (graph) graph.destroy();
        graph = new Dygraph(holder, rows, {
            labels: ["x"].concat(last.lines.map(function (_, i) { return "s" + i; })), series: series,
            customBars: banded, fillAlpha: .16, connectSeparatedPoints: true, legend: "never", labelsUTC: true,
            gridLineColor: color("line"), axisLineColor: color("faint"), axisLineWidth: .6, gridLineWidth: .6,
            highlightCircleSize: 3, animatedZooms: false, rightGap: 8, xRangePad: 6, includeZero: !!options.zero,
            visibility: last.lines.map(function (l) { return !l.off; }), dateWindow: last.window || null,
            axes: { y: { axisLabelWidth: 56, axisLabelFormatter: tickText, axisLabelFontSize: 12, pixelsPerLabel: options.low ? 26 : 44 },
                x: { axisLabelWidth: 74, axisLabelFontSize: 12, pixelsPerLabel: 90 } },
            underlayCallback: function (canvas, area, g) {
                canvas.save();
                canvas.strokeStyle = color("faint");
                canvas.globalAlpha = .45;
                canvas.setLineDash([2, 3]);
                (last.marks || []).forEach(function (x) {
                    var at = Math.round(g.toDomXCoord(x)) + .5;
                    if (at < area.x || at > area.x + area.w) return;
                    canvas.beginPath(); canvas.moveTo(at, area.y); canvas.lineTo(at, area.y + area.h); canvas.stroke();
                });
                canvas.restore();
            },
            highlightCallback: function (_, x, points) {
                stamp.textContent = when(x);
                values.forEach(function (v) { v.textContent = ""; });
                points.forEach(function (p) { values[+p.name.slice(1)].textContent = " " + number(p.yval); });
            },
            unhighlightCallback: function () { stamp.textContent = ""; values.forEach(function (v) { v.textContent = ""; }); }
        });
        holder.setAttribute("data-drawn", "yes");
    }
    var stamp = el("span", { "class": "value" });
    function set(x, list, marks, window_) {
        var off = {};
        if (last) last.lines.forEach(function (l) { off[l.name] = l.off; });
        list.forEach(function (l) { if (off[l.name] !== undefined) l.off = off[l.name]; });
        last = { x: x, lines: list, marks: marks, window: window_ };
        legend.textContent = "";
        values = list.map(function (l, i) {
            var value = el("span", { "class": "value" });
            var button = el("button", { type: "button", "aria-pressed": l.off ? "false" : "true", title: "Show or hide" }, [swatch(l.ink), l.name, value]);
            button.addEventListener("click", function () {
                l.off = !l.off;
                button.setAttribute("aria-pressed", l.off ? "false" : "true");
                graph.setVisibility(i, !l.off);
            });
            legend.insertBefore(button, i ? legend.childNodes[last.lines[0].ink === "truth" ? 1 : 0] || null : null); /* what is drawn on top comes first */
            return value;
        });
        legend.appendChild(stamp);
        draw();
    }
    /* A canvas that is made anew or sized while the browser prepares to print comes out empty: on paper the
     * chart keeps its size and is made smaller as a whole. */
    function again(paper) {
        if (!graph) return;
        var series = {};
        last.lines.forEach(function (l, i) { series["s" + i] = { color: color(l.ink) }; });
        holder.style.zoom = "";
        holder.style.width = paper ? holder.clientWidth + "px" : "";
        holder.style.height = paper ? holder.clientHeight + "px" : options.height || "";
        if (paper) papers.push(function () { holder.style.zoom = Math.min(1, legend.clientWidth / holder.clientWidth); });
        graph.updateOptions({ series: series, gridLineColor: color("line"), axisLineColor: color("faint") });
    }
    charts.push(again);
    return { holder: holder, legend: legend, set: set, graph: function () { return graph; } };
}
/* Buttons that do what the mouse does. */
function zoomButtons(chart) {
    function move(by_, factor) {
        var g = chart.graph(), full = g.xAxisExtremes(), now = g.xAxisRange(), middle = (now[0] + now[1]) / 2, half = (now[1] - now[0]) / 2;
        middle += by_ * half;
        half = Math.min(half * factor, (full[1] - full[0]) / 2);
        middle = Math.max(full[0] + half, Math.min(full[1] - half, middle));
        g.updateOptions({ dateWindow: [middle - half, middle + half] });
    }
    return el("span", { "class": "group" }, [["\u2190", "Earlier", -.6, 1], ["\u2192", "Later", .6, 1], ["+", "Zoom in", 0, .5], ["\u2212", "Zoom out", 0, 2]].map(function (b) {
        var button = el("button", { type: "button", "aria-label": b[1], title: b[1] }, b[0]);
        button.addEventListener("click", function () { move(b[2], b[3]); });
        return button;
    }).concat(function () {
        var button = el("button", { type: "button" }, "All");
        button.addEventListener("click", function () { chart.graph().resetZoom(); });
        return button;
    }()));
}

/* Truth and forecasts of a carried series, of all folds or one, as x and lines. */
function forecastLines(s, models, fold) {
    var t = s.times || (s.times = timesOf(s.t)), x = [], truth = [], f = {}, bands = {}, marks = [], done = -1;
    var folds = s.at.map(function (_, k) { return k; }).filter(function (k) { return s.n[k] && (fold === null || k === fold); });
    var offsets = [], sum = 0;
    s.n.forEach(function (n) { offsets.push(sum); sum += n; });
    models.forEach(function (m) { f[m] = []; bands[m] = { lo: [], hi: [] }; });
    function band(m) { return s.bands.find(function (b) { return b.model === m; }); }
    function row(i, k, x_) {
        x.push(x_ === undefined ? t[i] : x_);
        truth.push(x_ !== undefined ? null : s.y[i] === null ? NaN : s.y[i]);
        models.forEach(function (m) {
            var at = D.carried.models.indexOf(m), b = band(m), here = k !== null;
            var o = here ? offsets[k] + i - s.at[k] : 0;
            f[m].push(here ? (s.f[at][o] === null ? NaN : s.f[at][o]) : NaN);
            bands[m].lo.push(here && b ? b.lo[o] : null);
            bands[m].hi.push(here && b ? b.hi[o] : null);
        });
    }
    /* where folds overlap, a row shows its latest forecast */
    var from = 0, to = t.length;
    if (fold !== null && folds.length) {
        from = Math.max(0, s.at[folds[0]] - 2 * s.n[folds[0]] - 1);
        to = Math.min(t.length, s.at[folds[0]] + s.n[folds[0]] + Math.ceil(s.n[folds[0]] / 4));
    }
    folds.forEach(function (k) { if (s.c[k] !== null) marks.push(t[s.c[k]]); });
    var owner = new Array(t.length).fill(null);
    folds.forEach(function (k) { for (var i = s.at[k]; i < s.at[k] + s.n[k]; i++) owner[i] = k; });
    for (var i = from; i < to; i++) {
        if (owner[i] !== null && done !== -1 && owner[i] !== done && i > from)
            row(i, null, t[i - 1] + (t[i] - t[i - 1]) / 2);
        row(i, owner[i]);
        done = owner[i] === null ? -1 : owner[i];
    }
    var list = [{ name: "truth", ink: "truth", y: truth, width: 1.5 }].concat(models.slice().reverse().map(function (m) {
        return { name: name(m), ink: ink(m), y: f[m], width: m === D.best ? 2 : 1.4, band: band(m) ? bands[m] : null };
    }));
    return { x: x, lines: list, marks: marks };
}
function seriesLabel(s) { return s.id + (s.standing ? " (" + s.standing + ")" : ""); }
function chooser(label, items, change) {
    var select = el("select", {}, items.map(function (text, i) { return el("option", { value: i }, text); }));
    select.addEventListener("change", function () { change(+select.value); });
    return { node: el("label", {}, [label, select]), select: select };
}

/* ---- the answer ---- */

function answer() {
    var section = document.getElementById("answer"), a = D.answer, head = document.getElementById("headline");
    section.className = a.word;
    var colon = a.headline.indexOf(": ");
    if (colon > 0 && colon < 12) head.append(el("span", { "class": "word" }, a.headline.slice(0, colon + 1)), tidy(a.headline.slice(colon + 1)));
    else head.textContent = tidy(a.headline);
    var what = document.getElementById("what"), f = D.facts;
    what.textContent = "";
    what.append(el("b", {}, D.title || "A backtest"), " \u00b7 " +
        (f.included > 1 ? plural(f.included, "series") : D.target) + " \u00b7 " + plural(K, "cutoff") + ", " + plural(H, "row") +
        " after each \u00b7 " + count(f.scored) + " rows scored");
    tiles(a);
    var list = document.getElementById("sentences");
    a.sentences.forEach(function (s) { list.append(el("p", { "data-topic": s[0] }, tidy(s[1]))); });
    first();
}
function tile(label, value, note) {
    return el("div", { "class": "tile" }, [el("div", { "class": "label" }, label), el("div", { "class": "value" }, value), el("div", { "class": "note" }, tidy(note))]);
}
function tiles(a) {
    var out = document.getElementById("tiles"), own = D.all[D.by].v[D.best];
    out.append(tile(name(D.best) + ", " + by, number(own), rival === null ? "" : number(D.all[D.by].v[rival]) + " for " + name(rival)));
    if (a.gain !== null)
        out.append(tile("Less than " + name(D.beat), tidy(percent(a.gain)), a.gainLow === null ? "by " + by :
            "95 % interval " + percent(a.gainLow) + " to " + percent(a.gainHigh)));
    if (a.gain !== null)
        out.append(tile("Could it be chance?", a.p === null ? "not tested" : a.p < .05 ? "hardly" : "quite possibly",
            a.p === null ? "too few cutoffs for a test" : chance(a.p) + ", Diebold-Mariano"));
    if (H > 1) {
        var s = D.steps[D.best];
        out.append(tile(by + " along the horizon", number(s[0]) + " \u2192 " + number(s[H - 1]), "1 row ahead \u2192 " + H + " ahead"));
    }
    if (a.worstCutoff !== null && K > 1)
        out.append(tile("At worst", number(D.cutoffs[D.best][a.worstCutoff]), by + " after " + D.cutoff.labels[a.worstCutoff]));
}
function pictured() { /* what the first chart shows: a usual series where there are many */
    var all = D.carried.series;
    return all.find(function (s) { return s.standing === "typical"; }) || all[0];
}
function first() {
    var figure = document.getElementById("first"), s = pictured(), chart = timeChart("Forecasts over truth");
    var models = [D.best].concat(rival !== null && D.carried.models.indexOf(rival) >= 0 ? [rival] : []);
    figure.append(el("figcaption", {}, "Forecasts of the " + (s.at.length === 1 ? "cutoff" : "latest cutoffs") + " over what came" + (D.carried.series.length > 1 ? ", series " + s.id + ", a usual one" : "") + ". Dotted: cutoffs."), chart.legend, chart.holder);
    var d = forecastLines(s, models, null);
    d.lines.forEach(function (l) { if (l.ink !== "best") l.band = null; });
    var shown = Math.max(1, Math.min(s.at.length, Math.ceil(170 / H)));
    var from = s.times[Math.max(0, s.at[s.at.length - shown] - Math.ceil(H / 2) - 1)], to = s.times[s.times.length - 1];
    chart.set(d.x, d.lines, d.marks, from < to ? [from, to] : null);
}

/* ---- sections ---- */

function section(id, title, lead, nodes) {
    document.getElementById("sections").append(el("section", { "class": "part", id: id, "aria-labelledby": id + "-title" },
        [el("h2", { id: id + "-title" }, title), lead ? el("p", { "class": "lead" }, lead) : null].concat(nodes)));
    document.getElementById("nav").append(el("a", { href: "#" + id }, title));
}
function figure(title, node, caption, more) {
    return el("figure", { "class": "card" }, [title ? el("h3", {}, title) : null, node, caption ? el("figcaption", {}, caption) : null, more]);
}

function leaderboard() {
    function metric(word) { return D.metrics.find(function (m) { return m.word === word; }); }
    function has(word) { return D.all[word].v.some(function (v) { return v !== null; }); }
    var columns = [{ title: "Model", key: name, cell: function (m) { return [name(m), D.simple[m] ? el("span", { "class": "sub" }, "simple forecast") : null]; } }];
    ["mae", "rmse", "smape", "mase", "bias"].filter(has).forEach(function (word) {
        var info = metric(word);
        columns.push({ title: info.title + (info.unit === "%" ? " %" : ""), hint: info.formula, key: function (m) { return D.all[word].v[m]; },
            cell: function (m) {
                var a = D.all[word];
                return [number(a.v[m]), word === D.by && a.lo[m] !== null ? el("span", { "class": "sub" }, number(a.lo[m]) + " to " + number(a.hi[m])) : null];
            } });
    });
    if (D.beat !== null) {
        var base = D.all[D.by].v[D.beat];
        columns.push({ title: "Less " + by + " than " + name(D.beat), hint: "1 - " + by + " / " + by + " of " + name(D.beat),
            key: function (m) { return D.all[D.by].v[m] === null ? null : 1 - D.all[D.by].v[m] / base; },
            cell: function (m) {
                if (m === D.beat) return "-";
                var skill = D.skill ? D.all[D.skill] : null;
                return [percent(D.all[D.by].v[m] === null ? null : 1 - D.all[D.by].v[m] / base),
                    skill && skill.lo[m] !== null ? el("span", { "class": "sub" }, percent(skill.lo[m]) + " to " + percent(skill.hi[m])) : null];
            } });
        columns.push({ title: "p against " + name(D.beat), hint: "Diebold-Mariano", key: function (m) { return D.pairs.p[m][D.beat]; },
            cell: function (m) { return chance(D.pairs.p[m][D.beat]).replace(/^p =? ?/, ""); } });
    }
    if (D.times) columns.push({ title: "Fit, s", key: function (m) { return D.times[m][0]; }, cell: function (m) { return number(D.times[m][0]); } },
        { title: "Forecast, s", key: function (m) { return D.times[m][1]; }, cell: function (m) { return number(D.times[m][1]); } });
    var nodes = [el("div", { "class": "card" }, table(columns, D.order, { mark: function (m) { return m === D.best; }, caption: "Ranked by " + by + "." +
        (D.settings.bootstrap > 0 ? " Small: 95 % intervals, " + count(D.settings.bootstrap) + " bootstrap replicates over " + (D.facts.included > 1 ? "series and " : "") + "cutoffs." : "") }))];
    if (D.answer.gain !== null) {
        var w = D.answer.wins, of = [["steps", "steps of the horizon"], ["cutoffs", "cutoffs"], ["series", "series"]].filter(function (r) { return w[r[0]][1] > (r[0] === "cutoffs" ? 0 : 1); });
        nodes.push(el("div", { "class": "card" }, table([{ title: "Where " + name(D.best) + " is better than " + name(D.beat), cell: function (r) { return r[1]; } },
            { title: "better", cell: function (r) { return count(w[r[0]][0]); } }, { title: "of", cell: function (r) { return count(w[r[0]][1]); } },
            { title: "share", cell: function (r) { return percent(w[r[0]][0] / w[r[0]][1]); } }], of)));
    }
    if (D.coverage.length)
        nodes.push(el("div", { "class": "card" }, table([{ title: "Band", cell: function (c) { return name(c.model); } },
            { title: "promised", key: function (c) { return c.level; }, cell: function (c) { return c.level + " %"; } },
            { title: "held", key: function (c) { return c.held; }, cell: function (c) { return percent(c.held); } },
            { title: "mean width", key: function (c) { return c.width; }, cell: function (c) { return number(c.width); } },
            { title: "rows", cell: function (c) { return count(c.rows); } }], D.coverage, { caption: "Bands: how often the truth lay within" })));
    var rest = D.metrics.filter(function (m) { return has(m.word); });
    nodes.push(folded("Every metric", table([{ title: "Metric", text: true, cell: function (i) { return [i.title + (i.unit === "%" ? ", %" : ""), el("span", { "class": "sub" }, i.formula)]; } }].concat(D.order.map(function (m) {
        return { title: name(m), cell: function (i) {
            var u = D.all[i.word].u[m];
            return [number(D.all[i.word].v[m]), u ? el("span", { "class": "sub" }, count(u) + " undefined") : null];
        } };
    })), rest)));
    section("models", "Models", D.beat === null ? "Ranked by " + by + ". The file has no simple forecast (Naive, SeasonalNaive) to compare with." :
        "Ranked by " + by + (D.facts.included > 1 ? ", which weighs series alike" : "") + ". The one to beat is " + spoken(D.beat) + ": it costs nothing.", nodes);
}

function forecasts() {
    var chart = timeChart("Forecasts and truth by cutoff"), c = D.carried, state = { s: c.series.indexOf(pictured()), k: null };
    function show() {
        var s = c.series[state.s];
        var fold = state.k === null ? null : Math.min(state.k, s.at.length - 1);
        var d = forecastLines(s, c.models, fold);
        d.lines.forEach(function (l) { if (c.models.length > 3 && [name(D.best), name(rival), "truth"].indexOf(l.name) < 0) l.off = true; });
        chart.set(d.x, d.lines, d.marks);
    }
    var pickSeries = chooser("Series", c.series.map(seriesLabel), function (i) { state.s = i; show(); });
    pickSeries.select.id = "choose-series";
    pickSeries.select.value = state.s;
    var labels = ["all together"].concat(D.cutoff.labels.slice(c.firstFold));
    var pickFold = chooser("Cutoff", labels, function (i) { state.k = i ? i - 1 : null; show(); });
    pickFold.select.id = "choose-cutoff";
    var left = [];
    if (c.series.length < D.facts.included) left.push("The page carries " + c.series.length + " of " + count(D.facts.included) + " series: those with the largest, the middle and the smallest errors of " + name(D.best) + ".");
    if (c.models.length < M) left.push("Forecasts row by row are those of " + c.models.length + " of " + M + " models.");
    if (c.firstFold) left.push("Cutoffs before " + D.cutoff.labels[c.firstFold] + " are left out.");
    if (left.length) left.push(D.forecasts ? "All forecasts are in " + D.forecasts + "." : "norn backtest -o FILE keeps them all.");
    section("forecasts", "Forecasts", ["Every forecast over what came. ", el("span", { "class": "screen" }, "Drag to zoom, double-click to go back, shift and drag to move; a name in the legend shows or hides it.")],
        [figure(null, el("div", {}, [el("div", { "class": "tools" }, [c.series.length > 1 ? pickSeries.node : null, pickFold.node, zoomButtons(chart)]), chart.legend, chart.holder]),
            (D.settings.step < H ? "Where cutoffs overlap, a row shows its latest forecast; choose a cutoff to see one whole. " : "") + left.join(" "))]);
    show();
}

function errors() {
    var nodes = [], shown = D.order.slice(0, LEGEND), steps = [];
    for (var j = 1; j <= H; j++) steps.push(j);
    var stepLines = figure(by + " by step of the horizon", el("div", {}, [key(shown), lines(D.steps, steps, { label: by + " by step of the horizon", xTitle: "rows after the cutoff" })]), null,
        folded("Numbers", along("Row after the cutoff", steps, D.steps)));
    var chart = null, cutoffBody;
    if (D.cutoff.times && K > 2) {
        chart = timeChart(by + " by cutoff", { zero: true, height: "255px" });
        cutoffBody = el("div", {}, [chart.legend, chart.holder]);
    } else {
        cutoffBody = el("div", {}, [key(shown), lines(D.cutoffs, D.cutoff.labels.map(function (_, i) { return i + 1; }), { label: by + " by cutoff", xTitle: "cutoff, the oldest first" })]);
    }
    nodes.push(el("div", { "class": "pair" }, [stepLines, figure(by + " by cutoff", cutoffBody, null, folded("Numbers", along("After", D.cutoff.labels, D.cutoffs)))]));
    var S = D.series;
    if (S.of > 1) {
        var all = S.ids.map(function (_, i) { return i; }), scored = all.filter(function (i) { return S.e[0][i] !== null; });
        var columns = [{ title: "Series", key: function (i) { return S.ids[i]; }, cell: function (i) { return S.ids[i]; } }].concat(S.models.map(function (m, n) {
            return { title: by + " of " + name(m), key: function (i) { return S.e[n][i]; }, cell: function (i) { return number(S.e[n][i]); } };
        }), [{ title: "rows", key: function (i) { return S.rows[i]; }, cell: function (i) { return count(S.rows[i]); } }]);
        var n = Math.min(8, Math.ceil(scored.length / 2));
        nodes.push(el("div", { "class": "pair" }, [el("div", { "class": "card" }, table(columns, scored.slice(0, n), { caption: "The worst " + n })),
            el("div", { "class": "card" }, table(columns, scored.slice(-n).reverse(), { caption: "The best " + n }))]));
        nodes.push(folded(S.ids.length < S.of ? "The " + count(S.ids.length) + " series at both ends of " + count(S.of) : "All " + count(S.of) + " series", table(columns, all, { tall: true })));
    }
    var titles = { hour: "By hour of the day", weekday: "By weekday", month: "By month" }, calendar = D.calendar.map(function (c) {
        var models = [D.best].concat(rival === null ? [] : [rival]);
        return figure(titles[c.kind], el("div", {}, [key(models), bars(c.labels, models.map(function (m) { return { model: m, e: c.e[m] }; }), { label: by + " " + titles[c.kind].toLowerCase(), height: 200 })]), null,
            folded("Numbers", along(c.kind, c.labels, c.e)));
    });
    for (var i = 0; i < calendar.length; i += 2) nodes.push(calendar[i + 1] ? el("div", { "class": "pair" }, calendar.slice(i, i + 2)) : calendar[i]);
    section("errors", "Where it errs", "Mean error of the rows of a kind" + (D.facts.included > 1 ? ", each series over its own scale" : "") + ".", nodes);
    if (chart) chart.set(D.cutoff.times, D.order.slice().reverse().map(function (m) { return { name: name(m), ink: ink(m), y: D.cutoffs[m], width: m === D.best ? 2.4 : 1.3, off: M > 4 && m !== D.best && m !== rival }; }), []);
}

/* Quantile of the normal distribution: Acklam's rational approximation, 1e-9 relative. */
function normalQuantile(p) {
    var a = [-39.69683028665376, 220.9460984245205, -275.9285104469687, 138.357751867269, -30.66479806614716, 2.506628277459239],
        b = [-54.47609879822406, 161.5858368580409, -155.6989798598866, 66.80131188771972, -13.28068155288572],
        c = [-.007784894002430293, -.3223964580411365, -2.400758277161838, -2.549732539343734, 4.374664141464968, 2.938163982698783],
        d = [.007784695709041462, .3224671290700398, 2.445134137142996, 3.754408661907416], q, r;
    if (p > .97575) return -normalQuantile(1 - p);
    if (p < .02425) {
        q = Math.sqrt(-2 * Math.log(p));
        return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) / ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    }
    q = p - .5; r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q / (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

function residuals() {
    var over = timeChart("Errors over time", { low: true }), stats = el("div");
    var acf = el("div"), histogram = el("div"), normal = el("div"), s = pictured();
    function show(m) {
        var r = D.residuals[m];
        stats.textContent = "";
        stats.append(words([["rows", count(r.rows) + (D.settings.step < H ? ", each by its latest forecast" : "")], ["mean", number(r.mean)], ["deviation", number(r.deviation)], ["skewness", number(r.skewness)], ["excess kurtosis", number(r.kurtosis)]].concat(
            r.p !== null ? [["Ljung-Box", number(r.box) + " over " + r.acf.length + " lags, " + chance(r.p)]] : r.tested ? [["Ljung-Box", "not white in " + count(r.notWhite) + " of " + plural(r.tested, "series") + " (p < 0.05)"]] : [])),
            el("figcaption", {}, r.p === null && !r.tested ? "Too few rows for the Ljung-Box test." : (r.p !== null ? (r.p < .05 ? "Something is left to be learnt." : "What is left looks like noise.") : "") +
                (H > 1 ? " Errors of a horizon above 1 are never white." : "")));
        var at = D.carried.models.indexOf(m), list = forecastLines(s, at < 0 ? [D.best] : [m], null);
        var f = list.lines[list.lines.length - 1];
        over.set(list.x, [{ name: "truth - forecast of " + f.name, ink: at < 0 ? "best" : ink(m), width: 1.2, y: f.y.map(function (v, i) {
            return v === null || list.lines[0].y[i] === null || v !== v ? NaN : list.lines[0].y[i] - v;
        }) }], list.marks, list.marks.length ? [list.marks[0], list.x[list.x.length - 1]] : null);
        acf.textContent = histogram.textContent = normal.textContent = "";
        if (r.acf.length) {
            var limit = 1.96 / Math.sqrt(r.rows), lags = r.acf.map(function (_, i) { return i + 1; });
            var fr = frame({ x: [0, lags.length + 1], y: [Math.min(-1.1 * limit, Math.min.apply(null, r.acf)), Math.max(.4, 1.1 * limit, Math.max.apply(null, r.acf))], label: "Autocorrelation of the errors", xTitle: "lag, rows" });
            [limit, -limit].forEach(function (v) { fr.root.appendChild(svg("line", { x1: fr.left, x2: fr.right, y1: fr.y(v), y2: fr.y(v), "class": "axis", "stroke-dasharray": "3 3" })); });
            r.acf.forEach(function (v, i) { fr.root.appendChild(painted(svg("line", { x1: fr.x(i + 1), x2: fr.x(i + 1), y1: fr.y(0), y2: fr.y(v), "stroke-width": Math.max(1.5, Math.min(6, 300 / lags.length)) }, svg("title", {}, "lag " + (i + 1) + ": " + number(v))), "stroke", ink(m))); });
            acf.append(fr.root);
        } else acf.append(el("p", { "class": "note" }, "Too few rows."));
        if (r.histogram) {
            var h = r.histogram, wide = (h.high - h.low) / h.n.length;
            var hf = frame({ x: [h.low, h.high], y: range([h.n], true), label: "Histogram of the errors", xTitle: "truth - forecast" + (D.facts.included > 1 ? ", in scales of MASE" : "") });
            h.n.forEach(function (n, i) { hf.root.appendChild(painted(svg("rect", { x: hf.x(h.low + i * wide) + .5, width: Math.max(.5, hf.x(h.low + wide) - hf.x(h.low) - 1), y: hf.y(n), height: hf.y(0) - hf.y(n), "fill-opacity": .8 }, svg("title", {}, number(h.low + i * wide) + " to " + number(h.low + (i + 1) * wide) + ": " + count(n))), "fill", ink(m))); });
            histogram.append(hf.root);
            var q = r.quantiles, n = q.length, xs = q.map(function (_, i) { return normalQuantile((i + .5) / n); });
            var nf = frame({ x: [xs[0], xs[n - 1]], y: range([q]), label: "Errors against the normal distribution", xTitle: "quantile of the normal distribution" });
            var lo = Math.floor(n / 4), hi = n - 1 - lo, slope = (q[hi] - q[lo]) / (xs[hi] - xs[lo]);
            var at = function (v) { return Math.max(xs[0], Math.min(xs[n - 1], xs[lo] + (v - q[lo]) / slope)); }, ends = slope > 0 ? [at(q[0]), at(q[n - 1])] : [xs[0], xs[0]];
            nf.root.appendChild(svg("path", { d: path(nf, ends, ends.map(function (v) { return q[lo] + slope * (v - xs[lo]); })), "class": "axis", "stroke-dasharray": "4 3", fill: "none" }));
            q.forEach(function (v, i) { nf.root.appendChild(painted(svg("circle", { cx: nf.x(xs[i]), cy: nf.y(v), r: 2.4 }), "fill", ink(m))); });
            normal.append(nf.root);
        } else { histogram.append(el("p", { "class": "note" }, "All errors are the same.")); }
    }
    var pick = chooser("Model", D.order.map(name), function (i) { show(D.order[i]); });
    pick.select.id = "choose-residuals";
    section("residuals", "Residuals", "What is left when the forecast is taken from the truth.", [el("div", { "class": "tools" }, pick.node),
        figure("Over time" + (D.carried.series.length > 1 ? ", series " + s.id : ""), el("div", {}, [over.legend, over.holder])),
        el("div", { "class": "pair" }, [figure("Autocorrelation", acf, "Dashed: where 95 % of those of noise would lie."), figure("Histogram", histogram, "The outermost half percent are in the end bars.")]),
        el("div", { "class": "pair" }, [figure("Against the normal distribution", normal, "On the line where errors are normally distributed."), figure("In numbers", stats)])]);
    show(D.best);
}

function pairs() {
    if (M < 2) return;
    var P = D.pairs, shown = D.order.slice(0, 16), n = shown.length, cell = n > 9 ? 46 : 58, high = 30, left = 168, top = 26;
    var root = svg("svg", { viewBox: "0 0 " + (left + n * cell + 10) + " " + (top + n * high + 6), role: "img", "aria-label": "Which model is better than which, with p of the Diebold-Mariano test" });
    root.style.maxWidth = (left + n * cell + 10) + "px";
    root.style.minWidth = Math.min(left + n * cell + 10, 640) + "px";
    function cut(text, most) { return text.length > most ? text.slice(0, most - 1) + "\u2026" : text; }
    shown.forEach(function (a, i) {
        root.append(svg("text", { x: left - 8, y: top + i * high + high / 2 + 4, "text-anchor": "end", "class": "name" }, [cut(name(a), 20) + " \u00b7 " + (i + 1), svg("title", {}, name(a))]),
            svg("text", { x: left + i * cell + cell / 2, y: top - 8, "text-anchor": "middle" }, [i + 1, svg("title", {}, name(a))]));
        shown.forEach(function (b, j) {
            var p = P.p[a][b], sure = p !== null && p < .05, better = P.difference[a][b] < 0;
            var box = svg("rect", { x: left + j * cell + 1, y: top + i * high + 1, width: cell - 2, height: high - 2, rx: 3, "fill-opacity": a === b ? .25 : sure ? (p < .001 ? .75 : .45) : .14 },
                a === b ? null : svg("title", {}, name(a) + (better ? " is better than " : " is worse than ") + name(b) + ": " + (p === null ? "not tested" : chance(p))));
            painted(box, "fill", a === b ? "line" : p === null ? "line" : sure ? (better ? "good" : "bad") : "faint");
            root.append(box);
            if (a !== b) root.append(svg("text", { x: left + j * cell + cell / 2, y: top + i * high + high / 2 + 4, "text-anchor": "middle", "class": "name" }, p === null ? "-" : p < .001 ? "<.001" : p.toFixed(3)));
        });
    });
    var rows = [];
    D.order.forEach(function (a, i) { D.order.slice(i + 1).forEach(function (b) { rows.push([a, b]); }); });
    section("pairs", "Is the difference real?", P.cutoffs < P.least ? "The Diebold-Mariano test takes " + P.least + " cutoffs; there are " + P.cutoffs + ". More folds give an answer." :
        "p of the Diebold-Mariano test over " + P.cutoffs + " cutoffs" + (P.lags ? ", with " + plural(P.lags, "lag") : "") + ". Green: the model of the row is better, red: it is worse, and that is more than chance (p < 0.05).",
        [el("div", { "class": "card" }, el("div", { "class": "scroll", tabindex: "0", role: "region", "aria-label": "Tests between all pairs" }, root)), folded("Numbers", table([{ title: "Better", text: true, cell: function (r) { return name(P.difference[r[0]][r[1]] <= 0 ? r[0] : r[1]); } },
            { title: "Worse", text: true, cell: function (r) { return name(P.difference[r[0]][r[1]] <= 0 ? r[1] : r[0]); } },
            { title: "Mean difference", key: function (r) { return Math.abs(P.difference[r[0]][r[1]]); }, cell: function (r) { return number(Math.abs(P.difference[r[0]][r[1]])); } },
            { title: "Statistic", cell: function (r) { return P.statistic[r[0]][r[1]] === null ? "-" : number(Math.abs(P.statistic[r[0]][r[1]])); } },
            { title: "p", key: function (r) { return P.p[r[0]][r[1]]; }, cell: function (r) { return chance(P.p[r[0]][r[1]]); } },
            { title: "Cutoffs", cell: function () { return count(P.cutoffs); } }], rows, { tall: true }))]);
}

/* Rows a fit saw, rows left out, rows forecast: a bar a cutoff. */
function splits() {
    var o = D.overview, N = o.rows, s = D.settings, W = 1080, left = 150, right = 16, folds = [];
    for (var k = 0; k < K; k++) if (o.cutoffs[k] !== null) folds.push(k);
    var shown = folds.length > 40 ? folds.filter(function (_, i) { return i % Math.ceil(folds.length / 40) === 0; }) : folds;
    var high = shown.length > 20 ? 11 : 16, T = shown.length * high + 26;
    var root = svg("svg", { viewBox: "0 0 " + W + " " + T, role: "img", "aria-label": "Training and scored rows of each cutoff" });
    var x = function (row) { return left + row / N * (W - left - right); };
    shown.forEach(function (k, i) {
        var c = o.cutoffs[k], fit = s.refit === 0 ? 0 : k - k % s.refit, seen = o.cutoffs[fit] - s.gap, y = i * high + 2;
        function bar(from, to, fill, opacity, title) {
            if (to > from) root.append(painted(svg("rect", { x: x(from).toFixed(1), y: y, width: Math.max(1, x(to) - x(from)).toFixed(1), height: high - 4, rx: 2, "fill-opacity": opacity }, svg("title", {}, title)), "fill", fill));
        }
        if (!s.saved) bar(s.trainRows ? Math.max(0, seen + 1 - s.trainRows) : 0, seen + 1, "faint", .45, "fitted on");
        bar(c + 1, Math.min(N, c + 1 + H), "best", .95, "scored");
        if (shown.length <= 20 || i % 2 === 0) root.append(svg("text", { x: left - 8, y: y + high - 6, "text-anchor": "end" }, D.cutoff.labels[k]));
    });
    root.append(svg("text", { x: left, y: T - 6 }, o.from), svg("text", { x: W - right, y: T - 6, "text-anchor": "end" }, o.to));
    return figure("Cutoffs", el("div", {}, [el("div", { "class": "legend" }, [s.saved ? null : el("span", {}, [swatch("faint"), "rows a fit saw"]), el("span", {}, [swatch("best"), "rows forecast and scored"])]), root]),
        (s.saved ? "Which rows the models were fitted on, the file does not say. " : "A fit sees " + (s.trainRows ? "the last " + plural(s.trainRows, "row") : "all rows") + " up to " + (s.gap ? plural(s.gap, "row") + " before its cutoff" : "its cutoff") + (s.refit === 0 ? "; the first fit serves all cutoffs" : s.refit > 1 ? "; a fit serves " + s.refit + " cutoffs" : "") + ". ") +
        plural(K, "cutoff") + ", " + plural(s.step, "row") + " apart, " + plural(H, "row") + " after each." + (D.facts.included > 1 ? " Drawn for series " + o.id + "." : ""));
}

function data() {
    var f = D.facts, o = D.overview, chart = timeChart("The series");
    var rows = [["rows", count(f.rows) + (f.series > 1 ? " in " + plural(f.series, "series") : "")]];
    if (f.included === 1) rows.push(["span", o.from + " to " + o.to]);
    if (f.included < f.series) rows.push(["left out", plural(f.series - f.included, "series") + " with fewer than " + plural(f.needed, "row")]);
    rows.push(["scored", plural(f.scored, "row") + (f.unscored ? ", " + count(f.unscored) + " more have no truth" : "")]);
    f.unforecast.forEach(function (n, m) { if (n) rows.push(["not forecast", name(m) + ": " + plural(n, "row")]); });
    rows.push(["missing", f.missing ? plural(f.missing, "cell") + (f.filled ? ", " + count(f.filled) + " filled" : "") : "none"]);
    rows.push(["gaps", f.gaps ? plural(f.gaps, "gap") + ", " + plural(f.absent, "row") + " absent, at most " + count(f.longestGap) + " in a row" : "none"]);
    rows.push(["duplicates", f.duplicates ? plural(f.duplicates, "row") : "none"]);
    if (f.leftOut) rows.push(["rows left out", count(f.leftOut)]);
    section("data", "Data", null, [figure(D.facts.included > 1 ? "Series " + o.id : null, el("div", {}, [chart.legend, chart.holder])),
        el("div", { "class": "pair" }, [el("div", { "class": "card" }, [el("h3", {}, "What was found"), words(rows)]),
            el("div", { "class": "card" }, [el("h3", {}, "What was decided"), words(D.decisions.map(function (d) { return [d[0], [d[1], d[2] ? el("span", { "class": "note" }, " " + d[2]) : null]]; }))])]),
        splits()]);
    chart.set(o.t, [{ name: D.facts.included > 1 ? o.id : D.target, ink: "truth", y: o.y.map(function (v) { return v === null ? NaN : v; }), width: 1.2 }], D.cutoff.times || []);
}

/* From the window through the layers to the rows forecast, with shapes and counts. */
function drawn(n) {
    var head = n.hidden * H + H, layers = [], W = 150, gap = 34, T = 108;
    layers.push(["inputs", n.window + " rows \u00d7 " + n.inputs, ""]);
    for (var l = 0; l < n.layers; l++) layers.push([n.name + (n.layers > 1 ? ", layer " + (l + 1) : ""), n.window + " \u00d7 " + n.hidden + " units", n.layers === 1 ? plural(n.parameters - head, "parameter") : ""]);
    layers.push(["linear", n.hidden + " \u2192 " + H, plural(head, "parameter")], ["forecast", plural(H, "row"), ""]);
    if (layers.length > 8) layers.splice(3, layers.length - 6, ["\u2026", (n.layers - 4) + " more layers", ""]);
    var wide = layers.length * (W + gap) - gap + 4, root = svg("svg", { viewBox: "0 0 " + wide + " " + T, role: "img", "aria-label": "The network " + n.name });
    root.style.maxWidth = wide + "px";
    root.style.minWidth = Math.min(wide, 620) + "px";
    layers.forEach(function (layer, i) {
        var x = 2 + i * (W + gap), own = i > 0 && i < layers.length - 1;
        root.append(painted(svg("rect", { x: x, y: 8, width: W, height: T - 16, rx: 8, "fill-opacity": own ? .14 : 0, "stroke-opacity": .6 }), "fill", "best"));
        painted(root.lastChild, "stroke", own ? "best" : "faint");
        root.append(svg("text", { x: x + W / 2, y: 42, "text-anchor": "middle", "class": "name" }, layer[0]), svg("text", { x: x + W / 2, y: 62, "text-anchor": "middle" }, layer[1]), svg("text", { x: x + W / 2, y: 80, "text-anchor": "middle" }, layer[2]));
        if (i) root.append(svg("path", { d: "M" + (x - gap + 4) + " " + T / 2 + "h" + (gap - 10) + "m-6 -4l6 4l-6 4", "class": "axis", fill: "none" }));
    });
    return el("div", { "class": "scroll", tabindex: "0", role: "region", "aria-label": "The network " + n.name }, root);
}
/* Losses by epoch, a line a fold: the validation loss strong, the training loss pale. */
function curves(n) {
    var all = [], longest = 2;
    n.curves.forEach(function (c) { all.push(c[1], c[2]); longest = Math.max(longest, c[1].length); });
    var sorted = [].concat.apply([], all).filter(function (v) { return v !== null; }).sort(function (a, b) { return a - b; });
    var y = range(all, true), most = 3 * sorted[Math.floor(sorted.length * .9)];
    if (y[1] > most) y[1] = most; /* the first epochs would press the others flat */
    var f = frame({ width: 1060, height: 250, x: [1, longest], y: y, label: "Training curves of " + n.name, xTitle: "epoch" });
    n.curves.forEach(function (c) {
        [[1, "beat", .35], [2, "best", .8]].forEach(function (part) {
            var d = path(f, c[part[0]].map(function (_, i) { return i + 1; }), c[part[0]].map(function (v) { return v > y[1] ? null : v; }));
            if (d) f.root.appendChild(painted(svg("path", { d: d, fill: "none", "stroke-width": 1.3, "stroke-opacity": part[2] }, svg("title", {}, "after " + D.cutoff.labels[c[0]])), "stroke", part[1]));
        });
    });
    return figure("Training curves", el("div", {}, [el("div", { "class": "legend" }, [el("span", {}, [swatch("best"), "validation loss"]), el("span", {}, [swatch("beat"), "training loss"])]), f.root]),
        "A line a fold" + (n.members > 1 ? ", of its first member" : "") + ", in scaled units.");
}
function networks() {
    if (!D.networks.length) return;
    section("networks", D.networks.length > 1 ? "Networks" : "Network", null, [].concat.apply([], D.networks.map(function (n) {
        var columns = [{ title: "After", key: function (f) { return f[0]; }, cell: function (f) { return D.cutoff.labels[f[0]]; } }].concat(n.members > 1 ? [{ title: "member", key: function (f) { return f[1]; }, cell: function (f) { return count(f[1] + 1); } }] : [], [
            { title: "windows", key: function (f) { return f[2]; }, cell: function (f) { return count(f[2]); } },
            { title: "epochs", key: function (f) { return f[3]; }, cell: function (f) { return count(f[3]); } },
            { title: "kept", hint: "the epoch whose parameters were kept", key: function (f) { return f[4]; }, cell: function (f) { return f[4] ? count(f[4]) : "diverged"; } },
            { title: "training loss", key: function (f) { return f[5]; }, cell: function (f) { return number(f[4] ? f[5] : null); } },
            { title: "validation loss", key: function (f) { return f[6]; }, cell: function (f) { return number(f[4] ? f[6] : null); } }]);
        return [figure(n.name + ", " + plural(n.parameters, "parameter"), drawn(n), n.members > 1 ? "The median of " + n.members + " differently seeded ones a fold." : null),
            n.curves.length ? curves(n) : null,
            el("div", { "class": "card" }, table(columns, n.folds, { tall: true, caption: "How each fold was trained; losses at the epoch that was kept, in scaled units" }))];
    })));
}

function glossary() {
    var terms = D.metrics.filter(function (m) { return D.all[m.word].v.some(function (v) { return v !== null; }); }).map(function (m) {
        return [m.title + (m.unit === "%" ? ", %" : ""), [el("code", {}, m.formula), m.source ? " \u2014 " + m.source : ""]];
    });
    terms.push(["cutoff", "The last row a forecast may see. The rows after it are the truth it is scored on."],
        ["95 % interval", "Bootstrap over series and cutoffs, both drawn with replacement (Owen 2007): where the figure would lie if the past had dealt its cutoffs anew."],
        ["p", "How likely a difference this large would be if both models were equally good: Diebold and Mariano 1995, corrected by Harvey, Leybourne and Newbold 1997. Below 0.05 is called more than chance."],
        ["Ljung-Box", "Whether the errors hang together over time, which a better model could use (Ljung and Box 1978)."],
        ["the forecast to beat", "The best of the simple ones: Naive (the last value), SeasonalNaive (the value one season before), Naive2 (Naive, seasonally adjusted)."]);
    section("glossary", "Glossary", "e = y - f, y the truth, f the forecast, c the cutoff, q a scale, m the season (" + plural(D.settings.season, "row") + ").", el("div", { "class": "card" },
        el("dl", {}, [].concat.apply([], terms.map(function (t) { return [el("dt", {}, t[0]), el("dd", {}, t[1])]; })))));
}
function provenance() {
    section("provenance", "Provenance", "What makes this page again, to the byte.", el("div", { "class": "card" }, words(D.provenance.map(function (p) {
        return [p[0], el("code", {}, p[1])];
    }))));
}

/* ---- all of it ---- */

answer();
[leaderboard, forecasts, errors, residuals, pairs, networks, data, glossary, provenance].forEach(function (part) { part(); });

function again(on) { charts.forEach(function (draw) { draw(on); }); }
function paper(on) {
    var root = document.documentElement;
    papers = [];
    if (on) charts.forEach(function (draw) { draw(true); }); /* widths of the screen are kept ... */
    root.classList.toggle("paper", on);
    again(on); /* ... and the colours are those of paper */
    papers.forEach(function (fit) { fit(); });
}
window.addEventListener("beforeprint", function () { paper(true); });
window.addEventListener("afterprint", function () { paper(false); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", function () { again(false); });
document.documentElement.setAttribute("data-ready", "yes");
})();
