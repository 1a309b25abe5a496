# SPDX-License-Identifier: BSD-3-Clause
"""Who is measured and how each is started: this project, the original PVM, two MPIs, plain sockets.

Each contestant says why it is absent or None; one_way_us(size, repeats) gives the one-way time of a
ping-pong, or None where the size makes no sense for it. Nothing outlives stop().
"""
import os
import pathlib
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
STEP_SECONDS = 120
START_SECONDS = 20


class Failed(Exception):
    """A contestant could not do what was asked; the text says what was seen."""


def run(command, environment=None, cwd=None, seconds=STEP_SECONDS):
    try:
        done = subprocess.run(command, env=environment, cwd=cwd, timeout=seconds, text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except subprocess.TimeoutExpired as late:
        raise Failed(f"{pathlib.Path(command[0]).name}: not done after {seconds} s") from late
    if done.returncode != 0:
        words = (done.stderr or done.stdout).strip().splitlines()
        raise Failed(f"{pathlib.Path(command[0]).name}: exit {done.returncode}: "
                     f"{words[-1] if words else 'no words'}")
    return done.stdout


def compile_c(source, target, *arguments):
    if not target.exists():
        run(["cc", "-O2", "-o", str(target), str(HERE / source), *arguments])
    return target


def netpipe_arguments(size, repeats, out):
    # Exactly this size, no perturbations; NetPIPE writes "bytes Mbit/s seconds".
    return ["-p", "0", "-l", str(size), "-u", str(size), "-n", str(repeats), "-o", str(out)]


def netpipe_result(out, size):
    try:
        lines = out.read_text().split("\n")
    except OSError as error:
        raise Failed("NetPIPE wrote no result") from error
    for line in lines:
        words = line.split()
        if len(words) == 3 and int(words[0]) == size:
            return float(words[2]) * 1e6
    raise Failed(f"NetPIPE wrote no result for {size} bytes")


def wait_for(condition, process, what):
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if process.poll() is not None:
            raise Failed(f"{what} ended at once with {process.returncode}")
        if time.monotonic() > deadline:
            raise Failed(f"{what} is not there after {START_SECONDS} s")
        time.sleep(0.01)


def end(process):
    if process is None or process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Contestant:
    can_spawn = False
    can_add_local = False

    def __init__(self, name, work):
        self.name = name
        self.work = work / name.replace(" ", "-").replace(",", "")
        self.work.mkdir(parents=True)

    def absent(self):
        return None

    def stop(self):
        pass


class Floor(Contestant):
    """Plain sockets of the system."""

    def __init__(self, name, work, kind):
        super().__init__(name, work)
        self.kind = kind

    def absent(self):
        return None if shutil.which("cc") else "no cc"

    def one_way_us(self, size, repeats):
        if self.kind == "udp" and size > 60000:
            return None
        program = compile_c("floor.c", self.work / "floor")
        return float(run([str(program), self.kind, str(size), str(repeats)]))


class Mpi(Contestant):
    def __init__(self, name, work, launcher, program, arguments):
        super().__init__(name, work)
        self.launcher, self.program, self.arguments = launcher, program, arguments

    def absent(self):
        missing = [tool for tool in (self.launcher, self.program) if not shutil.which(tool)]
        return f"no {' and no '.join(missing)}" if missing else None

    def one_way_us(self, size, repeats):
        out = self.work / "out"
        out.unlink(missing_ok=True)
        run([self.launcher, *self.arguments, "-np", "2", self.program,
             *netpipe_arguments(size, repeats, out)], cwd=self.work)
        return netpipe_result(out, size)


class Pvm(Contestant):
    """Either PVM. NPpvm is Debian's unmodified binary; the path says which library it loads."""
    can_spawn = True

    def __init__(self, name, work):
        super().__init__(name, work)
        self.daemon = None
        self.environment = {key: value for key, value in os.environ.items()
                            if not key.startswith("PVM")}
        self.environment.update(PVM_TMP=str(self.work), PVM_VMID="bench", PVM_ALLOW_ROOT="1")
        self.receiver_environment = self.environment

    def absent(self):
        if not shutil.which("NPpvm"):
            return "no NPpvm (package netpipe-pvm)"
        if not pathlib.Path("/usr/include/pvm3.h").exists():
            return "no pvm3.h (package pvm-dev)"
        return None

    def start(self):
        raise NotImplementedError

    def launch(self, command, ready, environment=None):
        with open(self.work / "pvmd.txt", "ab") as log:
            process = subprocess.Popen(command, env=environment or self.environment, cwd=self.work,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(ready, process, "pvmd")
        return process

    def ensure(self):
        if self.daemon is None or self.daemon.poll() is not None:
            self.daemon = self.start()

    def one_way_us(self, size, repeats):
        self.ensure()
        out = self.work / "out"
        out.unlink(missing_ok=True)
        arguments = netpipe_arguments(size, repeats, out)
        deadline = time.monotonic() + START_SECONDS
        while not self.play(arguments):
            if time.monotonic() > deadline:
                raise Failed(f"NPpvm: the two did not meet in {START_SECONDS} s")
        return netpipe_result(out, size)

    def play(self, arguments):
        """One game; False when the two did not find each other among the tasks (netpipe(1))."""
        with subprocess.Popen(["NPpvm", *arguments[:-2], "-o", str(self.work / "receiver")],
                              env=self.receiver_environment, cwd=self.work,
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as receiver:
            try:
                # The sender looks once, and gives up when the other has not enrolled yet.
                while receiver.poll() is None:
                    time.sleep(0.05)
                    if self.transmit(arguments):
                        receiver.wait(10)
                        return True
            except subprocess.TimeoutExpired as late:
                raise Failed("NPpvm: the receiver does not end") from late
            finally:
                end(receiver)
        return False

    def transmit(self, arguments):
        try:
            run(["NPpvm", "-h", "localhost", *arguments], self.environment, self.work)
        except Failed as failure:
            if "clean machine" not in str(failure):
                raise
            return False
        return True

    def spawn_ms(self, count):
        self.ensure()
        program = compile_c("spawner.c", self.work / "spawner", "-lpvm3")
        return float(run([str(program), str(count)], self.environment, self.work))

    def stop(self):
        end(self.daemon)


class Original(Pvm):
    def absent(self):
        return super().absent() or (None if shutil.which("/usr/bin/pvmd") else "no /usr/bin/pvmd")

    def start(self):
        # Its socket file is left behind when a daemon was killed, and stops the next one.
        address = self.work / f"pvmd.{os.getuid()}.bench"
        address.unlink(missing_ok=True)
        self.environment["PVM_ROOT"] = "/usr/lib/pvm3"
        return self.launch(["/usr/bin/pvmd", "-n127.0.0.1"], address.exists)


class Ours(Pvm):
    can_add_local = True

    def __init__(self, name, work, build, hosts):
        super().__init__(name, work)
        self.build, self.hosts = build, hosts
        self.can_spawn = self.can_add_local = hosts == 1

    def find(self, name):
        found = sorted(path for path in self.build.rglob(name)
                       if path.is_file() and ".p/" not in str(path))
        return found[0] if found else None

    def absent(self):
        return super().absent() or next((f"{name} is not built" for name in ("pvmd", "libpvm3.so.3")
                                         if not self.find(name)), None)

    def sockets(self):
        root = self.work / f"pvm-{os.getuid()}" / "bench"
        return sorted(path for path in root.glob("*/sock") if not path.parent.is_symlink())

    def start(self):
        self.environment["LD_LIBRARY_PATH"] = str(self.find("libpvm3.so.3").parent)
        hostfile = self.work / "hosts"
        hostfile.write_text("local\n" * (self.hosts - 1))
        daemon = self.launch([str(self.find("pvmd")), str(hostfile)],
                             lambda: len(self.sockets()) >= self.hosts)
        here = (self.work / f"pvm-{os.getuid()}" / "bench" / "here").resolve()
        others = [path for path in self.sockets() if path.parent.resolve() != here]
        self.receiver_environment = dict(self.environment)
        if others:
            self.receiver_environment["PVMSOCK"] = str(others[0])
        return daemon

    def add_hosts_ms(self, count):
        # A machine of its own each time: hosts of the round before may still be on their way out.
        self.stop()
        self.daemon = None
        self.ensure()
        program = compile_c("adder.c", self.work / "adder", "-lpvm3")
        return float(run([str(program), str(count)], self.environment, self.work))


def make(build, work):
    """All contestants; the first is what the others are compared with."""
    return [
        Ours("ours", work, build, 1),
        Ours("ours 2 daemons", work, build, 2),
        Original("PVM 3.4.6", work),
        Mpi("Open MPI", work, "mpirun.openmpi", "NPopenmpi",
            ["--allow-run-as-root", "--oversubscribe"]),
        Mpi("MPICH", work, "mpirun.mpich", "NPmpich2", []),
        Floor("UNIX socket", work, "unix"),
        Floor("UDP loopback", work, "udp"),
    ]
