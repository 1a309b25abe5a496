#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Runs Debian's own PVM programs, as they are packaged, on our libraries and daemon.

Programs of pvm-examples and netpipe-pvm were linked with the original libpvm3.so.3; here they find
ours. Each story says what a program must print, as a function of the number of hosts; --original
runs the same stories on Debian's PVM with one host, which proves that they tell the truth. Every
task leaves a note of the libraries it has mapped (helpers/witness.c). Output is TAP.
Next: tests/conformance/machine.py, which starts and ends the daemons.
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CONFORMANCE = HERE.parent / "conformance"
sys.path.insert(0, str(CONFORMANCE))
import machine  # noqa: E402

DEBIAN = pathlib.Path("/usr/bin")
STORY_LIMIT_S = 60


class Wrong(Exception):
    """A program did not do what it does on the original."""


def expect(text, expected, what):
    if text != expected:
        raise Wrong("%s:\nexpected:\n%s\ngot:\n%s" % (what, expected, text))


class Stage:
    """A running machine of some hosts with Debian's programs on its path."""

    def __init__(self, vm, hosts):
        self.vm = vm
        self.hosts = hosts
        self.witness = vm.tmp / "witness"

    def program(self, name, *arguments, limit_s=STORY_LIMIT_S):
        outcome = self.vm.call([str(DEBIAN / name)] + list(arguments), limit_s)
        if outcome.status == "its time limit":
            raise Wrong("%s does not end:\n%s%s" % (name, outcome.stdout, outcome.stderr))
        return outcome

    def helper(self, *command, limit_s=STORY_LIMIT_S):
        outcome = self.vm.call(list(command), limit_s)
        if outcome.status != 0:
            raise Wrong("%s: ended with %s:\n%s%s" % (" ".join(command), outcome.status,
                                                      outcome.stdout, outcome.stderr))
        return outcome.stdout

    def expect_programs(self, expected):
        """Each named program ran so often, always with this side's library."""
        ran = {}
        for note in self.witness.iterdir():
            name = note.name.rsplit(".", 1)[0]
            if name not in expected:
                continue
            ran[name] = ran.get(name, 0) + 1
            library = [line for line in note.read_text().splitlines() if "/libpvm3.so" in line]
            folders = {str(pathlib.Path(line).resolve().parent) for line in library}
            if folders != {str(self.vm.side.lib)}:
                raise Wrong("%s ran %s" % (note.name, library or "no library"))
        expect(ran, expected, "how often each program ran on our library")

    def forget_programs(self):
        for note in self.witness.iterdir():
            note.unlink()


def hello(stage):
    outcome = stage.program("hello.pvm")
    text = re.sub(r"\bt[0-9a-f]+\b", "t#", outcome.stdout)
    expect(text, "i'm t#\nfrom t#: hello, world from %s\n" % os.uname().nodename, "hello.pvm")
    expect(outcome.status, 0, "exit status")
    stage.expect_programs({"hello.pvm": 1, "hello_other": 1})


def master_slave(stage):
    outcome = stage.program("master1")
    workers = 3 * stage.hosts
    lines = outcome.stdout.splitlines()
    expect(lines[0], "Spawning %d worker tasks ... SUCCESSFUL" % workers, "first line")
    seen = set()
    for line in lines[1:]:
        found = re.match(r"I got ([\d.]+) from (\d+); \(expecting ([\d.]+)\)$", line)
        if not found or found.group(1) != found.group(3):
            raise Wrong("master1 says: " + line)
        seen.add(int(found.group(2)))
    expect(seen, set(range(workers)), "workers heard of")
    expect(len(lines), workers + 1, "lines")
    expect(outcome.status, 0, "exit status")
    stage.expect_programs({"master1": 1, "slave1": workers})


def token_ring(stage):
    text = stage.helper("place", "-", "6", "spmd")
    lines = text.splitlines()
    expect(lines[0], "Pass a token through the   6 tid ring:", "first line")
    ring = [int(word) for word in lines[1].split(" -> ")]
    expect((len(ring), len(set(ring)), ring[0]), (7, 6, ring[-1]), "ring " + lines[1])
    expect(lines[2:], ["token ring done"], "last line")
    hosts = {tid & 0x3ffc0000 for tid in ring}
    expect(len(hosts), min(6, stage.hosts), "hosts in the ring")
    stage.expect_programs({"spmd": 6})


def alone_in_ring(stage):
    outcome = stage.program("spmd")
    text = re.sub(r"^(\d+) -> \1 $", "# -> # ", outcome.stdout, flags=re.M)
    expect(text, "Pass a token through the   1 tid ring:\n# -> # \ntoken ring done\n", "spmd")
    expect(outcome.status, 1, "exit status")
    stage.expect_programs({"spmd": 1})


TIMING_ROUND_TRIP = """i'm t#
slave is task t#
Doing Round Trip test, minimal message size

 N     uSec
""" + "#\n" * 20 + """RTT Avg uSec #

Doing Bandwidth tests

"""

TIMING_SIZE = """
Message size %d
 N  Pack uSec  Send uSec
""" + "#\n" * 20 + """Avg uSec
#
Avg Byte/uSec
#
"""


def timing(stage):
    outcome = stage.program("timing")
    text = re.sub(r"\bt[0-9a-f]{5,}\b", "t#", outcome.stdout)
    text = re.sub(r"^ *[\d.infa-]+( +[\d.infa-]+)* *$", "#", text, flags=re.M)
    text = re.sub(r"RTT Avg uSec \d+", "RTT Avg uSec #", text)
    sizes = "".join(TIMING_SIZE % 10 ** power for power in range(2, 7))
    expect(text, TIMING_ROUND_TRIP + sizes + "\ndone\n", "timing")
    expect(outcome.status, 1, "exit status")
    stage.expect_programs({"timing": 1, "timing_slave": 1})


def heterogeneous(stage):
    """hitc sends all types in all encodings to one worker a host until the work is done."""
    outcome = stage.program("hitc")
    lines = [line.strip() for line in outcome.stdout.splitlines()]
    expect(re.sub(r" +", " ", lines[0]), "%d hosts detected in configuration" % stage.hosts,
           "first line")
    expect(lines[-1], "Program Finished", "last line")
    results = [line for line in lines if line.startswith("I got result from tid:")]
    sent = [line for line in lines if line.startswith("sent ")]
    last = [line for line in sent if line.split()[-1] == "-1"]
    expect(len(results) + len(sent) + 2, len(lines), "lines")
    expect(len(results), len(sent), "results and tasks\n" + outcome.stdout)
    if stage.hosts == 1:
        expect(len(results), 10, "results")
    expect(len(last), stage.hosts, "workers told to stop\n" + outcome.stdout)
    expect(len({line.split()[-1] for line in results}), stage.hosts, "workers heard of")
    expect(outcome.status, 0, "exit status")
    stage.expect_programs({"hitc": 1, "hitc_slave": stage.hosts})


def netpipe(stage, options, check_line):
    """NPpvm between a receiver, on the last host, and a transmitter on the first."""
    output = stage.vm.tmp / ("netpipe%s.out" % "".join(options))
    host = stage.helper("list_hosts").splitlines()[-1]
    bounds = ["-n", "10", "-l", "1", "-u", "100000"]
    stage.helper("place", "-d", host, "1", "NPpvm", *options, *bounds, "-o",
                 str(stage.vm.tmp / "netpipe-receiver.out"))
    # It wants no third task; a helper that has just left may still be in the table for a moment.
    for attempt in range(1, 11):
        outcome = stage.program("NPpvm", "-h", host, *options, *bounds, "-o", str(output))
        if "Start a clean machine" not in outcome.stdout:
            break
    if not output.exists():
        raise Wrong("no output: %s\n%s%s" % (outcome.status, outcome.stdout, outcome.stderr))
    lines = output.read_text().splitlines()
    sizes = [int(line.split()[0]) for line in lines]
    if sizes != sorted(set(sizes)) or sizes[0] != 1 or not 60000 < sizes[-1] <= 100003:
        raise Wrong("sizes %s\n%s" % (sizes, outcome.stdout))
    for line in lines:
        check_line(line.split())
    expect(outcome.status, 0, "exit status")
    if "Sending output to %s\n" % output not in outcome.stdout:
        raise Wrong("stdout:\n" + outcome.stdout)
    stage.expect_programs({"NPpvm": 1 + attempt})
    return outcome.stderr


def netpipe_speed(stage):
    def rate(words):
        if len(words) != 3 or float(words[1]) <= 0 or float(words[2]) <= 0:
            raise Wrong("a size without a rate: %s" % words)
    text = netpipe(stage, [], rate)
    if "Now starting the main loop" not in text:
        raise Wrong(text)


def netpipe_integrity(stage):
    def repeats(words):
        expect(words[1:], ["10"], "repeats")
    text = netpipe(stage, ["-i"], repeats)
    checked = re.findall(r"-->\s+(.*)", text)
    expect(set(checked), {"Integrity check passed"}, "checks\n" + text)


STORIES = [
    (hello, ["hello.pvm", "hello_other"]),
    (master_slave, ["master1", "slave1"]),
    (alone_in_ring, ["spmd"]),
    (token_ring, ["spmd"]),
    (timing, ["timing", "timing_slave"]),
    (heterogeneous, ["hitc", "hitc_slave"]),
    (netpipe_integrity, ["NPpvm"]),
    (netpipe_speed, ["NPpvm"]),
]


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0

    def result(self, good, name, detail=""):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        for line in str(detail).splitlines():
            print("#   " + line)
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, reason), flush=True)


def cannot_run(side, programs):
    """Words on why these programs cannot be run here, or None."""
    for name in programs:
        path = DEBIAN / name
        if not path.exists():
            return "%s is not installed (pvm-examples, netpipe-pvm)" % name
        linked = subprocess.run(["ldd", str(path)], stdout=subprocess.PIPE,
                                stderr=subprocess.DEVNULL, text=True,
                                env=dict(os.environ, LD_LIBRARY_PATH=str(side.lib))).stdout
        missing = re.findall(r"(\S+) => not found", linked)
        if missing:
            return "%s needs %s" % (name, ", ".join(missing))
    return None


def build_witness(side):
    witness = side.bin / "witness.so"
    subprocess.run([os.environ.get("CC", "cc"), "-shared", "-fPIC", "-O1", "-Wall", "-o",
                    str(witness), str(HERE / "helpers" / "witness.c")], check=True)
    return witness


def tell_stories(side, hosts, tap, only):
    begin = time.monotonic()
    environment = {"PVM_PATH": "%s:%s" % (DEBIAN, side.bin),
                   "LD_PRELOAD": str(side.bin / "witness.so")}
    with machine.Machine(side, environment=environment, hosts=hosts) as vm:
        stage = Stage(vm, hosts)
        stage.witness.mkdir()
        vm.env["PVM_TEST_WITNESS"] = str(stage.witness)
        trouble = []
        for story, programs in STORIES:
            name = "%s, %d host%s: %s" % (side.name, hosts, "s" if hosts > 1 else "",
                                          story.__name__.replace("_", " "))
            if only and story.__name__ not in only:
                continue
            reason = cannot_run(side, programs)
            if reason:
                tap.skip(name, reason)
                continue
            try:
                vm.ready()
                stage.forget_programs()
                story(stage)
                left = vm.wait_for_end(vm.baseline)
                expect(len(left), 0, "processes left behind")
                tap.result(True, name)
            except (Wrong, OSError, ValueError, IndexError) as problem:
                tap.result(False, name, "%s: %s" % (type(problem).__name__, problem))
                trouble += vm.stop()
        trouble += vm.stop()
        tap.result(not trouble, "%s, %d hosts: the machine ends and nothing remains" %
                   (side.name, hosts), "\n".join(trouble))
    print("# %s, %d hosts: %.1f s" % (side.name, hosts, time.monotonic() - begin))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tree", default=os.environ.get("PVM_TEST_BUILD"),
                        help="our build folder; the next three are found there")
    parser.add_argument("--include", help="our header directory")
    parser.add_argument("--lib", help="our library directory")
    parser.add_argument("--pvmd", help="our daemon")
    parser.add_argument("--original", action="store_true",
                        help="run the stories on the original PVM, one host")
    parser.add_argument("--hosts", type=int, action="append", help="how many hosts (1 and 3)")
    parser.add_argument("only", nargs="*", help="stories to tell")
    return parser.parse_args()


def main():
    machine.end_orderly_on_signals()
    options = arguments()
    tap = Tap()
    build = tempfile.mkdtemp(prefix="pvm-debian-")
    begin = time.monotonic()
    try:
        if options.original:
            side = machine.original("original", build)
            hosts = [1]
        else:
            side = machine.ours(options.tree, options.include, options.lib, options.pvmd, build)
            hosts = options.hosts or [1, 2, 3]
        if not side:
            print("1..0 # SKIP %s" % ("the original is not installed" if options.original else
                                      "no build folder given (--tree)"))
            return 0
        helpers = sorted((HERE / "helpers").glob("*.c"))
        shared = sorted((CONFORMANCE / "helpers").glob("*.c"))
        side.build([h for h in helpers if h.stem != "witness"] + shared, CONFORMANCE)
        build_witness(side)
        for count in hosts:
            tell_stories(side, count, tap, options.only)
    finally:
        shutil.rmtree(build, ignore_errors=True)
    print("1..%d" % tap.count)
    print("# suite debian: %.1f s, %d failed" % (time.monotonic() - begin, tap.failed))
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())
