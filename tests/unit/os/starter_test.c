/* SPDX-License-Identifier: BSD-3-Clause */
/* Starting daemons by commands: answers, failures in words, a few at a time; and what the commands
 * are. */
#include "os/starter.h"

#include "base/mem.h"
#include "os/starter_ssh.h"
#include "tap.h"
#include "until.h"

static struct loop *loop;
static struct pid_watcher *pids;
static struct starters *starters;

enum { TICKETS_MAX = 32 };
static struct {
    char answer[128];
    char words[STARTER_WORDS_BYTES];
    int ends;
} results[TICKETS_MAX];
static int running, started, waited_max, ended, wanted;

static bool got_line(void *context, uint64_t ticket, const char *line)
{
    (void)context;
    if (strncmp(line, "ddpro<", 6) != 0)
        return false;
    snprintf(results[ticket].answer, sizeof(results[ticket].answer), "%s", line);
    results[ticket].ends++;
    ended++;
    return true;
}

static void got_failed(void *context, uint64_t ticket, const char *words)
{
    (void)context;
    snprintf(results[ticket].words, sizeof(results[ticket].words), "%s", words);
    results[ticket].ends++;
    ended++;
}

static void got_process(void *context, pid_t pid, bool runs)
{
    (void)context;
    (void)pid;
    running += runs ? 1 : -1;
    started += runs;
    waited_max = started - ended > waited_max ? started - ended : waited_max;
}

static bool all_ended(void *context)
{
    (void)context;
    return ended >= wanted && running == 0;
}

static void add(uint64_t ticket, const char *script)
{
    struct word_list list = {0};
    word_list_add(&list, "sh");
    word_list_add(&list, "-c");
    word_list_add(&list, script);
    memset(&results[ticket], 0, sizeof(results[ticket]));
    OK(starters_add(starters, ticket, "node7", list.words, NULL) == 0, "queued");
}

static void begin(int count)
{
    ended = started = 0;
    wanted = count;
    waited_max = 0;
}

static void test_answer(void)
{
    begin(1);
    add(1, "echo welcome to this machine; echo 'ddpro<1> and so on'; echo more");
    OK(until(loop, all_ended, NULL), "a command that answers ends");
    SAME_TEXT(results[1].answer, "ddpro<1> and so on", "its answer is found among other lines");
    EQUAL(results[1].ends, 1, "it ends once, although the command ends later");
}

static void test_failures(void)
{
    begin(3);
    add(1, "echo one >&2; echo 'Permission denied (publickey).' >&2; exit 255");
    add(2, "exit 0");
    add(3, "kill -9 $$");
    OK(until(loop, all_ended, NULL), "commands that fail end");
    SAME_TEXT(results[1].words,
              "host \"node7\": sh exited with 255: Permission denied (publickey).",
              "with status and last line of errors");
    SAME_TEXT(results[2].words, "host \"node7\": sh ended without the answer of a new pvmd",
              "without an answer");
    SAME_TEXT(results[3].words, "host \"node7\": sh was ended by signal 9", "by a signal");
    begin(1);
    struct word_list list = {0};
    word_list_add(&list, "no-such-rsh");
    memset(&results[4], 0, sizeof(results[4]));
    starters_add(starters, 4, "node7", list.words, NULL);
    OK(until(loop, all_ended, NULL) && strstr(results[4].words, "no-such-rsh cannot be started"),
       "a command that is not there");
}

static void test_a_few_at_a_time(void)
{
    begin(12);
    for (uint64_t i = 0; i < 12; i++)
        add(i, "sleep 0.05; echo 'ddpro<1>'");
    OK(until(loop, all_ended, NULL), "twelve starts end");
    EQUAL(waited_max, STARTERS_AT_ONCE_MAX, "never more than the limit are waited for at once");
}

static bool all_answered(void *context)
{
    (void)context;
    return ended >= wanted;
}

/* As pvmd -w does: it stays until its daemon is a host. */
static void test_held(void)
{
    enum { HELD = 2 * STARTERS_AT_ONCE_MAX };
    begin(HELD);
    for (uint64_t i = 0; i < HELD; i++)
        add(i, "echo 'ddpro<1>'; sleep 600");
    OK(until(loop, all_answered, NULL),
       "those that have answered do not keep others from starting");
    EQUAL(running, HELD, "though they run on");
    for (uint64_t i = 0; i < HELD; i++)
        starters_cancel(starters, i);
    OK(until(loop, all_ended, NULL), "until nobody wants them");
    EQUAL(results[0].ends, 1, "of which nothing more is said");
}

static void test_cancel(void)
{
    begin(1);
    add(1, "sleep 30; echo 'ddpro<1>'");
    add(2, "echo 'ddpro<1>'");
    OK(until(loop, all_ended, NULL) == false || running == 1, "one runs on");
    starters_cancel(starters, 1);
    OK(until(loop, all_ended, NULL), "cancelled, it ends");
    EQUAL(results[1].ends, 0, "without a word");
}

static void joined(char **argv, char *text, size_t size_bytes)
{
    text[0] = '\0';
    for (size_t i = 0; argv && argv[i]; i++)
        snprintf(text + strlen(text), size_bytes - strlen(text), "%s[%s]", i ? " " : "", argv[i]);
    word_list_free(argv);
}

static void test_commands(void)
{
    char text[1024];
    struct starter_target target = {
        .address = "node7", .own_path = "/opt/p v/pvmd", .arguments = " -s -nnode7"};
    joined(starter_ssh_argv(&target, NULL), text, sizeof(text));
    SAME_TEXT(
        text,
        "[ssh] [-T] [-x] [-o] [BatchMode=yes] [--] [node7] "
        "[sh -c 'p='\\''/opt/p v/pvmd'\\''; test -x \"$p\" || p=pvmd; exec \"$p\" \"$@\"' pvmd "
        "-s -nnode7]",
        "ssh tries our own path, then the other side's PATH");
    target.login = "ann";
    target.daemon = "$HOME/bin/pvmd";
    joined(starter_ssh_argv(&target, "rsh -n"), text, sizeof(text));
    SAME_TEXT(text, "[rsh] [-n] [node7] [-l] [ann] [$HOME/bin/pvmd -s -nnode7]",
              "PVM_RSH, a login, and dx= which the other side's shell expands");
    joined(starter_local_argv(&target), text, sizeof(text));
    SAME_TEXT(text, "[/bin/sh] [-c] [exec '/opt/p v/pvmd' -s -nnode7]", "another one here");
    struct strbuf quoted;
    strbuf_init(&quoted);
    shell_quote(&quoted, "it's [x] $HOME");
    SAME_TEXT(strbuf_text(&quoted), "'it'\\''s [x] $HOME'", "words are safe from a shell");
    strbuf_fini(&quoted);
}

int main(void)
{
    loop = loop_create();
    pids = pid_watcher_create(loop, NULL);
    struct starter_handler handler = {
        .line = got_line, .failed = got_failed, .process = got_process};
    starters = starters_create(loop, pids, NULL, &handler);
    TEST(test_answer);
    TEST(test_failures);
    TEST(test_a_few_at_a_time);
    TEST(test_held);
    TEST(test_commands);
    TEST(test_cancel);
    starters_destroy(starters);
    loop_destroy(loop);
    pid_watcher_destroy(pids);
    return tap_done();
}
