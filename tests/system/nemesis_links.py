#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Five hosts in network namespaces with real cables, which are pulled, one end of them or both,
while a job (nemesis.c) looks from inside. After each the machine must be whole again, and nobody
may be gone but those that were away for longer than they may.

    nemesis_links.py [--seed N] [--seconds S] [--count N]
"""
import argparse
import os
import pathlib
import sys
import time

os.environ.setdefault("PVM_TEST_NAMESPACE_COUNT", "5")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import namespaces  # noqa: E402
import nemesis  # noqa: E402
import pvmtest  # noqa: E402

HOME = "h1"
NOWHERE = "02:00:00:00:00:99"
RECOVERY_LIMIT_S = 45


class Cables:
    """Faults of the network, each ended by heal()."""

    def __init__(self, network, chance):
        self.network = network
        self.chance = chance
        self.undo = []

    def neighbour(self, host, *words):
        namespaces.command(*self.network.enter(host), "ip", "neigh", *words)

    def deafen(self, speaker, listener):
        """What |speaker| sends to |listener| goes to a card that does not exist."""
        address = namespaces.address_of(listener)
        self.neighbour(speaker, "replace", address, "lladdr", NOWHERE, "dev", "eth0", "nud",
                       "permanent")
        self.undo.append(lambda: self.neighbour(speaker, "del", address, "dev", "eth0"))

    def pull(self, host):
        self.network.cable(host, "down")
        self.undo.append(lambda: self.network.cable(host, "up"))

    def heal(self):
        while self.undo:
            self.undo.pop()()

    def draw(self):
        """(words, hosts that may lose their place, how it begins, seconds)"""
        seconds = self.chance.choice((1, 3, 3, 7))
        others = [h for h in namespaces.HOSTS if h != HOME]
        one, other = self.chance.sample(others, 2)
        everybody = [h for h in namespaces.HOSTS if h != one]
        kinds = [
            ("the cable of %s pulled" % one, {one}, lambda: self.pull(one)),
            ("the cables of %s and %s pulled" % (one, other), {one, other},
             lambda: (self.pull(one), self.pull(other))),
            ("%s is not heard" % one, {one},
             lambda: [self.deafen(one, h) for h in everybody]),
            ("%s hears nothing" % one, {one},
             lambda: [self.deafen(h, one) for h in everybody]),
            ("no path between %s and %s" % (one, other), set(),
             lambda: (self.deafen(one, other), self.deafen(other, one))),
            ("%s does not reach %s, one way" % (one, other), set(),
             lambda: self.deafen(one, other))]
        words, costs, begin = self.chance.choice(kinds)
        return words, costs if seconds > nemesis.HARMLESS_S else set(), begin, seconds


def torment(machine, network, options, chance):
    job = nemesis.Job(machine, 2)
    hosts = len(namespaces.HOSTS)
    job.wait_until_steady(hosts, 0, 30)
    cables, number = Cables(network, chance), 0
    end = time.monotonic() + options.seconds
    while number < options.count if options.count else time.monotonic() < end:
        number += 1
        before = nemesis.table(machine)
        words, costs, begin, seconds = cables.draw()
        print("# fault %d: %s for %d s    (nemesis_links.py --seed %d --count %d)" % (
            number, words, seconds, options.seed, number), flush=True)
        try:
            begin()
            time.sleep(seconds)
        finally:
            cables.heal()
        job.wait_until_steady(hosts, job.status()[0], RECOVERY_LIMIT_S)
        after = nemesis.table(machine)
        lost = {name for name, tid in before.items() if after.get(name) != tid}
        if lost - costs:
            raise pvmtest.Failure("%s lost its place: %s for %d s" % (
                " ".join(sorted(lost - costs)), words, seconds))
    job.stop()
    print("# %d faults; the job says: %s" % (number, job.file.read_text().strip()))


def inside(options):
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    options.seed, chance = nemesis.seeded(options.seed)
    print("# seed %d" % options.seed)
    try:
        network = namespaces.Network().__enter__()
    except (pvmtest.Failure, OSError) as problem:
        pvmtest.skip_all("no network of our own: %s" % problem)
    try:
        with pvmtest.Machine(build, wrap=network.enter("h0")) as machine, \
                tap.story("five hosts whose cables are pulled: every promise holds"):
            machine.env.update({
                "PVM_RSH": str(pathlib.Path(namespaces.__file__).resolve()),
                namespaces.REACH: " ".join("%s=%d" % (h, p.pid)
                                           for h, p in network.holders.items())})
            machine.start()
            outcome = machine.console("\n".join(map(namespaces.add_line, namespaces.HOSTS[1:])),
                                      60)
            if outcome.out.count("1 successful") != len(namespaces.HOSTS) - 1:
                raise pvmtest.Failure(str(outcome))
            machine.env["PVMSOCK"] = str(machine.tmp / HOME / ("pvm-%d" % os.getuid()) /
                                         machine.vmid / HOME / "sock")
            torment(machine, network, options, chance)
            machine.console("halt")
            machine.expect_nothing_left(15)
    finally:
        network.__exit__()
    return tap.done()


def main():
    pvmtest.end_on_signals()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int)
    parser.add_argument("--seconds", type=float, default=25)
    parser.add_argument("--count", type=int)
    options = parser.parse_args()
    if os.environ.get(namespaces.INSIDE):
        return inside(options)
    pvmtest.require_build()
    os.environ[namespaces.INSIDE] = "1"
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    words = namespaces.unshare_words()
    os.execvp(words[0], words + [sys.executable, str(pathlib.Path(__file__).resolve())] +
              sys.argv[1:])
    return 1


if __name__ == "__main__":
    sys.exit(main())
