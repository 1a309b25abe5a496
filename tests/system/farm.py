#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The task farm of examples/farm while hosts are killed, any of them: that of the master, of the
leading supervisor, of the client. Every item must have its result, once, and the right one; the
time is compared with that of an undisturbed run.

    farm.py [--items N] [--ms N] [--workers N] [--kills N] [--hosts N] [--seed N] [--bound R]
    farm.py --record        10,000 items, 50 kills, at most twice the time

After each kill a new host is added, as somebody who keeps a machine at strength would.
"""
import argparse
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import nemesis  # noqa: E402
import pvmtest  # noqa: E402

LOST_DAEMON = 3  # the client's word for: run me again
RUN_LIMIT_S = 600


def right_result(item):
    steps, n = 0, item + 1
    while n != 1:
        n, steps = (n // 2 if n % 2 == 0 else 3 * n + 1), steps + 1
    return steps


class Farm:
    """One run of the farm: the client is started again wherever a daemon lives."""

    def __init__(self, machine, options):
        self.machine = machine
        self.options = options
        self.file = machine.tmp / "results"
        self.file.unlink(missing_ok=True)
        self.clients = 0
        self.client = None
        self.said = ""

    def socket(self):
        """Of some daemon that lives."""
        for name in sorted(self.machine.daemons()):
            path = self.machine.host_folder(name) / "sock"
            if path.exists():
                return str(path)
        raise pvmtest.Failure("no daemon lives")

    def step(self):
        """Keeps a client running; true when the results are there."""
        if self.client and self.client.poll() is None:
            return False
        if self.client:
            out, err = self.client.communicate()
            self.said = (out + err).decode(errors="replace")
            if self.client.returncode == 0:
                return True
            if self.client.returncode != LOST_DAEMON:
                raise pvmtest.Failure("the client ended with %d: %s" % (self.client.returncode,
                                                                        self.said))
        self.machine.env["PVMSOCK"] = self.socket()
        options = self.options
        self.client = self.machine.popen(
            [self.machine.build.examples / "farm" / "farm", "-n", options.items, "-t", options.ms,
             "-w", options.workers, "-o", self.file])
        self.clients += 1
        return False

    def check(self):
        lines = [tuple(map(int, line.split())) for line in self.file.read_text().splitlines()]
        wrong = [line for line in lines if line[1] != right_result(line[0])]
        if wrong:
            raise pvmtest.Failure("wrong results: %s" % wrong[:10])
        if [item for item, _ in lines] != list(range(self.options.items)):
            raise pvmtest.Failure("%d lines, not every item once" % len(lines))


def run_undisturbed(machine, options):
    farm = Farm(machine, options)
    begin = time.monotonic()
    pvmtest.wait_until(farm.step, "the farm is done", RUN_LIMIT_S, 0.05)
    took = time.monotonic() - begin
    farm.check()
    return took, farm


class Killer:
    """Kills a host now and then, and brings a new one."""

    def __init__(self, machine, options, chance, period):
        self.machine = machine
        self.options = options
        self.chance = chance
        self.period = period
        self.next = time.monotonic() + period / 2
        self.kills = 0
        self.adder = None

    def add_missing(self):
        """One new host for one that is gone, at a time, and without waiting for it here."""
        if self.adder and self.adder.poll() is None:
            return
        if len(self.machine.daemons()) >= self.options.hosts:
            return
        self.adder = self.machine.popen([self.machine.build.pvm], stdin=-1)
        self.adder.stdin.write(b"add local\n")
        self.adder.stdin.close()
        self.adder.stdin = None

    def step(self, farm):
        self.machine.env["PVMSOCK"] = farm.socket()
        self.add_missing()
        daemons = self.machine.daemons()
        if self.kills >= self.options.kills or time.monotonic() < self.next or \
                len(daemons) < self.options.hosts or self.missing_from_table():
            return
        victim = self.chance.choice(sorted(daemons))
        print("# kill %d at %.1f s: %s" % (self.kills + 1, time.monotonic() - farm.begin, victim),
              flush=True)
        pvmtest.end_pid(daemons[victim])
        self.kills += 1
        self.next = max(time.monotonic(), self.next) + self.period * (0.5 + self.chance.random())

    def missing_from_table(self):
        return len(nemesis.table(self.machine)) < self.options.hosts


def run_disturbed(machine, options, chance, undisturbed):
    farm = Farm(machine, options)
    farm.begin = time.monotonic()
    # All kills are to fall into the run, also when it takes no longer than the undisturbed one.
    killer = Killer(machine, options, chance, 0.7 * undisturbed / (options.kills + 1))

    def step():
        if farm.step():
            return True
        killer.step(farm)
        return False
    pvmtest.wait_until(step, "the farm is done", RUN_LIMIT_S, 0.05)
    took = time.monotonic() - farm.begin
    farm.check()
    return took, farm, killer.kills


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1500)
    parser.add_argument("--ms", type=int, default=80)
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--kills", type=int, default=4)
    parser.add_argument("--hosts", type=int, default=5)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--bound", type=float, help="of the time, against undisturbed")
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    if options.record:
        options.items, options.kills, options.ms, options.bound = 10000, 50, 160, 2.0
    return options


def main():
    pvmtest.end_on_signals()
    options = arguments()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    seed, chance = nemesis.seeded(options.seed)
    print("# seed %d" % seed)
    ratio = 0
    with pvmtest.Machine(build) as machine:
        with tap.story("%d items, %d hosts killed: every result once" % (options.items,
                                                                       options.kills)):
            machine.env["PVM_PATH"] = str(build.examples / "farm")
            machine.start()
            machine.add("local:%d" % (options.hosts - 1))
            undisturbed, _ = run_undisturbed(machine, options)
            try:
                took, farm, kills = run_disturbed(machine, options, chance, undisturbed)
            except pvmtest.Failure:
                nemesis.print_logs(machine, 25)
                raise
            ratio = took / undisturbed
            print("# undisturbed %.1f s, with %d kills %.1f s: %.2f times; %d clients; %s" % (
                undisturbed, kills, took, ratio, farm.clients,
                " ".join(farm.said.split("\n")[:3])))
            if kills < options.kills:
                raise pvmtest.Failure("only %d kills during the run" % kills)
        if options.bound:
            tap.ok(0 < ratio <= options.bound, "within %g times the undisturbed time" %
                   options.bound, "%.2f" % ratio)
        with tap.story("nothing is left after halt"):
            machine.console("halt")
            machine.expect_nothing_left(15)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
