/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: CONV-5
 * Which errors are printed, and which are only kept.
 */
#include "conf_mbox.h"

static void conf_errors_said(const char *what, int code)
{
    const int kept = pvm_errno;
    printf("%s: %s, kept %s\n", what, conf_name(code), conf_name(kept));
    conf_errors_end("  printed");
}

static void run(void)
{
    box_start(1);
    pvm_errno = 0;
    #define KEPT(call) (conf_errors_begin(), pvm_errno = 0, conf_errors_said(#call, (call)))
    box_do(0, "put", "prt", 1, 0);
    KEPT(box_put("prt", 2, 0));
    KEPT(pvm_putinfo("", pvm_mkbuf(PvmDataDefault), 0));
    KEPT(pvm_recvinfo("prt", 3, 0));
    KEPT(pvm_recvinfo("prt", -1, 0));
    KEPT(pvm_recvinfo("prt", 0, PvmMboxReadAndDelete));
    KEPT(pvm_delinfo("prt", 0, 0));
    KEPT(pvm_delinfo("prt", 3, 0));
    KEPT(pvm_delinfo("prt", -1, 0));
    KEPT(pvm_insert("prt", 0, 1));
    KEPT(pvm_insert("prt", -2, 1));
    KEPT(pvm_lookup("prt", 3, NULL));
    KEPT(pvm_lookup("prt", -2, NULL));
    KEPT(pvm_delete("prt", 0));
    KEPT(pvm_delete("prt", 3));
    KEPT(pvm_delete("prt", -1));
    box_end_all(1);
}

CONF_MAIN(run, {"worker", box_worker})
