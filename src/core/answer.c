/* SPDX-License-Identifier: BSD-3-Clause */
/* The answer line of a new daemon and the arguments it was started with: see the header. */
#include "core/answer.h"

#include "core/status.h"

#include <inttypes.h>
#include <string.h>

enum { IP_BYTES = 16, IP_GROUPS = 8, NUMBER_DIGITS_MAX = 20, ANSWER_VALUE_BYTES_MAX = 2048 };

/* ---- addresses ---- */

static bool is_mapped_ipv4(const uint8_t *ip)
{
    static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ip, prefix, sizeof(prefix)) == 0;
}

void address_write(struct strbuf *text, const struct wire_address *address)
{
    const uint8_t *ip = address->ip.data;
    if (address->ip.length != IP_BYTES)
        return;
    if (is_mapped_ipv4(ip)) {
        strbuf_addf(text, "[::ffff:%u.%u.%u.%u", ip[12], ip[13], ip[14], ip[15]);
    } else {
        for (int i = 0; i < IP_GROUPS; i++)
            strbuf_addf(text, "%s%x", i ? ":" : "[", (unsigned)(ip[2 * i] << 8 | ip[2 * i + 1]));
    }
    if (address->scope_id)
        strbuf_addf(text, "%%%" PRIu32, address->scope_id);
    strbuf_addf(text, "]:%u", (unsigned)address->port);
}

/* Digits of |base| at *at, up to |end|; moves *at behind them. -1: none, or too big. */
static int read_number(const char **at, const char *end, unsigned base, uint64_t max,
                       uint64_t *value)
{
    const char *first = *at;
    *value = 0;
    for (; *at < end; (*at)++) {
        char c = **at;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A') + 10
                                                : 16;
        if (digit >= base)
            break;
        if (*value > (max - digit) / base)
            return -1;
        *value = *value * base + digit;
    }
    return *at > first ? 0 : -1;
}

static bool take(const char **at, const char *end, const char *text)
{
    size_t length = strlen(text);
    if ((size_t)(end - *at) < length || memcmp(*at, text, length) != 0)
        return false;
    *at += length;
    return true;
}

static int read_dotted(const char **at, const char *end, uint8_t bytes[4])
{
    for (int i = 0; i < 4; i++) {
        uint64_t value;
        if ((i && !take(at, end, ".")) || read_number(at, end, 10, 255, &value) < 0)
            return -1;
        bytes[i] = (uint8_t)value;
    }
    return 0;
}

/* RFC 4291 section 2.2: groups of hex digits, one :: for a run of zeros. */
static int read_groups(const char **at, const char *end, uint8_t ip[IP_BYTES])
{
    int count = 0;
    int gap = -1;
    if (take(at, end, "::"))
        gap = 0;
    while (*at < end && count < IP_GROUPS && **at != ']' && **at != '%') {
        uint64_t value;
        if (read_number(at, end, 16, 0xffff, &value) < 0)
            return -1;
        ip[2 * count] = (uint8_t)(value >> 8);
        ip[2 * count + 1] = (uint8_t)value;
        count++;
        if (gap < 0 && take(at, end, "::"))
            gap = count;
        else if (!take(at, end, ":"))
            break;
    }
    if (gap < 0)
        return count == IP_GROUPS ? 0 : -1;
    int moved = count - gap;
    memmove(ip + IP_BYTES - 2 * moved, ip + 2 * gap, (size_t)(2 * moved));
    memset(ip + 2 * gap, 0, (size_t)(2 * (IP_GROUPS - count)));
    return 0;
}

int address_parse(const char *text, size_t length, struct wire_address *address, uint8_t ip[16])
{
    const char *at = text;
    const char *end = text + length;
    uint64_t scope = 0;
    uint64_t port;
    memset(ip, 0, IP_BYTES);
    if (take(&at, end, "[::ffff:") && memchr(at, '.', (size_t)(end - at))) {
        ip[10] = ip[11] = 0xff;
        if (read_dotted(&at, end, ip + 12) < 0)
            return -1;
    } else {
        at = text;
        if (!take(&at, end, "[") || read_groups(&at, end, ip) < 0)
            return -1;
    }
    if (take(&at, end, "%") && read_number(&at, end, 10, UINT32_MAX, &scope) < 0)
        return -1;
    if (!take(&at, end, "]:") || read_number(&at, end, 10, UINT16_MAX, &port) < 0 || at != end)
        return -1;
    *address = (struct wire_address){
        .ip = {ip, IP_BYTES}, .port = (uint16_t)port, .scope_id = (uint32_t)scope};
    return 0;
}

static void write_addresses(struct strbuf *text, const struct wire_address *addresses, size_t count)
{
    for (size_t i = 0; i < count && i < ANSWER_ADDRESSES_MAX; i++) {
        if (i)
            strbuf_addf(text, ",");
        address_write(text, &addresses[i]);
    }
}

static int read_addresses(const char *text, size_t length, struct wire_address *addresses,
                          uint8_t ips[][IP_BYTES], size_t *count)
{
    const char *end = text + length;
    *count = 0;
    while (text < end) {
        const char *comma = memchr(text, ',', (size_t)(end - text));
        size_t one = (size_t)((comma ? comma : end) - text);
        if (*count == ANSWER_ADDRESSES_MAX ||
            address_parse(text, one, &addresses[*count], ips[*count]) < 0)
            return -1;
        (*count)++;
        text += one + (comma ? 1 : 0);
        if (comma && text == end)
            return -1;
    }
    return *count ? 0 : -1;
}

/* ---- the answer line ---- */

void answer_write(struct strbuf *text, const struct host_answer *answer)
{
    char key[2 * WIRE_KEY_BYTES + 1];
    str_to_hex(key, answer->public_key, WIRE_KEY_BYTES);
    strbuf_addf(text, "ddpro<%" PRIu32 "> arch<%s> dsig<%" PRIu32 "> key<%s> addr<",
                answer->protocol, answer->arch, answer->signature, key);
    write_addresses(text, answer->addresses, answer->address_count);
    strbuf_addf(text, ">");
}

/* The text in name<...>, or NULL. */
static const char *find_value(const char *line, const char *name, size_t *length)
{
    size_t name_length = strlen(name);
    for (const char *at = strstr(line, name); at; at = strstr(at + 1, name)) {
        if (at[name_length] != '<' || (at != line && at[-1] != ' '))
            continue;
        const char *value = at + name_length + 1;
        const char *end = strchr(value, '>');
        *length = end ? (size_t)(end - value) : 0;
        return end && *length <= ANSWER_VALUE_BYTES_MAX ? value : NULL;
    }
    return NULL;
}

static int find_number(const char *line, const char *name, uint32_t *number)
{
    size_t length;
    uint64_t value;
    const char *at = find_value(line, name, &length);
    const char *end = at ? at + length : NULL;
    if (!at || read_number(&at, end, 10, UINT32_MAX, &value) < 0 || at != end)
        return -1;
    *number = (uint32_t)value;
    return 0;
}

/* Names that a starter may print instead of an answer (PLG-1). */
static int parse_error_name(const char *line, int32_t *status)
{
    static const struct {
        const char *name;
        int32_t status;
    } names[] = {
        {"PvmBadParam", -2},    {"PvmNoHost", -6},      {"PvmNoFile", -7},     {"PvmDenied", -8},
        {"PvmNoMem", -10},      {"PvmSysErr", -14},     {"PvmHostFail", -22},  {"PvmNotImpl", -24},
        {"PvmDSysErr", -25},    {"PvmBadVersion", -26}, {"PvmOutOfRes", -27},  {"PvmDupHost", -28},
        {"PvmCantStart", -29},  {"PvmAlready", -30},    {"PvmIPLoopback", -36},
    };
    size_t length = strcspn(line, " \r\n");
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        if (strlen(names[i].name) == length && memcmp(line, names[i].name, length) == 0) {
            *status = names[i].status;
            return -2;
        }
    }
    return -1;
}

/* Names like LINUX64 or AIX46K: letters, digits and a few marks (ENV-6). */
static bool is_arch(const char *text, size_t length)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_-.+";
    return length > 0 && strspn(text, allowed) == length;
}

/* A newer protocol may have another rest of the line: its number alone is then the answer. */
static int parse_rest(const char *line, struct host_answer *answer,
                      struct wire_address addresses[ANSWER_ADDRESSES_MAX], uint8_t ips[][IP_BYTES])
{
    size_t length;
    const char *arch = find_value(line, "arch", &length);
    if (!arch || !is_arch(arch, length) || length >= sizeof(answer->arch))
        return -1;
    str_format(answer->arch, sizeof(answer->arch), "%.*s", (int)length, arch);
    const char *key = find_value(line, "key", &length);
    if (!key || length != 2 * WIRE_KEY_BYTES ||
        str_from_hex(answer->public_key, WIRE_KEY_BYTES, key) < 0)
        return -1;
    const char *list = find_value(line, "addr", &length);
    if (!list || read_addresses(list, length, addresses, ips, &answer->address_count) < 0)
        return -1;
    answer->addresses = addresses;
    return find_number(line, "dsig", &answer->signature);
}

int answer_parse(const char *line, struct host_answer *answer,
                 struct wire_address addresses[ANSWER_ADDRESSES_MAX],
                 uint8_t ips[ANSWER_ADDRESSES_MAX][16], int32_t *status)
{
    memset(answer, 0, sizeof(*answer));
    if (!str_has_prefix(line, "ddpro<"))
        return parse_error_name(line, status);
    if (find_number(line, "ddpro", &answer->protocol) < 0)
        return -1;
    if (answer->protocol != PROTOCOL_DAEMON_VERSION)
        return 0;
    return parse_rest(line, answer, addresses, ips);
}

/* ---- the arguments of a start ---- */

void join_args_write(struct strbuf *text, const struct host_start *start)
{
    char key[2 * WIRE_KEY_BYTES + 1];
    str_to_hex(key, start->master_key, WIRE_KEY_BYTES);
    strbuf_addf(text, " -j %" PRIu32 ":%" PRIx64 " -m %" PRIx64 ":%s:", start->number, start->epoch,
                start->master_epoch, key);
    write_addresses(text, start->master_addresses, start->master_address_count);
}

static int refuse(char *error, uint32_t error_bytes, const char *what)
{
    str_format(error, error_bytes, "%s", what);
    return -1;
}

int join_args_parse(const char *j, const char *m, struct join_args *args, char *error,
                    uint32_t error_bytes)
{
    uint64_t number;
    memset(args, 0, sizeof(*args));
    const char *end = j + strlen(j);
    if (read_number(&j, end, 10, 4095, &number) < 0 || number == 0 || !take(&j, end, ":") ||
        read_number(&j, end, 16, UINT64_MAX, &args->epoch) < 0 || j != end || args->epoch == 0)
        return refuse(error, error_bytes, "-j wants NUMBER:EPOCH");
    args->number = (uint32_t)number;
    end = m + strlen(m);
    if (read_number(&m, end, 16, UINT64_MAX, &args->master_epoch) < 0 || !take(&m, end, ":") ||
        (size_t)(end - m) < 2 * WIRE_KEY_BYTES ||
        str_from_hex(args->master_key, WIRE_KEY_BYTES, m) < 0)
        return refuse(error, error_bytes, "-m wants EPOCH:KEY:ADDRESSES");
    m += 2 * WIRE_KEY_BYTES;
    if (!take(&m, end, ":") ||
        read_addresses(m, (size_t)(end - m), args->master_addresses, args->master_ips,
                       &args->master_address_count) < 0)
        return refuse(error, error_bytes, "-m wants addresses as [ip]:port,...");
    return 0;
}
