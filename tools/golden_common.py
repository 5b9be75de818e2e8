"""What the scripts of golden values share: series on a grid, data sets, and numbers written as arrays of C."""

import os

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))


def target(name):
    """The header that a script writes."""
    return os.path.join(HERE, "..", "tests", "golden", name)


def dataset(name, column=-1):
    return np.genfromtxt(os.path.join(HERE, "..", "datasets", name), delimiter=",", skip_header=1)[:, column]


def on_grid(x, grid=64):
    """Rounded to 1/64, so that a file of them stays small."""
    return np.round(np.asarray(x) * grid) / grid


def text_of(values, indent="    ", width=101):
    """Numbers with 17 digits, in lines of at most `width`, without a comma behind the last."""
    out, line = "", indent
    for v in np.atleast_1d(np.asarray(values, dtype=np.float64)).ravel():
        each = "NAN" if np.isnan(v) else repr(float(v))
        if len(line) + len(each) > width:
            out += line.rstrip() + "\n"
            line = indent
        line += each + ", "
    return (out + line).rstrip().rstrip(",")


class Arrays:
    """`static const double NAME[] = {...};` one after another, to be joined."""

    def __init__(self, width=101, end=",\n"):
        self.lines, self.width, self.end = [], width, end

    def put(self, name, values, comment=""):
        values = np.atleast_1d(np.asarray(values, dtype=np.float64)).ravel()
        head = f"/* {comment} */\n" if comment else ""
        text = text_of(values, width=self.width)
        self.lines.append(f"{head}static const double {name}[{len(values)}] = {{\n{text}{self.end}}};\n")
