/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Tasks of one host and the memory they share, each case a story that prints what local_route.py
 * looks at, and ends with "ok" or with words:
 *
 *   local_route CASE
 *
 * The other task of a case is the program itself, spawned as "local_route CASE peer".
 */
#include <pvm3.h>

#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TAG_DATA = 1, TAG_DONE, TAG_GO, TAG_END, MIB = 1024 * 1024, WAIT_S = 20 };

static char bytes[4 * MIB];
static const char *story;
static int failures;

static void expect(const char *what, long got, long wanted)
{
    if (got == wanted)
        return;
    if (failures++ < 10)
        printf("%s: %ld, wanted %ld\n", what, got, wanted);
    fflush(stdout);
}

static void nap_ms(long ms)
{
    const struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* |count| others; their tids. */
static void spawn(int count, int *tids)
{
    char path[512], name[64];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    path[length > 0 ? length : 0] = '\0';
    snprintf(name, sizeof(name), "%s", story);
    char role[] = "peer", *argv[] = {name, role, NULL};
    if (pvm_spawn(path, argv, PvmTaskDefault, "", count, tids) != count) {
        printf("no peer\n");
        exit(1);
    }
}

/* The next message with |tag| from |tid|, or words. */
static int take(int tid, int tag)
{
    struct timeval limit = {WAIT_S, 0};
    const int mid = pvm_trecv(tid, tag, &limit);
    if (mid > 0)
        return mid;
    printf("no message %d of t%x came: %d\n", tag, (unsigned)tid, mid);
    exit(1);
}

static int take_int(int tid, int tag)
{
    int value = -1;
    take(tid, tag);
    pvm_upkint(&value, 1, 1);
    return value;
}

static void send_int(int tid, int tag, int value)
{
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    expect("send", pvm_send(tid, tag), 0);
}

/* Segments of others that this process has mapped. */
static int segments_mapped(void)
{
    char row[512];
    int count = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file && fgets(row, sizeof(row), file))
        count += strstr(row, "pvm-segment") && strstr(row, " r--s ");
    if (file)
        fclose(file);
    return count;
}

/* A few round trips: afterwards pairs stand, if they can. */
static void warm_up(int tid)
{
    for (int i = 0; i < 50; i++) {
        send_int(tid, TAG_GO, i);
        expect("warm", take_int(tid, TAG_GO), i);
    }
}

static void answer_warm_up(int tid)
{
    for (int i = 0; i < 50; i++)
        send_int(tid, TAG_GO, take_int(tid, TAG_GO));
}

/* ---- route: sizes of every kind, in order, over the change of route ---- */

enum { ROUTE_MESSAGES = 3000 };

static int size_of(int number)
{
    static const int sizes[] = {4, 8, 20, 24, 25, 72, 73, 500, 4096, 16384, 70000, 300000, 3000000};
    return number % 97 == 96 ? sizes[12] : sizes[(unsigned)number * 2654435761u >> 8 & 7] +
                                               (number % 11 == 0 ? sizes[number % 12] : 0);
}

static void fill(int number, int size)
{
    memset(bytes, number * 7 + 1, (size_t)size);
    memcpy(bytes, &number, sizeof(number));
}

static int is_filled(int number, int size)
{
    int found;
    memcpy(&found, bytes, sizeof(found));
    for (int i = sizeof(found); i < size; i++)
        if (bytes[i] != (char)(number * 7 + 1))
            return 0;
    return found == number;
}

static int send_one(int tid, int number, int size)
{
    static const int encodings[] = {PvmDataRaw, PvmDataInPlace, PvmDataDefault};
    if (number % 4 == 3)
        return pvm_psend(tid, TAG_DATA, bytes, size, PVM_BYTE);
    pvm_initsend(encodings[number % 4]);
    const int status = pvm_pkbyte(bytes, size, 1);
    return status < 0 ? status : pvm_send(tid, TAG_DATA);
}

/* Where the receiver is slow and memory short a sender comes back later. */
static void route_send(int tid)
{
    pvm_setopt(PvmAutoErr, 0);
    for (int i = 0; i < ROUTE_MESSAGES; i++) {
        const int size = size_of(i);
        int status;
        fill(i, size);
        while ((status = send_one(tid, i, size)) == PvmNoMem)
            nap_ms(1);
        expect("send", status, 0);
    }
}

static void route_receive(int tid)
{
    for (int i = 0; i < ROUTE_MESSAGES && !failures; i++) {
        int length = 0;
        pvm_bufinfo(take(tid, TAG_DATA), &length, NULL, NULL);
        const int size = size_of(i);
        expect("length", length, i % 4 == 2 ? (size + 3) / 4 * 4 : size);
        pvm_upkbyte(bytes, size, 1);
        expect("contents", is_filled(i, size), 1);
    }
}

static void route(void)
{
    int tid;
    spawn(1, &tid);
    route_send(tid);
    route_receive(tid);
    printf("mapped %d\n", segments_mapped());
    printf("peer mapped %d\n", take_int(tid, TAG_DONE));
    expect("peer's failures", take_int(tid, TAG_DONE), 0);
}

static void route_peer(int parent)
{
    route_receive(parent);
    route_send(parent);
    send_int(parent, TAG_DONE, segments_mapped());
    send_int(parent, TAG_DONE, failures);
}

/* ---- fds: select and receive ---- */

static int is_readable(int fd, int ms)
{
    struct pollfd poller = {fd, POLLIN, 0};
    return poll(&poller, 1, ms) == 1;
}

/* As a program with other descriptors waits: until one message was taken. Wakes that bring none are
 * counted. */
static int idle_wakes;

static void select_and_take(int fd, int tid)
{
    for (int i = 0; i < 100; i++) {
        expect("readable", is_readable(fd, WAIT_S * 1000), 1);
        if (pvm_nrecv(tid, TAG_DATA) > 0)
            return;
        idle_wakes++;
    }
    expect("a message", 0, 1);
}

static void fds_round(int fd, int tid)
{
    expect("nothing waits", is_readable(fd, 0), 0);
    send_int(tid, TAG_GO, 3);
    for (int i = 0; i < 3; i++)
        select_and_take(fd, tid);
    nap_ms(20); /* a ring may come after its message was taken */
    pvm_nrecv(-1, -1);
    expect("all is taken", is_readable(fd, 0), 0);
    send_int(tid, TAG_GO, 2);
    select_and_take(fd, tid);
    expect("one of two waits", is_readable(fd, WAIT_S * 1000), 1);
    expect("and is seen without being taken", pvm_probe(tid, TAG_DATA) > 0, 1);
    expect("still waits", is_readable(fd, 0), 1);
    expect("another is asked for", pvm_nrecv(tid, TAG_END), 0);
    expect("waits yet", is_readable(fd, 0), 1);
    take(tid, TAG_DATA);
    nap_ms(20);
    pvm_nrecv(-1, -1);
    expect("none waits", is_readable(fd, 0), 0);
}

static void fds(void)
{
    int tid, *all = NULL;
    spawn(1, &tid);
    expect("one descriptor", pvm_getfds(&all), 1);
    fds_round(all[0], tid);
    send_int(tid, TAG_GO, 0);
    warm_up(tid);
    const int shared = all[0];
    for (int i = 0; i < 50; i++)
        fds_round(shared, tid);
    expect("the same one", (pvm_getfds(&all), all[0]), shared);
    /* A receive that waits, while another message does. */
    send_int(tid, TAG_GO, 1);
    select_and_take(shared, tid);
    send_int(tid, TAG_GO, 1);
    expect("waits", is_readable(shared, WAIT_S * 1000), 1);
    struct rusage before, after;
    struct timeval pause = {0, 300000};
    getrusage(RUSAGE_SELF, &before);
    expect("nothing of that kind", pvm_trecv(tid, TAG_END, &pause), 0);
    getrusage(RUSAGE_SELF, &after);
    expect("it slept", after.ru_nvcsw - before.ru_nvcsw < 50, 1);
    expect("still waits", is_readable(shared, 0), 1);
    take(tid, TAG_DATA);
    send_int(tid, TAG_GO, -1);
    printf("mapped %d\n", segments_mapped());
    printf("idle wakes %d\n", idle_wakes);
}

static void fds_peer(int parent)
{
    for (int count; (count = take_int(parent, TAG_GO)) >= 0;) {
        if (count == 0)
            answer_warm_up(parent);
        for (int i = 0; i < count; i++) {
            nap_ms(i);
            send_int(parent, TAG_DATA, i);
        }
    }
}

/* ---- fork ---- */

/* Descriptors above the standard ones that are no pipes or files of ours. */
static int library_fds(void)
{
    int count = 0;
    DIR *folder = opendir("/proc/self/fd");
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        char path[300], target[256];
        snprintf(path, sizeof(path), "/proc/self/fd/%s", entry->d_name);
        const ssize_t length = readlink(path, target, sizeof(target) - 1);
        target[length > 0 ? length : 0] = '\0';
        count += strstr(target, "socket:") || strstr(target, "pvm-") || strstr(target, "eventfd") ||
                 strstr(target, "eventpoll");
    }
    if (folder)
        closedir(folder);
    return count;
}

static void fork_child(int tid, int parent)
{
    expect("descriptors of the parent's", library_fds(), 0);
    expect("memory of the parent's", segments_mapped(), 0);
    const int self = pvm_mytid();
    expect("a task of its own", self > 0 && self != parent, 1);
    warm_up(tid);
    expect("which shares memory", segments_mapped() > 0, 1);
    send_int(tid, TAG_DONE, failures);
    pvm_exit();
    _exit(failures);
}

static void forks(void)
{
    int tid, status = -1;
    spawn(1, &tid);
    warm_up(tid);
    const int open_before = library_fds(), self = pvm_mytid();
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        fork_child(tid, self);
    waitpid(child, &status, 0);
    expect("the child", status, 0);
    expect("the parent's descriptors", library_fds(), open_before);
    warm_up(tid);
    expect("the parent is who it was", pvm_mytid(), self);
    pvm_exit();
    expect("after pvm_exit no descriptor", library_fds(), 0);
    expect("and no memory", segments_mapped(), 0);
}

static void forks_peer(int parent)
{
    int from;
    answer_warm_up(parent);
    pvm_bufinfo(take(-1, TAG_GO), NULL, NULL, &from);
    int first;
    pvm_upkint(&first, 1, 1);
    send_int(from, TAG_GO, first);
    for (int i = 1; i < 50; i++)
        send_int(from, TAG_GO, take_int(from, TAG_GO));
    take_int(from, TAG_DONE);
    answer_warm_up(parent);
}

/* ---- again: leave and come back, with buffers from before ---- */

static void again(void)
{
    int tid;
    spawn(1, &tid);
    warm_up(tid);
    fill(5, MIB);
    const int packed = pvm_mkbuf(PvmDataRaw), before = pvm_setsbuf(packed);
    pvm_pkbyte(bytes, MIB, 1);
    pvm_setsbuf(before);
    send_int(tid, TAG_DATA, 3);
    const int received = take(tid, TAG_DATA);
    pvm_setrbuf(0);
    const int first = pvm_mytid();
    pvm_exit();
    nap_ms(300); /* the peer takes its memory back, and writes there */
    const int second = pvm_mytid();
    expect("another task", second > 0 && second != first, 1);
    pvm_setrbuf(received);
    memset(bytes, 0, MIB);
    expect("unpacking", pvm_upkbyte(bytes, MIB, 1), 0);
    expect("what was received", is_filled(9, MIB), 1);
    pvm_setsbuf(packed);
    expect("sending what was packed", pvm_send(tid, TAG_DATA), 0);
    pvm_setsbuf(before);
    expect("it came as it was", take_int(tid, TAG_DONE), 1);
    warm_up(tid);
    printf("mapped %d\n", segments_mapped());
}

static void again_peer(int parent)
{
    int from;
    answer_warm_up(parent);
    take_int(parent, TAG_DATA);
    fill(9, MIB);
    pvm_initsend(PvmDataRaw);
    pvm_pkbyte(bytes, MIB, 1);
    pvm_send(parent, TAG_DATA);
    pvm_initsend(PvmDataRaw);
    pvm_notify(PvmTaskExit, TAG_END, 1, &parent);
    take(-1, TAG_END);
    for (int i = 0; i < 4; i++) {
        memset(bytes, 100 + i, MIB);
        pvm_setsbuf(pvm_mkbuf(PvmDataRaw));
        pvm_pkbyte(bytes, MIB, 1);
    }
    pvm_bufinfo(take(-1, TAG_DATA), NULL, NULL, &from);
    pvm_upkbyte(bytes, MIB, 1);
    send_int(from, TAG_DONE, is_filled(5, MIB));
    answer_warm_up(from);
}

/* ---- limit: PVM_SHM_LIMIT=16m ---- */

static void limit(void)
{
    int tid, sent = 0, status = 0;
    spawn(1, &tid);
    warm_up(tid);
    pvm_setopt(PvmAutoErr, 0);
    while (sent < 100 && status == 0) {
        fill(sent, MIB);
        pvm_initsend(PvmDataRaw);
        status = pvm_pkbyte(bytes, MIB, 1);
        if (status == 0)
            status = pvm_send(tid, TAG_DATA);
        sent += status == 0;
    }
    expect("the end of memory", status, PvmNoMem);
    expect("came where the limit is", sent >= 8 && sent <= 16, 1);
    pvm_initsend(PvmDataDefault);
    send_int(tid, TAG_GO, sent);
    expect("all that was sent came", take_int(tid, TAG_DONE), sent);
    for (int i = 0; i < 40; i++) {
        fill(i, MIB);
        pvm_initsend(PvmDataRaw);
        pvm_pkbyte(bytes, MIB, 1);
        expect("then there is room again", pvm_send(tid, TAG_DATA), 0);
        expect("message by message", take_int(tid, TAG_DONE), 1);
    }
}

static void limit_peer(int parent)
{
    answer_warm_up(parent);
    const int count = take_int(parent, TAG_GO);
    int good = 0;
    for (int i = 0; i < count; i++) {
        take(parent, TAG_DATA);
        pvm_upkbyte(bytes, MIB, 1);
        good += is_filled(i, MIB);
    }
    send_int(parent, TAG_DONE, good);
    for (int i = 0; i < 40; i++) {
        take(parent, TAG_DATA);
        pvm_upkbyte(bytes, MIB, 1);
        send_int(parent, TAG_DONE, is_filled(i, MIB));
    }
}

/* ---- ends: what was sent outlives its sender ---- */

enum { END_MESSAGES = 200, END_SMALL = 8, END_LARGE = 200000 };

static void ends(void)
{
    int tid;
    spawn(1, &tid);
    warm_up(tid);
    pvm_notify(PvmTaskExit, TAG_END, 1, &tid);
    send_int(tid, TAG_GO, 0);
    take(-1, TAG_END);
    for (int i = 0; i < END_MESSAGES && !failures; i++) {
        const int size = i % 10 == 9 ? END_LARGE : END_SMALL;
        expect("a message of who has ended", pvm_nrecv(tid, TAG_DATA) > 0, 1);
        pvm_upkbyte(bytes, size, 1);
        expect("whole", is_filled(i, size), 1);
    }
    pvm_setopt(PvmAutoErr, 0);
    expect("no more", pvm_recv(tid, TAG_DATA), PvmNoTask);
}

static void ends_peer(int parent)
{
    answer_warm_up(parent);
    take_int(parent, TAG_GO);
    for (int i = 0; i < END_MESSAGES; i++) {
        const int size = i % 10 == 9 ? END_LARGE : END_SMALL;
        fill(i, size);
        pvm_initsend(PvmDataRaw);
        pvm_pkbyte(bytes, size, 1);
        pvm_send(parent, TAG_DATA);
    }
    _exit(0);
}

/* ---- few: more peers than descriptors ---- */

enum { FEW_PEERS = 16, FEW_FDS = 32 };

static void few(void)
{
    int tids[FEW_PEERS];
    const struct rlimit limit_fds = {FEW_FDS, FEW_FDS};
    expect("the limit", setrlimit(RLIMIT_NOFILE, &limit_fds), 0);
    spawn(FEW_PEERS, tids);
    for (int i = 0; i < FEW_PEERS; i++)
        warm_up(tids[i]);
    printf("mapped %d\n", segments_mapped());
    for (int round = 0; round < 3; round++) {
        nap_ms(100); /* they sleep */
        for (int i = 0; i < FEW_PEERS; i++)
            send_int(tids[i], TAG_DATA, i);
        for (int i = 0; i < FEW_PEERS; i++)
            expect("who sleeps is woken", take_int(tids[i], TAG_DONE), i);
    }
}

static void few_peer(int parent)
{
    answer_warm_up(parent);
    for (int i = 0; i < 3; i++)
        send_int(parent, TAG_DONE, take_int(parent, TAG_DATA));
}

/* ---- signals: a handler that leaves, at any moment of a busy task ---- */

enum { SIGNAL_ROUNDS = 60 };

static void on_term(int number)
{
    (void)number;
    pvm_exit();
    _exit(0);
}

static void signals_round(int round)
{
    int tid, got = 0;
    spawn(1, &tid);
    pvm_notify(PvmTaskExit, TAG_END, 1, &tid);
    warm_up(tid);
    const int pid = take_int(tid, TAG_DONE);
    for (int i = 0; i < 5 + round % 7 * 20; i++) {
        send_int(tid, TAG_DATA, i);
        got = take_int(tid, TAG_DATA);
        expect("answer", got, i);
    }
    if (round % 2)
        for (int i = 0; i < 3; i++)
            send_int(tid, TAG_DATA, i);
    if (kill(pid, SIGTERM) < 0)
        expect("signal", 0, 1);
    take(-1, TAG_END);
}

static void signals(void)
{
    for (int i = 0; i < SIGNAL_ROUNDS && !failures; i++)
        signals_round(i);
}

static void signals_peer(int parent)
{
    signal(SIGTERM, on_term);
    answer_warm_up(parent);
    send_int(parent, TAG_DONE, (int)getpid());
    for (;;)
        send_int(parent, TAG_DATA, take_int(parent, TAG_DATA));
}

/* ---- one way: who only sends, or only receives, shares too ---- */

enum { ONE_WAY = 300 };

static void one_way(void)
{
    int tid;
    spawn(1, &tid);
    take_int(tid, TAG_GO);
    for (int i = 0; i < ONE_WAY; i++) {
        send_int(tid, TAG_DATA, i);
        if (i % 50 == 0)
            nap_ms(10);
    }
    printf("mapped %d\n", segments_mapped());
    expect("the end", take_int(tid, TAG_DONE), 0);
}

static void one_way_peer(int parent)
{
    send_int(parent, TAG_GO, 0);
    for (int i = 0; i < ONE_WAY; i++)
        expect("in order", take_int(parent, TAG_DATA), i);
    send_int(parent, TAG_DONE, failures);
}

/* ---- the cases ---- */

static const struct {
    const char *name;
    void (*self)(void);
    void (*peer)(int parent);
} cases[] = {
    {"route", route, route_peer},       {"fds", fds, fds_peer},
    {"forks", forks, forks_peer},       {"again", again, again_peer},
    {"limit", limit, limit_peer},       {"ends", ends, ends_peer},
    {"few", few, few_peer},             {"signals", signals, signals_peer},
    {"one_way", one_way, one_way_peer},
};

int main(int argc, char **argv)
{
    story = argc > 1 ? argv[1] : "";
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (strcmp(story, cases[i].name) != 0)
            continue;
        if (argc > 2) {
            cases[i].peer(pvm_parent());
            pvm_exit();
            return 0;
        }
        pvm_mytid();
        cases[i].self();
        pvm_exit();
        puts(failures ? "failed" : "ok");
        return failures > 0;
    }
    puts("no such case");
    return 2;
}
