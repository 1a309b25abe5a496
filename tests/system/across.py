#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A gigabyte and 100,000 small messages to a task on another host, through a network that loses 5 %
and reorders: all of it arrives once, in order, unchanged, in time, and neither daemon grows beyond
what its credits allow."""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmrelay  # noqa: E402
import pvmtest  # noqa: E402

LARGE_COUNT, LARGE_BYTES, SMALL_COUNT = 1024, 1024 * 1024, 100000
LIMIT_S = 60
LOST_PER_MILLE, HELD_PER_MILLE, DEPTH = 50, 100, 64


def constant(build, header, name):
    """The value of an enum constant of a header, a product of numbers."""
    text = (build.source / "src" / header).read_text()
    value = 1
    for factor in re.search(r"\b%s = ([0-9* ]+)" % name, text).group(1).split("*"):
        value *= int(factor)
    return value


def growth_allowed(build):
    """What a daemon may hold for one stream of data: the window of the peer at each end of the
    link, what the task's socket side queues of it, and packets under way, each once more; and the
    small messages, for which a sender does not wait."""
    window = constant(build, "link/mesh.h", "MESH_PEER_WINDOW_BYTES")
    flow = constant(build, "link/mesh.h", "MESH_FLOW_WINDOW_BYTES")
    small = constant(build, "core/flow.h", "FLOW_FRAME_COST")
    return 2 * window + 4 * flow + SMALL_COUNT * small


def start_pair(machine, relay):
    machine.start(str(relay.prepare(machine)))
    pvmtest.wait_until(relay.connect, "the far daemon answers", 60)
    pvmtest.wait_until(lambda: pvmrelay.FAR in machine.host_names(), "the far host is in", 60, 0.2)


def stream(machine, relay, counts, limit_s):
    """Runs the program; returns its outcome."""
    large, size, small = counts
    return machine.run([machine.build.helpers / "across", pvmrelay.FAR, large, size, small],
                       limit_s)


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    with pvmrelay.Relay(build) as relay, pvmtest.Machine(build) as machine:
        with tap.story("two daemons join through a relay"):
            start_pair(machine, relay)
        if tap.failed:
            return tap.done()
        with tap.story("a first stream without faults"):
            outcome = stream(machine, relay, (16, LARGE_BYTES, 1000), LIMIT_S)
            assert outcome.out.startswith("ok"), outcome
        relay.tell("drop %d" % LOST_PER_MILLE)
        relay.tell("reorder %d %d" % (HELD_PER_MILLE, DEPTH))
        with tap.story("1 GB and 100,000 small messages, 5 %% lost: once, in order, within %d s" %
                       LIMIT_S), pvmtest.Peaks(machine.daemons().values()) as peaks:
            outcome = stream(machine, relay, (LARGE_COUNT, LARGE_BYTES, SMALL_COUNT), 3 * LIMIT_S)
            print("# %s" % outcome.out.strip())
            assert outcome.out.startswith("ok"), "%s%s" % (outcome, machine.master_end())
            took_s = float(outcome.out.split()[1])
            assert took_s <= LIMIT_S, "took %g s" % took_s
        print("# relay: %s" % relay.counts())
        tap.ok(relay.counts()["dropped"] > 1000, "the network was as bad as it should be")
        for name, pid in sorted(machine.daemons().items()):
            grown = peaks.grown(pid)
            words = "%s grew by %d KiB, allowed are %d KiB" % (
                name, grown // 1024, growth_allowed(build) // 1024)
            tap.ok(grown <= growth_allowed(build),
                   "daemon of %s holds no more than its credits" % name, words)
            print("# " + words)
        relay.tell("drop 0")
        relay.tell("reorder 0 1")
        with tap.story("nothing is left after halt"):
            machine.halt()
            machine.expect_nothing_left()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
