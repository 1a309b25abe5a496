/* SPDX-License-Identifier: BSD-3-Clause */
/* Hosts come, go and stop (API-10, API-11, API-16). */
#include "base/mem.h"
#include "libpvm/api.h"

#include "pvm3.h"

/* The daemon's words on each host of the last pvm_addhosts(). Its codes do not say why ssh
 * failed. */
static struct {
    char **texts;
    size_t count;
} host_errors;

/* Not in pvm3.h, since the original has no such call: our console looks for it at run time. Why
 * host |index| of the last pvm_addhosts() did not come; "" when it did or nothing is known.
 * Valid until the next pvm_addhosts(). */
const char *pvmhosterror(int index);

const char *pvmhosterror(int index)
{
    if (index < 0 || (size_t)index >= host_errors.count || !host_errors.texts[index])
        return "";
    return host_errors.texts[index];
}

static void host_errors_forget(void)
{
    for (size_t i = 0; i < host_errors.count; i++)
        mem_free(host_errors.texts[i]);
    mem_free(host_errors.texts);
    host_errors.texts = NULL;
    host_errors.count = 0;
}

/* Without memory there are fewer words, nothing worse. */
static void host_errors_keep(const struct wire_added_list *hosts)
{
    host_errors.texts = mem_calloc(hosts->count, sizeof(*host_errors.texts));
    if (!host_errors.texts)
        return;
    host_errors.count = hosts->count;
    for (size_t i = 0; i < hosts->count; i++)
        host_errors.texts[i] = mem_strdup(hosts->items[i].error);
}

static int addhosts(char **names, int count, int *results)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    host_errors_forget();
    struct message answer;
    status = task_answer(client_addhosts(task_client(), names, count), &answer);
    if (status < 0)
        return status;
    if (answer.type != TM_ADDED)
        return PvmBadMsg;
    if (answer.tm_added.status < 0)
        return answer.tm_added.status;
    host_errors_keep(&answer.tm_added.hosts);
    int added = 0;
    for (size_t i = 0; i < answer.tm_added.hosts.count && i < (size_t)count; i++) {
        const int one = answer.tm_added.hosts.items[i].result;
        if (results)
            results[i] = one;
        added += one > 0;
    }
    return added;
}

int pvm_addhosts(char **names, int count, int *results)
{
    lock_enter();
    return api_leave("pvm_addhosts", addhosts(names, count, results));
}

static int delhosts(char **names, int count, int *results)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    struct message answer;
    status = task_answer(client_delhosts(task_client(), names, count), &answer);
    if (status < 0)
        return status;
    if (answer.type != TM_DELETED)
        return PvmBadMsg;
    if (answer.tm_deleted.status < 0)
        return answer.tm_deleted.status;
    int deleted = 0;
    for (size_t i = 0; i < answer.tm_deleted.results.count && i < (size_t)count; i++) {
        const int one = answer.tm_deleted.results.items[i];
        if (results)
            results[i] = one;
        deleted += one == 0;
    }
    return deleted;
}

int pvm_delhosts(char **names, int count, int *results)
{
    lock_enter();
    return api_leave("pvm_delhosts", delhosts(names, count, results));
}

/* There is no answer: the daemon ends its tasks, us among them, and closes the link. Who does
 * not die of it returns when the link is gone. */
static int halt(void)
{
    int status = task_enrol();
    if (status < 0)
        return status;
    struct message request = {.type = TM_HALT};
    const int wait = client_request(task_client(), &request);
    if (wait < 0)
        return wait;
    status = task_flush();
    if (status < 0)
        return status;
    while (status >= 0)
        status = task_wait(TASK_FOREVER);
    return status == PvmSysErr ? 0 : status;
}

int pvm_halt(void)
{
    lock_enter();
    return api_leave("pvm_halt", halt());
}
