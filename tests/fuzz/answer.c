/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes what comes from a starter's pipe and from the command line of a new daemon: an answer that
 * is taken can be written and read again.
 */
#include "base/check.h"
#include "base/mem.h"
#include "core/answer.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer_again(const struct host_answer *answer)
{
    struct strbuf line;
    struct host_answer again;
    struct wire_address addresses[ANSWER_ADDRESSES_MAX];
    uint8_t ips[ANSWER_ADDRESSES_MAX][16];
    int32_t status;
    strbuf_init(&line);
    answer_write(&line, answer);
    CHECK(answer_parse(strbuf_text(&line), &again, addresses, ips, &status) == 0);
    CHECK(again.address_count == answer->address_count && again.signature == answer->signature);
    CHECK(strcmp(again.arch, answer->arch) == 0);
    strbuf_fini(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct host_answer answer;
    struct wire_address addresses[ANSWER_ADDRESSES_MAX];
    uint8_t ips[ANSWER_ADDRESSES_MAX][16];
    int32_t status;
    struct join_args args;
    char error[128];
    char *text = mem_strndup((const char *)data, size);
    if (answer_parse(text, &answer, addresses, ips, &status) == 0 &&
        answer.protocol == PROTOCOL_DAEMON_VERSION)
        answer_again(&answer);
    char *second = strchr(text, ' ');
    if (second) {
        *second = '\0';
        if (join_args_parse(text, second + 1, &args, error, sizeof(error)) == 0)
            CHECK(args.number >= 1 && args.epoch && args.master_address_count >= 1);
    }
    mem_free(text);
    return 0;
}
