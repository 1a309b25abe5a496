#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Explores tests/model/log.pml with spin: every state of a few small worlds, none of which may
break a rule; then the same worlds with one rule taken out, of which each must.

Says for each how many states there are. Without spin it is skipped.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile

# what it is, SET, TERMS, LENGTH, more
WORLDS = [
    ("elections among three", 0, 3, 3, []),
    ("elections among three, four terms", 0, 4, 2, []),
    ("elections among three, with pre-votes", 0, 2, 3, ["PREVOTE"]),
    ("two become three", 1, 2, 4, []),
    ("two become three, with pre-votes", 1, 2, 4, ["PREVOTE"]),
    ("the tie-holder of three is replaced", 2, 2, 4, []),
    ("the tie moves among four", 3, 2, 3, []),
]
BROKEN = [
    ("votes twice in a term", 0, 3, 3, "BREAK_VOTE"),
    ("votes for older logs", 0, 3, 3, "BREAK_LOG_CHECK"),
    ("counts entries of older terms", 0, 4, 2, "BREAK_OLD_TERM"),
    ("counts as if both of two held the tie", 1, 2, 4, "BREAK_TIE"),
    ("changes voters without the joint step", 1, 2, 4, "BREAK_JOINT"),
    ("changes voters so when the tie moves", 3, 2, 3, "BREAK_JOINT"),
    ("asks the new set alone while they are joint", 2, 2, 4, "BREAK_JOINT_QUORUM"),
    ("stands on in a term whose entries it was fed", 1, 2, 4, "BREAK_FEED"),
]


def explore(case):
    """(states, errors) of one world."""
    change, terms, length, more = case
    model = os.path.join(os.path.dirname(os.path.abspath(__file__)), "log.pml")
    with tempfile.TemporaryDirectory() as folder:
        return explore_in(folder, model, change, terms, length, more)


def explore_in(folder, model, change, terms, length, more):
    """The same, in a folder of its own."""
    defines = [f"-DSET={change}", f"-DTERMS={terms}", f"-DLENGTH={length}"]
    defines += ["-D" + name for name in more]
    subprocess.run(["spin", "-a", *defines, model], cwd=folder, check=True, capture_output=True)
    subprocess.run([os.environ.get("CC", "cc").split()[-1], "-O1", "-w", "-DSAFETY", "-DNOREDUCE",
                    "-DMEMLIM=2000", "-o", "pan", "pan.c"], cwd=folder, check=True)
    told = subprocess.run(["./pan", "-m100000"], cwd=folder, check=True, capture_output=True,
                          text=True).stdout
    states = re.search(r"(\d+) states, stored", told)
    errors = re.search(r"errors: (\d+)", told)
    if not states or not errors or "max search depth too small" in told:
        return 0, -1
    return int(states.group(1)), int(errors.group(1))


def main():
    if not shutil.which("spin"):
        print("1..0 # SKIP no spin here")
        return 0
    cases = [(what, world, 0) for what, *world in WORLDS]
    cases += [("it is noticed who " + what, [*world, [rule]], 1) for what, *world, rule in BROKEN]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        found = pool.map(explore, [world for _, world, _ in cases])
        for number, ((what, _, wanted), (states, errors)) in enumerate(zip(cases, found), 1):
            good = errors == wanted and states > 0
            failed += not good
            print(f"{'' if good else 'not '}ok {number} - {what}")
            print(f"# {states} states, {errors} errors", flush=True)
    print(f"1..{len(cases)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
