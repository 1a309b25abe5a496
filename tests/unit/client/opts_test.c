/* SPDX-License-Identifier: BSD-3-Clause */
/* Options: every row of the table, ranges, and where output and trace go. */
#include "client/opts.def"
#include "room.h"

static struct client *task;

enum {
#define NUMBER(name, number, initial, rule, low, high) OPT_##name = number,
    OPTION_TABLE(NUMBER)
};

static int get(int option)
{
    int value = -12345;
    const int status = client_getopt(task, option, &value);
    return status < 0 ? status : value;
}

static void initial_values(void)
{
    static const struct {
        int number, value;
    } initial[] = {{1, 2},  {2, 0},  {3, 1},  {4, 0},  {8, 0},  {9, 0}, {10, 4080},
                   {11, 0}, {12, 0}, {18, 1}, {21, 0}, {23, 0}, {25, 0}};
    int wrong = 0;
    for (size_t i = 0; i < sizeof(initial) / sizeof(initial[0]); i++)
        wrong += get(initial[i].number) != initial[i].value;
    EQUAL(wrong, 0, "options begin with their values");
    EQUAL(get(0), CLIENT_PvmBadParam, "no option 0");
    EQUAL(get(26), CLIENT_PvmBadParam, "nor 26");
    EQUAL(get(OPT_POLL_TYPE), CLIENT_PvmBadParam, "no polling to ask about");
    EQUAL(client_setopt(task, 0, 1, NULL), CLIENT_PvmBadParam, "nothing to set");
    EQUAL(client_setopt(task, 99, 1, NULL), CLIENT_PvmBadParam, "nor there");
}

static void ranges(void)
{
    static const struct {
        int number, bad, good;
    } rows[] = {{1, 0, 3}, {1, 4, 1}, {9, 0, 1}, {9, 4, 3}, {10, 51, 52}, {10, 1048577, 1048576},
                {17, 0, 2}};
    int wrong = 0;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const int before = get(rows[i].number);
        wrong += client_setopt(task, rows[i].number, rows[i].bad, NULL) != CLIENT_PvmBadParam;
        wrong += get(rows[i].number) != before;
        wrong += client_setopt(task, rows[i].number, rows[i].good, NULL) != 0;
        wrong += get(rows[i].number) != rows[i].good;
    }
    EQUAL(wrong, 0, "values out of range are refused and change nothing");
    EQUAL(client_setopt(task, OPT_POLL_TYPE, 1, NULL), CLIENT_PvmNotImpl, "no polling");
    EQUAL(client_setopt(task, OPT_SELF_OUTPUT_CONTEXT, 1, NULL), CLIENT_PvmNotImpl,
          "own contexts stay");
    EQUAL(client_setopt(task, OPT_NO_RESET, 3, NULL), 0, "what a mailbox says is kept");
    EQUAL(get(OPT_NO_RESET), 3, "as given");
    EQUAL(client_setopt(task, OPT_DEBUG_MASK, -5, NULL), 0, "any bits");
    EQUAL(get(OPT_DEBUG_MASK), -5, "come back");
}

static void child_sinks(void)
{
    struct wire_sink sinks[2];
    EQUAL(client_setopt(task, OPT_OUTPUT_TID, 0x40777, NULL), CLIENT_PvmBadParam,
          "not to some other task");
    EQUAL(client_setopt(task, OPT_OUTPUT_CODE, 6, NULL), 0, "a code may come before its sink");
    EQUAL(client_setopt(task, OPT_OUTPUT_TID, ROOM_TID, NULL), 0, "output of children comes here");
    EQUAL(client_setopt(task, OPT_OUTPUT_CODE, 7, NULL), 0, "with any code");
    EQUAL(client_setopt(task, OPT_OUTPUT_CONTEXT, 8, NULL), 0, "in any context");
    client_child_sinks(task, sinks);
    OK(sinks[0].tid == ROOM_TID && sinks[0].tag == 7 && sinks[0].context == 8,
       "that is what they are told");
    EQUAL(client_setopt(task, OPT_OUTPUT_TID, 0, NULL), 0, "or nowhere");
    EQUAL(get(OPT_OUTPUT_TID), 0, "again");
    EQUAL(client_setopt(task, OPT_TRACE_TID, ROOM_TID, NULL), 0, "trace likewise");
    client_child_sinks(task, sinks);
    OK(sinks[1].tid == ROOM_TID && sinks[0].tid == 0, "apart from output");
}

static void inherited(void)
{
    const struct wire_sink from_parent[2] = {{.tid = 0x80005, .context = 3, .tag = 4}};
    const struct client_config config = {.signature = client_signature_native()};
    struct client *child = client_create(&config);
    client_enrol(child, 1, 0, NULL);
    const struct message answer = {.type = TM_ENROLLED,
                                   .tm_enrolled = {.version = PROTOCOL_TASK_VERSION,
                                                   .tid = ROOM_TID,
                                                   .sinks = {2, from_parent}}};
    feed_control(child, &answer);
    int value = 0;
    client_getopt(child, OPT_SELF_OUTPUT_TID, &value);
    EQUAL(value, 0x80005, "a task knows where its output goes");
    client_getopt(child, OPT_OUTPUT_CODE, &value);
    EQUAL(value, 4, "and its children's goes there too");
    EQUAL(client_setopt(child, OPT_OUTPUT_CODE, 5, NULL), CLIENT_PvmBadParam,
          "with the inherited code only");
    EQUAL(client_setopt(child, OPT_OUTPUT_TID, 0, NULL), 0, "unless it goes nowhere");
    EQUAL(client_setopt(child, OPT_OUTPUT_TID, 0x80005, NULL), 0, "it can be given back");
    client_getopt(child, OPT_OUTPUT_CONTEXT, &value);
    EQUAL(value, 3, "with all that belongs to it");
    bool tell = false;
    EQUAL(client_setopt(child, OPT_SELF_OUTPUT_TID, ROOM_TID, &tell), 0,
          "own output can be sent elsewhere");
    OK(tell, "the daemon is to be told");
    client_getopt(child, OPT_OUTPUT_TID, &value);
    EQUAL(value, ROOM_TID, "what is spawned follows");
    client_setopt(child, OPT_SELF_TRACE_CODE, 9, &tell);
    OK(!tell, "a code without a sink has no effect");
    client_getopt(child, OPT_SELF_TRACE_CODE, &value);
    EQUAL(value, 0, "none");
    client_destroy(child);
}

int main(void)
{
    task = task_new(ROOM_TID, client_signature_native());
    TEST(initial_values);
    TEST(ranges);
    TEST(child_sinks);
    TEST(inherited);
    client_destroy(task);
    return tap_done();
}
