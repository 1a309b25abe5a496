/* SPDX-License-Identifier: BSD-3-Clause */
/* Events, effects and the turn of the loop: see the header. */
#include "pvmd/daemon.h"

#include "base/mem.h"
#include "os/clock.h"
#include "os/signals.h"
#include "pvmd/share.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum {
    TURN_ROUNDS_MAX = 8 /* of conns and peers before the loop looks at its descriptors again */
};
#define STOP_LIMIT_NS UINT64_C(1000000000)

/* ---- effects ---- */

static void perform_stop(struct daemon *daemon, struct effect *effect)
{
    if (daemon->stopping)
        return;
    daemon->stopping = true;
    daemon->status = effect->status;
    daemon->stop_at_ns = clock_now_ns() + STOP_LIMIT_NS;
    log_line(daemon->log, LOG_LEVEL_INFO, "stopping with status %d", daemon->status);
    conns_close(daemon);
    dir_abandon(daemon->dir); /* who looks for a daemon now shall find another one */
    children_signal_all(daemon->children, SIGKILL);
}

typedef void (*perform_f)(struct daemon *daemon, struct effect *effect);

static const perform_f performers[EFFECT_KINDS] = {
    [EFFECT_PEER_ADD] = perform_peer_add,
    [EFFECT_PEER_PSK] = perform_peer_psk,
    [EFFECT_PEER_REMOVE] = perform_peer_remove,
    [EFFECT_PEER_SEND] = perform_peer_send,
    [EFFECT_PEER_NOTE] = perform_peer_note,
    [EFFECT_PEER_FRAME] = perform_peer_frame,
    [EFFECT_PEER_CONSUME] = perform_peer_consume,
    [EFFECT_PEER_RESET] = perform_peer_reset,
    [EFFECT_CONN_SEND] = perform_conn_send,
    [EFFECT_CONN_PAUSE] = perform_conn_pause,
    [EFFECT_CONN_CLOSE] = perform_conn_close,
    [EFFECT_SHARE_ATTACH] = perform_share_attach,
    [EFFECT_SHARE_PAUSE] = perform_share_pause,
    [EFFECT_SHARE_WAKE] = perform_share_wake,
    [EFFECT_SHARE_END] = perform_share_end,
    [EFFECT_CHILD_START] = perform_child_start,
    [EFFECT_CHILD_SIGNAL] = perform_child_signal,
    [EFFECT_CHILD_PAUSE] = perform_child_pause,
    [EFFECT_RESOLVE] = perform_resolve,
    [EFFECT_HOST_START] = perform_host_start,
    [EFFECT_HOST_CANCEL] = perform_host_cancel,
    [EFFECT_CONFIGURE] = perform_configure,
    [EFFECT_TOMBSTONES] = perform_tombstones,
    [EFFECT_LEASE] = perform_lease,
    [EFFECT_REJOIN] = perform_rejoin,
    [EFFECT_STOP] = perform_stop,
};

/* ---- events ---- */

struct posted {
    struct list link;
    struct event event;
    char text[]; /* of the event */
};

static void post(struct daemon *daemon, const struct event *event)
{
    CHECK(!event->bytes.buf && !event->frame.body.buf && event->address_count == 0);
    const size_t text_bytes = event->text ? strlen(event->text) + 1 : 0;
    struct posted *posted = mem_alloc(sizeof(*posted) + text_bytes);
    if (!posted) {
        daemon_give_up(daemon, "no memory to remember an event");
        return;
    }
    posted->event = *event;
    list_init(&posted->link);
    if (event->text) {
        memcpy(posted->text, event->text, text_bytes);
        posted->event.text = posted->text;
    }
    list_push_back(&daemon->posted, &posted->link);
}

static void perform_all(struct daemon *daemon)
{
    for (size_t i = 0; i < daemon->effects.count; i++) {
        struct effect *effect = &daemon->effects.items[i];
        performers[effect->kind](daemon, effect);
    }
    effects_reset(&daemon->effects);
}

static void step(struct daemon *daemon, const struct event *happened)
{
    struct event event = *happened;
    event.now_ns = clock_now_ns();
    event.wall_clock_us = clock_wall_us();
    if (fate_lease_is_over(daemon, event.now_ns)) {
        /* Stopped until now: what came meanwhile is not for who we were. */
        struct event deadline = {.kind = EVENT_DEADLINE};
        deadline.now_ns = event.now_ns;
        deadline.wall_clock_us = event.wall_clock_us;
        node_step(daemon->node, &deadline, &daemon->effects);
        perform_all(daemon);
    }
    if (daemon->stopping || daemon->rejoin != REJOIN_NONE)
        return;
    node_step(daemon->node, &event, &daemon->effects);
    perform_all(daemon);
}

void daemon_forget_posted(struct daemon *daemon)
{
    LIST_EACH(pos, following, &daemon->posted)
    {
        list_remove(pos);
        mem_free(LIST_ENTRY(pos, struct posted, link));
    }
}

void daemon_event(struct daemon *daemon, const struct event *event)
{
    if (daemon->stopping)
        return; /* the node has said its last word */
    if (daemon->rejoin != REJOIN_NONE) {
        if (event->kind == EVENT_STOP)
            perform_stop(daemon, &(struct effect){.kind = EFFECT_STOP});
        return;
    }
    if (event->kind == EVENT_CHILD_EXITED)
        shares_look(daemon);
    if (daemon->stepping) {
        post(daemon, event);
        return;
    }
    daemon->stepping = true;
    step(daemon, event);
    while (!list_is_empty(&daemon->posted)) {
        struct posted *posted = LIST_ENTRY(list_first(&daemon->posted), struct posted, link);
        list_remove(&posted->link);
        if (!daemon->stopping && daemon->rejoin == REJOIN_NONE)
            step(daemon, &posted->event);
        mem_free(posted);
    }
    daemon->stepping = false;
}

void daemon_rejoin(struct daemon *daemon)
{
    struct event start = {.kind = EVENT_START};
    struct node *node = node_rejoin(daemon->node);
    if (!node) {
        daemon_give_up(daemon, "no memory to join again");
        return;
    }
    daemon->node = node;
    daemon->epoch = node_epoch(node);
    log_line(daemon->log, LOG_LEVEL_INFO, "joining again as %llx",
             (unsigned long long)daemon->epoch);
    daemon_event(daemon, &start);
}

void daemon_give_up(struct daemon *daemon, const char *why)
{
    struct effect effect = {.kind = EFFECT_STOP, .status = 1};
    log_line(daemon->log, LOG_LEVEL_ERROR, "cannot go on: %s", why);
    perform_stop(daemon, &effect);
}

/* ---- the turn of the loop ---- */

static void set_timer(struct daemon *daemon)
{
    uint64_t mesh_ns = clock_coarse_ns(mesh_deadline(daemon->mesh));
    uint64_t node_ns = daemon->stopping                 ? daemon->stop_at_ns
                       : daemon->rejoin != REJOIN_NONE ? UINT64_MAX
                                                       : node_deadline(daemon->node);
    uint64_t at_ns = MIN_OF(mesh_ns, node_ns);
    at_ns = MIN_OF(at_ns, fate_deadline(daemon));
    loop_timer_set(daemon->timer, MIN_OF(at_ns, shares_deadline(daemon)));
}

static bool is_done(struct daemon *daemon)
{
    if (!daemon->stopping)
        return false;
    return clock_now_ns() >= daemon->stop_at_ns ||
           (conns_are_flushed(daemon) && peers_are_flushed(daemon) &&
            children_signal_all(daemon->children, SIGKILL) == 0);
}

static void log_tid(struct daemon *daemon)
{
    uint32_t tid = node_daemon_tid(daemon->node);
    if (daemon->tid_logged || tid == 0)
        return;
    daemon->tid_logged = true;
    logfile_set_tid(daemon->logfile, tid);
}

/* Before each sleep: everything that was caused is carried out. */
static bool turn(void *context)
{
    struct daemon *daemon = context;
    bool more = true, sends = true;
    shares_listen(daemon);
    for (int round = 0; round < TURN_ROUNDS_MAX && more; round++) {
        more = conns_turn(daemon);
        peers_events(daemon);
        if (sends)
            sends = peers_flush(daemon);
        more = more || !list_is_empty(&daemon->ready_conns);
    }
    log_tid(daemon);
    more = fate_turn(daemon) || more;
    if (is_done(daemon)) {
        peers_say_goodbye(daemon);
        loop_stop(daemon->loop);
        return true;
    }
    if (!more)
        more = !shares_sleep(daemon);
    set_timer(daemon);
    return more;
}

static void timer_ready(void *context)
{
    struct daemon *daemon = context;
    uint64_t now_ns = clock_now_ns();
    if (mesh_deadline(daemon->mesh) <= now_ns) {
        mesh_expire(daemon->mesh, now_ns);
        peers_events(daemon);
    }
    if (!daemon->stopping && daemon->rejoin == REJOIN_NONE &&
        node_deadline(daemon->node) <= now_ns) {
        struct event event = {.kind = EVENT_DEADLINE};
        daemon_event(daemon, &event);
    }
}

static void user_signal(void *context, int number)
{
    struct daemon *daemon = context;
    struct event event = {.kind = EVENT_STOP, .signal = number};
    log_line(daemon->log, LOG_LEVEL_INFO, "got signal %d", number);
    daemon_event(daemon, &event);
}

/* ---- life ---- */

static int watch_signals(struct daemon *daemon)
{
    struct sigaction now;
    /* Started in the background by a shell without job control, SIGINT is not for us (DMN-11). */
    bool int_is_ignored = sigaction(SIGINT, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
    if (!int_is_ignored && loop_signal(daemon->loop, SIGINT, user_signal, daemon) < 0)
        return -1;
    if (loop_signal(daemon->loop, SIGTERM, user_signal, daemon) < 0)
        return -1;
    signals_release(); /* those that came since main() are reported by the loop */
    return 0;
}

static int daemon_start(struct daemon *daemon, const struct daemon_parts *parts)
{
    daemon->loop = loop_create();
    daemon->timer = daemon->loop ? loop_timer_open(daemon->loop, timer_ready, daemon) : NULL;
    daemon->pids = daemon->timer ? pid_watcher_create(daemon->loop, daemon->log) : NULL;
    if (!daemon->pids || watch_signals(daemon) < 0) {
        log_line(daemon->log, LOG_LEVEL_ERROR, "cannot start: the system gives no event loop");
        return -1;
    }
    daemon->node = node_create(parts->node_config);
    if (!daemon->node) {
        log_line(daemon->log, LOG_LEVEL_ERROR,
                 "cannot start: no memory, or a setting that cannot be");
        return -1;
    }
    if (fate_start(daemon) < 0 || tasks_start(daemon) < 0 || hosts_start(daemon) < 0 ||
        peers_start(daemon) < 0 ||
        conns_start(daemon) < 0) {
        log_line(daemon->log, LOG_LEVEL_ERROR, "cannot start: no memory or no descriptors");
        return -1;
    }
    loop_before_sleep(daemon->loop, turn, daemon);
    return 0;
}

static void daemon_fini(struct daemon *daemon)
{
    conns_destroy(daemon);
    shares_destroy(daemon);
    tasks_destroy(daemon);
    hosts_destroy(daemon);
    fate_destroy(daemon);
    daemon_forget_posted(daemon);
    node_destroy(daemon->node);
    effects_fini(&daemon->effects);
    map_fini(&daemon->peers);
    loop_timer_close(daemon->timer);
    /* A name still being looked up holds a thread of the loop for as long as it pleases: do not
     * wait. */
    if (daemon->lookups == 0) {
        udp_close(daemon->udp);
        loop_destroy(daemon->loop);
        pid_watcher_destroy(daemon->pids);
    }
}

int daemon_run(const struct daemon_parts *parts)
{
    struct daemon daemon = {
        .config = parts->config,
        .name = parts->name,
        .own_path = parts->own_path,
        .dir = parts->dir,
        .logfile = parts->logfile,
        .log = &parts->logfile->sink,
        .guardian = parts->guardian,
        .mesh = parts->mesh,
        .udp = parts->udp,
        .listener = parts->listener,
        .starter_fd = parts->starter_fd,
        .epoch = parts->epoch,
        .next_conn = 1,
        .status = 1,
    };
    effects_init(&daemon.effects);
    list_init(&daemon.posted);
    list_init(&daemon.ready_conns);
    map_init(&daemon.peers);
    map_init(&daemon.conns);
    if (daemon_start(&daemon, parts) == 0) {
        struct event event = {.kind = EVENT_START};
        daemon_event(&daemon, &event);
        loop_run(daemon.loop);
    }
    daemon_fini(&daemon);
    return daemon.status;
}
