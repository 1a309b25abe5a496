#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Eight real hosts: how soon everybody who asked knows that a daemon was killed, that one is
silent, that a task has ended; the master's too.

    crash.py [KILLS] [STOPS]    4 kills and 1 stop of each kind unless told otherwise

The full measure of docs/reliability.md: crash.py 20 5. Times are from the signal to the notice in
the task, over all notices; a table is printed.
"""
import os
import pathlib
import random
import signal
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import (Failure, Lines, Machine, Tap, end_on_signals, end_pid, require_build,
                     wait_until)

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 4
STOPS = int(sys.argv[2]) if len(sys.argv) > 2 else 1
HOSTS, PER_HOST = 8, 4
CRASH_LIMIT_S, TASK_LIMIT_S = 0.1, 0.1
# A sanitizer makes everything several times slower.
SLOW = 10


def expect(condition, words):
    if not condition:
        raise Failure(words)


def show(what, times_s, limit_s):
    times_s = sorted(times_s)
    print("# %-44s median %8.2f ms, slowest %8.2f ms of %3d, limit %g ms" % (
        what, times_s[len(times_s) // 2] * 1000, times_s[-1] * 1000, len(times_s),
        limit_s * 1000))


class Job:
    """The program scale.c, enrolled at |host|, with tasks on all hosts."""

    def __init__(self, machine, host, tasks):
        environment = dict(machine.env, PVMSOCK=str(machine.host_folder(host) / "sock"))
        self.process = machine.popen([machine.build.helpers / "scale", tasks], stdin=-1,
                                     env=environment)
        self.lines = Lines(self.process)
        said = self.lines.next(60)
        expect(said == "waiting", "the job begins: " + said)

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def watch_host(self, name):
        """Tasks on all other hosts ask for the end of that one; how many."""
        self.say("host " + name)
        words = self.lines.next().split()
        expect(words[:1] == ["asked"], "the tasks ask: %s" % words)
        return int(words[1])

    def told_s(self, limit_s):
        """The times at which the notices came."""
        self.say("told")
        times_s = []
        while True:
            line = self.lines.next(limit_s)
            if line == "done":
                return times_s
            times_s.append(float(line) / 1e6)

    def notices_s(self, count):
        self.say("notify %d" % count)
        times_s = []
        while True:
            words = self.lines.next().split()
            if words[0] == "done":
                return times_s
            expect(words[0] == "0", "a notice: %s" % words)
            times_s.append(int(words[1]) / 1e6)

    def end(self):
        self.process.stdin.close()
        self.process.wait(20)


def table(machine):
    return sorted(machine.host_names())


def make_whole(machine):
    """Eight hosts again."""
    wait_until(lambda: len(table(machine)) < HOSTS, "the host is out", 30, 0.2)
    missing = HOSTS - len(table(machine))
    outcome = machine.add("local:%d" % missing)
    wait_until(lambda: len(table(machine)) == HOSTS, "%d hosts again: %s" % (HOSTS, outcome), 30,
               0.2)


def lose(machine, victim, number, limit_s):
    """Signals the daemon of |victim|; seconds until each of the others was told."""
    home = sorted(name for name in machine.daemons() if name != victim)[-1]
    job = Job(machine, home, HOSTS * PER_HOST)
    asked = job.watch_host(victim)
    expect(asked == HOSTS - 1, "all others ask: %d" % asked)
    pid = machine.daemons()[victim]
    began_s = time.time()
    os.kill(pid, number)
    times_s = [at_s - began_s for at_s in job.told_s(limit_s)]
    expect(len(times_s) == asked, "all are told: %s" % times_s)
    job.end()
    end_pid(pid)
    return times_s


def machine_of_eight(build, dead_after_s=None):
    environment = {"PVM_DEAD_AFTER": "%g" % dead_after_s} if dead_after_s else {}
    machine = Machine(build, environment)
    machine.start()
    machine.add("local:%d" % (HOSTS - 1))
    wait_until(lambda: len(table(machine)) == HOSTS, "%d hosts" % HOSTS)
    return machine


def factor(build):
    return SLOW if build.is_sanitized() else 1


def kills(build, tap):
    limit_s = CRASH_LIMIT_S * factor(build)
    chance = random.Random(7)
    others_s, masters_s = [], []
    with machine_of_eight(build) as machine:
        for i in range(KILLS):
            names = sorted(machine.daemons())
            is_master = i % 4 == 3
            victim = leader(machine) if is_master else \
                chance.choice([n for n in names if n != leader(machine)])
            times_s = lose(machine, victim, signal.SIGKILL, 20)
            (masters_s if is_master else others_s).extend(times_s)
            make_whole(machine)
        with tap.story("tasks end"):
            job = Job(machine, sorted(machine.daemons())[0], HOSTS * PER_HOST)
            ends_s = job.notices_s(20)
            job.end()
        show("kill -9 of a daemon", others_s, CRASH_LIMIT_S)
        tap.ok(max(others_s) <= limit_s, "kill -9 of a daemon is known to all in time", others_s)
        if masters_s:
            show("kill -9 of the master's", masters_s, CRASH_LIMIT_S)
            tap.ok(max(masters_s) <= limit_s, "so is that of the master", masters_s)
        show("end of a task", ends_s, TASK_LIMIT_S)
        tap.ok(max(ends_s) <= TASK_LIMIT_S * factor(build), "so is the end of a task", ends_s)
        machine.console("halt")
        machine.expect_nothing_left(10)


def leader(machine):
    """The host whose daemon has led last, as the logs have it."""
    found = (0, machine.name)
    for name in machine.daemons():
        for line in machine.log(name).splitlines():
            if "leads term" in line:
                found = max(found, (int(line.rsplit("term", 1)[1].split()[0]), name))
    return found[1]


def stops(build, tap, dead_after_s):
    all_s = []
    with machine_of_eight(build, dead_after_s) as machine:
        for i in range(STOPS):
            names = sorted(n for n in machine.daemons() if n != leader(machine))
            all_s += lose(machine, names[i % len(names)], signal.SIGSTOP, 30)
            if i + 1 < STOPS:
                make_whole(machine)
        show("SIGSTOP of a daemon, dead after %g s" % dead_after_s, all_s, dead_after_s)
        tap.ok(max(all_s) <= dead_after_s * factor(build), "a silent host is out within %g s"
               % dead_after_s, all_s)
        machine.console("halt")
        machine.expect_nothing_left(10)


def main():
    build = require_build()
    end_on_signals()
    tap = Tap()
    with tap.story("daemons are killed"):
        kills(build, tap)
    for dead_after_s in (5, 1):
        with tap.story("daemons are stopped, dead after %g s" % dead_after_s):
            stops(build, tap, dead_after_s)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
