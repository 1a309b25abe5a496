#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Messages between tasks of one host, in memory that they share: local_route.c tells each story,
here it is run under a daemon and a time limit. What is mapped proves which way the messages went.
"""
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402

LIMIT_S = 60
# case, words, environment, and for "name number" lines what the number must at least and at most be
SHARED, APART = (1, 9), (0, 0)
STORIES = (
    ("route", "every size, in order, over the change of route", {},
     {"mapped": SHARED, "peer mapped": SHARED}),
    ("route", "the same without memory to share", {"PVM_SHM_LIMIT": "0"},
     {"mapped": APART, "peer mapped": APART}),
    ("route", "the same where nobody spins", {"PVM_SPIN_US": "0"}, {"mapped": SHARED}),
    ("route", "the same where everybody spins", {"PVM_SPIN_US": "200"}, {"mapped": SHARED}),
    ("route", "the same with little memory", {"PVM_SHM_LIMIT": "64m"}, {"mapped": SHARED}),
    ("one_way", "who only sends comes to share too", {}, {"mapped": SHARED}),
    ("fds", "select on the descriptor, then receive", {},
     {"mapped": SHARED, "idle wakes": (0, 40)}),
    ("fds", "the same on the socket alone", {"PVM_SHM_LIMIT": "0"},
     {"mapped": APART, "idle wakes": (0, 40)}),
    ("forks", "a child is a task of its own and takes nothing with it", {}, {}),
    ("again", "leave and come back, with buffers from before", {}, {"mapped": SHARED}),
    ("limit", "the limit is an error, and over when the receiver reads",
     {"PVM_SHM_LIMIT": "16m"}, {}),
    ("ends", "what was sent outlives its sender, and comes before the notice", {}, {}),
    ("few", "more peers than descriptors: the daemon wakes them", {}, {"mapped": (16, 17)}),
    ("signals", "a signal handler leaves at any moment", {}, {}),
)


def shares(build):
    return any(path.name == "libshare.a" for path in (build.lib.parent / "share").glob("*.a"))


def check(outcome, numbers):
    assert outcome.status == 0 and outcome.out.strip().endswith("ok"), outcome
    for name, (least, most) in numbers.items():
        found = re.search(r"^%s (\d+)$" % name, outcome.out, re.MULTILINE)
        assert found and least <= int(found.group(1)) <= most, outcome


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    if not shares(build):
        pvmtest.skip_all("tasks share no memory on this platform")
    tap = pvmtest.Tap()
    only = sys.argv[1:]
    for name, words, environment, numbers in STORIES:
        if only and name not in only:
            continue
        with pvmtest.Machine(build, environment) as machine:
            with tap.story("%s: %s" % (name, words)):
                machine.start()
                check(machine.run([build.helpers / "local_route", name], LIMIT_S), numbers)
                machine.halt()
                machine.expect_nothing_left()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
