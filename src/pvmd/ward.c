/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guardian's process: it sleeps until the daemon is gone or the lease over, then ends what is
 * left (pvmd/guardian.h). It takes nothing from the system after its start that it could not do
 * without: memory is static, descriptors are open, and what cannot be had then costs only what it
 * was for.
 */
#include "pvmd/ward.h"

#include "base/check.h"
#include "base/str.h"
#include "os/clock.h"
#include "os/proctable.h"
#include "os/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#ifdef PLATFORM_LINUX
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#endif

enum {
    POLL_MS = 5,
    TERM_WAIT_MS = 1000,  /* between SIGTERM and SIGKILL of what is left after an end in order */
    KILL_WAIT_MS = 1000,  /* for what SIGKILL ends */
    KILL_ROUNDS = 10,     /* processes that fork while they are looked for */
    GRACE_MS = 2000,      /* for a daemon that runs to see that its lease is over: no task runs
                             then, so on a machine with too much to do it may take its time */
    DAEMON_WAIT_MS = 5000, /* until the daemon that was killed is gone */
    SEND_AGAIN_MS = 5,
    DESCRIPTORS_MAX = 65536
};
#define MS_NS UINT64_C(1000000)

/* Nobody is told when something here fails: the daemon is the one who speaks. */
static struct {
    struct ward ward;
    int fd;       /* the daemon's other end */
    int timer_fd; /* -1 = by the time-out of poll() alone */
    int socket_fd;
    int socket_family;
    char sock_mark[DIR_PATH_BYTES_MAX + 16]; /* PVMSOCK=<our socket> */
} guard;

static void wait_ms(uint32_t ms)
{
    const struct timespec wait = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
    nanosleep(&wait, NULL);
}

/* ---- tombstones ---- */

static void open_socket(void)
{
    int off = 0;
    guard.socket_family = AF_INET6;
    guard.socket_fd = socket(AF_INET6, SOCK_DGRAM, 0);
    if (guard.socket_fd >= 0 &&
        setsockopt(guard.socket_fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) == 0)
        return;
    if (guard.socket_fd >= 0)
        close(guard.socket_fd);
    guard.socket_family = AF_INET;
    guard.socket_fd = socket(AF_INET, SOCK_DGRAM, 0);
}

static void send_tombstones(void)
{
    const struct guardian_shared *shared = guard.ward.shared;
    const struct tombstone_set *set = &shared->sets[atomic_load(&shared->set_in_use) & 1];
    for (uint32_t i = 0; i < MIN_OF(set->count, (uint32_t)GUARDIAN_TOMBSTONES_MAX); i++) {
        const struct guardian_tombstone *tombstone = &set->items[i];
        struct sockaddr_storage to;
        size_t length = net_address_to_socket(&tombstone->to, guard.socket_family, &to);
        if (length == 0)
            continue;
        /* An answer of the network to an earlier one (ICMP) is told instead of sending: once more.
         * */
        for (int tries = 0; tries < 2; tries++)
            if (sendto(guard.socket_fd, tombstone->bytes,
                       MIN_OF(tombstone->length, (uint32_t)GUARDIAN_TOMBSTONE_BYTES_MAX),
                       MSG_DONTWAIT, (const struct sockaddr *)&to, (socklen_t)length) >= 0)
                break;
    }
}

/* ---- processes ---- */

static size_t signal_known(int number)
{
    const struct guardian_shared *shared = guard.ward.shared;
    uint32_t count = MIN_OF(atomic_load(&shared->pid_count), (uint32_t)GUARDIAN_PIDS_MAX);
    size_t running = 0;
    for (uint32_t i = 0; i < count; i++) {
        int32_t pid = atomic_load(&shared->pids[i]);
        if (pid <= 1 || !proctable_runs(pid))
            continue;
        running++;
        if (number)
            kill(pid, number);
    }
    return running;
}

static void signal_one(void *context, pid_t pid)
{
    int number = *(const int *)context;
    if (number)
        kill(pid, number);
}

/* Whoever has the environment of one of the daemon's tasks. */
static size_t signal_found(int number)
{
    const char *const marks[2] = {guard.sock_mark, "PVMEPID="};
    return proctable_find(marks, signal_one, &number);
}

/* Waits until all have ended, those that look for it included; how many are left. */
static size_t wait_for_ends(uint32_t limit_ms)
{
    uint64_t until_ns = clock_now_ns() + limit_ms * MS_NS;
    for (;;) {
        size_t running = signal_known(0);
        if (running == 0)
            running = signal_found(0);
        if (running == 0 || clock_now_ns() >= until_ns)
            return running;
        wait_ms(POLL_MS);
    }
}

static void kill_all(void)
{
    for (int round = 0; round < KILL_ROUNDS; round++) {
        size_t running = signal_known(SIGKILL) + signal_found(SIGKILL);
        if (running == 0 || wait_for_ends(KILL_WAIT_MS) == 0)
            return;
    }
}

/* ---- the three ends ---- */

static void end_in_order(void)
{
    if (signal_known(SIGTERM) + signal_found(SIGTERM) == 0)
        return;
    if (wait_for_ends(TERM_WAIT_MS) > 0)
        kill_all();
}

static void end_after_crash(void)
{
    signal_known(SIGKILL);
    send_tombstones();
    dir_abandon(guard.ward.dir);
    signal_found(SIGKILL);
    send_tombstones();
    wait_ms(SEND_AGAIN_MS);
    send_tombstones();
    kill_all();
    dir_remove(guard.ward.dir, guard.ward.keep_log);
}

/* True when the daemon ended within |limit_ms|; bytes that it sent meanwhile are read off. */
static bool daemon_ended(uint32_t limit_ms)
{
    struct pollfd look = {.fd = guard.fd, .events = POLLIN};
    char bytes[64];
    if (poll(&look, 1, (int)limit_ms) <= 0)
        return false;
    return read(guard.fd, bytes, sizeof(bytes)) == 0;
}

static bool lease_is_over(void)
{
    return clock_now_ns() >= atomic_load(&guard.ward.shared->lease_until_ns);
}

/* Nothing may act here any more. True: the daemon is gone too. A daemon that runs tells another end
 * of its lease when it has seen that this one is over. */
static bool end_lease(void)
{
    signal_known(SIGKILL);
    signal_found(SIGKILL);
    uint64_t until_ns = clock_now_ns() + GRACE_MS * MS_NS;
    while (lease_is_over() && clock_now_ns() < until_ns)
        if (daemon_ended(POLL_MS))
            return true;
    if (!lease_is_over())
        return false;
    if (getppid() == guard.ward.daemon) /* else its number may be another's by now */
        kill(guard.ward.daemon, SIGKILL);
    until_ns = clock_now_ns() + DAEMON_WAIT_MS * MS_NS;
    while (clock_now_ns() < until_ns)
        if (daemon_ended(POLL_MS))
            break;
    return true;
}

/* ---- life ---- */

/* Sleeps until the lease ends or the daemon has something: true = the daemon is gone. The timer
 * counts the time in which the machine sleeps, poll() does not. */
static bool sleep_once(uint64_t lease_until_ns)
{
    struct pollfd looks[2] = {{.fd = guard.fd, .events = POLLIN},
                              {.fd = guard.timer_fd, .events = POLLIN}};
    char bytes[64];
    int timeout_ms = -1;
#ifdef PLATFORM_LINUX
    struct itimerspec when = {0}; /* disarmed, timerfd_create(2) */
    if (lease_until_ns != UINT64_MAX) {
        uint64_t at_ns = MAX_OF(lease_until_ns, UINT64_C(1));
        when.it_value.tv_sec = (time_t)(at_ns / (1000 * MS_NS));
        when.it_value.tv_nsec = (long)(at_ns % (1000 * MS_NS));
    }
    if (guard.timer_fd >= 0)
        timerfd_settime(guard.timer_fd, TFD_TIMER_ABSTIME, &when, NULL);
#endif
    if (guard.timer_fd < 0 && lease_until_ns != UINT64_MAX) {
        uint64_t now_ns = clock_now_ns();
        uint64_t wait_ns = lease_until_ns > now_ns ? lease_until_ns - now_ns : 0;
        timeout_ms = (int)MIN_OF(wait_ns / MS_NS + 1, UINT64_C(3600000));
    }
    if (poll(looks, guard.timer_fd >= 0 ? 2 : 1, timeout_ms) <= 0)
        return false;
    if (looks[0].revents == 0)
        return false;
    ssize_t got = read(guard.fd, bytes, sizeof(bytes));
    return got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN);
}

static void watch(void)
{
    for (;;) {
        uint64_t until_ns = atomic_load(&guard.ward.shared->lease_until_ns);
        if (sleep_once(until_ns))
            return;
        if (lease_is_over() && end_lease())
            return;
    }
}

/* Closes the descriptors |first| to |last|. */
static void close_span(unsigned first, unsigned last)
{
    if (first > last)
        return;
#if defined(PLATFORM_LINUX) && defined(SYS_close_range)
    if (syscall(SYS_close_range, first, last, 0) == 0)
        return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    limit = limit < 0 || limit > DESCRIPTORS_MAX ? DESCRIPTORS_MAX : limit;
    for (unsigned fd = first; fd <= last && fd < (unsigned)limit; fd++)
        close((int)fd);
}

/* Both are above 0: 0, 1 and 2 were open from the start. */
static void close_all_but(int keep1, int keep2)
{
    unsigned low = (unsigned)MIN_OF(keep1, keep2), high = (unsigned)MAX_OF(keep1, keep2);
    close_span(0, low - 1);
    close_span(low + 1, high - 1);
    close_span(high + 1, UINT_MAX);
}

static void detach(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGTSTP,
                                  SIGTTIN, SIGTTOU, SIGUSR1, SIGUSR2, SIGALRM, SIGXCPU, SIGXFSZ};
    static const int standard[] = {SIGCHLD, SIGCONT};
    sigset_t none;
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++)
        signal_ignore(ignored[i]);
    for (size_t i = 0; i < ARRAY_LEN(standard); i++)
        sigaction(standard[i], &(struct sigaction){.sa_handler = SIG_DFL}, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setsid();
    close_all_but(guard.fd, guard.ward.dir->lock_fd);
    for (int fd = open("/dev/null", O_RDWR); fd >= 0 && fd < 2;)
        fd = dup(fd);
    (void)!chdir("/"); /* no file system is kept busy */
#ifdef PLATFORM_LINUX
    prctl(PR_SET_NAME, "pvmd-guardian");
#endif
}

_Noreturn void ward_run(const struct ward *ward, int fd)
{
    guard.ward = *ward;
    guard.fd = fd;
    guard.timer_fd = -1;
    str_format(guard.sock_mark, sizeof(guard.sock_mark), "PVMSOCK=%s", ward->dir->sock_path);
    detach();
    open_socket();
#ifdef PLATFORM_LINUX
    guard.timer_fd = timerfd_create(clock_id(), TFD_NONBLOCK);
#endif
    fcntl(fd, F_SETFL, O_NONBLOCK);
    watch();
    if (atomic_load(&guard.ward.shared->in_order))
        end_in_order();
    else
        end_after_crash();
    _exit(0);
}
