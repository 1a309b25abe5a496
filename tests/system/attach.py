#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tasks made by hand that share memory with the daemon, rightly and wrongly: descriptors that are
none, slots that lie, requests that cannot be. The daemon answers with an error or cuts that task;
it lives, keeps no descriptor, and serves everybody else."""
import contextlib
import fcntl
import mmap
import os
import pathlib
import select
import signal
import socket
import struct
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "lib"))
import pvmtest  # noqa: E402
from pvmtest import Machine, Tap, require_build, wait_until  # noqa: E402

VERSION = 2
TM_ENROL, TM_ENROLLED, TM_EXIT, TM_DONE, TM_CONFIG, TM_HOSTS = 1, 2, 3, 4, 5, 6
TM_ATTACH, TM_PEER, TM_GONE, TM_WAKE = 26, 27, 28, 29
CONTROL, DATA = 1, 2
NO_TASK, BAD_PARAM, SYS_ERR = -31, -2, -14

AREA, SLOT, PAGE = 1 << 20, 128, mmap.PAGESIZE
RING, BACK, BODY = 4096, 8192, 16384  # where things are in a segment made here
RING_SLOTS = 8
BYTES, PIECES, LIST, RELEASE, MOVE = 1, 2, 3, 4, 5
EXTRA, MCAST = 1, 2
F_ADD_SEALS, SEALS = 1033, 1 | 2 | 4
SECOND = 1000000000


def memory(size, seals=SEALS):
    fd = os.memfd_create("by-hand", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, size)
    if seals:
        fcntl.fcntl(fd, F_ADD_SEALS, seals)
    return fd


def text(value):
    return struct.pack(">I", len(value)) + value


class Segment:
    """What share/segment.h makes, by hand: three descriptors and the memory to write to."""

    def __init__(self, size=AREA, magic=0x53564d50):
        self.segment, self.inbox_fd = memory(size), memory(PAGE)
        self.bell = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.bytes = mmap.mmap(self.segment, size)
        self.inbox = mmap.mmap(self.inbox_fd, PAGE)
        self.bytes[0:16] = struct.pack("=IIQ", magic, 1, size)
        self.fds = [self.segment, self.inbox_fd, self.bell]
        self.position = 0

    # struct shm_slot of shm/layout.h
    def publish(self, kind, count=0, payload=b"", flags=EXTRA, party=0, sequence=1, handle=0,
                pieces=0):
        at = RING + self.position % RING_SLOTS * SLOT
        body = struct.pack("=BBHiIQQII", kind, flags, count, 7, 0, sequence, 1, 0, handle)
        rest = body + payload.ljust(72, b"\0") + struct.pack("=IIII", 0, party, pieces, 0)
        self.bytes[at + 4:at + SLOT] = rest
        self.bytes[at:at + 4] = struct.pack("=I", self.position & 0xffffffff | 0x80000000)
        self.position += 1

    def close(self):
        self.bytes.close()
        self.inbox.close()
        for fd in self.fds:
            os.close(fd)


class Task:
    """A process that speaks the protocol of tasks (docs/protocol.md) by hand."""

    signature = 0

    def __init__(self, machine):
        self.segment = None
        self.peers = {}
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(20)
        self.socket.connect(machine.socket)
        self.buffer, self.came = b"", []
        self.control(TM_ENROL, struct.pack(">IIIQ", VERSION, Task.signature, os.getpid(), 0) +
                     text(b"by-hand"))
        body = self.expect(TM_ENROLLED)
        status, length = struct.unpack(">iI", body[:8])
        assert status == 0, body
        at = 8 + length
        _, self.tid, _, sinks = struct.unpack(">IIiI", body[at:at + 16])
        at += 16 + 12 * sinks
        self.known, length = struct.unpack(">II", body[at:at + 8])
        self.daemon, self.index = struct.unpack(">II", body[at + 8 + length:])

    def close(self):
        self.socket.close()
        for fds in self.peers.values():
            for fd in fds:
                os.close(fd)
        for fd in self.came:
            os.close(fd)
        if self.segment:
            self.segment.close()

    def frame(self, kind, body, fds=(), flags=0, to=0, sequence=0):
        head = struct.pack(">IBBHIIQ", len(body), kind, flags, 0, getattr(self, "tid", 0), to,
                           sequence)
        socket.send_fds(self.socket, [head + body], list(fds))

    def control(self, number, body, fds=()):
        self.frame(CONTROL, struct.pack(">H", number) + body, fds)

    def read(self, count):
        while len(self.buffer) < count:
            data, fds, _, _ = socket.recv_fds(self.socket, 65536, 3)
            self.came += fds
            if not data:
                raise ConnectionError("the daemon closed the connection")
            self.buffer += data
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def receive(self):
        """The next frame: (kind, flags, source, sequence, body)."""
        length, kind, flags, _, source, _, sequence = struct.unpack(">IBBHIIQ", self.read(24))
        return kind, flags, source, sequence, self.read(length)

    def expect(self, number):
        kind, _, _, _, body = self.receive()
        got = struct.unpack(">H", body[:2])[0] if kind == CONTROL else None
        assert got == number, "wanted message %d, got kind %d number %s" % (number, kind, got)
        return body[2:]

    def attach(self, tid, fds=None, said=None, ring=RING, slots=RING_SLOTS, back=BACK):
        fds = list(fds or ())
        said = len(fds) if said is None else said
        self.control(TM_ATTACH, struct.pack(">IQIQI", tid, ring, slots, back, said), fds)

    def peer(self):
        """TM_PEER: (tid, status, index); its descriptors go to self.peers."""
        tid, status, index, _, _, _, fds = struct.unpack(">IiIQIQI", self.expect(TM_PEER))
        if fds:
            assert len(self.came) >= fds, "said %d descriptors, %d came" % (fds, len(self.came))
            self.peers[tid], self.came = self.came[:fds], self.came[fds:]
        return tid, status, index

    def share(self, tid=None):
        """Attaches rightly, by default to the daemon."""
        self.segment = Segment()
        self.attach(tid or self.daemon, self.segment.fds)
        return self

    def join(self):
        """Sets its bit in the daemon's inbox and rings, as a task does when it has mapped it."""
        with mmap.mmap(self.peers[self.daemon][1], PAGE) as inbox:
            at = 64 + self.index // 64 * 8
            word = struct.unpack("=Q", inbox[at:at + 8])[0] | 1 << self.index % 64
            inbox[at:at + 8] = struct.pack("=Q", word)
            inbox[0:8] = struct.pack("=Q", 1 << self.index // 64)
        os.write(self.peers[self.daemon][2], struct.pack("=Q", 1))

    def is_served(self):
        self.control(TM_CONFIG, struct.pack(">I", 5))
        body = self.expect(TM_HOSTS)
        return struct.unpack(">Ii", body[:8]) == (5, 0)

    def is_cut(self):
        try:
            while True:
                self.receive()
        except ConnectionError:
            return True


@contextlib.contextmanager
def tasks(machine, count=1):
    made = []
    try:
        for _ in range(count):
            made.append(Task(machine))
        yield made if count > 1 else made[0]
    finally:
        for task in made:
            task.close()


def open_fds(machine):
    return len(os.listdir("/proc/%d/fd" % machine.master.pid))


def learn_signature(machine):
    with tasks(machine) as task:
        assert task.index == 0, "a task of another data signature can share"
        Task.signature = task.known


# ---- what is right ----

def right(tap, machine):
    with tap.story("a task of another data signature cannot share memory"):
        learn_signature(machine)
    with tap.story("the daemon shares: three descriptors, the segment for reading only"):
        with tasks(machine) as task:
            task.share()
            assert task.peer() == (task.daemon, 0, 0)
            segment, inbox, bell = task.peers[task.daemon]
            assert fcntl.fcntl(segment, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY
            assert os.fstat(inbox).st_size == PAGE
            os.write(bell, struct.pack("=Q", 1))
    with tap.story("what is published goes to its receiver as frames"):
        with tasks(machine, 2) as (task, other):
            task.share().peer()
            task.segment.publish(BYTES, 5, b"hello", party=other.tid, sequence=1)
            task.segment.bytes[BODY:BODY + 3000] = b"x" * 3000
            reference = struct.pack("=Q", BODY << 24 | 3000)
            task.segment.publish(PIECES, 1, reference, party=other.tid, sequence=2)
            task.join()
            kind, flags, source, sequence, body = other.receive()
            assert (kind, flags, source, sequence) == (DATA, 3, task.tid, 1)
            assert body[24:] == b"hello", body
            kind, flags, source, sequence, body = other.receive()
            assert (kind, flags, sequence, len(body)) == (DATA, 1, 2, 24), (sequence, body)
            kind, flags, source, sequence, body = other.receive()
            assert (kind, flags, body) == (DATA, 2, b"x" * 3000)
    with tap.story("so is what was published before the connection closed, without a word"):
        with tasks(machine) as other:
            with tasks(machine) as task:
                task.share().peer()
                for sequence in range(1, RING_SLOTS):
                    task.segment.publish(BYTES, 4, b"last", party=other.tid, sequence=sequence)
            for sequence in range(1, RING_SLOTS):
                got = other.receive()
                assert got[3] == sequence, (got, sequence)
    with tap.story("and before TM_EXIT"):
        with tasks(machine, 2) as (task, other):
            task.share().peer()
            task.segment.publish(BYTES, 4, b"last", party=other.tid)
            task.control(TM_EXIT, struct.pack(">I", 1))
            task.expect(TM_DONE)
            assert other.receive()[4][24:] == b"last"
    with tap.story("two tasks get each other's side, and the word that one is gone"):
        with tasks(machine) as one:
            with tasks(machine) as two:
                one.share(two.tid)
                assert two.peer() == (one.tid, 0, one.index)
                two.share(one.tid)
                assert one.peer() == (two.tid, 0, two.index)
                assert os.fstat(one.peers[two.tid][0]).st_ino == os.fstat(
                    two.segment.segment).st_ino, "another memory than it showed"
                two.control(TM_WAKE, struct.pack(">I", one.tid))
                assert select.select([one.segment.bell], [], [], 20)[0], "the bell is not rung"
            assert struct.unpack(">I", one.expect(TM_GONE))[0] == two.tid


# ---- what is not ----

def refused(machine, fds, said=None):
    """The status of an attach with these descriptors; the task is served all the same."""
    with tasks(machine) as task:
        task.attach(task.daemon, fds, said)
        status = task.peer()[1]
        assert task.is_served()
    return status


def wrong_descriptors(tap, machine):
    segment = Segment()
    pipe = os.pipe()
    full = memory(AREA, 0)
    small, odd = memory(PAGE), memory(AREA + PAGE)
    device = os.open("/dev/zero", os.O_RDWR)
    magic, short = Segment(magic=1), Segment(size=AREA)
    short.bytes[8:16] = struct.pack("=Q", 2 * AREA)
    bad = [
        ("pipes", [pipe[0]] * 3), ("memory without seals", [full] + segment.fds[1:]),
        ("too little memory", [small] + segment.fds[1:]),
        ("memory of an odd size", [odd] + segment.fds[1:]),
        ("a device", [device] + segment.fds[1:]), ("another magic number", magic.fds),
        ("a header that lies", short.fds), ("an inbox too large", [segment.fds[0]] * 3),
        ("an inbox without seals", [segment.fds[0], full, segment.fds[2]]),
        ("a pipe for a bell", segment.fds[:2] + [pipe[1]]),
        ("a file for a bell", segment.fds[:2] + [small]),
    ]
    before = open_fds(machine)
    for name, fds in bad:
        with tap.story("refused: " + name):
            assert refused(machine, fds) == SYS_ERR
    with tap.story("refused: descriptors that were said to come and did not, or too few"):
        assert refused(machine, [], 3) == SYS_ERR
        assert refused(machine, segment.fds[:2], 3) == SYS_ERR
        assert refused(machine, [], 0) == SYS_ERR
    for said in (1, 2, 4, 1 << 31):
        with tap.story("cut: %d descriptors" % said):
            with tasks(machine) as task:
                task.attach(task.daemon, segment.fds, said)
                assert task.is_cut()
    with tap.story("descriptors that nobody asked for are not kept"):
        with tasks(machine) as task:
            for _ in range(100):
                task.control(TM_WAKE, struct.pack(">I", 1), segment.fds)
            assert task.is_served()
            assert open_fds(machine) <= before + 4, (open_fds(machine), before)
    with tap.story("none is left open"):
        wait_until(lambda: open_fds(machine) <= before, "the daemon closes them")
    for fd in list(pipe) + [full, small, odd, device]:
        os.close(fd)
    for made in (segment, magic, short):
        made.close()


def wrong_requests(tap, machine):
    with tap.story("nobody shares with himself, a stranger, another host, or one who left"):
        with tasks(machine) as gone:
            tid = gone.tid
        with tasks(machine) as task:
            task.share(task.tid)
            assert task.peer()[1] == BAD_PARAM
            for stranger in (tid, 0, 1, 0x40000, 0x3ffff, 0xfffff, 0x80000000, 0xffffffff):
                task.attach(stranger)
                assert task.peer()[1] == NO_TASK, hex(stranger)
            assert task.is_served()
    with tap.story("cut: twice the same task, or the daemon"):
        with tasks(machine, 3) as (one, two, three):
            one.share(two.tid)
            one.attach(two.tid)
            assert one.is_cut()
            three.share().attach(three.daemon)
            assert three.is_cut()
            assert two.peer()[1] == 0
    with tap.story("a thousand times from the same task"):
        with tasks(machine) as task:
            with contextlib.suppress(OSError):
                task.share()
                for _ in range(1000):
                    task.attach(task.daemon)
            with contextlib.suppress(OSError):
                task.is_cut()
    sides = [("a ring outside", AREA, 8, BACK), ("a ring of 3", RING, 3, BACK),
             ("a ring without end", RING, 1 << 31, BACK), ("an odd ring", RING + 1, 8, BACK),
             ("a back block outside", RING, 8, AREA),
             ("the largest numbers", (1 << 64) - 128, 8, (1 << 64) - 64)]
    for name, ring, slots, back in sides:
        with tap.story("refused: " + name):
            with tasks(machine) as task:
                task.segment = Segment()
                task.attach(task.daemon, task.segment.fds, None, ring, slots, back)
                assert task.peer()[1] == BAD_PARAM
                assert task.is_served()
    with tap.story("two hundred come, share and go, and leave nothing"):
        before = open_fds(machine)
        for _ in range(200):
            with tasks(machine) as task:
                task.share()
        wait_until(lambda: open_fds(machine) <= before, "the daemon closes what it kept")


def lies():
    """What a slot may say that no program of ours would: (words, arguments of publish())."""
    far = struct.pack("=Q", (1 << 40) - 1 << 24 | 100)
    empty = struct.pack("=Q", BODY << 24)
    over = struct.pack("=Q", AREA - 10 << 24 | 100)
    return [
        ("an unknown kind", dict(kind=99)), ("kind 0", dict(kind=0)),
        ("unknown flags", dict(kind=BYTES, flags=255)),
        ("more bytes than a slot has", dict(kind=BYTES, count=73)),
        ("a multicast of bytes", dict(kind=BYTES, count=8, flags=EXTRA | MCAST)),
        ("a message to nobody", dict(kind=BYTES, count=8, party=0)),
        ("no pieces", dict(kind=PIECES, count=0)), ("too many pieces", dict(kind=PIECES, count=10)),
        ("a piece far outside", dict(kind=PIECES, count=1, payload=far)),
        ("a piece over the end", dict(kind=PIECES, count=1, payload=over)),
        ("a piece of nothing", dict(kind=PIECES, count=1, payload=empty)),
        ("a list that is not there", dict(kind=LIST, count=1, payload=far, pieces=100)),
        ("a list without end", dict(kind=LIST, count=1, payload=over, pieces=1 << 31)),
        ("back what was not lent", dict(kind=RELEASE, count=1, flags=0)),
        ("back what cannot be", dict(kind=RELEASE, count=18, flags=0, payload=b"\xff" * 72)),
        ("back nothing", dict(kind=RELEASE, count=0, flags=0)),
        ("on outside", dict(kind=MOVE, flags=0, payload=struct.pack("=QI", AREA, 16))),
        ("on where it is", dict(kind=MOVE, flags=0, payload=struct.pack("=QI", RING, 8))),
        ("a multicast whose list is short", dict(
            kind=PIECES, count=1, flags=EXTRA | MCAST,
            payload=struct.pack("=Q", BODY << 24 | 2))),
    ]


def wrong_slots(tap, machine):
    for words, arguments in lies():
        with tap.story("a slot says %s: its pair ends, or the task; the daemon lives" % words):
            with tasks(machine, 2) as (task, other):
                task.share().peer()
                arguments.setdefault("party", other.tid)
                task.segment.publish(**arguments)
                task.join()
                with contextlib.suppress(ConnectionError):
                    assert task.is_served()
                assert other.is_served()
    with tap.story("the log says so"):
        assert "it has the socket" in machine.log(), machine.log()
    with tap.story("a message of 2 GiB made of one block many times over is refused"):
        with tasks(machine, 2) as (task, other):
            task.share().peer()
            piece = struct.pack("=Q", BODY << 24 | 1 << 19)
            task.segment.bytes[4096 * 16:4096 * 16 + 8 * 5000] = piece * 5000
            task.segment.publish(LIST, 1, struct.pack("=Q", 4096 * 16 << 24 | 8 * 5000),
                                 party=other.tid, pieces=5000)
            task.join()
            assert task.is_served() and other.is_served()
            assert "2 GiB" in machine.log(), machine.log()


def full_bell(tap, machine):
    with tap.story("a bell that is full and would hold the daemon does not"):
        with tasks(machine, 2) as (one, two):
            one.share(two.tid)
            two.peer()
            two.share(one.tid)
            one.peer()
            os.write(one.segment.bell, struct.pack("=Q", (1 << 64) - 2))
            fcntl.fcntl(one.segment.bell, fcntl.F_SETFL, os.O_RDWR)
            two.control(TM_WAKE, struct.pack(">I", one.tid))
            assert two.is_served() and one.is_served()


def main():
    pvmtest.end_on_signals()
    build = require_build()
    if not hasattr(os, "memfd_create") or not hasattr(os, "eventfd"):
        pvmtest.skip_all("this Python makes no memfd or eventfd")
    tap = Tap()
    with Machine(build) as machine:
        machine.start()
        if not shares_memory(machine):
            pvmtest.skip_all("tasks share no memory here")
        right(tap, machine)
        wrong_descriptors(tap, machine)
        wrong_requests(tap, machine)
        wrong_slots(tap, machine)
        full_bell(tap, machine)
        tap.ok(machine.master.poll() is None, "the daemon lives", machine.master_end())
        with tap.story("nothing is left after halt"):
            machine.halt()
            machine.expect_nothing_left()
            assert machine.master.returncode == 0, machine.master_end()
    return tap.done()


def shares_memory(machine):
    """Whether this daemon shares memory with tasks of its own data signature."""
    with tasks(machine) as task:
        Task.signature = task.known
    try:
        with tasks(machine) as task:
            return task.index != 0
    finally:
        Task.signature = 0


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.exit(main())
