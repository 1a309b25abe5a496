#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`bench/run --quick` plays every measure, and its JSON, table and plot come out whole. No time is
judged: what the benches run as, not how fast. Rivals take part where they are installed."""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

SOURCE = pathlib.Path(__file__).resolve().parent.parent.parent
sys.dont_write_bytecode = True
sys.path.insert(0, str(SOURCE / "tests" / "lib"))
sys.path.insert(0, str(SOURCE / "bench"))
import measures  # noqa: E402
import pvmtest  # noqa: E402
import report  # noqa: E402

LIMIT_S = 240  # 20 s on two idle cores
NEEDS_NETPIPE = ("netpipe", "across")


def bench(build, out):
    """Runs it as `make bench` would, and returns what it printed."""
    command = [sys.executable, SOURCE / "bench" / "run", build.folder, "--quick", "--out", out]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            text, errors = process.communicate(timeout=LIMIT_S)
        except subprocess.TimeoutExpired:
            process.terminate()  # then it ends its machines itself
            raise pvmtest.Failure("not done after %d s; what it did last: %s" %
                                  (LIMIT_S, process.communicate()[1][-500:])) from None
    assert process.returncode == 0, errors[-3000:]
    return text


def expected():
    """The measures that need no program of others, or whose program is here."""
    return [measure for measure in measures.MEASURES
            if measure.kind not in NEEDS_NETPIPE or shutil.which("NPpvm")]


def expect_samples(results):
    for measure in expected():
        cells = results["samples"].get(measure.key, {})
        players = [who for who, plays in (("ours", "ours" in measure.who),
                                          ("floor", measure.floor)) if plays]
        for who in players:
            assert any(who in metric for metric in cells.values()), \
                "%s: nothing from %s" % (measure.key, who)
            if measure.kind in ("patterns", "spawn", "idle") and who == "ours":
                missing = [m for m in measure.metrics if who not in cells.get(m, {})]
                assert not missing, "%s: no %s" % (measure.key, missing)


def expect_bars(results):
    for number, what, _, figure, _, _ in measures.judge(results["medians"]):
        assert figure or number in (1, 12), "no figure for " + what  # those against a rival


def expect_table(text):
    for measure in expected():
        assert measure.title in text, "the table lacks " + measure.title


def expect_plot(path):
    root = xml.etree.ElementTree.parse(path).getroot()
    curves = [node for node in root.iter() if node.tag.endswith("polyline")]
    assert curves or not shutil.which("NPpvm"), "no curves"
    assert all(len(node.get("points").split()) >= 2 for node in curves), "a curve without points"


def expect_page(results):
    rows = [line for line in report.markdown(results) if line.startswith("|")]
    for head in (5, len(results["contestants"]) + 2):
        assert any(row.count("|") == head + 1 for row in rows), "no table of %d columns" % head


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    with tempfile.TemporaryDirectory(prefix="pvmbench-") as folder:
        out, text = pathlib.Path(folder), ""
        with tap.story("every measure runs"):
            text = bench(build, out)
        if text:
            results = json.loads((out / "bench.json").read_text())
            for name, check in (
                    ("the JSON has samples of ours and of the floors",
                     lambda: expect_samples(results)),
                    ("every bar has a figure", lambda: expect_bars(results)),
                    ("the table names every measure", lambda: expect_table(text)),
                    ("the plot has curves", lambda: expect_plot(out / "bench.svg")),
                    ("the page has its tables", lambda: expect_page(results))):
                with tap.story(name):
                    check()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
