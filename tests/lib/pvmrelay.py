#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A bad network between two daemons: the relay program, and how the daemons are made to use it.

A machine with a Relay has its second host started through PVM_RSH. That program is this file
itself: it runs the command it is given, and changes the two texts that bind the new daemon to its
master (the -m argument and the answer line), so that each takes the relay for the other. Nothing in
the daemon knows of it.
"""
import os
import pathlib
import re
import subprocess
import sys

FAR = "far"


class Relay:
    """The relay process; commands are lines, each answered by one."""

    def __init__(self, build):
        self.process = subprocess.Popen([str(build.helpers / "relay")], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True, bufsize=1)
        self.near_port, self.far_port = self.process.stdout.readline().split()
        self.answer_file = None

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        return self.process.stdout.readline().strip()

    def counts(self):
        names = ("in", "out", "dropped", "held", "spoilt", "copied")
        return dict(zip(names, map(int, self.tell("stats").split())))

    def prepare(self, machine):
        """Environment and hostfile with which |machine| gets its second host through this relay."""
        self.answer_file = machine.tmp / "far-port"
        machine.env.update(PVM_RSH=str(pathlib.Path(__file__).resolve()),
                           RELAY_PORTS="%s %s" % (self.near_port, self.far_port),
                           RELAY_ANSWER=str(self.answer_file))
        hostfile = machine.tmp / "hosts"
        hostfile.write_text("$%s ip=127.0.0.1\n" % FAR)
        return hostfile

    def connect(self):
        """Tells the relay where the far daemon is, as soon as that is known. True when it was."""
        if not self.answer_file.exists():
            return False
        return self.tell("far 127.0.0.1 %s" % self.answer_file.read_text().strip()) == "ok"


def remote_shell():
    """As a program: HOST [-l LOGIN] COMMAND..., run here, with both texts changed."""
    words = [w for w in sys.argv[1:] if w not in ("-n", "-x", "-T")]
    words = words[1:]
    if words[:1] == ["-l"]:
        words = words[2:]
    near, far = os.environ["RELAY_PORTS"].split()
    command = re.sub(r"(-m\s*'?[0-9a-f]+:[0-9a-f]+:)\S*?('?)(?=\s|$)",
                     lambda m: "%s[::ffff:127.0.0.1]:%s%s" % (m.group(1), far, m.group(2)),
                     " ".join(words))
    child = subprocess.Popen(["sh", "-c", command], stdout=subprocess.PIPE, text=True)
    for line in child.stdout:
        found = re.search(r"addr<\[[^\]]*\]:(\d+)", line)
        if found:
            answer = pathlib.Path(os.environ["RELAY_ANSWER"])
            answer.with_suffix(".new").write_text(found.group(1))
            answer.with_suffix(".new").rename(answer)
            line = re.sub(r"addr<[^>]*>", "addr<[::ffff:127.0.0.1]:%s>" % near, line)
        sys.stdout.write(line)
        sys.stdout.flush()
    return child.wait()


if __name__ == "__main__":
    sys.exit(remote_shell())
