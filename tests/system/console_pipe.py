#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What scripts meet: the start, .pvmrc, `pvm COMMAND`, exit statuses, output in files, and the
places where this console differs from the original on purpose."""
import os
import re
import signal
import time

from console_lib import CONSOLE, DEADLINE_S, Machine, Session, done, ok

HOST = os.uname().nodename
END = 'quit\n\nConsole: exit handler called\npvmd still running.\n'


def start_and_stop(machine):
    status, out, _ = machine.run(text='id\n')
    ok(re.fullmatch(r'pvm> id\nt[0-9a-f]+\npvm> ' + END, out),
       'the first console starts a daemon', out)
    ok(status == 0, 'and leaves with status 0', status)
    status, out, _ = machine.run(text='quit\n')
    ok(out == 'pvmd already running.\npvm> ' + END, 'the next one finds it', out)
    status, out, _ = machine.run(text='halt\necho not reached\n')
    ok(out == 'pvmd already running.\npvm> halt\n', 'nothing runs after halt', out)
    ok(status == 0, 'which leaves with status 0, whoever wins the race', status)
    status, out, _ = machine.run(text='halt\n')
    ok(out.startswith('pvm> '), 'the machine is gone after it', out)


def no_daemon(machine):
    status, out, err = machine.run('conf')
    ok(status == 1 and 'no daemon is running' in err and out == '',
       'a command that needs a daemon fails without one', (status, out, err))
    status, _, _ = machine.run('halt')
    ok(status == 0, 'but halt has nothing to do')
    status, out, err = machine.run('help', 'conf')
    ok(status == 0 and 'List virtual machine configuration' in out and not err,
       'help works without a daemon', (out, err))
    status, out, _ = machine.run('--version')
    ok(status == 0 and re.fullmatch(r'pvm 3\.\d+\.\d+\n', out), '--version', out)
    status, out, _ = machine.run('--help')
    ok(status == 0 and out.startswith('usage: pvm'), '--help', out)
    status, out, _ = machine.run('conf')
    ok(status == 1, 'none of them started one')


def start_failure():
    machine = Machine(CONSOLE, {'PVM_TMP': '/nonexistent/directory'})
    status, out, err = machine.run(text='conf\n')
    ok(status == 1 and "Console: Can't start pvmd" in err, 'a daemon that cannot start is an error',
       (status, out, err))
    if os.geteuid() == 0:
        machine = Machine(CONSOLE)
        del machine.environment['PVM_ALLOW_ROOT']
        status, out, err = machine.run(text='conf\n')
        ok(status == 1 and 'PVM_ALLOW_ROOT' in err and out == '', 'root is refused by default',
           (status, out, err))
        machine.environment['PVM_ALLOW_ROOT'] = '1'


def commands(machine):
    """The form `pvm COMMAND`, on a machine that runs."""
    machine.run(text='quit\n')
    status, out, err = machine.run('conf')
    ok(status == 0 and out.startswith('1 host, 1 data format\n') and HOST in out,
       'conf prints and no more', out)
    for words, wanted in ((('echo', 'a b', '"c"'), 'a b "c"\n'),
                          (('mstat', '.'), '                       .  ok\n'),
                          (('spawn', '->', '/bin/echo', 'hi'), None)):
        status, out, err = machine.run(*words)
        if wanted is not None:
            ok(status == 0 and out == wanted, f'{words[0]} does', (status, out, err))
        else:
            end = r'\[1:t[0-9a-f]+\] hi\n.*EOF\n\[1\] finished\n$'
            ok(status == 0 and re.search(end, out, re.S), 'the output of a job is waited for',
               (status, out, err))
    for words in (('mstat', 'nosuch'), ('mstat', '.', 'nosuch'), ('pstat', '40fff'), ('pstat', 'x'),
                  ('delete', 'nosuch'), ('spawn', '/no/such'), ('ps', '-q'), ('setopt', 'Foo', '1'),
                  ('sig', 'FOO', '40fff'), ('kill', 'zz'), ('help', 'nosuch'), ('add',),
                  ('conf', 'x'), ('reset', 'nosuch'), ('trace',), ('spawn', '-@', '/bin/true')):
        status, out, err = machine.run(*words)
        ok(status == 1, f'{" ".join(words)!r} fails with status 1', (status, out, err))
    _, out, _ = machine.run('trace')
    ok(out == 'trace: not implemented yet\n', 'what is not there says so', out)
    machine.run('spawn', '-3', '/bin/sleep', '100')
    machine.run('put', 'left', '1', '5')
    _, out, _ = machine.run('names', 'left')
    ok(out == '<left>:\n\tindex=0 owner=0x0/0 flags=0x1\n\n', 'what is persistent is left', out)
    status, out, err = machine.run('reset')
    deadline = time.monotonic() + DEADLINE_S
    while '/bin/sleep' in machine.run('ps')[1] and time.monotonic() < deadline:
        pass
    ok(status == 0 and '/bin/sleep' not in machine.run('ps')[1], 'reset ends tasks',
       (status, out, err))
    ok(machine.run('names', 'left')[1] == '', 'and removes what was left')
    machine.run('spawn', '/bin/sleep', '100')
    _, out, _ = machine.run('ps')
    tid = re.search(r' ([0-9a-f]+) +2/f /bin/sleep', out)
    ok(tid, 'ps shows a task', out)
    if tid:
        status, _, _ = machine.run('sig', 'SIGKILL', 't' + tid[1])
        deadline = time.monotonic() + DEADLINE_S
        while machine.run('pstat', tid[1])[0] == 0 and time.monotonic() < deadline:
            pass
        ok(status == 0 and machine.run('pstat', tid[1])[0] == 1, 'sig takes the name of a signal')


def interrupted_wait(machine):
    """`pvm spawn '->'` that waits for output ends by SIGINT like any program."""
    session = Session(machine, 'spawn', '->', '/bin/sh', '-c', 'echo begun; exec sleep 100')
    session.expect(r'begun\n')
    os.kill(session.pid, signal.SIGINT)
    ok(session.wait() == -signal.SIGINT, 'an interrupt ends the wait for a job', session.status)


def hostfile_or_command(machine):
    """A file wins over a command of the same name: it is a hostfile."""
    with open(os.path.join(machine.directory, 'conf'), 'w') as file:
        file.write('# a hostfile\n')
    status, out, _ = machine.run('conf', text='echo inside\n')
    ok('pvm> echo inside\ninside\n' in out, 'an existing file named conf is a hostfile', out)
    os.remove(os.path.join(machine.directory, 'conf'))
    status, out, _ = machine.run('conf')
    ok(out.startswith('1 host'), 'without it conf is a command', out)


def rc_file(machine):
    with open(os.path.join(machine.directory, '.pvmrc'), 'w') as file:
        file.write("alias zz echo from-alias\n\n# comment\nzz")
    _, out, _ = machine.run(text='zz\n')
    ok('alias zz echo from-alias\n\n# comment\nzz\nfrom-alias\npvm> zz\nfrom-alias\n' in out,
       '.pvmrc runs first and is shown', out)
    status, out, _ = machine.run('echo', 'x')
    ok(out == 'x\n', 'but not for a single command', out)
    os.remove(os.path.join(machine.directory, '.pvmrc'))


def differences(machine):
    _, out, _ = machine.run(text='echo first\necho last')
    ok('pvm> echo last\nlast\npvm> quit' in out, 'a last line without a newline is a line', out)
    _, out, _ = machine.run(text="# c\necho 'x\necho after\n")
    ok("command too long\npvm> echo after\nafter\n" in out, 'a bad line spoils no other', out)
    _, out, _ = machine.run(text='echo ' + 'x' * 70000 + '\necho after\n')
    ok('command too long\npvm> echo after\nafter\n' in out, 'nor does one that is too long', out)
    _, out, _ = machine.run(text='echo ' + 'x' * 5000 + '\n')
    ok('x' * 5000 + '\n' in out, 'a long one is no trouble', out)
    _, out, _ = machine.run(text='ps -a -x\nps -n ' + HOST + '\n')
    ok('wrong' not in out and '(cons)' in out, 'ps takes several words', out)


def job_files(machine):
    path = os.path.join(machine.directory, 'out')
    for mark, times, wanted in (('->', 2, 1), ('->>', 2, 3)):
        for _ in range(times):
            machine.run('spawn', mark + path, '/bin/echo', 'line')
        with open(path) as file:
            text = file.read()
        ok(text.count('] line\n') == wanted and text.count('] EOF\n') == wanted,
           f'{mark}file holds the output of {wanted}', text)
    status, out, _ = machine.run('spawn', '->/nonexistent/x', '/bin/echo')
    ok(status == 1 and out == '/nonexistent/x: No such file or directory\n',
       'a file that cannot be written starts nothing', out)


def long_output(machine):
    status, out, _ = machine.run('spawn', '-3', '->', '/bin/sh', '-c', 'seq 20000; printf end')
    counts = [len(re.findall(rf'\] {word}$', out, re.M)) for word in ('1', '20000', 'end', 'EOF')]
    ok(counts == [3, 3, 3, 3] and out.endswith('[1] finished\n') and len(out.splitlines()) == 60012,
       'no line of 60 003 is lost or torn', (status, counts, len(out.splitlines())))


def interrupts_and_ends(machine):
    session = Session(machine)
    session.expect('pvm> ')
    os.kill(session.pid, signal.SIGINT)
    session.send('echo alive\n')
    ok(session.expect(r'^alive$'), 'an interrupt does not end the console', session.text)
    os.kill(session.pid, signal.SIGTERM)
    ok(session.wait() == -signal.SIGTERM, 'SIGTERM does', session.status)
    session = Session(machine)
    session.expect('pvm> ')
    status, _, _ = machine.run('halt')
    ok(session.wait() in (-signal.SIGTERM, 1), 'so does a halt from elsewhere', session.status)


def main():
    machine = Machine(CONSOLE)
    start_and_stop(machine)
    machine.run('halt')
    no_daemon(machine)
    start_failure()
    commands(machine)
    interrupted_wait(machine)
    hostfile_or_command(machine)
    rc_file(machine)
    differences(machine)
    job_files(machine)
    long_output(machine)
    interrupts_and_ends(machine)
    done()


main()
