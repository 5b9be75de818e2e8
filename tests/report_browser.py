#!/usr/bin/env python3
"""Opens reports in headless Chromium and uses them as a reader would.

    report_browser.py NORN DATASETS SCRATCH

Chromium is spoken to through its debugging pipe, so that nothing but Python's own library is needed. Exit code 0: all
holds; 1: something does not, and is said; 77: no Chromium here. Pictures of every page, light, dark, on a phone and as
paper, stay in SCRATCH.
"""
import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

NORN, DATASETS, SCRATCH = (os.path.abspath(path) for path in sys.argv[1:4])
faults = []


def check(holds, what):
    if not holds:
        faults.append(what)
        print("FAILED:", what)


# ---- the browser ------------------------------------------------------------------------------------------------


class Browser:
    """One tab of one Chromium; commands are those of the DevTools protocol."""

    def __init__(self, binary):
        self.profile = tempfile.mkdtemp(dir=SCRATCH)
        to_child, self.write = os.pipe()
        self.read, from_child = os.pipe()

        def place():  # the protocol is on 3 and 4
            os.dup2(to_child, 30)
            os.dup2(from_child, 31)
            os.dup2(30, 3)
            os.dup2(31, 4)

        self.process = subprocess.Popen(
            [binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--disable-dev-shm-usage", "--remote-debugging-pipe", "--user-data-dir=" + self.profile, "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_child)
        os.close(from_child)
        self.buffer, self.number, self.events, self.session = b"", 0, [], None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(domain + ".enable")

    def message(self):
        while b"\0" not in self.buffer:
            piece = os.read(self.read, 1 << 20)
            if not piece:
                raise RuntimeError("Chromium went away")
            self.buffer += piece
        line, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(line)

    def call(self, method, **parameters):
        self.number += 1
        request = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.write, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(method + ": " + answer["error"]["message"])
                return answer["result"]
            self.events.append(answer)
            if answer.get("method") == "Page.javascriptDialogOpening":  # a page that opens one hangs otherwise
                self.number += 1
                os.write(self.write, json.dumps({"id": self.number, "method": "Page.handleJavaScriptDialog",
                                                 "params": {"accept": True}, "sessionId": self.session}).encode() + b"\0")

    def run(self, script):
        result = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in result:
            raise RuntimeError(json.dumps(result["exceptionDetails"])[:500])
        return result["result"].get("value")

    def size(self, width, height, phone=False):
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url="file://" + path)
        for _ in range(200):
            if self.run("document.readyState === 'complete' && (document.documentElement.getAttribute('data-ready') === 'yes' "
                        "|| document.getElementById('headline') === null || performance.now() > 8000)"):
                break
            time.sleep(0.05)
        self.run("new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")

    def picture(self, name, whole=False):
        parameters = {"format": "png"}
        if whole:
            box = self.call("Page.getLayoutMetrics")["cssContentSize"]
            parameters.update(captureBeyondViewport=True, clip={"x": 0, "y": 0, "width": box["width"], "height": box["height"], "scale": 1})
        data = base64.b64decode(self.call("Page.captureScreenshot", **parameters)["data"])
        with open(os.path.join(SCRATCH, name + ".png"), "wb") as file:
            file.write(data)
        return data

    def close(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.profile, ignore_errors=True)


# ---- what must hold of every page -------------------------------------------------------------------------------

# Colours of a canvas: one that nothing was drawn on has one.
CHARTS = """Array.from(document.querySelectorAll('.chart')).map(function (chart) {
    var colours = new Set();
    chart.querySelectorAll('canvas').forEach(function (canvas) {
        if (!canvas.width || !canvas.height) return;
        var copy = document.createElement('canvas'); /* reading from the chart's own would slow it, and the console says so */
        copy.width = canvas.width;
        copy.height = canvas.height;
        var pen = copy.getContext('2d', {willReadFrequently: true});
        pen.drawImage(canvas, 0, 0);
        var pixels = pen.getImageData(0, 0, canvas.width, canvas.height).data;
        for (var i = 0; i < pixels.length; i += 4) colours.add(pixels[i] << 24 | pixels[i + 1] << 16 | pixels[i + 2] << 8 | pixels[i + 3]);
    });
    return [chart.getAttribute('aria-label'), colours.size];
})"""
DRAWINGS = """Array.from(document.querySelectorAll('svg')).map(function (svg) {
    var box = svg.getBoundingClientRect();
    return [svg.getAttribute('aria-label'), svg.querySelectorAll('path, rect, circle, line').length, box.width > 50 && box.height > 30,
            /NaN|undefined|Infinity/.test(svg.outerHTML)];
})"""
# Numbers of the first screen, and those of all tables below it.
NUMBERS = """(function () {
    function numbers(text) { return (text.replace(/\\d{4}-\\d{2}-\\d{2}( \\d{2}:\\d{2}(:\\d{2})?)?/g, ' ').match(/\\d[\\d,]*(\\.\\d+)?/g) || []).map(n => n.replace(/[,.]$/, '')); }
    var below = new Set();
    document.querySelectorAll('#sections table').forEach(t => numbers(t.textContent.replace(/(\\d)(?=[A-Za-z])/g, '$1 ')).forEach(n => below.add(n)));
    document.querySelectorAll('#sections td, #sections th').forEach(function (c) {
        var texts = Array.from(c.childNodes).map(n => n.textContent);
        texts.forEach(t => numbers(t).forEach(n => below.add(n)));
    });
    document.querySelectorAll('#sections figcaption, #sections .lead').forEach(t => numbers(t.textContent).forEach(n => below.add(n)));
    var names = Array.from(document.querySelectorAll('#models tbody th')).map(t => t.firstChild.textContent);
    var ids = JSON.parse(document.getElementById('report-data').textContent).series.ids;
    return Array.from(document.querySelectorAll('#headline, #sentences p')).map(function (p) {
        var text = p.textContent;
        names.concat(ids).sort((a, b) => b.length - a.length).forEach(n => { if (n) text = text.split(n).join(' '); });
        return [text, numbers(text).filter(n => !below.has(n) && ['95', '8', '001'].indexOf(n) < 0)];
    });
})()"""


def page_holds(browser, path, name):
    browser.size(1280, 800)
    browser.open(path)
    check(browser.run("document.documentElement.getAttribute('data-ready')") == "yes", name + ": the script did not come to its end")
    for label, colours in browser.run(CHARTS):
        check(colours > 3, "%s: nothing is drawn in the chart \"%s\"" % (name, label))
    for label, parts, seen, broken in browser.run(DRAWINGS):
        check(label and parts > 2 and seen and not broken, "%s: the drawing \"%s\" is empty or broken" % (name, label))
    check(len(browser.run(CHARTS)) >= 4, name + ": charts are missing")
    for text, unknown in browser.run(NUMBERS):
        check(not unknown, "%s: numbers that stand in no table: %s in \"%s\"" % (name, ", ".join(unknown), text))
    browser.picture(name)
    browser.picture(name + "-whole", True)
    paint = browser.run("(performance.getEntriesByName('first-contentful-paint')[0] || {startTime: -1}).startTime")
    print("%s: %d kB, first paint after %.0f ms" % (name, os.path.getsize(path) // 1000, paint))
    uses(browser, name)
    looks(browser, name)
    for event in browser.events:
        method, what = event.get("method"), event.get("params", {})
        if method == "Runtime.consoleAPICalled" and what["type"] in ("error", "warning", "assert"):
            check(False, name + ": the console says " + json.dumps(what["args"])[:300])
        elif method == "Runtime.exceptionThrown":
            check(False, name + ": an exception: " + json.dumps(what)[:500])
        elif method == "Log.entryAdded" and what["entry"]["level"] in ("error", "warning"):
            check(False, name + ": the console says " + what["entry"]["text"][:300])
        elif method == "Network.requestWillBeSent" and what["request"]["url"] != "file://" + path:
            check(False, name + ": a request to " + what["request"]["url"][:200])
        elif method == "Page.javascriptDialogOpening":
            check(False, name + ": a dialog opened")


def uses(browser, name):
    """Sorts, chooses, hides and zooms."""
    column = "Array.from(document.querySelectorAll('#models table')[0].querySelectorAll('tbody tr')).map(r => parseFloat(r.cells[1].firstChild.textContent.replace(/,/g, '')))"
    click = "(function () { var b = document.querySelectorAll('#models thead button')[1]; b.click(); return b.closest('th').getAttribute('aria-sort'); })()"
    for direction in ("ascending", "descending"):
        check(browser.run(click) == direction, name + ": a click does not sort " + direction)
        values = [v for v in browser.run(column) if v is not None]
        check(values == sorted(values, reverse=direction == "descending"), name + ": the leaderboard is not " + direction)
    picture = "Array.from(document.querySelectorAll('%s canvas')).map(c => c.toDataURL()).join()"
    for chooser, chart in (("choose-cutoff", "#forecasts"), ("choose-series", "#forecasts"), ("choose-residuals", "#residuals")):
        if not browser.run("document.getElementById('%s') !== null && document.getElementById('%s').options.length > 1" % (chooser, chooser)):
            continue
        before = browser.run(picture % chart)
        browser.run("(function () { var s = document.getElementById('%s'); s.selectedIndex = s.options.length - 1 - (s.selectedIndex === s.options.length - 1); "
                    "s.dispatchEvent(new Event('change')); })()" % chooser)
        check(browser.run(picture % chart) != before, name + ": the chooser \"" + chooser + "\" changes nothing")
    for button in ("Zoom in", "Later", "Zoom out"):
        before = browser.run(picture % "#forecasts")
        browser.run("document.querySelector('#forecasts button[aria-label=\"%s\"]').click()" % button)
        if button == "Zoom in":
            check(browser.run(picture % "#forecasts") != before, name + ": zooming changes nothing")
    before = browser.run(picture % "#forecasts")
    browser.run("document.querySelector('#forecasts .legend button').click()")
    check(browser.run(picture % "#forecasts") != before, name + ": hiding a line changes nothing")
    check(browser.run("document.querySelector('#forecasts .legend button').getAttribute('aria-pressed')") == "false", name + ": a hidden line is not marked")


def looks(browser, name):
    """Dark, on a phone, on paper."""
    ground = "getComputedStyle(document.body).backgroundColor"
    ink = "Array.from(document.querySelectorAll('#first canvas')).map(c => c.toDataURL()).join()"
    light, drawn = browser.run(ground), browser.run(ink)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    browser.run("new Promise(f => requestAnimationFrame(() => requestAnimationFrame(f)))")
    check(browser.run(ground) != light, name + ": dark is as light")
    check(browser.run(ink) != drawn, name + ": charts keep the colours of the day at night")
    browser.picture(name + "-dark", True)
    browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    browser.size(390, 844, True)
    browser.run("new Promise(f => setTimeout(f, 200))")
    wide = browser.run("document.documentElement.scrollWidth")
    check(wide <= 390, "%s: a phone of 390 has to scroll sideways: %d" % (name, wide))
    browser.picture(name + "-phone", True)
    browser.size(1280, 800)
    browser.run("new Promise(f => setTimeout(f, 100))")
    # A canvas that is sized while the browser prepares to print comes out empty.
    sizes = "Array.from(document.querySelectorAll('.chart canvas')).map(c => c.width + 'x' + c.height).join()"
    drawn = browser.run(sizes)
    browser.run("window.dispatchEvent(new Event('beforeprint'))")
    check(browser.run(sizes) == drawn, name + ": a chart is sized for paper, and would be empty there")
    wide = browser.run("Math.max(...Array.from(document.querySelectorAll('.chart')).map(c => c.getBoundingClientRect().right))")
    check(wide <= 182 / 25.4 * 96 + 1, "%s: a chart is wider than paper: %.0f" % (name, wide))
    browser.run("window.dispatchEvent(new Event('afterprint'))")
    check(browser.run("Array.from(document.querySelectorAll('.chart')).every(c => !c.style.zoom && !c.style.width)"), name + ": charts stay small after printing")
    pdf = base64.b64decode(browser.call("Page.printToPDF", printBackground=True, paperWidth=8.27, paperHeight=11.69)["data"])
    with open(os.path.join(SCRATCH, name + ".pdf"), "wb") as file:
        file.write(pdf)
    check(pdf.startswith(b"%PDF") and len(pdf) > 20000, name + ": nothing is printed")
    check(not browser.run("document.documentElement.classList.contains('paper')"), name + ": the page stays paper after printing")


# ---- the pages --------------------------------------------------------------------------------------------------

ATTACKS = ["<script>window.pwned=1</script>", "\"><img src=x onerror=window.pwned=2>", "</script><script>window.pwned=3</script>",
           "{{data}}", "' onmouseover='window.pwned=4", "\u202eesrever\u2066", "<!--<script>", "javascript:alert(1)", "<svg onload=alert(1)>",
           "&lt;b&gt;", "=cmd|' /C calc'!A0", "line\nbreak", "__proto__", "constructor", "a" * 10000, "\u00e9\u4e2d\U0001f600", "]]>", "\\u003cscript\\u003e"]


def quoted(text):
    return '"' + text.replace('"', '""') + '"'


def write_hostile(path):
    """Every name of a model and of a series is an attack."""
    with open(path, "w", encoding="utf-8", newline="") as file:
        file.write("unique_id,ds,cutoff,Naive," + ",".join(quoted(a) for a in ATTACKS) + ",y\n")
        for number, attack in enumerate(ATTACKS):
            for fold in range(9):
                for step in range(3):
                    row = 10 + fold * 3 + step
                    truth = (row * 7 + number) % 11 + row / 3
                    values = [truth + ((row * (m + 2) + number) % 5 - 2) / (m + 1) for m in range(len(ATTACKS) + 1)]
                    file.write(",".join([quoted(attack), str(row + 1), str(10 + fold * 3)] + ["%.3f" % v for v in values] + ["%.3f" % truth]) + "\n")


def write_bands(path):
    """As statsforecast writes it: overlapping folds of daily rows, two levels, a row index."""
    with open(path, "w", encoding="utf-8") as file:
        file.write(",unique_id,ds,cutoff,y,SeasonalNaive,Theta,Theta-lo-95,Theta-lo-80,Theta-hi-80,Theta-hi-95\n")
        line = 0
        for fold in range(10):
            for step in range(14):
                day = fold * 7 + step + 1
                truth = 100 + 10 * ((day * 5) % 7) + day % 3
                theta = truth + (day * fold) % 9 - 4
                date = lambda d: time.strftime("%Y-%m-%d", time.gmtime(1577836800 + 86400 * d))
                file.write("%d,a,%s,%s,%g,%g,%g,%g,%g,%g,%g\n" % (line, date(day), date(fold * 7), truth, truth + 9 * (day % 2) - 3, theta, theta - 8, theta - 3, theta + 3, theta + 8))
                line += 1


def make(*arguments):
    done = subprocess.run([NORN] + list(arguments), cwd=SCRATCH, capture_output=True, text=True)
    check(done.returncode == 0, "norn %s: %s" % (" ".join(arguments), done.stderr[-400:]))


def main():
    binary = next((found for found in map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome")) if found), None)
    if not binary:
        print("no Chromium here: reports are not opened")
        return 77
    shutil.rmtree(SCRATCH, ignore_errors=True)
    os.makedirs(SCRATCH)
    write_hostile(os.path.join(SCRATCH, "hostile.csv"))
    write_bands(os.path.join(SCRATCH, "bands.csv"))
    backtest = ["backtest", "-q", "-o", "forecasts.csv", "--report"]
    make(*backtest, "load.html", os.path.join(DATASETS, "hourly_load.csv"), "--folds", "20", "--models", "drift,window-average,dlinear,ses,theta,holt-winters")
    make(*backtest, "shop.html", os.path.join(DATASETS, "shop_sales.csv"), "--folds", "6", "-n", "14", "--step", "7")
    make(*backtest, "nile.html", os.path.join(DATASETS, "nile.csv"), "--folds", "3", "-n", "1")
    make("report", "-q", "bands.csv", "--html", "bands.html")
    make("report", "-q", "hostile.csv", "--html", "hostile.html")
    browser = Browser(binary)
    try:
        for name in ("load", "shop", "nile", "bands", "hostile"):
            page_holds(browser, os.path.join(SCRATCH, name + ".html"), name)
        check(browser.run("window.pwned === undefined"), "hostile: a name was run")
        check(browser.run("document.querySelectorAll('img, iframe, object, embed, base, form').length") == 0, "hostile: a name became an element")
        check("<script>window.pwned=1</script>" in browser.run("document.body.innerText + document.querySelector('#models').textContent"),
              "hostile: a name is not shown as what it is")
        check("\u202e" not in browser.run("document.body.textContent"), "hostile: a character that turns the direction of text is shown")
    finally:
        browser.close()
    return 1 if faults else 0


sys.exit(main())
