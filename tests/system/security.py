#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Promise 6: what an outsider sends, repeats or changes has no effect, and another user of the
machine finds no door: nothing to connect to, nothing to read."""
import os
import pathlib
import random
import re
import shutil
import socket
import stat
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmrelay  # noqa: E402
import pvmtest  # noqa: E402

STREAM = (64, 1 << 20, 20000)
GARBAGE_PACKETS = 20000
GROWTH_ALLOWED_BYTES = 8 * 1024 * 1024


def stream(machine, host):
    outcome = machine.run([machine.build.helpers / "across", host] + list(STREAM), 120)
    assert outcome.out.startswith("ok"), outcome


# ---- what the kernel knows of a process ----

def inodes_of(pid):
    """Numbers of the sockets that the process has open."""
    found = set()
    for entry in pathlib.Path("/proc/%d/fd" % pid).iterdir():
        try:
            match = re.match(r"socket:\[(\d+)\]", os.readlink(entry))
        except OSError:
            continue
        if match:
            found.add(match.group(1))
    return found


def sockets(kind, pids):
    """Lines of /proc/net/|kind| that belong to one of the processes, as word lists."""
    inodes = set().union(*(inodes_of(pid) for pid in pids))
    lines = [line.split() for line in
             pathlib.Path("/proc/net/" + kind).read_text().splitlines()[1:]]
    return [words for words in lines if inodes & set(words)]


def udp_ports(pids):
    return sorted({int(words[1].rsplit(":", 1)[1], 16)
                   for kind in ("udp", "udp6") for words in sockets(kind, pids)})


# ---- the network ----

def hostile_network(tap, build):
    with pvmrelay.Relay(build) as relay, pvmtest.Machine(build) as machine:
        machine.start(str(relay.prepare(machine)))
        pvmtest.wait_until(relay.connect, "the far daemon answers", 60)
        pvmtest.wait_until(lambda: pvmrelay.FAR in machine.host_names(), "the far host is in", 60,
                           0.2)
        relay.tell("spoil 20")
        relay.tell("copy 50")
        with tap.story("changed and repeated packets change nothing for those who talk"):
            stream(machine, pvmrelay.FAR)
            counts = relay.counts()
            print("# relay: %s" % counts)
            assert counts["spoilt"] > 20 and counts["copied"] > 20, "too few to mean anything"
        relay.tell("spoil 0")
        relay.tell("copy 0")
        with tap.story("and both daemons stay in the machine"):
            assert sorted(machine.host_names()) == sorted([machine.name, pvmrelay.FAR])
            machine.halt()
            machine.expect_nothing_left()


def send_garbage(ports, seed):
    """Random bytes, and bytes that begin like packets, to each port."""
    chance = random.Random(seed)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for i in range(GARBAGE_PACKETS):
            length = chance.choice((0, 1, 20, 33, 64, 96, 200, 1200, 1400))
            first = bytes([chance.randrange(8) if i % 2 else chance.randrange(256)])
            packet = (first + chance.randbytes(length))[:length]
            sender.sendto(packet, ("127.0.0.1", ports[i % len(ports)]))


def strangers_join(machine, build):
    """A daemon with a made-up number and a key of its own calls the master: its -m comes from a
    real new host, as any user may see it in ps."""
    seen = next(pvmtest.words_of(pid) for name, pid in machine.daemons().items()
                if name != machine.name)
    m = next(seen[i + 1] if w == "-m" else w[2:] for i, w in enumerate(seen)
             if w.startswith("-m"))
    stranger = machine.popen([build.pvmd, "-s", "-f", "-nstranger", "-v", "stranger", "-j",
                              "9:%016x" % random.getrandbits(64), "-m", m])
    pvmtest.wait_until(lambda: "stranger" in machine.daemons(), "the stranger runs", 10)
    return stranger


def strangers(tap, build):
    with pvmtest.Machine(build) as machine:
        machine.start()
        machine.add("local")
        hosts = sorted(machine.host_names())
        pids = list(machine.daemons().values())
        with tap.story("%d packets of garbage do nothing" % GARBAGE_PACKETS), \
                pvmtest.Peaks(pids) as peaks:
            seed = random.getrandbits(32)
            print("# seed %d" % seed)
            send_garbage(udp_ports(pids), seed)
            stream(machine, next(h for h in hosts if h != machine.name))
            assert sorted(machine.host_names()) == hosts
        with tap.story("and cost no memory"):
            for pid in pids:
                grown = peaks.grown(pid)
                # The stream above took what flows may take; garbage must add nothing to speak of.
                assert grown < GROWTH_ALLOWED_BYTES + 24 * 1024 * 1024, "grew by %d" % grown
        with tap.story("a daemon that the master did not start does not get in"):
            stranger = strangers_join(machine, build)
            stream(machine, next(h for h in hosts if h != machine.name))
            assert sorted(machine.host_names()) == hosts, machine.host_names()
            stranger.kill()


# ---- other users of the machine ----

def doors(tap, machine):
    pids = list(machine.processes())
    listening = [words for kind in ("tcp", "tcp6") for words in sockets(kind, pids)
                 if words[3] == "0A"]
    tap.ok(not listening, "nothing listens on TCP", listening)
    abstract = [words[-1] for words in sockets("unix", pids) if words[-1].startswith("@")]
    tap.ok(not abstract, "no socket has a name outside the private directory", abstract)
    ports = udp_ports(pids)
    tap.ok(len(ports) == len(machine.daemons()), "each daemon has one UDP socket", ports)
    open_to_others = [str(path) for path in [machine.tmp / ("pvm-%d" % os.getuid())] +
                      list((machine.tmp / ("pvm-%d" % os.getuid())).rglob("*"))
                      if not path.is_symlink() and path.is_dir() and
                      stat.S_IMODE(path.stat().st_mode) & 0o077]
    tap.ok(not open_to_others, "every directory is the user's alone", open_to_others)
    log = machine.host_folder(machine.name) / "log"
    tap.ok(stat.S_IMODE(log.stat().st_mode) & 0o077 == 0, "the log is the user's alone")


OTHER_USER = """
import os, socket, sys
socket_path, log_path = sys.argv[1:]
for attempt in ("connect", "read", "list"):
    try:
        if attempt == "connect":
            socket.socket(socket.AF_UNIX).connect(socket_path)
        elif attempt == "read":
            open(log_path)
        else:
            os.listdir(os.path.dirname(os.path.dirname(os.path.dirname(log_path))))
    except PermissionError:
        continue
    sys.exit("could " + attempt)
"""


def other_user(tap, machine):
    name = "another user can neither connect, nor read, nor look"
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        tap.skip(name, "needs root to become another user")
        return
    machine.tmp.chmod(0o755)  # as /tmp is: what protects must be ours
    log = machine.host_folder(machine.name) / "log"
    interpreter = shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin") or sys.executable
    run = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                          interpreter, "-c", OTHER_USER, machine.socket, str(log)],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd="/")
    if "No such file" in run.stdout or "can't open" in run.stdout:
        tap.skip(name, "no python for another user here")
        return
    tap.ok(run.returncode == 0, name, run.stdout)
    machine.tmp.chmod(0o700)


def neighbours(tap, build):
    with pvmtest.Machine(build) as machine:
        machine.start()
        machine.add("local:2")
        doors(tap, machine)
        other_user(tap, machine)


def main():
    pvmtest.end_on_signals()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    for part in (hostile_network, strangers, neighbours):
        with tap.story(part.__name__.replace("_", " ") + ": the machine for it"):
            part(tap, build)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
