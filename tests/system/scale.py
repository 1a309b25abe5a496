#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Many real daemons on one machine: how long adding them takes, what each costs in memory and all
in time while they have nothing to do, how soon a task's end is known elsewhere, how long the end of
everything takes.

    scale.py [HOSTS] [TASKS] [SECONDS]    12 hosts, 48 tasks, 5 s of idling unless told otherwise

The full measures of docs/reliability.md: scale.py 64 0, and scale.py 256 4000 30. A table is
printed; the limits hold for every size.
"""
import os
import pathlib
import re
import resource
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import (Failure, Lines, Machine, Tap, end_on_signals, read_proc, require_build,
                     wait_until)

HOSTS = int(sys.argv[1]) if len(sys.argv) > 1 else 12
TASKS = int(sys.argv[2]) if len(sys.argv) > 2 else 48
WATCH_S = float(sys.argv[3]) if len(sys.argv) > 3 else 5
ADD_LIMIT_S = 5 * max(1, HOSTS / 64)  # 64 in 5 s
DAEMON_BYTES_MAX = 5 << 20
CPU_SHARE_MAX = 0.10
NOTICE_LIMIT_S = 0.1
HALT_LIMIT_S = 5
NOTICES = 20
START_LIMIT_S = 120


def expect(condition, words):
    if not condition:
        raise Failure(words)


def pss(pid):
    found = re.search(rb"^Pss:\s*(\d+) kB", read_proc(pid, "smaps_rollup"), re.M)
    return int(found.group(1)) * 1024 if found else 0


def cpu_ticks(pid):
    fields = read_proc(pid, "stat").decode().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def runtime_s(pids):
    """Seconds on a processor, as fine as the system counts them (schedstat), else in ticks."""
    total = 0
    for pid in pids:
        words = read_proc(pid, "schedstat").split()
        total += int(words[0]) / 1e9 if words else cpu_ticks(pid) / os.sysconf("SC_CLK_TCK")
    return total


def wakes(pids):
    total = 0
    for pid in pids:
        found = re.search(rb"\nvoluntary_ctxt_switches:\s*(\d+)", read_proc(pid, "status"))
        total += int(found.group(1)) if found else 0
    return total


def fds(pid):
    try:
        return len(os.listdir("/proc/%d/fd" % pid))
    except OSError:
        return 0


class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, value, limit=""):
        self.rows.append((what, value, limit))

    def show(self):
        for row in self.rows:
            print("# %-44s %14s   %s" % row)


class Bed:
    def __init__(self, machine, build, table):
        self.machine, self.build, self.table = machine, build, table
        self.program = self.lines = None
        self.daemons, self.guardians = {}, []

    def add_hosts(self, tap):
        began = time.monotonic()
        outcome = self.machine.add("local:%d" % (HOSTS - 1), limit_s=180)
        took_s = time.monotonic() - began
        names = self.machine.host_names()
        expect(len(names) == HOSTS, "%d hosts: %s" % (HOSTS, outcome))
        self.table.add("%d local hosts added" % (HOSTS - 1), "%.2f s" % took_s,
                       "<= %.1f" % ADD_LIMIT_S)
        tap.ok(self.build.is_sanitized() or took_s <= ADD_LIMIT_S, "hosts are added in time",
               took_s)
        self.daemons = self.machine.daemons()
        self.guardians = self.machine.guardians()
        expect(len(self.daemons) == HOSTS and len(self.guardians) == HOSTS,
               "%d daemons, %d guardians" % (len(self.daemons), len(self.guardians)))

    def spawn(self):
        if not TASKS:
            return
        began = time.monotonic()
        self.program = self.machine.popen([self.build.helpers / "scale", TASKS], stdin=-1)
        self.lines = Lines(self.program)
        said = self.lines.next(START_LIMIT_S)
        expect(said == "waiting", "the tasks wait: %s" % said)
        self.table.add("%d tasks started" % TASKS, "%.2f s" % (time.monotonic() - began))

    def everybody(self):
        return list(self.daemons.values()) + self.guardians

    def memory(self, tap):
        daemons = sum(pss(pid) for pid in self.daemons.values())
        guardians = sum(pss(pid) for pid in self.guardians)
        each = (daemons + guardians) / HOSTS
        most = max(pss(pid) for pid in self.daemons.values())
        self.table.add("PSS of a daemon and its guardian",
                       "%.2f MB" % (each / (1 << 20)), "<= %d" % (DAEMON_BYTES_MAX >> 20))
        self.table.add("  of it the guardian", "%.2f MB" % (guardians / HOSTS / (1 << 20)))
        self.table.add("  the largest daemon", "%.2f MB" % (most / (1 << 20)))
        self.table.add("descriptors of the busiest daemon",
                       max(fds(pid) for pid in self.daemons.values()),
                       "of %d" % resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        if self.build.is_sanitized():
            tap.skip("a daemon and its guardian are small", "the sanitizer's books are larger")
        else:
            tap.ok(each <= DAEMON_BYTES_MAX, "a daemon and its guardian are small", each)

    def idle(self, tap):
        wait_until(lambda: not self.machine.tasks("pvm"), "the console is gone")
        self.settle()
        pids = self.everybody()
        before_s, woke, began = runtime_s(pids), wakes(pids), time.monotonic()
        guards = wakes(self.guardians)
        time.sleep(WATCH_S)
        passed_s = time.monotonic() - began
        share = (runtime_s(pids) - before_s) / passed_s
        self.table.add("time of all while idle", "%.2f %%" % (share * 100),
                       "<= %.0f of a core" % (CPU_SHARE_MAX * 100))
        self.table.add("wake-ups of a daemon with its guardian",
                       "%.2f /s" % ((wakes(pids) - woke) / passed_s / HOSTS))
        self.table.add("  of it the guardian",
                       "%.2f /s" % ((wakes(self.guardians) - guards) / passed_s / HOSTS))
        tap.ok(self.build.is_sanitized() or share <= CPU_SHARE_MAX, "idling costs little", share)

    def settle(self):
        """Waits until what began the hosts and tasks is over: two like seconds."""
        def is_quiet():
            pids = self.everybody()
            counts = [wakes(pids)]
            for _ in range(2):
                time.sleep(1)
                counts.append(wakes(pids))
            first, second = counts[1] - counts[0], counts[2] - counts[1]
            return abs(first - second) <= 0.2 * max(first, second) + HOSTS
        wait_until(is_quiet, "the daemons come to rest", 60, 0)

    def notices(self, tap):
        if not self.program:
            return
        self.program.stdin.write(b"notify %d\n" % NOTICES)
        self.program.stdin.flush()
        times_s = []
        while True:
            words = self.lines.next().split()
            if words[0] == "done":
                break
            expect(len(words) == 2 and words[0] == "0", "a notice: %s" % words)
            times_s.append(int(words[1]) / 1e6)
        times_s.sort()
        self.table.add("a task's end known on another host, median",
                       "%.2f ms" % (times_s[len(times_s) // 2] * 1000))
        self.table.add("  the slowest of %d" % len(times_s), "%.2f ms" % (times_s[-1] * 1000),
                       "<= %.0f" % (NOTICE_LIMIT_S * 1000))
        tap.ok(self.build.is_sanitized() or times_s[-1] <= NOTICE_LIMIT_S, "notices come soon",
               times_s)

    def halt(self, tap):
        began = time.monotonic()
        self.machine.console("halt", 60)
        pids = self.everybody()
        wait_until(lambda: not any(os.path.exists("/proc/%d" % p) and
                                   read_proc(p, "cmdline") for p in pids),
                   "daemons and guardians are gone", 60, 0.01)
        took_s = time.monotonic() - began
        self.table.add("halt", "%.2f s" % took_s, "<= %d" % HALT_LIMIT_S)
        tap.ok(self.build.is_sanitized() or took_s <= HALT_LIMIT_S, "halt takes not long", took_s)
        self.machine.expect_nothing_left()


def main():
    build = require_build()
    end_on_signals()
    if not read_proc(os.getpid(), "smaps_rollup"):
        print("1..0 # SKIP no /proc to count with")
        return 0
    tap, table = Tap(), Table()
    with Machine(build) as machine:
        bed = Bed(machine, build, table)
        with tap.story("%d hosts and %d tasks" % (HOSTS, TASKS)):
            machine.start()
            bed.add_hosts(tap)
            bed.spawn()
            bed.idle(tap)
            bed.memory(tap)
            bed.notices(tap)
        with tap.story("nothing is left"):
            bed.halt(tap)
    table.show()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
