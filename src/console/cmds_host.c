/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Commands about hosts: add, conf, delete, mstat. The layout of what they print is an interface
 * (CON-7, CON-9, CON-10): scripts read it.
 */
#include "console/cmds.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdio.h>
#include <string.h>

enum { HOSTS_PER_ADD_MAX = 4095 };

/* The daemon's own words on why host |index| of the last pvm_addhosts() did not come: "" if there
 * are none. Not in pvm3.h, since the original library has no such thing; absent there. */
#if defined(__GNUC__)
extern const char *pvmhosterror(int index) __attribute__((weak));
#define HOST_ERROR(index) (pvmhosterror ? pvmhosterror(index) : NULL)
#else
#define HOST_ERROR(index) ((const char *)NULL)
#endif

int command_conf(struct console *console, int argc, char **argv)
{
    struct pvmhostinfo *hosts;
    int host_count;
    int format_count;
    const int result = pvm_config(&host_count, &format_count, &hosts);
    if (result < 0) {
        printf("conf: %s\n", pvm_text(result));
        return 1;
    }
    printf("%d host%s, %d data format%s\n", host_count, host_count == 1 ? "" : "s", format_count,
           format_count == 1 ? "" : "s");
    printf("%24s %8s %8s%8s %10s\n", "HOST", "DTID", "ARCH", "SPEED", "DSIG");
    for (int i = 0; i < host_count; i++)
        printf("%24s %8x %8s%8d 0x%08x\n", hosts[i].hi_name, (unsigned)hosts[i].hi_tid,
               hosts[i].hi_arch, hosts[i].hi_speed, (unsigned)hosts[i].hi_dsig);
    return 0;
}

/* ---- add ---- */

/* The host strings of one add command, with local:N written out. */
struct host_list {
    char **names;
    int *results;
    size_t count;
    size_t capacity;
};

static int list_append(struct host_list *list, const char *name, size_t length)
{
    void *names = list->names;
    if (mem_grow(&names, &list->capacity, list->count + 1, sizeof(*list->names)))
        return -1;
    list->names = names;
    list->names[list->count] = mem_strndup(name, length);
    return list->names[list->count++] ? 0 : -1;
}

static void list_fini(struct host_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->names[i]);
    mem_free(list->names);
    mem_free(list->results);
}

/* How many hosts `local` or `local:N ...` asks for; 0 for any other name, -1 for a wrong N. */
static int local_count(const char *text)
{
    const size_t length = strcspn(text, " \t");
    char number[16];
    int64_t count;
    if (!str_has_prefix(text, "local") || (text[5] != ':' && length != 5))
        return 0;
    if (length == 5)
        return 1;
    if (length - 6 >= sizeof(number))
        return -1;
    str_format(number, sizeof(number), "%.*s", (int)(length - 6), text + 6);
    if (str_to_i64(number, &count) || count < 1 || count > HOSTS_PER_ADD_MAX)
        return -1;
    return (int)count;
}

/* One string to the list: `local:3 sp=5` becomes three times `local sp=5`. */
static int list_add_word(struct host_list *list, const char *word)
{
    word += strspn(word, " \t");
    const int locals = local_count(word);
    if (locals < 0) {
        printf("add: %s: the number of local hosts must be 1 to %d\n", word, HOSTS_PER_ADD_MAX);
        return -1;
    }
    if (locals == 0)
        return list_append(list, word, strlen(word));
    const char *options = word + strcspn(word, " \t");
    char text[1024];
    const size_t length = str_format(text, sizeof(text), "local%s", options);
    for (int i = 0; i < locals; i++) {
        if (list_append(list, text, length))
            return -1;
    }
    return 0;
}

/* A local host is called by the daemon, so its line says what it is called. */
static const char *name_shown(const struct host_list *list, size_t index,
                              const struct pvmhostinfo *hosts, int host_count)
{
    if (local_count(list->names[index]) == 0 || list->results[index] < 0)
        return list->names[index];
    const char *name = host_name(hosts, host_count, list->results[index]);
    return strcmp(name, "-") == 0 ? list->names[index] : name;
}

static void added_print(const struct host_list *list, int added)
{
    struct pvmhostinfo *hosts = NULL;
    int host_count = 0;
    if (pvm_config(&host_count, NULL, &hosts) < 0)
        host_count = 0;
    printf("%d successful\n%24s %8s\n", added, "HOST", "DTID");
    for (size_t i = 0; i < list->count; i++) {
        const char *name = name_shown(list, i, hosts, host_count);
        if (list->results[i] < 0)
            printf("%24s %s\n", name, pvm_text(list->results[i]));
        else
            printf("%24s %8x\n", name, (unsigned)list->results[i]);
    }
    for (size_t i = 0; i < list->count; i++) {
        const char *reason = list->results[i] < 0 ? HOST_ERROR((int)i) : NULL;
        if (reason && str_has_prefix(reason, "host \""))
            printf("%s\n", reason); /* it says itself of which host it speaks */
        else if (reason && *reason)
            printf("host \"%.*s\": %s\n", (int)strcspn(list->names[i], " \t"), list->names[i],
                   reason);
    }
}

int command_add(struct console *console, int argc, char **argv)
{
    struct host_list list = {0};
    int status = 1;
    int failed = 0;
    for (int i = 1; i < argc && !failed; i++)
        failed = list_add_word(&list, argv[i]);
    if (!failed)
        list.results = mem_calloc(list.count, sizeof(*list.results));
    if (list.results) {
        const int added = pvm_addhosts(list.names, (int)list.count, list.results);
        if (added < 0) {
            printf("add: %s\n", pvm_text(added));
        } else {
            added_print(&list, added);
            status = (size_t)added != list.count;
        }
        notice_hosts_known(console);
    }
    list_fini(&list);
    return status;
}

/* ---- delete, mstat ---- */

int command_delete(struct console *console, int argc, char **argv)
{
    int *results = mem_calloc((size_t)argc, sizeof(*results));
    if (!results) {
        printf("delete: no memory\n");
        return 1;
    }
    const int deleted = pvm_delhosts(argv + 1, argc - 1, results);
    if (deleted < 0) {
        printf("delete: %s\n", pvm_text(deleted));
    } else {
        printf("%d successful\n%24s  STATUS\n", deleted, "HOST");
        for (int i = 1; i < argc; i++) {
            const int result = results[i - 1];
            printf("%24s  %s\n", argv[i], result < 0 ? pvm_text(result) : "deleted");
            if (result >= 0)
                notice_host_deleted(console, argv[i]);
        }
    }
    mem_free(results);
    return deleted != argc - 1;
}

int command_mstat(struct console *console, int argc, char **argv)
{
    int status = 0;
    for (int i = 1; i < argc; i++) {
        const int result = pvm_mstat(argv[i]);
        printf("%24s  %s\n", argv[i], result < 0 ? pvm_text(result) : "ok");
        if (result < 0)
            status = 1;
    }
    return status;
}
