/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Test Anything Protocol for unit tests: OK(condition, "what"), and main() ends with tap_done().
 *
 * One check is one line. A failed check tells file and line and goes on. TEST(name) runs a function
 * and says its name, so that a failure is read as a story.
 */
#ifndef TESTS_LIB_TAP_H
#define TESTS_LIB_TAP_H

#include <stdio.h>
#include <string.h>

static int tap_count;
static int tap_failed;

static inline int tap_ok(int passed, const char *file, int line, const char *what)
{
    tap_count++;
    if (!passed)
        tap_failed++;
    printf("%sok %d - %s\n", passed ? "" : "not ", tap_count, what);
    if (!passed)
        printf("# failed at %s:%d\n", file, line);
    fflush(stdout);
    return passed;
}

static inline int tap_equal(long long got, long long wanted, const char *file, int line,
                            const char *what)
{
    if (tap_ok(got == wanted, file, line, what))
        return 1;
    printf("# got %lld, wanted %lld\n", got, wanted);
    return 0;
}

static inline int tap_same_text(const char *got, const char *wanted, const char *file, int line,
                                const char *what)
{
    if (tap_ok(got && wanted && strcmp(got, wanted) == 0, file, line, what))
        return 1;
    printf("# got \"%s\", wanted \"%s\"\n", got ? got : "(null)", wanted ? wanted : "(null)");
    return 0;
}

#define OK(condition, what) tap_ok(!!(condition), __FILE__, __LINE__, what)
#define EQUAL(got, wanted, what)                                                                  \
    tap_equal((long long)(got), (long long)(wanted), __FILE__, __LINE__, what)
#define SAME_TEXT(got, wanted, what) tap_same_text(got, wanted, __FILE__, __LINE__, what)
#define SKIP(what, why) (tap_count++, printf("ok %d - %s # SKIP %s\n", tap_count, what, why))
#define TEST(function) (printf("# %s\n", #function), function())

static inline int tap_done(void)
{
    printf("1..%d\n", tap_count);
    return tap_failed ? 1 : 0;
}

#endif
