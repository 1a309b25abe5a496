/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-64
 * The message is the active receive buffer; the one before is freed, also when nothing is found,
 * but not for parameters that cannot be.
 */
#include "conf_mbox.h"

static void run(void)
{
    int bytes;
    box_put("buf", 1, 0);
    const int first = pvm_recvinfo("buf", 0, 0);
    YES(pvm_getrbuf() == first);
    CODE(pvm_recvinfo("buf", -1, 0));
    YES(pvm_getrbuf() == first);
    CODE(pvm_bufinfo(first, &bytes, NULL, NULL));
    const int second = pvm_recvinfo("buf", 0, 0);
    YES(pvm_getrbuf() == second);
    CODE(pvm_bufinfo(first, &bytes, NULL, NULL));
    CODE(pvm_recvinfo("nosuch", 0, 0));
    CODE(pvm_bufinfo(second, &bytes, NULL, NULL));
    const int kept = pvm_recvinfo("buf", 0, 0);
    YES(pvm_setrbuf(0) == kept);
    CODE(pvm_recvinfo("nosuch", 0, 0));
    CODE(pvm_bufinfo(kept, &bytes, NULL, NULL));
    NUM(bytes);
}

CONF_MAIN(run)
