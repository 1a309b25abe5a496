/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job that looks from inside whether the virtual machine keeps its promises while it is
 * tormented.
 *
 *   nemesis STATUS-FILE STOP-FILE PER-HOST
 *
 * The judge, started by hand, keeps PER-HOST members on every host. Members send each other
 * numbered messages of many sizes and check what comes: in order, nothing lost, nothing twice,
 * nothing changed. Each counts in two mailbox entries, one that stays and one that goes with it,
 * and says in its messages how far it is: whoever reads an entry then must find at least that. The
 * judge asks for notice of every member and host and checks that each comes once, and that nothing
 * comes from a member after the notice of its end; it keeps the highest count that each member was
 * told is written, and in the end looks whether the entries have it.
 *
 * After each round (every member has answered or ended) the judge writes "rounds hosts members
 * messages ended" to STATUS-FILE, by renaming. When STOP-FILE is there it lets the members come to
 * rest, compares what each sent to each with what came, writes "done" behind the numbers, and ends.
 * What was wrong is in STATUS-FILE.wrong, in words.
 */
#include <pvm3.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    TAG_ROSTER = 1, /* judge to member: where to write what is wrong, count, tids */
    TAG_PING, TAG_PONG, /* round; round, messages received, count written */
    TAG_RING,       /* number, count written, bytes */
    TAG_QUIET,      /* send nothing more, and say what you sent */
    TAG_SENT,       /* count, (tid, messages) */
    TAG_EXPECT,     /* count, (tid, messages): wait until that came */
    TAG_CAME,
    TAG_END, TAG_HOST_END, TAG_HOST_NEW
};
enum { HOSTS_MAX = 64, PEERS_MAX = 4096, ROSTER_MAX = 256, BYTES_MAX = 30000, NAME_BYTES = 64 };
enum { TICK_US = 20000, ROUND_US = 50000, REST_S = 30, WRITE_EVERY = 8, READ_EVERY = 16 };

struct peer {
    int tid;
    int sent, received; /* messages, and the number of the last one */
    int written;        /* judge: the highest count it told us of */
    int host, is_member, answered, notices;
};

static struct peer peers[PEERS_MAX];
static int peer_count;
static int roster[ROSTER_MAX], roster_count;
static char wrong_file[400];
static unsigned long long chance_state;

static unsigned chance(unsigned below)
{
    chance_state = chance_state * 6364136223846793005u + 1442695040888963407u;
    return below ? (unsigned)(chance_state >> 33) % below : 0;
}

static double now_s(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

static void wrong(const char *format, ...)
{
    char text[300];
    va_list arguments;
    va_start(arguments, format);
    int length = snprintf(text, sizeof(text), "t%x: ", (unsigned)pvm_mytid());
    length += vsnprintf(text + length, sizeof(text) - 1 - (size_t)length, format, arguments);
    va_end(arguments);
    FILE *file = fopen(wrong_file, "a");
    if (file) {
        fprintf(file, "%s\n", text);
        fclose(file);
    }
}

static struct peer *peer_of(int tid)
{
    for (int i = peer_count; i-- > 0;)
        if (peers[i].tid == tid)
            return &peers[i];
    if (peer_count == PEERS_MAX) {
        wrong("more than %d tasks in one run", PEERS_MAX);
        exit(1);
    }
    peers[peer_count] = (struct peer){.tid = tid};
    return &peers[peer_count++];
}

/* ---- mailboxes ---- */

static int has_mailboxes = 1;

static void mailbox_name(char *name, const char *kind, int tid)
{
    snprintf(name, NAME_BYTES, "nemesis.%s.%x", kind, (unsigned)tid);
}

static int mailbox_put(const char *kind, int value, int flags)
{
    char name[NAME_BYTES];
    mailbox_name(name, kind, pvm_mytid());
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&value, 1, 1);
    int status = pvm_putinfo(name, pvm_getsbuf(), flags);
    if (status == PvmNotImpl)
        has_mailboxes = 0;
    return status;
}

/* The value, or an error. */
static int mailbox_get(const char *kind, int tid)
{
    char name[NAME_BYTES];
    int value = PvmNoData;
    mailbox_name(name, kind, tid);
    int status = has_mailboxes ? pvm_recvinfo(name, 0, PvmMboxDefault) : PvmNotImpl;
    if (status < 0)
        return status;
    pvm_upkint(&value, 1, 1);
    return value;
}

/* ---- a member ---- */

static int written, messages, is_quiet;
static int to_come[PEERS_MAX][2], to_come_count = -1;

static int message_bytes(int number)
{
    return number % 7 == 0 ? number * 797 % BYTES_MAX : number * 13 % 200;
}

static void send_ring(int tid)
{
    static char bytes[BYTES_MAX];
    struct peer *peer = peer_of(tid);
    int head[2] = {++peer->sent, written};
    int length = message_bytes(head[0]);
    memset(bytes, 'a' + head[0] % 26, (size_t)length);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(head, 2, 1);
    pvm_pkbyte(bytes, length, 1);
    pvm_send(tid, TAG_RING);
}

/* What |tid| said it wrote must be there, unless |tid| has ended meanwhile. */
static void check_mailbox(int tid, const char *kind, int said)
{
    int found = mailbox_get(kind, tid);
    if (found >= said || found == PvmNotImpl || found == PvmSysErr)
        return;
    if (found == PvmNotFound && strcmp(kind, "own") == 0 && pvm_pstat(tid) != PvmOk)
        return;
    wrong("mailbox %s of t%x has %d after it said %d", kind, (unsigned)tid, found, said);
}

static void take_ring(int from, int bytes)
{
    static char copy[BYTES_MAX];
    int head[2] = {0, 0};
    struct peer *peer = peer_of(from);
    pvm_upkint(head, 2, 1);
    int length = message_bytes(head[0]);
    if (head[0] != peer->received + 1) {
        wrong("message %d of t%x after %d", head[0], (unsigned)from, peer->received);
        peer->received = head[0];
        return;
    }
    peer->received++;
    messages++;
    if (bytes != 8 + (length + 3) / 4 * 4 || pvm_upkbyte(copy, length, 1) < 0) {
        wrong("message %d of t%x has %d bytes", head[0], (unsigned)from, bytes);
        return;
    }
    for (int i = 0; i < length; i++) {
        if (copy[i] != 'a' + head[0] % 26) {
            wrong("message %d of t%x: byte %d is changed", head[0], (unsigned)from, i);
            return;
        }
    }
    if (head[1] > 0 && chance(READ_EVERY) == 0)
        check_mailbox(from, chance(2) ? "own" : "kept", head[1]);
}

static void take_roster(void)
{
    pvm_upkstr(wrong_file);
    pvm_upkint(&roster_count, 1, 1);
    pvm_upkint(roster, roster_count, 1);
}

static void send_counts(int tid, int tag)
{
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&peer_count, 1, 1);
    for (int i = 0; i < peer_count; i++) {
        int pair[2] = {peers[i].tid, peers[i].sent};
        pvm_pkint(pair, 2, 1);
    }
    pvm_send(tid, tag);
}

static void answer_ping(int judge)
{
    int answer[3] = {0, messages, written};
    pvm_upkint(&answer[0], 1, 1);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(answer, 3, 1);
    pvm_send(judge, TAG_PONG);
}

static int has_all_come(void)
{
    for (int i = 0; i < to_come_count; i++)
        if (peer_of(to_come[i][0])->received != to_come[i][1])
            return 0;
    return to_come_count >= 0;
}

static void answer_if_all_came(int judge)
{
    if (!has_all_come())
        return;
    to_come_count = -1;
    pvm_initsend(PvmDataDefault);
    pvm_send(judge, TAG_CAME);
}

/* One tick: to the next in the ring, to somebody else, and now and then into the mailboxes. */
static void tick(void)
{
    int self = 0;
    while (self < roster_count && roster[self] != pvm_mytid())
        self++;
    if (is_quiet || self == roster_count || roster_count < 2)
        return;
    send_ring(roster[(self + 1) % roster_count]);
    int other = (self + 1 + (int)chance((unsigned)roster_count - 1)) % roster_count;
    send_ring(roster[other]);
    if (!has_mailboxes || chance(WRITE_EVERY) != 0)
        return;
    int next = written + 1;
    int status = mailbox_put("own", next, PvmMboxDefault);
    if (status >= 0)
        status = mailbox_put("kept", next, PvmMboxPersistent | PvmMboxOverWritable);
    if (status >= 0)
        written = next;
    else if (status == PvmSysErr)
        exit(1); /* our daemon is dead, and its guardian about to end us */
    else if (status != PvmNotImpl)
        wrong("writing %d to the mailbox: code %d", next, status);
}

static void say_what_did_not_come(void)
{
    for (int i = 0; i < to_come_count; i++)
        if (peer_of(to_come[i][0])->received != to_come[i][1])
            wrong("%d of %d messages of t%x came", peer_of(to_come[i][0])->received, to_come[i][1],
                  (unsigned)to_come[i][0]);
}

static int member_main(int judge)
{
    double next_s = now_s();
    pvm_notify(PvmTaskExit, TAG_END, 1, &judge);
    for (;;) {
        double wait_s = next_s - now_s();
        struct timeval wait = {0, wait_s > 0 ? (int)(wait_s * 1e6) : 0};
        int bytes, tag, from, got = pvm_trecv(-1, -1, &wait);
        if (got < 0)
            return 1;
        if (now_s() >= next_s) {
            int active = pvm_getrbuf();
            tick();
            /* Reading a mailbox takes the place of the message at hand. */
            if (got > 0)
                pvm_setrbuf(active);
            next_s = now_s() + TICK_US * 1e-6;
        }
        if (got == 0)
            continue;
        pvm_bufinfo(got, &bytes, &tag, &from);
        switch (tag) {
        case TAG_ROSTER: take_roster(); break;
        case TAG_PING: answer_ping(judge); break;
        case TAG_RING:
            take_ring(from, bytes);
            answer_if_all_came(judge);
            break;
        case TAG_QUIET:
            is_quiet = 1;
            send_counts(judge, TAG_SENT);
            break;
        case TAG_EXPECT:
            pvm_upkint(&to_come_count, 1, 1);
            for (int i = 0; i < to_come_count; i++)
                pvm_upkint(to_come[i], 2, 1);
            answer_if_all_came(judge);
            break;
        case TAG_END:
            say_what_did_not_come();
            pvm_exit();
            return 0;
        }
    }
}

/* ---- the judge ---- */

static struct {
    const char *status_file, *stop_file;
    int per_host, host_count, ended, rounds;
    int hosts[HOSTS_MAX];
    char names[HOSTS_MAX][64];
    int watched[PEERS_MAX], watched_count; /* hosts, and whether their notice came */
    int host_notices[PEERS_MAX];
    long messages;
} judge;

static void watch_host(int tid)
{
    for (int i = 0; i < judge.watched_count; i++)
        if (judge.watched[i] == tid)
            return;
    judge.watched[judge.watched_count++] = tid;
    pvm_notify(PvmHostDelete, TAG_HOST_END, 1, &tid);
}

static void look_at_hosts(void)
{
    struct pvmhostinfo *list;
    if (pvm_config(&judge.host_count, NULL, &list) < 0) {
        wrong("pvm_config failed");
        exit(1);
    }
    for (int i = 0; i < judge.host_count && i < HOSTS_MAX; i++) {
        judge.hosts[i] = list[i].hi_tid;
        snprintf(judge.names[i], sizeof(judge.names[i]), "%s", list[i].hi_name);
        watch_host(list[i].hi_tid);
    }
}

static void send_roster(void)
{
    roster_count = 0;
    for (int i = 0; i < peer_count && roster_count < ROSTER_MAX; i++)
        if (peers[i].is_member)
            roster[roster_count++] = peers[i].tid;
    pvm_initsend(PvmDataDefault);
    pvm_pkstr(wrong_file);
    pvm_pkint(&roster_count, 1, 1);
    pvm_pkint(roster, roster_count, 1);
    pvm_mcast(roster, roster_count, TAG_ROSTER);
}

static int start_members(int host)
{
    int tids[ROSTER_MAX], missing = judge.per_host;
    for (int i = 0; i < peer_count; i++)
        missing -= peers[i].is_member && peers[i].host == judge.hosts[host];
    int count = missing < 1 ? 0
                            : pvm_spawn("nemesis", NULL, PvmTaskHost, judge.names[host], missing,
                                        tids);
    for (int i = 0; i < count; i++) {
        int before = peer_count;
        struct peer *peer = peer_of(tids[i]);
        if (peer_count == before)
            wrong("tid t%x is used again", (unsigned)tids[i]);
        *peer = (struct peer){.tid = tids[i], .host = judge.hosts[host], .is_member = 1};
        pvm_notify(PvmTaskExit, TAG_END, 1, &tids[i]);
    }
    return count > 0 ? count : 0;
}

static void take_end(void)
{
    int tid = 0;
    pvm_upkint(&tid, 1, 1);
    struct peer *peer = peer_of(tid);
    if (!peer->host)
        wrong("a notice of t%x, that nobody asked for", (unsigned)tid);
    else if (++peer->notices > 1)
        wrong("notice %d of the end of t%x", peer->notices, (unsigned)tid);
    judge.ended += peer->is_member;
    peer->is_member = 0;
}

static void take_host_end(void)
{
    int tid = 0;
    pvm_upkint(&tid, 1, 1);
    for (int i = 0; i < judge.watched_count; i++)
        if (judge.watched[i] == tid && ++judge.host_notices[i] > 1)
            wrong("notice %d of the end of host t%x", judge.host_notices[i], (unsigned)tid);
}

static void take_pong(int from)
{
    int answer[3] = {-1, 0, 0};
    struct peer *peer = peer_of(from);
    pvm_upkint(answer, 3, 1);
    if (answer[2] > peer->written)
        peer->written = answer[2];
    judge.messages += answer[1] - peer->received;
    peer->received = answer[1];
    peer->answered |= answer[0] == judge.rounds;
}

/* What the living sent to each other, as they said: sums[i] of the member that said it. */
static int sent_by[ROSTER_MAX][ROSTER_MAX];

static int roster_index(int tid)
{
    for (int i = 0; i < roster_count; i++)
        if (roster[i] == tid)
            return i;
    return -1;
}

static void take_sent(int from)
{
    int count = 0, pair[2], sender = roster_index(from);
    pvm_upkint(&count, 1, 1);
    while (count-- > 0 && pvm_upkint(pair, 2, 1) >= 0) {
        int receiver = roster_index(pair[0]);
        if (sender >= 0 && receiver >= 0)
            sent_by[sender][receiver] = pair[1];
    }
    peer_of(from)->answered = 1;
}

static void take_message(void)
{
    int bytes, tag, from;
    pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &from);
    struct peer *peer = tag < TAG_END ? peer_of(from) : NULL;
    if (peer && peer->notices > 0)
        wrong("message with tag %d of t%x after the notice of its end", tag, (unsigned)from);
    switch (tag) {
    case TAG_PONG: take_pong(from); break;
    case TAG_SENT: take_sent(from); break;
    case TAG_CAME: peer->answered = 1; break;
    case TAG_END: take_end(); break;
    case TAG_HOST_END: take_host_end(); break;
    case TAG_HOST_NEW: break;
    default: wrong("message with tag %d of t%x", tag, (unsigned)from);
    }
}

static int all_answered(void)
{
    for (int i = 0; i < peer_count; i++)
        if (peers[i].is_member && !peers[i].answered)
            return 0;
    return 1;
}

static void expect_answers(void)
{
    for (int i = 0; i < peer_count; i++)
        peers[i].answered = 0;
}

/* Waits until all members have answered or ended: 0, or -1 after |limit_s|. */
static int wait_for_answers(double limit_s)
{
    double least_s = now_s() + ROUND_US * 1e-6;
    limit_s += now_s();
    while (!all_answered() || now_s() < least_s) {
        struct timeval moment = {0, ROUND_US};
        int got = pvm_trecv(-1, -1, &moment);
        if (got > 0)
            take_message();
        if (got < 0 || now_s() > limit_s)
            return -1;
    }
    return 0;
}

static void write_status(const char *word)
{
    char other[500];
    snprintf(other, sizeof(other), "%s.new", judge.status_file);
    FILE *file = fopen(other, "w");
    if (!file)
        exit(1);
    fprintf(file, "%d %d %d %ld %d %s\n", judge.rounds, judge.host_count, roster_count,
            judge.messages, judge.ended, word);
    if (fclose(file) != 0 || rename(other, judge.status_file) != 0)
        exit(1);
}

static void one_round(void)
{
    int started = 0, ended = judge.ended;
    judge.rounds++;
    look_at_hosts();
    for (int i = 0; i < judge.host_count && i < HOSTS_MAX; i++)
        started += start_members(i);
    if (started || ended != judge.ended || judge.rounds % 16 == 1)
        send_roster();
    expect_answers();
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&judge.rounds, 1, 1);
    for (int i = 0; i < peer_count; i++)
        if (peers[i].is_member)
            pvm_send(peers[i].tid, TAG_PING);
    if (wait_for_answers(60) < 0)
        wrong("not all members answered in round %d", judge.rounds);
    if (ended != judge.ended)
        send_roster();
    write_status("");
}

/* ---- the end ---- */

static void compare_messages(void)
{
    expect_answers();
    pvm_initsend(PvmDataDefault);
    send_roster();
    pvm_initsend(PvmDataDefault);
    pvm_mcast(roster, roster_count, TAG_QUIET);
    if (wait_for_answers(REST_S) < 0)
        wrong("not all members said what they sent");
    expect_answers();
    for (int receiver = 0; receiver < roster_count; receiver++) {
        pvm_initsend(PvmDataDefault);
        pvm_pkint(&roster_count, 1, 1);
        for (int sender = 0; sender < roster_count; sender++) {
            int pair[2] = {roster[sender], sent_by[sender][receiver]};
            pvm_pkint(pair, 2, 1);
        }
        pvm_send(roster[receiver], TAG_EXPECT);
    }
    if (wait_for_answers(REST_S) < 0)
        wrong("not all that was sent between the living came");
}

static void check_entries(void)
{
    for (int i = 0; has_mailboxes && i < peer_count; i++) {
        struct peer *peer = &peers[i];
        if (!peer->host)
            continue;
        int kept = mailbox_get("kept", peer->tid);
        if (peer->written > 0 && kept < peer->written && kept != PvmNotImpl)
            wrong("mailbox of t%x has %d, it had written %d", (unsigned)peer->tid, kept,
                  peer->written);
        double limit_s = now_s() + 5;
        int own = peer->notices ? mailbox_get("own", peer->tid) : PvmNotFound;
        while (own >= 0 && now_s() < limit_s)
            own = mailbox_get("own", peer->tid);
        if (own >= 0)
            wrong("mailbox of t%x is still there, its owner has ended", (unsigned)peer->tid);
    }
}

static void check_notices(void)
{
    for (int i = 0; i < peer_count; i++)
        if (peers[i].host && !peers[i].is_member && peers[i].notices != 1)
            wrong("%d notices of the end of t%x", peers[i].notices, (unsigned)peers[i].tid);
    for (int i = 0; i < judge.watched_count; i++) {
        int is_in = 0;
        for (int k = 0; k < judge.host_count && k < HOSTS_MAX; k++)
            is_in |= judge.hosts[k] == judge.watched[i];
        if (judge.host_notices[i] != !is_in)
            wrong("%d notices of host t%x, which is %s", judge.host_notices[i],
                  (unsigned)judge.watched[i], is_in ? "in" : "gone");
    }
}

static int judge_main(char **argv)
{
    judge.status_file = argv[1];
    judge.stop_file = argv[2];
    judge.per_host = atoi(argv[3]);
    snprintf(wrong_file, sizeof(wrong_file), "%s.wrong", argv[1]);
    pvm_notify(PvmHostAdd, TAG_HOST_NEW, -1, NULL);
    mailbox_put("judge", 1, PvmMboxDefault);
    while (access(judge.stop_file, F_OK) != 0)
        one_round();
    one_round();
    compare_messages();
    look_at_hosts();
    check_notices();
    check_entries();
    write_status(has_mailboxes ? "done" : "done, without mailboxes");
    pvm_exit();
    return 0;
}

int main(int argc, char **argv)
{
    pvm_setopt(PvmAutoErr, 0);
    int tid = pvm_mytid();
    if (tid < 0)
        return 1;
    chance_state = (unsigned long long)tid;
    if (pvm_parent() > 0)
        return member_main(pvm_parent());
    return argc == 4 ? judge_main(argv) : 2;
}
