/* SPDX-License-Identifier: BSD-3-Clause */
/* What is known of the messages a task sent. */
#include "core/sender.h"

#include "tap.h"

static enum sender_verdict note(struct sender *sender, uint32_t to, uint64_t sequence, int flags)
{
    struct frame frame = {.kind = FRAME_DATA, .flags = (uint8_t)flags, .destination = to,
                          .sequence = sequence};
    return sender_note(sender, &frame);
}

static bool is_eight(void *context, uint32_t receiver)
{
    (void)context;
    return receiver == 8;
}

int main(void)
{
    struct sender *sender = sender_create(1);
    struct open_message open;
    EQUAL(sender_last(sender, 5), 0, "nothing was sent");
    EQUAL(note(sender, 5, 1, FRAME_FIRST | FRAME_LAST), SENDER_OK, "a message of one fragment");
    EQUAL(sender_last(sender, 5), 1, "counts");
    EQUAL(note(sender, 5, 2, FRAME_FIRST), SENDER_OK, "the beginning of another");
    EQUAL(sender_last(sender, 5), 1, "does not");
    EQUAL(note(sender, 5, 2, 0), SENDER_OK, "nor its middle");
    EQUAL(note(sender, 6, 1, FRAME_FIRST), SENDER_OK, "one to somebody else meanwhile");
    EQUAL(note(sender, 5, 2, FRAME_LAST), SENDER_OK, "its end");
    EQUAL(sender_last(sender, 5), 2, "does");
    EQUAL(note(sender, 5, 3, 0), SENDER_MALFORMED, "a middle without a beginning cannot be");
    EQUAL(note(sender, 5, 3, FRAME_LAST), SENDER_MALFORMED, "nor an end");
    EQUAL(note(sender, 6, 1, FRAME_FIRST), SENDER_MALFORMED, "nor a beginning twice");
    OK(sender_take_open(sender, &open) && open.receiver == 6 && open.sequence == 1,
       "what is unfinished is known");
    OK(!sender_take_open(sender, &open), "once");
    enum sender_verdict verdict = SENDER_OK;
    int begun = 0;
    for (; verdict == SENDER_OK && begun < 5000; begun++)
        verdict = note(sender, 7, (uint64_t)begun + 1, FRAME_FIRST);
    EQUAL(begun, SENDER_OPEN_MAX + 1, "no more than so many may be begun");
    EQUAL(sender_note_complete(sender, 8, 4), 0, "one more");
    sender_forget_gone(sender, is_eight, NULL);
    OK(sender_last(sender, 8) == 0 && sender_last(sender, 5) == 2, "who is gone is forgotten");
    sender_forget_host(sender, 0);
    EQUAL(sender_last(sender, 5), 0, "a host that went is forgotten");
    sender_destroy(sender);
    return tap_done();
}
