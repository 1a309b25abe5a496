# SPDX-License-Identifier: BSD-3-Clause
"""A private virtual machine for tests: one daemon with its own directory, watched by pid.

Side says whose headers, library and daemon are used and where the programs of that side are built.
Machine starts the daemon, runs programs against it, finds what they leave behind (by the private
directory in each process's environment) and proves at the end that nothing remains.
"""
import os
import pathlib
import select
import shutil
import signal
import subprocess
import tempfile
import time

START_LIMIT_S = 20
END_LIMIT_S = 10
LEFT_BEHIND_LIMIT_S = 2


def end_orderly_on_signals():
    """A signal ends the program by an exception, so that every daemon is taken down on the way."""
    def leave(number, _frame):
        raise SystemExit("ended by signal %d" % number)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, leave)


class Side:
    def __init__(self, name, include, lib, pvmd, build):
        self.name = name
        self.include = pathlib.Path(include).resolve()
        self.lib = pathlib.Path(lib).resolve()
        self.pvmd = pathlib.Path(pvmd).resolve()
        self.bin = pathlib.Path(build).resolve()
        self.verbose = False

    def build(self, sources, include_here):
        """Compiles each source to a program of the same name; keeps those that are newer."""
        self.bin.mkdir(parents=True, exist_ok=True)
        newest = max([self.lib.joinpath("libpvm3.so.3").stat().st_mtime,
                      (self.include / "pvm3.h").stat().st_mtime,
                      (include_here / "conf.h").stat().st_mtime])
        waiting = []
        for source in sources:
            target = self.bin / source.stem
            if target.exists() and target.stat().st_mtime > max(newest, source.stat().st_mtime):
                continue
            waiting.append([os.environ.get("CC", "cc"), "-std=gnu11", "-O1", "-g", "-Wall",
                            "-Wextra", "-I", str(include_here),
                            "-I", str(self.include), str(source), "-o", str(target),
                            "-L", str(self.lib), "-Wl,-rpath," + str(self.lib), "-lpvm3"])
        running = []
        while waiting or running:
            while waiting and len(running) < (os.cpu_count() or 1):
                command = waiting.pop(0)
                running.append((command, subprocess.Popen(command)))
            command, compiler = running.pop(0)
            if compiler.wait() != 0:
                raise SystemExit("%s: cannot build: %s" % (self.name, " ".join(command)))

    def environment(self, tmp, vmid):
        """What daemon and programs of this side see: nothing of the caller's PVM settings."""
        keep = {k: v for k, v in os.environ.items()
                if k in ("PATH", "TZ", "USER", "LOGNAME") or k.endswith("SAN_OPTIONS") or
                k.startswith("PVM_TEST_")}
        keep.update(HOME=str(tmp), LANG="C", LC_ALL="C", PVM_TMP=str(tmp), PVM_VMID=vmid,
                    PVM_ALLOW_ROOT="1", PVM_PATH=str(self.bin), PVM_DPATH=str(self.pvmd),
                    LD_LIBRARY_PATH=str(self.lib))
        return keep


def original(name, build):
    """Debian's PVM 3.4.6, or None where its packages are not installed."""
    for package in ("pvm", "pvm-dev", "libpvm3"):
        query = shutil.which("dpkg-query")
        if not query:
            return None
        answer = subprocess.run([query, "-W", "-f", "${Status} ${Version}", package],
                                stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if not answer.stdout.startswith("install ok installed 3.4.6"):
            return None
    files = subprocess.run([query, "-L", "libpvm3"], stdout=subprocess.PIPE, text=True).stdout
    lib = [line for line in files.splitlines() if line.endswith("/libpvm3.so.3")]
    return Side(name, "/usr/include", pathlib.Path(lib[0]).parent, "/usr/bin/pvmd",
                pathlib.Path(build) / name)


def ours(tree, include, lib, pvmd, build):
    """Our side: from a build folder or from the paths that are given; None without either."""
    source = pathlib.Path(__file__).resolve().parent.parent.parent
    if tree:
        lib = lib or pathlib.Path(tree) / "src" / "libpvm"
        pvmd = pvmd or pathlib.Path(tree) / "src" / "pvmd" / "pvmd"
    if not (lib and pvmd):
        return None
    for path in (pathlib.Path(lib) / "libpvm3.so.3", pathlib.Path(pvmd)):
        if not path.exists():
            raise SystemExit("ours: not built: %s" % path)
    return Side("ours", include or source / "include", lib, pvmd, pathlib.Path(build) / "ours")


class Outcome:
    def __init__(self, stdout="", stderr="", status=0, took_s=0.0):
        self.stdout = stdout
        self.stderr = stderr
        self.status = status
        self.took_s = took_s
        self.left_behind = 0
        self.daemon_broken = False


def environment_of(pid):
    try:
        return pathlib.Path("/proc/%d/environ" % pid).read_bytes()
    except OSError:
        return b""


def is_running(pid):
    """True unless the process is gone or only waits for its parent to collect it."""
    try:
        text = pathlib.Path("/proc/%d/stat" % pid).read_text()
    except OSError:
        return False
    return text.rsplit(")", 1)[1].split()[0] not in ("Z", "X")


def end_process(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Machine:
    def __init__(self, side, host_name="localhost", environment=None, hosts=1):
        self.side = side
        self.hosts = hosts
        self.more_environment = environment or {}
        self.host_name = host_name
        self.daemon = None
        self.starts = 0
        self.tmp = None
        self.baseline = set()

    def __enter__(self):
        self.tmp = pathlib.Path(tempfile.mkdtemp(prefix="pvmc-", dir="/tmp"))
        self.env = self.side.environment(self.tmp, self.tmp.name[-6:])
        self.env.update(self.more_environment)
        return self

    def __exit__(self, *unused):
        for pid in self.processes():
            end_process(pid)
        if self.daemon:
            self.daemon.wait()
            self.daemon.stdout.close()
        shutil.rmtree(self.tmp, ignore_errors=True)

    def processes(self):
        """Pids whose environment names this machine's directory."""
        mark = b"PVM_TMP=" + str(self.tmp).encode() + b"\0"
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        return [pid for pid in pids if mark in environment_of(pid) and is_running(pid)]

    def start(self):
        self.starts += 1
        self.log = open(self.tmp / ("daemon-%d.err" % self.starts), "wb")
        self.daemon = subprocess.Popen([str(self.side.pvmd), "-n" + self.host_name],
                                       env=self.env, cwd=self.tmp, stdin=subprocess.DEVNULL,
                                       stdout=subprocess.PIPE, stderr=self.log,
                                       start_new_session=True)
        self.log.close()
        ready, _, _ = select.select([self.daemon.stdout], [], [], START_LIMIT_S)
        line = os.read(self.daemon.stdout.fileno(), 4096) if ready else b""
        if not line.strip():
            raise SystemExit("%s: the daemon does not start: %s" %
                             (self.side.name, self.daemon_errors()))
        if not self.ping():
            raise SystemExit("%s: the daemon does not answer: %s" %
                             (self.side.name, self.daemon_errors()))
        if self.hosts > 1:
            added = self.call(["conf_hosts", str(self.hosts - 1)], 60)
            if added.status != 0:
                raise SystemExit("%s: cannot add hosts: %s%s" %
                                 (self.side.name, added.stdout, added.stderr))
        self.baseline = set(self.processes())

    def daemon_errors(self):
        return (self.tmp / ("daemon-%d.err" % self.starts)).read_text(errors="replace")[-2000:]

    def call(self, command, limit_s):
        """Runs one program of this side and returns its outcome; it is ended at its limit."""
        begin = time.monotonic()
        process = subprocess.Popen([str(self.side.bin / command[0])] + command[1:], env=self.env,
                                   cwd=self.tmp, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(timeout=limit_s)
            status = process.returncode
        except subprocess.TimeoutExpired:
            process.kill()
            try:
                out, err = process.communicate(timeout=2)
            except subprocess.TimeoutExpired:
                out, err = b"", b""
                process.stdout.close()
                process.stderr.close()
            status = "its time limit"
        return Outcome(out.decode(errors="replace"), err.decode(errors="replace"), status,
                       time.monotonic() - begin)

    def ping(self):
        return self.call(["conf_ping"], 10).status == 0

    def prove_library(self):
        """Lines saying which library a task and its child run; ends the program if another."""
        self.ready()
        outcome = self.call(["conf_ping", "maps"], 20)
        paths = [line.split(" runs ", 1)[1] for line in outcome.stdout.splitlines()
                 if " runs " in line]
        real = [str(pathlib.Path(path).resolve().parent) for path in paths]
        if outcome.status != 0 or real != [str(self.side.lib)] * 2:
            raise SystemExit("%s: tasks do not run the library in %s:\n%s%s" %
                             (self.side.name, self.side.lib, outcome.stdout, outcome.stderr))
        return ["task and spawned task map %s" % path for path in sorted(set(paths))]

    def ready(self):
        if self.daemon is None:
            self.start()

    def run(self, program):
        """Runs one program in the surroundings it asks for."""
        if program.needs in ("no-vm", "own-vm"):
            self.stop()
        if program.needs != "no-vm":
            self.ready()
        outcome = self.call([program.name], program.limit_s)
        if program.needs in ("no-vm", "own-vm"):
            outcome.left_behind = len(self.wait_for_end(set()))
            self.forget_daemon()
            return outcome
        outcome.left_behind = len(self.wait_for_end(self.baseline))
        if self.daemon.poll() is not None or not self.ping():
            outcome.daemon_broken = True
            self.forget_daemon()
        return outcome

    def wait_for_end(self, allowed):
        """Processes beyond the allowed ones that do not end by themselves; they are ended."""
        limit = time.monotonic() + LEFT_BEHIND_LIMIT_S
        while True:
            rest = [pid for pid in self.processes() if pid not in allowed]
            if self.daemon and not allowed:
                self.daemon.poll()
            if not rest or time.monotonic() > limit:
                break
            time.sleep(0.01)
        for pid in rest:
            end_process(pid)
        return rest

    def forget_daemon(self):
        """Removes what a daemon that is gone or broken left, so that a new one can start."""
        for pid in self.processes():
            end_process(pid)
        if self.daemon:
            self.daemon.wait()
            self.daemon.stdout.close()
        self.daemon = None
        for path in self.tmp.iterdir():
            if path.name.startswith("pvm"):
                shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()

    def stop(self):
        """Halts the virtual machine; lines of trouble if anything of it remains."""
        if self.daemon is None:
            return []
        trouble = []
        self.call(["conf_halt"], 10)
        limit = time.monotonic() + END_LIMIT_S
        while (self.daemon.poll() is None or self.processes()) and time.monotonic() < limit:
            time.sleep(0.01)
        if self.daemon.poll() is None:
            trouble.append("the daemon does not end after pvm_halt")
        rest = [pid for pid in self.processes() if pid != self.daemon.pid]
        if rest:
            trouble.append("%d process(es) remain after pvm_halt" % len(rest))
        self.forget_daemon()
        return trouble
