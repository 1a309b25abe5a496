/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls of the interface whose machinery is not there yet: VM-wide contexts, registered services.
 * They say PvmNotImpl as any error is said; none succeeds without doing its work.
 */
#include "libpvm/error.h"

#include "pvm3.h"
#include "pvmtev.h"

#define ABSENT(call, parameters)                                                                   \
    int call parameters                                                                            \
    {                                                                                              \
        return result(#call, PvmNotImpl);                                                          \
    }

ABSENT(pvm_newcontext, (void))
ABSENT(pvm_freecontext, (int context))
ABSENT(pvm_reg_hoster, (void))
ABSENT(pvm_reg_tasker, (void))
ABSENT(pvm_reg_rm, (struct pvmhostinfo * *master))
ABSENT(pvm_reg_tracer, (int trace_context, int trace_tag, int output_context, int output_tag,
                        char *mask, int buffer, int options))
