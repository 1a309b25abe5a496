# SPDX-License-Identifier: BSD-3-Clause
"""What an attacker has: a place in the middle of the network, and the formats of docs/protocol.md.

Middle stands between all daemons of a machine as relay.c does (falseport.c registers them), but
keeps copies of what passes and can send anything to a daemon in the name of any other. Formats
reads src/wire/msgs.def and makes messages of every type, right or hostile.
"""
import pathlib
import random
import re
import selectors
import socket
import struct
import threading

KEPT_PACKETS = 4000
HELLO, ANSWER, SEALED = 1, 2, 3


class Middle(threading.Thread):
    """A relay in a thread. `with Middle(build, folder) as middle:`"""

    def __init__(self, build, folder):
        super().__init__(daemon=True)
        self.library = build.helpers / "libfalseport.so"
        self.path = pathlib.Path(folder) / "middle"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.path))
        self.listener.listen(64)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ, ("register", None))
        self.faces = []    # of each: socket, real address, pid
        self.kept = []     # (from, to, bytes) of what passed
        self.ended = False
        self.lock = threading.Lock()
        # Guardians send from ports of their own: what they say goes on from here.
        self.stranger = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.strangers = []  # (to, bytes) of what they said
        self.hold = None   # hold(from, to, bytes) -> True: it does not pass

    def environment(self):
        return {"LD_PRELOAD": str(self.library), "PVM_TEST_RELAY": str(self.path)}

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *unused):
        self.ended = True
        self.join(5)
        for sock, _, _, connection in self.faces:
            sock.close()
            connection.close()
        self.stranger.close()
        self.listener.close()
        self.selector.close()

    def run(self):
        while not self.ended:
            for key, _ in self.selector.select(0.05):
                what, number = key.data
                if what == "register":
                    self._register()
                elif what == "end":
                    self._end(key.fileobj)
                else:
                    self._pass(number)

    def _register(self):
        connection, _ = self.listener.accept()
        port, pid = map(int, connection.recv(64).split())
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sock.bind(("0.0.0.0", 0))
        sock.setblocking(False)
        self.faces.append((sock, ("127.0.0.1", port), pid, connection))
        self.selector.register(sock, selectors.EVENT_READ, ("packet", len(self.faces) - 1))
        self.selector.register(connection, selectors.EVENT_READ, ("end", None))
        connection.sendall(b"%d\n" % sock.getsockname()[1])

    def _end(self, connection):
        if not connection.recv(1):
            self.selector.unregister(connection)

    def _pass(self, to):
        for _ in range(64):
            try:
                data, address = self.faces[to][0].recvfrom(65536)
            except BlockingIOError:
                return
            sender = next((i for i, face in enumerate(self.faces) if face[1][1] == address[1]),
                          None)
            if sender is None:
                self.strangers.append((to, data))
                self.stranger.sendto(data, self.faces[to][1])
                continue
            with self.lock:
                self.kept.append((sender, to, data))
                if len(self.kept) > KEPT_PACKETS:
                    del self.kept[:KEPT_PACKETS // 2]
            if not (self.hold and self.hold(sender, to, data)):
                self.send(sender, to, data)

    def send(self, sender, to, data):
        """Sends to daemon |to| in the name of |sender|."""
        try:
            self.faces[sender][0].sendto(data, self.faces[to][1])
        except OSError:
            pass

    def face(self, pid):
        return next(i for i, face in enumerate(self.faces) if face[2] == pid)

    def packets(self, kind=None, sender=None):
        with self.lock:
            return [p for p in self.kept if p[2] and (kind is None or p[2][0] == kind) and
                    (sender is None or p[0] == sender)]


# ---- formats ----

SIZES = {"U8": ">B", "U16": ">H", "U32": ">I", "I32": ">i", "U64": ">Q"}
HUGE = (0xffffffff, 0x7fffffff, 0x80000000, 0x10000000, 65536)
EDGES = {"U8": (0, 1, 255), "U16": (0, 1, 65535), "U64": (0, 1, (1 << 64) - 1, 1 << 63),
         "U32": (0, 1, 2, 0xffffffff, 0x80000000, 0x7fffffff, 0x40001, 0x80001, 0x80040000),
         "I32": (0, 1, -1, 4096, 0x7fffffff, -0x80000000)}


class Formats:
    def __init__(self, source):
        text = (source / "src" / "wire" / "msgs.def").read_text()
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S).replace("\\\n", " ")
        self.fields = {}
        for kind, name, body in re.findall(r"^#define (MSG|RECORD)_(\w+)\(F\)(.*)$", text, re.M):
            self.fields[(kind, name)] = re.findall(r"F\((\w+), (\w+)\)", body)
        self.messages = [(label, name, int(number)) for label, name, number in
                         re.findall(r"M\((\w+), (\w+), (\d+)\)", text)]

    def number(self, label):
        return next(number for name, _, number in self.messages if name == label)

    def value(self, kind, chance):
        """A value of a field, of a kind that decodes, often at an edge."""
        if kind in SIZES:
            return struct.pack(SIZES[kind], chance.choice(EDGES[kind]))
        if kind == "KEY":
            return chance.randbytes(32)
        if kind in ("TEXT", "BYTES"):
            word = chance.choice((b"", b"x", b"no-such-thing", b"/" * 300, b"%s%n", b"a" * 5000))
            return struct.pack(">I", len(word)) + word
        count = chance.choice((0, 1, 3))
        items = {"U32S": ">I", "I32S": ">i"}
        text = struct.pack(">I", count)
        for _ in range(count):
            if kind in items:
                text += struct.pack(items[kind], chance.choice(EDGES[kind[:3]]))
            elif kind == "TEXTS":
                text += self.value("TEXT", chance)
            else:
                text += self.record("RECORD", kind[5:], chance)
        return text

    def record(self, what, name, chance):
        return b"".join(self.value(kind, chance) for kind, _ in self.fields[(what, name)])

    def hostile(self, name, number, chance):
        """A message of that type: whole with edge values, cut short, with more behind, or with one
        count made huge."""
        body = struct.pack(">H", number) + self.record("MSG", name, chance)
        form = chance.randrange(4)
        if form == 1:
            body = body[:chance.randrange(len(body) + 1)]
        elif form == 2:
            body += chance.randbytes(chance.choice((1, 4, 100)))
        elif form == 3 and len(body) >= 6:
            at = chance.randrange(2, len(body) - 3)
            body = body[:at] + struct.pack(">I", chance.choice(HUGE)) + body[at + 4:]
        return body


def frame(kind, flags, source, destination, sequence, body, length=None):
    """A frame between task and daemon, docs/protocol.md."""
    return struct.pack(">IBBHIIQ", len(body) if length is None else length, kind, flags, 0, source,
                       destination, sequence) + body


def changed(chance, data):
    """The packet with something wrong: a bit, its end, its numbers."""
    kind = chance.randrange(7)
    changed_data = bytearray(data)
    if kind == 0:
        changed_data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    elif kind == 1:
        del changed_data[chance.randrange(len(data)):]
    elif kind == 2:
        changed_data += random.randbytes(chance.choice((1, 16, 1000)))
    elif kind == 3:
        changed_data += random.randbytes(65507 - len(data))
    elif kind == 4 and len(data) > 13:
        # Another number: far ahead, far back, beyond the largest there is.
        number = chance.choice((0, 1, (1 << 62) - 1, 1 << 62, (1 << 64) - 1, 1 << 40))
        changed_data[5:13] = struct.pack(">Q", number)
    elif kind == 5 and len(data) > 5:
        changed_data[1:5] = chance.randbytes(4)  # another session
    else:
        changed_data[0] = chance.randrange(256)
    return bytes(changed_data)
