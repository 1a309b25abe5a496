/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Counts the instructions of libpvm3 that hot calls need, and how often they leave the library (for
 * the C library, for the system, back to the caller). It steps through a call one instruction at a
 * time, so the count is the same on every run and machine; what the C library does inside depends
 * on the processor and is left out. Prints lines "instructions departures name", averages of CALLS
 * calls; ends with 77 where a process may not be traced. icount.py compares with the baseline.
 *
 * Three processes: the tracer, the subject whose calls are counted, and its peer; the latter two
 * are tasks. While the subject is stepped through, the peer waits in read() outside the library, so
 * that nothing depends on who comes first: what the subject receives is already there.
 */
#include <elf.h>
#include <pvm3.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CALLS = 8, WARM_CALLS = 24, TAG = 1, KIB = 1024, SKIPPED = 77 };

static int peer_tid;
static int words[KIB / sizeof(int)];

static void pack_send(void)
{
    pvm_initsend(PvmDataDefault);
    pvm_pkint(words, 2, 1);
    pvm_send(peer_tid, TAG);
}

static void recv_unpack(void)
{
    pvm_recv(peer_tid, TAG);
    pvm_upkint(words, 2, 1);
}

static void psend(void)
{
    pvm_psend(peer_tid, TAG, words, 8, PVM_BYTE);
}

static void precv(void)
{
    pvm_precv(peer_tid, TAG, words, 8, PVM_BYTE, NULL, NULL, NULL);
}

static void pack_bytes(void)
{
    pvm_pkbyte((char *)words, KIB, 1);
}

static void unpack_bytes(void)
{
    pvm_upkbyte((char *)words, KIB, 1);
}

static void pack_ints(void)
{
    pvm_pkint(words, KIB / sizeof(int), 1);
}

static void unpack_ints(void)
{
    pvm_upkint(words, KIB / sizeof(int), 1);
}

/* What a counted call finds: a message waits for it, it is received already, a buffer is empty. */
enum need { NEED_NOTHING, NEED_MESSAGE, NEED_RECEIVED, NEED_BUFFER };

static const struct hot {
    const char *name;
    void (*call)(void);
    enum need need;
    int sends;
} hot[] = {
    {"initsend+pkint+send", pack_send, NEED_NOTHING, 1},
    {"recv+upkint", recv_unpack, NEED_MESSAGE, 0},
    {"psend", psend, NEED_NOTHING, 1},
    {"precv", precv, NEED_MESSAGE, 0},
    {"pkbyte of 1 KiB", pack_bytes, NEED_BUFFER, 0},
    {"upkbyte of 1 KiB", unpack_bytes, NEED_RECEIVED, 0},
    {"pkint of 1 KiB", pack_ints, NEED_BUFFER, 0},
    {"upkint of 1 KiB", unpack_ints, NEED_RECEIVED, 0},
};
enum { HOT_COUNT = sizeof(hot) / sizeof(hot[0]) };

struct line { /* to the other task, outside of PVM */
    int in, out;
};

static void line_write(struct line line, int value)
{
    if (write(line.out, &value, sizeof(value)) != sizeof(value))
        _exit(1);
}

static int line_read(struct line line)
{
    int value;
    if (read(line.in, &value, sizeof(value)) != sizeof(value))
        _exit(1);
    return value;
}

static int enrol(struct line line)
{
    line_write(line, pvm_mytid());
    peer_tid = line_read(line);
    return peer_tid < 0 ? -1 : 0;
}

/* Sends as many ints as it is asked for, takes a message when asked for none, ends below that. */
static int peer(struct line line)
{
    if (enrol(line) < 0)
        return 1;
    for (int count = line_read(line); count >= 0; count = line_read(line)) {
        if (count > 0) {
            pvm_initsend(PvmDataDefault);
            pvm_pkint(words, count, 1);
            pvm_send(peer_tid, TAG);
        } else {
            pvm_recv(peer_tid, TAG);
        }
        line_write(line, 0);
    }
    pvm_exit();
    return 0;
}

static void ask(struct line line, int count)
{
    line_write(line, count);
    line_read(line);
}

static void prepare(enum need need, struct line line)
{
    if (need == NEED_MESSAGE || need == NEED_RECEIVED)
        ask(line, need == NEED_MESSAGE ? 2 : KIB / (int)sizeof(int));
    if (need == NEED_RECEIVED)
        pvm_recv(peer_tid, TAG);
    if (need == NEED_BUFFER)
        pvm_initsend(PvmDataDefault);
}

/* The signals are for the tracer: count from here, up to here. */
static int subject(struct line line)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
        return SKIPPED;
    if (enrol(line) < 0)
        return 1;
    for (const struct hot *one = hot; one < hot + HOT_COUNT; one++)
        for (int i = 0; i < WARM_CALLS + CALLS; i++) {
            prepare(one->need, line);
            if (i >= WARM_CALLS)
                raise(SIGUSR1);
            one->call();
            if (i >= WARM_CALLS)
                raise(SIGUSR2);
            if (one->sends)
                ask(line, 0);
        }
    line_write(line, -1);
    pvm_exit();
    return 0;
}

struct code { /* where the library's instructions are */
    uint64_t begin, end;
};

static struct code code_find(pid_t pid)
{
    struct code code = {0, 0};
    char path[64], row[512], flags[8];
    unsigned long long begin, end;
    snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
    FILE *const file = fopen(path, "r");
    while (file && fgets(row, sizeof(row), file))
        if (strstr(row, "/libpvm3.so") && sscanf(row, "%llx-%llx %7s", &begin, &end, flags) == 3 &&
            strchr(flags, 'x'))
            code = (struct code){begin, end};
    if (file)
        fclose(file);
    return code;
}

static int is_inside(pid_t pid, struct code code)
{
    struct user_regs_struct registers;
    struct iovec vector = {&registers, sizeof(registers)};
    if (ptrace(PTRACE_GETREGSET, pid, (void *)(uintptr_t)NT_PRSTATUS, &vector) < 0)
        return 0;
#if defined(__x86_64__)
    const uint64_t at = registers.rip;
#else
    const uint64_t at = registers.pc;
#endif
    return at >= code.begin && at < code.end;
}

/* Follows the subject to its end; returns what it ended with. */
static int trace(pid_t pid)
{
    struct code code = {0, 0};
    int status, calls = 0, is_counting = 0, was_inside = 0;
    long instructions = 0, departures = 0;
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        int number = WSTOPSIG(status);
        if (number == SIGUSR1) {
            if (!code.end)
                code = code_find(pid);
            is_counting = 1;
        } else if (number == SIGUSR2) {
            is_counting = 0;
            if (++calls % CALLS == 0) {
                printf("%.1f %.1f %s\n", (double)instructions / CALLS, (double)departures / CALLS,
                       hot[calls / CALLS - 1].name);
                instructions = departures = 0;
            }
        } else if (number == SIGTRAP && is_counting) {
            const int inside = is_inside(pid, code);
            instructions += inside;
            departures += was_inside && !inside;
            was_inside = inside;
        }
        if (number == SIGUSR1 || number == SIGUSR2 || number == SIGTRAP)
            number = 0;
        ptrace(is_counting ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, NULL,
               (void *)(uintptr_t)number);
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

/* Each step is a switch between subject and tracer, ten times dearer across processors. */
static void share_processor(void)
{
    cpu_set_t one;
    const int cpu = sched_getcpu();
    CPU_ZERO(&one);
    CPU_SET(cpu < 0 ? 0 : cpu, &one);
    sched_setaffinity(0, sizeof(one), &one);
}

int main(void)
{
    int there[2], back[2], status;
    if (pipe(there) < 0 || pipe(back) < 0)
        return perror("pipe"), 1;
    const struct line lines[2] = {{back[0], there[1]}, {there[0], back[1]}};
    pid_t pids[2];
    share_processor();
    for (int i = 0; i < 2; i++) {
        pids[i] = fork();
        if (pids[i] < 0)
            return perror("fork"), 1;
        if (pids[i] > 0)
            continue;
        close(lines[!i].in); /* so that the end of one is seen by the other */
        close(lines[!i].out);
        exit(i == 0 ? subject(lines[0]) : peer(lines[1]));
    }
    for (int i = 0; i < 2; i++) {
        close(lines[i].in);
        close(lines[i].out);
    }
    const int result = trace(pids[0]);
    waitpid(pids[1], &status, 0);
    return result ? result : WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
