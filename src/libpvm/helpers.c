/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Helpers of the original's library that programs found and use (surface API-85); none is declared
 * in pvm3.h but pvmgetrsh() and pvmgettmp().
 */
#include "base/str.h"
#include "libpvm/api.h"
#include "libpvm/find.h"

#include "pvm3.h"
#include "pvmproto.h"
#include "pvmtev.h"
#include "libpvm/data.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

void pvmgetclock(struct timeval *now);
void pvmsleep(int seconds);
int pvmputenv(char *assignment);
int pvmstrtoi(char *text);
char *pvmnametag(int tag, int *found);
int pvmendtask(void);
int pvmbeatask(void);
char *pvmtmpnam(char *name);
int tev_begin(int kind, int entry_exit);
int tev_fin(void);

void pvmgetclock(struct timeval *now)
{
    gettimeofday(now, NULL);
}

void pvmsleep(int seconds)
{
    struct timespec left = {.tv_sec = seconds};
    while (seconds > 0 && nanosleep(&left, &left) < 0 && errno == EINTR)
        continue;
}

/* The text is copied: unlike putenv() the caller may do with it as it likes afterwards. */
int pvmputenv(char *assignment)
{
    const char *equals = strchr(assignment, '=');
    char name[256];
    if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof(name))
        return -1;
    memcpy(name, assignment, (size_t)(equals - assignment));
    name[equals - assignment] = '\0';
    return setenv(name, equals + 1, 1);
}

char *pvmgettmp(void)
{
    return (char *)(size_t)find_tmp();
}

char *pvmgetrsh(void)
{
    static char standard[] = "ssh";
    char *given = getenv("PVM_RSH");
    return given && *given ? given : standard;
}

/* Decimal, 0 octal, 0x hexadecimal; what follows the number is ignored. */
int pvmstrtoi(char *text)
{
    return (int)strtol(text, NULL, 0);
}

/* The rows follow the numbers in pvmproto.h. */
static const struct {
    int first;
    int count;
    const char *const *names;
} tag_families[] = {
    {TM_FIRST, 25,
     (const char *const[]){"TM_CONNECT",  "TM_CONN2",   "TM_EXIT",   "TM_ADDHOST", "TM_DELHOST",
                           "TM_CONFIG",   "TM_MSTAT",   "TM_HALT",   "TM_TICKLE",  "TM_SPAWN",
                           "TM_PSTAT",    "TM_SENDSIG", "TM_TASK",   "TM_MCA",     "TM_NOTIFY",
                           "TM_DB",       "TM_SCHED",   "TM_TASKER", "TM_HOSTER",  "TM_TRACER",
                           "TM_HOSTSYNC", "TM_SETOPT",  "TM_GETOPT", "TM_CONTEXT", "TM_SHMCONN"}},
    {DM_FIRST, 29,
     (const char *const[]){
         "DM_ADD",      "DM_ADDACK",    "DM_EXEC",     "DM_EXECACK",    "DM_SENDSIG",
         "DM_HTUPD",    "DM_HTUPDACK",  "DM_HTCOMMIT", "DM_SLCONF",     "DM_STARTACK",
         "DM_TASK",     "DM_TASKACK",   "DM_DELHOST",  "DM_DELHOSTACK", "DM_NULL",
         "DM_TASKOUT",  "DM_PSTAT",     "DM_PSTATACK", "DM_HALT",       "DM_MCA",
         "DM_NOTIFY",   "DM_NOTIFYACK", "DM_DB",       "DM_DBACK",      "DM_RESET",
         "DM_RESETACK", "DM_HTDEL",     "DM_HOSTSYNC", "DM_HOSTSYNCACK"}},
    {TC_FIRST, 12,
     (const char *const[]){"TC_CONREQ", "TC_CONACK", "TC_TASKEXIT", "TC_NOOP", "TC_OUTPUT",
                           "TC_SETTRACE", "TC_SETTMASK", "TC_SETTRCBUF", "TC_SETTRCOPT", "TC_SHMAT",
                           "TC_OUTPUTX", "TC_SIBLINGS"}},
    {SM_FIRST, 17,
     (const char *const[]){"SM_SPAWN", "SM_EXEC", "SM_EXECACK", "SM_TASK", "SM_CONFIG",
                           "SM_ADDHOST", "SM_DELHOST", "SM_ADD", "SM_ADDACK", "SM_NOTIFY",
                           "SM_TASKX", "SM_HOSTX", "SM_HANDOFF", "SM_SCHED", "SM_STHOST",
                           "SM_STHOSTACK", "SM_STTASK"}},
};

/* The name of a reserved tag, or its number in text of the calling thread's own. */
char *pvmnametag(int tag, int *found)
{
    static _Thread_local char number[16];
    for (size_t i = 0; i < ARRAY_LEN(tag_families); i++) {
        const int ordinal = tag - tag_families[i].first;
        if (ordinal < 0 || ordinal >= tag_families[i].count)
            continue;
        if (found)
            *found = 1;
        return (char *)(size_t)tag_families[i].names[ordinal];
    }
    if (found)
        *found = 0;
    str_format(number, sizeof(number), "%d", tag);
    return number;
}

int pvmbeatask(void)
{
    lock_enter();
    const int status = task_enrol();
    lock_leave();
    return status;
}

int pvmendtask(void)
{
    lock_enter();
    task_leave();
    lock_leave();
    return 0;
}

/* A name in the directory for such files that no file has yet. */
char *pvmtmpnam(char *name)
{
    static _Thread_local char own[128];
    static unsigned serial;
    char *to = name ? name : own;
    lock_enter();
    do
        str_format(to, sizeof(own), "%s/pvmtmp%06d.%u", find_tmp(), (int)getpid(), serial++);
    while (access(to, F_OK) == 0);
    lock_leave();
    return to;
}

/* Nobody traces: an event begins with "no", and nothing follows. */
int tev_begin(int kind, int entry_exit)
{
    (void)kind;
    (void)entry_exit;
    return 0;
}

int tev_fin(void)
{
    return 0;
}
