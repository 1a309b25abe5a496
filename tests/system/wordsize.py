#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A task of 32 bits under a daemon of 64: it has the socket route, others share memory.

The library and the program are built for 32 bits here, when the compiler can.
"""
import os
import pathlib
import platform
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import Failure, Machine, Tap, end_on_signals, require_build, skip_all

ROUNDS = 20
COMPILE_LIMIT_S = 100


def can_make_32():
    if platform.machine() != "x86_64" or not shutil.which("cc"):
        return False
    done = subprocess.run(["cc", "-m32", "-x", "c", "-", "-o", "/dev/null"], capture_output=True,
                          input=b"#include <stdio.h>\nint main(void) { return 0; }", check=False)
    return done.returncode == 0


def step(command, **more):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                          timeout=COMPILE_LIMIT_S, check=False, **more)
    if done.returncode != 0:
        raise Failure("%s: %s" % (command[0], (done.stderr or done.stdout)[-1500:]))


def make_twin(build, folder):
    """The library and the program for 32 bits; the path of the program."""
    tree = folder / "build-32"
    step(["meson", "setup", tree, build.source, "-Ddaemon=disabled", "-Dconsole=disabled"],
         env=dict(os.environ, CC="cc -m32"))
    step(["ninja", "-C", tree, "src/libpvm/libpvm3.so.3.4.6"])
    library = tree / "src" / "libpvm"
    twin = folder / "twin32"
    step(["cc", "-m32", "-std=c11", "-O1", "-o", twin, build.source / "tests/system/wordsize.c",
          "-I%s" % build.include, library / "libpvm3.so.3.4.6", "-Wl,-rpath,%s" % library])
    return twin


def facts_of(machine, program, twin):
    done = machine.run([program, twin, ROUNDS], 60)
    found = re.fullmatch(r"twin (\d+) maps (\d+) own (\d+)\n", done.out)
    if not found:
        raise Failure(str(done))
    return [int(word) for word in found.groups()]


def main():
    end_on_signals()
    build = require_build()
    if not can_make_32():
        skip_all("the compiler makes no programs of 32 bits (Debian: gcc-multilib)")
    tap = Tap()
    with Machine(build) as machine:
        program = build.helpers / "wordsize"
        twin = None
        with tap.story("the library builds for 32 bits"):
            twin = make_twin(build, machine.tmp)
        with tap.story("the daemon starts"):
            machine.start()
        with tap.story("two tasks of the daemon's word size share memory"):
            size, maps, own = facts_of(machine, program, program)
            if size != 8 or maps < 2 or own < 2:
                raise Failure("long of %d bytes, %d and %d segments" % (size, maps, own))
        if twin:
            with tap.story("one of 32 bits gets and sends every type, without shared memory"):
                size, maps, _ = facts_of(machine, program, twin)
                if size != 4 or maps != 0:
                    raise Failure("long of %d bytes, %d segments" % (size, maps))
        with tap.story("nothing is left"):
            machine.halt()
            machine.expect_nothing_left()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
