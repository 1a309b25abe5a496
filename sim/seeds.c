/* SPDX-License-Identifier: BSD-3-Clause */
/* Workers in processes of their own, and the sums of what they tell: see the header. */
#define _POSIX_C_SOURCE 200809L
#include "sim/seeds.h"

#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { JOBS_MAX = 64, HISTOGRAM = 4096, SAVE_EVERY = 500 };

/* What a worker writes when a seed is through; less than PIPE_BUF, so it comes whole. */
struct report {
    uint64_t seed;
    uint32_t used_us;
    struct sim_swarm_result result;
};

struct worker {
    pid_t pid;       /* 0 = none */
    int out;         /* we write the next seed */
    uint64_t seed;   /* at work on it */
};

struct runner {
    const struct sim_seeds_order *order;
    struct worker workers[JOBS_MAX];
    int in;              /* reports come */
    int in_writer;
    uint64_t next, end;
    uint64_t done, failed;
    uint64_t done_before; /* by earlier runs, from the state file */
    uint64_t events, messages, notices, answers, virtual_ns, removals;
    uint64_t used_us;
    uint32_t histogram[HISTOGRAM]; /* of tenths of milliseconds; the last holds all longer ones */
    double began_s;
    enum sim_verdict worst;
};

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* What this process has had of a processor: other programs' load does not count. */
static double used_s(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void print_failure(const struct runner *runner, uint64_t seed,
                          const struct sim_swarm_result *result)
{
    printf("# seed %llu: %s\n# drew %s\n# repeat: %s run --seed %llu --scenario %s --trace\n",
           (unsigned long long)seed, result->reason, result->parameters, runner->order->program,
           (unsigned long long)seed, sim_mix_name(runner->order->mix));
    fflush(stdout);
}

/* ---- in the worker ---- */

static void run_one(const struct sim_seeds_order *order, uint64_t seed, struct report *report)
{
    struct sim_swarm_result *result = &report->result;
    const double began_s = used_s();
    *report = (struct report){.seed = seed};
    sim_swarm_run(seed, order->mix, 0, NULL, NULL, result);
    report->used_us = (uint32_t)((used_s() - began_s) * 1e6);
    if (order->twice && result->verdict == SIM_FINE) {
        struct sim_swarm_result again;
        sim_swarm_run(seed, order->mix, 0, NULL, NULL, &again);
        if (again.hash != result->hash) {
            result->verdict = SIM_UNSAFE;
            str_format(result->reason, sizeof(result->reason), "a second run went otherwise");
        }
    }
}

static void work(const struct sim_seeds_order *order, int in, int out)
{
    struct report report;
    uint64_t seed;
    while (read(in, &seed, sizeof(seed)) == (ssize_t)sizeof(seed)) {
        run_one(order, seed, &report);
        if (write(out, &report, sizeof(report)) != (ssize_t)sizeof(report))
            break;
    }
    _exit(0);
}

/* ---- in the runner ---- */

static bool time_is_over(const struct runner *runner)
{
    const double minutes = runner->order->minutes;
    return minutes > 0 && now_s() > runner->began_s + minutes * 60;
}

/* Gives |worker| the next seed; false when there is none for it. */
static bool give(struct runner *runner, struct worker *worker)
{
    const bool stop = runner->order->first && runner->failed;
    if (stop || runner->next == runner->end || time_is_over(runner)) {
        close(worker->out);
        worker->out = -1;
        worker->seed = 0;
        return false;
    }
    worker->seed = runner->next++;
    return write(worker->out, &worker->seed, sizeof(worker->seed)) ==
           (ssize_t)sizeof(worker->seed);
}

static bool start(struct runner *runner, struct worker *worker)
{
    int ends[2];
    fflush(stdout);
    if (pipe(ends) < 0)
        return false;
    worker->pid = fork();
    if (worker->pid == 0) {
        for (size_t i = 0; i < JOBS_MAX; i++)
            if (runner->workers[i].pid && runner->workers[i].out >= 0 &&
                &runner->workers[i] != worker)
                close(runner->workers[i].out);
        close(ends[1]);
        close(runner->in);
        work(runner->order, ends[0], runner->in_writer);
    }
    close(ends[0]);
    worker->out = ends[1];
    return worker->pid > 0 && give(runner, worker);
}

static void take(struct runner *runner, const struct report *report)
{
    const struct sim_swarm_result *result = &report->result;
    runner->done++;
    runner->events += result->events;
    runner->messages += result->messages;
    runner->notices += result->notices;
    runner->answers += result->answers;
    runner->removals += result->removals;
    runner->virtual_ns += result->virtual_ns;
    runner->used_us += report->used_us;
    runner->histogram[MIN_OF(report->used_us / 100, (uint32_t)HISTOGRAM - 1)]++;
    if (runner->order->hashes)
        printf("%llu %016llx\n", (unsigned long long)report->seed,
               (unsigned long long)result->hash);
    if (result->verdict == SIM_FINE)
        return;
    runner->failed++;
    runner->worst = MAX_OF(runner->worst, result->verdict);
    print_failure(runner, report->seed, result);
}

/* A worker ended: in the middle of a seed, or because there is nothing more to do. */
static void bury(struct runner *runner, struct worker *worker, int status)
{
    const uint64_t seed = worker->seed;
    worker->pid = 0;
    if (worker->out >= 0)
        close(worker->out);
    if (!seed)
        return;
    struct report report = {.seed = seed};
    report.result.verdict = SIM_UNSAFE;
    str_format(report.result.reason, sizeof(report.result.reason), "the program ends with %s %d",
               WIFSIGNALED(status) ? "signal" : "status",
               WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    take(runner, &report);
    start(runner, worker);
}

static struct worker *worker_of_seed(struct runner *runner, uint64_t seed)
{
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (runner->workers[i].pid && runner->workers[i].seed == seed)
            return &runner->workers[i];
    return NULL;
}

static size_t workers_left(const struct runner *runner)
{
    size_t count = 0;
    for (size_t i = 0; i < JOBS_MAX; i++)
        count += runner->workers[i].pid != 0;
    return count;
}

/* ---- the state ---- */

/* The least seed that is not through: from there the next run goes on. */
static uint64_t resume_at(const struct runner *runner)
{
    uint64_t least = runner->next;
    for (size_t i = 0; i < JOBS_MAX; i++)
        if (runner->workers[i].pid && runner->workers[i].seed)
            least = MIN_OF(least, runner->workers[i].seed);
    return least;
}

static void save(const struct runner *runner)
{
    char path[4096];
    if (!runner->order->state)
        return;
    str_format(path, sizeof(path), "%s.new", runner->order->state);
    FILE *file = fopen(path, "w");
    if (!file)
        return;
    fprintf(file, "next %llu\ndone %llu\nfailed %llu\nvirtual-s %.0f\nused-ms %llu\n",
            (unsigned long long)resume_at(runner),
            (unsigned long long)(runner->done + runner->done_before),
            (unsigned long long)runner->failed, (double)runner->virtual_ns / 1e9,
            (unsigned long long)(runner->used_us / 1000));
    if (fclose(file) == 0)
        rename(path, runner->order->state);
}

static void load(struct runner *runner)
{
    unsigned long long next, done, failed, virtual_s, used_ms;
    FILE *file = runner->order->state ? fopen(runner->order->state, "r") : NULL;
    if (!file)
        return;
    if (fscanf(file, "next %llu done %llu failed %llu virtual-s %llu used-ms %llu", &next, &done,
               &failed, &virtual_s, &used_ms) == 5) {
        runner->next = MAX_OF(runner->next, (uint64_t)next);
        runner->done_before = done;
        runner->failed = failed;
        runner->virtual_ns = virtual_s * UINT64_C(1000000000);
        runner->used_us = used_ms * 1000;
    }
    fclose(file);
}

/* ---- all of it ---- */

static double median_ms(const struct runner *runner)
{
    uint64_t seen = 0;
    for (size_t i = 0; i < HISTOGRAM; i++) {
        seen += runner->histogram[i];
        if (2 * seen >= runner->done)
            return (double)i / 10;
    }
    return 0;
}

static void print_sums(const struct runner *runner)
{
    const struct sim_seeds_order *order = runner->order;
    printf("# %llu seeds, %llu events, %llu messages, %llu notices, %llu answers, %llu removals\n",
           (unsigned long long)runner->done, (unsigned long long)runner->events,
           (unsigned long long)runner->messages, (unsigned long long)runner->notices,
           (unsigned long long)runner->answers, (unsigned long long)runner->removals);
    printf("# %.2f hours of virtual time in %.0f s; median %.1f ms of processor a seed",
           (double)runner->virtual_ns / 3.6e12, now_s() - runner->began_s, median_ms(runner));
    printf(runner->done_before ? "; %llu seeds with those before\n" : "\n",
           (unsigned long long)(runner->done + runner->done_before));
    printf("%sok 1 - seeds %llu to %llu of \"%s\" keep the promises\n",
           runner->failed ? "not " : "", (unsigned long long)order->from,
           (unsigned long long)(runner->next - 1), sim_mix_name(order->mix));
    if (runner->failed)
        printf("# %llu failed\n", (unsigned long long)runner->failed);
    printf("1..1\n");
}

static void reap(struct runner *runner)
{
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        for (size_t i = 0; i < JOBS_MAX; i++)
            if (runner->workers[i].pid == pid)
                bury(runner, &runner->workers[i], status);
}

static int child_ended_fd;

/* A report of no seed: the runner looks who ended. The pipe holds more than all workers can say. */
static void on_child(int number)
{
    static const struct report nothing;
    const ssize_t written = write(child_ended_fd, &nothing, sizeof(nothing));
    (void)written;
}

static bool next_report(struct runner *runner, struct report *report)
{
    const ssize_t length = read(runner->in, report, sizeof(*report));
    return length == (ssize_t)sizeof(*report) && report->seed;
}

enum sim_verdict sim_seeds_run(const struct sim_seeds_order *order)
{
    struct runner runner = {.order = order, .next = order->from, .began_s = now_s()};
    struct sigaction action = {.sa_handler = on_child, .sa_flags = SA_RESTART};
    int ends[2];
    runner.end = order->count > UINT64_MAX - order->from ? UINT64_MAX : order->from + order->count;
    load(&runner);
    if (pipe(ends) < 0)
        return SIM_BAD_SCRIPT;
    runner.in = ends[0];
    runner.in_writer = child_ended_fd = ends[1];
    sigaction(SIGCHLD, &action, NULL);
    action = (struct sigaction){.sa_handler = SIG_IGN};
    sigaction(SIGPIPE, &action, NULL);
    for (unsigned i = 0; i < MIN_OF(order->jobs, (unsigned)JOBS_MAX); i++)
        start(&runner, &runner.workers[i]);
    while (workers_left(&runner)) {
        struct report report;
        if (next_report(&runner, &report)) {
            struct worker *worker = worker_of_seed(&runner, report.seed);
            take(&runner, &report);
            if (worker)
                give(&runner, worker);
            if (runner.done % SAVE_EVERY == 0)
                save(&runner);
        }
        reap(&runner);
    }
    close(ends[0]);
    close(ends[1]);
    save(&runner);
    print_sums(&runner);
    return runner.worst;
}
