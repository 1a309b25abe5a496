/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64 D14
 * While one thread waits for an entry others work, and one of them puts it. The original's library
 * knows no threads.
 */
#include "conf_mbox.h"

#include <pthread.h>

enum { THREADS = 3 };

static void *wait_for(void *name)
{
    return (void *)(long)box_get(name, 0, PvmMboxWaitForInfo);
}

static void run(void)
{
    static char names[THREADS][8];
    pthread_t threads[THREADS];
    void *found = NULL;
    YES(pvm_mytid() > 0);
    for (int i = 0; i < THREADS; i++) {
        snprintf(names[i], sizeof names[i], "thr%d", i);
        pthread_create(&threads[i], NULL, wait_for, names[i]);
    }
    for (int i = 0; i < 100; i++) {
        conf_send_int(pvm_mytid(), 7, i);
        if (conf_take_int(-1, 7) != i)
            printf("another message than the own\n");
    }
    for (int i = THREADS - 1; i >= 0; i--) {
        CODE(box_put(names[i], 40 + i, 0));
        pthread_join(threads[i], &found);
        NUM(found);
    }
}

CONF_MAIN(run)
