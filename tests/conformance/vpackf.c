/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-46
 * The exported va_list forms do what packf and unpackf do.
 */
#include "conf.h"

int pvm_vpackf(const char *format, va_list arguments);
int pvm_vunpackf(const char *format, va_list arguments);

static int pack(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int code = pvm_vpackf(format, arguments);
    va_end(arguments);
    return code;
}

static int unpack(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int code = pvm_vunpackf(format, arguments);
    va_end(arguments);
    return code;
}

static void run(void)
{
    int value = 0;
    char text[16] = "";
    CODE(pack("%d", 1));
    CODE(pack("%+%d %s", PvmDataRaw, 17, "seven"));
    CODE(pvm_send(pvm_mytid(), 1));
    conf_take(-1, 1);
    CODE(unpack("%d%s", &value, text));
    printf("%d %s\n", value, text);
    CODE(unpack("%d", &value));
    CODE(unpack("%!", &value));
}

CONF_MAIN(run)
