#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""How a daemon starts: what it makes, whom it refuses, what it says when it cannot."""
import os
import pathlib
import shutil
import socket
import stat
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
from pvmtest import Failure, Machine, Tap, end_on_signals, require_build, wait_until

NOBODY = 65534


def mode_of(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def expect(condition, words):
    if not condition:
        raise Failure(words)


def files_it_makes(build):
    with Machine(build) as machine:
        machine.start()
        folder = machine.host_folder("h0")
        expect(machine.socket == str(folder / "sock"), "prints the path of its socket: " +
               machine.socket)
        for path in (folder, folder.parent, folder.parent.parent):
            expect(mode_of(path) == 0o700, "%s has mode %o" % (path, mode_of(path)))
        for name in ("sock", "log", "lock"):
            mode = mode_of(folder / name)
            expect(mode == 0o600, "%s has mode %o" % (name, mode))
        expect(os.readlink(folder.parent / "here") == "h0", "`here` points to it")
        expect({p.name for p in folder.iterdir()} == {"sock", "log", "lock"}, "nothing else")
        expect(len(machine.guardians()) == 1, "one guardian stands beside it")
        line = wait_until(lambda: machine.log(), "a line in the log").splitlines()[0]
        expect(line.startswith("[") and "h0 (port " in line, "the log begins with it: " + line)


def second_one_is_refused(build):
    with Machine(build) as machine:
        machine.start()
        outcome = machine.run([build.pvmd, "-nh0"])
        expect(outcome.status == 1, "a second daemon ends with 1: %s" % outcome)
        expect("already runs here" in outcome.err and str(machine.master.pid) in outcome.err,
               "its words name the first: %s" % outcome)
        expect(machine.master.poll() is None and pathlib.Path(machine.socket).exists(),
               "the first is not disturbed")


def survives_a_dead_predecessor(build):
    with Machine(build) as machine:
        machine.start()
        for pid in machine.guardians() + [machine.master.pid]:
            os.kill(pid, 9)
        machine.master.wait()
        expect(pathlib.Path(machine.socket).exists(), "daemon and guardian killed leave files")
        machine.start()
        expect(pathlib.Path(machine.socket).exists(), "the next one starts in their place")


def root_is_refused(build):
    with Machine(build) as machine:
        environment = dict(machine.env)
        del environment["PVM_ALLOW_ROOT"]
        wrap = [] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user"]
        outcome = machine.run(wrap + [build.pvmd, "-nh0"], env=environment)
        expect(outcome.status == 1, "root is refused with 1: %s" % outcome)
        expect("root" in outcome.err and "PVM_ALLOW_ROOT" in outcome.err, "and words: %s" % outcome)
        expect(not list(machine.tmp.iterdir()), "before anything was made")


def bad_arguments(build):
    with Machine(build) as machine:
        for words, said in ((["/no/such/hostfile"], "No such file"),
                            (["a", "b"], "only one hostfile"),
                            (["-q"], "unknown option"), (["-dx"], "debug mask"),
                            (["-s", "-nx"], "-j and -m")):
            outcome = machine.run([build.pvmd] + words)
            expect(outcome.status == 1 and said in outcome.err, "%s: %s" % (words, outcome))
        for name, value in (("PVM_VMID", "../x"), ("PVMNETSOCKPORT", "zero"),
                            ("PVM_TMP", "relative"), ("PVM_TMP", "/no/such/place"),
                            ("PVM_SEAL", "maybe")):
            outcome = machine.run([build.pvmd, "-nh0"], env=dict(machine.env, **{name: value}))
            expect(outcome.status == 1 and outcome.err.strip(),
                   "%s=%s: %s" % (name, value, outcome))
        outcome = machine.run([build.pvmd, "-t", "-nh0"])
        expect(outcome.status == 0 and "3.4.6" in outcome.out, "-t shows and ends: %s" % outcome)
        expect(not machine.processes(), "nothing runs")


def without_any_variable(build):
    """Only what makes the test private, and what it needs for being root, stays."""
    with Machine(build) as machine:
        keep = {k: machine.env[k] for k in ("PVM_TMP", "PVM_ALLOW_ROOT", "LD_LIBRARY_PATH")}
        machine.env = keep
        machine.vmid = "default"
        machine.start()
        expect("/default/h0/sock" in machine.socket, "the machine is called default")


def long_paths(build):
    with Machine(build) as machine:
        deep = machine.tmp / ("d" * 100) / ("e" * 100)
        deep.mkdir(parents=True)
        machine.env["PVM_TMP"] = str(deep)
        machine.start()
        expect(len(machine.socket) > 200, "a socket far below")
        directory = os.open(os.path.dirname(machine.socket), os.O_RDONLY)
        with socket.socket(socket.AF_UNIX) as client:
            client.connect("/proc/self/fd/%d/sock" % directory)
        os.close(directory)


def full_disk(build):
    """The log's file system is full: one message, and the daemon serves on."""
    with Machine(build) as machine:
        small = machine.tmp / "small"
        small.mkdir()
        script = ("mount -t tmpfs -o size=64k,mode=700 small \"$PVM_TMP\" || exit 77; "
                  "dd if=/dev/zero of=\"$PVM_TMP/fill\" bs=4k count=100 2>/dev/null; exec \"$@\"")
        machine.env["PVM_TMP"] = str(small)
        root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
        machine.wrap = ["unshare"] + root + ["--mount", "sh", "-c", script, "sh"]
        machine.start("-d0xff")
        os.kill(machine.master.pid, 15)
        machine.wait_for_master()
        errors = machine.master_errors()
        expect(errors.count("cannot write the log") == 1, "stderr is told once: " + errors)
        wait_until(lambda: not machine.processes(), "nothing of it is left", 5)


def strangers(build):
    with Machine(build) as machine:
        machine.start()
        os.chmod(machine.tmp, 0o755)
        code = ("import socket, sys\n"
                "try:\n    socket.socket(socket.AF_UNIX).connect(sys.argv[1])\n"
                "except OSError as e:\n    print(type(e).__name__)\n")
        command = ["setpriv", "--reuid", str(NOBODY), "--clear-groups", "/usr/bin/python3", "-c",
                   code, machine.socket]
        outcome = machine.run(command)
        expect(outcome.out.strip() == "PermissionError", "closed by the directory: %s" % outcome)
        # With the directories open only the check of who connects stands between.
        folder = machine.host_folder("h0")
        for path in (folder.parent.parent, folder.parent, folder):
            os.chmod(path, 0o755)
        os.chmod(folder / "sock", 0o666)
        machine.run(command)
        wait_until(lambda: "user %d" % NOBODY in machine.log() and "refused" in machine.log(),
                   "the log says whom it refused")


def unshare_works(*words):
    return shutil.which("unshare") and subprocess.run(
        ["unshare"] + list(words) + ["true"], stderr=subprocess.DEVNULL).returncode == 0


def main():
    build = require_build()
    end_on_signals()
    tap = Tap()
    for name, story in (("the files a daemon makes are private", files_it_makes),
                        ("a second daemon for the same host is refused", second_one_is_refused),
                        ("what a dead daemon left is removed", survives_a_dead_predecessor),
                        ("bad arguments and settings end with 1 and words", bad_arguments),
                        ("it starts without any variable", without_any_variable),
                        ("a long PVM_TMP works", long_paths)):
        with tap.story(name):
            story(build)
    if os.geteuid() == 0 or unshare_works("--user", "--map-root-user"):
        with tap.story("root is refused"):
            root_is_refused(build)
    else:
        tap.skip("root is refused", "neither root nor user namespaces here")
    root = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    if unshare_works("--mount", *root):
        with tap.story("a full disk does not stop it"):
            full_disk(build)
    else:
        tap.skip("a full disk does not stop it", "no mounts of our own here")
    if os.geteuid() == 0 and shutil.which("setpriv") and os.path.exists("/usr/bin/python3"):
        with tap.story("another user cannot connect"):
            strangers(build)
    else:
        tap.skip("another user cannot connect", "needs root to become another user")
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
