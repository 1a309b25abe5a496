#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Breaks the program on purpose, one place at a time, and demands that the simulator finds it: TAP.

Each mutation (mutants.py) changes one piece of one file; that file is compiled anew and linked
before the archives of the build, so that it takes the place of the sound one. A mutation that no
longer fits its file is a failure here: write it anew, for what it mutates still needs a checker
that bites.

    mutations.py SOURCE BUILD [--find [N]] [--only WORD] [--jobs N]

First the recorded seed is tried, then, since another change may have moved the stories, some
hundred others. --find searches N (10,000) from the first and prints which seed to record.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from mutants import MUTANTS

NEARBY = 400
ARCHIVES = ["sim/libsimulator.a", "src/core/libcore.a", "src/log/liblog.a",
            "src/detect/libdetect.a",
            "src/link/liblink.a", "src/client/libclient.a", "src/wire/libwire.a",
            "src/base/libbase.a"]


def run(command, seconds):
    try:
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None


def layer_files(source, path):
    """Files to compile: of a header, all of its layer that may include it."""
    if path.endswith(".h"):
        return sorted((source / path).parent.glob("*.c"))
    return []


def build_mutant(source, build, work, mutant):
    """The path of the program, or words that say why there is none."""
    text = (source / mutant.path).read_text()
    if text.count(mutant.old) != 1:
        return None, f"{mutant.path} has {text.count(mutant.old)} places of: {mutant.old.strip()}"
    if mutant.before:
        start = text.rindex("\n\n", 0, text.index(mutant.old))
        text = text[:start] + "\n\n" + mutant.before + text[start:]
    changed = work / mutant.path.removeprefix("src/")
    changed.parent.mkdir(parents=True, exist_ok=True)
    changed.write_text(text.replace(mutant.old, mutant.new))
    others = [str(name) for name in layer_files(source, mutant.path)]
    program = work / "mutant"
    archives = [str(build / name) for name in ARCHIVES if (build / name).exists()]
    done = run(["cc", "-std=c11", "-O1", "-w", f"-I{work}", f"-I{source / 'src'}", f"-I{source}",
                "-o", str(program), str(source / "sim/main.c"), str(source / "sim/seeds.c"),
                *(others or [str(changed)]), "-Wl,--start-group", *archives, "-Wl,--end-group"],
               120)
    if done is None or done.returncode != 0:
        return None, (done.stderr.strip().split("\n")[0] if done else "the compiler does not end")
    return program, ""


def search(program, mutant, first, count, jobs):
    """(caught, the seed that did, what it said)"""
    done = run([str(program), "seeds", str(first), str(count), "--scenario", mutant.mix, "--first",
                "--jobs", str(jobs)], 60 + count)
    if done is None: # a seed that never ends has found it too
        return True, first, "never ends"
    if done.returncode not in mutant.wanted and done.returncode >= 0:
        return False, 0, ""
    found = re.search(r"# seed (\d+): (.*)", done.stdout)
    return True, int(found.group(1)) if found else first, found.group(2) if found else "crash"


def try_mutant(source, build, mutant, find, jobs):
    """Words that say why it was not caught ("" = it was), and what to tell."""
    with tempfile.TemporaryDirectory(prefix="pvm-mutant-") as work:
        program, why = build_mutant(source, build, pathlib.Path(work), mutant)
        if not program:
            return why, ""
        if find:
            caught, seed, words = search(program, mutant, 1, find, jobs)
            return ("" if caught else f"not found in {find} seeds"), f"seed={seed}: {words}"
        caught, seed, words = search(program, mutant, mutant.seed, 1, 1)
        if caught:
            return "", f"seed {seed}: {words}"
        caught, seed, words = search(program, mutant, 1, NEARBY, jobs)
        if caught:
            return "", f"record seed={seed}, no longer {mutant.seed}: {words}"
        return f"not found in {NEARBY} seeds of \"{mutant.mix}\"", ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=pathlib.Path)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--find", type=int, nargs="?", const=10000, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--rare", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    chosen = [mutant for mutant in MUTANTS
              if options.only in mutant.what and mutant.rare <= (options.rare or options.find > 0)]
    failed = 0
    for number, mutant in enumerate(chosen, 1):
        why, words = try_mutant(options.source.resolve(), options.build.resolve(), mutant,
                                options.find, options.jobs)
        failed += bool(why)
        print(f"{'not ' if why else ''}ok {number} - found: {mutant.what}")
        print(f"# {why or words}")
        sys.stdout.flush()
    print(f"1..{len(chosen)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
