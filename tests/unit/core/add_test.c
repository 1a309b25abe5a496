/* SPDX-License-Identifier: BSD-3-Clause */
/* Adding hosts: by hand, by hostfile, and all that goes wrong. */
#include "fake.h"

#include "base/str.h"
#include "fake_inside.h"
#include "tap.h"

static const uint64_t second = UINT64_C(1000000000);

static int32_t add_one(struct fake *fake, struct fake_task *task, const char *name)
{
    struct message answer = fake_addhosts(fake, task, &name, 1);
    if (answer.type != TM_ADDED || answer.tm_added.status < 0)
        return answer.type == TM_ADDED ? answer.tm_added.status : -99;
    return answer.tm_added.hosts.items[0].result;
}

static void test_by_ssh(void)
{
    static const char *const names[] = {"b sp=5 ep=/p wd=/w bx=/d", "c", "nohost", "d xx=1", "b"};
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct message answer = fake_addhosts(fake, a, names, 5);
    const struct wire_added *added = answer.tm_added.hosts.items;
    EQUAL(answer.tm_added.hosts.count, 5, "an answer for each name");
    EQUAL(added[0].result, 2 << 18, "the tid of the first");
    SAME_TEXT(added[0].arch, "LINUX64", "with its architecture");
    EQUAL(added[0].speed, 5, "and speed");
    EQUAL(added[1].result, 3 << 18, "and of the second");
    EQUAL(added[2].result, STATUS_NO_HOST, "a name that does not resolve");
    EQUAL(added[3].result, STATUS_BAD_PARAM, "an option that is none");
    OK(strstr(added[3].error, "unknown option"), "in words");
    EQUAL(added[4].result, STATUS_DUP_HOST, "a name twice");
    SAME_TEXT(fake->nodes[1].configured, "/p|/w|/d", "the settings reach the new host");
    OK(fake_tables_agree(fake), "the tables agree");
    fake_destroy(fake);
}

static void test_duplicates(void)
{
    struct fake *fake = fake_create("$ twin ip=b\n");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    fake_advance(fake, 3 * second);
    EQUAL(add_one(fake, a, "xb"), STATUS_DUP_HOST, "an address that is there already");
    EQUAL(add_one(fake, a, "self"), STATUS_DUP_HOST, "an address of the master's machine");
    EQUAL(add_one(fake, a, "alpha"), STATUS_DUP_HOST, "a name that is there already");
    EQUAL(node_host_count(fake->nodes[0].node), 2, "nothing came");
    fake_destroy(fake);
}

static void test_starts_that_fail(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    fake->host_start_status = STATUS_CANT_START;
    EQUAL(add_one(fake, a, "b"), STATUS_CANT_START, "a daemon that does not start");
    fake->host_start_status = 0;
    fake->host_protocol = 9;
    EQUAL(add_one(fake, a, "c"), STATUS_BAD_VERSION, "one of another version");
    OK(fake_logged(fake, "its daemon speaks version 9 of the protocol"), "in words");
    fake->host_protocol = PROTOCOL_DAEMON_VERSION;
    fake->hosts_are_silent = true;
    EQUAL(add_one(fake, a, "d"), -99, "one that never says a word");
    fake_advance(fake, 100 * second);
    EQUAL(fake_answer(fake, a).tm_added.hosts.items[0].result, STATUS_CANT_START,
          "is given up in the end");
    fake->hosts_are_silent = false;
    OK(add_one(fake, a, "e") > 0, "the next one comes");
    EQUAL(node_host_count(fake->nodes[0].node), 2, "alone");
    EQUAL(node_wait_count(fake->nodes[0].node), 0, "nothing waits any more");
    fake_destroy(fake);
}

static void test_one_at_a_time(void)
{
    static const char *const name = "b";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct fake_task *c = fake_task(fake, 1, 0, 0);
    struct message request = {.type = TM_ADDHOSTS};
    request.tm_addhosts = (struct wire_tm_addhosts){.wait = 1, .hosts = {1, &name}};
    fake->hosts_are_silent = true;
    fake_ask(fake, a, &request);
    fake_run(fake);
    EQUAL(add_one(fake, c, "d"), STATUS_ALREADY, "one at a time, wherever it is asked");
    struct message starting = {.type = TM_STARTING};
    EQUAL(fake_request(fake, a, &starting).tm_done.status, 1, "one is being tried");
    fake_destroy(fake);
}

static void test_from_another_host(void)
{
    struct fake *fake = fake_create("");
    fake_machine(fake, 2);
    struct fake_task *c = fake_task(fake, 1, 0, 0);
    OK(add_one(fake, c, "local") > 0, "a task of another host adds one");
    struct message request = {.type = TM_CONFIG};
    EQUAL(fake_request(fake, c, &request).tm_hosts.hosts.count, 3,
          "and finds it in its table at once");
    EQUAL(fake_addhosts(fake, c, NULL, 0).tm_added.status, STATUS_BAD_PARAM, "no names: an error");
    fake_destroy(fake);
}

/* The answer means that the new table is everywhere, or that two seconds are over. */
static void test_answer_waits_for_all(void)
{
    static const char *const name = "local";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    struct message request = {.type = TM_ADDHOSTS};
    request.tm_addhosts = (struct wire_tm_addhosts){.wait = 9, .hosts = {1, &name}};
    fake->nodes[1].is_cut = true;
    EQUAL(fake_request(fake, a, &request).type, MESSAGE_NONE, "one host has not applied it");
    EQUAL(node_host_count(fake->nodes[0].node), 3, "though it is decided");
    fake_advance(fake, 2 * second);
    EQUAL(fake_answer(fake, a).tm_added.hosts.items[0].result, 3 << 18,
          "it is not waited for long");
    fake_destroy(fake);
}

static void test_requester_dies(void)
{
    static const char *const name = "local";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    struct message request = {.type = TM_ADDHOSTS};
    request.tm_addhosts = (struct wire_tm_addhosts){.wait = 1, .hosts = {1, &name}};
    fake_ask(fake, a, &request);
    struct event closed = {.kind = EVENT_CONN_CLOSED, .conn = a->conn};
    fake_event(fake, 0, &closed);
    fake_run(fake);
    EQUAL(node_host_count(fake->nodes[1].node), 2, "the host comes all the same");
    EQUAL(node_wait_count(fake->nodes[0].node), 0, "and nothing waits");
    fake_destroy(fake);
}

static void test_hostfile(void)
{
    struct fake *fake = fake_create("alpha ep=/mine sp=3\n"
                                    "b sp=8\n"
                                    "& c sp=9\n"
                                    "nohost\n"
                                    "local:2\n"
                                    "* ep=/all\n");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    fake_advance(fake, 3 * second);
    EQUAL(node_host_count(fake->nodes[0].node), 4, "those that can be are there");
    SAME_TEXT(fake->nodes[0].configured, "/mine||", "the master's own line is its settings");
    struct message request = {.type = TM_CONFIG};
    struct message answer = fake_request(fake, a, &request);
    EQUAL(answer.tm_hosts.hosts.items[0].speed, 3, "its speed too");
    SAME_TEXT(answer.tm_hosts.hosts.items[3].name, "alpha-2",
              "local hosts have names of their own");
    struct message starting = {.type = TM_STARTING};
    EQUAL(fake_request(fake, a, &starting).tm_done.status, 0, "nothing is being tried any more");
    OK(add_one(fake, a, "c") > 0, "a host that was only remembered");
    answer = fake_request(fake, a, &request);
    EQUAL(answer.tm_hosts.hosts.items[4].speed, 9, "has its options when it comes");
    fake_destroy(fake);
}

static void test_same_name_again(void)
{
    static const char *const name = "local";
    static const char *const gone = "alpha-1";
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_machine(fake, 2);
    fake_delhosts(fake, a, &gone, 1);
    struct message answer = fake_addhosts(fake, a, &name, 1);
    EQUAL(answer.tm_added.hosts.items[0].result, 3 << 18,
          "a name that went comes with a new number");
    SAME_TEXT(answer.tm_added.hosts.items[0].name, "alpha-1", "the same name");
    fake_advance(fake, 5 * second);
    EQUAL(node_host_count(fake->nodes[2].node), 2, "two hosts");
    OK(fake->nodes[1].is_stopped && !fake->nodes[2].is_stopped,
       "the old one is gone, the new one not");
    fake_destroy(fake);
}

/* What the daemon |index| says when it comes with |token|. */
static void arrive(struct fake *fake, int index, uint64_t token, uint64_t epoch)
{
    uint8_t ip[16] = {[10] = 0xff, [11] = 0xff, 10, 0, 0, 9};
    struct wire_address address = {.ip = {ip, sizeof(ip)}, .port = 4001};
    struct message message = {.type = DM_ARRIVED};
    message.dm_arrived = (struct wire_dm_arrived){.version = fake->host_protocol,
                                                  .epoch = epoch,
                                                  .arch = "LINUX64",
                                                  .signature = 0x00408c41,
                                                  .addresses = {1, &address}};
    memcpy(message.dm_arrived.public_key.bytes, fake->nodes[index].key, WIRE_KEY_BYTES);
    struct wr wr;
    wr_init(&wr);
    message_encode(&wr, &message);
    struct event event = {
        .kind = EVENT_PEER_MESSAGE, .peer = token, .bytes = slice_copy(wr.bytes, wr.length)};
    wr_fini(&wr);
    fake_event(fake, 0, &event);
    slice_drop(&event.bytes);
    fake_run(fake);
}

static void ask_by_token(struct fake *fake, struct fake_task *task, const char *name)
{
    struct message request = {.type = TM_ADDHOSTS};
    request.tm_addhosts = (struct wire_tm_addhosts){.wait = 1, .hosts = {1, &name}};
    EQUAL(fake_request(fake, task, &request).type, MESSAGE_NONE, "nobody came yet");
}

static void test_by_token(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    ask_by_token(fake, a, "nohost so=tk");
    const uint64_t token = fake->token;
    OK(fake_logged(fake, "can be started within 300 s"), "the log says how");
    fake_advance(fake, 200 * second);
    arrive(fake, 1, token + 1, fake->nodes[1].epoch);
    EQUAL(node_host_count(fake->nodes[0].node), 1, "one without the token is nobody");
    arrive(fake, 1, token, fake->nodes[1].epoch);
    EQUAL(fake_answer(fake, a).tm_added.hosts.items[0].result, 2 << 18, "who has it is a host");
    OK(fake_tables_agree(fake), "the tables agree");
    arrive(fake, 1, token, fake->nodes[1].epoch);
    EQUAL(node_host_count(fake->nodes[0].node), 2, "it is good once");
    fake_advance(fake, 5 * second);
    EQUAL(fake_known_at(&fake->nodes[0], token), -1, "then there is no link for it");
    fake_destroy(fake);
}

static void test_token_not_used(void)
{
    struct fake *fake = fake_create("");
    struct fake_task *a = fake_task(fake, 0, 0, 0);
    EQUAL(add_one(fake, a, "b so=tk:0"), STATUS_BAD_PARAM, "a token that lives for no time");
    EQUAL(add_one(fake, a, "b so=tk:x"), STATUS_BAD_PARAM, "or for a word");
    ask_by_token(fake, a, "b so=tk:20");
    fake_advance(fake, 21 * second);
    EQUAL(fake_answer(fake, a).tm_added.hosts.items[0].result, STATUS_CANT_START, "it expires");
    OK(fake_logged(fake, "nobody came with its token in time"), "in words");
    arrive(fake, 1, fake->token, fake->nodes[1].epoch);
    EQUAL(node_host_count(fake->nodes[0].node), 1, "and is good for nothing then");
    ask_by_token(fake, a, "c so=tk:20");
    arrive(fake, 2, fake->token, fake->nodes[2].epoch + 1);
    EQUAL(fake_answer(fake, a).tm_added.hosts.items[0].result, STATUS_CANT_START,
          "one that was changed is given up");
    fake_destroy(fake);
}

int main(void)
{
    TEST(test_by_token);
    TEST(test_token_not_used);
    TEST(test_by_ssh);
    TEST(test_duplicates);
    TEST(test_starts_that_fail);
    TEST(test_one_at_a_time);
    TEST(test_from_another_host);
    TEST(test_answer_waits_for_all);
    TEST(test_requester_dies);
    TEST(test_hostfile);
    TEST(test_same_name_again);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
