/* SPDX-License-Identifier: BSD-3-Clause */
/* What the virtual machine looks like: hosts, tasks, clocks (API-9, API-12 to API-14, API-17,
 * API-18). */
#include "base/mem.h"
#include "libpvm/api.h"

#include "pvm3.h"

#include <string.h>

struct arena *api_memory(enum lock_result result)
{
    struct arena *memory = &lock_thread()->results[result];
    arena_fini(memory);
    arena_init(memory);
    return memory;
}

static char *text_keep(struct arena *memory, const char *text)
{
    return arena_strndup(memory, text, strlen(text));
}

static int request_hosts(struct message *answer)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    struct message request = {.type = TM_CONFIG};
    status = task_answer(client_request(task_client(), &request), answer);
    if (status < 0)
        return status;
    return answer->type == TM_HOSTS ? answer->tm_hosts.status : PvmBadMsg;
}

static int signatures_count(const struct wire_host_list *hosts)
{
    int distinct = 0;
    for (size_t i = 0; i < hosts->count; i++) {
        size_t same = 0;
        while (hosts->items[same].signature != hosts->items[i].signature)
            same++;
        distinct += same == i;
    }
    return distinct;
}

static struct pvmhostinfo *hosts_keep(const struct wire_host_list *hosts)
{
    struct arena *memory = api_memory(LOCK_RESULT_CONFIG);
    struct pvmhostinfo *infos = arena_calloc(memory, hosts->count + 1, sizeof(*infos));
    for (size_t i = 0; infos && i < hosts->count; i++) {
        const struct wire_host *host = &hosts->items[i];
        infos[i] = (struct pvmhostinfo){
            .hi_tid = (int)(host->number << 18),
            .hi_name = text_keep(memory, host->name),
            .hi_arch = text_keep(memory, host->arch),
            .hi_speed = host->speed,
            .hi_dsig = (int)host->signature,
        };
        if (!infos[i].hi_name || !infos[i].hi_arch)
            return NULL;
    }
    return infos;
}

static int config(int *nhost, int *narch, struct pvmhostinfo **hosts)
{
    struct message answer;
    const int status = request_hosts(&answer);
    if (status < 0)
        return status;
    if (hosts && !(*hosts = hosts_keep(&answer.tm_hosts.hosts)))
        return PvmNoMem;
    if (nhost)
        *nhost = (int)answer.tm_hosts.hosts.count;
    if (narch)
        *narch = signatures_count(&answer.tm_hosts.hosts);
    return 0;
}

int pvm_config(int *nhost, int *narch, struct pvmhostinfo **hosts)
{
    lock_enter();
    return api_leave("pvm_config", config(nhost, narch, hosts));
}

static int archcode(const char *arch)
{
    if (!arch)
        return PvmBadParam;
    struct message answer;
    const int status = request_hosts(&answer);
    if (status < 0)
        return status;
    for (size_t i = 0; i < answer.tm_hosts.hosts.count; i++)
        if (strcmp(answer.tm_hosts.hosts.items[i].arch, arch) == 0)
            return (int)answer.tm_hosts.hosts.items[i].signature;
    return PvmNotFound;
}

int pvm_archcode(char *arch)
{
    lock_enter();
    return api_leave("pvm_archcode", archcode(arch));
}

static struct pvmtaskinfo *tasks_keep(const struct wire_task_list *tasks)
{
    struct arena *memory = api_memory(LOCK_RESULT_TASKS);
    struct pvmtaskinfo *infos = arena_calloc(memory, tasks->count + 1, sizeof(*infos));
    for (size_t i = 0; infos && i < tasks->count; i++) {
        const struct wire_task *task = &tasks->items[i];
        infos[i] = (struct pvmtaskinfo){
            .ti_tid = (int)task->tid,
            .ti_ptid = task->parent,
            .ti_host = (int)task->host_tid,
            .ti_flag = (int)task->flags,
            .ti_a_out = text_keep(memory, task->name),
            .ti_pid = (int)task->pid,
        };
        if (!infos[i].ti_a_out)
            return NULL;
    }
    return infos;
}

static int tasks(int where, int *ntask, struct pvmtaskinfo **infos)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    struct message request = {.type = TM_TASKS, .tm_tasks = {.where = (uint32_t)where}}, answer;
    status = task_answer(client_request(task_client(), &request), &answer);
    if (status < 0)
        return status;
    if (answer.type != TM_TASKLIST)
        return PvmBadMsg;
    if (answer.tm_tasklist.status < 0)
        return answer.tm_tasklist.status;
    if (infos && !(*infos = tasks_keep(&answer.tm_tasklist.tasks)))
        return PvmNoMem;
    if (ntask)
        *ntask = (int)answer.tm_tasklist.tasks.count;
    return 0;
}

int pvm_tasks(int where, int *ntask, struct pvmtaskinfo **infos)
{
    lock_enter();
    return api_leave("pvm_tasks", tasks(where, ntask, infos));
}

/* |expected| and |expected2| are news and no errors: neither printed nor kept (CONV-5). */
static int report_status(const char *call, int status, int expected, int expected2)
{
    return status == expected || status == expected2 ? status : result(call, status);
}

int pvm_mstat(char *host)
{
    lock_enter();
    int status = task_enrol();
    if (status == 0)
        status = task_done(client_mstat(task_client(), host));
    lock_leave();
    return report_status("pvm_mstat", status, PvmNoHost, PvmHostFail);
}

int pvm_pstat(int tid)
{
    lock_enter();
    int status = task_enrol();
    if (status == 0)
        status = task_done(client_pstat(task_client(), tid));
    lock_leave();
    return report_status("pvm_pstat", status, PvmNoTask, PvmNoTask);
}

static int64_t microseconds(const struct timeval *time)
{
    return (int64_t)time->tv_sec * 1000000 + time->tv_usec;
}

/* The field of microseconds is 0..999999 also before zero: -1 us is (-1, 999999). */
static struct timeval timeval_of(int64_t us)
{
    int64_t seconds = us / 1000000, rest = us % 1000000;
    if (rest < 0) {
        rest += 1000000;
        seconds--;
    }
    return (struct timeval){.tv_sec = (time_t)seconds, .tv_usec = (suseconds_t)rest};
}

static int hostsync(int host, struct timeval *clock, struct timeval *delta)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    struct message request = {.type = TM_HOSTSYNC, .tm_hostsync = {.host_tid = (uint32_t)host}},
                   answer;
    struct timeval before, after;
    gettimeofday(&before, NULL);
    status = task_answer(client_request(task_client(), &request), &answer);
    gettimeofday(&after, NULL);
    if (status < 0)
        return status;
    /* A daemon may answer a failure without contents. */
    if (answer.type == TM_DONE && answer.tm_done.status < 0)
        return answer.tm_done.status;
    if (answer.type != TM_CLOCK)
        return PvmBadMsg;
    if (answer.tm_clock.status < 0)
        return answer.tm_clock.status;
    const int64_t remote = (int64_t)answer.tm_clock.seconds * 1000000 +
                           answer.tm_clock.microseconds;
    if (clock)
        *clock = timeval_of(remote);
    if (delta)
        *delta = timeval_of((microseconds(&before) + microseconds(&after)) / 2 - remote);
    return 0;
}

int pvm_hostsync(int host, struct timeval *clock, struct timeval *delta)
{
    lock_enter();
    return api_leave("pvm_host_sync", hostsync(host, clock, delta));
}

enum { TICKLE_INTS_MAX = 10 };

static int tickle(int narg, int *args, int *nresp, int *resp)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    if (narg < 1 || narg > TICKLE_INTS_MAX || !args)
        return PvmBadParam;
    struct message request = {.type = TM_TICKLE,
                              .tm_tickle = {.args = {.count = (size_t)narg, .items = args}}};
    struct message answer;
    status = task_answer(client_request(task_client(), &request), &answer);
    if (status < 0)
        return status;
    if (answer.type != TM_TICKLED)
        return PvmBadMsg;
    if (answer.tm_tickled.status < 0)
        return answer.tm_tickled.status;
    const size_t count = MIN_OF(answer.tm_tickled.results.count, (size_t)TICKLE_INTS_MAX);
    if (nresp)
        *nresp = (int)count;
    for (size_t i = 0; resp && i < count; i++)
        resp[i] = answer.tm_tickled.results.items[i];
    return 0;
}

int pvm_tickle(int narg, int *args, int *nresp, int *resp)
{
    lock_enter();
    return api_leave("pvm_tickle", tickle(narg, args, nresp, resp));
}

int pvm_getfds(int **fds)
{
    static int descriptors[1];
    lock_enter();
    const int status = task_enrol();
    if (status == 0)
        descriptors[0] = task_descriptor();
    lock_leave();
    if (status < 0)
        return result("pvm_getfds", status);
    if (fds)
        *fds = descriptors;
    return 1;
}

int pvm_tidtohost(int tid)
{
    return tid & (int)TID_HOST;
}

char *pvm_version(void)
{
    static char version[] = PVM_VER;
    return version;
}
