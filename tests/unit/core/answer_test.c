/* SPDX-License-Identifier: BSD-3-Clause */
/* The answer line, the join arguments, addresses as text. */
#include "core/answer.h"

#include "tap.h"

static const uint8_t v4[16] = {[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 0, [14] = 0, [15] = 7};
static const uint8_t v6[16] = {0xfe, 0x80, [14] = 1, [15] = 0xff};

static void same_address(const char *text, const uint8_t *ip, unsigned port, unsigned scope)
{
    struct wire_address address;
    uint8_t bytes[16];
    int result = address_parse(text, strlen(text), &address, bytes);
    EQUAL(result, 0, text);
    if (result < 0)
        return;
    OK(memcmp(bytes, ip, 16) == 0, "its bytes");
    EQUAL(address.port, port, "its port");
    EQUAL(address.scope_id, scope, "its scope");
}

static void test_addresses(void)
{
    static const uint8_t all[16] = {0x20, 1, 0xd, 0xb8, 0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6};
    static const uint8_t one[16] = {[15] = 1};
    static const char *const bad[] = {
        "", "[", "[]:1", "[::1]", "[::1]:", "[::1]:65536", "[::1]:x", "[::1:2", "::1:5",
        "[1:2:3]:4",
        "[::ffff:10.0.0]:1", "[::ffff:10.0.0.256]:1", "[1:2:3:4:5:6:7:8:9]:1", "[::g]:1",
        "[::1]:1 ", "[12345::]:1", "[::1%]:1", "[::ffff:1.2.3.4.5]:1"};
    same_address("[::ffff:10.0.0.7]:40123", v4, 40123, 0);
    same_address("[fe80::1ff%3]:5", (const uint8_t[16]){0xfe, 0x80, [14] = 1, [15] = 0xff}, 5, 3);
    same_address("[2001:db8:1:2:3:4:5:6]:1", all, 1, 0);
    same_address("[::1]:1", one, 1, 0);
    same_address("[0:0:0:0:0:0:0:1]:1", one, 1, 0);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct wire_address address;
        uint8_t bytes[16];
        EQUAL(address_parse(bad[i], strlen(bad[i]), &address, bytes), -1, bad[i]);
    }
}

static void test_address_there_and_back(void)
{
    const uint8_t *ips[] = {v4, v6};
    for (size_t i = 0; i < 2; i++) {
        struct strbuf text;
        struct wire_address address = {{ips[i], 16}, 17, i ? 9u : 0u};
        struct wire_address back;
        uint8_t bytes[16];
        strbuf_init(&text);
        address_write(&text, &address);
        EQUAL(address_parse(strbuf_text(&text), text.length, &back, bytes), 0, strbuf_text(&text));
        OK(memcmp(bytes, ips[i], 16) == 0 && back.port == 17, "comes back as it was");
        strbuf_fini(&text);
    }
}

static void write_answer(struct strbuf *text, uint32_t protocol)
{
    struct wire_address addresses[2] = {{{v4, 16}, 40123, 0}, {{v6, 16}, 1, 2}};
    struct host_answer answer = {.protocol = protocol, .arch = "LINUX64", .signature = 4230209,
                                 .addresses = addresses, .address_count = 2};
    memset(answer.public_key, 0xab, sizeof(answer.public_key));
    strbuf_init(text);
    answer_write(text, &answer);
}

static void test_answer(void)
{
    struct strbuf text;
    struct host_answer answer;
    struct wire_address addresses[ANSWER_ADDRESSES_MAX];
    uint8_t ips[ANSWER_ADDRESSES_MAX][16];
    int32_t status;
    write_answer(&text, PROTOCOL_DAEMON_VERSION);
    OK(str_has_prefix(strbuf_text(&text), "ddpro<2> arch<LINUX64> dsig<4230209> key<abab"),
       "the line begins as it ever did");
    EQUAL(answer_parse(strbuf_text(&text), &answer, addresses, ips, &status), 0, "it is read");
    SAME_TEXT(answer.arch, "LINUX64", "the architecture");
    EQUAL(answer.signature, 4230209, "the signature");
    EQUAL(answer.address_count, 2, "both addresses");
    EQUAL(answer.addresses[1].scope_id, 2, "with scope");
    EQUAL(answer.public_key[31], 0xab, "the key");
    for (size_t cut = 0; cut < text.length; cut++) {
        char line[1024];
        str_format(line, sizeof(line), "%.*s", (int)cut, strbuf_text(&text));
        if (answer_parse(line, &answer, addresses, ips, &status) != -1)
            OK(false, "a cut line is damaged");
    }
    strbuf_fini(&text);
    EQUAL(answer_parse("ddpro<2> arch<L key<0> dsig<1>", &answer, addresses, ips, &status), -1,
          "an architecture is a name");
    write_answer(&text, PROTOCOL_DAEMON_VERSION + 1);
    EQUAL(answer_parse(strbuf_text(&text), &answer, addresses, ips, &status), 0, "a newer one");
    EQUAL(answer.protocol, PROTOCOL_DAEMON_VERSION + 1, "is told by its number");
    strbuf_fini(&text);
}

static void test_error_names(void)
{
    struct host_answer answer;
    struct wire_address addresses[ANSWER_ADDRESSES_MAX];
    uint8_t ips[ANSWER_ADDRESSES_MAX][16];
    int32_t status = 0;
    EQUAL(answer_parse("PvmDupHost", &answer, addresses, ips, &status), -2, "a name of an error");
    EQUAL(status, -28, "is its code");
    EQUAL(answer_parse("PvmCantStart\n", &answer, addresses, ips, &status), -2, "with a newline");
    EQUAL(status, -29, "likewise");
    EQUAL(answer_parse("PvmDup", &answer, addresses, ips, &status), -1, "no name");
    EQUAL(answer_parse("Last login: yesterday", &answer, addresses, ips, &status), -1, "chatter");
}

static void test_join_arguments(void)
{
    struct wire_address address = {{v4, 16}, 40123, 0};
    struct host_start start = {.number = 17, .epoch = UINT64_MAX, .master_epoch = 0xabc,
                               .master_addresses = &address, .master_address_count = 1};
    struct strbuf text;
    struct join_args args;
    char j[64];
    char m[256];
    char error[128];
    memset(start.master_key, 0x5c, sizeof(start.master_key));
    strbuf_init(&text);
    join_args_write(&text, &start);
    EQUAL(sscanf(strbuf_text(&text), " -j %63s -m %255s", j, m), 2, "two options");
    EQUAL(join_args_parse(j, m, &args, error, sizeof(error)), 0, "they are read");
    OK(args.number == 17 && args.epoch == UINT64_MAX && args.master_epoch == 0xabc, "the numbers");
    OK(args.master_key[5] == 0x5c && args.master_address_count == 1, "key and address");
    EQUAL(join_args_parse("17", m, &args, error, sizeof(error)), -1, "half a -j");
    SAME_TEXT(error, "-j wants NUMBER:EPOCH", "is told");
    EQUAL(join_args_parse("0:1", m, &args, error, sizeof(error)), -1, "number 0");
    EQUAL(join_args_parse("4096:1", m, &args, error, sizeof(error)), -1, "number too big");
    EQUAL(join_args_parse(j, "abc:5c", &args, error, sizeof(error)), -1, "half a -m");
    m[strlen(m) - 1] = 'x';
    EQUAL(join_args_parse(j, m, &args, error, sizeof(error)), -1, "a bad address");
    strbuf_fini(&text);
}

int main(void)
{
    TEST(test_addresses);
    TEST(test_address_there_and_back);
    TEST(test_answer);
    TEST(test_error_names);
    TEST(test_join_arguments);
    return tap_done();
}
