/* SPDX-License-Identifier: BSD-3-Clause */
/* pvm_catchout(): lines out of pieces, marks, odd orders, unfinished lines, a host that goes;
 * siblings. */
#include "fake.h"

#include "pvm3.h"

enum { ONE = 0x80001, TWO = 0x80002, THREE = 0xc0003 };

static uint64_t sequence;

/* A message of the daemon's to the task, in context TC. */
static void tell(struct fake_link *link, int tag, const int *ints, int count, const char *text)
{
    struct wr wr;
    wr_init(&wr);
    const size_t length = text ? strlen(text) : 0, padded = (length + 3) / 4 * 4;
    const struct message_head head = {.encoding = 0x10000000,
                                      .tag = tag,
                                      .context = TID_CONTEXT_CONTROL,
                                      .length = 4 * (size_t)count + padded};
    message_head_write(&wr, &head);
    for (int i = 0; i < count; i++)
        wr_u32(&wr, (uint32_t)ints[i]);
    wr_bytes(&wr, text ? text : "", length);
    wr_bytes(&wr, "\0\0\0", padded - length);
    struct frame frame = {.kind = FRAME_DATA,
                          .flags = FRAME_FIRST | FRAME_LAST,
                          .source = TID_DAEMON | 0x40000,
                          .destination = (uint32_t)link->tid,
                          .sequence = ++sequence,
                          .body = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    fake_write(link, &frame);
    frame_drop(&frame);
}

static void tell_text(struct fake_link *link, int tid, const char *text)
{
    const int head[2] = {tid, (int)strlen(text)};
    tell(link, TAG_CONTROL_OUTPUT, head, 2, text);
}

static void tell_mark(struct fake_link *link, int tid, int mark)
{
    const int head[3] = {tid, mark, link->tid};
    tell(link, TAG_CONTROL_OUTPUT, head, mark == 0 ? 2 : 3, NULL);
}

/* Answers everything; the output comes with the first TM_PSTAT, the loss of a host with the
 * second. */
static void serve_output(struct fake_link *link)
{
    struct message message;
    int asked = 0;
    sequence = 0;
    fake_hear(link);
    fake_enrolled(link, PROTOCOL_TASK_VERSION, 0);
    while ((message = fake_hear(link)).type != MESSAGE_NONE) {
        if (message.type == TM_PSTAT && ++asked == 1) {
            tell_mark(link, ONE, -2);
            tell_text(link, ONE, "a line\nhalf a ");
            tell_mark(link, TWO, -1);
            tell_mark(link, TWO, -2);
            tell_text(link, TWO, "two\n\n");
            tell_text(link, ONE, "line\nrest");
            tell_mark(link, ONE, 0);
            tell_mark(link, TWO, 0);
            tell_mark(link, ONE, -1);
            tell_mark(link, THREE, -2);
            tell_mark(link, THREE, -1);
            tell_text(link, THREE, "cut");
        } else if (message.type == TM_PSTAT) {
            const struct frame gone = {
                .kind = FRAME_ABORT, .source = 0xc0000, .destination = (uint32_t)link->tid};
            fake_write(link, &gone);
        }
        if (message.type == TM_EXIT || message.type == TM_PSTAT)
            fake_done(link, message.tm_done.wait, 0);
    }
}

static const char *text_of(FILE *file)
{
    static char text[4096];
    fflush(file);
    rewind(file);
    const size_t length = fread(text, 1, sizeof(text) - 1, file);
    text[length] = '\0';
    return text;
}

static void lines(int show_tids, const char *wanted)
{
    struct fake fake;
    FILE *file = tmpfile();
    fake_start(&fake, serve_output);
    pvm_setopt(PvmShowTids, show_tids);
    EQUAL(pvm_catchout(file), 0, "output is collected");
    EQUAL(pvm_getopt(PvmOutputTid), pvm_mytid(), "here");
    pvm_pstat(ONE);
    pvm_pstat(ONE);
    EQUAL(pvm_exit(), 0, "nothing is waited for");
    SAME_TEXT(text_of(file), wanted, "the lines");
    fclose(file);
    fake_stop(&fake);
}

static void collected(void)
{
    lines(1, "[t80001] BEGIN\n[t80001] a line\n[t80002] BEGIN\n[t80002] two\n[t80002] \n"
             "[t80001] half a line\n[t80001] rest\n[t80002] EOF\n[t80001] EOF\n"
             "[tc0003] BEGIN\n[tc0003] cut\n[tc0003] EOF\n");
    lines(0, "a line\ntwo\n\nhalf a line\nrest\ncut\n");
}

static void serve_siblings(struct fake_link *link)
{
    static const struct wire_sink sinks[2];
    const int list[] = {3, 0x40011, 0x40012, 0x40013}, wrong[] = {1000, 1};
    struct message message;
    sequence = 0;
    fake_hear(link);
    const struct message answer = {.type = TM_ENROLLED,
                                   .tm_enrolled = {.version = PROTOCOL_TASK_VERSION,
                                                   .tid = (uint32_t)link->tid,
                                                   .parent = 0x40001,
                                                   .host_name = "fake",
                                                   .sinks = {2, sinks},
                                                   .daemon_tid = TID_DAEMON | 0x40000}};
    fake_say(link, &answer);
    tell(link, TAG_CONTROL_SIBLINGS, wrong, 2, NULL);
    tell(link, TAG_CONTROL_SIBLINGS, list, 4, NULL);
    while ((message = fake_hear(link)).type != MESSAGE_NONE)
        if (message.type == TM_EXIT)
            fake_done(link, message.tm_done.wait, 0);
}

static void family(void)
{
    struct fake fake;
    int *tids = NULL;
    fake_start(&fake, serve_siblings);
    EQUAL(pvm_parent(), 0x40001, "a spawned task");
    EQUAL(pvm_siblings(&tids), 3, "has siblings; a list that is none is passed over");
    OK(tids && tids[0] == 0x40011 && tids[2] == 0x40013, "in the spawner's order");
    pvm_exit();
    fake_stop(&fake);
    fake_start(&fake, serve_output);
    OK(pvm_siblings(&tids) == 1 && tids[0] == pvm_mytid(), "who was not spawned is alone");
    pvm_exit();
    fake_stop(&fake);
}

int main(void)
{
    unsetenv("PVMEPID");
    TEST(collected);
    TEST(family);
    return tap_done();
}
