#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""`make demo` does what it says: four hosts, one killed, a whole picture, nothing left."""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402


def rows_of(path):
    """Checks every chunk of the PNG and returns (width, height, raw rows)."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n", "no PNG"
    at, packed, size = 8, b"", (0, 0)
    while at < len(data):
        length = struct.unpack(">I", data[at:at + 4])[0]
        kind, body = data[at + 4:at + 8], data[at + 8:at + 8 + length]
        crc = struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0]
        assert crc == zlib.crc32(kind + body), "a chunk is damaged"
        if kind == b"IHDR":
            size = struct.unpack(">II", body[:8])
        elif kind == b"IDAT":
            packed += body
        at += 12 + length
    return size[0], size[1], zlib.decompress(packed)


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    with tempfile.TemporaryDirectory(prefix="pvmt-demo-") as folder:
        picture = pathlib.Path(folder) / "picture.png"
        run = subprocess.run([sys.executable, str(build.source / "tools" / "demo.py"),
                              str(build.folder)], env=dict(os.environ, PICTURE=str(picture)),
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        print("".join("# " + line + "\n" for line in run.stdout.splitlines()), end="")
        tap.ok(run.returncode == 0, "the demo ends well and finds nothing left")
        tap.ok(" lost " in run.stdout and "4 hosts" in run.stdout, "a host was lost on the way")
        with tap.story("the picture is whole: no tile is black"):
            width, height, rows = rows_of(picture)
            assert (width, height) == (960, 640), (width, height)
            for top in range(0, height, 32):
                line = rows[top * (width * 3 + 1) + 1:(top + 1) * (width * 3 + 1)]
                black = [x for x in range(0, width, 32) if not any(line[x * 3:x * 3 + 96])]
                assert not black, "black tiles in row %d: %s" % (top, black)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
