/* SPDX-License-Identifier: BSD-3-Clause */
/* A request to add hosts, from the names in it to the answer: see the header. */
#include "core/addjob.h"

#include "base/mem.h"

#include <string.h>

enum { ERROR_BYTES = 256 };

struct add_job *addjob_create(struct node *node, struct asker asker)
{
    struct add_job *job = mem_calloc(1, sizeof(*job));
    if (!job)
        return NULL;
    job->asker = asker;
    arena_init(&job->arena);
    timer_init(&job->timer, TIMER_ADD);
    node->adding = job;
    return job;
}

void addjob_destroy(struct node *node, struct add_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        timer_stop(node, &job->items[i].timer);
        host_spec_fini(&job->items[i].spec);
    }
    timer_stop(node, &job->timer);
    mem_free(job->items);
    arena_fini(&job->arena);
    mem_free(job);
    node->adding = NULL;
}

/* ---- from names to items ---- */

/* Items may still move: no timer is set before add_begin(). */
static struct add_item *new_item(struct add_job *job)
{
    if (mem_grow((void **)&job->items, &job->capacity, job->count + 1, sizeof(*job->items)) < 0)
        return NULL;
    struct add_item *item = &job->items[job->count++];
    memset(item, 0, sizeof(*item));
    item->asked = job->asked_count;
    item->error = "";
    host_spec_init(&item->spec);
    timer_init(&item->timer, TIMER_ADD);
    return item;
}

static bool name_is_taken(const struct node *node, const struct add_job *job, const char *name)
{
    if (host_by_name(&node->hosts, name))
        return true;
    for (size_t i = 0; i < job->count; i++) {
        if (str_equal(job->items[i].name, name) && job->items[i].state != ADD_FAILED)
            return true;
    }
    return false;
}

/* Hosts of this machine are called <host>-1, <host>-2 ...: the next that is free; the new daemon is
 * started under that name. 0, or -1 without memory. */
static int name_local(const struct node *node, const struct add_job *job, struct add_item *item)
{
    char name[sizeof(item->name)];
    for (uint32_t i = 1; i <= HOST_NUMBER_MAX; i++) {
        str_format(name, sizeof(name), "%.240s-%u", node->config.name, i);
        if (!name_is_taken(node, job, name))
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

static void fail_new(struct node *node, struct add_job *job, struct add_item *item, int32_t status,
                     const char *why)
{
    (void)job;
    add_item_fail(node, item, status, why);
}

static int add_one(struct node *node, struct add_job *job, const struct host_spec *spec)
{
    struct add_item *item = new_item(job);
    if (!item || host_spec_copy(&item->spec, spec) < 0)
        return -1;
    if (spec->local_count) {
        item->spec.local_count = 1;
        if (name_local(node, job, item) < 0)
            return -1;
    } else if (name_is_taken(node, job, spec->name)) {
        str_copy(item->name, sizeof(item->name), spec->name);
        fail_new(node, job, item, STATUS_DUP_HOST, "this name is in the virtual machine already");
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
        fail_new(node, job, item, STATUS_BAD_PARAM, error);
        job->asked_count++;
        return 0;
    }
    int failed = hostfile_complete(&node->hostfile, &spec);
    if (!failed)
        failed = addjob_add_spec(node, job, &spec);
    host_spec_fini(&spec);
    return failed;
}

/* ---- the answer ---- */

/* One result for each name asked: of several hosts the first that came, else the first error. */
static void write_results(const struct add_job *job, struct wire_added *results)
{
    for (size_t i = job->count; i-- > 0;) {
        const struct add_item *item = &job->items[i];
        struct wire_added *result = &results[item->asked];
        if (item->result < 0 && result->result > 0)
            continue;
        *result = (struct wire_added){.result = item->result, .name = item->name,
                                      .arch = item->arch, .speed = item->spec.speed,
                                      .signature = item->signature, .error = item->error};
    }
}

void addjob_finish(struct node *node, struct add_job *job)
{
    struct message answer = {.type = DM_ADDED};
    struct wire_added *results =
        arena_calloc(&node->scratch, job->asked_count, sizeof(*results));
    struct asker asker = job->asker;
    if (results)
        write_results(job, results);
    answer.dm_added.wait = asker.wait;
    answer.dm_added.status = results ? STATUS_OK : STATUS_NO_MEM;
    answer.dm_added.index = job->index;
    answer.dm_added.hosts = (struct wire_added_list){.count = results ? job->asked_count : 0,
                                                     .items = results};
    if (asker.peer == node->config.epoch)
        added_message(node, asker.peer, &answer);
    else if (asker.peer)
        node_send(node, asker.peer, &answer);
    addjob_destroy(node, job);
}

void add_fini(struct node *node)
{
    if (node->adding)
        addjob_destroy(node, node->adding);
}
