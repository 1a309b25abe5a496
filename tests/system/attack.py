#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The virtual machine as an attacker finds it: on the network between its daemons, as another user
of the same computer, as a task that lies, as a daemon that nobody asked for. docs/security.md says
which claim is tested where.

    attack.py [--seed N] [STORY...]
"""
import argparse
import hashlib
import hmac
import os
import pathlib
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import attack_lib  # noqa: E402
import nemesis  # noqa: E402
import pvmtest  # noqa: E402

HOSTS = 3
STREAM = (8, 1 << 20, 2000)
GROWTH_MAX_BYTES = 32 << 20
NOBODY = 65534


class Target:
    """A machine at work (nemesis.c looks from inside), with the attacker in the middle."""

    def __init__(self, build, middle=None):
        self.machine = pvmtest.Machine(build, middle.environment() if middle else None)

    def __enter__(self):
        machine = self.machine
        try:
            machine.start()
            machine.add("local:%d" % (HOSTS - 1))
            self.before = nemesis.table(machine)
            if len(self.before) != HOSTS:
                raise pvmtest.Failure("%d hosts came" % len(self.before))
            self.job = nemesis.Job(machine, 2)
            self.job.wait_until_steady(HOSTS, 0, 30)
            self.pids = dict(machine.daemons())
            self.memory = {pid: pvmtest.own_bytes(pid) for pid in self.pids.values()}
        except Exception:
            machine.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        self.machine.__exit__()

    def expect_unmoved(self):
        """Same hosts, same daemons, the job goes on, no memory was taken."""
        self.job.wait_until_steady(HOSTS, self.job.status()[0], 30)
        after = nemesis.table(self.machine)
        if after != self.before or self.machine.daemons() != self.pids:
            raise pvmtest.Failure("hosts %s, then %s" % (self.before, after))
        for pid, before in self.memory.items():
            grown = pvmtest.own_bytes(pid) - before
            if grown > GROWTH_MAX_BYTES:
                raise pvmtest.Failure("a daemon grew by %d MB" % (grown >> 20))

    def expect_good_end(self):
        self.expect_unmoved()
        self.job.stop()
        self.machine.console("halt")
        self.machine.expect_nothing_left(15)


# ---- the network ----

def network(tap, build, chance):
    folder = tempfile.mkdtemp(prefix="pvmt-net-")
    try:
        with attack_lib.Middle(build, folder) as middle, Target(build, middle) as target:
            pvmtest.wait_until(lambda: len(middle.packets()) > 1000, "there is traffic", 30)
            for name, attack in (
                    ("replayed packets, soon and late", replay),
                    ("packets changed in a bit, cut, made longer, renumbered", spoil),
                    ("packets in the name of another daemon, to another daemon", misdirect),
                    ("handshakes repeated, changed and made up", handshakes)):
                with tap.story(name + " change nothing"):
                    attack(middle, chance)
                    target.expect_unmoved()
            with tap.story("tombstones and what a dead daemon said, repeated, kill nobody"):
                tombstones(middle, target)
            with tap.story("and in the end all that was sent had come, once and in order"):
                target.expect_good_end()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def replay(middle, chance):
    early = middle.packets()
    for packet in early + early[::-1]:
        middle.send(*packet)
        pause(chance)
    time.sleep(1.5)
    for packet in chance.sample(early, len(early) // 2):
        middle.send(*packet)
        pause(chance)


def pause(chance, packets=50):
    if chance.randrange(packets) == 0:
        time.sleep(0.005)


def spoil(middle, chance):
    packets = middle.packets()
    for i in range(4000):
        sender, to, data = chance.choice(packets)
        middle.send(sender, to, attack_lib.changed(chance, data))
        pause(chance, 20)
        if i % 1000 == 0:
            packets = middle.packets()
    sender, to, data = chance.choice(packets)
    for length in range(len(data)):
        middle.send(sender, to, data[:length])


def misdirect(middle, chance):
    packets, faces = middle.packets(), range(len(middle.faces))
    for _ in range(3000):
        sender, to, data = chance.choice(packets)
        middle.send(chance.choice(faces), chance.choice(faces), data)
        pause(chance)


def made_up_hello(public_key, chance):
    """A HELLO with the right form and mac, as anybody can make who knows the public key."""
    body = bytearray(struct.pack(">BBBBI", attack_lib.HELLO, 1, chance.choice((1, 2)), 0,
                                 chance.getrandbits(32)) + chance.randbytes(142))
    key = hashlib.sha256(b"PVM link hello" + public_key).digest()
    return bytes(body) + hmac.new(key, bytes(body), hashlib.sha256).digest()[:16]


def public_keys(machine):
    """Of the master, as every user sees it in the arguments of the others."""
    keys = set()
    for pid in machine.daemons().values():
        keys.update(bytes.fromhex(key) for key in
                    re.findall(r"[0-9a-f]{16}:([0-9a-f]{64}):", " ".join(pvmtest.words_of(pid))))
    return sorted(keys)


def handshakes(middle, chance):
    recorded = middle.packets(attack_lib.HELLO) + middle.packets(attack_lib.ANSWER)
    faces = range(len(middle.faces))
    for sender, to, data in recorded * 20:
        middle.send(sender, to, data)
        middle.send(chance.choice(faces), chance.choice(faces), data)
        middle.send(sender, to, attack_lib.changed(chance, data))
    for _ in range(2000):
        body = struct.pack(">B", chance.choice((1, 2))) + chance.randbytes(
            chance.choice((76, 165, 10, 1000)))
        middle.send(chance.choice(faces), chance.choice(faces), body)
        pause(chance)


def tombstones(middle, target):
    """Kills a daemon; all that was sent in its name after that is repeated to all, also when a new
    host is in its place."""
    machine = target.machine
    victim = sorted(name for name in target.pids if name != machine.name)[0]
    face = middle.face(target.pids[victim])
    with middle.lock:
        middle.kept.clear()
    pvmtest.end_pid(target.pids[victim])
    pvmtest.wait_until(lambda: len(nemesis.table(machine)) == HOSTS - 1, "it is out", 20, 0.1)
    last_words = [packet[2] for packet in middle.packets(sender=face)] + \
        [data for _, data in middle.strangers]
    if not middle.strangers:
        raise pvmtest.Failure("the guardian said nothing")
    outcome = machine.add("local")
    if "1 successful" not in outcome.out:
        raise pvmtest.Failure("no new host: %s" % outcome)
    target.before = nemesis.table(machine)
    target.pids = dict(machine.daemons())
    target.memory = {pid: pvmtest.own_bytes(pid) for pid in target.pids.values()}
    for _ in range(20):
        for data in last_words:
            for sender in range(len(middle.faces)):
                for to in range(len(middle.faces)):
                    middle.send(sender, to, data)
    time.sleep(1)
    target.expect_unmoved()
    print("# %d tombstones, %d other packets" % (
        len(middle.strangers), len(last_words) - len(middle.strangers)))


# ---- floods ----

class Flood(threading.Thread):
    """Garbage, and handshakes that look right, to all ports, as fast as one thread can."""

    def __init__(self, ports, keys, seed):
        super().__init__(daemon=True)
        self.ports = ports
        self.chance = random.Random(seed)
        self.ended = False
        self.sent = 0
        self.packets = [made_up_hello(key, self.chance) for key in keys for _ in range(50)]
        self.packets += [bytes([self.chance.randrange(5)]) + self.chance.randbytes(n)
                         for n in (20, 76, 165, 1200, 1400) for _ in range(30)]

    def run(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            while not self.ended:
                for packet in self.packets:
                    try:
                        sock.sendto(packet, ("127.0.0.1", self.chance.choice(self.ports)))
                    except OSError:
                        pass
                self.sent += len(self.packets)
                time.sleep(0.002)


def stream_rate(machine, to):
    begin = time.monotonic()
    outcome = machine.run([machine.build.helpers / "across", to] + list(STREAM), 120)
    if not outcome.out.startswith("ok"):
        raise pvmtest.Failure(str(outcome))
    return STREAM[0] * STREAM[1] / (time.monotonic() - begin) / 1e6


def flood(tap, build, chance):
    with Target(build) as target:
        machine = target.machine
        to = sorted(name for name in target.pids if name != machine.name)[0]
        ports = udp_ports(target.pids.values())
        before = sorted(stream_rate(machine, to) for _ in range(3))[1]
        with tap.story("work goes on while garbage and made-up handshakes come to every port"):
            thread = Flood(ports, public_keys(machine), chance.random())
            begin = time.monotonic()
            thread.start()
            try:
                during = sorted(stream_rate(machine, to) for _ in range(3))[1]
                took = time.monotonic() - begin
                target.expect_unmoved()
            finally:
                thread.ended = True
                thread.join()
            print("# %.0f MB/s before, %.0f MB/s during %.0f packets a second" % (
                before, during, thread.sent / took))
        with tap.story("and after it nothing is different"):
            target.expect_good_end()


def udp_ports(pids):
    inodes = set()
    for pid in pids:
        for entry in pathlib.Path("/proc/%d/fd" % pid).iterdir():
            try:
                found = re.match(r"socket:\[(\d+)\]", os.readlink(entry))
            except OSError:
                continue
            inodes.update(found.groups() if found else ())
    lines = [line.split() for kind in ("udp", "udp6") for line in
             pathlib.Path("/proc/net/" + kind).read_text().splitlines()[1:]]
    return sorted({int(words[1].rsplit(":", 1)[1], 16) for words in lines if inodes & set(words)})


# ---- daemons that nobody asked for ----

def join_words(machine):
    """The -m of a host that was started, as any user sees it."""
    for name, pid in machine.daemons().items():
        words = pvmtest.words_of(pid)
        if name != machine.name:
            return next(words[i + 1] if w == "-m" else w[2:] for i, w in enumerate(words)
                        if w.startswith("-m"))
    raise pvmtest.Failure("no host with -m")


def stranger(machine, number, epoch):
    return machine.popen([machine.build.pvmd, "-s", "-f", "-nstranger", "-v", "stranger", "-j",
                          "%d:%016x" % (number, epoch), "-m", join_words(machine)])


def joins(tap, build, chance):
    with Target(build) as target:
        machine = target.machine
        used = next(word for pid in target.pids.values() for i, word in
                    enumerate(pvmtest.words_of(pid)) if i and pvmtest.words_of(pid)[i - 1] == "-j")
        number, epoch = used.split(":")
        cases = [("with a made-up number and epoch", 9, chance.getrandbits(64)),
                 ("with the number and epoch of a host that is in", int(number), int(epoch, 16))]
        for name, a_number, an_epoch in cases:
            with tap.story("a daemon that nobody asked for, %s, does not get in" % name):
                process = stranger(machine, a_number, an_epoch)
                time.sleep(2)
                process.kill()
                process.wait()
                target.expect_unmoved()
        with tap.story("nor do they do harm"):
            target.expect_good_end()
    with tap.story("the words that start a host are good for one join, and in time"):
        by_hand(build)


def by_hand(build):
    """so=ms: the command that starts a host is used by somebody else too, before and after."""
    with pvmtest.Machine(build) as machine:
        hostfile = machine.tmp / "hosts"
        hostfile.write_text("$byhand ip=127.0.0.1 so=ms\n")
        machine.master = machine.popen([build.pvmd, "-nh0", hostfile], stdin=-1)
        os.set_blocking(machine.master.stderr.fileno(), False)
        said = []

        def question():
            said.append((machine.master.stderr.read() or b"").decode())
            return "Type response" in "".join(said)
        pvmtest.wait_until(question, "the question")
        command = [line for line in "".join(said).splitlines() if " -S " in line][0]
        # Somebody else was quicker: its answer was never typed, so the master knows no such key.
        thief = machine.popen(["sh", "-c", command.replace("byhand", "thief")],
                              env=dict(machine.env, PVM_TMP=str(private(machine, "thief"))))
        pvmtest.wait_until(lambda: b"ddpro<" in thief.stdout.readline(), "the thief's daemon runs")
        outcome = machine.run(["sh", "-c", command])
        if "ddpro<" not in outcome.out:
            raise pvmtest.Failure("the new daemon does not answer: %s" % outcome)
        machine.master.stdin.write(outcome.out.encode())
        machine.master.stdin.flush()
        pvmtest.wait_until(lambda: "byhand" in machine.host_names(), "the host joins", 20, 0.2)
        # And once more, when it has been used.
        machine.popen(["sh", "-c", command.replace("byhand", "late")],
                      env=dict(machine.env, PVM_TMP=str(private(machine, "late"))))
        time.sleep(2)
        if sorted(machine.host_names()) != ["byhand", "h0"]:
            raise pvmtest.Failure("the hosts are %s" % machine.host_names())
        machine.console("halt")
        machine.wait_for_master()


class FalseHost:
    """attack_host.c in the place of a daemon that a person starts."""

    def __init__(self, build, machine):
        self.machine = machine
        hostfile = machine.tmp / "hosts"
        hostfile.write_text("$byhand ip=127.0.0.1 so=ms\n")
        machine.master = machine.popen([build.pvmd, "-nh0", hostfile], stdin=-1)
        os.set_blocking(machine.master.stderr.fileno(), False)
        said = []

        def question():
            said.append((machine.master.stderr.read() or b"").decode())
            return "Type response" in "".join(said)
        pvmtest.wait_until(question, "the question")
        words = re.search(r"-j\s*'?(\d+:[0-9a-f]+).*-m\s*'?([0-9a-f]+:[0-9a-f]+):\S*?(\d+)'?(\s|$)",
                          "".join(said))
        self.process = machine.popen([build.helpers / "attack_host", words.group(1),
                                      "%s:%s" % (words.group(2), words.group(3))], stdin=-1)
        machine.master.stdin.write(self.process.stdout.readline())
        machine.master.stdin.flush()
        os.set_blocking(self.process.stdout.fileno(), False)
        self.text = ""
        pvmtest.wait_until(lambda: "byhand" in machine.host_names(), "the false host is in", 20,
                           0.1)

    def said(self, word, limit_s):
        """Did it say |word| within that time?"""
        def look():
            self.text += (self.process.stdout.read() or b"").decode()
            return word in self.text
        try:
            return pvmtest.wait_until(look, word, limit_s)
        except pvmtest.Failure:
            return False

    def ask(self):
        self.process.stdin.write(b"rejoin\n")
        self.process.stdin.flush()


def coming_back(tap, build, _chance):
    """A host with all it was told and its own key asks to come back: the key is what decides."""
    if not (build.helpers / "attack_host").exists():
        tap.skip("who asks to come back", "attack_host is not built")
        return
    with tap.story("a host that failed may ask to come back (what follows tests the refusal)"), \
            pvmtest.Machine(build) as machine:
        host = FalseHost(build, machine)
        pvmtest.wait_until(lambda: machine.host_names() == ["h0"], "the mute host is removed", 20,
                           0.2)
        host.ask()
        if not host.said("rejoined 0", 10):
            raise pvmtest.Failure("it was not answered: " + host.text)
        machine.console("halt")
        machine.wait_for_master()
    with tap.story("a host that was deleted is not even answered"), \
            pvmtest.Machine(build) as machine:
        host = FalseHost(build, machine)
        outcome = machine.console("delete byhand")
        if "1 successful" not in outcome.out:
            raise pvmtest.Failure(str(outcome))
        host.ask()
        if host.said("rejoined", 5) or machine.host_names() != ["h0"]:
            raise pvmtest.Failure("it was answered: " + host.text)
        machine.console("halt")
        machine.wait_for_master()


def private(machine, name):
    folder = machine.tmp / name
    folder.mkdir(mode=0o700)
    return folder


# ---- a task that lies ----

class Liar:
    """A connection to the daemon, enrolled as a task."""

    def __init__(self, path, formats):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(10)
        self.socket.connect(path)
        name = b"liar"
        version = int(re.search(r"PROTOCOL_TASK_VERSION = (\d+)", formats.header).group(1))
        self.send(attack_lib.frame(1, 0, 0, 0, 0, struct.pack(
            ">HIIIQI", formats.number("TM_ENROL"), version, 0, os.getpid(), 0, len(name)) + name))
        body = self.receive()
        kind, status, length = struct.unpack(">HiI", body[:10])
        if kind != formats.number("TM_ENROLLED") or status:
            raise pvmtest.Failure("the liar is not enrolled: %d %d" % (kind, status))
        self.tid = struct.unpack(">I", body[14 + length:18 + length])[0]

    def send(self, data):
        self.socket.sendall(data)

    def receive(self):
        head = b""
        while len(head) < 24:
            more = self.socket.recv(24 - len(head))
            if not more:
                raise ConnectionError("closed")
            head += more
        length, body = struct.unpack(">I", head[:4])[0], b""
        while len(body) < length:
            body += self.socket.recv(length - len(body))
        return body

    def is_closed(self, limit_s=10):
        """The daemon closed it, whatever else it said before."""
        end = time.monotonic() + limit_s
        while time.monotonic() < end:
            try:
                if not self.socket.recv(65536):
                    return True
            except (ConnectionError, socket.timeout):
                return not isinstance(sys.exc_info()[1], socket.timeout)
        return False


def lie(path, formats, frames):
    """Sends the frames as one task; stops when the daemon has had enough."""
    liar = Liar(path, formats)
    try:
        for data in frames(liar.tid):
            liar.send(data)
    except OSError:
        pass
    liar.socket.close()


# What would be an order that the user may give, and ends what we look at.
ORDERS = ("TM_HALT", "TM_ENROL")


def hostile_bodies(formats, chance):
    for label, name, number in formats.messages:
        if label in ORDERS:
            continue
        for _ in range(12):
            yield label, formats.hostile(name, number, chance)
    for number in (0, 63, 127, 200, 65535):
        yield "?", struct.pack(">H", number) + chance.randbytes(20)


def liars(tap, build, chance):
    formats = attack_lib.Formats(build.source)
    formats.header = (build.source / "src" / "wire" / "msgs.h").read_text()
    with Target(build) as target:
        machine = target.machine
        path = machine.socket
        with tap.story("malformed and absurd messages of every type cost only who sends them"):
            count = 0
            for _, body in hostile_bodies(formats, chance):
                lie(path, formats, lambda tid, b=body: [attack_lib.frame(1, 0, tid, 0, 0, b)])
                count += 1
            print("# %d messages of %d types" % (count, len(formats.messages)))
            target.expect_unmoved()
        with tap.story("also many in one connection"):
            for _ in range(30):
                bodies = [body for _, body in chance.sample(list(hostile_bodies(formats, chance)),
                                                            40)]
                lie(path, formats, lambda tid, b=bodies: [attack_lib.frame(1, 0, tid, 0, 0, x)
                                                          for x in b])
            target.expect_unmoved()
        with tap.story("nobody speaks in another's name"):
            in_anothers_name(target, path, formats)
        with tap.story("frames with impossible lengths, kinds and counts end only the connection"):
            for data in bad_frames(chance):
                lie(path, formats, lambda tid, d=data: [d(tid)])
            target.expect_unmoved()
        with tap.story("hundreds of connections that say nothing keep nobody out"):
            silent(path, formats)
            target.expect_unmoved()
        with tap.story("and the work of the others is whole"):
            target.expect_good_end()


def in_anothers_name(target, path, formats):
    """Data are refused; of a request it counts on which connection it came."""
    others = [int(row[1], 16) for row in (line.split() for line in target.machine.console(
        "ps -a").out.splitlines()) if len(row) > 2 and re.fullmatch(r"[0-9a-f]{5,8}", row[1])]
    if not others:
        raise pvmtest.Failure("no tasks in ps -a")
    ended = target.job.status()[4]
    for other in others:
        body = struct.pack(">HI", formats.number("TM_EXIT"), 1)
        lie(path, formats, lambda tid, o=other, b=body: [attack_lib.frame(1, 0, o, 0, 0, b)])
    for kind in (2, 3, 4, 5):
        liar = Liar(path, formats)
        liar.send(attack_lib.frame(kind, 0 if kind == 5 else 3, others[0], liar.tid, 1, b"x" * 40))
        if not liar.is_closed():
            raise pvmtest.Failure("a frame of kind %d in another's name is taken" % kind)
    target.expect_unmoved()
    if target.job.status()[4] != ended:
        raise pvmtest.Failure("a task ended by somebody else's word")


def bad_frames(chance):
    made = attack_lib.frame
    head = struct.pack(">IiIIQ", 0, 1, 0, 0, 8)
    return [lambda tid: made(2, 3, tid, tid, 1, b"", 0xffffffff),
            lambda tid: made(1, 0, tid, 0, 0, b"", 5 << 20),
            lambda tid: made(9, 0, tid, tid, 1, b"xx"),
            lambda tid: made(2, 255, tid, tid, 1, head),
            lambda tid: made(2, 3, tid, tid, 1, head[:10]),
            lambda tid: made(2, 3, tid, 0x40001, (1 << 64) - 1, head + b"x" * 8),
            lambda tid: made(2, 3, tid, 0xffffffff, 1, head + b"x" * 8),
            lambda tid: made(3, 3, tid, 0, 1, struct.pack(">I", 0xffffffff) + b"x" * 100),
            lambda tid: made(3, 3, tid, 0, 1, struct.pack(">I", 5000) + b"\0" * 60000),
            lambda tid: made(3, 1, tid, 0, 1, struct.pack(">IIQ", 1, 0x40001, 0)),
            lambda tid: made(4, 3, tid, 0x40001, 1, struct.pack(">IQ", 0x40001, 7) + head),
            lambda tid: made(5, 0, 0x40000, 0x40001, 0, b""),
            lambda tid: b"".join(made(2, 1, tid, tid, n, head + b"y" * 60000)
                                 for n in range(1, 200)),
            lambda tid: chance.randbytes(100000)]


def silent(path, formats):
    held = []
    try:
        for _ in range(300):
            one = socket.socket(socket.AF_UNIX)
            one.settimeout(5)
            one.connect(path)
            one.send(b"\0\0\0")
            held.append(one)
        Liar(path, formats).socket.close()
    finally:
        for one in held:
            one.close()


# ---- another user of the computer ----

SWAPPER = r"""
# As another user, in a folder where everybody may write: makes the name that the victim is about to
# use point at a place of our own, takes it away again, and so on, and listens there.
import os, shutil, socket, sys, time
folder, name, limit = sys.argv[1], sys.argv[2], time.time() + float(sys.argv[3])
own = os.path.join(folder, "trap")
os.makedirs(os.path.join(own, "t", "h0"), exist_ok=True)
os.chmod(own, 0o777)
for part in ("t", "t/h0"):
    os.chmod(os.path.join(own, part), 0o777)
trap = socket.socket(socket.AF_UNIX)
trap.bind(os.path.join(own, "t", "h0", "sock"))
os.chmod(os.path.join(own, "t", "h0", "sock"), 0o777)
trap.listen(10)
trap.setblocking(False)
path = os.path.join(folder, name)
caught = 0
print("ready", flush=True)
while time.time() < limit and not os.path.exists(os.path.join(folder, "enough")):
    try:
        os.symlink(own, path)
    except OSError:
        pass
    try:
        os.unlink(path)
    except OSError:
        pass
    try:
        os.mkdir(path, 0o777)
    except OSError:
        pass
    try:
        os.rmdir(path)
    except OSError:
        pass
    try:
        trap.accept()
        caught += 1
    except OSError:
        pass
print("caught %d" % caught, flush=True)
"""


def as_nobody(code, *arguments):
    interpreter = shutil.which("python3", path="/usr/bin:/bin:/usr/local/bin") or sys.executable
    return ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups", interpreter,
            "-c", code] + [str(a) for a in arguments]


def other_user(tap, build, chance):
    names = ("a name taken by another user is refused in words",
             "a race for the name of the directory is never won by another user",
             "with every door open the socket still knows its user")
    reason = None
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        reason = "needs root to become another user"
    elif subprocess.run(as_nobody("print(1)"), cwd="/", stdout=subprocess.DEVNULL,
                        stderr=subprocess.DEVNULL, check=False).returncode != 0:
        reason = "no python for another user here"
    if reason:
        for name in names:
            tap.skip(name, reason)
        return
    with tap.story(names[0]):
        taken_names(build)
    with tap.story(names[1]):
        race(build)
    with tap.story(names[2]):
        open_doors(build)


def open_folder(machine):
    """PVM_TMP as /tmp is: everybody may write, nobody removes what is another's."""
    machine.tmp.chmod(0o1777)
    return "pvm-%d" % os.getuid()


def taken_names(build):
    for code in ("os.mkdir(p)", "os.mkdir(p); os.chmod(p, 0o777)", "os.symlink('/root', p)",
                 "os.mkdir(p + 'x'); os.chmod(p + 'x', 0o777); os.symlink(p + 'x', p)",
                 "open(p, 'w')", "os.mkfifo(p)"):
        with pvmtest.Machine(build) as machine:
            name = open_folder(machine)
            subprocess.run(as_nobody("import os,sys; p=sys.argv[1]; " + code, machine.tmp / name),
                           cwd="/", check=True)
            outcome = machine.run([build.pvmd, "-nh0"], 10)
            if outcome.status == 0 or name not in outcome.err:
                raise pvmtest.Failure("%s: pvmd %s" % (code, outcome))
            outcome = machine.run([build.examples / "hosts"], 10)
            if outcome.status == 0:
                raise pvmtest.Failure("%s: a task trusted it: %s" % (code, outcome))


def race(build):
    starts, refusals = 0, 0
    with pvmtest.Machine(build) as machine:
        name = open_folder(machine)
        attacker = subprocess.Popen(as_nobody(SWAPPER, machine.tmp, name, 60), cwd="/",
                                    stdout=subprocess.PIPE, text=True)
        try:
            if attacker.stdout.readline().strip() != "ready":
                raise pvmtest.Failure("the attacker does not start")
            for _ in range(40):
                try:
                    machine.start(limit_s=5)
                except pvmtest.Failure:
                    refusals += 1
                    machine.master.kill()
                    machine.master.wait()
                    continue
                starts += 1
                status = (machine.tmp / name).lstat()
                if status.st_uid != os.getuid() or status.st_mode & 0o077:
                    raise pvmtest.Failure("the directory is another's: %s" % (status,))
                machine.run([build.examples / "hosts"], 10)
                machine.halt()
                shutil.rmtree(machine.tmp / name, ignore_errors=True)
            (machine.tmp / "enough").touch()
            words = attacker.communicate(timeout=70)[0]
        finally:
            attacker.kill()
            attacker.wait()
    print("# %d starts, %d refusals, the attacker %s" % (starts, refusals, words.strip()))
    if "caught 0" not in words:
        raise pvmtest.Failure("somebody called the attacker's socket: " + words)


def open_doors(build):
    """As if the user had opened the directories by mistake."""
    with pvmtest.Machine(build) as machine:
        machine.start()
        path = pathlib.Path(machine.socket)
        folders = [p for p in path.parents if machine.tmp in p.parents] + [machine.tmp]
        for folder in folders:
            folder.chmod(0o755)
        path.chmod(0o777)
        code = ("import socket,sys\ns=socket.socket(socket.AF_UNIX); s.settimeout(5)\n"
                "s.connect(sys.argv[1])\ntry:\n s.sendall(b'x')\n d=s.recv(100)\n"
                "except ConnectionError:\n d=b''\nsys.exit(0 if not d else 'it answers')")
        run = subprocess.run(as_nobody(code, path), cwd="/", stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True, check=False)
        if run.returncode != 0:
            raise pvmtest.Failure(run.stdout)
        for folder in folders:
            folder.chmod(0o700)
        if machine.host_names() != ["h0"]:
            raise pvmtest.Failure("the daemon did not go on")


STORIES = {"network": network, "flood": flood, "joins": joins, "coming_back": coming_back,
           "liars": liars, "other_user": other_user}


def main():
    pvmtest.end_on_signals()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int)
    parser.add_argument("stories", nargs="*", default=list(STORIES))
    options = parser.parse_args()
    build = pvmtest.require_build()
    tap = pvmtest.Tap()
    seed, chance = nemesis.seeded(options.seed)
    print("# seed %d" % seed)
    for name in options.stories:
        if name == "network" and nemesis.Net.reason_not(build):
            tap.skip("attacks from the middle of the network", nemesis.Net.reason_not(build))
            continue
        with tap.story(name.replace("_", " ") + ": the machine for it"):
            STORIES[name](tap, build, chance)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
