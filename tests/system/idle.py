#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Waiting costs nothing: wake-ups of tasks, guardians and daemons are counted, and what a task that
waits holds in memory.

The full measure: PVM_TEST_IDLE_HOSTS=8 PVM_TEST_IDLE_TASKS=200 PVM_TEST_IDLE_S=30. A thousand tasks
on one host: PVM_TEST_IDLE_HOSTS=1 PVM_TEST_IDLE_TASKS=1000.
"""
import os
import pathlib
import re
import select
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import (Failure, Machine, Tap, end_on_signals, read_proc, require_build, wait_until,
                     words_of)

HOSTS = int(os.environ.get("PVM_TEST_IDLE_HOSTS", "3"))
TASKS = int(os.environ.get("PVM_TEST_IDLE_TASKS", "20"))
WATCH_S = float(os.environ.get("PVM_TEST_IDLE_S", "5"))
DAEMON_WAKES_PER_S_MAX, GUARDIAN_WAKES_PER_S_MAX, CORE_SHARE_MAX = 5, 0.3, 0.01
TASK_BYTES_MAX = 1 << 20
START_LIMIT_S, QUIET_LIMIT_S = 60, 30


def expect(condition, words):
    if not condition:
        raise Failure(words)


def wakes(pids):
    """How often the threads of |pids| went to sleep of themselves, in all."""
    total = 0
    for pid in pids:
        for thread in os.listdir("/proc/%d/task" % pid):
            found = re.search(rb"\nvoluntary_ctxt_switches:\s*(\d+)",
                              read_proc(pid, "task/%s/status" % thread))
            total += int(found.group(1)) if found else 0
    return total


def cpu_s(pids):
    ticks = 0
    for pid in pids:
        fields = read_proc(pid, "stat").decode().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def own_bytes(pid):
    """Memory that is there because of this process: what it wrote, segments it shares included."""
    text = read_proc(pid, "smaps_rollup")
    return sum(int(found) * 1024 for found in
               re.findall(rb"(?:Private|Shared)_(?:Dirty|Hugetlb):\s*(\d+) kB", text))


def anonymous_bytes(pid):
    found = re.search(rb"RssAnon:\s*(\d+) kB", read_proc(pid, "status"))
    return int(found.group(1)) * 1024 if found else 0


def line_of(program, limit_s):
    ready, _, _ = select.select([program.stdout], [], [], limit_s)
    return program.stdout.readline().decode().strip() if ready else "nothing was heard"


class Bed:
    """A machine with blocked tasks on every host."""

    def __init__(self, machine, build):
        machine.start()
        self.before = anonymous_bytes(machine.daemons()[machine.name])
        if HOSTS > 1:
            machine.add(*["local"] * (HOSTS - 1))
        wait_until(lambda: len(machine.daemons()) == HOSTS, "%d daemons" % HOSTS)
        self.program = machine.popen([build.helpers / "idle", TASKS], stdin=-1)
        said = line_of(self.program, START_LIMIT_S)
        expect(said == "waiting", "the spawner: %s" % said)
        wait_until(lambda: not machine.tasks("pvm"), "the console is gone")
        self.daemons = machine.daemons()
        self.guardians = machine.guardians()
        self.tasks = [p for p in machine.tasks("idle") if p != self.program.pid]
        expect(len(self.tasks) == TASKS, "%d tasks wait" % len(self.tasks))

    def settle(self):
        """Waits for a second in which no task woke: what began the tasks is over then."""
        def is_quiet():
            before = wakes(self.tasks)
            time.sleep(1)
            return wakes(self.tasks) == before
        wait_until(is_quiet, "the tasks come to rest", QUIET_LIMIT_S, 0)

    def end(self):
        self.program.stdin.close()
        self.program.wait(20)


def count_wakes(bed, tap):
    everybody = list(bed.daemons.values()) + bed.guardians + bed.tasks
    groups = dict({name: [pid] for name, pid in bed.daemons.items()},
                  tasks=bed.tasks, guardians=bed.guardians)
    bed.settle()
    began, before, cpu_before = time.monotonic(), {n: wakes(p) for n, p in groups.items()}, \
        cpu_s(everybody)
    time.sleep(WATCH_S)
    passed_s = time.monotonic() - began
    counts = {name: wakes(pids) - before[name] for name, pids in groups.items()}
    share = (cpu_s(everybody) - cpu_before) / passed_s
    print("# %d hosts, %d tasks, %.0f s: %s; %.2f %% of a core" % (
        HOSTS, TASKS, passed_s, ", ".join("%s %d" % item for item in counts.items()), share * 100))
    tap.ok(counts["tasks"] == 0, "a task that waits does not wake", counts)
    # A guardian sleeps until the lease ends that it saw last, which is nearly as long as that.
    tap.ok(counts["guardians"] <= GUARDIAN_WAKES_PER_S_MAX * passed_s * HOSTS + HOSTS,
           "a guardian wakes once in a lease", counts)
    busiest = max(counts[name] for name in bed.daemons)
    tap.ok(busiest <= DAEMON_WAKES_PER_S_MAX * passed_s,
           "a daemon wakes at most %d times a second" % DAEMON_WAKES_PER_S_MAX, counts)
    # A tick is 10 ms: one or two are nothing but the grain of the clock.
    tap.ok(share <= CORE_SHARE_MAX or share * passed_s <= 0.03,
           "all together take less than a hundredth of a core", share)


def measure_memory(machine, bed, build, tap):
    """A task against a process that has the C library only, and what the daemon holds for each."""
    floor = machine.popen(["sleep", "600"])
    wait_until(lambda: words_of(floor.pid)[:1] == ["sleep"], "another process runs")
    wait_until(lambda: re.search(rb"S \(sleeping\)", read_proc(floor.pid, "status")), "it waits")
    floor_bytes = own_bytes(floor.pid)
    task_bytes = max(own_bytes(pid) for pid in bed.tasks) - floor_bytes
    daemon_bytes = max(anonymous_bytes(pid) for pid in bed.daemons.values()) - bed.before
    print("# a task holds %d KiB of its own beyond the C library's %d; the daemon %.1f KiB for each"
          % (task_bytes // 1024, floor_bytes // 1024, daemon_bytes / 1024 / (TASKS / HOSTS)))
    if build.is_sanitized():
        tap.skip("a task that waits holds less than 1 MB", "it holds the sanitizer's books too")
    else:
        tap.ok(task_bytes < TASK_BYTES_MAX, "a task that waits holds less than 1 MB", task_bytes)
    floor.kill()


def main():
    build = require_build()
    if not read_proc(os.getpid(), "smaps_rollup"):
        print("1..0 # SKIP no /proc to count with")
        return 0
    end_on_signals()
    tap = Tap()
    with Machine(build) as machine:
        bed = None
        with tap.story("%d tasks wait on %d hosts" % (TASKS, HOSTS)):
            bed = Bed(machine, build)
        if bed:
            with tap.story("they are counted"):
                count_wakes(bed, tap)
                measure_memory(machine, bed, build, tap)
            with tap.story("they end when told"):
                bed.end()
                wait_until(lambda: not machine.tasks("idle"), "no task is left")
                machine.halt()
                machine.expect_nothing_left()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
