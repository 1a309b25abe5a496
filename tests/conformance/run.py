#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs the conformance programs on the original PVM 3.4.6 and on ours and compares what they print.

Each side gets its own build of every program and one private daemon, which is replaced when a
program breaks it. The programs in ours/ state our answer in a .expect file, where we differ from
the original on purpose; they run on our side only. Output is TAP. Next: README.md beside this file.
"""
import argparse
import difflib
import fnmatch
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import machine  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
PROGRAM_LIMIT_S = 45


class Program:
    """One source file and what its head comment asks of the driver."""

    def __init__(self, source):
        self.source = source
        self.name = source.stem
        head = source.read_text().split("*/", 1)[0]
        self.limit_s = int(self._field(head, "timeout", str(PROGRAM_LIMIT_S)))
        self.needs = self._field(head, "needs", "vm")
        self.stderr = self._field(head, "stderr", "compared")
        self.one_host = self._field(head, "hosts", "")  # why only on one
        self.unshared = self._field(head, "unshared", "")  # the same where memory is not shared
        self.later = self._field(head, "later", "")
        self.covers = self._field(head, "covers", "").split()
        self.expect = source.with_suffix(".expect")
        self.recorded = HERE / "expected" / (self.name + ".txt")

    @staticmethod
    def _field(head, name, default):
        found = re.search(r"^ \* %s: *(.*)$" % name, head, re.M)
        return found.group(1).strip() if found else default


def masked_errors(text):
    """Keeps the lines the library prints for a failing call, without the changing numbers."""
    lines = [line for line in text.splitlines() if line.startswith("libpvm [")]
    return [re.sub(r"\[(t|pid)-?[0-9a-f]+\]", "[#]", line) for line in lines]


def story(program, outcome):
    """The text of one run that is compared: output, library's error lines, end."""
    lines = outcome.stdout.splitlines()
    if program.stderr == "compared":
        errors = masked_errors(outcome.stderr)
        if errors:
            lines.append("--- printed to stderr")
            lines += errors
    if outcome.status != 0:
        lines.append("--- ended with %s" % outcome.status)
    if outcome.left_behind:
        lines.append("--- left behind %d process(es)" % outcome.left_behind)
    if outcome.daemon_broken:
        lines.append("--- the daemon no longer answers")
    return "\n".join(lines) + "\n"


def run_side(side, programs, report, hosts=1):
    """Builds and runs all programs on one side; {name: story}."""
    stories = {}
    begin = time.monotonic()
    side.build(sorted((HERE / "helpers").glob("*.c")) + [program.source for program in programs],
               HERE)
    built = time.monotonic()
    with machine.Machine(side, hosts=hosts) as vm:
        proof = vm.prove_library()
        for line in proof:
            report("# %s: %s" % (side.name, line))
        for program in programs:
            outcome = vm.run(program)
            stories[program.name] = story(program, outcome)
            if side.verbose:
                report("# %s: %s %.2f s" % (side.name, program.name, outcome.took_s))
        trouble = vm.stop()
    done = time.monotonic()
    report("# %s: %d programs, build %.1f s, run %.1f s" %
           (side.name, len(programs), built - begin, done - built))
    for line in trouble:
        report("# %s: %s" % (side.name, line))
    return stories, trouble


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, good, name, detail=()):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        for line in detail:
            print("#   " + line)
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, reason))


def difference(left_name, left, right_name, right):
    return list(difflib.unified_diff(left.splitlines(), right.splitlines(), left_name, right_name,
                                     lineterm=""))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", default=os.environ.get("PVM_TEST_BUILD"),
                        help="our build folder; the next three are found there")
    parser.add_argument("--include", help="our header directory")
    parser.add_argument("--lib", help="our library directory (holds libpvm3.so.3)")
    parser.add_argument("--pvmd", help="our daemon")
    parser.add_argument("--self", action="store_true", dest="with_itself",
                        help="run the original against itself instead of ours")
    parser.add_argument("--record", action="store_true",
                        help="store what the original prints in expected/")
    parser.add_argument("--recorded", action="store_true",
                        help="compare with the recorded text although the original is present")
    parser.add_argument("--hosts", type=int, default=1,
                        help="how many hosts our side has; one is what the original has")
    parser.add_argument("--build", help="keep builds in this directory")
    parser.add_argument("--verbose", action="store_true", help="print each program's time")
    parser.add_argument("only", nargs="*", help="names or patterns of programs to run")
    return parser.parse_args()


def chosen(folder, patterns):
    programs = [Program(path) for path in sorted(folder.glob("*.c"))]
    if patterns:
        programs = [p for p in programs if any(fnmatch.fnmatch(p.name, x) for x in patterns)]
    return programs


def shares_memory(options):
    """Whether the tasks of our build share memory with their daemon."""
    if os.environ.get("PVM_SHM_LIMIT") == "0" or not sys.platform.startswith("linux"):
        return False
    settings = pathlib.Path(options.tree or "", "meson-info", "intro-buildoptions.json")
    known = json.loads(settings.read_text()) if settings.exists() else []
    return not any(o["name"] == "platform" and o["value"] == "generic" for o in known)


def our_side(options, build):
    if options.with_itself:
        return machine.original("original-again", build)
    return machine.ours(options.tree, options.include, options.lib, options.pvmd, build)


def original_stories(programs, build, options, report):
    """What the original prints: live where it is installed, otherwise as recorded."""
    side = None if options.recorded else machine.original("original", build)
    if side:
        side.verbose = options.verbose
        return run_side(side, programs, report) + ("original",)
    report("# recorded outputs used, as asked" if options.recorded else
           "# original absent, recorded outputs used")
    stories = {p.name: p.recorded.read_text() for p in programs if p.recorded.exists()}
    return stories, [], "recorded"


def main():
    machine.end_orderly_on_signals()
    options = arguments()
    tap = Tap()
    programs = chosen(HERE, options.only)
    differing = [] if options.with_itself else chosen(HERE / "ours", options.only)
    scratch = tempfile.TemporaryDirectory(prefix="pvm-conformance-")
    build = pathlib.Path(options.build or scratch.name)
    begin = time.monotonic()
    theirs, trouble, source = original_stories(programs, build, options, print)
    if source == "original":
        tap.result(not trouble, "original: daemon ends and nothing remains", trouble)
        (HERE / "expected").mkdir(exist_ok=True)
        for program in programs:
            unfinished = re.search("CANNOT GO ON|DEADLINE PASSED|left behind|no longer answers",
                                   theirs[program.name])
            if unfinished:
                tap.result(False, "%s: the original comes to its end" % program.name,
                           theirs[program.name].splitlines())
            elif options.record:
                program.recorded.write_text(theirs[program.name])
            same = program.recorded.exists() and \
                program.recorded.read_text() == theirs[program.name]
            if not same:
                old = program.recorded.read_text() if program.recorded.exists() else ""
                tap.result(False, "%s: original prints what is recorded" % program.name,
                           difference("recorded", old, "original", theirs[program.name]))
    side = our_side(options, build)
    if side:
        side.verbose = options.verbose
        if not shares_memory(options):
            for program in programs:
                program.one_host = program.one_host or program.unshared
        ready = [p for p in programs + differing
                 if options.with_itself or not p.later and (options.hosts == 1 or not p.one_host)]
        ours, trouble = run_side(side, ready, print, options.hosts)
        tap.result(not trouble, "%s: daemon ends and nothing remains" % side.name, trouble)
        for program in programs:
            if program.name not in ours:
                tap.skip(program.name, "not in this version: " + program.later if program.later
                         else "on one host only: " + program.one_host)
                continue
            if program.name not in theirs:
                tap.skip(program.name, "no recorded output of the original")
                continue
            detail = difference(source, theirs[program.name], side.name, ours[program.name])
            tap.result(not detail, program.name, detail)
        for program in differing:
            if program.name not in ours:
                continue
            detail = difference("expected", program.expect.read_text(), side.name,
                                ours[program.name])
            tap.result(not detail, "ours/" + program.name, detail)
    elif not options.record:
        for program in programs:
            tap.result(True, program.name + " (original only)")
    print("1..%d" % tap.count)
    print("# suite conformance: %.1f s, %d failed" % (time.monotonic() - begin, tap.failed))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
