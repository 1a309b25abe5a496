# SPDX-License-Identifier: BSD-3-Clause
"""Hosts with a real sshd on one machine, for tests as root: each has network, process, mount and
host name namespaces of its own, an address on a bridge, and its own /tmp, /run and /root.

Nothing outside the namespaces changes, and all of it ends with this process: each host's first
process has a pipe to us as its standard input. Folders given as |visible| are seen on the hosts
where they are.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

import pvmtest

NETWORK = "10.78.0."

# First process of a host: makes the mounts, says so, then waits for the end of its input.
FIRST_PROCESS = r"""
set -e
name=$1 etc=$2 root=$3
shift 3
mount --make-rprivate /
hostname "$name"
number=0
for folder; do
    number=$((number + 1))
    mkdir -p "$etc/at-$number"
    mount --rbind "$folder" "$etc/at-$number"
done
mount --rbind "$etc" /mnt
mount --bind "$root" /root
mount -t tmpfs -o mode=1777 tmpfs /tmp
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/sshd
mount --bind /mnt/hosts /etc/hosts
number=0
for folder; do
    number=$((number + 1))
    mkdir -p "$folder"
    mount --rbind "/mnt/at-$number" "$folder"
done
mount -t proc proc /proc
ip link set lo up
echo ready
read -r _ || :
kill -KILL -1
"""

SSHD_CONFIG = """
HostKey {keys}/host
AuthorizedKeysFile {keys}/user.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
StrictModes no
UsePAM no
UseDNS no
PidFile none
SetEnv PVM_ALLOW_ROOT=1 PVM_PATH={path}
"""

SSH_CONFIG = """
Host *
    IdentityFile {keys}/user
    UserKnownHostsFile {keys}/known_hosts
    StrictHostKeyChecking yes
    BatchMode yes
    ConnectTimeout 5
    LogLevel ERROR
"""


def reason_not():
    """Why there can be no bed here, or None."""
    if os.geteuid() != 0:
        return "needs root"
    for tool in ("unshare", "nsenter", "ip", "ssh", "ssh-keygen"):
        if not shutil.which(tool):
            return tool + " is not installed"
    if not sshd_path():
        return "sshd is not installed"
    if subprocess.run(["unshare", "--net", "--mount", "--pid", "--uts", "--fork", "true"],
                      stderr=subprocess.DEVNULL).returncode != 0:
        return "the kernel allows no namespaces here"
    return None


def sshd_path():
    return shutil.which("sshd", path=os.environ.get("PATH", "") + ":/usr/local/sbin:/usr/sbin")


def command(*words):
    run = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode != 0:
        raise pvmtest.Failure("%s: %s" % (" ".join(words), run.stdout.strip()))


class Bed:
    """Use it as a context manager; |search_path| is where tasks are found on every host."""

    def __init__(self, hosts, visible, search_path):
        self.hosts = list(hosts)
        self.visible = [str(folder) for folder in visible]
        self.search_path = search_path
        self.holders = {}
        self.servers = []

    def __enter__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pvm-bed-", dir="/var/tmp"))
        try:
            self.make_keys()
            self.holders["switch"] = self.hold(["unshare", "--net", "--"],
                                               ["sh", "-c", "echo ready; read -r _ || :"])
            self.in_network("switch", "ip", "link", "add", "br0", "type", "bridge",
                            "forward_delay", "0", "stp_state", "0")
            self.in_network("switch", "ip", "link", "set", "br0", "up")
            for host in self.hosts:
                self.add(host)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *unused):
        for process in list(self.holders.values()):
            process.stdin.close()
            process.wait()
            process.stdout.close()
        for server in self.servers:
            server.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def make_keys(self):
        for name in ("host", "user"):
            command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.folder / name))
        key = (self.folder / "host.pub").read_text()
        (self.folder / "known_hosts").write_text("".join(
            "%s,%s %s" % (host, self.address(host), key) for host in self.hosts))
        (self.folder / "sshd_config").write_text(
            SSHD_CONFIG.format(keys=self.folder, path=self.search_path))

    def address(self, host):
        return NETWORK + str(10 + self.hosts.index(host))

    @staticmethod
    def hold(namespaces, words):
        holder = subprocess.Popen(namespaces + words, stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        line = holder.stdout.readline().decode(errors="replace").strip()
        if line != "ready":
            raise pvmtest.Failure("no namespace: " + line)
        return holder

    def first_pid(self, host):
        """The process that stands for the host, as seen from here: unshare's child if it forked."""
        pid = self.holders[host].pid
        children = pathlib.Path("/proc/%d/task/%d/children" % (pid, pid)).read_text().split()
        return int(children[0]) if host != "switch" and children else pid

    def in_network(self, host, *words):
        command("nsenter", "-t", str(self.first_pid(host)), "-n", "--", *words)

    def add(self, host):
        home, etc = self.folder / ("root-" + host), self.folder / ("etc-" + host)
        (home / ".ssh").mkdir(parents=True, mode=0o700)
        (home / ".ssh" / "config").write_text(SSH_CONFIG.format(keys=self.folder))
        etc.mkdir()
        (etc / "hosts").write_text("127.0.0.1 localhost\n" + "".join(
            "%s %s\n" % (self.address(h), h) for h in self.hosts))
        self.holders[host] = self.hold(
            ["unshare", "--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--"],
            ["sh", "-c", FIRST_PROCESS, "bed-" + host, host, str(etc), str(home)] +
            self.visible)
        pid = str(self.first_pid(host))
        self.in_network("switch", "ip", "link", "add", "v-" + host, "type", "veth", "peer", "name",
                        "eth0", "netns", pid)
        self.in_network("switch", "ip", "link", "set", "v-" + host, "master", "br0", "up")
        self.in_network(host, "ip", "addr", "add", self.address(host) + "/24", "dev", "eth0")
        self.in_network(host, "ip", "link", "set", "eth0", "up")
        self.servers.append(subprocess.Popen(
            self.enter(host) + [sshd_path(), "-D", "-e", "-f", str(self.folder / "sshd_config")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.folder / ("sshd-" + host), "wb"), start_new_session=True))

    def enter(self, host):
        """Words that run a command on the host."""
        return ["nsenter", "-t", str(self.first_pid(host)), "-m", "-u", "-n", "-p", "--", "env",
                "HOME=/root"]

    def all_processes(self, host):
        """Pids, as seen from here, of the host's processes but its first."""
        first = self.first_pid(host)
        own = os.readlink("/proc/%d/ns/pid" % first)
        found = []
        for name in os.listdir("/proc"):
            try:
                if name.isdigit() and os.readlink("/proc/%s/ns/pid" % name) == own:
                    found.append(int(name))
            except OSError:
                pass
        return [pid for pid in found if pid != first and pvmtest.is_alive(pid)]

    def processes(self, host):
        """Those that are not of its sshd."""
        return [pid for pid in self.all_processes(host)
                if "sshd" not in " ".join(pvmtest.words_of(pid))]

    def stop_server(self, host):
        for pid in set(self.all_processes(host)) - set(self.processes(host)):
            pvmtest.end_pid(pid)

    def answers(self, host):
        """Does the first host reach this one by ssh?"""
        return subprocess.run(self.enter(self.hosts[0]) + ["ssh", host, "true"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0
