/* SPDX-License-Identifier: BSD-3-Clause */
/* Errors as programs see them: see the header; pvm_perror(), pvm_strerror(), the table of texts. */
#include "libpvm/error.h"

#include "base/str.h"
#include "client/client.h"
#include "libpvm/lock.h"
#include "libpvm/task.h"

#include "pvm3.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { ERROR_TEXTS = 37, LABEL_BYTES = 32, NOTE_BYTES = 1024 };

int pvm_errno;
int pvm_nerr = ERROR_TEXTS;

/* A hole in the numbers has a text too; the designated rows below replace the others. */
char *pvm_errlist[ERROR_TEXTS] = {[1] = "Error 1",
                                  [9] = "Error 9",
                                  [11] = "Error 11",
                                  [13] = "Error 13",
#define ERROR_ROW(name, code, text) [-(code)] = text,
                                  ERROR_TABLE(ERROR_ROW)
#undef ERROR_ROW
};

/* "[t40001]", or the process as long as there is no tid; -1 until enrolment was tried. */
static const char *label(char text[LABEL_BYTES])
{
    lock_enter();
    const int tid = task_tid();
    lock_leave();
    if (tid > 0)
        str_format(text, LABEL_BYTES, "[t%x]", (unsigned)tid);
    else
        str_format(text, LABEL_BYTES, "[pid%d]", pvmmyupid);
    return text;
}

/* The calling thread's last error. */
static int *last_error(void)
{
    return lock_is_main() ? &pvm_errno : &lock_thread()->error;
}

static const char *text_of(int code)
{
    if (code > 0 || code <= -ERROR_TEXTS)
        return "Unknown Error";
    return pvm_errlist[-code];
}

static void print_error(const char *subject, int code)
{
    char where[LABEL_BYTES];
    fflush(stdout);
    fprintf(stderr, "libpvm %s: %s: %s\n", label(where), subject ? subject : "(null)",
            text_of(code));
    fflush(stderr);
}

int result_quiet(int status)
{
    if (status < 0)
        *last_error() = status;
    return status;
}

int lpvmerr(const char *call, int code)
{
    char subject[128];
    *last_error() = code;
    const int mode = pvmautoerr;
    if (mode == 0)
        return code;
    str_format(subject, sizeof(subject), "%s()", call ? call : "(null)");
    print_error(subject, code);
    if (mode == 2) {
        pvmautoerr = 1; /* leaving must not come back here */
        pvm_exit();
        exit(code);
    }
    if (mode == 3)
        abort();
    return code;
}

void note(const char *format, ...)
{
    char text[NOTE_BYTES], where[LABEL_BYTES];
    va_list args;
    va_start(args, format);
    str_format_args(text, sizeof(text), format, args);
    va_end(args);
    fprintf(stderr, "libpvm %s %s\n", label(where), text);
}

int pvm_perror(char *message)
{
    print_error(message, *last_error());
    return 0;
}

char *pvm_strerror(void)
{
    return (char *)(size_t)text_of(*last_error());
}
