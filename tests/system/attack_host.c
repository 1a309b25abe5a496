/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A host that is none: joins a virtual machine as a new daemon would, with a key of its own, takes
 * what the master sends, and then does nothing of what a host has to do. For attack.py, which
 * starts it in the place of a daemon that a person starts (so=ms).
 *
 *   attack_host NUMBER:EPOCH EPOCH:KEY:PORT     the -j, and of the -m the master, on 127.0.0.1
 *
 * It prints the line that a new daemon answers, then "got NAME" for each control message and, of a
 * DM_REJOINED, "rejoined STATUS". The line "rejoin" on its input makes it forget its links and ask
 * to come back as a new host.
 */
#include "base/arena.h"
#include "crypto/crypto.h"
#include "link/mesh.h"
#include "wire/msgs.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MASTER_TEXT_BYTES = 128, TURN_MS = 20 };

static struct mesh *mesh;
static int fd;
static uint64_t self_epoch, master_epoch;
static uint8_t master_key[SEAL_KEY_BYTES];
static struct mesh_address master_address;
static struct wire_address own_address;
static uint8_t own_ip[16];

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void give_up(const char *what)
{
    fprintf(stderr, "attack_host: %s\n", what);
    exit(2);
}

static void map_ipv4(uint8_t ip[16], const struct in_addr *address)
{
    memset(ip, 0, 16);
    ip[10] = ip[11] = 0xff;
    memcpy(ip + 12, address, 4);
}

static void read_arguments(char **argv)
{
    char key[MASTER_TEXT_BYTES];
    unsigned number, port;
    if (sscanf(argv[1], "%u:%" SCNx64, &number, &self_epoch) != 2 ||
        sscanf(argv[2], "%" SCNx64 ":%64[0-9a-f]:%u", &master_epoch, key, &port) != 3)
        give_up("bad arguments");
    for (int i = 0; i < SEAL_KEY_BYTES; i++) {
        unsigned byte = 0;
        sscanf(key + 2 * i, "%2x", &byte);
        master_key[i] = (uint8_t)byte;
    }
    struct in_addr loopback = {.s_addr = htonl(INADDR_LOOPBACK)};
    map_ipv4(master_address.ip, &loopback);
    master_address.port = (uint16_t)port;
}

static void open_all(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    struct mesh_config config = {.crypto = crypto_openssl(), .mode = SEAL_ENCRYPT,
                                 .receive_buffer_bytes = 200000, .datagram_bytes_max = 1400,
                                 .dead_after_ns = UINT64_C(5000000000),
                                 .rekey_after_ns = UINT64_C(3600000000000)};
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
        getsockname(fd, (struct sockaddr *)&address, &length) < 0 ||
        getrandom(config.private_key, sizeof(config.private_key), 0) != SEAL_KEY_BYTES)
        give_up("no socket");
    map_ipv4(own_ip, &address.sin_addr);
    own_address = (struct wire_address){.ip = {own_ip, sizeof(own_ip)},
                                        .port = ntohs(address.sin_port)};
    mesh = mesh_create(&config, now_ns());
    if (!mesh)
        give_up("no mesh");
}

static void meet_master(void)
{
    struct mesh_peer_config peer = {.peer = master_epoch, .self = self_epoch,
                                    .addresses = &master_address, .address_count = 1};
    memcpy(peer.public_key, master_key, sizeof(master_key));
    if (mesh_peer_add(mesh, &peer, now_ns()) < 0)
        give_up("no peer");
}

static void say(const struct message *message)
{
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, message);
    mesh_send_control(mesh, master_epoch, wr.bytes, wr.length, now_ns());
    wr_fini(&wr);
}

static void ask_to_rejoin(void)
{
    uint64_t epoch;
    if (getrandom(&epoch, sizeof(epoch), 0) != (ssize_t)sizeof(epoch))
        give_up("no chance");
    mesh_peer_remove(mesh, master_epoch, false, now_ns());
    meet_master();
    say(&(struct message){.type = DM_REJOIN,
                          .dm_rejoin = {.version = PROTOCOL_DAEMON_VERSION,
                                        .old_epoch = self_epoch, .epoch = epoch, .name = "byhand",
                                        .arch = "LINUX64", .speed = 1000,
                                        .addresses = {1, &own_address}}});
}

static void take(const struct slice *payload)
{
    struct arena arena;
    struct message message;
    arena_init(&arena);
    if (message_decode(payload->data, payload->length, &arena, &message) == 0) {
        printf("got %s\n", message_name(message.type));
        if (message.type == DM_WELCOME)
            say(&(struct message){.type = DM_READY,
                                  .dm_ready = {.version = PROTOCOL_DAEMON_VERSION, .error = ""}});
        if (message.type == DM_REJOINED)
            printf("rejoined %d\n", message.dm_rejoined.status);
        fflush(stdout);
    }
    arena_fini(&arena);
}

static void receive(void)
{
    static uint8_t bytes[MESH_DATAGRAM_BYTES_MAX];
    struct sockaddr_in address;
    socklen_t length = sizeof(address);
    ssize_t got;
    while ((got = recvfrom(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&address, &length)) >
           0) {
        struct mesh_address from = {.port = ntohs(address.sin_port)};
        map_ipv4(from.ip, &address.sin_addr);
        mesh_receive(mesh, &from, bytes, (size_t)got, now_ns());
        length = sizeof(address);
    }
}

static void turn(void)
{
    static uint8_t bytes[MESH_DATAGRAM_BYTES_MAX];
    struct mesh_address to;
    struct mesh_event event;
    size_t length;
    receive();
    mesh_expire(mesh, now_ns());
    while (mesh_next_event(mesh, &event)) {
        if (event.kind == MESH_CONTROL)
            take(&event.payload);
        slice_drop(&event.payload);
    }
    while ((length = mesh_pull(mesh, &to, bytes, now_ns())) > 0) {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(to.port)};
        memcpy(&address.sin_addr, to.ip + 12, 4);
        sendto(fd, bytes, length, 0, (struct sockaddr *)&address, sizeof(address));
    }
}

int main(int argc, char **argv)
{
    if (argc != 3)
        return 1;
    read_arguments(argv);
    open_all();
    meet_master();
    printf("ddpro<%d> arch<LINUX64> dsig<4230209> key<", PROTOCOL_DAEMON_VERSION);
    for (int i = 0; i < SEAL_KEY_BYTES; i++)
        printf("%02x", mesh_public_key(mesh)[i]);
    printf("> addr<[::ffff:127.0.0.1]:%u>\n", own_address.port);
    fflush(stdout);
    for (;;) {
        char line[32];
        struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
        if (poll(fds, 2, TURN_MS) < 0)
            return 1;
        if (fds[1].revents && !fgets(line, sizeof(line), stdin))
            return 0;
        if (fds[1].revents && strncmp(line, "rejoin", 6) == 0)
            ask_to_rejoin();
        turn();
    }
}
