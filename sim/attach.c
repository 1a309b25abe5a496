/* SPDX-License-Identifier: BSD-3-Clause */
/* Simulated tasks that share memory: see the header. */
#include "sim/attach.h"

#include "sim/world.h"

static struct sim_world *world_of(const struct sim_task *task)
{
    return task->proc->host->world;
}

static bool read_message(struct arena *arena, const struct frame *frame, struct message *message)
{
    arena_reset(arena);
    return frame->kind == FRAME_CONTROL &&
           message_decode(frame->body.data, frame->body.length, arena, message) == 0;
}

uint32_t sim_attach_fds(struct arena *arena, const struct frame *frame)
{
    struct message message;
    if (!read_message(arena, frame, &message) || message.type != TM_ATTACH)
        return 0;
    return message.tm_attach.fds;
}

void sim_task_attach(struct sim_task *task, uint32_t tid)
{
    struct sim_world *world = world_of(task);
    if (task->share_index == 0 || task->exiting || map_get(&task->asked_to_share, tid))
        return;
    struct message message = {.type = TM_ATTACH,
                              .tm_attach = {.tid = tid, .ring_slots = 8,
                                            .fds = task->fds_sent ? 0 : SHARE_FDS_COUNT}};
    task->fds_sent = true;
    CHECK(map_put(&task->asked_to_share, tid, task) == 0);
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "asks to share memory with %s",
             sim_tid_name(world, tid));
    sim_task_request(task, &message);
}

static void peer_came(struct sim_task *task, const struct wire_tm_peer *peer)
{
    struct sim_world *world = world_of(task);
    if (peer->status < 0) {
        const char *words = client_error_text(peer->status);
        SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "cannot share with %s: %s",
                 sim_tid_name(world, peer->tid), words ? words : "?");
        return;
    }
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "shares memory with %s, index %u",
             sim_tid_name(world, peer->tid), (unsigned)peer->index);
    CHECK(map_put(&task->sharing, peer->tid, task) == 0);
    sim_task_attach(task, peer->tid);
}

static void peer_gone(struct sim_task *task, uint32_t tid)
{
    struct sim_world *world = world_of(task);
    SIM_TELL(world, SIM_TRACE_TASK, task->proc->name, "shares no more with %s",
             sim_tid_name(world, tid));
    map_remove(&task->sharing, tid);
}

bool sim_task_takes_share(struct sim_task *task, const struct frame *frame)
{
    struct message message;
    if (!read_message(&task->proc->host->world->arena, frame, &message))
        return false;
    switch (message.type) {
    case TM_ENROLLED:
        task->share_index = message.tm_enrolled.share_index;
        return false;
    case TM_PEER:
        peer_came(task, &message.tm_peer);
        return true;
    case TM_GONE:
        peer_gone(task, message.tm_gone.tid);
        return true;
    default:
        return false;
    }
}

void sim_task_check_gone(struct sim_task *task, uint32_t tid)
{
    if (map_get(&task->sharing, tid))
        sim_promise_broken(world_of(task), "%s is told that %s ended while they share memory",
                           task->proc->name, sim_tid_name(world_of(task), tid));
}
