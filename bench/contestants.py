# SPDX-License-Identifier: BSD-3-Clause
"""Who is measured and how each plays: this project, the original PVM, two MPIs, UCX, the floors.

play(measure, scale) gives {metric: value}, or None where a contestant has no part in a measure; the
method is the one named after the measure's kind. absent() says why somebody is not here. A virtual
machine lives for one play and is gone after it; pvmtest.Machine sees to that.
"""
import contextlib
import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "lib"))
import pvmtest  # noqa: E402

STEP_S = 150
MEET_S = 20
SETTLE_S = 1
UCX_PORT = 13337
COMPILER = ["-D_GNU_SOURCE", "-std=c11", "-O2"]


class Failed(Exception):
    """A contestant could not do what was asked; the text says what was seen."""


class Lacking(Failed):
    """A program of the rivals that a measure needs is not installed."""


def need(*programs):
    if missing(*programs):
        raise Lacking(missing(*programs))


def run(command, **options):
    """Standard output of a command that ended well."""
    name = pathlib.Path(command[0]).name
    try:
        done = subprocess.run(command, timeout=STEP_S, text=True, stdin=subprocess.DEVNULL,
                              capture_output=True, check=False, **options)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{name}: not done after {STEP_S} s") from late
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Failed(f"{name}: exit {done.returncode}: {words[-1] if words else 'no words'}")
    return done.stdout


def values(text):
    """Lines "name value" as a dictionary."""
    return {words[0]: float(words[1]) for words in map(str.split, text.splitlines())
            if len(words) == 2}


def missing(*programs):
    gone = [program for program in programs if not shutil.which(program)]
    return f"no {' and no '.join(gone)}" if gone else None


def netpipe_arguments(chunk, out):
    # NetPIPE's own sizes between the bounds, and those near them (-p 3); a fixed number of repeats.
    low, high, repeats = chunk
    return ["-l", str(low), "-u", str(high), "-n", str(repeats), "-o", str(out)]


def netpipe_results(out):
    """{size: µs} of a file that NetPIPE wrote: "bytes Mbit/s seconds"."""
    rows = [line.split() for line in out.read_text().splitlines()] if out.exists() else []
    found = {row[0]: float(row[2]) * 1e6 for row in rows if len(row) == 3}
    if not found:
        raise Failed("NetPIPE wrote no result")
    return found


class Contestant:
    def __init__(self, name, work):
        self.name = name
        self.work = work / re.sub(r"\W", "", name)
        self.work.mkdir()

    def absent(self):
        return None

    def play(self, measure, scale):
        method = getattr(self, "play_" + measure.kind, None)
        if self.name not in measure.who or not method:
            return None
        try:
            return method(measure, scale)
        except pvmtest.Failure as failure:
            raise Failed(str(failure)) from failure

    def compile(self, target, sources, *more, compiler="cc"):
        path = self.work / target
        if not path.exists():
            run([compiler, *COMPILER, "-o", str(path), *[str(HERE / s) for s in sources], *more])
        return str(path)


class Floor(Contestant):
    """What the machine itself needs."""

    def play(self, measure, scale):
        if not measure.floor:
            return None
        program = self.compile("floor", ["floor.c"])
        ms = scale["asleep_ms" if measure.floor == "wake" else "ms"]
        words = measure.floor.format(**scale).split()
        return values(run([program, *words], env=dict(os.environ, MS=str(ms))))


class Ucx(Contestant):
    """UCX's own benchmark; the number of repeats is fitted to about the time of the others."""

    def absent(self):
        return missing("ucx_perftest")

    def play(self, measure, scale):
        if not measure.ucx:
            return None
        size = int(measure.ucx.split()[-1])
        repeats = max(20, min(scale["ucx"] // 20, scale["ucx"] * 50 // size))
        command = ["ucx_perftest", "-p", str(UCX_PORT)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as server:
            try:
                pvmtest.wait_until(lambda: self.listens() or server.poll() is not None,
                                   "ucx_perftest listens", MEET_S)
                text = run([*command, "127.0.0.1", "-t", *measure.ucx.split(), "-n", str(repeats),
                            "-w", str(repeats // 10), "-f", "-v"])
            finally:
                server.terminate()
        # iterations, p50 and two average latencies, two bandwidths, two message rates
        row = [float(word) for word in text.strip().splitlines()[-1].split(",")]
        if "per_s" in measure.metrics:
            return {"per_s": row[-1]}
        return {"p50_us": row[1], "us": row[3]}

    @staticmethod
    def listens():
        end = f":{UCX_PORT:04X} 00000000:0000 0A"
        return end in pathlib.Path("/proc/net/tcp").read_text()


class Mpi(Contestant):
    def __init__(self, name, work, kind, netpipe, arguments, one_core):
        super().__init__(name, work)
        self.launcher, self.compiler, self.netpipe = f"mpirun.{kind}", f"mpicc.{kind}", netpipe
        self.arguments, self.one_core = arguments, one_core

    def absent(self):
        return missing(self.launcher)

    def play_netpipe(self, measure, scale):
        need(self.netpipe)
        found = {}
        for chunk in scale["netpipe"]:
            out = self.work / "out"
            out.unlink(missing_ok=True)
            run([self.launcher, *self.arguments, "-np", "2", self.netpipe,
                 *netpipe_arguments(chunk, out)], cwd=self.work)
            found.update(netpipe_results(out))
        return found

    def play_patterns(self, measure, scale):
        need(self.compiler)
        program = self.compile("patterns", ["patterns.c", "world_mpi.c"], compiler=self.compiler)
        command = measure.command(scale)
        count = next(word[2:] for word in command if word.startswith("n="))
        more = self.one_core if "pin=one" in command else []
        return values(run([self.launcher, *self.arguments, *more, "-np", count, program, *command],
                          cwd=self.work))


class Pvm(Contestant):
    """NPpvm is Debian's unmodified binary; LD_LIBRARY_PATH says whose library it gets."""

    def __init__(self, name, work, build, tree):
        super().__init__(name, work)
        self.build, self.tree, self.more = build, tree, {}

    def machine(self, hosts=1):
        """In a with statement: a running machine; tasks of its host i have environments[i]."""
        raise NotImplementedError

    def program(self, source, *more):
        lib = self.tree.lib if not self.tree.missing() else self.build.lib
        return self.compile(source, [source + ".c", *more], f"-I{self.tree.include}", f"-L{lib}",
                            "-lpvm3")

    def task(self, machine, command):
        outcome = machine.run(command, STEP_S, env=dict(machine.env, **self.more))
        if outcome.status != 0:
            words = (outcome.err or outcome.out).strip().splitlines()
            raise Failed(f"{pathlib.Path(command[0]).name}: exit {outcome.status}: "
                         f"{words[-1] if words else 'no words'}")
        return values(outcome.out)

    def play_patterns(self, measure, scale):
        program = self.program("patterns", "world_pvm.c")
        with self.machine() as machine:
            return self.task(machine, [program, *measure.command(scale)])

    def play_spawn(self, measure, scale):
        program = self.program("spawner")
        with self.machine() as machine:
            return self.task(machine, [program, *measure.command(scale)])

    def play_netpipe(self, measure, scale):
        return self.netpipe(scale, 1, {})

    def play_across(self, measure, scale):
        shim = self.compile("route.so", ["route_shim.c"], "-shared", "-fPIC")
        return self.netpipe(scale, 2, {"LD_PRELOAD": shim})

    def netpipe(self, scale, hosts, more):
        need("NPpvm", "taskset")
        found = {}
        for chunk in scale["netpipe"]:
            with self.machine(hosts) as machine:
                out = self.work / "out"
                out.unlink(missing_ok=True)
                environments = [dict(one, **more) for one in machine.environments]
                pvmtest.wait_until(lambda: self.game(machine, environments, chunk, out),
                                   "the two NPpvm meet", MEET_S)
                found.update(netpipe_results(out))
        return found

    def game(self, machine, environments, chunk, out):
        """
        False when the two did not find each other among the tasks: each looks only once. Each is
        bound to a core, as mpirun does by itself with those of MPI.
        """
        cores = sorted(os.sched_getaffinity(0))
        bound = [["taskset", "-c", str(core)] for core in (cores[0], cores[-1])]
        receiver = machine.popen([*bound[0], "NPpvm",
                                  *netpipe_arguments(chunk, self.work / "receiver")],
                                 env=environments[-1], stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        try:
            while receiver.poll() is None:
                time.sleep(0.05)
                sender = machine.run([*bound[1], "NPpvm", "-h", "localhost",
                                      *netpipe_arguments(chunk, out)], STEP_S,
                                     env=environments[0])
                if sender.status == 0:
                    receiver.wait(MEET_S)
                    return True
                if "clean machine" not in sender.out + sender.err:
                    raise Failed(f"NPpvm: {sender}")
        except subprocess.TimeoutExpired as late:
            raise Failed("NPpvm: the receiver does not end") from late
        finally:
            receiver.kill()
        return False


class OriginalBuild:
    """What pvmtest.Machine wants to know, of Debian's packages."""
    pvmd, pvm = pathlib.Path("/usr/bin/pvmd"), pathlib.Path("/usr/bin/pvm")
    helpers = examples = pathlib.Path("/nonexistent")
    lib = pathlib.Path((glob.glob("/usr/lib/*/libpvm3.so.3") + ["/usr/lib/none"])[0]).parent


class Original(Pvm):
    """Direct routes for its tasks, as a program that wants speed would ask for."""
    SPACE = ("ip link set lo up && ip addr add 10.9.0.1/32 dev lo && "
             "ip addr add 10.9.0.2/32 dev lo && echo ready && exec cat")

    def __init__(self, name, work, tree):
        super().__init__(name, work, OriginalBuild, tree)
        self.more = {"BENCH_DIRECT": "1"}

    def absent(self):
        return missing("/usr/bin/pvmd")

    @contextlib.contextmanager
    def machine(self, hosts=1):
        name = "10.9.0.1" if hosts > 1 else "127.0.0.1"
        with pvmtest.Machine(self.build, {"PVM_ROOT": "/usr/lib/pvm3"}, name) as machine:
            machine.environments = [machine.env]
            if hosts > 1:
                self.start_two(machine)
            else:
                machine.start()
            yield machine

    def start_two(self, machine):
        """
        Two daemons need two addresses, and it refuses those of loopback's own net: a network
        namespace has others. The second daemon is told its own PVM_TMP by what stands for rsh.
        """
        space = machine.popen(["unshare", "-Urn", "sh", "-c", self.SPACE], stdin=subprocess.PIPE)
        if space.stdout.readline() != b"ready\n":
            words = space.stderr.read().decode().strip()
            raise Failed("no namespace for a second daemon: " + words)
        machine.wrap = ["nsenter", "-t", str(space.pid), "-U", "-n", "--preserve-credentials"]
        second, shell = machine.tmp / "second", machine.tmp / "rsh"
        second.mkdir()
        shell.write_text(f"#!/bin/sh\nshift\nexport PVM_TMP={second}\nexec sh -c \"$*\"\n")
        shell.chmod(0o755)
        machine.env["PVM_RSH"] = str(shell)
        machine.environments.append(dict(machine.env, PVM_TMP=str(second)))
        machine.start().add("10.9.0.2")
        pvmtest.wait_until(lambda: list(second.glob("pvmd.*")), "the second daemon is there")


class Ours(Pvm):
    def __init__(self, name, work, tree):
        super().__init__(name, work, tree, tree)

    def absent(self):
        return self.build.missing()

    @contextlib.contextmanager
    def machine(self, hosts=1):
        with pvmtest.Machine(self.build) as machine:
            hostfile = machine.tmp / "hosts"
            hostfile.write_text("local\n" * (hosts - 1))
            machine.start(str(hostfile))
            found = pvmtest.wait_until(lambda: self.sockets(machine, hosts), "all hosts are there")
            machine.environments = [dict(machine.env, PVMSOCK=str(path)) for path in found]
            yield machine

    @staticmethod
    def sockets(machine, hosts):
        """The sockets of all |hosts| daemons, the master's first, or None when some are missing."""
        own = machine.host_folder(machine.name)
        found = [path for path in own.parent.glob("*/sock") if not path.parent.is_symlink()]
        return sorted(found, key=lambda p: p.parent != own) if len(found) == hosts else None

    def play_hosts(self, measure, scale):
        program = self.program("adder")
        with self.machine() as machine:
            return self.task(machine, [program, *measure.command(scale)])

    def play_idle(self, measure, scale):
        program = self.program("patterns", "world_pvm.c")
        with self.machine(scale["idle_hosts"]) as machine:
            lead = machine.popen([program, *measure.command(scale)], stdin=subprocess.PIPE)
            if lead.stdout.readline() != b"ready\n":
                raise Failed("idle: " + lead.stderr.read().decode().strip())
            tasks = set(machine.tasks("patterns")) - {lead.pid}
            daemons = [p for p in machine.processes() if p not in tasks and p != lead.pid]
            time.sleep(SETTLE_S)
            before = {pid: activity(pid) for pid in [*tasks, *daemons]}
            time.sleep(scale["idle_s"])
            spent = {pid: [b - a for a, b in zip(before[pid], activity(pid))] for pid in before}
            lead.stdin.close()
            lead.wait(MEET_S)
        return {"task_wakeups": sum(spent[pid][0] for pid in tasks),
                "daemon_wakeups": max(spent[pid][0] for pid in daemons) / scale["idle_s"],
                "cpu_percent": sum(s[1] for s in spent.values()) / 1e7 / scale["idle_s"]}


def activity(pid):
    """How often the threads of a process were woken, and for how many ns they ran."""
    woken = ran_ns = 0
    for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
        status = (thread / "status").read_text()
        woken += int(re.search(r"\nvoluntary_ctxt_switches:\s*(\d+)", status).group(1))
        ran_ns += int((thread / "schedstat").read_text().split()[0])
    return woken, ran_ns


def make(build, work):
    """All contestants in the order of the columns; the others are held against the first."""
    tree = pvmtest.Build(build)
    return [
        Ours("ours", work, tree),
        Original("PVM 3.4.6", work, tree),
        Mpi("Open MPI", work, "openmpi", "NPopenmpi",
            ["--allow-run-as-root", "--oversubscribe"],
            ["--bind-to", "none", "--mca", "mpi_yield_when_idle", "1"]),
        Mpi("MPICH", work, "mpich", "NPmpich2", [], []),
        Ucx("UCX", work),
        Floor("floor", work),
    ]
