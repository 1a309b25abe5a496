/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pvmd: a master (DMN-1, DMN-3) or a new host started by one (DMN-2, DMN-4). Here everything is
 * made that must exist before the loop: directory, sockets, keys, guardian. What happens then:
 * pvmd/daemon.h.
 */
#include "base/mem.h"
#include "base/str.h"
#include "crypto/crypto.h"
#include "os/clock.h"
#include "os/limits.h"
#include "os/rand.h"
#include "os/signals.h"
#include "os/unixsock.h"
#include "pvmd/address.h"
#include "pvmd/arch.h"
#include "pvmd/arrive.h"
#include "pvmd/daemon.h"
#include "pvmd/share.h"
#include "pvmd/starting.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECONDS_NS(n) (UINT64_C(1000000000) * (n))
#define JOIN_TIMEOUT_NS SECONDS_NS(300) /* DMN-4 */
#define REKEY_AFTER_NS SECONDS_NS(3600)
#define NAME_WAIT_NS SECONDS_NS(3)

enum { HOST_SPEED = 1000, NAME_POLL_MS = 10 };

/* Everything main() makes, in the order it is made. */
struct parts {
    struct config config;
    char name[HOST_NAME_BYTES_MAX + 1];
    char own_path[PATH_MAX];
    struct host_dir dir;
    struct logfile logfile;
    struct udp *udp;
    int listener;
    struct net_address addresses[ANSWER_ADDRESSES_MAX];
    struct wire_address wire_addresses[ANSWER_ADDRESSES_MAX];
    size_t address_count;
    struct mesh *mesh;
    struct guardian guardian;
    uint64_t epoch;
    int starter_fd; /* to the process that the starter sees: pvmd/starting.h; -1 = none */
};

static struct log_sink *crash_log;

static void say_check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "pvmd: a mistake in pvmd itself: %s:%d: %s\n", file, line, condition);
    log_line(crash_log, LOG_LEVEL_ERROR, "a mistake in pvmd itself: %s:%d: %s", file, line,
             condition);
}

static int complain(const char *words)
{
    fprintf(stderr, "pvmd: %s\n", words);
    return -1;
}

/* Whoever started us may have closed some of 0, 1, 2: no socket of ours may get such a number. */
static void ensure_stdio(void)
{
    int fd;
    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

/* ---- who we are ---- */

static int refuse_root(void)
{
    if (geteuid() != 0 || getenv("PVM_ALLOW_ROOT"))
        return 0;
    return complain(
        "will not run as root: every program of the virtual machine could then do anything "
        "on every host of it. Run it as an ordinary user; where root is really meant, as in "
        "a container, set PVM_ALLOW_ROOT=1");
}

static void find_own_path(char *path, const char *argv0)
{
    ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
    path[length > 0 ? length : 0] = '\0';
    if (length > 0)
        return;
    char resolved[PATH_MAX];
    if (strchr(argv0, '/') && realpath(argv0, resolved))
        str_copy(path, PATH_MAX, resolved);
    else
        str_copy(path, PATH_MAX, "pvmd");
}

static int choose_name(struct parts *parts)
{
    if (parts->config.name) {
        if (str_copy(parts->name, sizeof(parts->name), parts->config.name) < 0 ||
            strpbrk(parts->name, " \t\n"))
            return complain("-n: a host name has at most 255 characters and no blanks");
        return 0;
    }
    if (gethostname(parts->name, sizeof(parts->name)) < 0 || parts->name[0] == '\0')
        return complain("the machine has no host name; give one by -nNAME");
    parts->name[sizeof(parts->name) - 1] = '\0';
    return 0;
}

static void show(const struct parts *parts, int argc, char **argv)
{
    char stamp[32];
    clock_stamp(stamp, sizeof(stamp));
    printf("pvmd: PVM 3.4.6 compatible, protocol %d (tasks %d), %s, %s\n", PROTOCOL_DAEMON_VERSION,
           PROTOCOL_TASK_VERSION, arch_name(), stamp);
    printf("name \"%s\", arguments:", parts->name);
    for (int i = 1; i < argc; i++)
        printf(" %s", argv[i]);
    printf("\n");
}

/* ---- what we need ---- */

/* A host that was removed a moment ago may still be putting its things away: a new host of its name
 * gives it this long. A master's name is taken at once or not at all. */
static enum dir_result open_when_free(struct parts *parts, char error[DIR_ERROR_BYTES])
{
    const struct config *config = &parts->config;
    const uint64_t until_ns = clock_now_ns() + NAME_WAIT_NS;
    for (;;) {
        enum dir_result result = dir_open(&parts->dir, getenv("PVM_TMP"), config->vmid, parts->name,
                                          error);
        if (result != DIR_TAKEN || !config->is_new_host || clock_now_ns() >= until_ns)
            return result;
        poll(NULL, 0, NAME_POLL_MS);
    }
}

/* A second master of a virtual machine that lives here, perhaps without the daemon that began it:
 * who started this finds that machine by the line that it waits for. */
static int refuse_second(const struct parts *parts)
{
    char path[DIR_PATH_BYTES_MAX], words[2 * DIR_PATH_BYTES_MAX];
    if (parts->config.is_new_host || !dir_find_living(&parts->dir, path))
        return 0;
    printf("%s\n", path);
    fflush(stdout);
    str_format(words, sizeof(words),
               "a pvmd of this virtual machine already runs here: %s; use it, halt it from the "
               "console, or set PVM_VMID for a second virtual machine",
               path);
    return complain(words);
}

static int open_directory(struct parts *parts)
{
    char error[DIR_ERROR_BYTES];
    const struct config *config = &parts->config;
    enum dir_result result = open_when_free(parts, error);
    if (result == DIR_OK) {
        if (refuse_second(parts) < 0)
            return -1;
        dir_set_owner(&parts->dir, (long)getpid());
        logfile_attach(&parts->logfile, dir_open_log(&parts->dir));
        if (parts->logfile.fd < 0)
            fprintf(stderr, "pvmd: %s/log: %s; going on without a log\n", parts->dir.path,
                    strerror(errno));
        return 0;
    }
    if (result == DIR_TAKEN && config->is_new_host) {
        printf("PvmDupHost\n"); /* the literal name that a starter understands, DMN-4 */
        fflush(stdout);
    }
    return complain(error);
}

static int open_sockets(struct parts *parts)
{
    char error[512];
    struct udp_config udp_config = {.first_port = parts->config.first_port,
                                    .loopback_only = parts->config.loopback_only};
    parts->listener = unixsock_listen(parts->dir.path, error, sizeof(error));
    if (parts->listener < 0)
        return complain(error);
    parts->udp = udp_open(&udp_config, error, sizeof(error));
    return parts->udp ? 0 : complain(error);
}

/* A name given as a number says which of our addresses others should try first (DMN-1). */
static void prefer_named_address(struct parts *parts)
{
    for (size_t i = 1; i < parts->address_count; i++) {
        char text[64];
        net_address_text(&parts->addresses[i], text, sizeof(text));
        if (!str_equal(text, parts->name))
            continue;
        struct net_address named = parts->addresses[i];
        memmove(&parts->addresses[1], &parts->addresses[0], i * sizeof(named));
        parts->addresses[0] = named;
    }
}

static void list_addresses(struct parts *parts)
{
    struct net_address all[ANSWER_ADDRESSES_MAX];
    size_t count = netif_list(all, ANSWER_ADDRESSES_MAX);
    for (size_t i = 0; i < count; i++)
        if (!parts->config.loopback_only || net_address_is_loopback(&all[i]))
            parts->addresses[parts->address_count++] = all[i];
    prefer_named_address(parts);
    for (size_t i = 0; i < parts->address_count; i++) {
        parts->addresses[i].port = udp_port(parts->udp);
        parts->wire_addresses[i] = address_to_wire(&parts->addresses[i]);
    }
}

static int make_mesh(struct parts *parts)
{
    struct mesh_config config = {
        .crypto = crypto_openssl(),
        .mode = parts->config.seal,
        .receive_buffer_bytes = udp_receive_buffer_bytes(parts->udp),
        .datagram_bytes_max = UDP_DATAGRAM_BYTES_MAX,
        .dead_after_ns = parts->config.dead_after_ns,
        .rekey_after_ns = REKEY_AFTER_NS,
        .log = &parts->logfile.sink,
    };
    if (!config.crypto)
        return complain("OpenSSL's libcrypto refuses an algorithm that links between hosts need");
    rand_bytes(NULL, config.private_key, sizeof(config.private_key));
    parts->mesh = mesh_create(&config, clock_now_ns());
    return parts->mesh ? 0 : complain("no memory");
}

/* What tasks find in their environment: ours, and nothing of whoever started us. */
static int set_environment(const struct parts *parts)
{
    static const char *const foreign[] = {"PVMEPID",   "PVMTMASK", "PVMTRCBUF",
                                          "PVMTRCOPT", "PVMCTX",   "PVMSPAWNWD"};
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        unsetenv(foreign[i]);
    if (setenv("PVMSOCK", parts->dir.sock_path, 1) < 0 || setenv("PVM_ARCH", arch_name(), 1) < 0 ||
        (parts->config.vmid && setenv("PVM_VMID", parts->config.vmid, 1) < 0))
        return complain("no memory");
    return 0;
}

/* ---- being seen ---- */

static int bring(const struct parts *parts, const struct host_answer *answer)
{
    char error[CONFIG_ERROR_BYTES];
    return arrive(&parts->config, answer, &parts->logfile.sink, error) < 0 ? complain(error) : 0;
}

/* To whoever started us, or with a token to the master itself. */
static int give_answer(const struct parts *parts)
{
    struct host_answer answer = {.protocol = PROTOCOL_DAEMON_VERSION,
                                 .signature = arch_signature(),
                                 .addresses = parts->wire_addresses,
                                 .address_count = parts->address_count};
    struct strbuf line;
    str_copy(answer.arch, sizeof(answer.arch), arch_name());
    memcpy(answer.public_key, mesh_public_key(parts->mesh), sizeof(answer.public_key));
    if (parts->config.token_text)
        return bring(parts, &answer);
    strbuf_init(&line);
    answer_write(&line, &answer);
    int result = line.failed || printf("%s\n", strbuf_text(&line)) < 0 ? -1 : fflush(stdout);
    strbuf_fini(&line);
    return result == 0 ? 0 : complain("the answer to the master cannot be printed");
}

/* Lets go of the starter's streams; the process that it sees may go on with what it waits for. */
static void background_done(struct parts *parts)
{
    if (parts->starter_fd < 0)
        return;
    int null_fd = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3 && null_fd >= 0; fd++)
        dup2(null_fd, fd);
    if (null_fd > 2)
        close(null_fd);
    starting_say(parts->starter_fd, STARTING_STANDS);
    if (!parts->config.is_held) {
        close(parts->starter_fd);
        parts->starter_fd = -1;
    }
    parts->logfile.echo = false;
}

static int announce(struct parts *parts)
{
    if (dir_claim_here(&parts->dir, !parts->config.is_new_host) < 0)
        return complain("the link `here` cannot be made: programs would not find this pvmd");
    if (parts->config.is_new_host) {
        if (give_answer(parts) < 0)
            return -1;
        background_done(parts);
        return 0;
    }
    if (printf("%s\n", parts->dir.sock_path) < 0 || fflush(stdout) != 0)
        return complain("the path of the socket cannot be printed");
    return 0;
}

/* ---- running ---- */

static int run(struct parts *parts)
{
    const struct config *config = &parts->config;
    struct node_config node_config = {
        .is_founder = !config->is_new_host,
        .name = parts->name,
        .arch = arch_name(),
        .signature = arch_signature(),
        .speed = HOST_SPEED,
        .number = config->is_new_host ? config->join.number : 1,
        .epoch = parts->epoch,
        .addresses = parts->wire_addresses,
        .address_count = parts->address_count,
        .master_epoch = config->join.master_epoch,
        .master_addresses = config->join.master_addresses,
        .master_address_count = config->join.master_address_count,
        .join_timeout_ns = JOIN_TIMEOUT_NS,
        .hostfile_name = config->hostfile_name ? config->hostfile_name : "",
        .hostfile_text = config->hostfile_text ? config->hostfile_text : "",
        .flow_window_bytes = MESH_FLOW_WINDOW_BYTES,
        .queue_bytes_max = limits_memory_bytes() / 2, /* decision D16 */
        .shares_memory = share_is_possible(),
        .tasks_max = config->tasks_max,
        .dead_after_ns = config->dead_after_ns,
        .random_bytes = rand_bytes,
        .log = &parts->logfile.sink,
    };
    memcpy(node_config.public_key, mesh_public_key(parts->mesh), sizeof(node_config.public_key));
    memcpy(node_config.master_key, config->join.master_key, sizeof(node_config.master_key));
    struct daemon_parts daemon_parts = {
        .config = config,
        .name = parts->name,
        .own_path = parts->own_path,
        .dir = &parts->dir,
        .logfile = &parts->logfile,
        .guardian = &parts->guardian,
        .mesh = parts->mesh,
        .udp = parts->udp,
        .listener = parts->listener,
        .starter_fd = parts->starter_fd,
        .epoch = parts->epoch,
        .node_config = &node_config,
    };
    return daemon_run(&daemon_parts);
}

static void guard(struct parts *parts)
{
    bool keep_log = parts->config.debug_mask != 0;
    if (guardian_start(&parts->guardian, &parts->dir, keep_log) < 0)
        log_line(&parts->logfile.sink, LOG_LEVEL_WARN,
                 "no guardian process (%s): if this pvmd is killed, its tasks stay",
                 strerror(errno));
}

static int prepare(struct parts *parts)
{
    const struct config *config = &parts->config;
    logfile_init(&parts->logfile, config_log_level(config), config->log_bytes_max, true);
    crash_log = &parts->logfile.sink;
    if (config->is_new_host && !config->stay) {
        parts->starter_fd = starting_fork(config->is_held);
        if (parts->starter_fd < 0)
            return complain("cannot go to the background: no processes or no descriptors");
    }
    if (open_directory(parts) < 0)
        return -1;
    guard(parts);
    if (open_sockets(parts) < 0 || set_environment(parts) < 0 || make_mesh(parts) < 0)
        return -1;
    list_addresses(parts);
    parts->epoch = config->is_new_host ? config->join.epoch : rand_u64() | 1;
    return announce(parts);
}

static void log_start(struct parts *parts)
{
    log_line(&parts->logfile.sink, LOG_LEVEL_INFO, "%s (port %u) %s 3.4.6, process %ld",
             parts->name, udp_port(parts->udp), arch_name(), (long)getpid());
}

/* Removes what prepare() made when it failed half way. */
static int leave(struct parts *parts, int status)
{
    if (parts->dir.lock_fd >= 0) {
        dir_remove(&parts->dir, parts->config.debug_mask != 0);
        guardian_finish(&parts->guardian);
        dir_close(&parts->dir);
    }
    mesh_destroy(parts->mesh);
    logfile_fini(&parts->logfile);
    config_fini(&parts->config);
    return status;
}

int main(int argc, char **argv)
{
    static struct parts parts = {.dir = {.lock_fd = -1},
                                 .listener = -1,
                                 .guardian = {.fd = -1},
                                 .logfile = {.fd = -1},
                                 .starter_fd = -1};
    char error[CONFIG_ERROR_BYTES];
    ensure_stdio();
    check_set_handler(say_check_failed);
    signal_ignore(SIGPIPE);
    signal_ignore(SIGHUP);
    signals_hold();
    if (config_read(&parts.config, argc, argv, error) < 0)
        return complain(error) < 0 ? 1 : 0;
    if (refuse_root() < 0 || choose_name(&parts) < 0)
        return leave(&parts, 1);
    if (parts.config.show) {
        show(&parts, argc, argv);
        return leave(&parts, 0);
    }
    find_own_path(parts.own_path, argv[0]);
    if (prepare(&parts) < 0)
        return leave(&parts, 1);
    limits_raise_files();
    limits_keep_heap();
    log_start(&parts);
    return leave(&parts, run(&parts));
}
