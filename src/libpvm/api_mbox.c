/* SPDX-License-Identifier: BSD-3-Clause */
/* Mailboxes (API-63 to API-68), and what is kept in them: PvmNoReset, pvmreset() (API-61,
 * API-69). */
#include "base/mem.h"
#include "libpvm/api.h"
#include "libpvm/mbox.h"

#include "pvm3.h"
#include "libpvm/data.h"

#include <signal.h>
#include <string.h>

int pvmreset(int mytid, int kill_tasks, char *class_name, int index);

/* Codes that are ordinary answers are kept, not printed (CONV-5). */
enum { QUIET_DENIED = 1, QUIET_NOT_FOUND = 2 };

static int mbox_leave(const char *call, int status, int quiet)
{
    lock_leave();
    if ((status == PvmDenied && (quiet & QUIET_DENIED)) ||
        (status == PvmNotFound && (quiet & QUIET_NOT_FOUND)))
        return result_quiet(status);
    return result(call, status);
}

/* The end of a request whose answer is an index: |wait| or an error. */
static int index_of(int wait)
{
    return wait < 0 ? wait : task_done(wait);
}

/* The answer of a read; .tm_info.status >= 0. 0 or an error. */
static int info_of(int wait, struct message *answer)
{
    const int status = task_answer(wait, answer);
    if (status < 0)
        return status;
    if (answer->type != TM_INFO)
        return PvmBadMsg;
    return MIN_OF(answer->tm_info.status, 0);
}

/* ---- messages ---- */

static int put(char *name, int mid, int flags)
{
    const int status = task_enrol();
    return status < 0 ? status : index_of(client_putinfo(task_client(), name, mid, flags));
}

int pvm_putinfo(char *name, int mid, int flags)
{
    lock_enter();
    return mbox_leave("pvm_putinfo", put(name, mid, flags), QUIET_DENIED);
}

/* The buffer that was active is freed first, also when there will be no other. */
static int take(char *name, int index, int flags)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    const int wait = client_recvinfo(task_client(), name, index, flags);
    if (wait < 0)
        return wait;
    client_freebuf(task_client(), client_setrbuf(task_client(), 0));
    struct message answer;
    status = info_of(wait, &answer);
    return status < 0 ? status : client_take_info(task_client(), &answer.tm_info);
}

int pvm_recvinfo(char *name, int index, int flags)
{
    lock_enter();
    return mbox_leave("pvm_recvinfo", take(name, index, flags), QUIET_NOT_FOUND);
}

static int delete(char *name, int index, int flags)
{
    const int status = task_enrol();
    return status < 0 ? status : index_of(client_delinfo(task_client(), name, index, flags));
}

int pvm_delinfo(char *name, int index, int flags)
{
    lock_enter();
    return mbox_leave("pvm_delinfo", delete(name, index, flags), QUIET_DENIED | QUIET_NOT_FOUND);
}

/* ---- numbers, as in PVM 3.3 ---- */

static int insert(char *name, int index, int data)
{
    const int status = task_enrol();
    return status < 0 ? status : index_of(client_insert(task_client(), name, index,
                                                        PvmMboxPersistent | PvmMboxMultiInstance,
                                                        data));
}

int pvm_insert(char *name, int index, int data)
{
    lock_enter();
    return mbox_leave("pvm_insert", insert(name, index, data), QUIET_DENIED);
}

static int lookup(char *name, int index, int *data)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    struct message answer;
    status = info_of(client_lookup(task_client(), name, index), &answer);
    if (status == 0)
        status = client_info_value(task_client(), &answer.tm_info, data);
    return status < 0 ? status : answer.tm_info.status;
}

int pvm_lookup(char *name, int index, int *data)
{
    lock_enter();
    return mbox_leave("pvm_lookup", lookup(name, index, data), QUIET_NOT_FOUND);
}

int pvm_delete(char *name, int index)
{
    lock_enter();
    return mbox_leave("pvm_delete", delete(name, index, PvmMboxDefault), QUIET_NOT_FOUND);
}

/* ---- lists ---- */

static int request_list(const char *pattern, struct message *answer)
{
    int status = task_enrol();
    if (status == 0)
        status = task_answer(client_listinfo(task_client(), pattern), answer);
    if (status < 0)
        return status;
    return answer->type == TM_INFOLIST ? answer->tm_infolist.status : PvmBadMsg;
}

static int class_keep(struct arena *memory, const struct wire_mbox_class *class,
                      struct pvmmboxinfo *info)
{
    const size_t count = class->places.count;
    info->mi_name = arena_strndup(memory, class->name, strlen(class->name));
    info->mi_nentries = (int)count;
    info->mi_indices = arena_calloc(memory, count, sizeof(int));
    info->mi_owners = arena_calloc(memory, count, sizeof(int));
    info->mi_flags = arena_calloc(memory, count, sizeof(int));
    if (!info->mi_name || !info->mi_indices || !info->mi_owners || !info->mi_flags)
        return PvmNoMem;
    for (size_t i = 0; i < count; i++) {
        info->mi_indices[i] = class->places.items[i].index;
        info->mi_owners[i] = (int)class->places.items[i].owner;
        info->mi_flags[i] = (int)class->places.items[i].flags;
    }
    return 0;
}

static int list(char *pattern, int *nclass, struct pvmmboxinfo **classes)
{
    struct message answer;
    int status = request_list(pattern, &answer);
    if (status < 0)
        return status;
    const struct wire_mbox_class_list *found = &answer.tm_infolist.classes;
    struct arena *memory = api_memory(LOCK_RESULT_MBOXES);
    struct pvmmboxinfo *infos = arena_calloc(memory, found->count + 1, sizeof(*infos));
    status = infos ? 0 : PvmNoMem;
    for (size_t i = 0; i < found->count && status == 0; i++)
        status = class_keep(memory, &found->items[i], &infos[i]);
    if (status < 0)
        return status;
    if (nclass)
        *nclass = (int)found->count;
    if (classes)
        *classes = infos;
    return 0;
}

int pvm_getmboxinfo(char *pattern, int *nclass, struct pvmmboxinfo **classes)
{
    lock_enter();
    return api_leave("pvm_getmboxinfo", list(pattern, nclass, classes));
}

/* ---- tasks that a reset leaves alone ---- */

/* Puts this task on the list, or takes it off. The index is kept: the original remembers another
 * number and takes away whatever stands at 0 (QRK-14). */
int mbox_set_noreset(bool on)
{
    struct client *client = task_client();
    const int wait = on ? client_insert(client, PVMNORESETCLASS, -1, PvmMboxMultiInstance,
                                        task_tid())
                        : client_delinfo(client, PVMNORESETCLASS, pvmnoresetindex, 0);
    const int status = index_of(wait);
    if (status < 0)
        return PvmSysErr;
    pvmnoresetindex = on ? status : 0;
    return 0;
}

/* The owners of the entries of |class|, in |memory|. 0 or an error. */
static int owners_of(const char *class, struct arena *memory, int **tids, int *count)
{
    struct message answer;
    const int status = request_list(class, &answer);
    if (status < 0)
        return status;
    const struct wire_mbox_class_list *found = &answer.tm_infolist.classes;
    size_t at = 0;
    while (at < found->count && strcmp(found->items[at].name, class) != 0)
        at++;
    const size_t owners = at < found->count ? found->items[at].places.count : 0;
    *tids = arena_calloc(memory, owners + 1, sizeof(**tids));
    if (!*tids)
        return PvmNoMem;
    for (size_t i = 0; i < owners; i++)
        (*tids)[i] = (int)found->items[at].places.items[i].owner;
    *count = (int)owners;
    return 0;
}

static int noresets(int **tids, int *count)
{
    int *found;
    int found_count;
    struct arena *memory = api_memory(LOCK_RESULT_NORESETS);
    const int status = owners_of(PVMNORESETCLASS, memory, &found, &found_count);
    if (status < 0)
        return status;
    if (tids)
        *tids = found;
    if (count)
        *count = found_count;
    return 0;
}

int pvm_getnoresets(int **tids, int *count)
{
    lock_enter();
    return api_leave("pvm_getnoresets", noresets(tids, count));
}

static bool is_among(int tid, const int *tids, int count)
{
    for (int i = 0; i < count; i++) {
        if (tids[i] == tid)
            return true;
    }
    return false;
}

/* Ends every task but |mytid| and those that said PvmNoReset; *ended are their tids. */
static int end_tasks(int mytid, struct arena *memory, int **ended, int *ended_count)
{
    int *spared;
    int spared_count;
    int status = owners_of(PVMNORESETCLASS, memory, &spared, &spared_count);
    if (status < 0)
        return status;
    struct message request = {.type = TM_TASKS};
    struct message answer;
    status = task_answer(client_request(task_client(), &request), &answer);
    if (status < 0)
        return status;
    const struct wire_task_list *tasks = &answer.tm_tasklist.tasks;
    *ended = arena_calloc(memory, tasks->count + 1, sizeof(**ended));
    if (answer.type != TM_TASKLIST || !*ended)
        return *ended ? PvmBadMsg : PvmNoMem;
    for (size_t i = 0; i < tasks->count && status == 0; i++) {
        const int tid = (int)tasks->items[i].tid;
        if (tid == 0 || tid == mytid || is_among(tid, spared, spared_count))
            continue;
        (*ended)[(*ended_count)++] = tid;
        status = client_sendsig(task_client(), tid, SIGTERM);
    }
    return status < 0 ? status : task_flush();
}

static int reset(int mytid, bool kill_tasks, const char *class, int index)
{
    struct arena memory;
    int *ended = NULL;
    int ended_count = 0;
    int status = task_enrol();
    if (status < 0)
        return status;
    arena_init(&memory);
    if (kill_tasks)
        status = end_tasks(mytid, &memory, &ended, &ended_count);
    if (status == 0)
        status = index_of(
            client_resetinfo(task_client(), class, index, ended, (size_t)ended_count));
    arena_fini(&memory);
    return status;
}

int pvmreset(int mytid, int kill_tasks, char *class_name, int index)
{
    lock_enter();
    return api_leave("pvmreset", reset(mytid, kill_tasks, class_name, index));
}
