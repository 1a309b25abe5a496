#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Five hosts in mid-job, and the master is killed with -9 at a random moment: hosts can be added
and tasks started again within 5 s, no task is lost but those of that host, mailboxes have what was
written, pending notices come exactly once. Also with another host killed at the same time, and
while the master adds hosts.

    masterkill.py [--repetitions N] [--seed N] [--variants alone,two,adding]
"""
import argparse
import pathlib
import select
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import nemesis  # noqa: E402
import pvmtest  # noqa: E402

HOSTS = 5
PER_HOST = 2
AGAIN_LIMIT_S = 5.0
STEADY_LIMIT_S = 30
ADDED_MEANWHILE = 2
VARIANTS = ("alone", "two", "adding")


def read_line(stream, limit_s, what):
    ready, _, _ = select.select([stream], [], [], limit_s)
    if not ready:
        raise pvmtest.Failure("not within %g s: %s" % (limit_s, what))
    return stream.readline().decode().strip()


class Repetition:
    def __init__(self, machine, variant, chance):
        self.machine = machine
        self.variant = variant
        self.chance = chance
        self.adder = None

    def start(self):
        machine = self.machine
        machine.start()
        outcome = machine.add("local:%d" % (HOSTS - 1))
        if "%d successful" % (HOSTS - 1) not in outcome.out:
            raise pvmtest.Failure("the hosts do not come: %s" % outcome)
        self.home = sorted(n for n in machine.daemons() if n != machine.name)[0]
        machine.env["PVMSOCK"] = str(machine.host_folder(self.home) / "sock")
        self.job = nemesis.Job(machine, PER_HOST)
        self.job.wait_until_steady(HOSTS, 0, STEADY_LIMIT_S)
        self.again = machine.popen([machine.build.helpers / "again", HOSTS], stdin=-1)
        read_line(self.again.stdout, 10, "the second program enrols")

    def kill(self):
        """Returns how long it took until a host was added and tasks started."""
        daemons = self.machine.daemons()
        victims = [daemons.pop(self.machine.name)]
        daemons.pop(self.home)
        if self.variant == "two":
            victims.append(daemons[self.chance.choice(sorted(daemons))])
        time.sleep(self.chance.random())
        if self.variant == "adding":
            self.adder = self.machine.popen([self.machine.build.pvm], stdin=-1)
            self.adder.stdin.write(b"add " + b"local " * ADDED_MEANWHILE + b"\n")
            self.adder.stdin.close()
            self.adder.stdin = None
            time.sleep(self.chance.random() * 0.4)
        begin = time.monotonic()
        for pid in victims:
            pvmtest.end_pid(pid)
        self.killed = len(victims)
        self.again.stdin.write(b"go\n")
        self.again.stdin.flush()
        words = read_line(self.again.stdout, 30, "a host is added and tasks start")
        took = time.monotonic() - begin
        if not words.startswith("ok"):
            raise pvmtest.Failure(words)
        return took

    def look(self):
        """What must hold afterwards."""
        if self.adder:
            try:
                out, _ = self.adder.communicate(timeout=30)
            except Exception:
                raise pvmtest.Failure("the call that adds hosts never came back") from None
            if b"successful" not in out and b"add" not in out:
                raise pvmtest.Failure("adding hosts meanwhile ended with %s" % out.decode())
        hosts = pvmtest.wait_until(self.table_is_true, "the table has the hosts that live", 15, 0.2)
        self.job.wait_until_steady(hosts, self.job.status()[0], STEADY_LIMIT_S)
        self.job.stop()
        ended = self.job.status()[4]
        if ended != self.killed * PER_HOST:
            raise pvmtest.Failure("%d tasks ended, of %d killed hosts with %d each" %
                                  (ended, self.killed, PER_HOST))

    def table_is_true(self):
        """Number of hosts, when there is one for each daemon."""
        names = set(self.machine.host_names())
        return len(names) if names == set(self.machine.daemons()) else 0

    def end(self):
        self.machine.console("halt")
        self.machine.expect_nothing_left(15)


def one(build, variant, chance):
    with pvmtest.Machine(build) as machine:
        repetition = Repetition(machine, variant, chance)
        try:
            repetition.start()
            took = repetition.kill()
            repetition.look()
            repetition.end()
        except pvmtest.Failure:
            nemesis.print_logs(machine, 25)
            raise
        return took


def many(tap, build, variant, seed, repetitions):
    times = []
    name = {"alone": "the master killed", "two": "the master and another host killed at once",
            "adding": "the master killed while it adds hosts"}[variant]
    with tap.story("%s, %d times: all goes on" % (name, repetitions)):
        for number in range(repetitions):
            _, chance = nemesis.seeded(seed + number)
            try:
                times.append(one(build, variant, chance))
            except pvmtest.Failure as problem:
                raise pvmtest.Failure("%s\nmasterkill.py --variants %s --seed %d" % (
                    problem, variant, seed + number)) from None
            if repetitions > 10:
                print("# %s %d: %.3f s" % (variant, number + 1, times[-1]), flush=True)
    if times:
        tap.ok(max(times) <= AGAIN_LIMIT_S, "%s: add and spawn work again within %g s" % (
            name, AGAIN_LIMIT_S), "the slowest took %.2f s" % max(times))
        print("# %s: %d times, until add and spawn worked: median %.3f s, at most %.3f s" % (
            name, len(times), sorted(times)[len(times) // 2], max(times)))


def main():
    pvmtest.end_on_signals()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repetitions", type=int, default=3)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--variants", default=",".join(VARIANTS))
    options = parser.parse_args()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    seed, _ = nemesis.seeded(options.seed)
    if options.seed is not None and "--repetitions" not in " ".join(sys.argv):
        options.repetitions = 1
    print("# seed %d" % seed)
    for variant in options.variants.split(","):
        many(tap, build, variant, seed, options.repetitions)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
