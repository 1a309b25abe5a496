/* SPDX-License-Identifier: BSD-3-Clause */
/* What other calls need of mailboxes. */
#ifndef LIBPVM_MBOX_H
#define LIBPVM_MBOX_H

#include <stdbool.h>

/* This task is to be left alone by pvmreset(), or no more. It is enrolled, the lock is held. 0 or
 * PvmSysErr. */
int mbox_set_noreset(bool on);

#endif
