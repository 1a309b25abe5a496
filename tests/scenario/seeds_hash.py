#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The hash of all that happened in some seeds, as recorded in seeds_hash.txt: TAP.

The same on every machine, in every run and with every compiler. A change of behaviour changes it:
then --accept records it anew, as for the golden stories.

    seeds_hash.py PVMSIM [--accept]
"""
import pathlib
import subprocess
import sys

FILE = pathlib.Path(__file__).with_name("seeds_hash.txt")
FIRST, COUNT = 501, 24


def main():
    done = subprocess.run([sys.argv[1], "seeds", str(FIRST), str(COUNT), "--hashes"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    told = "".join(line + "\n" for line in sorted(done.stdout.splitlines())
                   if line.split(" ")[0].isdigit())
    if "--accept" in sys.argv:
        FILE.write_text(told)
    same = told.count("\n") == COUNT and FILE.exists() and FILE.read_text() == told
    print(f"{'' if same else 'not '}ok 1 - {COUNT} seeds have the hashes recorded\n1..1")
    if not same:
        recorded = set(FILE.read_text().splitlines()) if FILE.exists() else set()
        print(f"# {len(set(told.splitlines()) - recorded)} differ; {done.stderr.strip()}")
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
