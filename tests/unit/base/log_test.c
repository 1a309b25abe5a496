/* SPDX-License-Identifier: BSD-3-Clause */
/* Log lines to a sink. */
#include "base/log.h"

#include "base/str.h"
#include "tap.h"

static char last[LOG_LINE_BYTES_MAX + 100];
static int count;

static void keep(void *context, enum log_level level, const char *line)
{
    (void)context;
    (void)level;
    count++;
    str_copy(last, sizeof(last), line);
}

int main(void)
{
    struct log_sink sink = {keep, NULL, LOG_LEVEL_INFO};
    char longer[5000];
    enum log_level level;
    log_line(&sink, LOG_LEVEL_INFO, "host \"%s\": %d", "x", 7);
    SAME_TEXT(last, "host \"x\": 7", "a line is formatted");
    log_line(&sink, LOG_LEVEL_DEBUG, "more");
    EQUAL(count, 1, "above the level nothing is said");
    log_line(NULL, LOG_LEVEL_ERROR, "nobody");
    EQUAL(count, 1, "nor to nobody");
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    log_line(&sink, LOG_LEVEL_ERROR, "%s", longer);
    OK(strlen(last) < LOG_LINE_BYTES_MAX, "a line has a longest length");
    EQUAL(log_level_parse(log_level_name(LOG_LEVEL_WARN), &level), 0, "a level by name");
    EQUAL(level, LOG_LEVEL_WARN, "and back");
    EQUAL(log_level_parse("loud", &level), -1, "one that is none");
    return tap_done();
}
