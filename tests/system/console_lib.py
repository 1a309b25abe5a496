# SPDX-License-Identifier: BSD-3-Clause
"""What the console's system tests share: a virtual machine of one's own, a console on a pipe or on
a terminal, and waits that end by a condition or a deadline. TAP goes to standard output."""
import atexit
import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

DEADLINE_S = 30
ORIGINAL = '/usr/bin/pvm'
CONSOLE = os.environ.get('PVM_TEST_CONSOLE',
                         os.path.join(os.environ.get('PVM_TEST_BUILD', '.'), 'src/console/pvm'))
_count = 0
_failed = 0

if not os.access(CONSOLE, os.X_OK):
    print('1..0 # SKIP not built: pvm')
    sys.exit(0)


def ok(passed, what, detail=None):
    """One TAP line; |detail| is shown when it failed."""
    global _count, _failed
    _count += 1
    if not passed:
        _failed += 1
    print(f"{'ok' if passed else 'not ok'} {_count} - {what}", flush=True)
    if not passed and detail is not None:
        for line in str(detail).splitlines():
            print('# ' + line, flush=True)
    return passed


def skip(what, why):
    global _count
    _count += 1
    print(f'ok {_count} - {what} # SKIP {why}', flush=True)


def done():
    print(f'1..{_count}', flush=True)
    sys.exit(1 if _failed else 0)


class Machine:
    """A directory and an environment for one virtual machine; halted and removed at the end."""

    def __init__(self, program, variables=None):
        self.program = program
        self.directory = tempfile.mkdtemp(prefix='pvmcons')
        self.environment = dict(os.environ, PVM_TMP=self.directory, HOME=self.directory,
                                PVM_ALLOW_ROOT='1', LC_ALL='C', TERM='xterm', COLUMNS='80')
        for name in ('PVM_VMID', 'PVM_EXPORT', 'PVMSOCK', 'PVMHOSTFILE'):
            self.environment.pop(name, None)
        if program == ORIGINAL:
            self.environment.pop('LD_LIBRARY_PATH', None)  # with its own library
        self.environment.update(variables or {})
        atexit.register(self.close)

    def close(self):
        if not os.path.isdir(self.directory):
            return
        try:
            subprocess.run([self.program], input=b'halt\n', env=self.environment,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=DEADLINE_S)
        except subprocess.TimeoutExpired:
            print('# halt did not end in time')
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, *arguments, text=None, program=None):
        """The program with |arguments| and |text| as its input: (exit status, stdout, stderr)."""
        done_ = subprocess.run([program or self.program, *arguments], env=self.environment,
                               cwd=self.directory, timeout=DEADLINE_S,
                               input=(text or '').encode(), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
        return done_.returncode, done_.stdout.decode(), done_.stderr.decode()


class Session:
    """A console that is talked to step by step; everything it wrote is in self.text."""

    def __init__(self, machine, *arguments, terminal=False, program=None):
        self.text = ''
        self.seen = 0
        command = [program or machine.program, *arguments]
        if terminal:
            self.pid, self.fd = pty.fork()
            if self.pid == 0:
                os.chdir(machine.directory)
                os.execve(command[0], command, machine.environment)
            self.input = self.fd
            self.process = None
        else:
            self.process = subprocess.Popen(command, env=machine.environment, cwd=machine.directory,
                                            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            stderr=subprocess.STDOUT)
            self.pid = self.process.pid
            self.fd = self.process.stdout.fileno()
            self.input = self.process.stdin.fileno()
        self.open = True
        self.status = None
        atexit.register(self.close)

    def send(self, text):
        os.write(self.input, text.encode())

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack('HHHH', rows, columns, 0, 0))

    def read(self, deadline):
        """One read of what is there, until |deadline|; False at the end of the output."""
        if not self.open:
            return False
        readable, _, _ = select.select([self.fd], [], [], max(0, deadline - time.monotonic()))
        if not readable:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            data = b''
        self.text += data.decode(errors='replace').replace('\r\n', '\n')
        self.open = bool(data)
        return self.open

    def expect(self, pattern, seconds=DEADLINE_S):
        """Waits until |pattern| (a regular expression) appears behind what was expected before;
        returns the text up to its end, or None."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.compile(pattern, re.M).search(self.text, self.seen)
            if found:
                text = self.text[self.seen:found.end()]
                self.seen = found.end()
                return text
            if time.monotonic() > deadline or not self.read(deadline):
                return None

    def command(self, line):
        """Sends a line and waits until it was dealt with: the prompt after it. The text between."""
        self.send(line + '\n')
        return self.expect(r'pvm> ')

    def end_of_input(self):
        if self.process:
            self.process.stdin.close()
        else:
            self.send('\x04')

    def wait(self):
        """Reads to the end; the exit status, negative for a signal, None when it did not end."""
        deadline = time.monotonic() + DEADLINE_S
        while self.status is None and time.monotonic() < deadline:
            self.read(min(deadline, time.monotonic() + 0.1))
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                if self.process:
                    self.process.returncode = self.status
                while self.open and self.read(time.monotonic() + 0.2):
                    if not select.select([self.fd], [], [], 0)[0]:
                        break
        return self.status

    def close(self):
        if self.status is None:
            try:
                os.kill(self.pid, signal.SIGKILL)
                os.waitpid(self.pid, 0)
                self.status = -signal.SIGKILL
            except (ProcessLookupError, ChildProcessError):
                pass
