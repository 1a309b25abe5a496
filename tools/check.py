#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the tests of a build folder, suite by suite, and counts their points.

What tests there are it learns from Meson (meson.build is the only list). Each test runs in a
session of its own with a mark in its environment: at its deadline, and after its end, exactly the
processes with that mark are ended, and a test that left one behind has failed. The last line is
`N passed, N failed, N skipped`, counted in TAP points; a test without TAP is one point.
"""
import argparse
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import uuid

SUITES = ["lint", "unit", "sim", "scenario", "xport", "abi", "api", "conformance", "debian", "fuzz",
          "model", "kill", "system"]
TAIL_LINES = 40
MARK = "PVM_TEST_MARK"
POINT = re.compile(r"^(not )?ok\b\s*(\d+)?\s*(?:- )?(.*?)(?:\s*#\s*(SKIP|TODO)\b\s*(.*))?$", re.I)


class Result:
    """What one test came to."""

    def __init__(self, name):
        self.name = name
        self.passed = 0
        self.failed = 0
        self.skips = []
        self.failures = []
        self.took_s = 0.0
        self.log = None

    def fail(self, words):
        self.failed += 1
        self.failures.append(words)


def count_tap(text, result):
    """Counts the points of |text|; what breaks the protocol is a failed point."""
    points, plan = 0, None
    for line in text.splitlines():
        planned = re.match(r"^1\.\.(\d+)\s*(?:#\s*skip\S*\s*(.*))?$", line, re.I)
        if planned:
            plan = int(planned.group(1))
            if plan == 0:
                result.skips.append((result.name, planned.group(2) or "no reason given"))
            continue
        if line.startswith("Bail out!"):
            result.fail(line)
            continue
        found = POINT.match(line)
        if not found:
            continue
        points += 1
        bad, _, name, directive, reason = found.groups()
        if directive:
            result.skips.append((name.strip(), (reason or "").strip() or "no reason given"))
        elif bad:
            result.fail(name.strip())
        else:
            result.passed += 1
    if plan is None:
        result.fail("no TAP plan: it ended before its time")
    elif plan != points:
        result.fail("planned %d points, gave %d" % (plan, points))


def marked_processes(mark):
    """Pids whose environment carries |mark|, zombies left out."""
    wanted = ("%s=%s\0" % (MARK, mark)).encode()
    found = []
    for name in os.listdir("/proc") if os.path.isdir("/proc") else []:
        if not name.isdigit():
            continue
        try:
            if wanted in pathlib.Path("/proc", name, "environ").read_bytes() + b"\0":
                state = pathlib.Path("/proc", name, "stat").read_text().rsplit(")", 1)[1].split()[0]
                if state not in "ZX":
                    found.append(int(name))
        except OSError:
            pass
    return found


def command_of(pid):
    try:
        words = pathlib.Path("/proc/%d/cmdline" % pid).read_bytes().split(b"\0")
        return " ".join(w.decode(errors="replace") for w in words if w)[:100]
    except OSError:
        return "?"


def end_marked(mark, patience_s):
    """Gives marked processes |patience_s| to end by themselves, then ends them; words of those."""
    limit = time.monotonic() + patience_s
    while marked_processes(mark) and time.monotonic() < limit:
        time.sleep(0.02)
    left = marked_processes(mark)
    words = ["left process %d: %s" % (pid, command_of(pid)) for pid in left]
    while left:
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.02)
        left = marked_processes(mark)
    return words


class Runner:
    def __init__(self, options):
        self.options = options
        self.build = options.build
        self.logs = self.build / "check"
        self.marks = set()
        self.begin = time.monotonic()

    def tests(self):
        text = subprocess.run(["meson", "introspect", "--tests", str(self.build)], check=True,
                              stdout=subprocess.PIPE, text=True).stdout
        suites = collections.OrderedDict((suite, []) for suite in SUITES)
        for test in json.loads(text):
            suite = (test["suite"] or ["unit"])[0].split(":")[-1]
            suites.setdefault(suite, []).append(test)
        wanted = self.options.suite
        return [(suite, sorted(tests, key=lambda t: -t["priority"]))
                for suite, tests in suites.items() if tests and (not wanted or suite in wanted)]

    def run_one(self, suite, test):
        """Runs one test to its end or deadline; its output goes to a log file."""
        result = Result(test["name"])
        result.log = self.logs / (re.sub(r"[^\w.-]", "_", "%s-%s" % (suite, test["name"])) + ".log")
        mark = uuid.uuid4().hex
        self.marks.add(mark)
        environment = dict(os.environ, **test["env"])
        environment[MARK] = mark
        limit_s = min(float(test["timeout"]) * self.options.patience, self.time_left())
        begin = time.monotonic()
        with result.log.open("wb") as log:
            process = subprocess.Popen(test["cmd"], cwd=test["workdir"] or str(self.build),
                                       env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=subprocess.STDOUT, start_new_session=True)
            try:
                status = process.wait(timeout=max(limit_s, 1))
                late = False
            except subprocess.TimeoutExpired:
                late = True
                process.send_signal(signal.SIGTERM)
                try:
                    status = process.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    process.kill()
                    status = process.wait()
        result.took_s = time.monotonic() - begin
        self.judge(test, result, status, late, limit_s)
        for words in end_marked(mark, 0 if late else 2):
            result.fail(words)
        self.marks.discard(mark)
        return result

    def leave(self, number, _frame):
        """Interrupted: ends the tests that run, gently first, and itself."""
        for mark in list(self.marks):
            for pid in marked_processes(mark):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGTERM)
        for mark in list(self.marks):
            end_marked(mark, 3)
        print("interrupted")
        os._exit(128 + number)

    @staticmethod
    def judge(test, result, status, late, limit_s):
        text = result.log.read_text(errors="replace")
        if test["protocol"] == "tap":
            count_tap(text, result)
            if status not in (0, 77) and not result.failed and not late:
                result.fail("all points good, yet it ended with %d" % status)
        elif status == 77:
            result.skips.append((result.name, (text.strip().splitlines() or ["no reason"])[-1]))
        elif status == 0:
            result.passed += 1
        elif not late:
            result.fail("ended with %d" % status)
        if late:
            result.fail("not done after %.0f s" % limit_s)

    def time_left(self):
        return self.options.limit - (time.monotonic() - self.begin)

    def run_suite(self, suite, tests):
        begin = time.monotonic()
        results = []
        together = [t for t in tests if t["is_parallel"]]
        alone = [t for t in tests if not t["is_parallel"]]
        with concurrent.futures.ThreadPoolExecutor(self.options.jobs) as pool:
            for result in pool.map(lambda t: self.run_one(suite, t), together):
                results.append(result)
                self.tell(suite, result)
        for test in alone:
            result = self.run_one(suite, test)
            results.append(result)
            self.tell(suite, result)
        passed = sum(r.passed for r in results)
        failed = sum(r.failed for r in results)
        skipped = sum(len(r.skips) for r in results)
        print("%-12s %5d passed %4d failed %4d skipped %8.1f s" %
              (suite, passed, failed, skipped, time.monotonic() - begin), flush=True)
        return results

    def tell(self, suite, result):
        if self.options.verbose:
            print("  %-40s %4d ok %3d not %6.1f s" %
                  (result.name, result.passed, result.failed, result.took_s), flush=True)
        if not result.failed:
            return
        print("FAILED %s / %s (%s)" % (suite, result.name, result.log))
        for words in result.failures[:20]:
            print("  not ok: " + words)
        tail = result.log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        for line in tail:
            print("  | " + line)
        sys.stdout.flush()


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path, help="a build folder")
    parser.add_argument("--suite", action="append", help="only this suite; may be repeated")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1,
                        help="tests that run at once, where they may")
    parser.add_argument("--limit", type=float, default=1200, help="seconds for everything")
    parser.add_argument("--patience", type=float, default=1,
                        help="multiplies every deadline, for slow builds")
    parser.add_argument("--verbose", action="store_true", help="a line for each test")
    return parser.parse_args()


def main():
    options = arguments()
    options.build = options.build.resolve()
    runner = Runner(options)
    runner.logs.mkdir(exist_ok=True)
    signal.signal(signal.SIGTERM, runner.leave)
    signal.signal(signal.SIGINT, runner.leave)
    results = []
    for suite, tests in runner.tests():
        results += runner.run_suite(suite, tests)
    skips = collections.OrderedDict()
    for result in results:
        for name, reason in result.skips:
            skips.setdefault(reason, []).append(name)
    for reason, names in skips.items():
        print("skipped: %s (%s)" % (reason, names[0] if len(names) == 1 else "%d" % len(names)))
    passed = sum(r.passed for r in results)
    failed = sum(r.failed for r in results)
    skipped = sum(len(r.skips) for r in results)
    if not results:
        print("no tests found in %s" % options.build)
        failed = 1
    print("logs: %s   time: %.0f s" % (runner.logs, time.monotonic() - runner.begin))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
