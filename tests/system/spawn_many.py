#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Thousands of tasks that end at once: each end is told exactly once, and the daemon keeps nothing.

PVM_TEST_SPAWNS=100000 is the full measure; make check does with a few thousand.
"""
import os
import pathlib
import re
import select
import shutil
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import (Failure, Machine, Tap, end_on_signals, parent_of, read_proc, require_build,
                     wait_until)

# Up to 1024 ended tasks are remembered: what is measured begins beyond them.
COUNT = max(3000, int(os.environ.get("PVM_TEST_SPAWNS", "3000")))
CHECKPOINTS, BATCH = 4, 100
GROWTH_BYTES_MAX = 256 * 1024
BATCH_LIMIT_S = 20


def expect(condition, words):
    if not condition:
        raise Failure(words)


def resident_bytes(pid):
    """Memory that is the process' own: what it shares with others comes and goes by itself."""
    found = re.search(rb"RssAnon:\s*(\d+) kB", read_proc(pid, "status"))
    return int(found.group(1)) * 1024 if found else 0


def descriptors(pid):
    return len(os.listdir("/proc/%d/fd" % pid))


def children_of(pid):
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and
            parent_of(int(name)) == pid]


class Look:
    """What a daemon and its guardian hold; zombies count as children."""

    def __init__(self, machine):
        daemon = machine.daemons()[machine.name]
        guardian = machine.guardians()[0]
        wait_until(lambda: children_of(daemon) == [guardian], "the daemon's tasks are reaped")
        self.bytes = {"pvmd": resident_bytes(daemon), "guardian": resident_bytes(guardian)}
        self.files = {"pvmd": descriptors(daemon), "guardian": descriptors(guardian)}


def next_checkpoint(program, limit_s):
    ready, _, _ = select.select([program.stdout], [], [], limit_s)
    line = program.stdout.readline().decode().strip() if ready else "nothing was heard"
    expect(line == "checkpoint", "the spawner: %s" % line)


def run(machine, build):
    per_checkpoint = COUNT // CHECKPOINTS
    program = machine.popen([build.helpers / "spawn_many", shutil.which("true"), CHECKPOINTS,
                             per_checkpoint, BATCH], stdin=-1)
    looks = []
    for _ in range(CHECKPOINTS):
        next_checkpoint(program, BATCH_LIMIT_S * (1 + per_checkpoint // BATCH))
        looks.append(Look(machine))
        program.stdin.write(b"\n")
        program.stdin.flush()
    expect(program.wait(10) == 0, "the spawner ends well")
    return looks


def main():
    if not shutil.which("true"):
        print("1..0 # SKIP no `true`")
        return 0
    build = require_build()
    end_on_signals()
    tap = Tap()
    with Machine(build) as machine:
        machine.start()
        looks = []
        began = time.monotonic()
        with tap.story("each of %d tasks is told to have ended, once" % COUNT):
            looks = run(machine, build)
        print("# %d tasks in %.1f s" % (COUNT, time.monotonic() - began))
        if len(looks) == CHECKPOINTS:
            # The first looks are of a machine that still grows to its size.
            for who in ("pvmd", "guardian"):
                grown = looks[-1].bytes[who] - looks[1].bytes[who]
                print("# %s: %d KiB, then %+d KiB" % (who, looks[1].bytes[who] // 1024,
                                                     grown // 1024))
                tap.ok(grown <= GROWTH_BYTES_MAX, "%s: no memory is kept" % who, grown)
                tap.ok(looks[-1].files[who] == looks[0].files[who],
                       "%s: no descriptor is kept" % who, looks[0].files, looks[-1].files)
        with tap.story("nothing stays"):
            machine.halt()
            machine.expect_nothing_left()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
