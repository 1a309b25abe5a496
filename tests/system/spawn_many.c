/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Starts tasks that end at once, batch after batch, and wants exactly one notice for each. At each
 * checkpoint it says so and waits for a line, so that its driver can look at the daemon.
 *
 *   spawn_many PROGRAM CHECKPOINTS PER_CHECKPOINT BATCH
 */
#include <pvm3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TAG_ENDED = 7, LOCAL_MASK = 0x3ffff, BATCH_MAX = 4096 };

static unsigned char open_notices[LOCAL_MASK + 1];
static int tids[BATCH_MAX];

static int fail(const char *what, int value)
{
    printf("failed: %s (%d)\n", what, value);
    pvm_exit();
    exit(1);
}

static void take_notice(void)
{
    int tid = 0, mid = pvm_recv(-1, TAG_ENDED);
    if (mid < 0 || pvm_upkint(&tid, 1, 1) < 0)
        fail("a notice did not come", mid);
    if (!open_notices[tid & LOCAL_MASK])
        fail("a notice came twice, or for nobody", tid);
    open_notices[tid & LOCAL_MASK] = 0;
}

/* Some have ended before they are asked for, some have not. */
static void run_batch(char *program, int count)
{
    int started = pvm_spawn(program, NULL, PvmTaskDefault, "", count, tids);
    if (started != count)
        fail("not all started, first result", tids[started < 0 ? 0 : started]);
    for (int i = 0; i < count; i++) {
        if (open_notices[tids[i] & LOCAL_MASK])
            fail("a number was used again while it was in use", tids[i]);
        open_notices[tids[i] & LOCAL_MASK] = 1;
    }
    int status = pvm_notify(PvmTaskExit, TAG_ENDED, count, tids);
    if (status < 0)
        fail("notices are refused", status);
    for (int i = 0; i < count; i++)
        take_notice();
}

int main(int argc, char **argv)
{
    char line[16];
    if (argc != 5 || pvm_mytid() < 0)
        return 2;
    const int checkpoints = atoi(argv[2]), per_checkpoint = atoi(argv[3]), batch = atoi(argv[4]);
    if (batch < 1 || batch > BATCH_MAX)
        return 2;
    for (int checkpoint = 0; checkpoint < checkpoints; checkpoint++) {
        for (int done = 0; done < per_checkpoint; done += batch)
            run_batch(argv[1], per_checkpoint - done < batch ? per_checkpoint - done : batch);
        if (pvm_nrecv(-1, -1) > 0)
            fail("a message too many", 0);
        printf("checkpoint\n");
        fflush(stdout);
        if (!fgets(line, sizeof(line), stdin))
            return 1;
    }
    pvm_exit();
    return 0;
}
