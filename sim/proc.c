/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes, their sockets and pipes: see the header. */
#include "sim/proc.h"

#include "base/mem.h"
#include "sim/attach.h"
#include "sim/program.h"
#include "sim/shell.h"
#include "sim/task.h"
#include "sim/world.h"

#include <string.h>

enum {
    SOCKET_US = 5,        /* from one end of a local socket to the other, wake-up included */
    FRAMES_PER_TURN = 8,
    SPAWN_US = 800,       /* fork, exec */
    SPAWN_JITTER_US = 400,
    BEGIN_US = 500,       /* until the program says its first word */
    REAP_US = 300         /* at most, from the end of a process to the daemon's knowing */
};
enum { PVM_NO_FILE = -7, PVM_OUT_OF_RES = -27 };
enum { SIGNAL_KILL = 9, SIGNAL_TERM = 15 };

/* ---- queues of frames ---- */

struct queued_frame {
    struct list link;
    struct frame frame;
    struct origin origin;
};

static size_t frame_bytes(const struct frame *frame)
{
    return FRAME_HEADER_BYTES + frame->body.length;
}

static void queue_init(struct sim_queue *queue)
{
    list_init(&queue->frames);
    queue->bytes = 0;
}

static void queue_push(struct sim_queue *queue, struct queued_frame *queued)
{
    list_push_back(&queue->frames, &queued->link);
    queue->bytes += frame_bytes(&queued->frame);
}

static struct queued_frame *queue_pop(struct sim_queue *queue)
{
    struct list *first = list_first(&queue->frames);
    if (!first)
        return NULL;
    struct queued_frame *queued = LIST_ENTRY(first, struct queued_frame, link);
    list_remove(first);
    queue->bytes -= frame_bytes(&queued->frame);
    return queued;
}

static void queue_fini(struct sim_queue *queue)
{
    struct queued_frame *queued;
    while ((queued = queue_pop(queue))) {
        frame_drop(&queued->frame);
        mem_free(queued);
    }
}

static struct queued_frame *queued_create(struct frame *frame, const struct origin *origin)
{
    struct queued_frame *queued = mem_calloc(1, sizeof(*queued));
    CHECK(queued);
    queued->frame = *frame;
    if (origin)
        queued->origin = *origin;
    return queued;
}

/* ---- connections ---- */

static void conn_free(struct sim_conn *conn)
{
    struct sim_world *world = conn->up_turn.host->world;
    sim_forget(world, &conn->up_turn);
    sim_forget(world, &conn->down_turn);
    queue_fini(&conn->up);
    queue_fini(&conn->waiting);
    queue_fini(&conn->down);
    mem_free(conn);
}

/* Schedules |turn| unless it is due already. */
static void wake(struct sim_event *turn, uint64_t delay_ns)
{
    if (turn->heap.position == HEAP_NOT_QUEUED && list_is_empty(&turn->held))
        sim_after(turn->host->world, turn, delay_ns);
}

static void conn_drop_daemon_end(struct sim_conn *conn)
{
    if (!conn->host)
        return;
    map_remove(&conn->host->conns, conn->number);
    conn->host = NULL;
    if (conn->proc)
        wake(&conn->down_turn, SOCKET_US * SIM_NS_PER_US);
    else
        conn_free(conn);
}

static void tell_data(struct sim_host *host, const char *actor, const char *arrow,
                      const char *other, const struct frame *frame)
{
    static const char *const kinds[] = {"?", "CONTROL", "DATA", "MCAST", "NOTICE", "ABORT"};
    SIM_TELL(host->world, SIM_TRACE_NET, actor, "%s %-5s %s %x to %x number %llu%s%s, %zu bytes",
             arrow, other, kinds[frame->kind % ARRAY_LEN(kinds)], (unsigned)frame->source,
             (unsigned)frame->destination, (unsigned long long)frame->sequence,
             frame->flags & FRAME_FIRST ? " first" : "", frame->flags & FRAME_LAST ? " last" : "",
             frame->body.length);
}

static void tell_frame(struct sim_host *host, const char *actor, const char *arrow,
                       const char *other, const struct frame *frame)
{
    struct sim_trace *trace = &host->world->trace;
    struct message message;
    struct strbuf text;
    sim_trace_mix(trace, (uint64_t)frame->kind << 32 | host->serial, frame->sequence);
    if (frame->kind == FRAME_CONTROL)
        sim_trace_mix_bytes(trace, frame->body.data, frame->body.length);
    if (!sim_trace_is_shown(trace, SIM_TRACE_TM) && !sim_trace_is_shown(trace, SIM_TRACE_NET))
        return;
    if (frame->kind != FRAME_CONTROL) {
        tell_data(host, actor, arrow, other, frame);
        return;
    }
    arena_reset(&host->world->arena);
    strbuf_init(&text);
    if (message_decode(frame->body.data, frame->body.length, &host->world->arena, &message) == 0)
        message_describe(&message, &text);
    else
        strbuf_addf(&text, "%zu bytes that are no message", frame->body.length);
    SIM_TELL(host->world, SIM_TRACE_TM, actor, "%s %-5s %s", arrow, other, strbuf_text(&text));
    strbuf_fini(&text);
}

/* The daemon reads what the task wrote. */
static void conn_up_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_conn *conn = CONTAINER_OF(event, struct sim_conn, up_turn);
    struct sim_host *host = conn->host;
    const uint64_t number = conn->number;
    for (int i = 0; i < FRAMES_PER_TURN; i++) {
        /* The step may have closed the connection. */
        if (!sim_host_is_running(host) || map_get(&host->conns, number) != conn || conn->paused)
            return;
        struct queued_frame *queued = queue_pop(&conn->up);
        if (!queued)
            break;
        struct event core = {.kind = EVENT_CONN_FRAME, .conn = number, .frame = queued->frame};
        tell_frame(host, host->name, "<", conn->proc ? conn->proc->name : "-", &core.frame);
        core.fds = sim_attach_fds(&host->world->arena, &core.frame);
        mem_free(queued);
        sim_host_step(host, &core);
    }
    if (!sim_host_is_running(host) || map_get(&host->conns, number) != conn)
        return;
    if (!list_is_empty(&conn->up.frames)) {
        wake(&conn->up_turn, SIM_NS_PER_US);
    } else if (!conn->proc) {
        struct event core = {.kind = EVENT_CONN_CLOSED, .conn = number, .text = "end of file"};
        conn_drop_daemon_end(conn);
        sim_host_step(host, &core);
        return;
    }
    if (conn->proc && conn->proc->task && !conn->proc->ended)
        sim_task_writable(conn->proc->task);
}

/* Moves frames from the daemon's memory into the socket as far as they go. */
static void conn_flush(struct sim_conn *conn)
{
    struct sim_host *host = conn->host;
    const size_t room = host->world->settings.conn_buffer_bytes;
    if (host->standstill)
        return; /* the daemon writes when it can */
    while (!list_is_empty(&conn->waiting.frames) && (conn->down.bytes < room || !conn->proc)) {
        struct queued_frame *queued = queue_pop(&conn->waiting);
        struct event core = {.kind = EVENT_CONN_TAKEN, .conn = conn->number,
                             .count = frame_bytes(&queued->frame), .origin = queued->origin};
        if (conn->proc) {
            queue_push(&conn->down, queued);
            wake(&conn->down_turn, SOCKET_US * SIM_NS_PER_US);
        } else {
            /* A write to a socket that the other end has closed: the bytes are gone. */
            frame_drop(&queued->frame);
            mem_free(queued);
        }
        sim_host_step_later(host, &core, SIM_NS_PER_US);
    }
    if (conn->closing && list_is_empty(&conn->waiting.frames))
        conn_drop_daemon_end(conn);
}

/* The task reads what the daemon wrote. */
static void conn_down_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_conn *conn = CONTAINER_OF(event, struct sim_conn, down_turn);
    if (conn->proc && conn->proc->task && !conn->proc->ended)
        sim_task_readable(conn->proc->task);
}

int sim_proc_connect(struct sim_proc *proc)
{
    struct sim_host *host = proc->host;
    struct sim_conn *conn = mem_calloc(1, sizeof(*conn));
    if (!conn)
        return -1;
    conn->proc = proc;
    conn->host = host;
    conn->number = host->next_conn++;
    queue_init(&conn->up);
    queue_init(&conn->waiting);
    queue_init(&conn->down);
    sim_event_init(&conn->up_turn, host, conn_up_turn, NULL);
    sim_event_init(&conn->down_turn, host, conn_down_turn, NULL);
    conn->down_turn.by_machine = true;
    if (map_put(&host->conns, conn->number, conn) < 0) {
        mem_free(conn);
        return -1;
    }
    proc->conn = conn;
    struct event core = {.kind = EVENT_CONN_OPENED, .conn = conn->number, .pid = proc->pid};
    sim_host_step_later(host, &core, SOCKET_US * SIM_NS_PER_US);
    return 0;
}

void sim_proc_disconnect(struct sim_proc *proc)
{
    struct sim_conn *conn = proc->conn;
    if (!conn)
        return;
    proc->conn = NULL;
    conn->proc = NULL;
    queue_fini(&conn->down);
    if (!conn->host) {
        conn_free(conn);
        return;
    }
    /* Not before EVENT_CONN_OPENED, and after what is in the socket: the same turn reads both. */
    wake(&conn->up_turn, 2 * SOCKET_US * SIM_NS_PER_US);
    conn_flush(conn);
}

bool sim_proc_can_write(const struct sim_proc *proc)
{
    const struct sim_conn *conn = proc->conn;
    return conn && conn->host && conn->up.bytes < proc->host->world->settings.conn_buffer_bytes;
}

void sim_proc_write(struct sim_proc *proc, struct frame *frame)
{
    struct sim_conn *conn = proc->conn;
    queue_push(&conn->up, queued_create(frame, NULL));
    if (!conn->paused)
        wake(&conn->up_turn, 2 * SOCKET_US * SIM_NS_PER_US);
}

bool sim_proc_read(struct sim_proc *proc, struct frame *frame)
{
    struct sim_conn *conn = proc->conn;
    struct queued_frame *queued = conn ? queue_pop(&conn->down) : NULL;
    if (!queued)
        return false;
    *frame = queued->frame;
    mem_free(queued);
    tell_frame(proc->host, proc->name, "<", proc->host->name, frame);
    if (conn->host)
        conn_flush(conn);
    return true;
}

void sim_conn_send(struct sim_conn *conn, const struct frame *frame, const struct origin *origin)
{
    struct frame own = frame_hold(frame);
    queue_push(&conn->waiting, queued_create(&own, origin));
    conn_flush(conn);
}

void sim_conn_pause(struct sim_conn *conn, bool pause)
{
    conn->paused = pause;
    if (!pause)
        wake(&conn->up_turn, SIM_NS_PER_US);
}

void sim_conn_close(struct sim_conn *conn)
{
    conn->closing = true;
    conn_flush(conn);
}

void sim_conns_go_on(struct sim_host *host)
{
    for (size_t i = host->conns.count; i > 0; i--)
        conn_flush(host->conns.entries[i - 1].value);
}

void sim_conns_fini(struct sim_host *host)
{
    while (host->conns.count) {
        struct sim_conn *conn = host->conns.entries[host->conns.count - 1].value;
        if (conn->proc)
            conn->proc->conn = NULL;
        conn->proc = NULL;
        conn_drop_daemon_end(conn);
    }
}

/* ---- processes ---- */

struct piece {
    struct list link;
    struct slice bytes;
};

static void output_turn(struct sim_world *world, struct sim_event *event);
static void program_turn(struct sim_world *world, struct sim_event *event);

struct sim_proc *sim_proc_create(struct sim_host *host, const char *name, uint64_t ticket)
{
    struct sim_proc *proc = mem_calloc(1, sizeof(*proc));
    if (!proc)
        return NULL;
    proc->host = host;
    proc->pid = host->next_pid++;
    proc->ticket = ticket;
    str_copy(proc->name, sizeof(proc->name), name);
    list_init(&proc->output);
    sim_event_init(&proc->turn, host, program_turn, NULL);
    proc->turn.by_machine = true;
    sim_event_init(&proc->output_turn, host, output_turn, NULL);
    list_push_back(&host->procs, &proc->link);
    return proc;
}

void sim_proc_destroy(struct sim_proc *proc)
{
    struct sim_world *world = proc->host->world;
    if (proc->task && proc->task->tid)
        sim_promise_task_ended(world, proc->task->tid, false);
    sim_task_destroy(proc->task);
    if (proc->conn) {
        proc->conn->proc = NULL;
        if (!proc->conn->host)
            conn_free(proc->conn);
        proc->conn = NULL;
    }
    LIST_EACH(pos, following, &proc->output) {
        struct piece *piece = LIST_ENTRY(pos, struct piece, link);
        slice_drop(&piece->bytes);
        mem_free(piece);
    }
    sim_forget(world, &proc->turn);
    sim_forget(world, &proc->output_turn);
    list_remove(&proc->link);
    mem_free(proc);
}

static void program_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_proc *proc = CONTAINER_OF(event, struct sim_proc, turn);
    if (proc->ended)
        return;
    if (!proc->begun) {
        proc->begun = true;
        if (proc->program->begin)
            proc->program->begin(proc);
        if (!proc->ended && proc->program->enrols)
            sim_task_enrol(proc->task);
    } else if (proc->program->turn) {
        proc->program->turn(proc);
    }
}

void sim_proc_print(struct sim_proc *proc, const char *text)
{
    struct piece *piece = mem_calloc(1, sizeof(*piece));
    CHECK(piece);
    piece->bytes = slice_copy(text, strlen(text));
    list_push_back(&proc->output, &piece->link);
    if (!proc->output_paused)
        wake(&proc->output_turn, SOCKET_US * SIM_NS_PER_US);
}

void sim_proc_pause_output(struct sim_proc *proc, bool pause)
{
    proc->output_paused = pause;
    if (!pause)
        wake(&proc->output_turn, SIM_NS_PER_US);
}

/* The daemon reads the pipe; after the end of it comes the news of the process's end. */
static void output_turn(struct sim_world *world, struct sim_event *event)
{
    struct sim_proc *proc = CONTAINER_OF(event, struct sim_proc, output_turn);
    struct sim_host *host = proc->host;
    struct event core = {.kind = EVENT_CHILD_OUTPUT, .ticket = proc->ticket};
    if (proc->output_paused && !proc->end_of_file_told)
        return;
    struct list *first = list_first(&proc->output);
    if (first) {
        struct piece *piece = LIST_ENTRY(first, struct piece, link);
        core.bytes = piece->bytes;
        list_remove(first);
        mem_free(piece);
        if (!list_is_empty(&proc->output) || proc->ended)
            wake(&proc->output_turn, SOCKET_US * SIM_NS_PER_US);
        sim_host_step(host, &core);
    } else if (proc->ended && !proc->end_of_file_told && proc->ticket) {
        proc->end_of_file_told = true;
        wake(&proc->output_turn, rng_below(&world->wire, REAP_US) * SIM_NS_PER_US);
        sim_host_step(host, &core);
    } else if (proc->ended) {
        core.kind = EVENT_CHILD_EXITED;
        core.wait_status = proc->wait_status;
        const bool is_child = proc->ticket != 0;
        sim_proc_destroy(proc);
        if (is_child)
            sim_host_step(host, &core);
    }
}

void sim_proc_end(struct sim_proc *proc, int32_t wait_status)
{
    if (proc->ended)
        return;
    struct sim_world *world = proc->host->world;
    SIM_TELL(world, SIM_TRACE_TASK, proc->name, "ends, wait status %d", (int)wait_status);
    proc->ended = true;
    proc->wait_status = wait_status;
    if (proc->task && proc->task->tid)
        sim_promise_task_ended(world, proc->task->tid,
                               proc->conn && client_out_is_empty(proc->task->client));
    sim_proc_disconnect(proc);
    sim_forget(world, &proc->turn);
    wake(&proc->output_turn, rng_below(&world->wire, REAP_US) * SIM_NS_PER_US);
}

void sim_proc_signal(struct sim_proc *proc, int32_t signal)
{
    SIM_TELL(proc->host->world, SIM_TRACE_TASK, proc->name, "gets signal %d", (int)signal);
    if (signal == SIGNAL_KILL || (signal == SIGNAL_TERM && !proc->ignores_term))
        sim_proc_end(proc, signal);
}

struct sim_proc *sim_proc_find(struct sim_host *host, uint32_t pid)
{
    LIST_EACH(pos, following, &host->procs) {
        struct sim_proc *proc = LIST_ENTRY(pos, struct sim_proc, link);
        if (proc->pid == pid)
            return proc;
    }
    return NULL;
}

struct sim_proc *sim_proc_of_ticket(struct sim_host *host, uint64_t ticket)
{
    LIST_EACH(pos, following, &host->procs) {
        struct sim_proc *proc = LIST_ENTRY(pos, struct sim_proc, link);
        if (proc->ticket == ticket)
            return proc;
    }
    return NULL;
}

void sim_children_end(struct sim_host *host, int32_t signal)
{
    LIST_EACH(pos, following, &host->procs) {
        struct sim_proc *proc = LIST_ENTRY(pos, struct sim_proc, link);
        if (proc->ticket && !proc->ended)
            sim_proc_end(proc, signal);
    }
}

void sim_procs_orphan(struct sim_host *host)
{
    sim_children_end(host, SIGNAL_KILL);
    for (size_t i = host->conns.count; i > 0; i--)
        conn_drop_daemon_end(host->conns.entries[i - 1].value);
}

void sim_procs_end(struct sim_host *host)
{
    for (size_t i = host->conns.count; i > 0; i--)
        conn_drop_daemon_end(host->conns.entries[i - 1].value);
    LIST_EACH(pos, following, &host->procs) {
        struct sim_proc *proc = LIST_ENTRY(pos, struct sim_proc, link);
        if (!proc->ticket)
            continue;
        if (!proc->ended)
            SIM_TELL(host->world, SIM_TRACE_TASK, proc->name, "ends, wait status %d", SIGNAL_KILL);
        sim_proc_destroy(proc);
    }
}

/* ---- children ---- */

/* Between EFFECT_CHILD_START and EVENT_CHILD_STARTED. */
struct birth {
    struct sim_event event;
    uint64_t ticket;
    uint64_t cookie;
    uint64_t life;
    const struct sim_program *program; /* NULL: no such file */
    bool fails;
};

static void birth_cancel(struct sim_event *event)
{
    mem_free(CONTAINER_OF(event, struct birth, event));
}

static void birth_run(struct sim_world *world, struct sim_event *event)
{
    struct birth *birth = CONTAINER_OF(event, struct birth, event);
    struct sim_host *host = event->host;
    struct event core = {.kind = EVENT_CHILD_STARTED, .ticket = birth->ticket};
    host->under_way--;
    if (birth->life != host->life) {
        mem_free(birth);
        return;
    }
    if (!birth->program || birth->fails) {
        core.status = birth->program ? PVM_OUT_OF_RES : PVM_NO_FILE;
        core.text = birth->program ? "no process slots" : "no such file";
    } else {
        char name[64];
        const int index = sim_program_index(birth->program);
        str_format(name, sizeof(name), "%s.%u", birth->program->name,
                   (unsigned)++world->program_runs[index]);
        struct sim_proc *proc = sim_proc_create(host, name, birth->ticket);
        CHECK(proc && sim_task_create(proc) == 0);
        proc->program = birth->program;
        proc->cookie = birth->cookie;
        core.pid = proc->pid;
        SIM_TELL(world, SIM_TRACE_HOST, host->name, "child %s starts", name);
        sim_after(world, &proc->turn, BEGIN_US * SIM_NS_PER_US);
    }
    mem_free(birth);
    sim_host_step(host, &core);
}

static uint64_t read_cookie(const char *const *environment)
{
    uint64_t cookie = 0;
    for (; environment && *environment; environment++) {
        if (!str_has_prefix(*environment, "PVMEPID="))
            continue;
        for (const char *digit = *environment + strlen("PVMEPID="); *digit >= '0' && *digit <= '9';
             digit++)
            cookie = cookie * 10 + (uint64_t)(*digit - '0');
    }
    return cookie;
}

void sim_child_start(struct sim_host *host, uint64_t ticket, const struct child_start *child)
{
    struct sim_world *world = host->world;
    struct birth *birth = mem_calloc(1, sizeof(*birth));
    CHECK(birth);
    birth->ticket = ticket;
    birth->life = host->life;
    birth->cookie = read_cookie(child->environment);
    birth->program = sim_program_find(child->file);
    birth->fails = sim_fault_of_spawn(world, host->name);
    host->under_way++;
    sim_event_init(&birth->event, host, birth_run, birth_cancel);
    sim_after(world, &birth->event,
              (SPAWN_US + rng_below(&world->wire, SPAWN_JITTER_US)) * SIM_NS_PER_US);
}
