/* SPDX-License-Identifier: BSD-3-Clause */
/* The commands of a story and how a file of them is run: see the header. */
#include "sim/script.h"

#include "base/mem.h"
#include "core/mbox.h"
#include "log/log.h"
#include "sim/attach.h"
#include "sim/host.h"
#include "sim/proc.h"
#include "sim/program.h"
#include "sim/task.h"

#include <string.h>

enum { LINE_BYTES_MAX = 1024, WORDS_MAX = 64, QUIET_LIMIT_S = 600, SIGNAL_TERM = 15 };

/* One command at work. */
struct command {
    struct sim_world *world;
    char *words[WORDS_MAX];
    int count;
    struct sim_task *task; /* of commands of a task; words[0] is then the verb */
    char *error;
    size_t error_bytes;
};

static int refuse(const struct command *command, const char *why, const char *word)
{
    str_format(command->error, command->error_bytes, "%s: \"%s\"", why, word);
    return -1;
}

static int number(const struct command *command, int at, int64_t min, int64_t max, int64_t *value)
{
    if (str_to_i64(command->words[at], value) < 0 || *value < min || *value > max)
        return refuse(command, "not a number that can be", command->words[at]);
    return 0;
}

/* A task, a host ("h2" or "daemon:h2"), "any", "self", or a tid in hex after 0x. */
static int tid_argument(const struct command *command, int at, uint32_t *tid)
{
    const char *word = command->words[at];
    int64_t value;
    if (str_equal(word, "any")) {
        *tid = UINT32_MAX;
        return 0;
    }
    const struct sim_host *host = sim_world_host(command->world, word);
    *tid = host ? host->tid : sim_tid_of_name(command->world, word);
    if (!*tid && str_to_i64(word, &value) == 0)
        *tid = (uint32_t)value;
    return *tid ? 0 : refuse(command, "nobody of that name", word);
}

/* ---- the world ---- */

static int world_hosts(struct command *command)
{
    int64_t count;
    if (number(command, 1, 1, 4000, &count) < 0)
        return -1;
    return sim_hosts_start(command->world, (int)count) == 0
               ? 0
               : refuse(command, "they do not come to rest", command->words[1]);
}

static int world_master(struct command *command)
{
    return sim_host_create_master(command->world, command->words[1])
               ? 0
               : refuse(command, "cannot start", command->words[1]);
}

static int world_hostfile(struct command *command)
{
    struct strbuf text;
    strbuf_init(&text);
    for (int i = 1; i < command->count; i++)
        strbuf_addf(&text, "%s\n", command->words[i]);
    str_copy(command->world->hostfile_text, sizeof(command->world->hostfile_text),
             strbuf_text(&text));
    strbuf_fini(&text);
    command->world->settings.hostfile = command->world->hostfile_text;
    return 0;
}

static int world_task(struct command *command)
{
    struct sim_host *host = sim_world_host(command->world, command->words[3]);
    if (!host || !str_equal(command->words[2], "on"))
        return refuse(command, "no such host", command->words[3]);
    return sim_puppet_create(host, command->words[1]) ? 0 : refuse(command, "no memory for", "it");
}

static int world_run(struct command *command)
{
    int64_t value = QUIET_LIMIT_S * 1000;
    if (!str_equal(command->words[1], "until")) {
        if (command->count != 2 || number(command, 1, 0, 100000000, &value) < 0)
            return refuse(command, "usage: run MS, run until quiet [MS]", command->words[0]);
        sim_run_for(command->world, (uint64_t)value * SIM_NS_PER_MS);
        return 0;
    }
    if (command->count == 4 && number(command, 3, 1, 100000000, &value) < 0)
        return -1;
    if (sim_run_until_quiet(command->world, (uint64_t)value * SIM_NS_PER_MS)) {
        sim_promises_check_quiet(command->world);
        return 0;
    }
    const char *why = "";
    sim_world_is_quiet(command->world, &why);
    command->world->stuck = true;
    return refuse(command, "never quiet", why ? why : "it is now");
}

static int world_show(struct command *command)
{
    uint32_t shown;
    if (sim_trace_parse(command->words[1], &shown) < 0)
        return refuse(command, "unknown class", command->words[1]);
    command->world->trace.shown = shown;
    return 0;
}

static int world_stop(struct command *command)
{
    struct sim_host *host = sim_world_host(command->world, command->words[1]);
    if (!host)
        return refuse(command, "no such host", command->words[1]);
    sim_host_terminate(host);
    return 0;
}

static int world_set(struct command *command)
{
    struct sim_settings *settings = &command->world->settings;
    const struct {
        const char *name;
        uint64_t *value;
        uint64_t unit;
    } known[] = {
        {"dead-after-ms", &settings->dead_after_ns, SIM_NS_PER_MS},
        {"join-timeout-ms", &settings->join_timeout_ns, SIM_NS_PER_MS},
        {"request-timeout-ms", &settings->request_timeout_ns, SIM_NS_PER_MS},
        {"rekey-after-ms", &settings->rekey_after_ns, SIM_NS_PER_MS},
        {"receive-buffer-bytes", &settings->receive_buffer_bytes, 1},
        {"conn-buffer-bytes", &settings->conn_buffer_bytes, 1},
        {"queue-bytes-max", &settings->queue_bytes_max, 1},
        {"flow-window-bytes", &settings->flow_window_bytes, 1},
        {"shares-memory", &settings->shares_memory, 1},
        {"same-address", &settings->same_address, 1},
        {"drift-ppm-max", &settings->drift_ppm_max, 1},
    };
    int64_t value;
    if (number(command, 2, 0, INT64_MAX / 1000000, &value) < 0)
        return -1;
    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!str_equal(known[i].name, command->words[1]))
            continue;
        *known[i].value = (uint64_t)value * known[i].unit;
        return 0;
    }
    return refuse(command, "unknown setting", command->words[1]);
}

/* "h1* h2 h3": who votes, the tie-holder with a star. */
static void add_voters(const struct sim_host *host, struct strbuf *text)
{
    const struct log_voters *voters = node_voters(host->node);
    for (size_t i = 0; voters && i < voters->count; i++) {
        const struct sim_host *voter = sim_host_of_epoch(host->world, voters->ids[i]);
        strbuf_addf(text, " %s%s", voter ? voter->name : "?",
                    voters->ids[i] == voters->tie ? "*" : "");
    }
    if (voters && voters->old_count)
        strbuf_addf(text, " (changing)");
}

/* Tells what the hosts know: a line each, so that a story can end with it. */
static int world_look(struct command *command)
{
    struct sim_world *world = command->world;
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (!sim_host_is_running(host))
            continue;
        struct strbuf voters;
        strbuf_init(&voters);
        if (node_leads(host->node))
            add_voters(host, &voters);
        sim_trace_line(&world->trace, SIM_TRACE_FAULT, world->now_ns, host->name,
                       "knows %zu hosts, %zu tasks here, %zu watches, %zu waits%s%s",
                       node_host_count(host->node), node_task_count(host->node),
                       node_watch_count(host->node), node_wait_count(host->node),
                       node_leads(host->node) ? "; leads, voters are" : "", strbuf_text(&voters));
        strbuf_fini(&voters);
    }
    return 0;
}

/* ---- tasks ---- */

static int check_result(const struct command *command, int result)
{
    if (result >= 0)
        return 0;
    const char *text = client_error_text(result);
    return refuse(command, "the library says", text ? text : "?");
}

static int task_spawn(struct command *command)
{
    int64_t count;
    if (number(command, 2, -1, 100000, &count) < 0)
        return -1;
    const bool placed = command->count == 5 && str_equal(command->words[3], "on");
    if (command->count != 3 && !placed)
        return refuse(command, "usage: TASK spawn FILE COUNT [on HOST]", command->words[1]);
    return check_result(command, sim_task_spawn(command->task, command->words[1], placed ? 1 : 0,
                                                placed ? command->words[4] : "", (int)count));
}

static int task_send(struct command *command)
{
    int64_t tag, size;
    uint32_t tid;
    if (tid_argument(command, 1, &tid) < 0 || number(command, 2, 0, SIM_TAG_NOTICE - 1, &tag) < 0 ||
        number(command, 3, 0, 8 * 1024 * 1024, &size) < 0)
        return -1;
    return check_result(command, sim_task_send(command->task, tid, (int)tag, (uint32_t)size));
}

static int tid_arguments(struct command *command, int from, uint32_t tids[WORDS_MAX])
{
    for (int i = from; i < command->count; i++)
        if (tid_argument(command, i, &tids[i - from]) < 0)
            return -1;
    return 0;
}

static int task_mcast(struct command *command)
{
    uint32_t tids[WORDS_MAX];
    int64_t tag, size;
    if (number(command, 1, 0, SIM_TAG_NOTICE - 1, &tag) < 0 ||
        number(command, 2, 0, 8 * 1024 * 1024, &size) < 0 || tid_arguments(command, 3, tids) < 0)
        return -1;
    return check_result(command, sim_task_mcast(command->task, tids, command->count - 3, (int)tag,
                                                (uint32_t)size));
}

static int task_notify(struct command *command)
{
    uint32_t tids[WORDS_MAX];
    int64_t count;
    const char *kind = command->words[1];
    if (str_equal(kind, "hosts")) {
        if (number(command, 2, -1, 1000, &count) < 0)
            return -1;
        return check_result(command, sim_task_notify(command->task, 3, (int)count, NULL));
    }
    if (!str_equal(kind, "exit") && !str_equal(kind, "host"))
        return refuse(command, "notify what? exit TASK..., host HOST..., hosts COUNT; not", kind);
    if (tid_arguments(command, 2, tids) < 0)
        return -1;
    return check_result(command, sim_task_notify(command->task, str_equal(kind, "exit") ? 1 : 2,
                                                 command->count - 2, tids));
}

static int task_add(struct command *command)
{
    return check_result(command, sim_task_addhosts(command->task, command->words + 1,
                                                   command->count - 1));
}

static int task_delete(struct command *command)
{
    return check_result(command, sim_task_delhosts(command->task, command->words + 1,
                                                   command->count - 1));
}

static int request(struct command *command, struct message message)
{
    return check_result(command, sim_task_request(command->task, &message));
}

static int task_halt(struct command *command)
{
    return request(command, (struct message){.type = TM_HALT});
}

static int task_config(struct command *command)
{
    return request(command, (struct message){.type = TM_CONFIG});
}

static int task_tasks(struct command *command)
{
    struct message message = {.type = TM_TASKS};
    if (command->count == 2 && tid_argument(command, 1, &message.tm_tasks.where) < 0)
        return -1;
    return request(command, message);
}

static int task_pstat(struct command *command)
{
    uint32_t tid;
    if (tid_argument(command, 1, &tid) < 0)
        return -1;
    struct message message = {.type = TM_PSTAT};
    message.tm_pstat.tid = tid;
    return request(command, message);
}

static int task_mstat(struct command *command)
{
    struct message message = {.type = TM_MSTAT};
    message.tm_mstat.host = command->words[1];
    return request(command, message);
}

static int task_hostsync(struct command *command)
{
    uint32_t tid;
    if (tid_argument(command, 1, &tid) < 0)
        return -1;
    struct message message = {.type = TM_HOSTSYNC};
    message.tm_hostsync.host_tid = tid;
    return request(command, message);
}

static int task_kill(struct command *command)
{
    uint32_t tid;
    int64_t signal = SIGNAL_TERM;
    if (tid_argument(command, 1, &tid) < 0 ||
        (command->count == 3 && number(command, 2, 1, 64, &signal) < 0))
        return -1;
    return check_result(command, sim_task_signal(command->task, tid, (int)signal));
}

static int task_put(struct command *command)
{
    struct message message = {.type = TM_PUTINFO};
    int64_t size = 0;
    static const uint8_t bytes[1024];
    if (number(command, 2, 1, sizeof(bytes), &size) < 0)
        return -1;
    message.tm_putinfo.name = command->words[1];
    message.tm_putinfo.index = -1;
    message.tm_putinfo.flags = MBOX_PERSISTENT | MBOX_MULTI_INSTANCE;
    message.tm_putinfo.message = (struct wire_bytes){bytes, (size_t)size};
    return request(command, message);
}

static int read_mailbox(struct command *command, uint32_t flags)
{
    struct message message = {.type = TM_RECVINFO};
    message.tm_recvinfo.name = command->words[1];
    message.tm_recvinfo.flags = flags;
    return request(command, message);
}

static int task_get(struct command *command)
{
    return read_mailbox(command, MBOX_FIRST_AVAIL);
}

static int task_await(struct command *command)
{
    return read_mailbox(command, MBOX_FIRST_AVAIL | MBOX_WAIT_FOR_INFO);
}

static int task_boxes(struct command *command)
{
    struct message message = {.type = TM_LISTINFO};
    message.tm_listinfo.pattern = "*";
    return request(command, message);
}

static int task_attach(struct command *command)
{
    uint32_t tid;
    if (tid_argument(command, 1, &tid) < 0)
        return -1;
    sim_task_attach(command->task, tid);
    return 0;
}

static int task_exit(struct command *command)
{
    sim_task_exit(command->task);
    return 0;
}

static int task_die(struct command *command)
{
    sim_proc_end(command->task->proc, 9);
    return 0;
}

static int task_hold(struct command *command)
{
    sim_task_hold(command->task);
    return 0;
}

static int task_want(struct command *command)
{
    uint32_t tid;
    int64_t tag;
    if (tid_argument(command, 1, &tid) < 0 || number(command, 2, -1, INT32_MAX, &tag) < 0)
        return -1;
    sim_task_want(command->task, (int)tid, (int)tag);
    return 0;
}

static int task_deaf(struct command *command)
{
    sim_task_set_deaf(command->task, true);
    return 0;
}

static int task_hear(struct command *command)
{
    sim_task_set_deaf(command->task, false);
    return 0;
}

static int task_catch(struct command *command)
{
    sim_task_catch_output(command->task);
    return 0;
}

static int task_print(struct command *command)
{
    sim_proc_print(command->task->proc, command->words[1]);
    return 0;
}

/* ---- the tables ---- */

struct row {
    const char *name;
    int words_min;
    int (*run)(struct command *command);
    const char *usage;
};

static const struct row world_rows[] = {
    {"hosts", 2, world_hosts, "hosts N: h1 as master, h2..hN from its hostfile, until quiet"},
    {"hostfile", 1, world_hostfile, "hostfile HOST...: for masters from now on"},
    {"master", 2, world_master, "master HOST"},
    {"task", 4, world_task, "task NAME on HOST: a program started by a user"},
    {"run", 2, world_run, "run MS | run until quiet [MS]"},
    {"show", 2, world_show, "show CLASS,...: of task host fault dm tm log net all none"},
    {"stop", 2, world_stop, "stop HOST: SIGTERM to its daemon"},
    {"set", 3, world_set, "set NAME VALUE"},
    {"look", 1, world_look, "look: what each host knows"},
};

static const struct row task_rows[] = {
    {"spawn", 3, task_spawn, "TASK spawn FILE COUNT [on HOST]"},
    {"send", 4, task_send, "TASK send WHO TAG SIZE"},
    {"mcast", 4, task_mcast, "TASK mcast TAG SIZE WHO..."},
    {"notify", 3, task_notify, "TASK notify exit WHO... | host HOST... | hosts COUNT"},
    {"add", 2, task_add, "TASK add HOST..."},
    {"delete", 2, task_delete, "TASK delete HOST..."},
    {"halt", 1, task_halt, "TASK halt"},
    {"config", 1, task_config, "TASK config"},
    {"tasks", 1, task_tasks, "TASK tasks [WHERE]"},
    {"pstat", 2, task_pstat, "TASK pstat WHO"},
    {"mstat", 2, task_mstat, "TASK mstat HOST"},
    {"hostsync", 2, task_hostsync, "TASK hostsync HOST"},
    {"kill", 2, task_kill, "TASK kill WHO [SIGNAL]"},
    {"put", 3, task_put, "TASK put NAME SIZE: into a mailbox"},
    {"get", 2, task_get, "TASK get NAME: what is in a mailbox"},
    {"await", 2, task_await, "TASK await NAME: the same, and waits for it"},
    {"boxes", 1, task_boxes, "TASK boxes: what mailboxes there are"},
    {"attach", 2, task_attach, "TASK attach WHO: says it shares memory"},
    {"exit", 1, task_exit, "TASK exit: pvm_exit()"},
    {"die", 1, task_die, "TASK die: kill -9"},
    {"hold", 1, task_hold, "TASK hold: takes only what it wants"},
    {"want", 3, task_want, "TASK want WHO TAG: one pvm_recv()"},
    {"deaf", 1, task_deaf, "TASK deaf: never reads its socket"},
    {"hear", 1, task_hear, "TASK hear: reads again"},
    {"catch", 1, task_catch, "TASK catch: pvm_catchout()"},
    {"print", 2, task_print, "TASK print WORD"},
};

static const struct row *find_row(const struct row *rows, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(rows[i].name, name))
            return &rows[i];
    return NULL;
}

static int run_row(struct command *command, const struct row *row)
{
    if (command->count < row->words_min)
        return refuse(command, "usage", row->usage);
    return row->run(command);
}

static int split(char *line, char *words[WORDS_MAX])
{
    int count = 0;
    for (char *word = line; *word && count < WORDS_MAX - 1;) {
        word += strspn(word, " \t");
        const size_t length = strcspn(word, " \t");
        if (!length)
            break;
        words[count++] = word;
        word += length;
        if (*word)
            *word++ = '\0';
    }
    words[count] = NULL;
    return count;
}

int sim_command(struct sim_world *world, const char *line, char *error, size_t error_bytes)
{
    char copy[LINE_BYTES_MAX];
    struct command command = {.world = world, .error = error, .error_bytes = error_bytes};
    if (str_copy(copy, sizeof(copy), line) < 0)
        return refuse(&command, "too long", "line");
    command.count = split(copy, command.words);
    if (command.count == 0)
        return 0;
    const struct row *row = find_row(world_rows, ARRAY_LEN(world_rows), command.words[0]);
    if (row)
        return run_row(&command, row);
    const int fault = sim_fault_apply(world, command.words, command.count, error, error_bytes);
    if (fault <= 0)
        return fault;
    command.task = sim_task_named(world, command.words[0]);
    if (!command.task)
        return refuse(&command, "no command and no task", command.words[0]);
    if (command.count < 2 || !(row = find_row(task_rows, ARRAY_LEN(task_rows), command.words[1])))
        return refuse(&command, "what is the task to do", command.words[0]);
    memmove(command.words, command.words + 1, sizeof(command.words) - sizeof(command.words[0]));
    command.count--;
    return run_row(&command, row);
}

/* ---- used by stories in C too ---- */

struct sim_task *sim_puppet_create(struct sim_host *host, const char *name)
{
    struct sim_proc *proc = sim_proc_create(host, name, 0);
    if (!proc || sim_task_create(proc) < 0)
        return NULL;
    proc->program = &sim_program_puppet;
    proc->begun = true;
    sim_task_enrol(proc->task);
    return proc->task;
}

struct sim_task *sim_task_named(const struct sim_world *world, const char *name)
{
    struct sim_task *found = NULL;
    LIST_EACH(pos, following, &world->hosts) {
        const struct sim_host *host = LIST_ENTRY(pos, struct sim_host, link);
        if (!sim_host_is_running(host))
            continue;
        LIST_EACH(at, after, &host->procs) {
            struct sim_proc *proc = LIST_ENTRY(at, struct sim_proc, link);
            if (proc->task && !proc->ended && str_equal(proc->name, name))
                found = proc->task;
        }
    }
    return found;
}

int sim_hosts_start(struct sim_world *world, int count)
{
    struct strbuf hostfile;
    strbuf_init(&hostfile);
    for (int i = 2; i <= count; i++)
        strbuf_addf(&hostfile, "h%d\n", i);
    world->settings.hostfile = strbuf_text(&hostfile);
    const uint32_t shown = world->trace.shown;
    world->trace.shown = 0;
    const struct sim_host *master = sim_host_create_master(world, "h1");
    const bool quiet = master && sim_run_until_quiet(world, QUIET_LIMIT_S * SIM_NS_PER_S);
    world->trace.shown = shown;
    world->settings.hostfile = "";
    strbuf_fini(&hostfile);
    return quiet && sim_world_host_count(world) == (size_t)count &&
                   node_host_count(master->node) == (size_t)count
               ? 0
               : -1;
}

/* ---- files ---- */

static void add_indented(struct strbuf *told, const char *story)
{
    while (*story) {
        const size_t length = strcspn(story, "\n");
        strbuf_add(told, "  ", 2);
        strbuf_add(told, story, length);
        strbuf_add(told, "\n", 1);
        story += length + (story[length] == '\n');
    }
}

static enum sim_verdict judge(const struct sim_world *world, bool refused, char *reason,
                              size_t reason_bytes)
{
    if (world->promises.broken) {
        const char *words = strbuf_text(&world->promises.words);
        str_format(reason, reason_bytes, "%u promises broken, first: %.*s",
                   (unsigned)world->promises.broken, (int)strcspn(words, "\n"), words);
        return SIM_UNSAFE;
    }
    return world->stuck ? SIM_STUCK : refused ? SIM_BAD_SCRIPT : SIM_FINE;
}

enum sim_verdict sim_script_run(const char *text, uint64_t seed, struct strbuf *told,
                                uint64_t *hash, char *reason, size_t reason_bytes)
{
    struct sim_world *world = sim_world_create(seed);
    bool refused = false;
    reason[0] = '\0';
    if (!world)
        return SIM_BAD_SCRIPT;
    sim_trace_parse("task,host,fault", &world->trace.shown);
    for (size_t line_number = 1; *text; line_number++) {
        char line[LINE_BYTES_MAX];
        const size_t length = strcspn(text, "\n");
        str_format(line, sizeof(line), "%.*s", (int)MIN_OF(length, sizeof(line) - 1), text);
        text += length + (text[length] == '\n');
        if (str_has_prefix(line, "  "))
            continue;
        strbuf_addf(told, "%s\n", line);
        if (line[0] == '#' || line[0] == '\0')
            continue;
        char error[256] = "";
        const int result = sim_command(world, line, error, sizeof(error));
        add_indented(told, strbuf_text(&world->trace.story));
        sim_trace_forget(&world->trace);
        if (result == 0)
            continue;
        strbuf_addf(told, "  error: %s\n", error);
        refused = true;
        str_format(reason, reason_bytes, "line %zu: %s", line_number, error);
    }
    const enum sim_verdict verdict = judge(world, refused, reason, reason_bytes);
    *hash = world->trace.hash;
    sim_world_destroy(world);
    return verdict;
}
