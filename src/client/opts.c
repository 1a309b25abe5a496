/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Options (API-61). A sink is the triple (tid, context, code) that output or trace goes to: this
 * task's own, which its daemon knows, and the one that tasks spawned from here are given.
 */
#include "client/opts.def"
#include "client/state.h"

enum option_rule {
    RULE_UNKNOWN,
    RULE_ANY,
    RULE_RANGE,
    RULE_CHILD,
    RULE_SELF,
    RULE_READ,
    RULE_NONE
};

enum option {
#define OPTION_NUMBER(name, number, initial, rule, low, high) OPTION_##name = number,
    OPTION_TABLE(OPTION_NUMBER)
#undef OPTION_NUMBER
        OPTION_MAX
};

static const struct {
    enum option_rule rule;
    int initial;
    int low;
    int high;
} rules[OPTION_MAX] = {
#define OPTION_ROW(name, number, initial, rule, low, high)                                         \
    [number] = {RULE_##rule, initial, low, high},
    OPTION_TABLE(OPTION_ROW)
#undef OPTION_ROW
};
_Static_assert(OPTION_MAX <= ARRAY_LEN(((struct client *)0)->options), "room for every option");

enum { SINK_OUTPUT, SINK_TRACE };

/* Which sink, and which part of it, an option is about. */
struct sink_part {
    int sink;
    enum { PART_TID, PART_CONTEXT, PART_CODE } part;
};

static struct sink_part sink_part_of(int option)
{
    switch (option) {
    case OPTION_OUTPUT_TID:
    case OPTION_SELF_OUTPUT_TID:
        return (struct sink_part){SINK_OUTPUT, PART_TID};
    case OPTION_OUTPUT_CODE:
    case OPTION_SELF_OUTPUT_CODE:
        return (struct sink_part){SINK_OUTPUT, PART_CODE};
    case OPTION_OUTPUT_CONTEXT:
    case OPTION_SELF_OUTPUT_CONTEXT:
        return (struct sink_part){SINK_OUTPUT, PART_CONTEXT};
    case OPTION_TRACE_TID:
    case OPTION_SELF_TRACE_TID:
        return (struct sink_part){SINK_TRACE, PART_TID};
    case OPTION_TRACE_CODE:
    case OPTION_SELF_TRACE_CODE:
        return (struct sink_part){SINK_TRACE, PART_CODE};
    default:
        return (struct sink_part){SINK_TRACE, PART_CONTEXT};
    }
}

static struct wire_sink *self_sink(struct client *client, int sink)
{
    return sink == SINK_OUTPUT ? &client->identity.output : &client->identity.trace;
}

static int sink_get(const struct wire_sink *sink, struct sink_part part)
{
    return part.part == PART_TID    ? sink->tid
           : part.part == PART_CODE ? sink->tag
                                    : (int)sink->context;
}

static void sink_put(struct wire_sink *sink, struct sink_part part, int value)
{
    if (part.part == PART_TID)
        sink->tid = value;
    else if (part.part == PART_CODE)
        sink->tag = value;
    else
        sink->context = (uint32_t)value;
}

void opts_init(struct client *client)
{
    for (int i = 0; i < OPTION_MAX; i++)
        client->options[i] = rules[i].initial;
}

void opts_inherit(struct client *client)
{
    for (int sink = SINK_OUTPUT; sink <= SINK_TRACE; sink++)
        if (!client->child_sinks_set[sink])
            client->child_sinks[sink] = *self_sink(client, sink);
}

int opts_value(const struct client *client, int option)
{
    return client->options[option];
}

/* Nowhere, here, or where our own goes; where our own goes the other parts are our own, too. */
static int child_set(struct client *client, struct sink_part part, int value)
{
    struct wire_sink *child = &client->child_sinks[part.sink];
    const struct wire_sink *own = self_sink(client, part.sink);
    if (part.part == PART_TID) {
        const bool is_own_sink = own->tid != 0 && value == own->tid;
        if (value != 0 && value != client->identity.tid && !is_own_sink)
            return CLIENT_PvmBadParam;
        if (value != client->identity.tid && is_own_sink)
            *child = *own;
    } else if (child->tid != 0 && child->tid != client->identity.tid &&
               value != sink_get(own, part)) {
        return CLIENT_PvmBadParam;
    }
    sink_put(child, part, value);
    client->child_sinks_set[part.sink] = true;
    return 0;
}

/* Our own sink; what we spawn follows it. A code without a sink has no effect. */
static bool self_set(struct client *client, struct sink_part part, int value)
{
    struct wire_sink *own = self_sink(client, part.sink);
    if (part.part != PART_TID && own->tid == 0)
        return false;
    sink_put(own, part, value);
    client->child_sinks[part.sink] = *own;
    return true;
}

int client_getopt(const struct client *client, int option, int *value)
{
    if (option <= 0 || option >= OPTION_MAX)
        return CLIENT_PvmBadParam;
    const struct sink_part part = sink_part_of(option);
    const struct wire_sink *own = part.sink == SINK_OUTPUT ? &client->identity.output
                                                           : &client->identity.trace;
    switch (rules[option].rule) {
    case RULE_UNKNOWN:
    case RULE_NONE:
        return CLIENT_PvmBadParam;
    case RULE_CHILD:
        *value = sink_get(&client->child_sinks[part.sink], part);
        return 0;
    case RULE_SELF:
    case RULE_READ:
        *value = sink_get(own, part);
        return 0;
    case RULE_ANY:
    case RULE_RANGE:
        break;
    }
    *value = client->options[option];
    return 0;
}

int client_setopt(struct client *client, int option, int value, bool *tell_daemon)
{
    if (tell_daemon)
        *tell_daemon = false;
    if (option <= 0 || option >= OPTION_MAX)
        return CLIENT_PvmBadParam;
    int status = 0;
    switch (rules[option].rule) {
    case RULE_UNKNOWN:
        return CLIENT_PvmBadParam;
    case RULE_NONE:
    case RULE_READ:
        return CLIENT_PvmNotImpl;
    case RULE_CHILD:
        status = child_set(client, sink_part_of(option), value);
        break;
    case RULE_SELF:
        if (self_set(client, sink_part_of(option), value) && tell_daemon)
            *tell_daemon = true;
        break;
    case RULE_RANGE:
        if (value < rules[option].low || value > rules[option].high)
            return CLIENT_PvmBadParam;
        client->options[option] = value;
        break;
    case RULE_ANY:
        client->options[option] = value;
        break;
    }
    return status;
}

void client_child_sinks(const struct client *client, struct wire_sink sinks[2])
{
    sinks[SINK_OUTPUT] = client->child_sinks[SINK_OUTPUT];
    sinks[SINK_TRACE] = client->child_sinks[SINK_TRACE];
}
