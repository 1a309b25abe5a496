/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-49
 * stderr: ignored
 * A negative length is complained about, yet an empty message goes out and 0 is returned.
 */
#include "conf.h"

static void run(void)
{
    int value = 3, bytes = -1;
    CODE(pvm_psend(pvm_mytid(), 1, &value, -1, PVM_INT));
    pvm_bufinfo(conf_take(-1, 1), &bytes, NULL, NULL);
    NUM(bytes);
}

CONF_MAIN(run)
