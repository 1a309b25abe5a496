/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The simulator as a program: runs scenario files, runs seeds, tells the story of one. The only
 * file of sim/ that opens files and prints. Exit codes: 0 fine, 1 usage or a story that differs, 3
 * a promise was broken (safety), 4 no rest (liveness); a crash is a signal.
 */
#include "base/mem.h"
#include "sim/script.h"
#include "sim/swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
        "       pvmsim seeds FROM COUNT [--scenario calm|wire|crashes|any]\n"
        "                           [--twice] [--first]\n"
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

static const char *const program = "pvmsim";

static const char *mix_name(enum sim_mix mix)
{
    static const char *const names[] = {
#define MIX_NAME(name, text) text,
        SIM_MIX_TABLE(MIX_NAME)
#undef MIX_NAME
    };
    return names[mix];
}

static void print_failure(uint64_t seed, enum sim_mix mix, const struct sim_swarm_result *result)
{
    printf("# seed %llu: %s\n# drew %s\n# repeat: %s run --seed %llu --scenario %s --trace\n",
           (unsigned long long)seed, result->reason, result->parameters, program,
           (unsigned long long)seed, mix_name(mix));
    fflush(stdout);
}

static bool number_argument(const char *text, uint64_t *value)
{
    char *end;
    if (!text)
        return false;
    *value = strtoull(text, &end, 0);
    return end != text && *end == '\0';
}

static enum sim_verdict run_seed(uint64_t seed, enum sim_mix mix, bool twice,
                                 struct sim_swarm_result *sum)
{
    struct sim_swarm_result result, again;
    sim_swarm_run(seed, mix, 0, NULL, NULL, &result);
    if (twice && result.verdict == SIM_FINE) {
        sim_swarm_run(seed, mix, 0, NULL, NULL, &again);
        if (again.hash != result.hash) {
            result.verdict = SIM_UNSAFE;
            str_format(result.reason, sizeof(result.reason), "a second run went otherwise");
        }
    }
    if (result.verdict != SIM_FINE)
        print_failure(seed, mix, &result);
    sum->events += result.events;
    sum->messages += result.messages;
    sum->notices += result.notices;
    sum->answers += result.answers;
    sum->virtual_ns += result.virtual_ns;
    return result.verdict;
}

static int command_seeds(int argc, char **argv)
{
    uint64_t from, count;
    enum sim_mix mix = SIM_MIX_ANY;
    bool twice = false, first = false;
    if (argc < 2 || !number_argument(argv[0], &from) || !number_argument(argv[1], &count))
        return usage();
    for (int i = 2; i < argc; i++) {
        if (str_equal(argv[i], "--twice"))
            twice = true;
        else if (str_equal(argv[i], "--first"))
            first = true;
        else if (!str_equal(argv[i], "--scenario") || i + 1 == argc ||
                 sim_mix_parse(argv[++i], &mix) < 0)
            return usage();
    }
    uint64_t failed = 0;
    struct sim_swarm_result sum = {0};
    enum sim_verdict worst = SIM_FINE;
    for (uint64_t seed = from; seed < from + count && !(first && failed); seed++) {
        const enum sim_verdict verdict = run_seed(seed, mix, twice, &sum);
        failed += verdict != SIM_FINE;
        if (verdict > worst)
            worst = verdict;
    }
    printf("# %llu events, %llu messages, %llu notices, %llu answers in %.0f s of virtual time\n",
           (unsigned long long)sum.events, (unsigned long long)sum.messages,
           (unsigned long long)sum.notices, (unsigned long long)sum.answers,
           (double)sum.virtual_ns / 1e9);
    printf("%sok 1 - seeds %llu to %llu of \"%s\" keep the promises\n", failed ? "not " : "",
           (unsigned long long)from, (unsigned long long)(from + count - 1), mix_name(mix));
    if (failed)
        printf("# %llu of %llu failed\n", (unsigned long long)failed, (unsigned long long)count);
    printf("1..1\n");
    return exit_code(worst);
}

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
    return usage();
}
