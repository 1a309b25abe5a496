# SPDX-License-Identifier: BSD-3-Clause
"""Faults for a private virtual machine: daemons killed and stopped, and a network that loses,
delays, copies, spoils and cuts, each drawn from a seed.

Net is the relay between any number of daemons of one machine (tests/system/relay.c), with which
each of them registers at its start through falseport.c; no privileges are needed. Nemesis draws
faults and applies them, and knows which of them may cost a host its place and which must not.
"""
import pathlib
import random
import re
import shutil
import signal
import subprocess
import time

import pvmtest

DEAD_AFTER_S = 5
# A stop or a cut of this long costs a host its place; shorter than HARMLESS_S must not.
HARMLESS_S = 3.0


class Net:
    """The network between the daemons of a machine; `with Net(build) as net:
    net.prepare(machine)`."""

    def __init__(self, build, folder, seed):
        self.socket = pathlib.Path(folder) / "relay"
        self.library = build.helpers / "libfalseport.so"
        self.process = subprocess.Popen([str(build.helpers / "relay"), str(self.socket)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1)
        if self.process.stdout.readline().strip() != "ready":
            raise pvmtest.Failure("the relay does not start")
        self.tell("seed %d" % seed)

    def close(self):
        self.process.stdin.close()
        self.process.wait(10)
        self.process.stdout.close()

    @staticmethod
    def reason_not(build):
        """Why there can be none in this build, or None."""
        if not (build.helpers / "libfalseport.so").exists():
            return "the relay's library is not built"
        if build.is_sanitized():
            return "a sanitizer wants to be the first library itself"
        return None

    def environment(self):
        return {"LD_PRELOAD": str(self.library), "PVM_TEST_RELAY": str(self.socket)}

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        answer = self.process.stdout.readline().strip()
        if answer == "what?":
            raise pvmtest.Failure("the relay does not understand " + line)
        return answer

    def face(self, pid):
        """Number of the face of the daemon |pid|, or None."""
        for word in self.tell("faces").split():
            number, owner = word.split(":")
            if int(owner) == pid:
                return int(number)
        return None

    def cut(self, one, other="*", on=True):
        """Lets nothing through from face |one| to face |other|."""
        self.tell("cut %d @ %s %s" % (on, one, other))

    def heal(self):
        self.tell("heal")

    def counts(self):
        names = ("in", "out", "dropped", "held", "spoilt", "copied")
        return dict(zip(names, map(int, self.tell("stats").split())))


def family(machine, pid):
    """The daemon |pid|, its guardian, its tasks and what those started."""
    parents = {p: pvmtest.parent_of(p) for p in machine.processes()}
    found = {pid}
    while True:
        more = {p for p, parent in parents.items() if parent in found} - found
        if not more:
            return found
        found |= more


class Job:
    """The program tests/system/nemesis.c, which looks from inside, and what it says of itself."""

    def __init__(self, machine, per_host, folder=None):
        self.per_host = per_host
        self.file = (folder or machine.tmp) / "status"
        self.stop_file = (folder or machine.tmp) / "stop"
        self.process = machine.popen([machine.build.helpers / "nemesis", self.file, self.stop_file,
                                      per_host])

    def status(self):
        """(rounds, hosts, members, messages, ended)"""
        try:
            return tuple(int(word) for word in self.file.read_text().split()[:5])
        except (OSError, ValueError):
            return (0, 0, 0, 0, 0)

    def wrongs(self):
        path = self.file.with_suffix(".wrong")
        return path.read_text() if path.exists() else ""

    def expect_good(self):
        if self.wrongs():
            raise pvmtest.Failure(self.wrongs())
        if self.process.poll() is not None:
            raise pvmtest.Failure("the job ended with %d" % self.process.returncode)

    def is_steady(self, hosts, since):
        """With so many hosts, all members answered in two rounds after round |since|."""
        self.expect_good()
        rounds, in_table, members, _, _ = self.status()
        return rounds >= since + 2 and in_table == hosts and members == self.per_host * hosts

    def wait_until_steady(self, hosts, since, limit_s):
        try:
            pvmtest.wait_until(lambda: self.is_steady(hosts, since), "steady", limit_s)
        except pvmtest.Failure:
            self.expect_good()
            raise pvmtest.Failure("the job is not steady with %d hosts within %g s: %s" % (
                hosts, limit_s, self.status())) from None

    def stop(self):
        """Lets it compare what was sent and written with what there is."""
        self.stop_file.write_text("")
        pvmtest.wait_until(lambda: self.process.poll() is not None, "the job ends", 120)
        if self.wrongs() or self.process.returncode != 0:
            raise pvmtest.Failure(self.wrongs() or "ended with %d" % self.process.returncode)


def table(machine):
    """{host name: tid} as the console shows it."""
    rows = [line.split() for line in machine.console("conf").out.splitlines()]
    return {row[0]: row[1] for row in rows
            if len(row) >= 4 and re.fullmatch(r"[0-9a-f]+", row[1]) and row[0] != "HOST"}


def print_logs(machine, lines):
    """The last lines of what each daemon wrote."""
    for path in sorted(machine.host_folder("x").parent.glob("*/log")):
        if not path.parent.is_symlink():
            for line in path.read_text(errors="replace").splitlines()[-lines:]:
                print("# %s: %s" % (path.parent.name, line))


def sweep(machine, name):
    """Takes away what a host left behind of which nothing runs any more."""
    shutil.rmtree(machine.host_folder(name), ignore_errors=True)


class Fault:
    """One fault: what it is called, and whether it may cost hosts their place."""

    def __init__(self, words, costs, run):
        self.words = words
        self.costs = costs  # names of hosts that may be removed, and no others
        self.run = run


class Nemesis:
    """Draws faults. |machine| is running; |home| is the host that is never harmed."""

    def __init__(self, machine, home, chance, net=None):
        self.machine = machine
        self.home = home
        self.chance = chance
        self.net = net
        self.frozen = []

    def victims(self, count=1):
        names = sorted(n for n in self.machine.daemons() if n != self.home)
        return self.chance.sample(names, min(count, len(names)))

    # ---- daemons ----

    def kill(self, count=1):
        """kill -9 of daemons; the guardians are left to do their work."""
        names = self.victims(count)

        def run():
            daemons = self.machine.daemons()
            for name in names:
                pvmtest.end_pid(daemons[name])
        return Fault("kill -9 of " + " and ".join(names), set(names), run)

    def kill_host(self):
        """The whole host at once: daemon, guardian and tasks; nobody is left to say so."""
        names = self.victims()

        def run():
            for pid in family(self.machine, self.machine.daemons()[names[0]]):
                pvmtest.end_pid(pid)
            sweep(self.machine, names[0])
        return Fault("kill -9 of everything on " + names[0], set(names), run)

    def stop(self, seconds):
        """SIGSTOP of a daemon alone, then SIGCONT."""
        name = self.victims()[0]

        def run():
            pid = self.machine.daemons()[name]
            pvmtest.end_pid(pid, signal.SIGSTOP)
            try:
                time.sleep(seconds)
            finally:
                pvmtest.end_pid(pid, signal.SIGCONT)
        return Fault("stop of %s for %g s" % (name, seconds),
                     {name} if seconds > HARMLESS_S else set(), run)

    def freeze(self, seconds):
        """SIGSTOP of a whole host: daemon, guardian and tasks."""
        name = self.victims()[0]

        def run():
            pids = family(self.machine, self.machine.daemons()[name])
            for pid in pids:
                pvmtest.end_pid(pid, signal.SIGSTOP)
            try:
                time.sleep(seconds)
            finally:
                for pid in pids:
                    pvmtest.end_pid(pid, signal.SIGCONT)
        return Fault("freeze of %s for %g s" % (name, seconds),
                     {name} if seconds > HARMLESS_S else set(), run)

    # ---- network ----

    def _faces(self):
        return {name: self.net.face(pid) for name, pid in self.machine.daemons().items()}

    def _network(self, words, costs, lines, seconds):
        """Lines are made when the fault begins: with {NAME} for the face of a host."""
        def run():
            faces = {name: face for name, face in self._faces().items() if face is not None}
            try:
                for line in lines:
                    for name in sorted(faces, key=len, reverse=True):
                        line = line.replace("{%s}" % name, str(faces[name]))
                    self.net.tell(line)
                time.sleep(seconds)
            finally:
                self.net.heal()
        return Fault("%s for %g s" % (words, seconds), costs, run)

    def cut(self, seconds):
        """One host is cut off from all others."""
        name = self.victims()[0]
        return self._network("cut of " + name, {name} if seconds > HARMLESS_S else set(),
                             ["cut 1 @ {%s} *" % name, "cut 1 @ * {%s}" % name], seconds)

    def cut_one_way(self, seconds):
        """What one host says is not heard, or it hears nothing."""
        name = self.victims()[0]
        way = self.chance.choice(["{%s} *", "* {%s}"]) % name
        return self._network("one-way cut of %s (%s)" % (name, way),
                             {name} if seconds > HARMLESS_S else set(), ["cut 1 @ " + way], seconds)

    def cut_pair(self, seconds):
        """Two hosts do not reach each other; everybody else reaches both: nobody is removed."""
        one, other = self.chance.sample(sorted(self.machine.daemons()), 2)
        return self._network("no path between %s and %s" % (one, other), set(),
                             ["cut 1 @ {%s} {%s}" % (one, other),
                              "cut 1 @ {%s} {%s}" % (other, one)], seconds)

    def split(self, seconds):
        """The machine in two parts; the smaller one is cut off."""
        names = sorted(self.machine.daemons())
        few = self.victims((len(names) - 1) // 2)
        lines = ["cut 1 @ {%s} {%s}" % pair for name in names if name not in few
                 for cut in few for pair in ((name, cut), (cut, name))]
        return self._network("split: %s cut off" % " ".join(few),
                             set(few) if seconds > HARMLESS_S else set(), lines, seconds)

    def weather(self, seconds):
        """A bad network for all: nobody is removed."""
        chance = self.chance
        lines = chance.sample([
            "drop %d" % chance.choice((10, 50, 200, 300)),
            "burst %d %d" % (chance.choice((2, 10)), chance.choice((5, 30))),
            "delay %d %d" % (chance.choice((1, 10, 60)), chance.choice((0, 5, 40))),
            "reorder %d %d" % (chance.choice((100, 500)), chance.choice((2, 20))),
            "copy %d" % chance.choice((50, 300)),
            "spoil %d" % chance.choice((5, 20, 50))], chance.randint(1, 4))
        return self._network("weather: " + ", ".join(lines), set(), lines, seconds)


def seeded(argument):
    """(seed, chance) from the argument, or from the clock."""
    seed = int(argument) if argument is not None else int(time.time() * 1000) % (1 << 31)
    return seed, random.Random(seed)
