/* SPDX-License-Identifier: BSD-3-Clause */
/* How errors are said: the exact lines, the modes of PvmAutoErr, what is kept, helpers of
 * API-85. */
#include "fake.h"

#include "pvm3.h"

int pvm_nerr_of_test;
extern int pvm_nerr;
extern char *pvm_errlist[];
int lpvmerr(const char *call, int code);
char *pvmnametag(int tag, int *found);
int pvmstrtoi(char *text);
char *pvmtmpnam(char *name);
int pvmsettaskname(char *name);

static struct capture capture;

static void lines(void)
{
    capture_begin(&capture);
    pvm_freebuf(-1);
    SAME_TEXT(capture_end(&capture), "libpvm [pid-1]: pvm_freebuf(): Bad parameter\n",
              "a line for an error");
    EQUAL(pvm_errno, PvmBadParam, "which is kept");
    OK(pvm_mkbuf(PvmDataRaw) > 0 && pvm_errno == PvmBadParam, "also by success");
    capture_begin(&capture);
    pvm_perror("text");
    SAME_TEXT(capture_end(&capture), "libpvm [pid-1]: text: Bad parameter\n", "said again");
    capture_begin(&capture);
    pvm_perror(NULL);
    SAME_TEXT(capture_end(&capture), "libpvm [pid-1]: (null): Bad parameter\n", "without text");
    SAME_TEXT(pvm_strerror(), "Bad parameter", "as text");
    pvm_errno = 5;
    SAME_TEXT(pvm_strerror(), "Unknown Error", "a number that is none");
    pvm_errno = -99;
    SAME_TEXT(pvm_strerror(), "Unknown Error", "nor this");
    EQUAL(pvm_nerr, 37, "as many texts as ever");
    SAME_TEXT(pvm_errlist[9], "Error 9", "a hole has a text");
    SAME_TEXT(pvm_errlist[36], "Master Host IP Address is Loopback! (See pvm3/Readme)", "the last");
    capture_begin(&capture);
    pvm_setopt(PvmAutoErr, 0);
    pvm_freebuf(-1);
    EQUAL(lpvmerr("own", PvmNoData), PvmNoData, "a helper gives back the code");
    SAME_TEXT(capture_end(&capture), "", "mode 0 prints nothing");
    EQUAL(pvm_errno, PvmNoData, "but keeps");
    pvm_setopt(PvmAutoErr, 1);
}

static int child_status(int mode)
{
    int status = 0;
    fflush(stdout);
    capture_begin(&capture);
    const pid_t child = fork();
    if (child == 0) {
        pvm_setopt(PvmAutoErr, mode);
        pvm_freebuf(-1);
        _exit(0);
    }
    waitpid(child, &status, 0);
    capture_end(&capture);
    return status;
}

static void modes(void)
{
    int status = child_status(2);
    OK(WIFEXITED(status) && WEXITSTATUS(status) == 254, "mode 2 leaves with the code");
    status = child_status(3);
    OK(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "mode 3 aborts");
    status = child_status(4);
    OK(WIFEXITED(status) && WEXITSTATUS(status) == 0, "others print");
}

static void not_implemented(void)
{
    pvm_setopt(PvmAutoErr, 0);
    EQUAL(pvm_newcontext(), PvmNotImpl, "contexts of the machine");
    EQUAL(pvm_reg_hoster(), PvmNotImpl, "services");
    pvm_setopt(PvmAutoErr, 1);
    capture_begin(&capture);
    pvm_freecontext(1);
    SAME_TEXT(capture_end(&capture), "libpvm [pid-1]: pvm_freecontext(): Not implemented\n",
              "said as any error");
}

static void helpers(void)
{
    int found = -1;
    SAME_TEXT(pvmnametag((int)0x80030005, &found), "TC_OUTPUT", "the name of a tag");
    EQUAL(found, 1, "found");
    SAME_TEXT(pvmnametag(12, &found), "12", "no name");
    EQUAL(found, 0, "not found");
    OK(pvmstrtoi("0x10") == 16 && pvmstrtoi("010") == 8 && pvmstrtoi("12") == 12, "numbers");
    setenv("PVM_TMP", "/tmp/x", 1);
    SAME_TEXT(pvmgettmp(), "/tmp/x", "where files go");
    char first[128], second[128];
    pvmtmpnam(first);
    pvmtmpnam(second);
    OK(strncmp(first, "/tmp/x/", 7) == 0 && strcmp(first, second) != 0, "names nobody has");
    unsetenv("PVM_TMP");
    EQUAL(pvmsettaskname("name"), 0, "a name before enrolment");
    SAME_TEXT(pvm_version(), "3.4.6", "the version programs ask for");
    EQUAL(pvm_tidtohost(0x80005), 0x80000, "the host of a tid");
}

static void exports(void)
{
    unsetenv("PVM_EXPORT");
    pvm_export("A");
    pvm_export("B");
    pvm_export("A");
    pvm_export("");
    SAME_TEXT(getenv("PVM_EXPORT"), "A:B", "each once");
    pvm_export("C");
    pvm_unexport("B");
    SAME_TEXT(getenv("PVM_EXPORT"), "A:C", "taken from the middle");
    pvm_unexport("A");
    pvm_unexport("none");
    SAME_TEXT(getenv("PVM_EXPORT"), "C", "from the front");
    pvm_unexport("C");
    SAME_TEXT(getenv("PVM_EXPORT"), "", "the last leaves an empty list");
}

int main(void)
{
    unsetenv("PVMSOCK");
    TEST(lines);
    TEST(modes);
    TEST(not_implemented);
    TEST(helpers);
    TEST(exports);
    return tap_done();
}
