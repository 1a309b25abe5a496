#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Sixteen tasks on four hosts send each other messages of 0 bytes to 4 MiB in all forms, while some
of them are killed at random and others leave: nothing is lost or doubled between the living (the
job, soak.c, looks at every byte and number), and the memory of daemons and of tasks that live
throughout stays flat.

    soak.py [--minutes M] [--seed N] [--socket]    20 seconds unless told otherwise
"""
import argparse
import pathlib
import random
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402

HOSTS = 4
PER_HOST = 4
WARM_UP = 0.4          # of the time: until then memory may grow
GROWTH_MAX = 1.35      # the last part against the one after the warm-up
SLACK_BYTES = 24 << 20  # what is under way at one moment and not at another
REST_BYTES = 24 << 20   # more than a daemon had before may stay when its tasks have ended


def memory_bytes(pid):
    """What the process costs the machine: its part of what is shared, all of what is its own."""
    found = re.search(rb"^Pss:\s*(\d+) kB", pvmtest.read_proc(pid, "smaps_rollup"), re.M)
    return int(found.group(1)) * 1024 if found else 0


class Job:
    def __init__(self, machine):
        self.machine = machine
        self.file = machine.tmp / "status"
        self.stop_file = machine.tmp / "stop"
        self.process = machine.popen([machine.build.helpers / "soak", self.file, self.stop_file,
                                      PER_HOST])

    def status(self):
        """(messages, bytes, tasks, ended, left, words)"""
        try:
            words = self.file.read_text().split(None, 5)
            return tuple(int(word) for word in words[:5]) + (words[5].strip(),)
        except (OSError, ValueError, IndexError):
            return (0, 0, 0, 0, 0, "no status yet")

    def expect_running(self):
        if self.process.poll() is not None:
            raise pvmtest.Failure("the job ended: %s" % self.status()[5])

    def stop(self):
        self.stop_file.write_text("")
        pvmtest.wait_until(lambda: self.process.poll() is not None, "the job ends", 100)
        if self.status()[5] != "done":
            raise pvmtest.Failure(self.status()[5])

    def tasks(self, kind):
        return [pid for pid in self.machine.tasks("soak")
                if pvmtest.words_of(pid)[1:] == [kind]]


class Memory:
    """Samples of each process that lives throughout, in three parts of the time."""

    def __init__(self):
        self.samples = {}

    def sample(self, at, name, pid):
        self.samples.setdefault(name, []).append((at, memory_bytes(pid)))

    def parts(self, name):
        """(median of the part after the warm-up, median of the last one)"""
        def median(low, high):
            values = sorted(b for at, b in self.samples[name] if low <= at < high and b)
            return values[len(values) // 2] if values else 0
        middle = (1 + WARM_UP) / 2
        return median(WARM_UP, middle), median(middle, 2)

    def least_of_late(self, now, span):
        """The least memory of each daemon in the last |span|: what it holds for certain."""
        words = []
        for name in sorted(self.samples):
            late = [b for at, b in self.samples[name] if at > now - span and b]
            if late and not name.startswith("elder"):
                words.append("%s %.1f MB" % (name, min(late) / 1e6))
        return ", ".join(words)

    def growing(self):
        for name in sorted(self.samples):
            before, after = self.parts(name)
            if before and after > before * GROWTH_MAX + SLACK_BYTES:
                yield "%s: %.1f MB, later %.1f MB" % (name, before / 1e6, after / 1e6)

    def print_all(self):
        for name in sorted(self.samples):
            before, after = self.parts(name)
            print("# memory of %-12s %7.1f MB, later %7.1f MB" % (name, before / 1e6, after / 1e6))


def memory_of_daemons(machine):
    return {name: memory_bytes(pid) for name, pid in machine.daemons().items()}


def expect_rest(machine, before):
    """With all tasks gone a daemon holds no memory of theirs, and its own came back."""
    def busy():
        for name, pid in sorted(machine.daemons().items()):
            segments = pvmtest.read_proc(pid, "maps").count(b"pvm-segment")
            if segments > 1 or memory_bytes(pid) > before[name] + REST_BYTES:
                yield "%s: %d segments, %.1f MB" % (name, segments, memory_bytes(pid) / 1e6)
    try:
        pvmtest.wait_until(lambda: not list(busy()), "the daemons rest", 20, 0.2)
    except pvmtest.Failure:
        raise pvmtest.Failure("; ".join(busy())) from None


def soak(machine, job, seconds, chance, memory):
    """Kills and measures until the time is over; returns how many were killed."""
    begin = time.monotonic()
    elders = {}
    kills, next_sample, next_line = 0, 0.0, 60.0
    while time.monotonic() < begin + seconds:
        passed = time.monotonic() - begin
        job.expect_running()
        if passed >= next_sample:
            next_sample = passed + max(0.5, seconds / 200)
            if len(elders) < HOSTS:
                elders = {"elder %d" % i: pid for i, pid in enumerate(sorted(job.tasks("elder")))}
            for name, pid in list(elders.items()) + list(machine.daemons().items()):
                memory.sample(passed / seconds, name, pid)
        if passed >= next_line:
            next_line += 60
            print("# %4d s: least memory of daemons: %s" % (passed, memory.least_of_late(
                passed / seconds, 60 / seconds)))
            print("# %4d s: %s" % (passed, "%d messages, %d bytes, %d tasks, %d ended, %d left, %s"
                                   % job.status()), flush=True)
        time.sleep(chance.random() * 0.6)
        victims = job.tasks("other")
        if victims and job.status()[2] == HOSTS * PER_HOST:
            pvmtest.end_pid(chance.choice(sorted(victims)))
            kills += 1
    return kills


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=1 / 3)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--socket", action="store_true", help="without shared memory")
    return parser.parse_args()


def main():
    pvmtest.end_on_signals()
    options = arguments()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    memory = Memory()
    seconds = options.minutes * 60
    print("# seed %d" % options.seed)
    environment = {"PVM_SHM_LIMIT": "0"} if options.socket else None
    with pvmtest.Machine(build, environment) as machine:
        with tap.story("nothing is lost or doubled between the living"):
            machine.start()
            machine.add("local:%d" % (HOSTS - 1))
            before = memory_of_daemons(machine)
            job = Job(machine)
            pvmtest.wait_until(lambda: job.status()[2] == HOSTS * PER_HOST or
                               job.process.poll() is not None, "all tasks run")
            kills = soak(machine, job, seconds, random.Random(options.seed), memory)
            job.stop()
            done = job.status()
            print("# %.0f s: %d messages, %.2f GB (%.0f MB/s), %d tasks killed, %d left in order" %
                  (seconds, done[0], done[1] / 1e9, done[1] / 1e6 / seconds, kills, done[4]))
        growing = list(memory.growing())
        memory.print_all()
        tap.ok(memory.samples and not growing, "memory stays flat", *growing)
        with tap.story("daemons without tasks hold no memory of them"):
            expect_rest(machine, before)
        with tap.story("nothing is left after halt"):
            machine.halt()
            machine.expect_nothing_left()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
