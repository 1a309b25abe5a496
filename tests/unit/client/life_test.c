/* SPDX-License-Identifier: BSD-3-Clause */
/* Enrolment, refusal, leaving; the texts and numbers of errors as in pvm3.h; the data signature. */
#include "room.h"

#include "pvm3.h"

static struct client *new_client(void)
{
    const struct client_config config = {.signature = client_signature_native()};
    return client_create(&config);
}

static void errors(void)
{
#define SAME_NUMBER(name, code, text) same &= name == CLIENT_##name;
    int same = 1;
    ERROR_TABLE(SAME_NUMBER)
    OK(same, "the numbers of errors are those of pvm3.h");
    SAME_TEXT(client_error_text(-14), "Can't contact local daemon", "a text");
    OK(client_error_text(-1) == NULL, "a number that is none has no text");
}

static void signature(void)
{
    const uint16_t probe = 1;
    if (*(const uint8_t *)&probe == 1 && sizeof(long) == 8)
        EQUAL(client_signature_native(), 0x00408c41, "the signature of LINUX64");
    else
        SKIP("the signature of LINUX64", "another kind of machine");
}

static void enrolment(void)
{
    const char *error;
    struct client *task = new_client();
    const struct client_identity *identity = client_identity(task);
    OK(identity->tid == 0 && identity->parent == PvmNoParent, "at first nobody");
    EQUAL(client_enrol(task, 77, 0x1234, "name"), 0, "asks");
    struct frame frame;
    struct message message;
    struct arena arena;
    arena_init(&arena);
    client_pull(task, &frame);
    message_decode(frame.body.data, frame.body.length, &arena, &message);
    OK(message.type == TM_ENROL && message.tm_enrol.pid == 77 &&
           message.tm_enrol.cookie == 0x1234 && strcmp(message.tm_enrol.name, "name") == 0 &&
           message.tm_enrol.version == PROTOCOL_TASK_VERSION,
       "the first frame says who it is");
    frame_drop(&frame);
    arena_fini(&arena);
    EQUAL(client_enrolled(task, &error), 0, "no answer yet");
    const struct message yes = {.type = TM_ENROLLED,
                                .tm_enrolled = {.version = PROTOCOL_TASK_VERSION,
                                                .tid = 0x40005,
                                                .parent = 0x40001,
                                                .host_name = "node",
                                                .daemon_tid = 0x80040000}};
    feed_control(task, &yes);
    EQUAL(client_enrolled(task, NULL), 1, "enrolled");
    OK(identity->tid == 0x40005 && identity->parent == 0x40001 &&
           strcmp(identity->host_name, "node") == 0,
       "and knows who it is");
    feed_control(task, &yes);
    EQUAL(client_stats(task).frames_bad, 1, "a second answer is nobody's");
    client_leave(task);
    OK(identity->tid == 0 && identity->parent == PvmNoParent, "who left is nobody");
    client_destroy(task);
    client_destroy(NULL);
}

static void refused(int status, uint32_t version, uint32_t tid, int wanted)
{
    const char *error = NULL;
    struct client *task = new_client();
    client_enrol(task, 1, 0, NULL);
    const struct message no = {
        .type = TM_ENROLLED,
        .tm_enrolled = {.status = status, .error = "because", .version = version, .tid = tid}};
    feed_control(task, &no);
    EQUAL(client_enrolled(task, &error), wanted, "refused");
    OK(error && *error, "with words");
    client_destroy(task);
}

static void refusals(void)
{
    refused(-14, PROTOCOL_TASK_VERSION, 0, -14);
    refused(0, PROTOCOL_TASK_VERSION + 1, 0x40001, PvmBadVersion);
    refused(0, PROTOCOL_TASK_VERSION, 0x40000, PvmSysErr);
}

static void no_memory(void)
{
    struct client *task = NULL;
    int wrong = 0;
    for (uint64_t nth = 1; nth < 10 && !task; nth++) {
        mem_fail_at(nth, 0);
        task = new_client();
        mem_fail_at(0, 0);
    }
    int status = -1;
    for (uint64_t nth = 1; nth < 20 && status < 0; nth++) {
        mem_fail_at(nth, 0);
        status = client_enrol(task, 1, 0, "x");
        mem_fail_at(0, 0);
        wrong += status < 0 && status != CLIENT_PvmNoMem;
    }
    OK(task && status == 0 && wrong == 0, "without memory nobody is born, or enrolled");
    client_destroy(task);
}

/* Memory of another's, as a route lends it. */
static int given_back;

static void give_back(struct buf *buf)
{
    given_back++;
    memset(buf->data, 0, buf->capacity);
}

static void borrowed(void)
{
    static uint8_t lent[3000];
    uint8_t bytes[3000];
    struct client *task = task_new(0x40001, client_signature_native());
    struct buf buf = {1, sizeof(lent), lent, give_back};
    memset(lent, 7, sizeof(lent));
    const struct slice piece = slice_of(&buf, 0, sizeof(lent));
    const struct parcel parcel = {.sequence = 1, .pieces = &piece, .piece_count = 1,
                                  .length = sizeof(lent), .encoding = client_signature_native()};
    client_feed_parcel(task, 0x40002, &parcel);
    buf_drop(piece.buf);
    buf_drop(&buf);
    const int mid = client_receive(task, -1, -1);
    OK(mid > 0 && given_back == 0, "a message that lies in another's memory");
    mem_fail_at(1, 1);
    client_own_bodies(task);
    mem_fail_at(0, 0);
    EQUAL(given_back, 0, "stays there without memory");
    client_unpack(task, CLIENT_BYTE, bytes, 1000, 1);
    client_own_bodies(task);
    EQUAL(given_back, 1, "is copied before the task leaves");
    client_leave(task);
    memset(bytes, 0, sizeof(bytes));
    EQUAL(client_unpack(task, CLIENT_BYTE, bytes, 2000, 1), 0, "and reading goes on where it was");
    int wrong = 0;
    for (int i = 0; i < 2000; i++)
        wrong += bytes[i] != 7;
    EQUAL(wrong, 0, "in the same bytes");
    client_destroy(task);
}

int main(void)
{
    TEST(errors);
    TEST(signature);
    TEST(enrolment);
    TEST(refusals);
    TEST(no_memory);
    TEST(borrowed);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
