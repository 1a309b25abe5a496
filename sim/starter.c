/* SPDX-License-Identifier: BSD-3-Clause */
/* Resolving names and starting daemons: see the header. */
#include "sim/starter.h"

#include "base/mem.h"
#include "sim/shell.h"
#include "sim/world.h"

#include <string.h>

enum { RESOLVE_US = 500, START_MS = 20, START_JITTER_MS = 20, START_FAIL_MS = 30 };
enum { PVM_NO_HOST = -6, PVM_CANT_START = -29 };

/* ---- names ---- */

struct lookup {
    struct sim_event event;
    uint64_t ticket;
    uint64_t life;
    char name[256];
};

static void lookup_cancel(struct sim_event *event)
{
    mem_free(CONTAINER_OF(event, struct lookup, event));
}

static void lookup_run(struct sim_world *world, struct sim_event *event)
{
    struct lookup *lookup = CONTAINER_OF(event, struct lookup, event);
    struct sim_host *host = event->host;
    struct event core = {.kind = EVENT_RESOLVED, .ticket = lookup->ticket};
    struct wire_address address = {.port = 0};
    uint8_t ip[16];
    if (str_has_prefix(lookup->name, "nowhere")) {
        core.status = PVM_NO_HOST;
        core.text = "no such host";
    } else {
        sim_net_address(sim_net_place(&world->net, lookup->name), ip);
        address.ip = (struct wire_bytes){ip, sizeof(ip)};
        core.addresses = &address;
        core.address_count = 1;
        core.is_own = memcmp(ip, host->address.ip, sizeof(ip)) == 0;
    }
    host->under_way--;
    if (lookup->life == host->life)
        sim_host_step(host, &core);
    mem_free(lookup);
}

void sim_perform_resolve(struct sim_host *host, struct effect *effect)
{
    struct lookup *lookup = mem_calloc(1, sizeof(*lookup));
    CHECK(lookup);
    lookup->ticket = effect->ticket;
    lookup->life = host->life;
    str_copy(lookup->name, sizeof(lookup->name), effect->text);
    host->under_way++;
    sim_event_init(&lookup->event, host, lookup_run, lookup_cancel);
    sim_after(host->world, &lookup->event, RESOLVE_US * SIM_NS_PER_US);
}

/* ---- daemons ---- */

struct start {
    struct sim_event event;
    uint64_t ticket;
    char name[256];
    uint8_t ip[16];
    char arguments[2048]; /* " -j ... -m ..." */
    int32_t speed;
    enum sim_start_fault fault;
};

static void start_cancel(struct sim_event *event)
{
    mem_free(CONTAINER_OF(event, struct start, event));
}

/* What `pvmd -s -nNAME -j J -m M` does with its arguments. */
static struct sim_host *start_daemon(struct sim_world *world, struct start *start)
{
    struct join_args args;
    char error[256];
    char *m = strstr(start->arguments, " -m ");
    CHECK(m && str_has_prefix(start->arguments, " -j "));
    *m = '\0';
    if (join_args_parse(start->arguments + 4, m + 4, &args, error, sizeof(error)) < 0) {
        sim_promise_broken(world, "join arguments are not understood: %s", error);
        return NULL;
    }
    struct sim_host *host = sim_host_create(world, start->name, start->ip, args.epoch);
    CHECK(host);
    struct node_config config = {.number = args.number, .master_epoch = args.master_epoch,
                                 .speed = start->speed,
                                 .master_addresses = args.master_addresses,
                                 .master_address_count = args.master_address_count};
    memcpy(config.master_key, args.master_key, sizeof(config.master_key));
    if (start->fault == SIM_START_MUTE) {
        host->mute = true;
        sim_net_unbind(&world->net, &host->address);
    }
    CHECK(sim_host_begin(host, &config) == 0);
    return host;
}

/* The line the new daemon prints, as the starter reads it. */
static void write_answer(const struct sim_host *host, struct strbuf *line)
{
    struct wire_address address;
    sim_host_address(host, &address);
    struct host_answer answer = {.protocol = PROTOCOL_DAEMON_VERSION, .signature = SIM_SIGNATURE,
                                 .addresses = &address, .address_count = 1};
    str_copy(answer.arch, sizeof(answer.arch), SIM_ARCH);
    memcpy(answer.public_key, mesh_public_key(host->mesh), sizeof(answer.public_key));
    answer_write(line, &answer);
}

static void start_run(struct sim_world *world, struct sim_event *event)
{
    struct start *start = CONTAINER_OF(event, struct start, event);
    struct sim_host *starter = event->host;
    struct event core = {.kind = EVENT_HOST_STARTED, .ticket = start->ticket};
    struct wire_address addresses[ANSWER_ADDRESSES_MAX];
    uint8_t ips[ANSWER_ADDRESSES_MAX][16];
    struct strbuf line;
    strbuf_init(&line);
    if (start->fault == SIM_START_FAILS) {
        core.status = PVM_CANT_START;
        core.text = "connection refused";
    } else {
        const struct sim_host *host = start_daemon(world, start);
        if (host)
            write_answer(host, &line);
        if (answer_parse(strbuf_text(&line), &core.answer, addresses, ips, &core.status) < 0) {
            sim_promise_broken(world, "answer line is not understood: %s", strbuf_text(&line));
            core.status = PVM_CANT_START;
        }
    }
    map_remove(&starter->starts, start->ticket);
    starter->under_way--;
    sim_host_step(starter, &core);
    strbuf_fini(&line);
    mem_free(start);
}

static uint64_t start_delay(struct sim_world *world, const struct start *start)
{
    if (start->fault == SIM_START_FAILS)
        return START_FAIL_MS * SIM_NS_PER_MS;
    return START_MS * SIM_NS_PER_MS + rng_below(&world->wire, START_JITTER_MS * SIM_NS_PER_MS);
}

void sim_perform_host_start(struct sim_host *host, struct effect *effect)
{
    struct sim_world *world = host->world;
    const struct host_start *wanted = &effect->start;
    struct start *start = mem_calloc(1, sizeof(*start));
    CHECK(start);
    start->ticket = effect->ticket;
    start->speed = wanted->spec->speed;
    str_copy(start->name, sizeof(start->name), wanted->spec->name);
    memcpy(start->ip, host->address.ip, sizeof(start->ip));
    if (wanted->starter != HOST_STARTER_LOCAL && wanted->address_count &&
        wanted->addresses[0].ip.length == sizeof(start->ip))
        memcpy(start->ip, wanted->addresses[0].ip.data, sizeof(start->ip));
    struct strbuf arguments;
    strbuf_init(&arguments);
    join_args_write(&arguments, wanted);
    str_copy(start->arguments, sizeof(start->arguments), strbuf_text(&arguments));
    strbuf_fini(&arguments);
    start->fault = sim_fault_of_start(world, start->name);
    SIM_TELL(world, SIM_TRACE_HOST, host->name, "starts a daemon on %s", start->name);
    sim_event_init(&start->event, host, start_run, start_cancel);
    CHECK(map_put(&host->starts, start->ticket, start) == 0);
    host->under_way++;
    if (start->fault != SIM_START_HANGS)
        sim_after(world, &start->event, start_delay(world, start));
}

static void start_forget(struct sim_host *host, struct start *start)
{
    sim_forget(host->world, &start->event);
    map_remove(&host->starts, start->ticket);
    host->under_way--;
    mem_free(start);
}

void sim_perform_host_cancel(struct sim_host *host, struct effect *effect)
{
    struct start *start = map_get(&host->starts, effect->ticket);
    if (!start)
        return;
    SIM_TELL(host->world, SIM_TRACE_HOST, host->name, "gives up the start of %s", start->name);
    start_forget(host, start);
}

void sim_starts_fini(struct sim_host *host)
{
    while (host->starts.count)
        start_forget(host, host->starts.entries[host->starts.count - 1].value);
}
