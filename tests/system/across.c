/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A stream of large and small messages from a task to one on another host, checked by the receiver:
 * nothing lost, nothing twice, nothing changed, in order.
 *
 *   across HOST LARGE-COUNT LARGE-BYTES SMALL-COUNT
 *
 * The sender starts itself on HOST as the receiver. Small messages are spread evenly between the
 * large ones. Prints "ok SECONDS" or what was wrong.
 */
#include <pvm3.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

enum { TAG_PLAN = 1, TAG_LARGE, TAG_SMALL, TAG_VERDICT, SMALL_BYTES = 24 };

struct plan {
    int large_count, large_bytes, small_count;
};

static double now_s(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* What word |i| of message |number| is. */
static uint64_t word(uint64_t number, uint64_t i)
{
    return (number * UINT64_C(0x9e3779b97f4a7c15)) ^ (i * UINT64_C(0xd1b54a32d192ed03));
}

static void fill(uint64_t *words, int bytes, uint64_t number)
{
    words[0] = number;
    for (int i = 1; i < bytes / 8; i++)
        words[i] = word(number, (uint64_t)i);
}

/* Is message |number| of the stream a large one? */
static int is_large(const struct plan *plan, long number)
{
    long all = (long)plan->large_count + plan->small_count;
    return (number + 1) * plan->large_count / all > number * plan->large_count / all;
}

static void stream(int to, const struct plan *plan, uint64_t *words)
{
    for (long n = 0; n < (long)plan->large_count + plan->small_count; n++) {
        int bytes = is_large(plan, n) ? plan->large_bytes : SMALL_BYTES;
        fill(words, bytes, (uint64_t)n);
        pvm_initsend(PvmDataRaw);
        pvm_pkbyte((char *)words, bytes, 1);
        if (pvm_send(to, is_large(plan, n) ? TAG_LARGE : TAG_SMALL) < 0)
            exit(1);
    }
}

/* Receives and checks one message; words about what is wrong, or NULL. */
static const char *check_one(const struct plan *plan, long n, uint64_t *words)
{
    static char text[200];
    int bytes, tag, from;
    int wanted = is_large(plan, n) ? plan->large_bytes : SMALL_BYTES;
    if (pvm_recv(pvm_parent(), -1) < 0)
        return "receive failed";
    pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &from);
    memset(words, 0, 8);
    pvm_upkbyte((char *)words, bytes < wanted ? bytes : wanted, 1);
    if (bytes != wanted || words[0] != (uint64_t)n) {
        snprintf(text, sizeof(text), "message %ld: %d bytes, number %ld; wanted %d bytes", n, bytes,
                 (long)words[0], wanted);
        return text;
    }
    for (int i = 1; i < bytes / 8; i++) {
        if (words[i] != word((uint64_t)n, (uint64_t)i)) {
            snprintf(text, sizeof(text), "message %ld: changed at word %d", n, i);
            return text;
        }
    }
    return NULL;
}

static int receiver(void)
{
    struct plan plan;
    const char *wrong = NULL;
    pvm_recv(pvm_parent(), TAG_PLAN);
    pvm_upkint((int *)&plan, 3, 1);
    uint64_t *words = malloc((size_t)plan.large_bytes + SMALL_BYTES);
    for (long n = 0; !wrong && n < (long)plan.large_count + plan.small_count; n++)
        wrong = words ? check_one(&plan, n, words) : "no memory";
    if (!wrong && pvm_nrecv(-1, -1) != 0)
        wrong = "one message too many";
    pvm_initsend(PvmDataDefault);
    pvm_pkstr(wrong ? (char *)wrong : "ok");
    pvm_send(pvm_parent(), TAG_VERDICT);
    pvm_exit();
    free(words);
    return 0;
}

int main(int argc, char **argv)
{
    int tid = 0;
    char verdict[300];
    if (pvm_mytid() < 0)
        return 1;
    if (pvm_parent() > 0)
        return receiver();
    if (argc != 5)
        return 2;
    struct plan plan = {atoi(argv[2]), atoi(argv[3]), atoi(argv[4])};
    uint64_t *words = malloc((size_t)plan.large_bytes + SMALL_BYTES);
    if (!words || pvm_spawn("across", NULL, PvmTaskHost, argv[1], 1, &tid) != 1) {
        printf("no receiver on %s (code %d)\n", argv[1], tid);
        return 1;
    }
    pvm_notify(PvmTaskExit, TAG_VERDICT, 1, &tid);
    double begin = now_s();
    pvm_initsend(PvmDataDefault);
    pvm_pkint((int *)&plan, 3, 1);
    pvm_send(tid, TAG_PLAN);
    stream(tid, &plan, words);
    if (pvm_recv(-1, TAG_VERDICT) < 0 || pvm_upkstr(verdict) < 0)
        snprintf(verdict, sizeof(verdict), "the receiver ended");
    printf("%s %.2f\n", verdict, now_s() - begin);
    pvm_exit();
    free(words);
    return strcmp(verdict, "ok") != 0;
}
