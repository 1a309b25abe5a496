# SPDX-License-Identifier: BSD-3-Clause
"""Private virtual machines for system tests and the demo: start, watch, break, prove nothing is
left.

A Machine has its own directory (PVM_TMP), which is also the mark by which its processes are found
in /proc: nothing else is ever signalled. Every wait has a condition and a deadline. Tap prints
points. What a build folder contains is written down once, in Build.
"""
import contextlib
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

STEP_LIMIT_S = 20


class Failure(Exception):
    """A step of a test did not come to its end; the words are for people."""


class Build:
    """Where the programs of a build folder are."""

    def __init__(self, folder=None):
        self.folder = pathlib.Path(folder or os.environ.get("PVM_TEST_BUILD", "build")).resolve()
        self.source = pathlib.Path(__file__).resolve().parent.parent.parent
        self.pvmd = self.folder / "src" / "pvmd" / "pvmd"
        self.pvm = self.folder / "src" / "console" / "pvm"
        self.lib = self.folder / "src" / "libpvm"
        self.include = self.source / "include"
        self.examples = self.folder / "examples"
        self.helpers = self.folder / "tests" / "system"

    def is_sanitized(self):
        """The library needs a sanitizer's: programs without it do not run with it as they are."""
        needs = subprocess.run(["ldd", str(self.lib / "libpvm3.so.3")], capture_output=True,
                               check=False).stdout
        return b"libasan" in needs or b"libtsan" in needs

    def missing(self):
        """Words about what is not built, or None."""
        for path in (self.pvmd, self.pvm, self.lib / "libpvm3.so.3"):
            if not path.exists():
                return "not built: %s" % path.name
        return None


class Tap:
    """Points on stdout; `with tap.story(name):` makes one point of a block that may raise."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, *detail):
        self.count += 1
        self.failed += not good
        print("%s %d - %s" % ("ok" if good else "not ok", self.count, name))
        if not good:
            for words in detail:
                for line in str(words).splitlines():
                    print("#   " + line)
        sys.stdout.flush()
        return good

    def skip(self, name, reason):
        self.count += 1
        print("ok %d - %s # SKIP %s" % (self.count, name, reason), flush=True)

    @contextlib.contextmanager
    def story(self, name):
        try:
            yield
        except (Failure, AssertionError, OSError, subprocess.SubprocessError) as problem:
            self.ok(False, name, "%s: %s" % (type(problem).__name__, problem))
        else:
            self.ok(True, name)

    def done(self):
        print("1..%d" % self.count)
        sys.stdout.flush()
        return 1 if self.failed else 0


def skip_all(reason):
    """Ends the program as a suite that cannot run here."""
    print("1..0 # SKIP " + reason)
    sys.exit(0)


def require_build():
    """The build, or the end of the program with a reason."""
    build = Build()
    if build.missing():
        skip_all(build.missing())
    return build


def end_on_signals():
    """SIGTERM and SIGINT become exceptions, so that every `with` cleans up."""
    def leave(number, _frame):
        raise SystemExit(128 + number)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, leave)


def wait_until(condition, what, limit_s=STEP_LIMIT_S, step_s=0.02):
    """Returns the first true value of condition(); Failure with |what| after |limit_s|."""
    limit = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > limit:
            raise Failure("not within %g s: %s" % (limit_s, what))
        time.sleep(step_s)


def read_proc(pid, name):
    try:
        return pathlib.Path("/proc/%d/%s" % (pid, name)).read_bytes()
    except OSError:
        return b""


def is_alive(pid):
    """False for the dead and for those that only wait to be collected."""
    text = read_proc(pid, "stat").decode(errors="replace")
    return bool(text) and text.rsplit(")", 1)[1].split()[0] not in "ZX"


def parent_of(pid):
    text = read_proc(pid, "stat").decode(errors="replace")
    return int(text.rsplit(")", 1)[1].split()[1]) if text else 0


def words_of(pid):
    return [w.decode(errors="replace") for w in read_proc(pid, "cmdline").split(b"\0") if w]


def own_bytes(pid):
    """Memory of the process itself, or 0: what it sees of the memory of tasks does not count."""
    found = re.search(rb"RssAnon:\s*(\d+) kB", read_proc(pid, "status"))
    return int(found.group(1)) * 1024 if found else 0


class Peaks:
    """The most own memory that processes were seen to have; `with Peaks(pids) as peaks:`."""

    def __init__(self, pids):
        self.first = {pid: own_bytes(pid) for pid in pids}
        self.most = dict(self.first)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._watch)

    def _watch(self):
        while not self.ended.wait(0.02):
            for pid in self.most:
                self.most[pid] = max(self.most[pid], own_bytes(pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        self.thread.join()

    def grown(self, pid):
        return self.most[pid] - self.first[pid]


def end_pid(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


class Lines:
    """Lines of a program's stdout, each waited for with a limit."""

    def __init__(self, program):
        self.fd = program.stdout.fileno()
        self.text = b""

    def next(self, limit_s=STEP_LIMIT_S):
        limit = time.monotonic() + limit_s
        while b"\n" not in self.text:
            ready, _, _ = select.select([self.fd], [], [], max(0, limit - time.monotonic()))
            more = os.read(self.fd, 65536) if ready else b""
            if not more:
                raise Failure("%s: %r" % ("end of output" if ready else
                                          "no line within %g s" % limit_s, self.text))
            self.text += more
        line, self.text = self.text.split(b"\n", 1)
        return line.decode(errors="replace").strip()


class Outcome:
    """What a program printed and how it ended."""

    def __init__(self, status, out, err):
        self.status = status
        self.out = out
        self.err = err

    def __str__(self):
        return "ended with %s\n%s%s" % (self.status, self.out, self.err)


class Machine:
    """One private virtual machine, master and local hosts; use it as a context manager."""

    def __init__(self, build, environment=None, name="h0", wrap=(), prefix="pvmt-"):
        self.build = build
        self.name = name
        self.wrap = list(wrap)
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
        self.vmid = "t"
        self.master = None
        self.socket = ""
        self.children = []
        keep = {k: v for k, v in os.environ.items()
                if not k.startswith(("PVM", "XDG_")) or k.startswith("PVM_TEST")}
        keep.update(
            HOME=str(self.tmp), PVM_TMP=str(self.tmp), PVM_VMID=self.vmid, PVM_ALLOW_ROOT="1",
            PVM_DPATH=str(build.pvmd), LC_ALL="C", LD_LIBRARY_PATH=str(build.lib),
            PVM_PATH=":".join(str(p) for p in (build.helpers, build.examples)))
        keep.update(environment or {})
        self.env = keep

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.end_all()
        for child in self.children:
            with contextlib.suppress(Exception):
                child.kill()
            child.wait()
            for stream in (child.stdout, child.stderr, child.stdin):
                if stream:
                    stream.close()
        shutil.rmtree(self.tmp, ignore_errors=True)

    # ---- processes ----

    def processes(self):
        """Living pids with a PVM_TMP at or below this machine's directory, ours left out."""
        mark = b"PVM_TMP=" + str(self.tmp).encode()
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in pids if pid != os.getpid() and is_alive(pid) and
                any(word == mark or word.startswith(mark + b"/")
                    for word in read_proc(pid, "environ").split(b"\0"))]

    def end_all(self):
        """SIGKILL to everything of this machine, until nothing is left."""
        limit = time.monotonic() + STEP_LIMIT_S
        while time.monotonic() < limit:
            pids = self.processes()
            if not pids:
                return
            for pid in pids:
                end_pid(pid)
            time.sleep(0.02)

    def daemons(self):
        """{host name: pid} of the daemons, guardians left out."""
        found = {}
        pids = [p for p in self.processes() if words_of(p)[:1] and
                pathlib.Path(words_of(p)[0]).name == "pvmd"]
        for pid in pids:
            names = [w[2:] for w in words_of(pid)[1:] if w.startswith("-n") and len(w) > 2]
            name = names[0] if names else self.name
            # A guardian is a child of its daemon with the same words.
            if parent_of(pid) in pids and words_of(parent_of(pid)) == words_of(pid):
                continue
            found[name] = pid
        return found

    def guardians(self):
        daemons = set(self.daemons().values())
        return [p for p in self.processes() if parent_of(p) in daemons and
                words_of(p)[:1] and pathlib.Path(words_of(p)[0]).name == "pvmd"]

    def tasks(self, program):
        """Pids of the processes of this machine that run |program|."""
        return [p for p in self.processes()
                if words_of(p)[:1] and pathlib.Path(words_of(p)[0]).name == program]

    # ---- steps ----

    def popen(self, command, **more):
        """Starts a program in this machine's surroundings; it is ended with the machine."""
        options = dict(env=self.env, cwd=str(self.tmp), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        options.update(more)
        child = subprocess.Popen(self.wrap + [str(c) for c in command], **options)
        self.children.append(child)
        return child

    def run(self, command, limit_s=STEP_LIMIT_S, text=None, **more):
        """Runs a program to its end; Failure when that does not come in time."""
        child = self.popen(command, stdin=subprocess.PIPE if text else subprocess.DEVNULL, **more)
        try:
            out, err = child.communicate(text.encode() if text else None, timeout=limit_s)
        except subprocess.TimeoutExpired:
            child.kill()
            raise Failure("%s: not done after %g s" % (command[0], limit_s)) from None
        return Outcome(child.returncode, out.decode(errors="replace"),
                       err.decode(errors="replace"))

    def start(self, *arguments, limit_s=STEP_LIMIT_S):
        """Starts the master daemon and waits for the line that says where its socket is."""
        errors = open(self.tmp / "master.err", "wb")
        self.master = self.popen([self.build.pvmd, "-n" + self.name] + list(arguments),
                                 stderr=errors)
        errors.close()
        ready, _, _ = select.select([self.master.stdout], [], [], limit_s)
        line = os.read(self.master.stdout.fileno(), 4096).decode() if ready else ""
        if not line.strip():
            raise Failure("the daemon does not start: " + self.master_errors())
        self.socket = line.strip()
        return self

    def master_errors(self):
        return (self.tmp / "master.err").read_text(errors="replace")[-2000:]

    def master_end(self):
        """How the master ended, in words, with what it said; "" while it runs."""
        if self.master.poll() is None:
            return ""
        return "the master ended with %d: %s%s" % (self.master.returncode, self.master_errors(),
                                                   self.log()[-2000:])

    def log(self, host=None):
        """The text of a host's log, "" when there is none."""
        path = self.host_folder(host or self.name) / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def host_folder(self, host):
        return self.tmp / ("pvm-%d" % os.getuid()) / self.vmid / host

    def console(self, commands, limit_s=STEP_LIMIT_S):
        """Feeds lines to a console and returns its Outcome."""
        return self.run([self.build.pvm], limit_s, text=commands.rstrip("\n") + "\n")

    def add(self, *hosts, limit_s=60):
        outcome = self.console("add " + " ".join(hosts), limit_s)
        return outcome

    def host_names(self):
        """Names of the host table as the console shows it."""
        lines = self.console("conf").out.splitlines()
        heads = [i for i, line in enumerate(lines) if re.search(r"\bHOST\s+DTID\b", line)]
        rows = [line.split() for line in lines[heads[-1] + 1:]] if heads else []
        return [row[0] for row in rows if len(row) >= 4 and re.fullmatch(r"[0-9a-f]+", row[1])]

    def halt(self, limit_s=STEP_LIMIT_S):
        """Halts by the console and waits until the master is gone."""
        self.console("halt", limit_s)
        self.wait_for_master(limit_s)

    def wait_for_master(self, limit_s=STEP_LIMIT_S):
        wait_until(lambda: self.master.poll() is not None, "the master ends", limit_s)

    def leftovers(self):
        """Words about everything of this machine that is still there, logs left out."""
        found = ["process %d: %s" % (p, " ".join(words_of(p))) for p in self.processes()]
        for folder, _, files in os.walk(self.tmp):
            found += ["file %s/%s" % (os.path.relpath(folder, self.tmp), name) for name in files
                      if name in ("lock", "sock", "here")]
        return found

    def expect_nothing_left(self, limit_s=5):
        try:
            wait_until(lambda: not self.leftovers(), "everything is gone", limit_s)
        except Failure:
            found = self.leftovers()
            raise Failure("left behind, %d in all: %s" % (len(found), "; ".join(
                words[:100] for words in found[:6]))) from None
