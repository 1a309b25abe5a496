/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-46 API-45
 * The received bytes of packf items: the same as those of the single calls.
 */
#include "conf.h"

static void show_padded(const char *what, int used)
{
    static char bytes[256];
    int length = 0;
    pvm_send(pvm_mytid(), 1);
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    conf_hex(what, bytes, used);
    printf("and %d bytes of padding\n", length - used);
}

static void show(const char *what)
{
    static char bytes[256];
    int length = 0;
    pvm_send(pvm_mytid(), 1);
    pvm_precv(-1, 1, bytes, sizeof bytes, PVM_BYTE, NULL, NULL, &length);
    conf_hex(what, bytes, length);
}

static void run(void)
{
    int ints[] = {1, 2, 3, 4, 5, 6};
    CODE(pvm_packf("%+%c", PvmDataDefault, 'A')), show_padded("%c", 1);
    CODE(pvm_packf("%+%hd", PvmDataDefault, -2)), show("%hd");
    CODE(pvm_packf("%+%d%d", PvmDataDefault, 1, -1)), show("%d%d");
    CODE(pvm_packf("%+%hud%ud", PvmDataDefault, 300, 4000000000u)), show("%hud%ud");
    CODE(pvm_packf("%+%f%lf", PvmDataDefault, 1.0, 1.0)), show("%f%lf");
    CODE(pvm_packf("%+%s", PvmDataDefault, "hey")), show("%s");
    CODE(pvm_packf("%+%3d", PvmDataDefault, ints)), show("%3d");
    CODE(pvm_packf("%+%3.2d", PvmDataDefault, ints)), show("%3.2d");
    CODE(pvm_packf("%+%.2d", PvmDataDefault, ints + 1)), show("%.2d");
    CODE(pvm_packf("%+%*d", PvmDataDefault, 2, ints)), show("%*d");
    CODE(pvm_packf("%+%*.*d", PvmDataDefault, 3, 2, ints)), show("%*.*d");
    CODE(pvm_packf("%+%2.*d", PvmDataDefault, -1, ints + 5)), show("%2.*d");
    CODE(pvm_packf("%+%0d", PvmDataDefault, ints)), show("%0d");
    CODE(pvm_packf("%+%d", PvmDataRaw, 258)), show("raw %d");
    CODE(pvm_packf("%+%ld", PvmDataRaw, -1L)), show("raw %ld");
    CODE(pvm_packf("%+%s", PvmDataRaw, "hey")), show("raw %s");
    CODE(pvm_packf("%+%5c", PvmDataRaw, "hello")), show("raw %5c");
}

CONF_MAIN(run)
