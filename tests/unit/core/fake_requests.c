/* SPDX-License-Identifier: BSD-3-Clause */
/* What tests of the core ask for most often: see fake.h. */
#include "fake.h"

struct message fake_addhosts(struct fake *fake, struct fake_task *task, const char *const *names,
                             size_t count)
{
    struct message request = {.type = TM_ADDHOSTS};
    request.tm_addhosts.hosts = (struct wire_texts){count, names};
    struct message answer = fake_request(fake, task, &request);
    if (answer.type == MESSAGE_NONE) {
        fake_advance(fake, 3 * UINT64_C(1000000000));
        answer = fake_answer(fake, task);
    }
    return answer;
}

struct message fake_delhosts(struct fake *fake, struct fake_task *task, const char *const *names,
                             size_t count)
{
    struct message request = {.type = TM_DELHOSTS};
    request.tm_delhosts.hosts = (struct wire_texts){count, names};
    return fake_request(fake, task, &request);
}

struct message fake_spawn(struct fake *fake, struct fake_task *task, uint32_t flags,
                          const char *where, uint32_t count)
{
    static const char *const argv[] = {"one", "two"};
    static const char *const environment[] = {"COLOUR=blue", "PVM_EXPORT=COLOUR"};
    static const struct wire_sink no_sinks[2];
    struct message request = {.type = TM_SPAWN};
    request.tm_spawn = (struct wire_tm_spawn){
        .file = "worker", .flags = flags, .where = where, .count = count,
        .argv = {2, argv}, .environment = {2, environment}, .sinks = {2, no_sinks}};
    return fake_request(fake, task, &request);
}

void fake_notify(struct fake *fake, struct fake_task *task, int32_t what, int32_t tag,
                 int32_t count, const uint32_t *tids, size_t tid_count)
{
    struct message request = {.type = TM_NOTIFY};
    request.tm_notify = (struct wire_tm_notify){
        .what = what, .context = 7, .tag = tag, .count = count, .tids = {tid_count, tids}};
    fake_request(fake, task, &request);
}

struct fake_task *fake_machine(struct fake *fake, int hosts)
{
    static const char *const local[FAKE_NODES_MAX] = {
        "local", "local", "local", "local", "local", "local", "local", "local",
        "local", "local", "local", "local", "local", "local", "local"};
    struct fake_task *task = fake_task(fake, 0, 0, 0);
    if (hosts > 1)
        fake_addhosts(fake, task, local, (size_t)hosts - 1);
    return task;
}

void fake_attach(struct fake *fake, struct fake_task *task, uint32_t tid, uint64_t ring_offset,
                 uint32_t fds)
{
    struct message attach = {.type = TM_ATTACH};
    attach.tm_attach = (struct wire_tm_attach){.tid = tid, .ring_offset = ring_offset,
                                               .ring_slots = 8, .back_offset = ring_offset + 4096,
                                               .fds = fds};
    struct event event = {.kind = EVENT_CONN_FRAME, .conn = task->conn, .fds = fds};
    event.frame = (struct frame){.kind = FRAME_CONTROL, .source = task->tid};
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, &attach);
    event.frame.body = slice_copy(wr.bytes, wr.length);
    wr_fini(&wr);
    fake_event(fake, task->node, &event);
    frame_drop(&event.frame);
}
