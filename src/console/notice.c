/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages to the console: hosts that came or went, and the output of its jobs. Declared in
 * console.h.
 */
#include "console/console.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

/* Number of the host in a task id (CST-1). */
#define TID_HOST_MASK 0x3ffc0000

static bool same_host(int tid, int host_tid)
{
    return (tid & TID_HOST_MASK) == (host_tid & TID_HOST_MASK);
}

void console_announce(struct console *console, const char *text, size_t length)
{
    if (console->line_hide && !console->line_hidden) {
        console->line_hide(console->editor);
        console->line_hidden = true;
    }
    fwrite(text, 1, length, stdout);
}

void console_announced(struct console *console)
{
    fflush(stdout); /* who reads us is to see it now, not with the next prompt */
    if (!console->line_hidden)
        return;
    console->line_show(console->editor);
    console->line_hidden = false;
}

/* ---- hosts ---- */

static struct known_host *host_find(const struct console *console, int tid)
{
    for (size_t i = 0; i < console->host_count; i++) {
        if (same_host(console->hosts[i].tid, tid))
            return &console->hosts[i];
    }
    return NULL;
}

static void host_forget(struct console *console, struct known_host *host)
{
    mem_free(host->name);
    *host = console->hosts[--console->host_count];
}

/* Without memory the host stays unknown: it may be told of once more, nothing worse. */
static void host_learn(struct console *console, const struct pvmhostinfo *info)
{
    struct known_host *hosts = mem_realloc(console->hosts,
                                           (console->host_count + 1) * sizeof(*hosts));
    if (!hosts)
        return;
    console->hosts = hosts;
    char *name = mem_strdup(info->hi_name);
    if (!name)
        return;
    hosts[console->host_count++] = (struct known_host){info->hi_tid, name};
    int tid = info->hi_tid;
    pvm_notify(PvmHostDelete, CONSOLE_TAG_HOST_GONE, 1, &tid);
}

void notice_hosts_known(struct console *console)
{
    struct pvmhostinfo *hosts;
    int count;
    if (pvm_config(&count, NULL, &hosts) < 0)
        return;
    for (int i = 0; i < count; i++) {
        if (!host_find(console, hosts[i].hi_tid))
            host_learn(console, &hosts[i]);
    }
}

void notice_host_deleted(struct console *console, const char *name)
{
    for (size_t i = 0; i < console->host_count; i++) {
        if (strcmp(console->hosts[i].name, name) == 0) {
            host_forget(console, &console->hosts[i]);
            return;
        }
    }
}

void notice_init(struct console *console)
{
    notice_hosts_known(console);
    pvm_notify(PvmHostAdd, CONSOLE_TAG_HOST_ADDED, -1, NULL);
}

void notice_fini(struct console *console)
{
    while (console->host_count > 0)
        host_forget(console, &console->hosts[console->host_count - 1]);
    mem_free(console->hosts);
    console->hosts = NULL;
}

/* Layout: CON-4. The message names the new hosts; those not known yet are the same, seen in the
 * table. */
static void hosts_added(struct console *console)
{
    struct pvmhostinfo *hosts;
    int count;
    int news = 0;
    struct strbuf rows;
    if (pvm_config(&count, NULL, &hosts) < 0)
        return;
    strbuf_init(&rows);
    for (int i = 0; i < count; i++) {
        if (host_find(console, hosts[i].hi_tid))
            continue;
        news++;
        strbuf_addf(&rows, "%24s %8x %8s%8d\n", hosts[i].hi_name, (unsigned)hosts[i].hi_tid,
                    hosts[i].hi_arch, hosts[i].hi_speed);
        host_learn(console, &hosts[i]);
    }
    if (news > 0) {
        struct strbuf text;
        strbuf_init(&text);
        strbuf_addf(&text, "\nConsole: %d new host%s added\n%24s %8s %8s%8s\n", news,
                    news == 1 ? "" : "s", "HOST", "DTID", "ARCH", "SPEED");
        strbuf_add(&text, strbuf_text(&rows), rows.length);
        console_announce(console, strbuf_text(&text), text.length);
        strbuf_fini(&text);
    }
    strbuf_fini(&rows);
}

/* A person at a terminal is told; scripts get what they always got, which is nothing. */
static void host_gone(struct console *console)
{
    int tid;
    if (pvm_upkint(&tid, 1, 1) < 0)
        return;
    struct known_host *host = host_find(console, tid);
    if (host && console->terminal) {
        struct strbuf text;
        strbuf_init(&text);
        strbuf_addf(&text, "\nConsole: host \"%s\" is gone\n", host->name);
        console_announce(console, strbuf_text(&text), text.length);
        strbuf_fini(&text);
    }
    if (host)
        host_forget(console, host);
    job_set_forget(&console->jobs, same_host, tid);
}

/* ---- output ---- */

/* Layout of the message: task, count of bytes or what happened (pvmproto.h, TO_*), bytes. */
static void output_take(struct console *console, int number)
{
    int tid;
    int op;
    int message_bytes = 0;
    char *bytes = NULL;
    if (pvm_upkint(&tid, 1, 1) < 0 || pvm_upkint(&op, 1, 1) < 0)
        return;
    if (op > 0) {
        pvm_bufinfo(pvm_getrbuf(), &message_bytes, NULL, NULL);
        bytes = op <= message_bytes ? mem_alloc((size_t)op) : NULL;
        if (!bytes || pvm_upkbyte(bytes, op, 1) < 0) {
            mem_free(bytes);
            return;
        }
    }
    struct job *job = job_find(&console->jobs, number);
    if (!job && op > 0) /* of a job thought to have finished: better shown than lost */
        job = job_create(&console->jobs, number, console->jobs.screen);
    if (job && job_output(&console->jobs, job, tid, op, bytes))
        console_announce(console, "Console: no memory, output is missing\n", 38);
    mem_free(bytes);
}

void notice_handle(struct console *console, int tag, int source)
{
    if (source > 0)
        return; /* from a task; all that is meant for the console comes from daemons */
    if (tag == CONSOLE_TAG_HOST_ADDED)
        hosts_added(console);
    else if (tag == CONSOLE_TAG_HOST_GONE)
        host_gone(console);
    else if (tag > CONSOLE_TAG_JOB)
        output_take(console, tag - CONSOLE_TAG_JOB);
}
