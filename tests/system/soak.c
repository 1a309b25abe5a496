/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job for soaking: tasks on all hosts send each other messages of all sizes in all forms, for as
 * long as soak.py likes, which kills some of them; others are asked to leave. Those that end are
 * replaced.
 *
 *   soak STATUS-FILE STOP-FILE PER-HOST   the master: starts and replaces tasks until STOP-FILE is
 *   soak elder|other                      a task; elders are never killed
 *
 * Between two tasks each message has the next number, and bytes that follow from it and its sender.
 * A task acknowledges what it got. An error, told by STATUS-FILE, is: a number that is not next, a
 * changed byte, a message after the notice of its sender's end, no message of farewell from who
 * left in order, nothing acknowledged for a long time by one who lives. In the end what each has
 * sent is what the other has received.
 *
 * STATUS-FILE: "messages bytes tasks ended left" and then "running", "done" or words of an error.
 */
#include <pvm3.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    TAG_DATA = 1, /* header, body */
    TAG_ACK,      /* u32: so many received */
    TAG_END,      /* notice */
    TAG_PEERS,    /* count, tids */
    TAG_LEAVE,
    TAG_LEFT,
    TAG_IN_ORDER, /* tid: it left in order */
    TAG_STATS,    /* messages, kilobytes since the last */
    TAG_ERROR,    /* text */
    TAG_STOP,
    TAG_QUIET, /* all that the task sent is acknowledged */
    TAG_REPORT,
    TAG_TABLE, /* count, (tid, sent, received) */
    TAG_BYE
};

enum {
    BODY_BYTES_MAX = 4 << 20,
    SIZES = 23, /* powers of two up to it */
    PEERS_MAX = 20000,
    WINDOW = 8, /* messages to one peer without an acknowledgement */
    WINDOW_BYTES = 16 << 20,
    MCAST_MAX = 4,
    STALL_S = 60
};

/* ---- what both need ---- */

static double now_s(void)
{
    struct timeval now;
    gettimeofday(&now, NULL);
    return (double)now.tv_sec + (double)now.tv_usec / 1e6;
}

static uint64_t chance_state;

static uint64_t chance(uint64_t bound)
{
    chance_state ^= chance_state << 13;
    chance_state ^= chance_state >> 7;
    chance_state ^= chance_state << 17;
    return (chance_state >> 11) % bound;
}

static void send_empty(int tid, int tag)
{
    pvm_initsend(PvmDataDefault);
    pvm_send(tid, tag);
}

/* ---- a task ---- */

enum { FAREWELL = 1, MCAST = 2 };

/* 24 bytes before each body; of a multicast, MCAST_MAX numbers for its receivers stand behind. */
struct header {
    uint32_t from, number, flags, length, count, unused;
};
struct numbered {
    uint32_t tid, number;
};

struct peer {
    int tid;
    uint32_t sent, acknowledged, received;
    uint32_t lengths[WINDOW]; /* of what is not acknowledged */
    char is_gone, said_farewell, left_in_order;
    double waits_since;
};

static struct peer *peers;
static int peer_count, first_living;
static int master, self;
static uint64_t outstanding_bytes, sent_messages, sent_bytes;
static int is_stopping;
static char send_bytes[sizeof(struct header) + BODY_BYTES_MAX];
static char got_bytes[BODY_BYTES_MAX];

static void error(const char *what, int tid, uint32_t one, uint32_t other)
{
    char text[200];
    snprintf(text, sizeof(text), "t%x, peer t%x: %s (%u, %u)", self, tid, what, one, other);
    pvm_initsend(PvmDataDefault);
    pvm_pkstr(text);
    pvm_send(master, TAG_ERROR);
    pvm_exit();
    exit(1);
}

static struct peer *peer_of(int tid)
{
    for (int i = first_living; i < peer_count; i++)
        if (peers[i].tid == tid)
            return &peers[i];
    for (int i = 0; i < first_living; i++)
        if (peers[i].tid == tid)
            return &peers[i];
    if (peer_count == PEERS_MAX)
        error("too many peers", tid, 0, 0);
    struct peer *peer = &peers[peer_count++];
    *peer = (struct peer){.tid = tid};
    pvm_notify(PvmTaskExit, TAG_END, 1, &tid);
    return peer;
}

/* Words that follow from sender and number, cheap to make and to check. */
static uint64_t pattern(uint32_t from, uint32_t number)
{
    return ((uint64_t)from << 32 | number) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static void fill(char *bytes, uint32_t length, uint64_t word)
{
    uint32_t i = 0;
    for (; i + 8 <= length; i += 8, word += UINT64_C(0x632be59bd9b4e019))
        memcpy(bytes + i, &word, 8);
    memcpy(bytes + i, &word, length - i);
}

static int is_filled(const char *bytes, uint32_t length, uint64_t word)
{
    uint32_t i = 0;
    uint64_t differs = 0, got;
    for (; i + 8 <= length; i += 8, word += UINT64_C(0x632be59bd9b4e019)) {
        memcpy(&got, bytes + i, 8);
        differs |= got ^ word;
    }
    return !differs && memcmp(bytes + i, &word, length - i) == 0;
}

static uint32_t any_length(void)
{
    return (uint32_t)chance((UINT64_C(1) << chance(SIZES)) + 1);
}

static void note_sent(struct peer *peer, uint32_t length)
{
    if (peer->sent == peer->acknowledged)
        peer->waits_since = now_s();
    peer->lengths[peer->sent % WINDOW] = length;
    peer->sent++;
    outstanding_bytes += length;
    sent_messages++;
    sent_bytes += length;
}

static void send_data(struct peer *peer, uint32_t flags)
{
    static const int encodings[] = {PvmDataDefault, PvmDataRaw, PvmDataInPlace};
    static struct header header; /* in place: it must stay */
    const uint32_t length = flags & FAREWELL ? 0 : any_length();
    const uint64_t form = chance(4);
    header = (struct header){(uint32_t)self, peer->sent, flags, length, 0, 0};
    char *body = send_bytes + sizeof(header);
    fill(body, length, pattern((uint32_t)self, peer->sent));
    if (form == 3) {
        memcpy(send_bytes, &header, sizeof(header));
        pvm_psend(peer->tid, TAG_DATA, send_bytes, (int)(sizeof(header) + length), PVM_BYTE);
    } else {
        pvm_initsend(encodings[form]);
        pvm_pkbyte((char *)&header, sizeof(header), 1);
        if (length > 0)
            pvm_pkbyte(body, (int)length, 1);
        pvm_send(peer->tid, TAG_DATA);
    }
    note_sent(peer, length);
}

static int may_send(const struct peer *peer)
{
    return !peer->is_gone && peer->sent - peer->acknowledged < WINDOW;
}

/* To a few peers at once: their numbers stand in the message, the bytes follow from the first. */
static void send_mcast(void)
{
    struct header header = {(uint32_t)self, 0, MCAST, any_length(), 0, 0};
    struct numbered numbers[MCAST_MAX];
    int tids[MCAST_MAX];
    for (int tries = 0; tries < 8 && header.count < MCAST_MAX; tries++) {
        struct peer *peer =
            &peers[first_living + (int)chance((uint64_t)(peer_count - first_living))];
        int is_new = may_send(peer);
        for (uint32_t i = 0; i < header.count; i++)
            is_new &= tids[i] != peer->tid;
        if (!is_new)
            continue;
        tids[header.count] = peer->tid;
        numbers[header.count++] = (struct numbered){(uint32_t)peer->tid, peer->sent};
        note_sent(peer, header.length);
    }
    if (header.count == 0)
        return;
    header.number = numbers[0].number;
    fill(send_bytes, header.length, pattern((uint32_t)self, header.number));
    pvm_initsend(chance(2) ? PvmDataDefault : PvmDataRaw);
    pvm_pkbyte((char *)&header, sizeof(header), 1);
    pvm_pkbyte((char *)numbers, (int)(header.count * sizeof(numbers[0])), 1);
    if (header.length > 0)
        pvm_pkbyte(send_bytes, (int)header.length, 1);
    pvm_mcast(tids, (int)header.count, TAG_DATA);
}

/* False: nothing may be sent now. */
static int send_something(void)
{
    const int living = peer_count - first_living;
    if (living == 0 || is_stopping || outstanding_bytes > WINDOW_BYTES)
        return 0;
    if (chance(20) == 0) {
        send_mcast();
        return 1;
    }
    const int begin = (int)chance((uint64_t)living);
    for (int i = 0; i < living; i++) {
        struct peer *peer = &peers[first_living + (begin + i) % living];
        if (may_send(peer)) {
            send_data(peer, 0);
            return 1;
        }
    }
    return 0;
}

static void take_data(int from)
{
    struct header header;
    uint32_t number, got = 0;
    struct peer *peer = peer_of(from);
    pvm_upkbyte((char *)&header, sizeof(header), 1);
    number = header.number;
    if (header.count > MCAST_MAX || header.length > BODY_BYTES_MAX || header.from != (uint32_t)from)
        error("a torn header", from, header.count, header.length);
    for (uint32_t i = 0; i < header.count; i++) {
        struct numbered numbered;
        pvm_upkbyte((char *)&numbered, sizeof(numbered), 1);
        if (numbered.tid == (uint32_t)self) {
            number = numbered.number;
            got++;
        }
    }
    if (header.count > 0 && got != 1)
        error("a multicast that is not for me", from, header.number, got);
    if (peer->is_gone)
        error("a message after the notice", from, number, peer->received);
    if (number != peer->received)
        error("a message lost, doubled or out of order", from, number, peer->received);
    if (header.length > 0 && pvm_upkbyte(got_bytes, (int)header.length, 1) < 0)
        error("a message too short", from, number, header.length);
    if (!is_filled(got_bytes, header.length, pattern(header.from, header.number)))
        error("changed bytes", from, number, header.length);
    peer->received++;
    peer->said_farewell |= header.flags & FAREWELL ? 1 : 0;
    pvm_initsend(PvmDataDefault);
    pvm_pkuint(&peer->received, 1, 1);
    pvm_send(from, TAG_ACK);
}

static void take_ack(int from)
{
    uint32_t count;
    struct peer *peer = peer_of(from);
    pvm_upkuint(&count, 1, 1);
    if (peer->is_gone)
        error("an acknowledgement after the notice", from, count, peer->acknowledged);
    if (count != peer->acknowledged + 1 || count > peer->sent)
        error("an acknowledgement lost or doubled", from, count, peer->acknowledged);
    outstanding_bytes -= peer->lengths[peer->acknowledged % WINDOW];
    peer->acknowledged = count;
    peer->waits_since = now_s();
}

static void check_farewell(const struct peer *peer)
{
    if (peer->is_gone && peer->left_in_order && peer->received > 0 && !peer->said_farewell)
        error("the last message of who left in order is lost", peer->tid, peer->received, 0);
}

static void take_end(int tid)
{
    struct peer *peer = peer_of(tid);
    for (; peer->acknowledged != peer->sent; peer->acknowledged++)
        outstanding_bytes -= peer->lengths[peer->acknowledged % WINDOW];
    peer->is_gone = 1;
    check_farewell(peer);
    /* The ended to the front: */
    struct peer ended = *peer;
    *peer = peers[first_living];
    peers[first_living++] = ended;
}

static void leave(void)
{
    for (int i = first_living; i < peer_count; i++)
        if (!peers[i].is_gone)
            send_data(&peers[i], FAREWELL);
    send_empty(master, TAG_LEFT);
    pvm_exit();
    exit(0);
}

static void send_stats(void)
{
    unsigned numbers[2] = {(unsigned)sent_messages, (unsigned)(sent_bytes >> 10)};
    sent_messages = 0;
    sent_bytes &= 1023;
    pvm_initsend(PvmDataDefault);
    pvm_pkuint(numbers, 2, 1);
    pvm_send(master, TAG_STATS);
}

static void say_quiet(void)
{
    for (int i = first_living; i < peer_count; i++)
        if (peers[i].sent != peers[i].acknowledged)
            return;
    send_stats();
    send_empty(master, TAG_QUIET);
    is_stopping = 2;
}

/* Everybody is quiet: what was sent to and received from those who live. */
static void send_table(void)
{
    int count = peer_count - first_living;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&count, 1, 1);
    for (int i = first_living; i < peer_count; i++) {
        pvm_pkint(&peers[i].tid, 1, 1);
        pvm_pkuint(&peers[i].sent, 1, 1);
        pvm_pkuint(&peers[i].received, 1, 1);
    }
    pvm_send(master, TAG_TABLE);
}

static void take_peers(void)
{
    int count, tid;
    pvm_upkint(&count, 1, 1);
    while (count-- > 0) {
        pvm_upkint(&tid, 1, 1);
        if (tid != self)
            peer_of(tid);
    }
}

static void handle(int buffer)
{
    int length, tag, from, tid;
    pvm_bufinfo(buffer, &length, &tag, &from);
    switch (tag) {
    case TAG_DATA:
        take_data(from);
        break;
    case TAG_ACK:
        take_ack(from);
        break;
    case TAG_END:
        pvm_upkint(&tid, 1, 1);
        if (tid == master)
            exit(1);
        take_end(tid);
        break;
    case TAG_PEERS:
        take_peers();
        break;
    case TAG_IN_ORDER:
        pvm_upkint(&tid, 1, 1);
        peer_of(tid)->left_in_order = 1;
        check_farewell(peer_of(tid));
        break;
    case TAG_LEAVE:
        leave();
        break;
    case TAG_STOP:
        is_stopping = 1;
        break;
    case TAG_REPORT:
        send_table();
        break;
    case TAG_BYE:
        pvm_exit();
        exit(0);
    }
}

static void check_stalls(double now)
{
    for (int i = first_living; i < peer_count; i++)
        if (peers[i].sent != peers[i].acknowledged && now - peers[i].waits_since > STALL_S)
            error("nothing acknowledged for long", peers[i].tid, peers[i].sent,
                  peers[i].acknowledged);
}

static int task_main(void)
{
    double told = now_s();
    self = pvm_mytid();
    master = pvm_parent();
    chance_state = (uint64_t)self * UINT64_C(0x9e3779b97f4a7c15) + 1;
    peers = calloc(PEERS_MAX, sizeof(*peers));
    if (!peers || pvm_notify(PvmTaskExit, TAG_END, 1, &master) < 0)
        return 1;
    for (;;) {
        struct timeval patience = {0, 100000};
        int buffer;
        while ((buffer = pvm_nrecv(-1, -1)) > 0)
            handle(buffer);
        if (!send_something() && (buffer = pvm_trecv(-1, -1, &patience)) > 0)
            handle(buffer);
        if (buffer < 0)
            return 1;
        if (is_stopping == 1)
            say_quiet();
        if (now_s() - told > 0.5 && !is_stopping) {
            told = now_s();
            check_stalls(told);
            send_stats();
        }
    }
}

/* ---- the master ---- */

enum { TASKS_MAX = 64, HOSTS_MAX = 16 };

static struct task {
    int tid, host;
    char is_elder, has_left, is_quiet, has_table;
    int table_count;
    struct entry {
        int tid;
        uint32_t sent, received;
    } table[TASKS_MAX];
} tasks[TASKS_MAX];
static int task_count, per_host;
static char host_names[HOSTS_MAX][64];
static int host_count;
static uint64_t total_messages, total_kilobytes;
static unsigned ended_count, left_count;
static const char *status_file;

static void write_status(const char *words)
{
    char name[512];
    snprintf(name, sizeof(name), "%s.new", status_file);
    FILE *file = fopen(name, "w");
    if (!file)
        exit(1);
    fprintf(file, "%llu %llu %d %u %u %s\n", (unsigned long long)total_messages,
            (unsigned long long)total_kilobytes << 10, task_count, ended_count, left_count, words);
    fclose(file);
    rename(name, status_file);
}

static void master_end(const char *words)
{
    for (int i = 0; i < task_count; i++)
        send_empty(tasks[i].tid, TAG_BYE);
    write_status(words);
    pvm_exit();
    exit(strcmp(words, "done") != 0);
}

static void start_task(int host, int is_elder)
{
    char *arguments[] = {is_elder ? "elder" : "other", NULL};
    int tid, tids[TASKS_MAX], count = 0;
    if (pvm_spawn("soak", arguments, PvmTaskHost, host_names[host], 1, &tid) != 1)
        master_end("a task cannot be started");
    pvm_notify(PvmTaskExit, TAG_END, 1, &tid);
    tasks[task_count++] = (struct task){.tid = tid, .host = host, .is_elder = (char)is_elder};
    for (int i = 0; i < task_count; i++)
        tids[count++] = tasks[i].tid;
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&count, 1, 1);
    pvm_pkint(tids, count, 1);
    pvm_mcast(tids, count, TAG_PEERS);
}

static struct task *task_of(int tid)
{
    for (int i = 0; i < task_count; i++)
        if (tasks[i].tid == tid)
            return &tasks[i];
    return NULL;
}

static void task_ended(int tid, int is_stop)
{
    struct task *task = task_of(tid);
    if (!task)
        return;
    const struct task ended = *task;
    *task = tasks[--task_count];
    ended_count++;
    if (ended.has_left) {
        left_count++;
        pvm_initsend(PvmDataDefault);
        pvm_pkint(&tid, 1, 1);
        for (int i = 0; i < task_count; i++)
            pvm_send(tasks[i].tid, TAG_IN_ORDER);
    }
    if (!is_stop)
        start_task(ended.host, ended.is_elder);
}

static void take_table(struct task *task)
{
    pvm_upkint(&task->table_count, 1, 1);
    for (int i = 0; i < task->table_count && i < TASKS_MAX; i++) {
        pvm_upkint(&task->table[i].tid, 1, 1);
        pvm_upkuint(&task->table[i].sent, 1, 1);
        pvm_upkuint(&task->table[i].received, 1, 1);
    }
    task->has_table = 1;
}

static void master_handle(int buffer, int is_stop)
{
    int length, tag, from, tid;
    unsigned numbers[2];
    char text[256];
    pvm_bufinfo(buffer, &length, &tag, &from);
    struct task *task = task_of(from);
    switch (tag) {
    case TAG_END:
        pvm_upkint(&tid, 1, 1);
        task_ended(tid, is_stop);
        break;
    case TAG_STATS:
        pvm_upkuint(numbers, 2, 1);
        total_messages += numbers[0];
        total_kilobytes += numbers[1];
        break;
    case TAG_LEFT:
        if (task)
            task->has_left = 1;
        break;
    case TAG_ERROR:
        pvm_upkstr(text);
        master_end(text);
        break;
    case TAG_QUIET:
        if (task)
            task->is_quiet = 1;
        break;
    case TAG_TABLE:
        if (task)
            take_table(task);
        break;
    }
}

static const struct entry *entry_of(const struct task *task, int tid)
{
    static const struct entry none;
    for (int i = 0; i < task->table_count; i++)
        if (task->table[i].tid == tid)
            return &task->table[i];
    return &none;
}

static int are_quiet(void)
{
    for (int i = 0; i < task_count; i++)
        if (!tasks[i].is_quiet)
            return 0;
    return 1;
}

static int have_tables(void)
{
    for (int i = 0; i < task_count; i++)
        if (!tasks[i].has_table)
            return 0;
    return 1;
}

static void compare_tables(void)
{
    char text[256];
    for (int i = 0; i < task_count; i++)
        for (int k = 0; k < task_count; k++) {
            const uint32_t sent = entry_of(&tasks[i], tasks[k].tid)->sent;
            const uint32_t received = entry_of(&tasks[k], tasks[i].tid)->received;
            if (i == k || sent == received)
                continue;
            snprintf(text, sizeof(text), "t%x sent %u to t%x, which received %u", tasks[i].tid,
                     sent, tasks[k].tid, received);
            master_end(text);
        }
}

/* Tells all tasks |tag| and waits until all have answered. */
static void ask_all(int tag, int (*have_answered)(void))
{
    const double begin = now_s();
    for (int i = 0; i < task_count; i++)
        send_empty(tasks[i].tid, tag);
    while (!have_answered()) {
        struct timeval patience = {0, 100000};
        int buffer = pvm_trecv(-1, -1, &patience);
        if (buffer > 0)
            master_handle(buffer, 1);
        if (now_s() - begin > STALL_S)
            master_end("not everything is acknowledged in the end");
    }
}

static void master_stop(void)
{
    ask_all(TAG_STOP, are_quiet);
    ask_all(TAG_REPORT, have_tables);
    compare_tables();
    master_end("done");
}

static void start_all(void)
{
    struct pvmhostinfo *hosts;
    if (pvm_config(&host_count, NULL, &hosts) < 0 || host_count > HOSTS_MAX)
        exit(1);
    for (int i = 0; i < host_count; i++)
        snprintf(host_names[i], sizeof(host_names[i]), "%s", hosts[i].hi_name);
    for (int i = 0; i < host_count * per_host; i++)
        start_task(i % host_count, i < host_count);
}

static int master_main(const char *stop_file)
{
    double told = 0, left = now_s();
    self = pvm_mytid();
    chance_state = (uint64_t)time(NULL) * UINT64_C(0x9e3779b97f4a7c15) + 1;
    start_all();
    while (access(stop_file, F_OK) != 0) {
        struct timeval patience = {0, 50000};
        int buffer = pvm_trecv(-1, -1, &patience);
        if (buffer > 0)
            master_handle(buffer, 0);
        if (now_s() - told > 0.2) {
            told = now_s();
            write_status("running");
        }
        if (now_s() - left > 1) { /* one of them leaves */
            struct task *task = &tasks[chance((uint64_t)task_count)];
            left = now_s();
            if (!task->is_elder)
                send_empty(task->tid, TAG_LEAVE);
        }
    }
    master_stop();
    return 1;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return task_main();
    status_file = argv[1];
    per_host = atoi(argv[3]);
    return per_host < 1 || per_host > TASKS_MAX / HOSTS_MAX ? 2 : master_main(argv[2]);
}
