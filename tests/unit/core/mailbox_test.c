/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Mailboxes of a whole machine: what tasks put, read, take and wait for while hosts, masters among
 * them, are lost at any moment. The requests outlive the master (core/command.h), each acts once
 * and is answered once. Random machines end with a ledger: every value is somewhere, once.
 */
#include "fake.h"

#include "base/rng.h"
#include "core/state.h"
#include "tap.h"

#include <stdlib.h>

static const uint64_t second = UINT64_C(1000000000);

/* ---- single requests ---- */

static struct message put_message(const char *name, uint32_t flags, const uint32_t *value)
{
    struct message request = {.type = TM_PUTINFO};
    request.tm_putinfo = (struct wire_tm_putinfo){
        .name = name, .index = -1, .flags = flags, .message = {(const uint8_t *)value, 4}};
    return request;
}

static int32_t put(struct fake *fake, struct fake_task *task, const char *name, uint32_t flags,
                   uint32_t value)
{
    struct message request = put_message(name, flags, &value);
    struct message answer = fake_request(fake, task, &request);
    return answer.type == TM_DONE ? answer.tm_done.status : -1000;
}

static struct message recv_message(const char *name, int32_t index, uint32_t flags)
{
    struct message request = {.type = TM_RECVINFO};
    request.tm_recvinfo =
        (struct wire_tm_recvinfo){.name = name, .index = index, .flags = flags};
    return request;
}

static uint32_t value_of(const struct message *answer)
{
    uint32_t value = 0;
    if (answer->type == TM_INFO && answer->tm_info.message.length == sizeof(value))
        memcpy(&value, answer->tm_info.message.data, sizeof(value));
    return value;
}

/* The value, or the error. */
static int32_t get(struct fake *fake, struct fake_task *task, const char *name, int32_t index,
                   uint32_t flags)
{
    struct message request = recv_message(name, index, flags);
    struct message answer = fake_request(fake, task, &request);
    if (answer.type != TM_INFO)
        return -1000;
    return answer.tm_info.status < 0 ? answer.tm_info.status : (int32_t)value_of(&answer);
}

static size_t list_count(struct fake *fake, struct fake_task *task, const char *pattern)
{
    struct message request = {.type = TM_LISTINFO, .tm_listinfo = {.pattern = pattern}};
    struct message answer = fake_request(fake, task, &request);
    size_t count = 0;
    for (size_t i = 0; answer.type == TM_INFOLIST && i < answer.tm_infolist.classes.count; i++)
        count += answer.tm_infolist.classes.items[i].places.count;
    return count;
}

static bool hashes_agree(const struct fake *fake)
{
    uint64_t hash = 0;
    for (int i = 0; i < fake->node_count; i++) {
        const struct fake_node *node = &fake->nodes[i];
        if (!node->node || node->is_stopped || node->is_lost)
            continue;
        if (hash && node_mbox_hash(node->node) != hash)
            return false;
        hash = node_mbox_hash(node->node);
    }
    return true;
}

static void test_everywhere(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 3);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    EQUAL(put(fake, b, "box", 0, 7), 0, "put on one host");
    EQUAL(get(fake, c, "box", 0, 0), 7, "read on another");
    EQUAL(put(fake, a, "box", 0, 8), STATUS_DENIED, "owned everywhere");
    EQUAL(get(fake, b, "box", 0, MBOX_READ_AND_DELETE), 7, "taken by its owner");
    EQUAL(get(fake, c, "box", 0, 0), STATUS_NOT_FOUND, "gone everywhere");
    fake_advance(fake, second);
    OK(hashes_agree(fake), "all hosts have the same");
    put(fake, b, "box", 0, 9);
    put(fake, b, "kept", MBOX_PERSISTENT, 10);
    fake_close(fake, b);
    fake_run(fake);
    EQUAL(list_count(fake, a, "box"), 0, "the end of a task ends its entries");
    EQUAL(get(fake, a, "kept", 0, 0), 10, "but persistent ones");
    put(fake, c, "host", 0, 11);
    fake_crash(fake, 2);
    fake_advance(fake, second);
    EQUAL(list_count(fake, a, "host"), 0, "so does the end of a host");
    fake_destroy(fake);
}

/* Whoever waits, waits on all hosts; the master is one of them. */
static void test_waiting_outlives_the_master(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    struct message wait = recv_message("late", 0, MBOX_WAIT_FOR_INFO);
    wait.tm_recvinfo.wait = 77;
    fake_ask(fake, c, &wait);
    fake_run(fake);
    EQUAL(c->answer_count, 0, "nothing is there");
    fake_crash(fake, 0);
    fake_advance(fake, second);
    OK(fake_master(fake) > 0, "another host is master");
    EQUAL(c->answer_count, 0, "and still nothing is there");
    EQUAL(put(fake, b, "late", 0, 5), 0, "something is put");
    struct message answer = fake_answer(fake, c);
    OK(value_of(&answer) == 5 && answer.tm_info.wait == 77, "who waited has it");
    EQUAL(c->answer_count, 0, "once");
    fake_destroy(fake);
}

/* Nobody leads when it is asked; the master falls silent without a word of its guardian. */
static void test_asked_between_masters(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 3);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct fake_task *c = fake_task(fake, 2, 0, 0);
    EQUAL(put(fake, b, "n", MBOX_MULTI_INSTANCE, 1), 0, "one entry");
    fake->nodes[0].is_cut = true;
    EQUAL(put(fake, b, "n", MBOX_MULTI_INSTANCE, 2), -1000, "without a master nothing is answered");
    EQUAL(get(fake, c, "n", 0, 0), -1000, "no read either");
    fake_advance(fake, 8 * second);
    struct message answer = fake_answer(fake, b);
    OK(answer.type == TM_DONE && answer.tm_done.status == 1, "the next one answers");
    answer = fake_answer(fake, c);
    EQUAL(value_of(&answer), 1, "reads too");
    EQUAL(list_count(fake, c, "n"), 2, "each acted once");
    OK(fake->nodes[0].is_lost, "who was cut off has given up");
    fake_destroy(fake);
}

static void ask_with(struct fake *fake, struct fake_task *task, struct message request)
{
    request.tm_done.wait = 500;
    fake_ask(fake, task, &request);
    fake_run(fake);
}

/* A host falls so far behind that it gets a snapshot in the place of the commands that its tasks
 * asked for: the answers are in it, or the reading is done again. */
static void test_snapshot_in_place_of_answers(void)
{
    enum { MANY = 400 };
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 4);
    struct fake_task *on_host[6];
    uint32_t value = 9;
    for (int i = 0; i < 6; i++)
        on_host[i] = fake_task(fake, 3, 0, 0);
    put(fake, a, "take", MBOX_OVERWRITABLE, 1);
    put(fake, a, "read", 0, 2);
    ask_with(fake, on_host[0], recv_message("late", 0, MBOX_WAIT_FOR_INFO));
    ask_with(fake, on_host[1], recv_message("soon", 0, MBOX_WAIT_FOR_INFO));
    fake->nodes[3].is_behind = true;
    ask_with(fake, on_host[2], recv_message("take", 0, MBOX_READ_AND_DELETE));
    ask_with(fake, on_host[3], recv_message("read", 0, 0));
    ask_with(fake, on_host[4], put_message("mine", MBOX_MULTI_INSTANCE, &value));
    ask_with(fake, on_host[5],
             recv_message("grab", 0, MBOX_WAIT_FOR_INFO | MBOX_READ_AND_DELETE));
    put(fake, a, "soon", 0, 3);
    EQUAL(get(fake, a, "take", 0, 0), STATUS_NOT_FOUND, "the others have applied it");
    for (int i = 0; i < MANY; i++)
        put(fake, a, "many", 0, (uint32_t)i);
    size_t answered = 0;
    for (int i = 0; i < 6; i++)
        answered += on_host[i]->answer_count;
    EQUAL(answered, 0, "the host has heard of nothing");
    fake->nodes[3].is_behind = false;
    fake_run(fake);
    fake_advance(fake, second);
    put(fake, a, "late", 0, 4);
    put(fake, a, "grab", MBOX_OVERWRITABLE | MBOX_MULTI_INSTANCE, 5);
    put(fake, a, "grab", MBOX_OVERWRITABLE | MBOX_MULTI_INSTANCE, 6);
    static const uint32_t wanted[] = {4, 3, 1, 2, 0, 5};
    int right = 0;
    for (int i = 0; i < 6; i++) {
        struct message answer = fake_answer(fake, on_host[i]);
        right += answer.tm_done.wait == 500 && on_host[i]->answer_count == 0 &&
                 (i == 4 ? answer.type == TM_DONE && answer.tm_done.status == 0
                         : value_of(&answer) == wanted[i]);
    }
    EQUAL(right, 6, "all are answered, once and rightly");
    EQUAL(list_count(fake, a, "mine"), 1, "what was put is there once");
    EQUAL(list_count(fake, a, "grab"), 1, "who waited to take took one");
    fake_advance(fake, second);
    OK(hashes_agree(fake), "all hosts have the same");
    OK(list_is_empty(&fake->nodes[0].node->mboxes.taken), "and keep no more what was taken");
    fake_destroy(fake);
}

static void test_shown_in_the_log(void)
{
    static const int32_t boxes[] = {4};
    static const int32_t waits[] = {3};
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *b = fake_task(fake, 1, 0, 0);
    struct message tickle = {.type = TM_TICKLE, .tm_tickle = {.args = {1, boxes}}};
    put(fake, a, "seen", MBOX_OVERWRITABLE, 1);
    ask_with(fake, b, recv_message("unseen", 3, MBOX_WAIT_FOR_INFO));
    struct fake_task *c = fake_task(fake, 1, 0, 0);
    fake_request(fake, c, &tickle);
    OK(fake_logged(fake, "mailbox \"seen\" 0 owner t40001 flags 0x4 4 bytes"), "what there is");
    OK(fake_logged(fake, "mailbox \"unseen\" 3: t80001 waits, flags 0x20"), "who waits");
    tickle.tm_tickle.args.items = waits;
    fake_request(fake, c, &tickle);
    OK(fake_logged(fake, "for the log, of t80001"), "and whose request it is");
    fake_destroy(fake);
}

static void test_full(void)
{
    static uint8_t bytes[WIRE_MBOX_BYTES_MAX + 1];
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct message request = {.type = TM_PUTINFO};
    request.tm_putinfo = (struct wire_tm_putinfo){
        .name = "big", .index = -1, .message = {bytes, sizeof(bytes)}};
    EQUAL(fake_request(fake, a, &request).tm_done.status, STATUS_NO_MEM, "too long a message");
    request.tm_putinfo.message.length--;
    request.tm_putinfo.flags = MBOX_MULTI_INSTANCE;
    int put_count = 0;
    while (put_count < 10 && fake_request(fake, a, &request).tm_done.status >= 0)
        put_count++;
    EQUAL(put_count, 3, "until the mailboxes are full");
    EQUAL(put(fake, a, "small", 0, 1), 0, "for that; not for less");
    fake_destroy(fake);
}

/* ---- random machines ---- */

enum { HOSTS = 5, TASKS = 15, STEPS = 1500, VALUES_MAX = 8192, SETTLE_S = 8 };

enum fate { FATE_NONE, FATE_ASKED, FATE_PUT, FATE_TAKEN };

struct asked {
    enum message_type type;
    uint32_t flags;
    uint32_t value;
    uint32_t wait;
};

struct game {
    struct fake *fake;
    struct rng rng;
    struct fake_task *tasks[TASKS];
    struct asked asked[TASKS]; /* .type MESSAGE_NONE: idle */
    enum fate fates[VALUES_MAX];
    uint32_t last_value;
    uint32_t last_wait;
    int takes_lost; /* answers that were for tasks of hosts that are gone */
    int losses;
    int faults;
    char story[256];
};

static uint64_t draw(struct game *game, uint64_t below)
{
    return rng_below(&game->rng, below);
}

static void fault(struct game *game, const char *what)
{
    if (game->faults++ == 0)
        printf("# fault: %s\n", what);
}

static bool lives(const struct game *game, int task)
{
    const struct fake_node *node = &game->fake->nodes[game->tasks[task]->node];
    return !node->is_stopped && !node->is_cut && !node->is_lost;
}

/* Everybody may take what anybody put, and it stays when hosts go: so values can be followed. */
static void ask_put(struct game *game, int task)
{
    uint32_t value = ++game->last_value;
    struct message request = put_message(
        "game", MBOX_PERSISTENT | MBOX_OVERWRITABLE | MBOX_MULTI_INSTANCE, &value);
    request.tm_putinfo.wait = ++game->last_wait;
    game->asked[task] = (struct asked){TM_PUTINFO, 0, value, game->last_wait};
    game->fates[value] = FATE_ASKED;
    fake_ask(game->fake, game->tasks[task], &request);
}

static void ask_recv(struct game *game, int task, uint32_t flags)
{
    struct message request = recv_message("game", 0, flags | MBOX_FIRST_AVAIL);
    request.tm_recvinfo.wait = ++game->last_wait;
    game->asked[task] = (struct asked){TM_RECVINFO, flags, 0, game->last_wait};
    fake_ask(game->fake, game->tasks[task], &request);
}

static void ask_something(struct game *game)
{
    int task = (int)draw(game, TASKS);
    if (game->asked[task].type != MESSAGE_NONE || !lives(game, task))
        return;
    switch (draw(game, 8)) {
    case 0:
    case 1:
    case 2:
        ask_put(game, task);
        break;
    case 3:
    case 4:
        ask_recv(game, task, MBOX_READ_AND_DELETE);
        break;
    case 5:
        ask_recv(game, task, MBOX_READ_AND_DELETE | MBOX_WAIT_FOR_INFO);
        break;
    default:
        ask_recv(game, task, 0);
        break;
    }
}

static void took(struct game *game, uint32_t value)
{
    if (value == 0 || value > game->last_value)
        fault(game, "a value that nobody put");
    else if (game->fates[value] == FATE_TAKEN)
        fault(game, "a value taken twice");
    else
        game->fates[value] = FATE_TAKEN;
}

static void hear_one(struct game *game, int task)
{
    struct asked *asked = &game->asked[task];
    struct message answer = fake_answer(game->fake, game->tasks[task]);
    uint32_t value = value_of(&answer);
    if (asked->type == MESSAGE_NONE || answer.tm_done.wait != asked->wait) {
        fault(game, "an answer that nobody waits for");
    } else if (asked->type == TM_PUTINFO) {
        if (answer.type != TM_DONE || answer.tm_done.status < 0)
            fault(game, "a put that fails");
        else if (game->fates[asked->value] == FATE_ASKED)
            game->fates[asked->value] = FATE_PUT;
    } else if (answer.type != TM_INFO) {
        fault(game, "an answer of another kind");
    } else if (answer.tm_info.status < 0 && answer.tm_info.status != STATUS_NOT_FOUND) {
        fault(game, "a read that fails");
    } else if (answer.tm_info.status >= 0 && (asked->flags & MBOX_READ_AND_DELETE)) {
        took(game, value);
    } else if (answer.tm_info.status >= 0 && (value == 0 || value > game->last_value)) {
        fault(game, "a value read that nobody put");
    }
    asked->type = MESSAGE_NONE;
}

static void hear(struct game *game)
{
    for (int i = 0; i < TASKS; i++) {
        while (lives(game, i) && game->tasks[i]->answer_count > 0)
            hear_one(game, i);
    }
}

/* With what its tasks had asked for. */
static void lose_host(struct game *game, int host, bool silently)
{
    struct fake *fake = game->fake;
    fake->nodes[host].is_behind = false;
    for (int i = 0; i < TASKS; i++) {
        if (game->tasks[i]->node == host && game->asked[i].type == TM_RECVINFO &&
            (game->asked[i].flags & MBOX_READ_AND_DELETE))
            game->takes_lost++;
    }
    if (silently)
        fake->nodes[host].is_cut = true;
    else
        fake_crash(fake, host);
    game->losses++;
}

static void disturb(struct game *game)
{
    struct fake *fake = game->fake;
    int host = (int)draw(game, HOSTS);
    int master = fake_master(fake);
    if (draw(game, 2) && master >= 0)
        host = master;
    if (fake->nodes[host].is_stopped || fake->nodes[host].is_cut)
        return;
    if (game->losses < 3 && draw(game, 3) == 0) {
        lose_host(game, host, draw(game, 2));
        /* Those left agree on who leads before the next is lost. */
        for (int i = 0; i < HOSTS; i++)
            fake->nodes[i].is_behind = false;
        fake_run_some(fake, (int)draw(game, 50));
        ask_something(game);
        fake_advance(fake, SETTLE_S * second);
    } else {
        fake->nodes[host].is_behind = !fake->nodes[host].is_behind;
    }
}

static void settle(struct game *game)
{
    for (int i = 0; i < HOSTS; i++)
        game->fake->nodes[i].is_behind = false;
    fake_run(game->fake);
    fake_advance(game->fake, SETTLE_S * second);
    hear(game);
}

/* Feeds those who wait until nobody does. */
static void feed_waiters(struct game *game)
{
    for (int turn = 0; turn < TASKS; turn++) {
        int idle = -1;
        bool waits = false;
        for (int i = 0; i < TASKS; i++) {
            if (lives(game, i) && game->asked[i].type == MESSAGE_NONE)
                idle = i;
            else if (lives(game, i))
                waits = true;
        }
        if (!waits)
            return;
        if (idle < 0) {
            fault(game, "everybody waits");
            return;
        }
        ask_put(game, idle);
        fake_run(game->fake);
        hear(game);
    }
    fault(game, "somebody waits in vain");
}

/* What is left is taken too. */
static void drain(struct game *game)
{
    int task = 0;
    while (task < TASKS && !lives(game, task))
        task++;
    for (;;) {
        int32_t value = get(game->fake, game->tasks[task], "game", 0,
                            MBOX_FIRST_AVAIL | MBOX_READ_AND_DELETE);
        if (value == STATUS_NOT_FOUND)
            break;
        if (value < 0) {
            fault(game, "what is left cannot be taken");
            break;
        }
        took(game, (uint32_t)value);
    }
}

static void check_ledger(struct game *game)
{
    int missing = 0;
    for (uint32_t i = 1; i <= game->last_value; i++)
        missing += game->fates[i] == FATE_PUT;
    if (missing > game->takes_lost)
        fault(game, "values that were put are nowhere");
    if (!hashes_agree(game->fake) || !fake_tables_agree(game->fake))
        fault(game, "hosts do not agree");
}

static int play(uint64_t seed)
{
    struct game *game = calloc(1, sizeof(*game));
    if (!game)
        return 1;
    rng_seed(&game->rng, seed);
    game->fake = fake_create("");
    fake_machine(game->fake, HOSTS);
    for (int i = 0; i < TASKS; i++)
        game->tasks[i] = fake_task(game->fake, i % HOSTS, 0, 0);
    fake_advance(game->fake, 2 * second);
    for (int i = 0; i < STEPS && !game->faults; i++) {
        for (uint64_t n = draw(game, 4); n > 0; n--)
            ask_something(game);
        fake_run_some(game->fake, (int)draw(game, 60));
        if (draw(game, 40) == 0)
            fake_advance(game->fake, draw(game, second / 5));
        if (draw(game, 100) == 0)
            disturb(game);
        hear(game);
    }
    settle(game);
    if (!game->faults)
        feed_waiters(game);
    if (!game->faults)
        drain(game);
    if (!game->faults)
        check_ledger(game);
    int faults = game->faults;
    if (faults)
        printf("# seed %llu, %d hosts lost\n", (unsigned long long)seed, game->losses);
    fake_destroy(game->fake);
    free(game);
    return faults;
}

static void test_random_machines(void)
{
    const char *only = getenv("PVM_TEST_SEED");
    int faults = 0;
    uint64_t seeds = only ? 1 : 40;
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    for (uint64_t seed = first; seed < first + seeds; seed++)
        faults += play(seed) != 0;
    EQUAL(faults, 0, "each request acts once and is answered once, whoever is lost");
}

int main(void)
{
    TEST(test_everywhere);
    TEST(test_waiting_outlives_the_master);
    TEST(test_asked_between_masters);
    TEST(test_snapshot_in_place_of_answers);
    TEST(test_shown_in_the_log);
    TEST(test_full);
    TEST(test_random_machines);
    return tap_done();
}
