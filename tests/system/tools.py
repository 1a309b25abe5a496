#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The tools programmers use on their programs work on programs that share memory: valgrind, the
address sanitizer, gdb. The program is wordsize.c: two tasks, every type, large messages."""
import pathlib
import re
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import Failure, Machine, Tap, end_on_signals, require_build

ROUNDS = 5
LIMIT_S = 100


def check(done, words=""):
    found = re.search(r"twin \d+ maps (\d+) own (\d+)", done.out)
    if done.status != 0 or not found:
        raise Failure(str(done)[-2000:])
    if min(int(found.group(1)), int(found.group(2))) < 2:
        raise Failure("memory was not shared: " + found.group(0))
    if words and words not in done.out + done.err:
        raise Failure("no %r in: %s" % (words, str(done)[-2000:]))


def sanitized(build, folder):
    """The program with the address sanitizer in it, the library as it is; None = cannot be."""
    program = folder / "sanitized"
    done = subprocess.run(["cc", "-g", "-O1", "-fsanitize=address", "-o", str(program),
                           str(build.source / "tests/system/wordsize.c"),
                           "-I%s" % build.include, "-L%s" % build.lib, "-lpvm3"],
                          capture_output=True, check=False)
    return program if done.returncode == 0 else None


def main():
    end_on_signals()
    build = require_build()
    tap = Tap()
    with Machine(build) as machine:
        program = build.helpers / "wordsize"
        plain = [program, program, ROUNDS]
        with tap.story("the daemon starts"):
            machine.start()
        foreign = build.is_sanitized()
        if not shutil.which("valgrind") or foreign:
            tap.skip("valgrind", "not installed, or the library is sanitized")
        else:
            with tap.story("valgrind: no error, nothing lost"):
                check(machine.run(["valgrind", "--error-exitcode=9", "--leak-check=full",
                                   "--errors-for-leak-kinds=definite"] + plain, LIMIT_S),
                      "ERROR SUMMARY: 0 errors")
        twin = None if foreign else sanitized(build, machine.tmp)
        if not twin:
            tap.skip("address sanitizer", "the compiler has none, or the library has it itself")
        else:
            with tap.story("address sanitizer in the program"):
                check(machine.run([twin, twin, ROUNDS], LIMIT_S))
        if not shutil.which("gdb") or foreign:
            tap.skip("gdb", "not installed, or the library is sanitized")
        else:
            with tap.story("gdb runs it"):
                check(machine.run(["gdb", "-nx", "-batch", "-ex", "run", "--args"] + plain,
                                  LIMIT_S), "exited normally")
        with tap.story("nothing is left"):
            machine.halt()
            machine.expect_nothing_left()
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
