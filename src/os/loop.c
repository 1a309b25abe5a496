/* SPDX-License-Identifier: BSD-3-Clause */
/* The event loop over libuv: see the header. */
#include "os/loop.h"

#include "base/check.h"
#include "base/list.h"
#include "base/mem.h"
#include "os/clock.h"

#include <errno.h>
#include <unistd.h>
#include <uv.h>
#ifdef PLATFORM_LINUX
#include <sys/timerfd.h>
#endif

/* One in 4 ms in the long run, 16 at once. */
#define PUT_OFF_EACH_NS UINT64_C(4000000)
#define PUT_OFF_BURST_NS (16 * PUT_OFF_EACH_NS)
#define PUT_OFF_LEAST_NS UINT64_C(2000000)

struct loop {
    uv_loop_t uv;
    uv_prepare_t prepare;
    uv_idle_t idle; /* active = do not sleep */
    bool (*before_sleep)(void *context);
    void *context;
};

struct loop_watch {
    uv_poll_t poll;
    int events; /* asked for */
    bool closed;
    void (*callback)(void *context, int events);
    void *context;
};

struct loop_timer {
    struct loop *loop;
    int fd;                   /* timerfd, or -1 */
    struct loop_watch *watch; /* of fd */
    uv_timer_t timer;         /* without timerfd */
    uint64_t armed_ns;        /* when it will fire; UINT64_MAX = not armed */
    uint64_t put_off_at_ns;   /* when it may be armed for later once more: see loop_timer_set() */
    void (*callback)(void *context);
    void *context;
};

struct loop_signal {
    uv_signal_t handle;
    void (*callback)(void *context, int number);
    void *context;
};

static void free_handle_data(uv_handle_t *handle)
{
    mem_free(handle->data);
}

static void idle_run(uv_idle_t *idle)
{
    (void)idle; /* its being active is what matters */
}

static void prepare_run(uv_prepare_t *prepare)
{
    struct loop *loop = prepare->data;
    if (loop->before_sleep && loop->before_sleep(loop->context))
        uv_idle_start(&loop->idle, idle_run);
    else
        uv_idle_stop(&loop->idle);
}

struct loop *loop_create(void)
{
    struct loop *loop = mem_calloc(1, sizeof(*loop));
    if (!loop) {
        errno = ENOMEM;
        return NULL;
    }
    int status = uv_loop_init(&loop->uv);
    if (status < 0) {
        mem_free(loop);
        errno = -status;
        return NULL;
    }
    uv_prepare_init(&loop->uv, &loop->prepare);
    uv_idle_init(&loop->uv, &loop->idle);
    loop->prepare.data = loop;
    uv_prepare_start(&loop->prepare, prepare_run);
    return loop;
}

static void close_what_is_left(uv_handle_t *handle, void *context)
{
    struct loop *loop = context;
    if (uv_is_closing(handle))
        return;
    bool is_own = handle == (uv_handle_t *)&loop->prepare || handle == (uv_handle_t *)&loop->idle;
    uv_close(handle, is_own ? NULL : free_handle_data);
}

void loop_destroy(struct loop *loop)
{
    if (!loop)
        return;
    uv_walk(&loop->uv, close_what_is_left, loop);
    while (uv_run(&loop->uv, UV_RUN_DEFAULT) != 0)
        continue;
    uv_loop_close(&loop->uv);
    mem_free(loop);
}

void loop_run(struct loop *loop)
{
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

void loop_stop(struct loop *loop)
{
    uv_stop(&loop->uv);
}

void loop_before_sleep(struct loop *loop, bool (*callback)(void *context), void *context)
{
    loop->before_sleep = callback;
    loop->context = context;
}

void *loop_native(struct loop *loop)
{
    return &loop->uv;
}

/* ---- descriptors ---- */

static int to_uv(int events)
{
    return ((events & LOOP_READABLE) ? UV_READABLE : 0) |
           ((events & LOOP_WRITABLE) ? UV_WRITABLE : 0);
}

static void watch_ready(uv_poll_t *poll, int status, int events)
{
    struct loop_watch *watch = poll->data;
    if (status < 0) {
        /* libuv stops a handle whose descriptor has an error, such as one in the error queue of a
         * socket. The callback reads the error off; then watching goes on. */
        int asked = watch->events;
        watch->events = 0;
        loop_watch_set(watch, asked);
        watch->callback(watch->context, asked);
        return;
    }
    watch->callback(watch->context, ((events & UV_READABLE) ? LOOP_READABLE : 0) |
                                        ((events & UV_WRITABLE) ? LOOP_WRITABLE : 0));
}

struct loop_watch *loop_watch_open(struct loop *loop, int fd,
                                   void (*callback)(void *context, int events), void *context)
{
    struct loop_watch *watch = mem_calloc(1, sizeof(*watch));
    if (!watch) {
        errno = ENOMEM;
        return NULL;
    }
    int status = uv_poll_init(&loop->uv, &watch->poll, fd);
    if (status < 0) {
        mem_free(watch);
        errno = -status;
        return NULL;
    }
    watch->poll.data = watch;
    watch->callback = callback;
    watch->context = context;
    return watch;
}

void loop_watch_set(struct loop_watch *watch, int events)
{
    if (watch->closed || watch->events == events)
        return;
    watch->events = events;
    if (events)
        uv_poll_start(&watch->poll, to_uv(events), watch_ready);
    else
        uv_poll_stop(&watch->poll);
}

void loop_watch_close(struct loop_watch *watch)
{
    if (!watch || watch->closed)
        return;
    watch->closed = true;
    uv_close((uv_handle_t *)&watch->poll, free_handle_data);
}

/* ---- timers ---- */

static void timer_fire(struct loop_timer *timer)
{
    timer->armed_ns = UINT64_MAX;
    timer->callback(timer->context);
}

#ifdef PLATFORM_LINUX
static void timer_fd_ready(void *context, int events)
{
    struct loop_timer *timer = context;
    uint64_t expirations;
    (void)events;
    if (read(timer->fd, &expirations, sizeof(expirations)) == (ssize_t)sizeof(expirations))
        timer_fire(timer);
}

static int timer_fd_open(struct loop_timer *timer)
{
    timer->fd = timerfd_create(clock_id(), TFD_NONBLOCK | TFD_CLOEXEC);
    if (timer->fd < 0)
        return -1;
    timer->watch = loop_watch_open(timer->loop, timer->fd, timer_fd_ready, timer);
    if (!timer->watch) {
        close(timer->fd);
        timer->fd = -1;
        return -1;
    }
    loop_watch_set(timer->watch, LOOP_READABLE);
    return 0;
}

static void timer_fd_set(struct loop_timer *timer, uint64_t at_ns)
{
    struct itimerspec when = {0};
    at_ns = at_ns == UINT64_MAX ? 0 : MAX_OF(at_ns, UINT64_C(1)); /* 0 disarms, timerfd_create(2) */
    when.it_value.tv_sec = (time_t)(at_ns / UINT64_C(1000000000));
    when.it_value.tv_nsec = (long)(at_ns % UINT64_C(1000000000));
    timerfd_settime(timer->fd, TFD_TIMER_ABSTIME, &when, NULL);
}
#else
static int timer_fd_open(struct loop_timer *timer)
{
    (void)timer;
    return -1;
}
static void timer_fd_set(struct loop_timer *timer, uint64_t at_ns)
{
    (void)timer;
    (void)at_ns;
}
#endif

static void timer_uv_ready(uv_timer_t *handle)
{
    timer_fire(handle->data);
}

struct loop_timer *loop_timer_open(struct loop *loop, void (*callback)(void *context),
                                   void *context)
{
    struct loop_timer *timer = mem_calloc(1, sizeof(*timer));
    if (!timer)
        return NULL;
    timer->loop = loop;
    timer->fd = -1;
    timer->armed_ns = UINT64_MAX;
    timer->callback = callback;
    timer->context = context;
    if (timer_fd_open(timer) < 0) {
        uv_timer_init(&loop->uv, &timer->timer);
        timer->timer.data = timer;
    }
    return timer;
}

/* A timer that is armed for earlier than asked would fire for nothing: a wake-up of an idle
 * process, which costs more than the call that puts it off. But while much goes on the time asked
 * for moves with every packet, and most of these calls would be for nothing. So a few may come at
 * once, and then one in a while. */
static bool may_put_off(struct loop_timer *timer, uint64_t at_ns)
{
    uint64_t now_ns = clock_now_ns();
    if (timer->armed_ns <= now_ns || at_ns - timer->armed_ns < PUT_OFF_LEAST_NS ||
        timer->put_off_at_ns > now_ns)
        return false;
    uint64_t since_ns = now_ns > PUT_OFF_BURST_NS ? now_ns - PUT_OFF_BURST_NS : 0;
    timer->put_off_at_ns = MAX_OF(timer->put_off_at_ns, since_ns) + PUT_OFF_EACH_NS;
    return true;
}

void loop_timer_set(struct loop_timer *timer, uint64_t at_ns)
{
    if (timer->armed_ns == at_ns || (timer->armed_ns < at_ns && !may_put_off(timer, at_ns)))
        return;
    timer->armed_ns = at_ns;
    if (timer->fd >= 0) {
        timer_fd_set(timer, at_ns);
        return;
    }
    if (at_ns == UINT64_MAX) {
        uv_timer_stop(&timer->timer);
        return;
    }
    uint64_t now_ns = clock_now_ns();
    uint64_t wait_ms = at_ns > now_ns ? (at_ns - now_ns + 999999) / 1000000 : 0;
    uv_update_time(&timer->loop->uv);
    uv_timer_start(&timer->timer, timer_uv_ready, wait_ms, 0);
}

void loop_timer_close(struct loop_timer *timer)
{
    if (!timer)
        return;
    if (timer->fd < 0) {
        uv_close((uv_handle_t *)&timer->timer, free_handle_data);
        return;
    }
    loop_watch_close(timer->watch);
    close(timer->fd);
    mem_free(timer);
}

/* ---- signals ---- */

static void signal_ready(uv_signal_t *handle, int number)
{
    struct loop_signal *signal = handle->data;
    signal->callback(signal->context, number);
}

int loop_signal(struct loop *loop, int number, void (*callback)(void *context, int number),
                void *context)
{
    struct loop_signal *signal = mem_calloc(1, sizeof(*signal));
    if (!signal)
        return -1;
    signal->callback = callback;
    signal->context = context;
    signal->handle.data = signal;
    if (uv_signal_init(&loop->uv, &signal->handle) < 0) {
        mem_free(signal);
        return -1;
    }
    if (uv_signal_start(&signal->handle, signal_ready, number) == 0)
        return 0;
    uv_close((uv_handle_t *)&signal->handle, free_handle_data);
    return -1;
}
