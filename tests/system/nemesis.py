#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Real daemons under torment: killed, stopped, frozen, cut off, in bad weather, by a seed, while a
job (nemesis.c) looks from inside whether every promise holds. After each fault the machine must be
whole again within a bound, and no host may be gone but those that the fault may cost.

    nemesis.py [--seed N] [--seconds S] [--hosts N] [--faults KIND,KIND...] [--count N]

Each fault is printed with the command that repeats everything up to it.
"""
import argparse
import pathlib
import shutil
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import nemesis  # noqa: E402
import pvmtest  # noqa: E402

PER_HOST = 2
RECOVERY_LIMIT_S = 30
BEFORE_FAULT_S = 1.0
KINDS = {
    # kind: (weight, needs the relay, how it is drawn)
    "kill": (4, False, lambda n: n.kill()),
    "kill2": (1, False, lambda n: n.kill(2)),
    "killhost": (1, False, lambda n: n.kill_host()),
    "stop": (3, False, lambda n: n.stop(n.chance.choice((1, 3)))),
    "stoplong": (1, False, lambda n: n.stop(n.chance.choice((5, 8)))),
    "stop30": (0, False, lambda n: n.stop(30)),
    "freeze": (2, False, lambda n: n.freeze(n.chance.choice((1, 3)))),
    "freezelong": (1, False, lambda n: n.freeze(n.chance.choice((5, 8)))),
    "cut": (2, True, lambda n: n.cut(n.chance.choice((1, 3)))),
    "cutlong": (1, True, lambda n: n.cut(7)),
    "oneway": (1, True, lambda n: n.cut_one_way(n.chance.choice((1, 3)))),
    "onewaylong": (1, True, lambda n: n.cut_one_way(7)),
    "pair": (2, True, lambda n: n.cut_pair(n.chance.choice((1, 3, 7)))),
    "split": (1, True, lambda n: n.split(n.chance.choice((1, 3, 7)))),
    "weather": (3, True, lambda n: n.weather(n.chance.choice((2, 4)))),
}


def replace_lost(machine, hosts):
    """Adds hosts for those whose daemons are gone, when the table has room; others come back by
    themselves."""
    missing = hosts - len(machine.daemons())
    if missing > 0 and len(nemesis.table(machine)) + missing <= hosts:
        machine.console("add " + " ".join(["local"] * missing), 60)


class Run:
    def __init__(self, options, machine, net, chance):
        self.options = options
        self.machine = machine
        self.net = net
        self.chance = chance
        self.job = None
        self.recoveries = []
        self.number = 0

    def start(self):
        machine, hosts = self.machine, self.options.hosts
        machine.start()
        outcome = machine.add("local:%d" % (hosts - 1))
        if "%d successful" % (hosts - 1) not in outcome.out:
            raise pvmtest.Failure("the hosts do not come: %s" % outcome)
        home = self.options.home or sorted(n for n in machine.daemons() if n != machine.name)[0]
        machine.env["PVMSOCK"] = str(machine.host_folder(home) / "sock")
        self.nemesis = nemesis.Nemesis(machine, home, self.chance, self.net)
        self.job = nemesis.Job(machine, PER_HOST)
        self.job.wait_until_steady(hosts, 0, RECOVERY_LIMIT_S)

    def draw(self):
        kinds = [k for k in self.options.faults if self.net or not KINDS[k][1]]
        kind = self.chance.choices(kinds, [KINDS[k][0] or 1 for k in kinds])[0]
        return KINDS[kind][2](self.nemesis)

    def one_fault(self):
        self.number += 1
        time.sleep(self.chance.random() * BEFORE_FAULT_S)
        before = nemesis.table(self.machine)
        fault = self.draw()
        print("# fault %d: %s    (%s --seed %d --hosts %d --count %d)" % (
            self.number, fault.words, pathlib.Path(__file__).name, self.options.seed,
            self.options.hosts, self.number), flush=True)
        fault.run()
        begin, rounds = time.monotonic(), self.job.status()[0]

        def whole():
            if fault.costs:
                replace_lost(self.machine, self.options.hosts)
            return self.job.is_steady(self.options.hosts, rounds)
        try:
            pvmtest.wait_until(whole, "whole", RECOVERY_LIMIT_S, 0.1)
        except pvmtest.Failure as problem:
            self.job.expect_good()
            raise pvmtest.Failure("not whole within %d s after %s: hosts %s, daemons %s, the job "
                                  "says %s" % (RECOVERY_LIMIT_S, fault.words,
                                               sorted(nemesis.table(self.machine)),
                                               sorted(self.machine.daemons()),
                                               self.job.status())) from problem
        after = nemesis.table(self.machine)
        lost = {name for name, tid in before.items() if after.get(name) != tid}
        if lost - fault.costs:
            raise pvmtest.Failure("%s lost its place by %s" % (" ".join(sorted(lost - fault.costs)),
                                                              fault.words))
        self.recoveries.append(time.monotonic() - begin)

    def all_faults(self):
        end = time.monotonic() + self.options.seconds
        while self.number < self.options.count if self.options.count else time.monotonic() < end:
            self.one_fault()

    def end(self):
        machine = self.machine
        self.job.stop()
        rounds, _, _, messages, ended = self.job.status()
        print("# %d faults; %d rounds, %d messages, %d members ended; whole again after %.1f s, "
              "at most %.1f s" % (self.number, rounds, messages, ended,
                                  sorted(self.recoveries)[len(self.recoveries) // 2],
                                  max(self.recoveries)))
        print("# the job says: " + self.job.file.read_text().strip())
        if self.net:
            print("# network: %s" % self.net.counts())


def run(tap, build, options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pvmt-net-"))
    seed, chance = nemesis.seeded(options.seed)
    options.seed = seed
    print("# seed %d, %d hosts" % (seed, options.hosts))
    reason = nemesis.Net.reason_not(build)
    if reason:
        print("# without faults of the network: " + reason)
    net = None if reason else nemesis.Net(build, folder, seed)
    try:
        with pvmtest.Machine(build, net.environment() if net else None) as machine:
            run_one = Run(options, machine, net, chance)
            with tap.story("%d hosts: every promise holds under torment" % options.hosts):
                try:
                    run_one.start()
                    run_one.all_faults()
                    run_one.end()
                except pvmtest.Failure:
                    nemesis.print_logs(machine, options.lines)
                    raise
            with tap.story("%d hosts: nothing is left after halt" % options.hosts):
                machine.console("halt")
                machine.expect_nothing_left(15)
    finally:
        if net:
            net.close()
        shutil.rmtree(folder, ignore_errors=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--hosts", type=int, help="5, then 8 unless told otherwise")
    parser.add_argument("--count", type=int, help="so many faults, however long it takes")
    parser.add_argument("--faults", default="", help="only these: " + " ".join(KINDS))
    parser.add_argument("--home", help="the host that is never harmed (the second)")
    parser.add_argument("--lines", type=int, default=30, help="of each log, after a failure")
    options = parser.parse_args()
    options.faults = options.faults.split(",") if options.faults else \
        [k for k in KINDS if KINDS[k][0]]
    return options


def main():
    pvmtest.end_on_signals()
    options = arguments()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    if options.hosts:
        run(tap, build, options)
    else:
        for hosts, share in ((5, 0.6), (8, 0.4)):
            run(tap, build, argparse.Namespace(**dict(vars(options), hosts=hosts,
                                                      seconds=options.seconds * share)))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
