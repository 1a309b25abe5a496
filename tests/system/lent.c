/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages that wait in the memory of their sender while the receiver, on another host, does not
 * take them. Each story prints "ok" at its end, or what was wrong.
 *
 *   lent sleeper HOST MARK END  300 MB for a sleeper; others and the daemon are served meanwhile
 *   lent dying HOW HOST N BYTES the sender ends (return, exit, pvm_exit, kill) right after sending
 *   lent killed HOST            the receiver is killed with 300 MB on their way, three times
 *   lent lost HOST              its host goes; the test ends it after "sent"
 *   lent sizes HOST             messages of all sizes both ways, to one who sleeps for a while
 *   lent many HOST              one message for many, some of them asleep
 */
#include <pvm3.h>

#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    TAG_READY = 1,
    TAG_DATA,
    TAG_VERDICT,
    TAG_ECHO,
    TAG_GONE,
    TAG_PLAN,
    LARGE_COUNT = 75,
    LARGE_BYTES = 4 * 1024 * 1024,
    LIMIT_S = 60
};

static const char *program;

static void fail(const char *words, int number)
{
    printf("%s (%d)\n", words, number);
    fflush(stdout);
    pvm_exit();
    exit(1);
}

static double now_s(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* A receive that ends. */
static int take(int from, int tag)
{
    struct timeval limit = {LIMIT_S, 0};
    const int bufid = pvm_trecv(from, tag, &limit);
    if (bufid <= 0)
        fail("nothing came", tag);
    return bufid;
}

static int take_int(int from, int tag)
{
    int value;
    take(from, tag);
    pvm_upkint(&value, 1, 1);
    return value;
}

static void send_int(int to, int tag, int value)
{
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    pvm_send(to, tag);
}

static int start(const char *role, const char *host, const char *a, const char *b)
{
    char *arguments[] = {(char *)(uintptr_t)role, (char *)(uintptr_t)a, (char *)(uintptr_t)b, NULL};
    int tid;
    if (pvm_spawn((char *)(uintptr_t)program, arguments, PvmTaskHost, (char *)(uintptr_t)host, 1,
                  &tid) != 1)
        fail("cannot start a task", tid);
    return tid;
}

/* ---- messages that can be checked ---- */

static unsigned char byte_of(int number, int i)
{
    return (unsigned char)(number * 31 + i / 4096 + i % 251);
}

static void send_data(int to, int number, int bytes)
{
    static unsigned char *memory;
    static int room;
    if (bytes > room) {
        memory = realloc(memory, (size_t)bytes);
        room = bytes;
    }
    for (int i = 0; i < bytes; i++)
        memory[i] = byte_of(number, i);
    pvm_initsend(PvmDataRaw);
    pvm_pkint(&number, 1, 1);
    pvm_pkbyte((char *)memory, bytes, 1);
    const int code = pvm_send(to, TAG_DATA);
    if (code < 0)
        fail("cannot send", code);
}

/* 0, or 1 when the message at hand is not number |number| of |bytes|. */
static int is_wrong(int number, int bytes)
{
    int length, got;
    unsigned char *memory = malloc((size_t)bytes + 1);
    int wrong = 0;
    pvm_bufinfo(pvm_getrbuf(), &length, NULL, NULL);
    pvm_upkint(&got, 1, 1);
    if (got != number || length != bytes + 4)
        fprintf(stderr, "message %d of %d bytes, wanted %d of %d\n", got, length, number,
                bytes + 4);
    wrong |= got != number || length != bytes + 4;
    if (!wrong)
        pvm_upkbyte((char *)memory, bytes, 1);
    for (int i = 0; i < bytes && !wrong; i++)
        wrong |= memory[i] != byte_of(number, i);
    free(memory);
    return wrong;
}

static void wait_for_file(const char *path)
{
    for (int i = 0; access(path, F_OK) != 0 && i < 100 * LIMIT_S; i++)
        usleep(10000);
}

/* ---- tasks that are started ---- */

/* Takes |count| messages once the file is there; its owner is told how many were wrong. */
static void sleeper(char **arguments)
{
    const int parent = pvm_parent();
    int wrong = 0;
    send_int(parent, TAG_READY, 0);
    wait_for_file(arguments[0]);
    for (int i = 0; i < LARGE_COUNT; i++) {
        take(parent, TAG_DATA);
        wrong += is_wrong(i, LARGE_BYTES);
    }
    send_int(parent, TAG_VERDICT, wrong);
}

static void waker(char **arguments)
{
    wait_for_file(arguments[0]);
    send_int(pvm_parent(), TAG_PLAN, 0);
}

static void echo(char **arguments)
{
    (void)arguments;
    send_int(pvm_parent(), TAG_READY, 0);
    for (;;) {
        if (pvm_recv(pvm_parent(), TAG_ECHO) < 0)
            return;
        int value;
        pvm_upkint(&value, 1, 1);
        send_int(pvm_parent(), TAG_ECHO, value + 1);
    }
}

/* Sends to |to| what it was told, then ends as it was told. */
static void dying(char **arguments)
{
    const char *how = arguments[0];
    int to, count, bytes;
    take(pvm_parent(), TAG_PLAN);
    pvm_upkint(&to, 1, 1);
    pvm_upkint(&count, 1, 1);
    pvm_upkint(&bytes, 1, 1);
    for (int i = 0; i < count; i++)
        send_data(to, i, bytes);
    if (strcmp(how, "kill") == 0)
        kill(getpid(), SIGKILL);
    if (strcmp(how, "pvm_exit") == 0)
        pvm_exit();
    if (strcmp(how, "exit") == 0)
        _exit(0);
}

/* Everything of a sender must come before the word of its end. */
static void heir(char **arguments)
{
    const int parent = pvm_parent();
    int from, count, bytes, got = 0, wrong = 0;
    (void)arguments;
    take(parent, TAG_PLAN);
    pvm_upkint(&from, 1, 1);
    pvm_upkint(&count, 1, 1);
    pvm_upkint(&bytes, 1, 1);
    pvm_notify(PvmTaskExit, TAG_GONE, 1, &from);
    send_int(parent, TAG_READY, 0);
    for (;;) {
        int tag;
        pvm_bufinfo(take(-1, -1), NULL, &tag, NULL);
        if (tag == TAG_GONE)
            break;
        wrong += is_wrong(got++, bytes);
    }
    send_int(parent, TAG_VERDICT, got == count ? wrong : -got - 1);
}

static const int sizes[] = {0, 1, 60, 72, 73, 500, 1024, 1025, 4000, 16384, 65508, 65512, 65536,
                            65600, 131072, 1000000, 4 * 1024 * 1024 - 4, 5000000, 17 * 1024 * 1024};
enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), SIZE_ROUNDS = 3 };

/* Sends a large message, so that it shares memory with its daemon; sleeps; then takes all. */
static void talker(char **arguments)
{
    const int parent = pvm_parent();
    int number = 0, wrong = 0;
    (void)arguments;
    for (int i = 0; i < 3; i++)
        send_data(parent, i, 100000);
    for (int round = 0; round < SIZE_ROUNDS; round++) {
        take(parent, TAG_READY);
        usleep(round * 300000);
        for (int i = 0; i < SIZES; i++, number++) {
            take(parent, TAG_DATA);
            wrong += is_wrong(number, sizes[i]);
        }
        send_int(parent, TAG_VERDICT, wrong);
        for (int i = 0; i < SIZES; i++)
            send_data(parent, number - SIZES + i, sizes[i]);
    }
}

static void one_of_many(char **arguments)
{
    const int parent = pvm_parent();
    int wrong = 0;
    send_int(parent, TAG_READY, 0);
    wait_for_file(arguments[0]);
    for (int i = 0; i < 20; i++) {
        take(parent, TAG_DATA);
        wrong += is_wrong(i, i % 2 ? LARGE_BYTES : 100);
    }
    send_int(parent, TAG_VERDICT, wrong);
}

/* ---- stories ---- */

static void send_large(int to)
{
    for (int i = 0; i < LARGE_COUNT; i++)
        send_data(to, i, LARGE_BYTES);
}

static void story_sleeper(char **arguments)
{
    const int one = start("sleeper", arguments[0], arguments[1], NULL);
    const int other = start("echo", arguments[0], NULL, NULL);
    take(one, TAG_READY);
    take(other, TAG_READY);
    const double begin = now_s();
    send_large(one);
    const double sent = now_s();
    send_int(other, TAG_ECHO, 41);
    if (take_int(other, TAG_ECHO) != 42)
        fail("wrong echo", 0);
    const double answered = now_s();
    int hosts;
    if (pvm_config(&hosts, NULL, NULL) < 0)
        fail("no answer of the daemon", 0);
    printf("sent %.3f answered %.3f asked %.3f\n", sent - begin, answered - sent,
           now_s() - answered);
    fflush(stdout);
    const int wrong = take_int(one, TAG_VERDICT);
    if (wrong)
        fail("changed on the way", wrong);
    pvm_kill(other);
    start("waker", ".", arguments[2], NULL);
    printf("taken\n");
    fflush(stdout);
    take(-1, TAG_PLAN); /* asleep: what came back meanwhile is the system's again */
}

static void story_dying(char **arguments)
{
    const int to = start("heir", arguments[1], NULL, NULL);
    const int from = start("dying", ".", arguments[0], NULL);
    int count = atoi(arguments[2]), bytes = atoi(arguments[3]);
    pvm_initsend(PvmDataDefault);
    pvm_pkint((int[]){from, count, bytes}, 3, 1);
    pvm_send(to, TAG_PLAN);
    take(to, TAG_READY);
    pvm_initsend(PvmDataDefault);
    pvm_pkint((int[]){to, count, bytes}, 3, 1);
    pvm_send(from, TAG_PLAN);
    const int wrong = take_int(to, TAG_VERDICT);
    if (wrong)
        fail(wrong < 0 ? "not all came before the notice; one more than" : "changed on the way",
             wrong < 0 ? -wrong - 1 : wrong);
}

static void story_killed(char **arguments)
{
    for (int round = 0; round < 3; round++) {
        int to = start("sleeper", arguments[0], "/nowhere", NULL);
        take(to, TAG_READY);
        pvm_notify(PvmTaskExit, TAG_GONE, 1, &to);
        send_large(to);
        pvm_kill(to);
        take(-1, TAG_GONE);
    }
}

static void story_lost(char **arguments)
{
    int to = start("sleeper", arguments[0], "/nowhere", NULL);
    take(to, TAG_READY);
    pvm_notify(PvmTaskExit, TAG_GONE, 1, &to);
    send_large(to);
    printf("sent\n");
    fflush(stdout);
    take(-1, TAG_GONE);
    to = start("sleeper", arguments[1], "/", NULL);
    take(to, TAG_READY);
    send_large(to);
    if (take_int(to, TAG_VERDICT))
        fail("changed on the way", 0);
}

static void story_sizes(char **arguments)
{
    const int to = start("talker", arguments[0], NULL, NULL);
    int number = 0;
    for (int i = 0; i < 3; i++) {
        take(to, TAG_DATA);
        if (is_wrong(i, 100000))
            fail("first messages", i);
    }
    for (int round = 0; round < SIZE_ROUNDS; round++) {
        send_int(to, TAG_READY, 0);
        for (int i = 0; i < SIZES; i++, number++)
            send_data(to, number, sizes[i]);
        const int wrong = take_int(to, TAG_VERDICT);
        if (wrong)
            fail("changed on the way there", wrong);
        for (int i = 0; i < SIZES; i++) {
            take(to, TAG_DATA);
            if (is_wrong(number - SIZES + i, sizes[i]))
                fail("changed on the way back", sizes[i]);
        }
    }
}

static void story_many(char **arguments)
{
    int tids[8], count = 0;
    unsigned char *memory = malloc(LARGE_BYTES);
    for (int i = 0; i < 4; i++) {
        tids[count++] = start("one_of_many", arguments[0], i % 2 ? "/" : arguments[1], NULL);
        tids[count++] = start("one_of_many", ".", i % 2 ? "/" : arguments[1], NULL);
    }
    for (int i = 0; i < count; i++)
        take(tids[i], TAG_READY);
    for (int number = 0; number < 20; number++) {
        const int bytes = number % 2 ? LARGE_BYTES : 100;
        for (int i = 0; i < bytes; i++)
            memory[i] = byte_of(number, i);
        pvm_initsend(PvmDataRaw);
        pvm_pkint(&number, 1, 1);
        pvm_pkbyte((char *)memory, bytes, 1);
        pvm_mcast(tids, count, TAG_DATA);
    }
    /* On another host one message goes with the slowest of its receivers. */
    for (int i = 3; i < count; i += 4)
        if (take_int(tids[i], TAG_VERDICT))
            fail("changed on the way to one who was awake", i);
    printf("awake\n");
    fflush(stdout);
    for (int i = 0; i < count; i++)
        if (i % 4 != 3 && take_int(tids[i], TAG_VERDICT))
            fail("changed on the way to a sleeper", i);
    free(memory);
}

static const struct {
    const char *name;
    void (*run)(char **arguments);
} roles[] = {{"sleeper", sleeper}, {"waker", waker}, {"echo", echo}, {"dying", dying},
             {"heir", heir}, {"talker", talker}, {"one_of_many", one_of_many}},
  stories[] = {{"sleeper", story_sleeper}, {"dying", story_dying}, {"killed", story_killed},
               {"lost", story_lost},       {"sizes", story_sizes}, {"many", story_many}};

int main(int argc, char **argv)
{
    char path[PATH_MAX];
    program = realpath(argv[0], path) ? path : argv[0];
    if (argc < 2)
        return 2;
    if (pvm_parent() > 0) {
        for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
            if (strcmp(roles[i].name, argv[1]) == 0)
                roles[i].run(argv + 2);
        return 0;
    }
    for (size_t i = 0; i < sizeof(stories) / sizeof(stories[0]); i++)
        if (strcmp(stories[i].name, argv[1]) == 0)
            stories[i].run(argv + 2);
    printf("ok\n");
    pvm_exit();
    return 0;
}
