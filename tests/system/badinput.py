#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What people get wrong, and what breaks round a daemon: each time a clear word, and a status that
is not 0 where something ends; the daemon itself goes on."""
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402

INSIDE = "PVM_TEST_FULL_DISK"
TM_ENROL, TM_ENROLLED = 1, 2
FRAME_CONTROL = 1
BAD_VERSION = -26


def expect(outcome, status_good, *words):
    """Asserts that the status is (not) 0 and that each of |words| was printed."""
    text = outcome.out + outcome.err
    assert (outcome.status == 0) == status_good, outcome
    for word in words:
        assert word in text, "%r is not in:\n%s" % (word, text)


# ---- the daemon's start ----

def bad_starts(tap, build):
    with pvmtest.Machine(build) as machine:
        cases = [
            ("an unknown option", ["-z"], "usage: pvmd"),
            ("two hostfiles", ["one", "two"], "only one hostfile"),
            ("a hostfile that is not there", ["/no/such/hostfile"], "/no/such/hostfile"),
            ("a debug mask that is no number", ["-dx"], "number"),
            ("the options of a new host by hand", ["-s"], "-j"),
        ]
        for name, arguments, word in cases:
            with tap.story("pvmd says what is wrong with " + name):
                expect(machine.run([build.pvmd] + arguments), False, word)
        with tap.story("pvmd says that PVM_TMP is no folder"):
            machine.env["PVM_TMP"] = str(machine.tmp / "nowhere")
            expect(machine.run([build.pvmd]), False, "nowhere")
        with tap.story("a PVM_TMP too long for a socket's name is coped with, or said to be"):
            long = machine.tmp / ("x" * 120)
            long.mkdir()
            machine.env["PVM_TMP"] = str(long)
            child = machine.popen([build.pvmd, "-nlong"])
            first = child.stdout.readline()
            child.terminate()
            _, err = child.communicate(timeout=10)
            # Either it copes, and says where it listens, or it says why not.
            assert first.strip() or b"long" in err, err
        machine.env["PVM_TMP"] = str(machine.tmp)
        if os.geteuid() == 0:
            with tap.story("root is refused unless it insists"):
                del machine.env["PVM_ALLOW_ROOT"]
                expect(machine.run([build.pvmd]), False, "PVM_ALLOW_ROOT")
        else:
            tap.skip("root is refused unless it insists", "not root")


def second_daemon(tap, build):
    with pvmtest.Machine(build) as machine:
        machine.start()
        with tap.story("a second pvmd of the same virtual machine is refused in words"):
            outcome = machine.run([build.pvmd, "-n" + machine.name])
            expect(outcome, False, "already")
        with tap.story("and the first goes on"):
            assert machine.host_names() == [machine.name]


def stale_directory(tap, build):
    with pvmtest.Machine(build) as machine:
        machine.start()
        for pid in machine.processes():
            pvmtest.end_pid(pid)
        machine.wait_for_master()
        with tap.story("a directory left by a killed daemon and guardian is in nobody's way"):
            machine.start()
            assert machine.host_names() == [machine.name]


# ---- hosts ----

HOSTFILE = """# a comment
* ep=/bin
good-name ip=no-such-host.invalid
bad zz=1
"""


def bad_hostfile(tap, build):
    with pvmtest.Machine(build) as machine:
        path = machine.tmp / "hosts"
        path.write_text(HOSTFILE)
        machine.start(str(path))
        with tap.story("each bad line of a hostfile is named in the log, the machine runs"):
            pvmtest.wait_until(lambda: "no-such-host.invalid" in machine.log(),
                               "the log names the unknown host", 30)
            assert "zz=" in machine.log(), machine.log()
            assert machine.host_names() == [machine.name]


def failing_shell(machine, text):
    """Makes PVM_RSH a program that prints |text| to stderr and fails, as ssh does."""
    path = machine.tmp / "rsh"
    path.write_text("#!/bin/sh\ncat >&2 <<'E'\n%s\nE\nexit 255\n" % text)
    path.chmod(0o700)
    machine.env["PVM_RSH"] = str(path)


def bad_hosts(tap, build):
    with pvmtest.Machine(build) as machine:
        failing_shell(machine, "a banner\nsomebody@10.9.8.7: Permission denied (publickey).")
        machine.start()
        with tap.story("an unknown host is called unknown"):
            outcome = machine.console("add no-such-host.invalid", 60)
            assert "0 successful" in outcome.out, outcome
            assert "No such host" in outcome.out, outcome
        with tap.story("when ssh fails its last words are shown"):
            outcome = machine.console("add 10.9.8.7", 60)
            assert "0 successful" in outcome.out, outcome
            assert "Permission denied (publickey)." in outcome.out, outcome
        with tap.story("an unknown host option is named, with those that are known"):
            outcome = machine.console('add "other zz=1"', 60)
            assert "Bad parameter" in outcome.out, outcome
            assert "zz=" in outcome.out + machine.log(), outcome
        with tap.story("a program that is not there is No such file"):
            outcome = machine.console("spawn no-such-program", 60)
            assert "No such file" in outcome.out, outcome
        with tap.story("after all of that the machine is whole, and nothing is left"):
            assert machine.host_names() == [machine.name]
            machine.halt()
            machine.expect_nothing_left()


# ---- tasks ----

def enrol_frame(version):
    """TM_ENROL as docs/protocol.md describes it."""
    name = b"stranger"
    body = struct.pack(">HIIIQI", TM_ENROL, version, 0, os.getpid(), 0, len(name)) + name
    return struct.pack(">IBBHIIQ", len(body), FRAME_CONTROL, 0, 0, 0, 0, 0) + body


def receive_frame(stream):
    head = stream.read(24)
    assert len(head) == 24, "the daemon closed without an answer"
    return stream.read(struct.unpack(">I", head[:4])[0])


def bad_tasks(tap, build):
    with pvmtest.Machine(build) as machine:
        machine.start()
        with tap.story("a library of another version is told so in words"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(machine.socket)
                connection.sendall(enrol_frame(999))
                body = receive_frame(connection.makefile("rb"))
                kind, status, length = struct.unpack(">HiI", body[:10])
                assert (kind, status) == (TM_ENROLLED, BAD_VERSION), (kind, status)
                assert "version" in body[10:10 + length].decode(), body
        with tap.story("what is no frame only ends its own connection"):
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(10)
                connection.connect(machine.socket)
                connection.sendall(b"\xff" * 100)
                assert connection.recv(1) == b"", "it was not closed"
            assert machine.host_names() == [machine.name]
        with tap.story("a message of 2 GiB is an error with words, and the next one goes through"):
            outcome = machine.run([build.helpers / "big"], 60)
            expect(outcome, True, "code -")
        with tap.story("a program without a machine is told so"):
            machine.halt()
            outcome = machine.run([build.examples / "hosts"])
            expect(outcome, False, "Can't contact local daemon")
        with tap.story("nothing is left"):
            machine.expect_nothing_left()


# ---- a full disk ----

def inside_full_disk():
    """In a mount namespace of our own: a machine whose directory is on a full file system."""
    build = pvmtest.require_build()
    with pvmtest.Machine(build) as machine:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k,nr_inodes=64", "tmpfs",
                        str(machine.tmp)], check=True)
        machine.start()
        with open(machine.tmp / "filler", "wb", buffering=0) as filler:
            try:
                while filler.write(b"x" * 4096):
                    pass
            except OSError:
                pass
        for _ in range(20):
            machine.console("conf\nspawn no-such-program\nversion")
        assert machine.host_names() == [machine.name], "the daemon did not go on"
        outcome = machine.run([build.examples / "hosts"])
        assert outcome.status == 0, outcome
        machine.halt()
        machine.expect_nothing_left()
    return 0


def full_disk(tap):
    name = "a full disk costs log lines and nothing else"
    environment = dict(os.environ, **{INSIDE: "1"})
    for words in (["unshare", "--mount"], ["unshare", "-Ur", "--mount"]):
        if not shutil.which("unshare") or subprocess.run(
                words + ["sh", "-c", "mount -t tmpfs tmpfs /mnt"],
                stderr=subprocess.DEVNULL).returncode != 0:
            continue
        run = subprocess.run(words + [sys.executable, str(pathlib.Path(__file__).resolve())],
                             env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True, timeout=60)
        tap.ok(run.returncode == 0, name, run.stdout[-3000:])
        return
    tap.skip(name, "the kernel allows no mounts of our own here")


def main():
    pvmtest.end_on_signals()
    if os.environ.get(INSIDE):
        return inside_full_disk()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    for part in (bad_starts, second_daemon, stale_directory, bad_hostfile, bad_hosts, bad_tasks):
        with tap.story(part.__name__.replace("_", " ") + ": the machine for it"):
            part(tap, build)
    full_disk(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
