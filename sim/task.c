/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulated tasks over client/client.h: see the header. */
#include "sim/task.h"

#include "base/mem.h"
#include "sim/attach.h"
#include "sim/mbox.h"
#include "sim/program.h"
#include "sim/world.h"

#include <string.h>

enum {
    PATTERN_PERIOD = 251,
    PAYLOAD_BYTES_MAX = 8 * 1024 * 1024,
    BODY_WORDS = 4,              /* message number (2), tag, payload size */
    OUTPUT_BYTES_MAX = 8192,
    ANY = -1
};
/* Numbers of pvm3.h (surface API-61). */
enum { OPTION_OUTPUT_TID = 4, OPTION_OUTPUT_CODE = 5, OPTION_OUTPUT_CONTEXT = 21 };
enum { WHAT_TASK_EXIT = 1, WHAT_HOST_DELETE = 2, WHAT_HOST_ADD = 3 };

/* ---- payload ---- */

/* Byte i of message n is pattern[(n + i) % period]: any shift, loss or mixture shows. */
static const uint8_t *pattern(void)
{
    static _Thread_local uint8_t *bytes;
    if (!bytes) {
        static _Thread_local uint8_t memory[PAYLOAD_BYTES_MAX + PATTERN_PERIOD];
        for (size_t i = 0; i < sizeof(memory); i++)
            memory[i] = (uint8_t)(i % PATTERN_PERIOD * 167 + 13);
        bytes = memory;
    }
    return bytes;
}

static int pack_body(struct sim_task *task, uint64_t id, int tag, uint32_t size_bytes)
{
    const unsigned words[BODY_WORDS] = {(unsigned)(id >> 32), (unsigned)id, (unsigned)tag,
                                        size_bytes};
    const int encoding = (int)(id % 2); /* PvmDataDefault, PvmDataRaw */
    int result = client_initsend(task->client, encoding);
    if (result >= 0)
        result = client_pack(task->client, CLIENT_UINT, words, BODY_WORDS, 1);
    if (result >= 0 && size_bytes)
        result = client_pack(task->client, CLIENT_BYTE, pattern() + id % PATTERN_PERIOD,
                             (int)size_bytes, 1);
    return result;
}

/* Checks the active receive buffer; returns the number of the message, 0 when it is damaged. */
static uint64_t unpack_body(struct sim_task *task, const struct sim_received *received,
                            uint32_t *size_bytes)
{
    static _Thread_local uint8_t bytes[PAYLOAD_BYTES_MAX];
    unsigned words[BODY_WORDS];
    if (client_unpack(task->client, CLIENT_UINT, words, BODY_WORDS, 1) < 0)
        return 0;
    const uint64_t id = (uint64_t)words[0] << 32 | words[1];
    *size_bytes = words[3];
    if ((int)words[2] != received->tag || words[3] > PAYLOAD_BYTES_MAX)
        return 0;
    if (words[3] && client_unpack(task->client, CLIENT_BYTE, bytes, (int)words[3], 1) < 0)
        return 0;
    return memcmp(bytes, pattern() + id % PATTERN_PERIOD, words[3]) == 0 ? id : 0;
}

/* ---- the socket ---- */

static struct sim_world *world_of(const struct sim_task *task)
{
    return task->proc->host->world;
}

/* Writes what the library has to say as far as the socket takes it. */
static void pump(struct sim_task *task)
{
    struct frame frame;
    while (sim_proc_can_write(task->proc) && client_pull(task->client, &frame) == 1)
        sim_proc_write(task->proc, &frame);
}

void sim_task_writable(struct sim_task *task)
{
    pump(task);
}

static int track(struct sim_task *task, int wait, enum message_type type)
{
    if (wait > 0) {
        CHECK(mem_grow((void **)&task->open, &task->open_capacity, task->open_count + 1,
                       sizeof(task->open[0])) == 0);
        task->open[task->open_count].wait = wait;
        task->open[task->open_count++].type = type;
        world_of(task)->promises.requests++;
    }
    pump(task);
    return wait;
}

static void add_results(struct sim_answer *answer, const int32_t *items, size_t count)
{
    answer->count = MIN_OF(count, (size_t)SIM_RESULTS_MAX);
    if (answer->count)
        memcpy(answer->results, items, answer->count * sizeof(items[0]));
}

static void read_answer(struct sim_answer *answer, const struct message *message)
{
    *answer = (struct sim_answer){.type = message->type};
    switch (message->type) {
    case TM_DONE:
        answer->status = message->tm_done.status;
        break;
    case TM_HOSTS:
        answer->status = message->tm_hosts.status;
        answer->count = message->tm_hosts.hosts.count;
        break;
    case TM_ADDED:
        answer->status = message->tm_added.status;
        answer->count = MIN_OF(message->tm_added.hosts.count, (size_t)SIM_RESULTS_MAX);
        for (size_t i = 0; i < answer->count; i++)
            answer->results[i] = message->tm_added.hosts.items[i].result;
        break;
    case TM_DELETED:
        answer->status = message->tm_deleted.status;
        add_results(answer, message->tm_deleted.results.items, message->tm_deleted.results.count);
        break;
    case TM_SPAWNED:
        answer->status = message->tm_spawned.status;
        add_results(answer, message->tm_spawned.tids.items, message->tm_spawned.tids.count);
        break;
    case TM_TASKLIST:
        answer->status = message->tm_tasklist.status;
        answer->count = message->tm_tasklist.tasks.count;
        break;
    case TM_CLOCK:
        answer->status = message->tm_clock.status;
        break;
    case TM_INFO:
        answer->status = message->tm_info.status;
        break;
    case TM_INFOLIST:
        answer->status = message->tm_infolist.status;
        answer->count = message->tm_infolist.classes.count;
        break;
    case TM_TICKLED:
        answer->status = message->tm_tickled.status;
        add_results(answer, message->tm_tickled.results.items, message->tm_tickled.results.count);
        break;
    default:
        answer->status = INT32_MIN;
    }
}

static void add_results_text(struct sim_task *task, struct strbuf *text)
{
    enum { SHOWN_MAX = 20 };
    const struct sim_answer *answer = &task->answer;
    for (size_t i = 0; i < answer->count && i < SHOWN_MAX; i++) {
        const int32_t result = answer->results[i];
        const char *error = result < 0 ? client_error_text(result) : NULL;
        strbuf_addf(text, "%s%s", i ? ", " : ": ",
                    error ? error : sim_tid_name(world_of(task), (uint32_t)result));
    }
}

static void take_answer(struct sim_task *task, size_t at, const struct message *message)
{
    struct strbuf text;
    strbuf_init(&text);
    message_describe(message, &text);
    read_answer(&task->answer, message);
    if (message->type != TM_HOSTS && message->type != TM_TASKLIST &&
        message->type != TM_INFOLIST)
        add_results_text(task, &text);
    SIM_TELL(world_of(task), SIM_TRACE_TASK, task->proc->name, "is answered: %s",
             strbuf_text(&text));
    strbuf_fini(&text);
    world_of(task)->promises.answers++;
    const int wait = task->open[at].wait;
    task->open[at] = task->open[--task->open_count];
    sim_mbox_answered(task, wait, message);
    if (task->exiting && wait == task->exit_wait) {
        sim_proc_end(task->proc, 0);
        return;
    }
    if (task->proc->program && task->proc->program->answer)
        task->proc->program->answer(task, &task->answer);
}

static void look_for_answers(struct sim_task *task)
{
    struct arena *arena = &task->proc->host->world->arena;
    for (size_t i = 0; i < task->open_count && !task->proc->ended;) {
        struct message message;
        arena_reset(arena);
        const int result = client_answer(task->client, task->open[i].wait, arena, &message);
        if (result == 1) {
            take_answer(task, i, &message);
            i = 0;
            continue;
        }
        if (result < 0)
            sim_promise_broken(world_of(task), "%s: request %s ends with %d instead of an answer",
                               task->proc->name, message_name(task->open[i].type), result);
        if (result < 0)
            task->open[i] = task->open[--task->open_count];
        else
            i++;
    }
}

/* ---- receiving ---- */

static void take_notice(struct sim_task *task, int what)
{
    static const char *const words[] = {"?", "end of task", "end of host", "new host"};
    struct sim_world *world = world_of(task);
    int subject = 0;
    int count = 1;
    if (what == WHAT_HOST_ADD && client_unpack(task->client, CLIENT_INT, &count, 1, 1) < 0)
        sim_promise_broken(world, "%s got a notice without a count", task->proc->name);
    for (int i = 0; i < count && !task->proc->ended; i++) {
        if (client_unpack(task->client, CLIENT_INT, &subject, 1, 1) < 0)
            sim_promise_broken(world, "%s got a notice without a tid", task->proc->name);
        SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "is told: %s %s", words[what & 3],
                 sim_tid_name(world, (uint32_t)subject));
    }
    task->notice_count++;
    if (what == WHAT_TASK_EXIT)
        sim_task_check_gone(task, (uint32_t)subject);
    sim_promise_noticed(world, task->tid, what, what == WHAT_HOST_ADD ? 0 : (uint32_t)subject);
    if (task->proc->program && task->proc->program->notice)
        task->proc->program->notice(task, what, (uint32_t)subject);
}

/* The body of a piece of output (surface CST-17): tid, then a count and so many bytes, or an
 * operation. */
static void tell_output(struct sim_task *task)
{
    struct sim_world *world = world_of(task);
    static const char *const operations[] = {"end of file", "spawn", "new"};
    int tid = 0, count = 0;
    char text[OUTPUT_BYTES_MAX + 1];
    if (client_unpack(task->client, CLIENT_INT, &tid, 1, 1) < 0 ||
        client_unpack(task->client, CLIENT_INT, &count, 1, 1) < 0 || count < -2 ||
        count > OUTPUT_BYTES_MAX ||
        (count > 0 && client_unpack(task->client, CLIENT_BYTE, text, count, 1) < 0)) {
        sim_promise_broken(world, "%s got output that makes no sense", task->proc->name);
        return;
    }
    const char *name = sim_tid_name(world, (uint32_t)tid);
    if (count <= 0) {
        SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "output of %s: (%s)", name,
                 operations[-count]);
        return;
    }
    text[count] = '\0';
    for (int i = 0; i < count; i++)
        if (text[i] == '\n')
            text[i] = '|';
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "output of %s: \"%s\"", name, text);
}

static bool control_hook(void *argument, int mid, int context, int tag)
{
    struct sim_task *task = argument;
    if (tag == TAG_CONTROL_OUTPUT)
        tell_output(task);
    return true;
}

void sim_task_catch_output(struct sim_task *task)
{
    client_setopt(task->client, OPTION_OUTPUT_TID, (int)task->tid, NULL);
    client_setopt(task->client, OPTION_OUTPUT_CONTEXT, TID_CONTEXT_CONTROL, NULL);
    client_setopt(task->client, OPTION_OUTPUT_CODE, TAG_CONTROL_OUTPUT, NULL);
}

static void take_message(struct sim_task *task, int mid)
{
    struct sim_world *world = world_of(task);
    struct sim_received received = {.tag = 0};
    int bytes, tid;
    client_bufinfo(task->client, mid, &bytes, &received.tag, &tid);
    received.source = (uint32_t)tid;
    if (received.tag >= SIM_TAG_NOTICE) {
        take_notice(task, received.tag - SIM_TAG_NOTICE);
        return;
    }
    const uint64_t id = unpack_body(task, &received, &received.size_bytes);
    if (!id)
        sim_promise_broken(world, "%s got a damaged message of %s, tag %d, %d bytes",
                           task->proc->name, sim_tid_name(world, received.source), received.tag,
                           bytes);
    else
        sim_promise_received(world, received.source, task->tid, received.tag, id, !task->holds);
    task->received_count++;
    task->received_bytes += received.size_bytes;
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "gets tag %d of %s, %u bytes", received.tag,
             sim_tid_name(world, received.source), (unsigned)received.size_bytes);
    if (task->proc->program && task->proc->program->message)
        task->proc->program->message(task, &received);
}

static void take_wanted(struct sim_task *task)
{
    LIST_EACH(pos, following, &task->wanted) {
        struct sim_wanted *wanted = LIST_ENTRY(pos, struct sim_wanted, link);
        const int mid = client_receive(task->client, wanted->tid, wanted->tag);
        if (mid <= 0)
            return; /* one after the other: a program waits in one receive */
        list_remove(pos);
        mem_free(wanted);
        take_message(task, mid);
    }
}

static void take_messages(struct sim_task *task)
{
    int mid;
    if (task->holds)
        take_wanted(task);
    else
        while (!task->proc->ended && (mid = client_receive(task->client, ANY, ANY)) > 0)
            take_message(task, mid);
}

static void see_enrolment(struct sim_task *task)
{
    struct sim_world *world = world_of(task);
    const char *error = NULL;
    const int result = client_enrolled(task->client, &error);
    if (result == 0)
        return;
    task->asked = false;
    if (result < 0) {
        SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "is refused (%d): %s", result,
                 error ? error : "");
        sim_proc_end(task->proc, 1 << 8);
        return;
    }
    task->tid = (uint32_t)client_identity(task->client)->tid;
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "is task %x on %s", (unsigned)task->tid,
             task->proc->host->name);
    sim_promise_tid_given(world, task->tid, task->proc->name, task->proc->host);
    if (task->proc->program && task->proc->program->enrolled)
        task->proc->program->enrolled(task);
}

void sim_task_readable(struct sim_task *task)
{
    struct frame frame;
    if (task->deaf)
        return;
    while (sim_proc_read(task->proc, &frame)) {
        const int result =
            sim_task_takes_share(task, &frame) ? 0 : client_feed(task->client, &frame);
        frame_drop(&frame);
        if (result < 0)
            sim_promise_broken(world_of(task), "%s: feeding a frame gives %d", task->proc->name,
                               result);
    }
    if (task->asked)
        see_enrolment(task);
    if (!task->proc->ended)
        take_messages(task);
    if (!task->proc->ended)
        look_for_answers(task);
    if (!task->proc->ended)
        pump(task);
    if (!task->proc->ended && task->proc->conn && !task->proc->conn->host)
        sim_task_closed(task);
}

void sim_task_closed(struct sim_task *task)
{
    struct sim_world *world = world_of(task);
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "has lost its daemon");
    task->lost = true;
    /* Requests on the way end here, each with an error: that is an answer too. */
    world->promises.answers += task->open_count;
    task->open_count = 0;
    if (task->tid)
        sim_promise_task_ended(world, task->tid, false);
    client_leave(task->client);
    sim_proc_disconnect(task->proc);
}

/* ---- calls ---- */

int sim_task_create(struct sim_proc *proc)
{
    struct sim_task *task = mem_calloc(1, sizeof(*task));
    if (!task)
        return -1;
    const struct client_config config = {.signature = SIM_SIGNATURE, .copy_in_place = true};
    task->proc = proc;
    list_init(&task->wanted);
    task->client = client_create(&config);
    if (!task->client) {
        mem_free(task);
        return -1;
    }
    client_set_hook(task->client, control_hook, task);
    proc->task = task;
    return 0;
}

void sim_task_destroy(struct sim_task *task)
{
    if (!task)
        return;
    LIST_EACH(pos, following, &task->wanted)
        mem_free(LIST_ENTRY(pos, struct sim_wanted, link));
    client_destroy(task->client);
    map_fini(&task->asked_to_share);
    map_fini(&task->sharing);
    mem_free(task->open);
    mem_free(task);
}

void sim_task_enrol(struct sim_task *task)
{
    struct sim_proc *proc = task->proc;
    CHECK(sim_proc_connect(proc) == 0);
    task->asked = true;
    client_enrol(task->client, proc->pid, proc->cookie, NULL);
    pump(task);
}

void sim_task_exit(struct sim_task *task)
{
    struct message message = {.type = TM_EXIT};
    if (task->exiting)
        return;
    task->exiting = true;
    sim_promise_task_leaves(world_of(task), task->tid);
    task->exit_wait = client_request(task->client, &message);
    track(task, task->exit_wait, TM_EXIT);
}

int sim_task_send(struct sim_task *task, uint32_t tid, int tag, uint32_t size_bytes)
{
    struct sim_world *world = world_of(task);
    if (world->settings.shares_always)
        sim_task_attach(task, tid);
    const uint64_t id = ++world->promises.next_message;
    if (task->proc->ticket)
        sim_promise_acts(world, task->proc->host, task->proc->name);
    int result = pack_body(task, id, tag, size_bytes);
    if (result >= 0)
        result = client_send(task->client, (int)tid, tag);
    if (result >= 0)
        sim_promise_sent(world, task->tid, tid, tag, id);
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "sends tag %d to %s, %u bytes", tag,
             sim_tid_name(world, tid), (unsigned)size_bytes);
    pump(task);
    return result;
}

int sim_task_mcast(struct sim_task *task, const uint32_t *tids, int count, int tag,
                   uint32_t size_bytes)
{
    struct sim_world *world = world_of(task);
    const uint64_t id = ++world->promises.next_message;
    int list[SIM_RESULTS_MAX];
    if (count > SIM_RESULTS_MAX)
        return CLIENT_PvmBadParam;
    for (int i = 0; i < count; i++)
        list[i] = (int)tids[i];
    int result = pack_body(task, id, tag, size_bytes);
    if (result >= 0)
        result = client_mcast(task->client, list, count, tag);
    for (int i = 0; result >= 0 && i < count; i++)
        if (tids[i] != task->tid) /* a multicast never reaches its sender (API-48) */
            sim_promise_sent(world, task->tid, tids[i], tag, id);
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "multicasts tag %d to %d tasks, %u bytes",
             tag, count, (unsigned)size_bytes);
    pump(task);
    return result;
}

int sim_task_spawn(struct sim_task *task, const char *file, int flags, const char *where, int count)
{
    SIM_TELL(world_of(task), SIM_TRACE_TASK, task->proc->name, "spawns %d %s%s%s", count, file,
             where && *where ? " on " : "", where ? where : "");
    return track(task,
                 client_spawn(task->client, file, NULL, flags, where ? where : "", count, NULL),
                 TM_SPAWN);
}

int sim_task_notify(struct sim_task *task, int what, int count, const uint32_t *tids)
{
    struct sim_world *world = world_of(task);
    int list[SIM_RESULTS_MAX] = {0};
    const int tid_count = what == WHAT_HOST_ADD ? 0 : count;
    if (tid_count > SIM_RESULTS_MAX)
        return CLIENT_PvmBadParam;
    for (int i = 0; i < tid_count; i++)
        list[i] = (int)tids[i];
    const int result = client_notify(task->client, what, SIM_TAG_NOTICE + what, count, list);
    for (int i = 0; result >= 0 && i < tid_count; i++)
        sim_promise_watch(world, task->tid, what, tids[i], 0);
    if (result >= 0 && what == WHAT_HOST_ADD)
        sim_promise_watch(world, task->tid, what, 0, count);
    pump(task);
    return result;
}

int sim_task_addhosts(struct sim_task *task, char *const *names, int count)
{
    return track(task, client_addhosts(task->client, names, count), TM_ADDHOSTS);
}

int sim_task_delhosts(struct sim_task *task, char *const *names, int count)
{
    /* Its tasks are said to have ended as soon as the others dropped it, and end a moment later. */
    LIST_EACH(pos, following, &world_of(task)->hosts) {
        struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        for (int i = 0; i < count; i++)
            host->leaving |= str_equal(host->name, names[i]);
    }
    return track(task, client_delhosts(task->client, names, count), TM_DELHOSTS);
}

int sim_task_signal(struct sim_task *task, uint32_t tid, int signal)
{
    return track(task, client_sendsig(task->client, (int)tid, signal), TM_SIGNAL);
}

int sim_task_request(struct sim_task *task, struct message *message)
{
    const int wait = client_request(task->client, message);
    return track(task, wait, message->type);
}

void sim_task_hold(struct sim_task *task)
{
    task->holds = true;
}

void sim_task_want(struct sim_task *task, int tid, int tag)
{
    struct sim_wanted *wanted = mem_calloc(1, sizeof(*wanted));
    CHECK(wanted);
    wanted->tid = tid;
    wanted->tag = tag;
    list_push_back(&task->wanted, &wanted->link);
    take_wanted(task);
}

void sim_task_set_deaf(struct sim_task *task, bool deaf)
{
    task->deaf = deaf;
    if (!deaf)
        sim_task_readable(task);
}

/* ---- views ---- */

bool sim_task_is_enrolled(const struct sim_task *task)
{
    return task->tid && !task->lost && !task->proc->ended;
}

bool sim_task_is_busy(const struct sim_task *task)
{
    const struct sim_proc *proc = task->proc;
    if (proc->ended || task->lost)
        return false;
    if (proc->program && proc->program->enrols && !task->tid)
        return true;
    return task->asked || task->exiting || (task->open_count && !task->deaf) ||
           (proc->conn && !client_out_is_empty(task->client));
}

struct sim_task *sim_task_of_tid(const struct sim_host *host, uint32_t tid)
{
    LIST_EACH(pos, following, &host->procs) {
        const struct sim_proc *proc = LIST_ENTRY(pos, struct sim_proc, link);
        if (proc->task && proc->task->tid == tid && !proc->ended)
            return proc->task;
    }
    return NULL;
}

bool sim_task_holds_messages(const struct sim_host *host, uint32_t tid)
{
    const struct sim_task *task = sim_task_of_tid(host, tid);
    return !task || task->holds || task->deaf;
}

struct sim_task *sim_world_task(const struct sim_world *world, uint32_t tid)
{
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        struct sim_task *task = sim_host_is_running(host) ? sim_task_of_tid(host, tid) : NULL;
        if (task)
            return task;
    }
    return NULL;
}
