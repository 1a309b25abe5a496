#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What `make install` puts into a folder is enough: a machine is started from there, a program is
compiled by pkg-config's words against it, runs, and the manual pages are where man looks."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402

FILES = ["bin/pvm", "bin/pvmd", "include/pvm3.h", "include/fpvm3.h", "share/man/man8/pvmd.8",
         "share/man/man1/pvm.1", "share/man/man3/pvm_mcast.3", "share/man/man5/pvm_hostfile.5"]
LIBRARIES = ["libpvm3.so", "libpvm3.so.3", "libpvm3.a", "pkgconfig/pvm3.pc"]


def option_of(build, name):
    run = subprocess.run(["meson", "introspect", "--buildoptions", str(build.folder)], check=True,
                         stdout=subprocess.PIPE, text=True)
    return next(o["value"] for o in json.loads(run.stdout) if o["name"] == name)


def compiled(machine, libraries, source, target, static=False):
    """Compiles a program as a user would; pkg-config puts the folder of this test before all."""
    environment = dict(os.environ, PKG_CONFIG_SYSROOT_DIR=str(machine.tmp / "root"),
                       PKG_CONFIG_PATH=str(libraries / "pkgconfig"))
    words = subprocess.run(["pkg-config", "--cflags", "--libs", "pvm3"], env=environment,
                           check=True, stdout=subprocess.PIPE, text=True).stdout.split()
    if static:
        words = [str(libraries / "libpvm3.a") if w == "-lpvm3" else w for w in words]
    subprocess.run([os.environ.get("CC", "cc"), str(source), "-o", str(target)] + words,
                   check=True)


def stories(tap, machine, root):
    build = machine.build
    libraries = root / option_of(build, "libdir")
    with tap.story("everything is there"):
        missing = [name for name in FILES if not (root / name).exists()]
        missing += [name for name in LIBRARIES if not (libraries / name).exists()]
        assert not missing, missing
    with tap.story("the installed console starts the installed daemon"):
        machine.env.pop("LD_LIBRARY_PATH")
        machine.env.pop("PVM_DPATH")
        machine.env["PATH"] = "%s:%s" % (root / "bin", machine.env["PATH"])
        outcome = machine.run([root / "bin" / "pvm"], 30, text="conf\nquit\n")
        assert "1 host" in outcome.out, outcome
        daemons = list(machine.daemons().values())
        assert len(daemons) == 1, daemons
        assert os.readlink("/proc/%d/exe" % daemons[0]) == str((root / "bin" / "pvmd").resolve())
    if not shutil.which("pkg-config") or machine.build.is_sanitized():
        tap.skip("a program is compiled against it and runs",
                 "pkg-config is not installed, or the library is sanitized")
        return
    for name, static in (("hello", False), ("hello-static", True)):
        with tap.story("%s is compiled against it and runs" % name):
            programs = machine.tmp / "bin"
            programs.mkdir(exist_ok=True)
            machine.env["LD_LIBRARY_PATH"] = str(libraries)
            source = build.source / "examples"
            compiled(machine, libraries, source / "hosts.c", programs / name, static)
            outcome = machine.run([programs / name])
            assert outcome.status == 0 and "1 hosts" in outcome.out, outcome
    with tap.story("nothing is left after halt"):
        machine.run([root / "bin" / "pvm"], 30, text="halt\n")
        machine.expect_nothing_left()


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    with pvmtest.Machine(build) as machine:
        target = machine.tmp / "root"
        with tap.story("it installs into a folder"):
            run = subprocess.run(["meson", "install", "-C", str(build.folder), "--no-rebuild",
                                  "--quiet", "--destdir", str(target)], stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True)
            assert run.returncode == 0, run.stdout
        if not tap.failed:
            stories(tap, machine, pathlib.Path(str(target) + option_of(build, "prefix")))
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
