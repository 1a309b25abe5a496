/* SPDX-License-Identifier: BSD-3-Clause */
/* Join tokens, the file: see the header. Bringing the answer with one: arrive.h. */
#include "pvmd/token.h"

#include "base/str.h"
#include "core/answer.h"
#include "crypto/crypto.h"
#include "os/clock.h"
#include "os/rand.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "pvmd-join-token 1";

/* ---- at the master ---- */

void token_path(const struct host_dir *dir, uint64_t ticket, const char *name,
                char path[DIR_PATH_BYTES_MAX])
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    char safe[65];
    str_format(safe, sizeof(safe), "%.64s", name);
    for (char *at = safe; *(at += strspn(at, plain));)
        *at = '_';
    str_format(path, DIR_PATH_BYTES_MAX, "%s/join-%" PRIu64 "-%s", dir->path, ticket, safe);
}

/* " -j A -m B" as lines "-jA", "-mB". */
static void write_join(struct strbuf *text, const struct host_start *start)
{
    struct strbuf join;
    strbuf_init(&join);
    join_args_write(&join, start);
    for (const char *at = strbuf_text(&join); *at;) {
        at += strspn(at, " ");
        size_t length = strcspn(at, " ");
        strbuf_add(text, at, length);
        if (*at != '-')
            strbuf_add(text, "\n", 1);
        at += length;
    }
    text->failed |= join.failed;
    strbuf_fini(&join);
}

static void write_text(struct strbuf *text, const struct host_start *start, const char *options,
                       const uint8_t *private_key)
{
    char hex[2 * WIRE_KEY_BYTES + 1];
    str_to_hex(hex, private_key, WIRE_KEY_BYTES);
    strbuf_addf(text, "%s\n%s", first_line, options);
    write_join(text, start);
    strbuf_addf(text, "id %" PRIx64 "\nkey %s\nexpires %" PRIu64 "\n", start->token, hex,
                clock_wall_us() / 1000000 + start->token_life_s);
}

static int write_file(const char *path, const char *text, size_t length)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -1;
    errno = ENOSPC;
    bool good = write(fd, text, length) == (ssize_t)length;
    int saved = errno;
    close(fd);
    if (good)
        return 0;
    unlink(path);
    errno = saved;
    return -1;
}

int token_write(const char *path, const struct host_start *start, const char *options,
                uint8_t public_key[WIRE_KEY_BYTES], char error[TOKEN_ERROR_BYTES])
{
    const struct seal_crypto *crypto = crypto_openssl();
    uint8_t private_key[WIRE_KEY_BYTES];
    struct strbuf text;
    rand_bytes(NULL, private_key, sizeof(private_key));
    strbuf_init(&text);
    write_text(&text, start, options, private_key);
    int result = -1;
    if (text.failed || text.length > TOKEN_BYTES_MAX)
        str_copy(error, TOKEN_ERROR_BYTES, "a token that cannot be: too long, or no memory");
    else if (!crypto || crypto->public_key(crypto->context, private_key, public_key) < 0)
        str_copy(error, TOKEN_ERROR_BYTES, "libcrypto makes no key");
    else if (write_file(path, strbuf_text(&text), text.length) < 0)
        str_format(error, TOKEN_ERROR_BYTES, "its token cannot be written: %s", strerror(errno));
    else
        result = 0;
    strbuf_fini(&text);
    return result;
}

/* ---- at the new daemon ---- */

static int refuse(char *error, const char *words)
{
    str_format(error, TOKEN_ERROR_BYTES, "join token: %s", words);
    return -1;
}

static int read_all(int fd, char *text)
{
    size_t length = 0;
    while (length <= TOKEN_BYTES_MAX) {
        ssize_t got = read(fd, text + length, TOKEN_BYTES_MAX + 1 - length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0) {
            text[length] = '\0';
            return strlen(text) == length ? 0 : (errno = EINVAL, -1);
        }
        length += (size_t)got;
    }
    errno = EFBIG;
    return -1;
}

int token_load(const char *path, char *text, char error[TOKEN_ERROR_BYTES])
{
    struct stat status;
    if (str_equal(path, "-"))
        return read_all(STDIN_FILENO, text) < 0 ? refuse(error, strerror(errno)) : 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return refuse(error, strerror(errno));
    int result = -1;
    if (fstat(fd, &status) < 0 || (S_ISREG(status.st_mode) && (status.st_mode & 077)))
        refuse(error, "others may read the file, so the key in it is no secret; chmod 600, and "
                      "think who may have read it");
    else if (read_all(fd, text) < 0)
        refuse(error, strerror(errno));
    else
        result = 0;
    close(fd);
    return result;
}

static int number_of(const char *text, int base, uint64_t *number)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, base);
    *number = value;
    return errno == 0 && end != text && *end == '\0' && value ? 0 : -1;
}

/* Which of its own lines this was, as a bit; 0 = none, -1 = a damaged one. */
static int own_line(const char *line, struct token *token)
{
    if (str_has_prefix(line, "id "))
        return number_of(line + 3, 16, &token->id) < 0 ? -1 : 1;
    if (str_has_prefix(line, "expires "))
        return number_of(line + 8, 10, &token->expires_s) < 0 ? -1 : 2;
    if (!str_has_prefix(line, "key "))
        return 0;
    return strlen(line + 4) != 2 * WIRE_KEY_BYTES ||
                   str_from_hex(token->private_key, WIRE_KEY_BYTES, line + 4) < 0
               ? -1
               : 4;
}

int token_parse(char *text, struct token *token, int (*option)(void *context, char *line),
                void *context, char error[TOKEN_ERROR_BYTES])
{
    int seen = 0;
    char *rest = strchr(text, '\n');
    if (!rest || (size_t)(rest - text) != strlen(first_line) || !str_has_prefix(text, first_line))
        return refuse(error, "this is none, or one of another version");
    for (char *line = rest + 1; *line; line = rest) {
        rest = strchr(line, '\n');
        if (!rest)
            return refuse(error, "it is cut off");
        *rest++ = '\0';
        int which = own_line(line, token);
        if (which < 0 || (which & seen) || (which == 0 && line[0] != '-'))
            return refuse(error, "it is damaged");
        seen |= which;
        if (which == 0 && option(context, line) < 0)
            return -1;
    }
    return seen == 7 ? 0 : refuse(error, "it is cut off");
}
