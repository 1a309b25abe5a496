/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Helpers shared by the conformance programs: roles of one program (itself spawned with the role's
 * name), printing of results by name, and waits that end.  It uses the public API only, so that
 * the same program runs on the original PVM 3.4.6 and on ours.  It decides nothing: run.py compares
 * what the programs print.  Print relations, never a tid, pid, path or time.
 * Next: any program here, for instance recv_order_one_sender.c.
 */
#ifndef CONF_H
#define CONF_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <pvm3.h>

#define CONF_UNUSED __attribute__((unused))

extern int pvm_errno;

enum {
    CONF_PROGRAM_LIMIT_S = 40, /* a whole program; run.py may allow more by its "timeout:" line */
    CONF_RECEIVE_LIMIT_S = 15  /* one receive that is expected to succeed */
};

struct conf_role {
    const char *name;
    void (*run)(void);
};

static char conf_program[128]; /* name to spawn, found through the daemon's search path */
static int conf_argc CONF_UNUSED;
static char **conf_argv CONF_UNUSED;

static const char *const conf_error_names[] = {
    [0] = "0",
    [-PvmBadParam] = "PvmBadParam",
    [-PvmMismatch] = "PvmMismatch",
    [-PvmOverflow] = "PvmOverflow",
    [-PvmNoData] = "PvmNoData",
    [-PvmNoHost] = "PvmNoHost",
    [-PvmNoFile] = "PvmNoFile",
    [-PvmDenied] = "PvmDenied",
    [-PvmNoMem] = "PvmNoMem",
    [-PvmBadMsg] = "PvmBadMsg",
    [-PvmSysErr] = "PvmSysErr",
    [-PvmNoBuf] = "PvmNoBuf",
    [-PvmNoSuchBuf] = "PvmNoSuchBuf",
    [-PvmNullGroup] = "PvmNullGroup",
    [-PvmDupGroup] = "PvmDupGroup",
    [-PvmNoGroup] = "PvmNoGroup",
    [-PvmNotInGroup] = "PvmNotInGroup",
    [-PvmNoInst] = "PvmNoInst",
    [-PvmHostFail] = "PvmHostFail",
    [-PvmNoParent] = "PvmNoParent",
    [-PvmNotImpl] = "PvmNotImpl",
    [-PvmDSysErr] = "PvmDSysErr",
    [-PvmBadVersion] = "PvmBadVersion",
    [-PvmOutOfRes] = "PvmOutOfRes",
    [-PvmDupHost] = "PvmDupHost",
    [-PvmCantStart] = "PvmCantStart",
    [-PvmAlready] = "PvmAlready",
    [-PvmNoTask] = "PvmNoTask",
    [-PvmNotFound] = "PvmNotFound",
    [-PvmExists] = "PvmExists",
    [-PvmHostrNMstr] = "PvmHostrNMstr",
    [-PvmParentNotSet] = "PvmParentNotSet",
    [-PvmIPLoopback] = "PvmIPLoopback",
};

/* The error's name, or the number in text held until the fourth next call. */
static CONF_UNUSED const char *conf_name(int code)
{
    static char number[4][32];
    static unsigned next;
    const int known = (int)(sizeof conf_error_names / sizeof conf_error_names[0]);
    if (code <= 0 && -code < known && conf_error_names[-code])
        return conf_error_names[-code];
    char *text = number[next++ % 4];
    snprintf(text, 32, "%d", code);
    return text;
}

static CONF_UNUSED int conf_show_code(const char *what, int code)
{
    printf("%s: %s\n", what, conf_name(code));
    return code;
}

static CONF_UNUSED int conf_show_mid(const char *what, int mid)
{
    printf("%s: %s\n", what, mid > 0 ? "a buffer" : mid == 0 ? "no buffer" : conf_name(mid));
    return mid;
}

/* Each prints the expression's own text, a colon and its value, and yields the value. */
#define CODE(expression) conf_show_code(#expression, (expression))
#define MID(expression) conf_show_mid(#expression, (expression))
#define YES(expression) printf("%s: %s\n", #expression, (expression) ? "yes" : "no")
#define NUM(expression) printf("%s: %ld\n", #expression, (long)(expression))

static CONF_UNUSED void conf_hex(const char *what, const void *bytes, size_t size_bytes)
{
    const unsigned char *at = bytes;
    printf("%s:", what);
    for (size_t i = 0; i < size_bytes; i++)
        printf(" %02x", at[i]);
    printf("\n");
}

static CONF_UNUSED void conf_fail(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    printf("CANNOT GO ON: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    _exit(3);
}

static void conf_deadline_passed(int signal_number)
{
    static const char text[] = "DEADLINE PASSED\n";
    (void)signal_number;
    if (write(STDOUT_FILENO, text, sizeof text - 1) < 0)
        _exit(5);
    _exit(4);
}

static CONF_UNUSED double conf_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* One turn of a poll loop; the loop itself has a condition and a deadline. */
static CONF_UNUSED void conf_pause_ms(int milliseconds)
{
    const struct timespec pause = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
    nanosleep(&pause, NULL);
}

/* Receives a message that must come; ends the program when it does not. */
static CONF_UNUSED int conf_take(int tid, int tag)
{
    struct timeval limit = {CONF_RECEIVE_LIMIT_S, 0};
    const int mid = pvm_trecv(tid, tag, &limit);
    if (mid <= 0)
        conf_fail("no message with tag %d (%s)", tag, conf_name(mid));
    return mid;
}

/* Waits up to seconds for a message that may or may not come. */
static CONF_UNUSED int conf_take_within(int tid, int tag, double seconds)
{
    struct timeval limit = {(long)seconds, (long)((seconds - (double)(long)seconds) * 1e6)};
    return pvm_trecv(tid, tag, &limit);
}

static CONF_UNUSED void conf_signal(int tid, int tag)
{
    const int old = pvm_setsbuf(pvm_mkbuf(PvmDataDefault));
    pvm_send(tid, tag);
    pvm_freebuf(pvm_setsbuf(old));
}

static CONF_UNUSED void conf_send_int(int tid, int tag, int value)
{
    const int old = pvm_setsbuf(pvm_mkbuf(PvmDataDefault));
    pvm_pkint(&value, 1, 1);
    pvm_send(tid, tag);
    pvm_freebuf(pvm_setsbuf(old));
}

static CONF_UNUSED int conf_take_int(int tid, int tag)
{
    int value = -12345;
    conf_take(tid, tag);
    pvm_upkint(&value, 1, 1);
    return value;
}

static CONF_UNUSED void conf_send_text(int tid, int tag, const char *text)
{
    const int old = pvm_setsbuf(pvm_mkbuf(PvmDataDefault));
    pvm_pkstr((char *)text);
    pvm_send(tid, tag);
    pvm_freebuf(pvm_setsbuf(old));
}

/* The text stays valid until the next call. */
static CONF_UNUSED const char *conf_take_text(int tid, int tag)
{
    static char text[65536];
    text[0] = 0;
    conf_take(tid, tag);
    pvm_upkstr(text);
    return text;
}

/* Starts count copies of this program in a role; all must start. */
static CONF_UNUSED void conf_spawn_flags(const char *role, int flags, char *where, int count,
                                         int *tids)
{
    char *arguments[] = {(char *)role, NULL};
    const int started = pvm_spawn(conf_program, arguments, flags, where, count, tids);
    if (started != count)
        conf_fail("spawned %d of %d (%s)", started, count,
                  conf_name(started < 0 ? started : tids[started]));
}

static CONF_UNUSED void conf_spawn_many(const char *role, int count, int *tids)
{
    conf_spawn_flags(role, PvmTaskDefault, NULL, count, tids);
}

static CONF_UNUSED int conf_spawn(const char *role)
{
    int tid = 0;
    conf_spawn_many(role, 1, &tid);
    return tid;
}

/* Waits until the daemon no longer knows the task. */
static CONF_UNUSED void conf_wait_gone(int tid)
{
    const double limit_s = conf_now_s() + CONF_RECEIVE_LIMIT_S;
    while (pvm_pstat(tid) == 0) {
        if (conf_now_s() > limit_s)
            conf_fail("a task does not end");
        conf_pause_ms(2);
    }
}

typedef int conf_matcher(int mid, int tid, int tag);

/* pvm_recvf, whose result the original's header declares as another kind of function. */
static CONF_UNUSED conf_matcher *conf_recvf(conf_matcher *matcher)
{
    return (conf_matcher *)(void *)pvm_recvf(matcher);
}

/* Makes an empty file in the machine's own directory; path (PATH_MAX) gets its name. */
static CONF_UNUSED int conf_temporary(char *path)
{
    const char *directory = getenv("PVM_TMP");
    snprintf(path, PATH_MAX, "%s/conf-XXXXXX", directory ? directory : "/tmp");
    const int file = mkstemp(path);
    if (file < 0)
        conf_fail("no temporary file");
    return file;
}

static char conf_error_path[PATH_MAX];
static int conf_error_saved = -1;

/* From here to conf_errors_end what is written to stderr is kept instead. */
static CONF_UNUSED void conf_errors_begin(void)
{
    fflush(stderr);
    const int file = conf_temporary(conf_error_path);
    conf_error_saved = dup(STDERR_FILENO);
    dup2(file, STDERR_FILENO);
    close(file);
}

static CONF_UNUSED size_t conf_errors_end_into(char *text, size_t room_bytes)
{
    fflush(stderr);
    lseek(STDERR_FILENO, 0, SEEK_SET);
    ssize_t got = read(STDERR_FILENO, text, room_bytes - 1);
    text[got > 0 ? got : 0] = 0;
    dup2(conf_error_saved, STDERR_FILENO);
    close(conf_error_saved);
    unlink(conf_error_path);
    return strlen(text);
}

/* Prints text with each of our own tid and pid, in the forms PVM prints, replaced by a word. */
static CONF_UNUSED void conf_print_masked(const char *what, const char *text, int tid)
{
    char tid_form[32], pid_form[32];
    snprintf(tid_form, sizeof tid_form, "t%x", (unsigned)tid);
    snprintf(pid_form, sizeof pid_form, "pid%d", (int)getpid());
    printf("%s: ", what);
    for (const char *at = text; *at;) {
        if (tid > 0 && strncmp(at, tid_form, strlen(tid_form)) == 0) {
            printf("<tid>");
            at += strlen(tid_form);
        } else if (strncmp(at, pid_form, strlen(pid_form)) == 0) {
            printf("<pid>");
            at += strlen(pid_form);
        } else if (*at == '\n') {
            printf("\\n");
            at++;
        } else {
            putchar(*at++);
        }
    }
    printf("\n");
}

static CONF_UNUSED void conf_errors_end(const char *what)
{
    static char text[65536];
    conf_errors_end_into(text, sizeof text);
    conf_print_masked(what, text, pvm_mytid());
}

static CONF_UNUSED int conf_main(int argc, char **argv, void (*run)(void),
                                 const struct conf_role *roles)
{
    const char *slash = strrchr(argv[0], '/');
    snprintf(conf_program, sizeof conf_program, "%s", slash ? slash + 1 : argv[0]);
    conf_argc = argc;
    conf_argv = argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    setvbuf(stderr, NULL, _IONBF, 0);
    signal(SIGALRM, conf_deadline_passed);
    alarm(CONF_PROGRAM_LIMIT_S);
    for (const struct conf_role *role = roles; argc > 1 && role->name; role++) {
        if (strcmp(role->name, argv[1]) != 0)
            continue;
        role->run();
        pvm_exit();
        return 0;
    }
    run();
    pvm_exit();
    printf("end\n");
    return 0;
}

/* CONF_MAIN(run) or CONF_MAIN(run, {"role", function}, ...): the program's main. */
#define CONF_MAIN(run, ...)                                                                        \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        static const struct conf_role roles[] = {__VA_ARGS__ __VA_OPT__(,) {NULL, NULL}};          \
        return conf_main(argc, argv, run, roles);                                                  \
    }

#endif
