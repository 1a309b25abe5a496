/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Fuzzes what core/ reads as text: answer lines and join arguments of daemons, lines and files of
 * hosts, addresses. The first byte says which, so that a corpus can hold all of them.
 */
#include "base/check.h"
#include "base/mem.h"
#include "core/answer.h"
#include "core/hostfile.h"
#include "core/hostspec.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void answer_feed(const char *text)
{
    struct host_answer answer;
    struct wire_address addresses[ANSWER_ADDRESSES_MAX];
    uint8_t ips[ANSWER_ADDRESSES_MAX][16];
    struct strbuf again;
    int32_t status;
    if (answer_parse(text, &answer, addresses, ips, &status) != 0)
        return;
    CHECK(answer.address_count <= ANSWER_ADDRESSES_MAX);
    strbuf_init(&again);
    answer_write(&again, &answer);
    CHECK(again.failed || answer_parse(strbuf_text(&again), &answer, addresses, ips, &status) == 0);
    strbuf_fini(&again);
}

static void join_feed(char *text)
{
    struct join_args join;
    char error[256] = "";
    char *m = strchr(text, ' ');
    if (m)
        *m++ = '\0';
    if (join_args_parse(text, m ? m : "", &join, error, sizeof(error)) < 0)
        CHECK(error[0] != '\0');
    else
        CHECK(join.master_address_count <= ANSWER_ADDRESSES_MAX);
}

static void line_feed(const char *text)
{
    struct host_spec spec, copy;
    char error[256] = "";
    host_spec_init(&spec);
    if (host_spec_parse(text, true, &spec, error, sizeof(error)) < 0) {
        CHECK(error[0] != '\0');
    } else if (host_spec_copy(&copy, &spec) == 0) {
        CHECK(host_spec_starter(&copy) == host_spec_starter(&spec));
        host_spec_fini(&copy);
    }
    host_spec_fini(&spec);
}

static void file_feed(const char *text)
{
    struct hostfile hostfile;
    hostfile_init(&hostfile);
    if (hostfile_read(&hostfile, "fuzz", text, NULL) == 0) {
        (void)hostfile_find(&hostfile, "h1");
        (void)hostfile_own(&hostfile, "h1");
    }
    hostfile_fini(&hostfile);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct wire_address address;
    uint8_t ip[16];
    char *text = size ? mem_strndup((const char *)bytes + 1, size - 1) : NULL;
    if (!text)
        return 0;
    switch (bytes[0] % 5) {
    case 0:
        answer_feed(text);
        break;
    case 1:
        join_feed(text);
        break;
    case 2:
        line_feed(text);
        break;
    case 3:
        file_feed(text);
        break;
    default:
        (void)address_parse(text, strlen(text), &address, ip);
    }
    mem_free(text);
    return 0;
}
