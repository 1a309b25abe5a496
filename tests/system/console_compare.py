#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The same commands to this console and to PVM 3.4.6's, each through a pipe and with a daemon of
its own: what they print must be the same, but for numbers of tasks and processes. Where we differ
on purpose is tested in console_pipe.py."""
import os
import re
import time

from console_lib import CONSOLE, DEADLINE_S, ORIGINAL, Machine, Session, done, ok, skip

HOST = os.uname().nodename

# One line each; a job is waited for by its last line.
COMMANDS = [
    'conf', 'id', 'version', 'ps', 'ps -a', 'ps -l', 'ps -x', 'ps -alx', f'ps -n{HOST}',
    'ps -nnosuch', 'ps -q', 'ps -h40000',
    'foo', 'exit', 'con', 'CONF', 'add', 'delete', 'kill', 'mstat', 'pstat', 'sig 0', 'unalias',
    'spawn', 'setopt PvmRoute', 'getopt PvmRoute PvmDebugMask', 'tickle', 'quit now', 'help a b',
    'conf x', 'id x', 'version x',
    '', '   ', '# comment', 'echo', 'echo a  b "c d" \'e f\' g\\ h', 'echo a#b c #d', 'echo ""  a',
    '   echo lead', '\techo\ttab', '"echo" x', 'ec"ho" x', "echo a ; echo b",
    '''echo "a\\"b" 'c\\d' "e\\f" g\\"h''', "echo 'abc", 'echo a"b', 'echo abc\\',
    'echo ' + ' '.join(str(n) for n in range(126)), 'echo ' + ' '.join(str(n) for n in range(127)),
    'alias', 'alias ll ps -l', 'll', 'alias', 'unalias ll nosuch', 'll', 'alias a b', 'alias b a',
    'a', 'alias x x y', 'x', 'alias q "a b" c', "alias z ''", 'z', "alias 'two words' id",
    "'two words'", 'two words', 'alias conf conf', 'conf', 'unalias conf', 'alias c1 echo one ;',
    'c1 two', 'alias',
    'getopt', 'setopt PvmRoute 3', 'getopt PvmRoute', 'setopt PvmRoute 1',
    'setopt PvmFragSize 8192',
    'setopt PvmFragSize 4080',
    'getopt Foo', 'setopt Foo 3', 'getopt pvmroute',
    'export A B', 'export', 'export B A C', 'export', 'unexport A nosuch', 'export',
    'setenv FOO bar  baz', 'setenv FOO', 'setenv NOSUCH', "setenv FOO ''", 'setenv FOO',
    'setenv PVM_EXPORT', 'unexport B', 'unexport C', 'export',
    'mstat .', f'mstat {HOST}', f'mstat {HOST} nosuch .', 'pstat 40fff', 'pstat t40fff 40ffe',
    'sig 0 t40fff', 'kill t40fff', 'kill -c 40fff', 'kill -c', 'kill -9 40fff',
    'delete .', f'delete {HOST}', 'delete nosuch nosuch', 'jobs', 'jobs -l', 'jobs x',
    'spawn /bin/true', 'spawn -3 /bin/true', 'spawn -nosuch /bin/true',
    'spawn -3 -nosuch /bin/true',
    f'spawn -{HOST} /bin/true', 'spawn -. /bin/true', 'spawn -LINUX64 /bin/true',
    'spawn -CRAY /bin/true', 'spawn -: /bin/true', f'spawn --host={HOST} /bin/true',
    f'spawn -~{HOST} /bin/true', 'spawn -~. /bin/true', 'spawn -~LINUX64 /bin/true',
    'spawn -~ /bin/true', 'spawn --host= /bin/true', 'spawn nosuchfile', 'spawn -2 /no/such',
    'spawn ->', 'spawn - /bin/true', 'spawn -- /bin/true', 'spawn -1 -2 /bin/true',
    'spawn -> /bin/echo hi there', 'spawn -:/usr -> /bin/pwd', f'spawn -{HOST}:/usr -> /bin/pwd',
    f'spawn --host={HOST}:/usr -> /bin/pwd', 'spawn -:/nonexistent -> /bin/pwd',
    'spawn -> /no/such', "spawn -> /bin/sh -c 'echo to-stderr >&2; printf \"a\\n\\nb\\n\"'",
    "spawn -> /bin/sh -c 'printf abc; sleep 0.1; echo def'", "spawn -> /bin/sh -c 'printf unended'",
    'spawn -> /bin/sh -c true', 'spawn -> -> /bin/echo twice', 'spawn -> /bin/echo b; echo c',
    'names', 'put box 0 7', 'put box 3 8', 'put box -1 9', 'names', 'names b*x', 'names nosuch',
    'put', 'put a', 'put a b', 'put a 1 2 3', 'put bits zz 1', 'put hex 0x4 1',
    'put long 99999999999999 1', 'names', 'reset info box', 'reset info', 'reset info box x',
    'reset info box 0 1', 'reset nosuch', 'reset info nosuch 3', 'names', 'reset', 'names',
    'put bits 7 1', 'names bits', 'setopt PvmNoReset 0', 'names NO_RESET', 'setopt PvmNoReset 0',
    'setopt PvmNoReset 2', 'names NO_RESET',
    'spawn "->job output" /bin/echo to-file', 'setenv X y', 'spawn -> /bin/sh -c "echo $X:$Y"',
]


def normal(text, directory):
    """Task ids in the order in which they appear; process ids as one word; the directory's name."""
    names = {}
    text = text.replace(directory, 'DIRECTORY')
    text = re.sub(r' +\d+(?= +[0-9a-f]+/)', '    PID', text)
    return re.sub(r'\bt?[4-9a-f]0[0-9a-f]{3}\b',
                  lambda found: names.setdefault(found[0].lstrip('t'), f'TID{len(names)}'), text)


def job_end(session):
    """The output of a job up to its end. The original's lies in its buffer until it prompts again,
    so it is given comments to prompt after; they and the prompts are left out."""
    text = ''
    deadline = time.monotonic() + DEADLINE_S
    while '] finished\n' not in text and time.monotonic() < deadline:
        text += (session.command('#nudge') or '').replace('#nudge\n', '').replace('pvm> ', '')
        time.sleep(0.02)
    return text


def talk(machine):
    """What the console answers to each command, in order; and how it ends."""
    session = Session(machine)
    answers = []
    session.expect('pvm> ')
    for line in COMMANDS:
        text = session.command(line)
        if text and re.search(r'^\[\d+\]$', text, re.M) and re.search(r'^t[0-9a-f]+$', text, re.M):
            text += job_end(session)
        answers.append(normal(text or 'NO ANSWER: ' + session.text[-200:], machine.directory))
    session.end_of_input()
    status = session.wait()
    return answers, session.text[session.seen:], status


def main():
    if not os.access(ORIGINAL, os.X_OK):
        skip('comparison with PVM 3.4.6', 'it is not installed')
        done()
    theirs, their_end, their_status = talk(Machine(ORIGINAL))
    ours, our_end, our_status = talk(Machine(CONSOLE))
    for line, their, our in zip(COMMANDS, theirs, ours):
        ok(their == our, f'{line[:60]!r} is answered alike', f'theirs:\n{their}\nours:\n{our}')
    ok(their_end == our_end and 'quit' in our_end, 'the end of the input is met alike',
       f'theirs:\n{their_end}\nours:\n{our_end}')
    ok(their_status == our_status == 0, 'with the same exit status', (their_status, our_status))
    done()


main()
