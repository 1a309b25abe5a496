/* SPDX-License-Identifier: BSD-3-Clause */
/* A request to add hosts, from the names in it to the answer: see the header. */
#include "core/addjob.h"

#include "base/mem.h"

#include <string.h>

enum { ERROR_BYTES = 256 };

struct add_job *addjob_create(struct node *node, enum add_kind kind, const struct command_id *id)
{
    struct add_job *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->kind = kind;
    if (id)
        job->id = *id;
    arena_init(&job->arena);
    list_push_back(&node->lead.jobs, &job->link);
    return job;
}

void addjob_destroy(struct node *node, struct add_job *job)
{
    list_remove(&job->link);
    for (size_t i = 0; i < job->count; i++) {
        timer_stop(node, &job->items[i].timer);
        host_spec_fini(&job->items[i].spec);
    }
    mem_free(job->items);
    arena_fini(&job->arena);
    mem_free(job);
}

/* ---- from names to items ---- */

/* Items may still move: no timer is set before add_begin(). */
static struct add_item *new_item(struct add_job *job)
{
    if (mem_grow((void **)&job->items, &job->capacity, job->count + 1, sizeof(*job->items)) < 0)
        return NULL;
    struct add_item *item = &job->items[job->count++];
    memset(item, 0, sizeof(*item));
    item->job = job;
    item->asked = job->asked_count;
    item->error = "";
    host_spec_init(&item->spec);
    timer_init(&item->timer, TIMER_ADD);
    return item;
}

bool addjob_name_is_taken(const struct node *node, const char *name)
{
    if (host_by_name(&node->hosts, name))
        return true;
    LIST_EACH(pos, following, &node->lead.jobs) {
        const struct add_job *job = ADD_JOB_OF(pos);
        for (size_t i = 0; !job->is_applied && i < job->count; i++) {
            if (job->items[i].state != ADD_FAILED && str_equal(job->items[i].name, name))
                return true;
        }
    }
    return false;
}

/* Hosts of this machine are called <host>-1, <host>-2 ...: the next that is free; the new daemon is
 * started under that name. 0, or -1 without memory. */
static int name_local(const struct node *node, struct add_item *item)
{
    char name[sizeof(item->name)];
    for (uint32_t i = item->job->local_last + 1; i <= HOST_NUMBER_MAX; i++) {
        item->job->local_last = i;
        str_format(name, sizeof(name), "%.240s-%u", node->config.name, i);
        if (!addjob_name_is_taken(node, name))
            break;
    }
    str_copy(item->name, sizeof(item->name), name);
    char *copy = mem_strdup(name);
    if (!copy)
        return -1;
    mem_free(item->spec.name);
    item->spec.name = copy;
    return 0;
}

static int add_one(struct node *node, struct add_job *job, const struct host_spec *spec)
{
    struct add_item *item = new_item(job);
    if (!item || host_spec_copy(&item->spec, spec) < 0)
        return -1;
    if (spec->local_count) {
        item->spec.local_count = 1;
        if (name_local(node, item) < 0)
            return -1;
    } else if (addjob_name_is_taken(node, spec->name)) {
        str_copy(item->name, sizeof(item->name), spec->name);
        add_item_fail(node, item, STATUS_DUP_HOST, "this name is in the virtual machine already");
    } else {
        str_copy(item->name, sizeof(item->name), spec->name);
    }
    return 0;
}

int addjob_add_spec(struct node *node, struct add_job *job, const struct host_spec *spec)
{
    int failed = 0;
    for (uint32_t i = 0; !failed && i < MAX_OF(spec->local_count, 1u); i++)
        failed = add_one(node, job, spec);
    job->asked_count++;
    return failed;
}

int addjob_add_name(struct node *node, struct add_job *job, const char *text)
{
    struct host_spec spec;
    char error[ERROR_BYTES];
    if (host_spec_parse(text, false, &spec, error, sizeof(error)) < 0) {
        struct add_item *item = new_item(job);
        if (!item)
            return -1;
        str_format(item->name, sizeof(item->name), "%.*s", (int)strcspn(text, " \t"), text);
        add_item_fail(node, item, STATUS_BAD_PARAM, error);
        job->asked_count++;
        return 0;
    }
    int failed = hostfile_complete(&node->lead.hostfile, &spec);
    if (!failed)
        failed = addjob_add_spec(node, job, &spec);
    host_spec_fini(&spec);
    return failed;
}

/* ---- the answer ---- */

const struct wire_added *addjob_results(const struct add_job *job, struct arena *arena)
{
    struct wire_added *results = arena_calloc(arena, job->asked_count, sizeof(*results));
    for (size_t i = job->count; results && i-- > 0;) {
        const struct add_item *item = &job->items[i];
        struct wire_added *result = &results[item->asked];
        if (item->state != ADD_READY && result->result > 0)
            continue;
        *result = (struct wire_added){.result = item->state == ADD_READY ? 1 : item->status,
                                      .name = item->name, .arch = item->arch,
                                      .speed = item->spec.speed,
                                      .signature = item->signature, .error = item->error};
    }
    return results;
}

void add_fini(struct node *node)
{
    LIST_EACH(pos, following, &node->lead.jobs)
        addjob_destroy(node, ADD_JOB_OF(pos));
    add_told_fini(node);
}
