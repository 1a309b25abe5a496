#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The hash of all that happened in some seeds, as recorded in seeds.hashes: TAP.

The same on every machine, in every run and with every compiler. A change of behaviour changes it:
then --accept records it anew, as for the golden stories. What was recorded names the sources it was
recorded with: with others it says nothing, and two runs must agree with each other alone.

    seeds_hash.py PVMSIM [--accept]
"""
import hashlib
import pathlib
import subprocess
import sys

FILE = pathlib.Path(__file__).with_name("seeds.hashes")
ROOT = FILE.parent.parent.parent
LAYERS = ["src/base", "src/wire", "src/link", "src/log", "src/detect", "src/core", "src/client",
          "src/shm", "sim"]
FIRST, COUNT = 501, 24


def sources():
    """A line that changes with whatever may change a story."""
    text = hashlib.sha256()
    for layer in LAYERS:
        for path in sorted((ROOT / layer).glob("*.[chd]*")):
            text.update(path.read_bytes())
    return "sources " + text.hexdigest()[:16] + "\n"


def run(pvmsim):
    done = subprocess.run([pvmsim, "seeds", str(FIRST), str(COUNT), "--hashes"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return "".join(line + "\n" for line in sorted(done.stdout.splitlines())
                   if line.split(" ")[0].isdigit())


def main():
    told = run(sys.argv[1])
    again = run(sys.argv[1])
    if "--accept" in sys.argv:
        FILE.write_text(sources() + told)
    head, _, recorded = FILE.read_text().partition("\n")
    repeats = told == again and told.count("\n") == COUNT
    print(f"{'' if repeats else 'not '}ok 1 - {COUNT} seeds run alike twice")
    if head + "\n" != sources():
        print("ok 2 - they have the hashes recorded # SKIP recorded with other sources; --accept")
        print("1..2")
        return 0 if repeats else 1
    same = recorded == told
    print(f"{'' if same else 'not '}ok 2 - they have the hashes recorded\n1..2")
    if not same:
        print(f"# {len(set(told.splitlines()) - set(recorded.splitlines()))} differ")
    return 0 if same and repeats else 1


if __name__ == "__main__":
    sys.exit(main())
