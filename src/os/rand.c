/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bytes: see the header. getrandom(2) where the platform has it, else /dev/urandom. */
#include "os/rand.h"

#include "base/check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#ifdef PLATFORM_LINUX
#include <sys/random.h>
#endif

static int rand_fill_from_device(uint8_t *bytes, size_t length)
{
    int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    while (length > 0) {
        ssize_t got = read(fd, bytes, length);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break;
        bytes += got;
        length -= (size_t)got;
    }
    close(fd);
    return length == 0 ? 0 : -1;
}

int rand_fill(void *bytes, size_t length)
{
    uint8_t *at = bytes;
#ifdef PLATFORM_LINUX
    while (length > 0) {
        ssize_t got = getrandom(at, length, 0);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            break; /* refused by a sandbox: the device may still do */
        at += got;
        length -= (size_t)got;
    }
#endif
    return length == 0 ? 0 : rand_fill_from_device(at, length);
}

void rand_bytes(void *context, uint8_t *bytes, size_t length)
{
    (void)context;
    if (rand_fill(bytes, length) == 0)
        return;
    fprintf(stderr, "pvmd: the system gives no random bytes (getrandom, /dev/urandom): %s\n",
            strerror(errno));
    abort();
}

uint64_t rand_u64(void)
{
    uint64_t value;
    rand_bytes(NULL, (uint8_t *)&value, sizeof(value));
    return value;
}
