/* SPDX-License-Identifier: BSD-3-Clause */
/* The log: form of its lines, size limit, a full disk. */
#include "os/logfile.h"

#include "base/str.h"
#include "tap.h"
#include "until.h"

#include <fcntl.h>

static char *tmp;
static char path[128];
static char text[65536];

static const char *contents(void)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
    text[got > 0 ? got : 0] = '\0';
    close(fd);
    return text;
}

static void test_lines(void)
{
    struct logfile log;
    logfile_init(&log, LOG_LEVEL_INFO, 10000, false);
    logfile_attach(&log, open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600));
    log_line(&log.sink, LOG_LEVEL_INFO, "ready");
    logfile_set_tid(&log, 0x80040000);
    log_line(&log.sink, LOG_LEVEL_INFO, "two\nlines");
    log_line(&log.sink, LOG_LEVEL_DEBUG, "not seen");
    const char *got = contents();
    OK(strncmp(got, "[pvmd pid", 9) == 0,
       "before the tid is known the process number stands there");
    const char *second = strchr(got, '\n') + 1;
    OK(strncmp(second, "[t80040000] ", 12) == 0, "then the tid");
    OK(second[14] == '/' && second[17] == ' ' && second[20] == ':' && second[23] == ':',
       "then MM/DD HH:MM:SS");
    SAME_TEXT(second + 26, " two lines\n",
              "an event is one line, and quieter levels are not there");
    logfile_fini(&log);
}

static void test_size_limit(void)
{
    struct logfile log;
    logfile_init(&log, LOG_LEVEL_INFO, 500, false);
    logfile_attach(&log, open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600));
    for (int i = 0; i < 100; i++)
        log_line(&log.sink, LOG_LEVEL_INFO, "line %d of many", i);
    const char *got = contents();
    const char *said = strstr(got, "PVMDLOGMAX");
    OK(said != NULL, "the limit is said in the log");
    OK(said && strstr(said + 1, "PVMDLOGMAX") == NULL, "once");
    OK(strlen(got) < 700, "and nothing comes after it");
    OK(log.lines_lost > 80, "what was dropped is counted");
    logfile_fini(&log);
}

static void test_full_disk(void)
{
    struct logfile log;
    int full = open("/dev/full", O_WRONLY);
    if (full < 0) {
        SKIP("a full disk", "no /dev/full");
        return;
    }
    int saved = dup(2), err = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    dup2(err, 2);
    logfile_init(&log, LOG_LEVEL_INFO, 10000, false);
    logfile_attach(&log, full);
    for (int i = 0; i < 5; i++)
        log_line(&log.sink, LOG_LEVEL_INFO, "line %d", i);
    dup2(saved, 2);
    close(saved);
    close(err);
    const char *got = contents();
    OK(strstr(got, "cannot write the log: No space left on device") != NULL, "stderr is told");
    EQUAL(strlen(got) - (size_t)(strchr(got, '\n') - got), 1, "once");
    EQUAL(log.lines_lost, 5, "and work goes on");
    logfile_fini(&log);
}

int main(void)
{
    tmp = private_directory();
    snprintf(path, sizeof(path), "%s/log", tmp);
    TEST(test_lines);
    TEST(test_size_limit);
    TEST(test_full_disk);
    remove_tree(tmp);
    return tap_done();
}
