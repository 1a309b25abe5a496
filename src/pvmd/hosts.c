/* SPDX-License-Identifier: BSD-3-Clause */
/* Names to look up and daemons to start on other hosts: see pvmd/daemon.h and os/starter.h. */
#include "pvmd/daemon.h"

#include "base/mem.h"
#include "base/str.h"
#include "core/status.h"
#include "os/resolve.h"
#include "os/starter_ssh.h"
#include "pvmd/address.h"

#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

struct lookup {
    struct daemon *daemon;
    uint64_t epoch; /* who asked: another one does not want to know */
    uint64_t ticket;
    char name[256];
};

static void looked_up(void *context, const struct net_address *addresses, size_t count,
                      const char *error)
{
    struct lookup *lookup = context;
    struct daemon *daemon = lookup->daemon;
    struct wire_address found[RESOLVE_ADDRESSES_MAX];
    char words[512];
    struct event event = {.kind = EVENT_RESOLVED, .ticket = lookup->ticket};
    for (size_t i = 0; i < count; i++) {
        found[i] = address_to_wire(&addresses[i]);
        event.is_own = event.is_own || netif_is_own(&addresses[i]);
    }
    event.addresses = found;
    event.address_count = count;
    if (count == 0) {
        str_format(words, sizeof(words), "host \"%s\": %s", lookup->name, error);
        event.status = STATUS_NO_HOST;
        event.text = words;
    }
    bool is_wanted = lookup->epoch == daemon->epoch;
    daemon->lookups--;
    mem_free(lookup);
    if (is_wanted)
        daemon_event(daemon, &event);
}

void perform_resolve(struct daemon *daemon, struct effect *effect)
{
    struct lookup *lookup = mem_calloc(1, sizeof(*lookup));
    if (lookup) {
        lookup->daemon = daemon;
        lookup->epoch = daemon->epoch;
        lookup->ticket = effect->ticket;
        str_copy(lookup->name, sizeof(lookup->name), effect->text);
        if (resolve_start(daemon->loop, effect->text, looked_up, lookup) == 0) {
            daemon->lookups++;
            return;
        }
        mem_free(lookup);
    }
    struct event event = {.kind = EVENT_RESOLVED,
                          .ticket = effect->ticket,
                          .status = STATUS_NO_HOST,
                          .text = "the name cannot be looked up"};
    daemon_event(daemon, &event);
}

/* ---- answers ---- */

static void say_failed(void *context, uint64_t ticket, const char *words)
{
    struct event event = {
        .kind = EVENT_HOST_STARTED, .ticket = ticket, .status = STATUS_CANT_START, .text = words};
    daemon_event(context, &event);
}

/* True when |line| was the answer of a new daemon, good or bad. */
static bool got_line(void *context, uint64_t ticket, const char *line)
{
    struct wire_address addresses[ANSWER_ADDRESSES_MAX];
    uint8_t ips[ANSWER_ADDRESSES_MAX][16];
    struct event event = {.kind = EVENT_HOST_STARTED, .ticket = ticket};
    switch (answer_parse(line, &event.answer, addresses, ips, &event.status)) {
    case 0:
        break;
    case -2:
        event.text = line;
        break;
    default:
        return false;
    }
    daemon_event(context, &event);
    return true;
}

static void got_typed_line(void *context, uint64_t ticket, const char *line)
{
    if (!got_line(context, ticket, line))
        say_failed(context, ticket, "manual start: what was typed is not the answer of a new pvmd");
}

static void got_process(void *context, pid_t pid, bool runs)
{
    fate_tell_process(context, pid, runs);
}

int hosts_start(struct daemon *daemon)
{
    struct starter_handler handler = {
        .context = daemon, .line = got_line, .failed = say_failed, .process = got_process};
    struct manual_handler manual_handler = {
        .context = daemon, .line = got_typed_line, .failed = say_failed};
    daemon->starters = starters_create(daemon->loop, daemon->pids, daemon->log, &handler);
    daemon->manual = manual_create(daemon->loop, &manual_handler);
    return daemon->starters && daemon->manual ? 0 : -1;
}

void hosts_destroy(struct daemon *daemon)
{
    starters_destroy(daemon->starters);
    manual_destroy(daemon->manual);
    daemon->starters = NULL;
    daemon->manual = NULL;
    dir_remove_token(daemon->dir, 0);
}

/* ---- starting ---- */

/* Appends the words of |text| (as join_args_write() makes them), each safe from the remote shell.
 */
static void quote_words(struct strbuf *arguments, const char *text)
{
    while (*text) {
        char word[1024];
        text += strspn(text, " ");
        size_t length = strcspn(text, " ");
        if (length == 0)
            return;
        str_format(word, sizeof(word), "%.*s", (int)length, text);
        arguments->failed |= length >= sizeof(word);
        strbuf_add(arguments, " ", 1);
        shell_quote(arguments, word);
        text += length;
    }
}

static void add_option(struct strbuf *arguments, const char *option, const char *value)
{
    char word[1024];
    str_format(word, sizeof(word), "%s%s", option, value);
    strbuf_add(arguments, " ", 1);
    shell_quote(arguments, word);
}

/* The command line of the new daemon: core/answer.h, and what it inherits of ours. */
static void write_arguments(const struct daemon *daemon, const struct host_start *start,
                            struct strbuf *arguments)
{
    const struct config *config = daemon->config;
    const char *vmid = start->spec->vmid ? start->spec->vmid : config->vmid;
    struct strbuf join;
    /* What we start ourselves knows from our end of its stdout whether we live. */
    strbuf_addf(arguments, start->starter == HOST_STARTER_MANUAL ? " -S" : " -s -w");
    if (config->debug_mask)
        strbuf_addf(arguments, " -d0x%x", config->debug_mask);
    add_option(arguments, "-n", start->spec->name);
    if (vmid)
        add_option(arguments, "-v", vmid);
    if (config->seal_name)
        add_option(arguments, "-e", config->seal_name);
    char seconds[32];
    str_format(seconds, sizeof(seconds), "%g", (double)config->dead_after_ns / 1e9);
    add_option(arguments, "-a", seconds);
    strbuf_init(&join);
    join_args_write(&join, start);
    quote_words(arguments, strbuf_text(&join));
    arguments->failed |= join.failed;
    strbuf_fini(&join);
}

/* ---- by a token ---- */

static void write_token_options(const struct daemon *daemon, const struct host_start *start,
                                struct strbuf *options)
{
    const struct config *config = daemon->config;
    const char *vmid = start->spec->vmid ? start->spec->vmid : config->vmid;
    strbuf_addf(options, "-n%s\n-a%g\n", start->spec->name, (double)config->dead_after_ns / 1e9);
    if (vmid)
        strbuf_addf(options, "-v%s\n", vmid);
    if (config->seal_name)
        strbuf_addf(options, "-e%s\n", config->seal_name);
    if (config->debug_mask)
        strbuf_addf(options, "-d0x%x\n", config->debug_mask);
}

static void make_token(struct daemon *daemon, const struct effect *effect)
{
    struct event event = {.kind = EVENT_HOST_TOKEN, .ticket = effect->ticket};
    const struct host_start *start = &effect->start;
    char path[DIR_PATH_BYTES_MAX], error[TOKEN_ERROR_BYTES];
    struct strbuf options;
    strbuf_init(&options);
    write_token_options(daemon, start, &options);
    token_path(daemon->dir, effect->ticket, start->spec->name, path);
    event.text = path;
    if (options.failed)
        say_failed(daemon, effect->ticket, "no memory for a token");
    else if (token_write(path, start, strbuf_text(&options), event.answer.public_key, error) < 0)
        say_failed(daemon, effect->ticket, error);
    else
        daemon_event(daemon, &event);
    strbuf_fini(&options);
}

static int start_by_hand(struct daemon *daemon, uint64_t ticket,
                         const struct starter_target *target)
{
    struct strbuf command;
    strbuf_init(&command);
    starter_remote_command(&command, target);
    int result = command.failed
                     ? -1
                     : manual_add(daemon->manual, ticket, target->address, strbuf_text(&command));
    strbuf_fini(&command);
    return result;
}

static int start_by(struct daemon *daemon, const struct effect *effect,
                    const struct host_start *start, const char *arguments)
{
    const struct host_spec *spec = start->spec;
    struct starter_target target = {
        .address = spec->address ? spec->address : spec->name,
        .login = spec->login,
        .daemon = spec->daemon ? spec->daemon : getenv("PVM_DPATH"),
        .own_path = daemon->own_path,
        .arguments = arguments,
    };
    if (start->starter == HOST_STARTER_MANUAL)
        return start_by_hand(daemon, effect->ticket, &target);
    char **argv = start->starter == HOST_STARTER_LOCAL
                      ? starter_local_argv(&target)
                      : starter_ssh_argv(&target, getenv("PVM_RSH"));
    return argv ? starters_add(daemon->starters, effect->ticket, spec->name, argv, NULL) : -1;
}

void perform_host_start(struct daemon *daemon, struct effect *effect)
{
    struct strbuf arguments;
    if (effect->start.starter == HOST_STARTER_TOKEN) {
        make_token(daemon, effect);
        return;
    }
    strbuf_init(&arguments);
    write_arguments(daemon, &effect->start, &arguments);
    int result = arguments.failed
                     ? -1
                     : start_by(daemon, effect, &effect->start, strbuf_text(&arguments));
    strbuf_fini(&arguments);
    if (result < 0)
        say_failed(daemon, effect->ticket, "no memory to start a daemon");
}

void perform_host_cancel(struct daemon *daemon, struct effect *effect)
{
    starters_cancel(daemon->starters, effect->ticket);
    manual_cancel(daemon->manual, effect->ticket);
    dir_remove_token(daemon->dir, effect->ticket);
}
