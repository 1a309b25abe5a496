/* SPDX-License-Identifier: BSD-3-Clause */
/* The use of mailboxes and the model of them: see the header. */
#include "sim/mbox.h"

#include "base/mem.h"
#include "core/mbox.h"
#include "sim/world.h"

#include <string.h>

enum { BODY_BYTES_MAX = 4096, ID_BYTES = 8, NOT_FOUND = -32, NO_MEM = -10 };

struct request {
    enum sim_mbox_what what;
    uint64_t id;      /* of what is put */
    uint32_t number;
};

/* What a task has under its own name. */
struct own {
    uint64_t id;      /* 0 = nothing */
    uint64_t asked;   /* requests under way */
};

struct item {
    bool is_put;      /* it was said that it is in */
    bool is_taken;
};

static struct sim_mboxes *mboxes_of(const struct sim_world *world)
{
    return world->promises.mboxes;
}

static struct sim_world *world_of(const struct sim_task *task)
{
    return task->proc->host->world;
}

static void *get_or_make(struct map *map, uint64_t key, size_t size_bytes)
{
    void *value = map_get(map, key);
    if (value)
        return value;
    value = mem_calloc(1, size_bytes);
    CHECK(value && map_put(map, key, value) == 0);
    return value;
}

void sim_mboxes_init(struct sim_mboxes *mboxes)
{
    *mboxes = (struct sim_mboxes){0};
    map_init(&mboxes->requests);
    map_init(&mboxes->own);
    map_init(&mboxes->items);
    map_init(&mboxes->awaited);
}

static void free_values(struct map *map)
{
    for (size_t i = 0; i < map->count; i++)
        mem_free(map->entries[i].value);
    map_fini(map);
}

void sim_mboxes_fini(struct sim_mboxes *mboxes)
{
    free_values(&mboxes->requests);
    free_values(&mboxes->own);
    free_values(&mboxes->items);
    map_fini(&mboxes->awaited);
}

/* ---- asking ---- */

static void make_name(const struct sim_task *task, enum sim_mbox_what what, uint32_t number,
                      char name[32])
{
    if (what <= SIM_MBOX_OWN_DELETE)
        str_format(name, 32, "own.%x", (unsigned)task->tid);
    else if (what <= SIM_MBOX_BAG_TAKE)
        str_copy(name, 32, "bag");
    else
        str_format(name, 32, "await.%u", (unsigned)number);
}

static uint32_t flags_of(enum sim_mbox_what what)
{
    static const uint32_t flags[SIM_MBOX_WHATS] = {
        [SIM_MBOX_BAG_PUT] = MBOX_PERSISTENT | MBOX_MULTI_INSTANCE | MBOX_OVERWRITABLE,
        [SIM_MBOX_BAG_TAKE] = MBOX_FIRST_AVAIL | MBOX_READ_AND_DELETE,
        [SIM_MBOX_AWAIT] = MBOX_WAIT_FOR_INFO,
        [SIM_MBOX_FULFIL] = MBOX_PERSISTENT | MBOX_OVERWRITABLE,
    };
    return flags[what];
}

static void fill_body(uint8_t *bytes, uint64_t id, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(i < ID_BYTES ? id >> (8 * i) : id + i);
}

/* The id in a body, 0 when it is damaged. */
static uint64_t read_body(const struct wire_bytes *message)
{
    uint64_t id = 0;
    if (message->length < ID_BYTES)
        return 0;
    for (int i = ID_BYTES - 1; i >= 0; i--)
        id = id << 8 | message->data[i];
    for (size_t i = ID_BYTES; i < message->length; i++)
        if (message->data[i] != (uint8_t)(id + i))
            return 0;
    return id;
}

static bool is_put(enum sim_mbox_what what)
{
    return what == SIM_MBOX_OWN_PUT || what == SIM_MBOX_BAG_PUT || what == SIM_MBOX_FULFIL;
}

int sim_mbox_ask(struct sim_task *task, enum sim_mbox_what what, uint32_t number,
                 uint32_t size_bytes)
{
    static _Thread_local uint8_t body[BODY_BYTES_MAX];
    struct sim_mboxes *mboxes = mboxes_of(world_of(task));
    struct own *own = get_or_make(&mboxes->own, task->tid, sizeof(*own));
    const uint32_t length = MIN_OF(ID_BYTES + size_bytes, (uint32_t)BODY_BYTES_MAX);
    char name[32];
    if (what <= SIM_MBOX_OWN_DELETE && own->asked)
        return -1;
    make_name(task, what, number, name);
    struct request *request = mem_calloc(1, sizeof(*request));
    CHECK(request);
    *request = (struct request){what, is_put(what) ? ++mboxes->last_item : 0, number};
    struct message message = {.type = TM_RECVINFO};
    if (is_put(what)) {
        fill_body(body, request->id, length);
        message.type = TM_PUTINFO;
        message.tm_putinfo.name = name;
        message.tm_putinfo.index = -1;
        message.tm_putinfo.flags = flags_of(what);
        message.tm_putinfo.message = (struct wire_bytes){body, length};
    } else if (what == SIM_MBOX_OWN_DELETE) {
        message.type = TM_DELINFO;
        message.tm_delinfo.name = name;
    } else {
        message.tm_recvinfo.name = name;
        message.tm_recvinfo.flags = flags_of(what);
    }
    if (what == SIM_MBOX_BAG_PUT)
        get_or_make(&mboxes->items, request->id, sizeof(struct item));
    const int wait = sim_task_request(task, &message);
    if (wait <= 0) {
        mem_free(request);
        return -1;
    }
    own->asked += what <= SIM_MBOX_OWN_DELETE;
    mboxes->asked++;
    if (what == SIM_MBOX_AWAIT)
        CHECK(map_put(&mboxes->awaited, number, mboxes) == 0);
    CHECK(map_put2(&mboxes->requests, task->tid, (uint64_t)wait, request) == 0);
    SIM_TELL(world_of(task), SIM_TRACE_TASK, task->proc->name, "mailbox %s: %s %llu", name,
             is_put(what) ? "puts" : what == SIM_MBOX_OWN_DELETE ? "deletes" : "reads",
             (unsigned long long)request->id);
    return 0;
}

/* ---- answers ---- */

static void own_answered(struct sim_task *task, struct own *own, const struct request *request,
                         int32_t status, uint64_t id)
{
    struct sim_world *world = world_of(task);
    const int32_t wanted = request->what == SIM_MBOX_OWN_PUT || own->id ? 0 : NOT_FOUND;
    own->asked--;
    if (status == NO_MEM)
        return;
    if (status != wanted)
        sim_promise_broken(world, "%s: its own mailbox says %d, wanted %d", task->proc->name,
                           (int)status, (int)wanted);
    if (request->what == SIM_MBOX_OWN_GET && status == 0 && id != own->id)
        sim_promise_broken(world, "%s reads %llu from its own mailbox, put was %llu",
                           task->proc->name, (unsigned long long)id, (unsigned long long)own->id);
    if (request->what == SIM_MBOX_OWN_PUT)
        own->id = request->id;
    else if (request->what == SIM_MBOX_OWN_DELETE)
        own->id = 0;
}

static void bag_taken(struct sim_task *task, uint64_t id)
{
    struct sim_mboxes *mboxes = mboxes_of(world_of(task));
    struct item *item = map_get(&mboxes->items, id);
    mboxes->items_taken++;
    if (!item)
        sim_promise_broken(world_of(task), "%s takes %llu, which nobody put", task->proc->name,
                           (unsigned long long)id);
    else if (item->is_taken)
        sim_promise_broken(world_of(task), "%s takes %llu, which was taken before",
                           task->proc->name, (unsigned long long)id);
    else
        item->is_taken = true;
}

static void bag_put(struct sim_task *task, uint64_t id, int32_t status)
{
    struct sim_mboxes *mboxes = mboxes_of(world_of(task));
    struct item *item = map_get(&mboxes->items, id);
    if (status >= 0)
        mboxes->items_put++;
    if (status >= 0 && item)
        item->is_put = true;
    else if (status != NO_MEM)
        sim_promise_broken(world_of(task), "%s cannot put into the bag: %d", task->proc->name,
                           (int)status);
}

bool sim_mbox_answered(struct sim_task *task, int wait, const struct message *message)
{
    struct sim_mboxes *mboxes = mboxes_of(world_of(task));
    struct request *request = map_remove2(&mboxes->requests, task->tid, (uint64_t)wait);
    if (!request)
        return false;
    const bool has_body = message->type == TM_INFO && message->tm_info.status >= 0;
    const int32_t status = message->type == TM_INFO   ? message->tm_info.status
                           : message->type == TM_DONE ? message->tm_done.status
                                                      : INT32_MIN;
    const uint64_t id = has_body ? read_body(&message->tm_info.message) : 0;
    mboxes->answered++;
    if (has_body && !id)
        sim_promise_broken(world_of(task), "%s gets damaged bytes from a mailbox",
                           task->proc->name);
    if (request->what <= SIM_MBOX_OWN_DELETE)
        own_answered(task, map_get(&mboxes->own, task->tid), request, status, id);
    else if (request->what == SIM_MBOX_BAG_PUT)
        bag_put(task, request->id, status);
    else if (request->what == SIM_MBOX_BAG_TAKE && has_body)
        bag_taken(task, id);
    else if (request->what == SIM_MBOX_AWAIT && status < 0)
        sim_promise_broken(world_of(task), "%s waited for an entry and got %d", task->proc->name,
                           (int)status);
    if (request->what == SIM_MBOX_BAG_TAKE && has_body && mboxes->emptying == task->tid)
        sim_mbox_ask(task, SIM_MBOX_BAG_TAKE, 0, 0);
    mem_free(request);
    return true;
}

void sim_mbox_fulfil_all(struct sim_task *task)
{
    const struct map *awaited = &mboxes_of(world_of(task))->awaited;
    for (size_t i = 0; i < awaited->count; i++)
        sim_mbox_ask(task, SIM_MBOX_FULFIL, (uint32_t)awaited->entries[i].key, 0);
}

void sim_mbox_empty_bag(struct sim_task *task)
{
    mboxes_of(world_of(task))->emptying = task->tid;
    sim_mbox_ask(task, SIM_MBOX_BAG_TAKE, 0, 0);
}

/* Whoever is gone may have taken what he asked for; nobody else. */
void sim_mbox_check_bag(struct sim_world *world)
{
    const struct sim_mboxes *mboxes = mboxes_of(world);
    uint64_t missing = 0, unanswered = 0;
    for (size_t i = 0; i < mboxes->items.count; i++) {
        const struct item *item = mboxes->items.entries[i].value;
        missing += item->is_put && !item->is_taken;
    }
    for (size_t i = 0; i < mboxes->requests.count; i++) {
        const struct request *request = mboxes->requests.entries[i].value;
        unanswered += request->what == SIM_MBOX_BAG_TAKE;
    }
    if (missing > unanswered)
        sim_promise_broken(world, "%llu entries of mailboxes are gone, %llu were asked for by "
                           "tasks "
                           "that ended", (unsigned long long)missing,
                           (unsigned long long)unanswered);
}
