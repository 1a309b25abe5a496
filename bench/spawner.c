/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How long it takes to start tasks. The same source and binary for the original and for this
 * project. Prints lines "name value".
 *
 *   spawner answer COUNT          copies of itself that enrol and answer: from pvm_spawn() to the
 *                                 last answer
 *   spawner true COUNT ROUNDS     /bin/true: until pvm_spawn() returns, and until the notice of the
 *                                 last one's end; then counts the notices that did not come
 */
#include "timing.h"

#include <pvm3.h>
#include <string.h>
#include <unistd.h>

enum { TAG_ANSWER = 1, TAG_END, COUNT_MAX = 4096, PATIENCE_S = 10 };

static int tids[COUNT_MAX];

static double ms_since(int64_t begin_ns)
{
    return (double)(now_ns() - begin_ns) / 1e6;
}

static int answer(int parent)
{
    int tid = pvm_mytid();
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&tid, 1, 1);
    pvm_send(parent, TAG_ANSWER);
    pvm_exit();
    return 0;
}

static int spawn(const char *path, int count)
{
    const int started = pvm_spawn((char *)path, NULL, PvmTaskDefault, "", count, tids);
    if (started == count)
        return 0;
    fprintf(stderr, "spawner: %d of %d started, first result %d\n", started, count,
            tids[started < 0 ? 0 : started]);
    return -1;
}

static int spawn_answering(int count)
{
    char path[4096];
    const ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    if (length < 0)
        return -1;
    path[length] = '\0';
    const int64_t begin_ns = now_ns();
    if (spawn(path, count) < 0)
        return -1;
    for (int i = 0; i < count; i++)
        if (pvm_recv(-1, TAG_ANSWER) < 0)
            return fputs("spawner: an answer did not come\n", stderr), -1;
    printf("ms %.3f\n", ms_since(begin_ns));
    return 0;
}

/* Returns how many of the notices did not come, or -1. */
static int spawn_ending(int count, double *call_ms)
{
    struct timeval patience = {PATIENCE_S, 0};
    const int64_t begin_ns = now_ns();
    if (spawn("/bin/true", count) < 0)
        return -1;
    *call_ms += ms_since(begin_ns);
    if (pvm_notify(PvmTaskExit, TAG_END, count, tids) < 0)
        return -1;
    for (int left = count; left > 0; left--)
        if (pvm_trecv(-1, TAG_END, &patience) <= 0)
            return left;
    return 0;
}

static int spawn_rounds(int count, int rounds)
{
    double call_ms = 0;
    int lost = 0;
    const int64_t begin_ns = now_ns();
    for (int i = 0; i < rounds; i++) {
        const int more = spawn_ending(count, &call_ms);
        if (more < 0)
            return -1;
        lost += more;
    }
    printf("call_ms %.3f\nms %.3f\nlost %d\n", call_ms / rounds, ms_since(begin_ns) / rounds, lost);
    return 0;
}

int main(int argc, char **argv)
{
    if (pvm_mytid() < 0)
        return 1;
    if (pvm_parent() > 0)
        return answer(pvm_parent());
    const int is_true = argc == 4 && strcmp(argv[1], "true") == 0;
    const int is_answer = argc == 3 && strcmp(argv[1], "answer") == 0;
    const int count = argc > 2 ? atoi(argv[2]) : 0;
    int result = -1;
    if (count < 1 || count > COUNT_MAX || (!is_true && !is_answer))
        fputs("usage: spawner answer COUNT, or true COUNT ROUNDS\n", stderr);
    else
        result = is_true ? spawn_rounds(count, atoi(argv[3])) : spawn_answering(count);
    pvm_exit();
    return result < 0;
}
