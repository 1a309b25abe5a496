/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-53
 * A timed receive without a message ends at its time, not before it and not much after.
 */
#include "conf.h"

static void timed(const char *what, long seconds, long microseconds)
{
    struct timeval limit = {seconds, microseconds};
    const double begin_s = conf_now_s();
    const int mid = pvm_trecv(-1, 77, &limit);
    const double took_s = conf_now_s() - begin_s;
    const double want_s = seconds < 0 || microseconds < 0 ? 0 : seconds + microseconds / 1e6;
    printf("%s: %s, %s, %s\n", what, mid == 0 ? "no buffer" : conf_name(mid),
           took_s + 0.005 >= want_s ? "not early" : "early",
           took_s < want_s + 0.5 ? "not late" : "late");
}

static void run(void)
{
    pvm_mytid();
    timed("zero", 0, 0);
    timed("20 ms", 0, 20000);
    timed("300 ms", 0, 300000);
    timed("1.05 s", 1, 50000);
    timed("negative seconds", -1, 0);
}

CONF_MAIN(run)
