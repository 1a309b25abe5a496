#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The console with several hosts: adding, listing, spawning on them, deleting, what other consoles
are told, and hosts that do not come."""
import os
import re
import signal
import time

from console_lib import CONSOLE, DEADLINE_S, Machine, Session, done, ok

HOST = os.uname().nodename


def hosts(text):
    """Names by task id, from the rows of conf, ps or add."""
    return {row[1]: row[0] for row in re.findall(r'^ *(\S+) +([0-9a-f]{5,7}) *', text, re.M)}


def add_and_list(session):
    text = session.command('add local:2 "local sp=77"')
    added = hosts(text)
    ok(text.startswith('add local:2 "local sp=77"\n3 successful\n'
                       '                    HOST     DTID\n') and len(added) == 3,
       'three hosts come', text)
    ok('local' not in added.values() and len(set(added.values())) == 3,
       'each is listed by its own name', text)
    text = session.command('conf')
    ok(text.startswith('conf\n4 hosts, 1 data format\n') and added.items() <= hosts(text).items(),
       'conf lists them', text)
    ok(re.search(r' 77 0x[0-9a-f]{8}$', text, re.M), 'with the speed of the one that has one', text)
    return added


def told(other, count):
    """What a console that did not ask gets, once."""
    rows = r'(?: +\S+ +[0-9a-f]+ +\S+ +\d+\n)+'
    text = other.expect(r'Console: \d new hosts? added\n.*\n' + rows) or ''
    ok(f'\nConsole: {count} new hosts added\n'
       '                    HOST     DTID     ARCH   SPEED\n' in text and
       len(re.findall(r' (?:1000|77)$', text, re.M)) == count, 'another console is told', text)


def spawn_on_them(session, added):
    session.send("spawn -4 -> /bin/sh -c 'echo $PVM_ARCH'\n")
    text = session.expect(r'\[1\] finished\n') or session.text
    tasks = re.findall(r'^\[1:t([0-9a-f]+)\] [A-Z]\w+$', text, re.M)
    ok(len({int(task, 16) >> 18 for task in tasks}) == 4, 'a task on each host prints', text)
    name = sorted(added.values())[-1]
    tid = next(tid for tid, host in added.items() if host == name)
    text = session.command(f'spawn -{name} /bin/sleep 100')
    task = re.search(r'^t([0-9a-f]+)$', text, re.M)
    ok(task and int(task[1], 16) >> 18 == int(tid, 16) >> 18, 'a host is chosen by its name', text)
    text = session.command('ps -a')
    ok(hosts(text).get(task[1]) == name, 'ps -a shows where it runs', text)
    for option in (f'-n{name}', f'-h{tid}', f'-h{task[1]}'):
        ok(task[1] in hosts(session.command(f'ps {option}')), f'so does ps {option}')
    ok(task[1] not in session.command('ps'), 'ps alone shows this host only')
    ok(session.command(f'mstat {name}').startswith(f'mstat {name}\n{name:>24}  ok\n'), 'mstat')
    return name, task[1]


def elsewhere(machine, name):
    """-~ avoids a host."""
    _, text, _ = machine.run('spawn', f'-~{name}', '-6', '->', '/bin/true')
    used = {int(task, 16) >> 18 for task in re.findall(r'^t([0-9a-f]+)$', text, re.M)}
    _, conf, _ = machine.run('conf')
    mine = next(int(tid, 16) >> 18 for tid, host in hosts(conf).items() if host == name)
    ok(len(used) == 3 and mine not in used, '-~host uses all others', text)


def wait_until_gone(machine, name):
    """A name is free again when the daemon that had it has ended."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        if not any(name in folders for _, folders, _ in os.walk(machine.directory)):
            return True
        time.sleep(0.02)
    return False


def delete(session, machine, name, task):
    session.send(f'spawn -{name} -> /bin/sleep 100\n')
    session.expect(r'^t[0-9a-f]+$')
    session.expect('pvm> ')
    text = session.command(f'delete {name} nosuch')
    ok(text.startswith(f'delete {name} nosuch\n1 successful\n                    HOST  STATUS\n'
                       f'{name:>24}  deleted\n{"nosuch":>24}  No such host\n'), 'delete', text)
    ok(session.expect(r'\[2:t[0-9a-f]+\] EOF\n\[2\] finished\n'),
       'a job ends when the host of its last task goes', session.text)
    text = session.command('conf')
    ok(text.startswith('conf\n3 hosts') and name not in text, 'the host is gone', text)
    ok('No such task' in session.command(f'pstat {task}'), 'with its tasks')
    ok(wait_until_gone(machine, name), 'and its daemon')
    status, out, _ = machine.run('delete', '.')
    ok(status == 1 and 'Bad parameter' in out, 'the master stays under this name', out)


def failures(machine):
    status, out, _ = machine.run('add', 'nosuch.invalid', 'x bogus=1', 'local:0')
    ok(status == 1 and 'must be 1 to 4095' in out, 'local:0 is refused before all else', out)
    status, out, _ = machine.run('add', 'nosuch.invalid', 'x bogus=1', 'local')
    ok(status == 1 and out.startswith('1 successful\n'), 'one of three comes: status 1', out)
    ok('          nosuch.invalid No such host\n' in out and
       '               x bogus=1 Bad parameter\n' in out, 'each has its line', out)
    ok(re.search(r'^host "x": unknown option "bogus=', out, re.M), 'and its reason in words', out)
    machine.environment['PVM_RSH'] = '/bin/false'
    status, out, _ = machine.run('add', 'local')
    ok(status == 0, 'local hosts need no remote shell', out)


def terminal_is_told(machine):
    """A person sees hosts come and go, above the line being typed."""
    session = Session(machine, terminal=True)
    session.expect('pvm> ')
    session.send('echo ha')
    session.expect('echo ha')
    _, out, _ = machine.run('add', 'local')
    name = next(iter(hosts(out).values()))
    ok(session.expect(rf'Console: 1 new host added\n.*HOST.*\n.*{name} '), 'a host that came',
       session.text)
    ok(session.expect(r'pvm> echo ha'), 'and the line is back', session.text)
    machine.run('delete', name)
    ok(session.expect(rf'Console: host "{name}" is gone\n'), 'a host that went', session.text)
    ok(session.expect(r'pvm> echo ha'), 'and the line is back again', session.text)
    session.send('lf\r')
    ok(session.expect(r'^half$'), 'and is run whole', session.text)
    session.close()


def halted_from_elsewhere(machine, session, other):
    status, _, _ = machine.run('halt')
    ok(status == 0, 'pvm halt', status)
    for one in (session, other):
        ok(one.wait() in (-signal.SIGTERM, 1), 'ends the other consoles', one.status)
    deadline = time.monotonic() + DEADLINE_S
    while os.listdir(machine.directory) and time.monotonic() < deadline:
        time.sleep(0.02)
    ok(not os.listdir(machine.directory), 'and leaves nothing', os.listdir(machine.directory))


def main():
    machine = Machine(CONSOLE)
    session = Session(machine)
    session.expect('pvm> ')
    other = Session(machine)
    other.expect('pvm> ')
    added = add_and_list(session)
    told(other, 3)
    ok('Console:' not in session.text, 'the console that added them is not told')
    name, task = spawn_on_them(session, added)
    elsewhere(machine, name)
    delete(session, machine, name, task)
    failures(machine)
    terminal_is_told(machine)
    halted_from_elsewhere(machine, session, other)
    done()


main()
