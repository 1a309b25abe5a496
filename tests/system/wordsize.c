/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Two programs of one source, compiled for two word sizes, in one virtual machine.
 *
 *   wordsize PROGRAM ROUNDS   spawns PROGRAM (itself, or its twin of another word size), sends it
 *                             every type and a large body ROUNDS times, and checks what comes back;
 *                             prints "twin LONG maps COUNT own COUNT": the twin's size of a long,
 *                             and how many segments each has mapped
 *   wordsize                  (as a task) sends back what it gets
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_ASK = 1, TAG_ANSWER = 2, TAG_END = 3, LARGE = 300000 };

struct all {
    char text[32];
    short half;
    int number;
    long whole;
    unsigned long bits;
    float single;
    double real;
    float pair[2];
    int *large;
};

static int pack(const struct all *all)
{
    struct all copy = *all;
    return pvm_initsend(PvmDataDefault) < 0 || pvm_pkstr(copy.text) < 0 ||
           pvm_pkshort(&copy.half, 1, 1) < 0 || pvm_pkint(&copy.number, 1, 1) < 0 ||
           pvm_pklong(&copy.whole, 1, 1) < 0 || pvm_pkulong(&copy.bits, 1, 1) < 0 ||
           pvm_pkfloat(&copy.single, 1, 1) < 0 || pvm_pkdouble(&copy.real, 1, 1) < 0 ||
           pvm_pkcplx(copy.pair, 1, 1) < 0 || pvm_pkint(copy.large, LARGE, 1) < 0;
}

static int unpack(struct all *all)
{
    return pvm_upkstr(all->text) < 0 || pvm_upkshort(&all->half, 1, 1) < 0 ||
           pvm_upkint(&all->number, 1, 1) < 0 || pvm_upklong(&all->whole, 1, 1) < 0 ||
           pvm_upkulong(&all->bits, 1, 1) < 0 || pvm_upkfloat(&all->single, 1, 1) < 0 ||
           pvm_upkdouble(&all->real, 1, 1) < 0 || pvm_upkcplx(all->pair, 1, 1) < 0 ||
           pvm_upkint(all->large, LARGE, 1) < 0;
}

/* Segments of shared memory mapped here, by their name in /proc. */
static int segments(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[4352];
    int count = 0;
    while (maps && fgets(line, sizeof(line), maps))
        count += strstr(line, "memfd:") != NULL;
    if (maps)
        fclose(maps);
    return count;
}

static int answer(void)
{
    static int large[LARGE];
    struct all all = {.large = large};
    for (;;) {
        int tid, tag;
        pvm_bufinfo(pvm_recv(pvm_parent(), -1), NULL, &tag, &tid);
        if (tag == TAG_END)
            break;
        if (unpack(&all) || pack(&all) || pvm_send(tid, TAG_ANSWER) < 0)
            return 1;
    }
    int facts[2] = {(int)sizeof(long), segments()};
    pvm_initsend(PvmDataDefault);
    pvm_pkint(facts, 2, 1);
    pvm_send(pvm_parent(), TAG_END);
    pvm_exit();
    return 0;
}

static int same(const struct all *a, const struct all *b)
{
    return !strcmp(a->text, b->text) && a->half == b->half && a->number == b->number &&
           a->whole == b->whole && a->bits == b->bits && a->single == b->single &&
           a->real == b->real && !memcmp(a->pair, b->pair, sizeof(a->pair)) &&
           !memcmp(a->large, b->large, LARGE * sizeof(int));
}

static int ask(char *program, int rounds)
{
    static int sent[LARGE], back[LARGE];
    int tid;
    if (pvm_spawn(program, NULL, PvmTaskDefault, "", 1, &tid) != 1)
        return 2;
    for (int round = 0; round < rounds; round++) {
        struct all out = {"round trip", -3,     round, -100000 - round, 4000000000ul, 0.5f * round,
                          1e300,        {1, 2}, sent};
        struct all in = {.large = back};
        for (int i = 0; i < LARGE; i++)
            sent[i] = i * round;
        memset(back, 0, sizeof(back));
        if (pack(&out) || pvm_send(tid, TAG_ASK) < 0 || pvm_recv(tid, TAG_ANSWER) < 0 ||
            unpack(&in))
            return 3;
        if (!same(&out, &in))
            return 4;
    }
    pvm_initsend(PvmDataDefault);
    pvm_send(tid, TAG_END);
    int facts[2];
    if (pvm_recv(tid, TAG_END) < 0 || pvm_upkint(facts, 2, 1) < 0)
        return 5;
    printf("twin %d maps %d own %d\n", facts[0], facts[1], segments());
    pvm_exit();
    return 0;
}

int main(int argc, char **argv)
{
    return argc == 3 ? ask(argv[1], atoi(argv[2])) : answer();
}
