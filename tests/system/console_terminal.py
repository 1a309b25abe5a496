#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The console on a terminal: editing, history, completion, interrupts, text that comes while a line
is being typed, and the ways to leave."""
import os
import signal

from console_lib import CONSOLE, Machine, Session, done, ok, skip

CTRL_A, CTRL_C, CTRL_D, CTRL_E, CTRL_U = '\x01', '\x03', '\x04', '\x05', '\x15'
UP, LEFT, TAB = '\x1b[A', '\x1b[D', '\t'


def has_editor():
    """Whether this console was built with libedit."""
    with open(CONSOLE, 'rb') as program:
        return b'libedit' in program.read()


def typed_once(session):
    session.send('echo once-only\r')
    text = session.expect(r'^once-only$')
    ok(text is not None, 'a command typed runs', session.text)
    ok(text is not None and text.count('echo once-only') == 1, 'and is shown once', text)


def editing(session):
    session.expect('pvm> ')
    session.send('cho begin-ends' + CTRL_A + 'e' + CTRL_E + LEFT + '\x7f' + '\r')
    ok(session.expect(r'^begin-ens$'), 'a line is edited in the middle', session.text)
    session.expect('pvm> ')
    session.send('nonsense' + CTRL_U + 'echo kept\r')
    ok(session.expect(r'^kept$'), 'a line is killed and typed anew', session.text)


def history(session):
    session.expect('pvm> ')
    session.send(UP + UP + '\r')
    ok(session.expect(r'^begin-ens$'), 'an earlier line comes back', session.text)


def completion(session):
    session.expect('pvm> ')
    session.send('ech' + TAB + 'full-name\r')
    ok(session.expect(r'^full-name$'), 'TAB completes a command', session.text)
    session.expect('pvm> ')
    session.send('un' + TAB)
    ok(session.expect(r'unalias +unexport'), 'TAB lists what is possible', session.text)
    session.send('a' + TAB + 'x\r')
    session.expect('pvm> ')
    session.send('getopt PvmAuto' + TAB + '\r')
    ok(session.expect(r'^PvmAutoErr Currently Set to 1$'), 'TAB completes an option', session.text)
    session.expect('pvm> ')
    name = os.uname().nodename
    session.send('mstat ' + name[:1] + TAB + '\r')
    ok(session.expect(rf'^ *{name}  ok$'), 'TAB completes a host', session.text)
    session.expect('pvm> ')
    session.send('spawn /bin/sleep 60\r')
    tid = session.expect(r't[0-9a-f]+$').split('t')[-1]
    session.expect('pvm> ')
    session.send('pstat ' + TAB + '\r')
    ok(session.expect(rf'^t *{tid}  run$'), 'TAB completes a task', session.text)
    session.expect('pvm> ')
    session.send(f'kill {tid}\r')


def interrupt(session):
    session.expect('pvm> ')
    session.send('echo discarded')
    session.expect('discarded')
    session.send(CTRL_C)
    ok(session.expect('pvm> '), 'an interrupt gives a new prompt', session.text)
    session.send('echo after\r')
    text = session.expect(r'^after$')
    ok(text is not None and 'discarded' not in text, 'and what was typed is gone', text)


def output_while_typing(session):
    session.expect('pvm> ')
    session.send("spawn -> /bin/sh -c 'read x < gate; echo from-the-task'\r")
    ok(session.expect(r'^\[1\]$'), 'a job has a number', session.text)
    session.expect('pvm> ')
    session.send('echo half')
    session.expect('half')
    with open(os.path.join(session.directory, 'gate'), 'w') as gate:
        gate.write('\n')
    ok(session.expect(r'\[1:t[0-9a-f]+\] from-the-task$'),
       'the output of a job appears while a line is typed', session.text)
    ok(session.expect(r'\[1\] finished$'), 'the end of the job does', session.text)
    ok(session.expect(r'pvm> echo half'), 'and the line is put back below', session.text)
    session.send('-done\r')
    ok(session.expect(r'^half-done$'), 'and can be finished', session.text)


def narrow_terminal(machine):
    """A line of three rows is taken off the screen and put back whole."""
    session = Session(machine, terminal=True)
    session.resize(24, 40)
    session.expect('pvm> ')
    session.send("spawn -> /bin/sh -c 'read x < gate; echo out'\r")
    session.expect(r'^t[0-9a-f]+$')
    session.expect('pvm> ')
    session.send('echo ' + 'x' * 100)
    # All of it must stand there, else the output comes between two rows.
    session.expect(r'(?:x[ \r\n\x08]*){100}$')
    start = len(session.text)
    with open(os.path.join(machine.directory, 'gate'), 'w') as gate:
        gate.write('\n')
    session.expect(r'finished')
    ok('\x1b[2A\r\x1b[J[1:t' in session.text[start:], 'a line of three rows leaves the screen',
       repr(session.text[start:]))
    session.send('y\r')
    ok(session.expect(r'^x{40}\s*x{40}\s*x{20}y$|^x{100}y$'), 'and comes back whole', session.text)
    session.close()


def no_editor(machine):
    """On a terminal that can do nothing the terminal itself shows what is typed."""
    machine.environment['TERM'] = 'dumb'
    session = Session(machine, terminal=True)
    session.expect('pvm> ')
    session.send('echo plain\n')
    text = session.expect(r'^plain$')
    ok(text is not None and text.count('echo plain') == 1, 'a line is shown once', session.text)
    session.expect('pvm> ')
    session.send('echo gone')
    session.expect('gone')
    session.send(CTRL_C)
    ok(session.expect('pvm> '), 'an interrupt gives a new prompt', session.text)
    session.send('echo more\n')
    ok(session.expect(r'^more$'), 'and what was typed is gone', session.text)
    session.expect('pvm> ')
    session.send(CTRL_D)
    ok(session.wait() == 0 and 'quit\n\nConsole: exit handler' in session.text,
       'end of file is quit', session.text)
    machine.environment['TERM'] = 'xterm'


def end_of_file(session):
    session.expect('pvm> ')
    session.send(CTRL_D)
    ok(session.expect(r'quit\n\nConsole: exit handler called\npvmd still running\.$'),
       'end of file is quit', session.text)
    ok(session.wait() == 0, 'with exit status 0', session.status)


def terminal_restored(machine):
    """The settings of a terminal before and after a console that was killed on it are equal."""
    import pty
    import termios
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.dup2(slave, 0)
        os.dup2(slave, 1)
        os.dup2(slave, 2)
        os.execve(CONSOLE, [CONSOLE], machine.environment)
    text = b''
    while b'pvm> ' not in text:
        text += os.read(master, 4096)
    os.kill(pid, signal.SIGTERM)
    _, status = os.waitpid(pid, 0)
    ok(os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGTERM,
       'SIGTERM at the prompt ends the console by that signal', status)
    ok(termios.tcgetattr(slave) == before, 'and the terminal is as it was')
    os.close(master)
    os.close(slave)


def notices(machine, session, other):
    """Another console removes nothing and adds nothing here: only that two may be open."""
    session.send('ps -ax\r')
    text = session.expect(r'\(cons\).*\n')
    ok(text is not None, 'a console sees itself with -x', session.text)
    status, _, _ = machine.run(text='quit\n')
    ok(status == 0, 'a second console comes and goes', other)


def halt(machine):
    session = Session(machine, terminal=True)
    session.expect('pvm> ')
    session.send('halt\r')
    ok(session.wait() == 0, 'halt ends the console with status 0', session.status)


def main():
    machine = Machine(CONSOLE)
    os.mkfifo(os.path.join(machine.directory, 'gate'))
    if not has_editor():
        skip('the line editor', 'the console was built without libedit')
        done()
    session = Session(machine, terminal=True)
    session.directory = machine.directory
    ok(session.expect('pvm> ') is not None, 'the console starts a daemon and prompts', session.text)
    typed_once(session)
    editing(session)
    history(session)
    completion(session)
    interrupt(session)
    output_while_typing(session)
    notices(machine, session, None)
    end_of_file(session)
    terminal_restored(machine)
    narrow_terminal(machine)
    no_editor(machine)
    halt(machine)
    done()


main()
