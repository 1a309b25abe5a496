/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulator as a program: runs scenario files, runs seeds, tells the story of one. The only
 * file of sim/ that opens files and prints. Exit codes: 0 fine, 1 usage or a story that differs, 3
 * a promise was broken (safety), 4 no rest (liveness); a crash is a signal.
 */
#define _POSIX_C_SOURCE 200809L
#include "base/mem.h"
#include "sim/quiet.h"
#include "sim/scale.h"
#include "sim/script.h"
#include "sim/seeds.h"
#include "sim/swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *const program = "pvmsim";

enum { EXIT_USAGE = 1, EXIT_UNSAFE = 3, EXIT_STUCK = 4 };

static int exit_code(enum sim_verdict verdict)
{
    return verdict == SIM_FINE ? 0 : verdict == SIM_UNSAFE ? EXIT_UNSAFE
                                 : verdict == SIM_STUCK ? EXIT_STUCK
                                                        : EXIT_USAGE;
}

static int usage(void)
{
    fputs(
        "usage: pvmsim scenario [--accept] FILE...    run stories and compare (TAP)\n"
        "       pvmsim seeds FROM COUNT [--scenario calm|wire|crashes|any] [--twice] [--first]\n"
        "              [--jobs N] [--minutes M] [--state FILE] [--hashes]\n"
        "       pvmsim scale HOSTS...                     a table of what a host costs\n"
        "       pvmsim quiet [--hosts N] [--minutes M] [--jobs N] [--seed S]   false removals\n"
        "       pvmsim run --seed S [--scenario NAME] [--trace[=task,host,fault,dm,tm,log,net]]\n",
        stderr);
    return EXIT_USAGE;
}

/* ---- scenarios ---- */

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return NULL;
    struct strbuf text;
    char part[4096];
    size_t length;
    strbuf_init(&text);
    while ((length = fread(part, 1, sizeof(part), file)) > 0)
        strbuf_add(&text, part, length);
    fclose(file);
    char *copy = mem_strdup(strbuf_text(&text));
    strbuf_fini(&text);
    return copy;
}

static int write_file(const char *path, const struct strbuf *text)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return -1;
    const size_t written = fwrite(strbuf_text(text), 1, text->length, file);
    return fclose(file) == 0 && written == text->length ? 0 : -1;
}

/* The first line that differs, from both sides. */
static void print_difference(const char *wanted, const char *told)
{
    size_t line = 1;
    const char *wanted_line = wanted;
    const char *told_line = told;
    for (; *wanted && *wanted == *told; wanted++, told++) {
        if (*wanted != '\n')
            continue;
        line++;
        wanted_line = wanted + 1;
        told_line = told + 1;
    }
    printf("# line %zu\n#   wanted: %.*s\n#   told:   %.*s\n", line,
           (int)strcspn(wanted_line, "\n"), wanted_line, (int)strcspn(told_line, "\n"), told_line);
}

static enum sim_verdict run_file(const char *path, bool accept, int number)
{
    char *text = read_file(path);
    if (!text) {
        printf("not ok %d - %s\n# cannot be read\n", number, path);
        return SIM_BAD_SCRIPT;
    }
    struct strbuf told, again;
    uint64_t hash, hash_again;
    char reason[512], reason_again[512];
    strbuf_init(&told);
    strbuf_init(&again);
    const uint64_t buffers_before = buf_live_count();
    enum sim_verdict verdict = sim_script_run(text, 1, &told, &hash, reason, sizeof(reason));
    sim_script_run(text, 1, &again, &hash_again, reason_again, sizeof(reason_again));
    if (verdict == SIM_FINE && hash != hash_again) {
        verdict = SIM_UNSAFE;
        str_format(reason, sizeof(reason), "a second run of the same seed went otherwise");
    }
    if (verdict == SIM_FINE && buf_live_count() != buffers_before) {
        verdict = SIM_UNSAFE;
        str_format(reason, sizeof(reason), "buffers are never given back");
    }
    const bool differs = !str_equal(text, strbuf_text(&told));
    if (accept && differs && write_file(path, &told) < 0)
        printf("# %s cannot be written\n", path);
    const bool passed = verdict == SIM_FINE && (accept || !differs);
    printf("%sok %d - %s\n", passed ? "" : "not ", number, path);
    if (verdict != SIM_FINE)
        printf("# %s\n", reason);
    if (differs && !accept)
        print_difference(text, strbuf_text(&told));
    if (differs && !accept && verdict == SIM_FINE)
        verdict = SIM_BAD_SCRIPT;
    strbuf_fini(&told);
    strbuf_fini(&again);
    mem_free(text);
    return verdict;
}

static int command_scenario(int argc, char **argv)
{
    bool accept = false;
    int number = 0;
    enum sim_verdict worst = SIM_FINE;
    for (int i = 0; i < argc; i++) {
        if (str_equal(argv[i], "--accept")) {
            accept = true;
            continue;
        }
        const enum sim_verdict verdict = run_file(argv[i], accept, ++number);
        if (verdict > worst)
            worst = verdict;
    }
    printf("1..%d\n", number);
    return number ? exit_code(worst) : usage();
}

/* ---- seeds ---- */

static bool number_argument(const char *text, uint64_t *value)
{
    char *end;
    if (!text)
        return false;
    *value = strtoull(text, &end, 0);
    return end != text && *end == '\0';
}

/* One option of `seeds` at argv[0]; how many words it took, 0 = not understood. */
static int seeds_option(int argc, char **argv, struct sim_seeds_order *order)
{
    uint64_t value;
    if (str_equal(argv[0], "--twice"))
        return order->twice = true;
    if (str_equal(argv[0], "--first"))
        return order->first = true;
    if (str_equal(argv[0], "--hashes"))
        return order->hashes = true;
    if (argc < 2)
        return 0;
    if (str_equal(argv[0], "--scenario"))
        return sim_mix_parse(argv[1], &order->mix) < 0 ? 0 : 2;
    if (str_equal(argv[0], "--state")) {
        order->state = argv[1];
        return 2;
    }
    if (!number_argument(argv[1], &value))
        return 0;
    if (str_equal(argv[0], "--jobs"))
        order->jobs = (unsigned)MAX_OF(value, UINT64_C(1));
    else if (str_equal(argv[0], "--minutes"))
        order->minutes = (double)value;
    else
        return 0;
    return 2;
}

static int command_seeds(int argc, char **argv)
{
    struct sim_seeds_order order = {.mix = SIM_MIX_ANY, .jobs = 1, .program = program};
    if (argc < 2 || !number_argument(argv[0], &order.from) ||
        !number_argument(argv[1], &order.count) || !order.from)
        return usage();
    for (int i = 2, words; i < argc; i += words) {
        words = seeds_option(argc - i, argv + i, &order);
        if (!words)
            return usage();
    }
    return exit_code(sim_seeds_run(&order));
}

/* ---- measures ---- */

static double real_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Resident memory, from /proc; 0 where there is none. */
static uint64_t bytes_now(void)
{
    enum { PAGE_BYTES = 4096 };
    unsigned long long size, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file)
        return 0;
    if (fscanf(file, "%llu %llu", &size, &resident) != 2)
        resident = 0;
    fclose(file);
    return resident * PAGE_BYTES;
}

/* Each size in a process of its own, so that memory is counted from nothing. */
static int command_scale(int argc, char **argv)
{
    uint64_t hosts, tasks_per_host = 20;
    int worst = 0;
    printf("| hosts | tasks | add all, s | spawn all, s | task exit told, ms "
           "| daemon killed told, ms | power lost told, ms | master killed told, ms "
           "| idle datagrams/s: mean | most | master | idle bytes/s "
           "| datagrams of the master per add | memory per daemon, KB | events/s, real "
           "| real s |\n|%s\n",
           "---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    for (int i = 0; i < argc; i++) {
        if (str_equal(argv[i], "--tasks") && i + 1 < argc &&
            number_argument(argv[i + 1], &tasks_per_host)) {
            i++;
            continue;
        }
        if (!number_argument(argv[i], &hosts) || hosts < 1 || hosts > 4000)
            return usage();
        fflush(stdout);
        const pid_t pid = fork();
        if (pid == 0) {
            struct sim_scale scale;
            sim_scale_run((uint32_t)hosts, (uint32_t)(hosts * tasks_per_host), bytes_now,
                          real_seconds, &scale);
            printf("| %u | %u | %.2f | %.2f | %.1f | %.1f | %.0f | %.1f "
                   "| %.2f | %.2f | %.2f | %.0f "
                   "| %.1f | %.1f | %.0f | %.1f |%s\n",
                   (unsigned)scale.hosts, (unsigned)scale.tasks, scale.burst_s, scale.spawn_s,
                   scale.exit_notice_ms, scale.kill_notice_ms, scale.silence_notice_ms,
                   scale.master_notice_ms, scale.idle_datagrams, scale.idle_datagrams_max,
                   scale.idle_datagrams_master, scale.idle_bytes, scale.burst_datagrams_master,
                   scale.daemon_bytes / 1024, scale.events_per_s, scale.real_s,
                   scale.complete ? "" : " (not complete)");
            exit(scale.complete ? 0 : EXIT_STUCK);
        }
        int status = 0;
        if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
            worst = EXIT_STUCK;
    }
    return worst;
}

/* So many virtual hours as real minutes allow, an hour at a time. */
static int command_quiet(int argc, char **argv)
{
    uint64_t seed = 1, hosts = 100, minutes = 1, drift = 500;
    for (int i = 0; i + 1 < argc; i += 2) {
        uint64_t *value = str_equal(argv[i], "--hosts")     ? &hosts
                          : str_equal(argv[i], "--minutes") ? &minutes
                          : str_equal(argv[i], "--seed")    ? &seed
                          : str_equal(argv[i], "--drift")   ? &drift
                                                            : NULL;
        if (!value || !number_argument(argv[i + 1], value))
            return usage();
    }
    const double end_s = real_seconds() + (double)minutes * 60;
    double hours = 0;
    bool sound = true;
    do {
        const struct sim_quiet_order order = {.seed = seed, .hosts = (uint32_t)hosts,
                                              .virtual_hours = 0.25, .drift_ppm = drift};
        struct sim_quiet_result result;
        sim_quiet_run(&order, &result);
        hours += result.virtual_hours;
        sound = sound && !result.removals && !result.rejoins && !result.broken;
        printf("# seed %llu: %.3f h, %llu blackouts, %llu stops, %llu starvations, %llu datagrams, "
               "%.1f%% lost, %llu leaders, %llu removed, %llu gave up, %llu promises broken\n",
               (unsigned long long)seed, result.virtual_hours,
               (unsigned long long)result.blackouts, (unsigned long long)result.stops,
               (unsigned long long)result.starvations, (unsigned long long)result.datagrams,
               result.datagrams ? 100.0 * (double)result.lost / (double)result.datagrams : 0.0,
               (unsigned long long)result.leaders, (unsigned long long)result.removals,
               (unsigned long long)result.rejoins, (unsigned long long)result.broken);
        fflush(stdout);
        seed++;
    } while (real_seconds() < end_s);
    printf("%sok 1 - %.2f virtual hours of %llu hosts, nobody removed\n1..1\n", sound ? "" : "not ",
           hours, (unsigned long long)hosts);
    return sound ? 0 : EXIT_UNSAFE;
}

/* ---- one seed ---- */

static void write_line(void *context, const char *line)
{
    fputs(line, context);
    putc('\n', context);
}

static int command_run(int argc, char **argv)
{
    uint64_t seed = 1;
    enum sim_mix mix = SIM_MIX_ANY;
    uint32_t shown = 0;
    for (int i = 0; i < argc; i++) {
        if (str_equal(argv[i], "--seed") && i + 1 < argc && number_argument(argv[i + 1], &seed))
            i++;
        else if (str_equal(argv[i], "--scenario") && i + 1 < argc &&
                 sim_mix_parse(argv[i + 1], &mix) == 0)
            i++;
        else if (str_equal(argv[i], "--trace"))
            sim_trace_parse("task,host,fault,dm,tm,log", &shown);
        else if (!str_has_prefix(argv[i], "--trace=") || sim_trace_parse(argv[i] + 8, &shown) < 0)
            return usage();
    }
    struct sim_swarm_result result;
    sim_swarm_run(seed, mix, shown, write_line, stdout, &result);
    printf("# seed %llu, %s\n# hash %016llx\n", (unsigned long long)seed, result.parameters,
           (unsigned long long)result.hash);
    if (result.verdict != SIM_FINE)
        printf("# %s\n", result.reason);
    return exit_code(result.verdict);
}

static void say_where(const char *condition, const char *file, int line)
{
    fflush(stdout);
    fprintf(stderr, "%s:%d: CHECK(%s) failed\n", file, line, condition);
}

int main(int argc, char **argv)
{
    check_set_handler(say_where);
    if (argc < 2)
        return usage();
    if (str_equal(argv[1], "scenario"))
        return command_scenario(argc - 2, argv + 2);
    if (str_equal(argv[1], "seeds"))
        return command_seeds(argc - 2, argv + 2);
    if (str_equal(argv[1], "run"))
        return command_run(argc - 2, argv + 2);
    if (str_equal(argv[1], "scale"))
        return command_scale(argc - 2, argv + 2);
    if (str_equal(argv[1], "quiet"))
        return command_quiet(argc - 2, argv + 2);
    return usage();
}
