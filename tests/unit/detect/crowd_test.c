/* SPDX-License-Identifier: BSD-3-Clause */
#include "crowd.h"
#include "tap.h"
#include <stdlib.h>
static struct crowd crowd;
int main(int argc, char **argv)
{
    size_t n = argc > 1 ? (size_t)atoi(argv[1]) : 8;
    uint32_t loss = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;
    struct crowd_config c = {.seed = argc > 3 ? (uint64_t)atoi(argv[3]) : 1, .nodes = n, .dead_after_ns = 5 * SECOND, .loss_ppm = loss, .burst_ns = 60 * MS,
                             .delay_ns = MS / 10, .drift_ppm = 15000};
    crowd_init(&crowd, &c);
    crowd.verbose = argc > 4;
    crowd_run(&crowd, 10 * SECOND);
    crowd_reset_counters(&crowd);
    crowd_run(&crowd, 60 * SECOND);
    uint64_t wmax = 0, smax = 0, bmax = 0, w = 0, s = 0, left = UINT64_MAX, gap = 0; unsigned sus = 0;
    for (size_t i = 0; i < n; i++) {
        struct crowd_node *x = &crowd.nodes[i];
        w += x->wakes; s += x->sent;
        wmax = x->wakes > wmax ? x->wakes : wmax; smax = x->sent > smax ? x->sent : smax; bmax = x->sent_bytes > bmax ? x->sent_bytes : bmax;
        left = x->lease_left_min_ns < left ? x->lease_left_min_ns : left; gap = x->leader_gap_ns > gap ? x->leader_gap_ns : gap; sus += x->suspected;
        if (n < 10) printf("# %zu: wakes %.2f sent %.2f left %.3f gap %.3f health %u\n", i, x->wakes/60., x->sent/60., x->lease_left_min_ns/1e9, x->leader_gap_ns/1e9, detect_local_health(x->detect));
    }
    printf("# n %zu wakes/s max %.2f avg %.2f sent/s max %.2f avg %.2f bytes/s max %.0f biggest %llu lease left %.3f s leader gap %.3f suspicions %u lost %u removed %u unsafe %u\n", n, wmax / 60., w / 60. / n, smax / 60., s / 60. / n, bmax / 60.,
           (unsigned long long)crowd.bytes_max, left / 1e9, gap / 1e9, sus, crowd.leases_lost, crowd.removed_alive, crowd.unsafe);
    if (n > 1) {
    for (int k = 0; k < 1; k++) {
        crowd_kill(&crowd, n - 1, false);
        crowd_run(&crowd, 20 * SECOND);
        crowd_kill(&crowd, 0, false);
        crowd_run(&crowd, 20 * SECOND);
    }
    for (size_t i = 0; i < crowd.detected_count; i++) printf("# detected %.3f\n", crowd.detected_ns[i] / 1e9);
    }
    printf("# at the end: lost %u removed %u unsafe %u\n", crowd.leases_lost, crowd.removed_alive, crowd.unsafe);
    crowd_fini(&crowd);
    return 0;
}
