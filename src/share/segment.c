/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments, inboxes and bells of this process and of others: see the header. What each call may
 * refuse: memfd_create(2), fcntl(2) "File sealing", mmap(2), madvise(2), eventfd(2). */
#include "share/segment.h"

#include "base/check.h"
#include "base/mem.h"
#include "share/machine.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#ifndef TMPFS_MAGIC
#define TMPFS_MAGIC 0x01021994
#endif

enum {
    RESERVED_BYTES = 4096,    /* the header's part of the first area */
    SLACK_AREAS = 8,          /* blocks of one size never fill the last area of each */
    SIZE_TRIED_MIN = 64 << 20 /* below it, trying smaller ones makes no sense */
};
#define SIZE_MAX_BYTES (SHARE_LIMIT_MAX + (uint64_t)SLACK_AREAS * SHM_AREA_BYTES)
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* What outlives share_own_close() until the last buffer is dropped. */
struct share_memory {
    uint8_t *base;
    uint64_t size_bytes;
    int fd; /* open for writing; -1 where populating does not need it */
};

uint64_t share_ticks_slow(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return ((uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec) | 1;
}

static uint64_t page_bytes(void)
{
    return (uint64_t)sysconf(_SC_PAGESIZE);
}

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- limits ---- */

/* "512m"; -1 when it is no such number. */
static int bytes_parse(const char *text, uint64_t *bytes)
{
    char *end;
    if (*text < '0' || *text > '9')
        return -1;
    errno = 0;
    const unsigned long long value = strtoull(text, &end, 10);
    static const char suffixes[] = "kmg";
    unsigned shift = 0;
    const char lower = (char)(*end | 0x20);
    const char *suffix = *end ? strchr(suffixes, lower) : NULL;
    if (suffix) {
        shift = 10 * (unsigned)(suffix - suffixes + 1);
        end++;
    }
    if (errno || *end)
        return -1;
    *bytes = value > UINT64_MAX >> shift ? UINT64_MAX : value << shift;
    return 0;
}

uint64_t share_limit_bytes(void)
{
    const char *given = getenv("PVM_SHM_LIMIT");
    uint64_t limit;
    if (!given || bytes_parse(given, &limit) < 0)
        limit = machine_memory_bytes("") / 2;
    return MIN_OF(limit, SHARE_LIMIT_MAX);
}

/* Address space and files as the process is allowed them: to grow a file beyond RLIMIT_FSIZE is a
 * signal (setrlimit(2)), and of RLIMIT_AS the program wants the larger part. */
static uint64_t size_allowed(uint64_t wanted)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        wanted = MIN_OF(wanted, (uint64_t)limit.rlim_cur);
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY)
        wanted = MIN_OF(wanted, (uint64_t)limit.rlim_cur / 4);
    if (sizeof(void *) < 8)
        wanted = MIN_OF(wanted, UINT64_C(256) << 20);
    return wanted / SHM_AREA_BYTES * SHM_AREA_BYTES;
}

/* ---- mapping ---- */

/* mlockall(MCL_FUTURE) was called: what is mapped is populated at once. */
static bool is_future_locked(void)
{
    const size_t size = (size_t)page_bytes();
    unsigned char resident = 0;
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return true;
    mincore(page, size, &resident);
    munmap(page, size);
    return resident & 1;
}

/* What cannot be accessed yet cannot be populated, and then it is unlocked (mlock(2)). Not the way
 * for all: to valgrind the change of protection is a visit to each byte. */
static void *map_unlocked(int fd, size_t size, int protection)
{
    void *base = mmap(NULL, size, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED)
        return base;
    munlock(base, size);
    if (mprotect(base, size, protection) == 0)
        return base;
    munmap(base, size);
    errno = ENOMEM;
    return MAP_FAILED;
}

/* Nothing is populated by it, nothing inherited, nothing dumped. NULL and errno. */
static uint8_t *map_lazily(int fd, uint64_t size_bytes, int protection)
{
    if (size_bytes > SIZE_MAX) {
        errno = ENOMEM;
        return NULL;
    }
    const size_t size = (size_t)size_bytes;
    void *base = is_future_locked()
                     ? map_unlocked(fd, size, protection)
                     : mmap(NULL, size, protection, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (base == MAP_FAILED)
        return NULL;
    if (madvise(base, size, MADV_DONTFORK) < 0) {
        const int error = errno;
        munmap(base, size);
        errno = error;
        return NULL;
    }
    madvise(base, size, MADV_DONTDUMP);
    return base;
}

/* The whole pages round (|inside|: inside of) the bytes. */
static uint64_t to_pages(uint64_t *offset, uint64_t length, bool inside)
{
    const uint64_t page = page_bytes(), end = *offset + length;
    const uint64_t first = inside ? (*offset + page - 1) / page : *offset / page;
    const uint64_t last = inside ? end / page : (end + page - 1) / page;
    *offset = first * page;
    return last > first ? (last - first) * page : 0;
}

static int populate(void *context, uint64_t offset, uint64_t length)
{
    struct share_memory *memory = context;
    length = MIN_OF(to_pages(&offset, length, false), memory->size_bytes - offset);
    int status;
    do
        status = madvise(memory->base + offset, (size_t)length, MADV_POPULATE_WRITE);
    while (status < 0 && (errno == EINTR || errno == EAGAIN));
    if (status == 0 || memory->fd < 0)
        return status;
    do
        status = fallocate(memory->fd, 0, (off_t)offset, (off_t)length);
    while (status < 0 && errno == EINTR);
    return status;
}

static void discard(void *context, uint64_t offset, uint64_t length)
{
    struct share_memory *memory = context;
    length = to_pages(&offset, length, true);
    /* MADV_REMOVE punches a hole, as fallocate() would, and needs no descriptor. */
    if (length && madvise(memory->base + offset, (size_t)length, MADV_REMOVE) < 0 &&
        memory->fd >= 0)
        fallocate(memory->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
                  (off_t)length);
}

static void gone(void *context)
{
    struct share_memory *memory = context;
    munmap(memory->base, (size_t)memory->size_bytes);
    fd_close(&memory->fd);
    mem_free(memory);
}

/* ---- what this process owns ---- */

/* A sealed file in memory; -1 and errno. */
static int file_create(const char *name, uint64_t size_bytes)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -1;
    if (ftruncate(fd, (off_t)size_bytes) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0)
        return fd;
    const int error = errno;
    fd_close(&fd);
    errno = error;
    return -1;
}

/* The same file open for reading only, for others; where that cannot be had (no /proc) they get one
 * they could write by, and only their good manners protect us. */
static int reopen_read_only(int fd)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const int again = open(path, O_RDONLY | O_CLOEXEC);
    return again >= 0 ? again : fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* The file and its mapping, as large as can be had. */
static struct share_memory *memory_create(uint64_t size_bytes, const char **step)
{
    struct share_memory *memory = mem_calloc(1, sizeof(*memory));
    if (!memory) {
        errno = ENOMEM;
        return NULL;
    }
    for (;; size_bytes = size_bytes / 2 / SHM_AREA_BYTES * SHM_AREA_BYTES) {
        *step = "memfd";
        memory->size_bytes = size_bytes;
        memory->fd = file_create("pvm-segment", size_bytes);
        if (memory->fd < 0)
            break;
        *step = "mmap";
        memory->base = map_lazily(memory->fd, size_bytes, PROT_READ | PROT_WRITE);
        if (memory->base)
            return memory;
        const int error = errno;
        fd_close(&memory->fd);
        errno = error;
        if (size_bytes / 2 < SIZE_TRIED_MIN || (errno != ENOMEM && errno != EAGAIN))
            break;
    }
    const int error = errno;
    mem_free(memory);
    errno = error;
    return NULL;
}

static int segment_create(struct share_own *own, uint64_t limit_bytes, const char **step)
{
    const uint64_t areas = (limit_bytes + SHM_AREA_BYTES - 1) / SHM_AREA_BYTES + SLACK_AREAS;
    *step = "limit";
    const uint64_t size_bytes = size_allowed(areas * SHM_AREA_BYTES);
    if (size_bytes < SHM_AREA_BYTES) {
        errno = ENOMEM;
        return -1;
    }
    struct share_memory *memory = memory_create(size_bytes, step);
    if (!memory)
        return -1;
    own->memory = memory;
    own->size_bytes = memory->size_bytes;
    own->fds[0] = reopen_read_only(memory->fd);
    *step = "populate";
    if (own->fds[0] < 0 || populate(memory, 0, RESERVED_BYTES) < 0)
        return -1;
    if (madvise(memory->base, (size_t)page_bytes(), MADV_POPULATE_WRITE) == 0)
        fd_close(&memory->fd);
    own->header = (struct shm_header *)(void *)memory->base;
    own->header->magic = SHM_MAGIC;
    own->header->version = SHM_VERSION;
    own->header->size_bytes = memory->size_bytes;
    const struct shm_heap_ops ops = {memory, populate, discard, gone};
    *step = "heap";
    own->heap = shm_heap_create(memory->base, memory->size_bytes, RESERVED_BYTES, limit_bytes,
                                &ops);
    if (!own->heap)
        errno = ENOMEM;
    return own->heap ? 0 : -1;
}

/* A page can have no hole and no end inside: touched here, so that its lack is an error. */
static struct shm_inbox *inbox_map(int fd)
{
    struct shm_inbox *inbox = (struct shm_inbox *)(void *)map_lazily(fd, page_bytes(),
                                                                     PROT_READ | PROT_WRITE);
    _Static_assert(sizeof(struct shm_inbox) <= 4096, "one page of any machine");
    return inbox;
}

static int inbox_create(struct share_own *own, const char **step)
{
    *step = "inbox";
    own->fds[1] = file_create("pvm-inbox", page_bytes());
    if (own->fds[1] < 0)
        return -1;
    /* EINVAL, ENOSYS: fallocate() is in every kernel that has seals. */
    if (fallocate(own->fds[1], 0, 0, (off_t)page_bytes()) < 0)
        return -1;
    own->inbox = inbox_map(own->fds[1]);
    return own->inbox ? 0 : -1;
}

int share_own_create(struct share_own *own, uint64_t limit_bytes, const char **step)
{
    *own = (struct share_own){.fds = {-1, -1, -1}};
    int status = segment_create(own, limit_bytes, step);
    if (status == 0)
        status = inbox_create(own, step);
    if (status == 0) {
        *step = "eventfd";
        own->fds[2] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        status = own->fds[2] < 0 ? -1 : 0;
    }
    if (status == 0)
        return 0;
    const int error = errno;
    share_own_close(own);
    errno = error;
    return -1;
}

void share_own_close(struct share_own *own)
{
    for (size_t i = 0; i < SHARE_FDS; i++)
        fd_close(&own->fds[i]);
    if (own->inbox)
        munmap(own->inbox, (size_t)page_bytes());
    if (own->heap)
        shm_heap_close(own->heap); /* gone() frees the memory */
    else if (own->memory)
        gone(own->memory);
    *own = (struct share_own){.fds = {-1, -1, -1}};
}

void share_own_forget(struct share_own *own)
{
    for (size_t i = 0; i < SHARE_FDS; i++)
        fd_close(&own->fds[i]);
    if (own->memory)
        fd_close(&own->memory->fd);
}

/* ---- another's ---- */

struct peer_view {
    void *base;
    size_t size;
};

static void view_gone(void *context)
{
    struct peer_view *view = context;
    munmap(view->base, view->size);
    mem_free(view);
}

/* A file in memory, of ordinary pages, that will for ever have |*size_bytes|. Huge pages could lack
 * when they are read. 0, or -1 and errno. */
static int file_check(int fd, uint64_t *size_bytes)
{
    struct stat status;
    struct statfs system;
    const int seals = fcntl(fd, F_GET_SEALS);
    errno = EPROTO;
    if (seals < 0 || (seals & SEALS) != SEALS || fstat(fd, &status) < 0 || status.st_size < 0 ||
        fstatfs(fd, &system) < 0 || system.f_type != TMPFS_MAGIC) {
        errno = EPROTO;
        return -1;
    }
    *size_bytes = (uint64_t)status.st_size;
    return 0;
}

/* An eventfd has no type of file and takes eight bytes; 0 adds nothing to it. */
static int bell_check(int fd)
{
    struct stat status;
    const uint64_t nothing = 0;
    const int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fstat(fd, &status) < 0 || (status.st_mode & S_IFMT) != 0 ||
        fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 || write(fd, &nothing, 8) != 8) {
        errno = EPROTO;
        return -1;
    }
    return 0;
}

static int segment_open(struct share_peer *peer, int fd)
{
    uint64_t size_bytes;
    if (file_check(fd, &size_bytes) < 0)
        return -1;
    if (size_bytes == 0 || size_bytes % SHM_AREA_BYTES || size_bytes > SIZE_MAX_BYTES) {
        errno = EPROTO;
        return -1;
    }
    struct peer_view *view = mem_calloc(1, sizeof(*view));
    if (!view) {
        errno = ENOMEM;
        return -1;
    }
    view->base = map_lazily(fd, size_bytes, PROT_READ);
    view->size = (size_t)size_bytes;
    if (!view->base) {
        const int error = errno;
        mem_free(view);
        errno = error;
        return -1;
    }
    peer->view = (struct shm_view){view->base, size_bytes, view, view_gone};
    peer->header = view->base;
    if (peer->header->magic == SHM_MAGIC && peer->header->version == SHM_VERSION &&
        peer->header->size_bytes == size_bytes)
        return 0;
    errno = EPROTO;
    return -1;
}

static int inbox_open(struct share_peer *peer, int fd)
{
    uint64_t size_bytes;
    if (file_check(fd, &size_bytes) < 0)
        return -1;
    if (size_bytes != page_bytes()) {
        errno = EPROTO;
        return -1;
    }
    peer->inbox = inbox_map(fd);
    return peer->inbox ? 0 : -1;
}

int share_peer_open(struct share_peer *peer, const int fds[SHARE_FDS], bool keep_bell)
{
    *peer = (struct share_peer){.bell = -1};
    int rest[SHARE_FDS] = {fds[0], fds[1], fds[2]};
    int status = segment_open(peer, fds[0]);
    if (status == 0)
        status = inbox_open(peer, fds[1]);
    if (status == 0)
        status = bell_check(fds[2]);
    const int error = errno;
    if (status == 0 && keep_bell) {
        peer->bell = fds[2];
        rest[2] = -1;
    }
    for (size_t i = 0; i < SHARE_FDS; i++)
        fd_close(&rest[i]);
    if (status < 0)
        share_peer_close(peer, true);
    errno = error;
    return status;
}

void share_peer_close(struct share_peer *peer, bool view_too)
{
    if (peer->inbox)
        munmap(peer->inbox, (size_t)page_bytes());
    fd_close(&peer->bell);
    if (view_too && peer->view.gone)
        peer->view.gone(peer->view.context);
    *peer = (struct share_peer){.bell = -1};
}

void share_bell(int bell)
{
    const uint64_t one = 1;
    ssize_t written;
    /* EAGAIN: it rings already, 2^64 - 2 times. */
    do
        written = write(bell, &one, sizeof(one));
    while (written < 0 && errno == EINTR);
}
