/* SPDX-License-Identifier: BSD-3-Clause */
/* Segments of real memory: what is made, what another process can and cannot do with it, and what
 * of another is refused. */
#include "share/segment.h"

#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MIB = 1024 * 1024, SEALS = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL };

static int fds_open(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* Mappings of ours of files called so. */
static int maps(const char *name)
{
    char row[512];
    int count = 0;
    FILE *file = fopen("/proc/self/maps", "r");
    while (file && fgets(row, sizeof(row), file))
        count += strstr(row, name) != NULL;
    if (file)
        fclose(file);
    return count;
}

static uint64_t memory_held(int fd)
{
    struct stat status;
    return fstat(fd, &status) == 0 ? (uint64_t)status.st_blocks * 512 : 0;
}

static void limits(void)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } rows[] = {{"0", 0},        {"1000", 1000},     {"3k", 3072},
                {"5M", 5 * MIB}, {"2g", 2ull << 30}, {"99999g", 64ull << 30}};
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        setenv("PVM_SHM_LIMIT", rows[i].text, 1);
        EQUAL(share_limit_bytes(), rows[i].bytes, rows[i].text);
    }
    unsetenv("PVM_SHM_LIMIT");
    const uint64_t standard = share_limit_bytes();
    OK(standard > 0 && standard <= SHARE_LIMIT_MAX, "half of the memory else");
    setenv("PVM_SHM_LIMIT", "12 apples", 1);
    EQUAL(share_limit_bytes(), standard, "also for what is no number");
    setenv("PVM_SHM_LIMIT", "", 1);
    EQUAL(share_limit_bytes(), standard, "and for nothing");
    unsetenv("PVM_SHM_LIMIT");
}

static void own(void)
{
    struct share_own one;
    const char *step = "";
    const int before = fds_open();
    OK(share_own_create(&one, 64 * MIB, &step) == 0, "a segment, an inbox and a bell");
    OK((fcntl(one.fds[0], F_GET_SEALS) & SEALS) == SEALS, "the segment is sealed");
    OK((fcntl(one.fds[1], F_GET_SEALS) & SEALS) == SEALS, "the inbox is");
    OK(ftruncate(one.fds[1], 0) < 0, "its end cannot be moved");
    EQUAL(fcntl(one.fds[0], F_GETFL) & O_ACCMODE, O_RDONLY, "others can read it only");
    OK(mmap(NULL, MIB, PROT_WRITE, MAP_SHARED, one.fds[0], 0) == MAP_FAILED, "and not map it else");
    for (int i = 0; i < SHARE_FDS; i++)
        OK(fcntl(one.fds[i], F_GETFD) & FD_CLOEXEC, "closed on exec");
    EQUAL(one.header->size_bytes, one.size_bytes, "the header tells its size");
    OK(memory_held(one.fds[0]) <= 64 * 1024, "of memory it has what was used");
    struct buf *buf = shm_heap_get(one.heap, MIB);
    OK(buf && memory_held(one.fds[0]) >= MIB, "a block is populated when it is given out");
    memset(buf->data, 1, buf->capacity);
    share_own_close(&one);
    EQUAL(maps("pvm-segment"), 1, "a buffer keeps the segment");
    EQUAL(buf->data[MIB - 1], 1, "and what is in it");
    buf_drop(buf);
    EQUAL(maps("pvm-"), 0, "the last one takes it along");
    EQUAL(fds_open(), before, "no descriptor is left");
}

static void limit_reached(void)
{
    struct share_own one;
    struct buf *bufs[8] = {NULL};
    const char *step;
    int count = 0;
    share_own_create(&one, 3 * MIB, &step);
    while (count < 8 && (bufs[count] = shm_heap_get(one.heap, MIB)))
        count++;
    OK(count >= 2 && count <= 3, "no more than the limit is given out");
    for (int i = 0; i < count; i++)
        buf_drop(bufs[i]);
    for (int i = 0; i < 4; i++)
        shm_heap_trim(one.heap);
    OK(memory_held(one.fds[0]) <= MIB + MIB / 2, "what is trimmed is the system's again");
    share_own_close(&one);
}

/* |body| runs in a child; its result is the test's. */
static void in_child(int (*body)(void), const char *what)
{
    int status = -1;
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(body());
    waitpid(child, &status, 0);
    EQUAL(status, 0, what);
}

static int little_address_space(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return 0; /* their shadow alone is larger */
#endif
    const struct rlimit limit = {(rlim_t)400 * MIB, (rlim_t)400 * MIB};
    struct share_own one;
    const char *step;
    if (setrlimit(RLIMIT_AS, &limit) < 0 || share_own_create(&one, 8ull << 30, &step) < 0)
        return 1;
    return one.size_bytes <= 200 * (uint64_t)MIB && shm_heap_get(one.heap, MIB) ? 0 : 2;
}

static int little_file_size(void)
{
    const struct rlimit limit = {(rlim_t)100 * MIB, (rlim_t)100 * MIB};
    struct share_own one;
    const char *step;
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || share_own_create(&one, 8ull << 30, &step) < 0)
        return 1;
    return one.size_bytes <= 100 * (uint64_t)MIB && shm_heap_get(one.heap, MIB) ? 0 : 2;
}

/* A real-time program: whatever it maps is locked. Its segment must not be. */
static int locked_future(void)
{
    struct share_own one;
    const char *step;
    if (mlockall(MCL_FUTURE) < 0)
        return 0; /* not allowed here */
    if (share_own_create(&one, 4ull << 30, &step) < 0)
        return errno == ENOMEM || errno == EAGAIN || errno == EPERM ? 0 : 1;
    return memory_held(one.fds[0]) <= MIB ? 0 : 2;
}

static int no_descriptors(void)
{
    const struct rlimit limit = {5, 5};
    struct share_own one;
    const char *step = "";
    const int before = (setrlimit(RLIMIT_NOFILE, &limit), fds_open());
    return share_own_create(&one, 64 * MIB, &step) < 0 && errno == EMFILE && *step &&
                   fds_open() == before
               ? 0
               : 1;
}

static struct share_own parents;

static int mapping_is_gone(void)
{
    unsigned char resident;
    /* mincore(2): ENOMEM where nothing is mapped. */
    if (mincore(parents.header, 4096, &resident) == 0 ||
        mincore(parents.inbox, 4096, &resident) == 0)
        return 1;
    share_own_forget(&parents);
    for (int i = 0; i < SHARE_FDS; i++)
        if (parents.fds[i] >= 0)
            return 2;
    return 0;
}

static void children(void)
{
    const char *step;
    in_child(little_address_space, "little address space: a small segment");
    in_child(little_file_size, "little file size: likewise, and no signal");
    in_child(locked_future, "memory that is locked when mapped: not the segment's");
    in_child(no_descriptors, "no descriptors: an error, which tells the step");
    share_own_create(&parents, 64 * MIB, &step);
    in_child(mapping_is_gone, "a child of fork has no mapping, and lets the descriptors go");
    share_own_close(&parents);
}

/* ---- another's ---- */

/* Copies of |own|'s descriptors, to be given away. */
static void copy_fds(const struct share_own *from, int fds[SHARE_FDS])
{
    for (int i = 0; i < SHARE_FDS; i++)
        fds[i] = dup(from->fds[i]);
}

static void peers(void)
{
    struct share_own one;
    struct share_peer peer;
    const char *step;
    int fds[SHARE_FDS];
    const int before = fds_open();
    share_own_create(&one, 64 * MIB, &step);
    copy_fds(&one, fds);
    OK(share_peer_open(&peer, fds, true) == 0, "what one made another maps");
    EQUAL(peer.view.size_bytes, one.size_bytes, "whole");
    struct buf *buf = shm_heap_get(one.heap, 100);
    memcpy(buf->data, "here", 5);
    SAME_TEXT((const char *)peer.view.base + shm_heap_offset(shm_heap_base(one.heap), buf->data),
              "here", "what is written is read there");
    atomic_store(&peer.inbox->words[1], 5);
    EQUAL(atomic_load(&one.inbox->words[1]), 5, "the inbox is written by others");
    struct pollfd poller = {.fd = one.fds[2], .events = POLLIN};
    EQUAL(poll(&poller, 1, 0), 0, "the check of the bell did not ring it");
    share_bell(peer.bell);
    EQUAL(poll(&poller, 1, 0), 1, "the bell rings");
    const struct shm_view view = peer.view;
    share_peer_close(&peer, false);
    EQUAL(view.base[0], SHM_MAGIC & 0xff, "a view in use outlives the rest");
    view.gone(view.context);
    copy_fds(&one, fds);
    OK(share_peer_open(&peer, fds, false) == 0 && peer.bell == -1, "without a bell");
    share_peer_close(&peer, true);
    buf_drop(buf);
    share_own_close(&one);
    EQUAL(maps("pvm-"), 0, "no mapping is left");
    EQUAL(fds_open(), before, "and no descriptor");
}

static int memory_file(size_t size, int seals)
{
    const int fd = memfd_create("hostile", MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)
        abort();
    return fd;
}

static int plain_file(void)
{
    char path[] = "/tmp/pvm-share-XXXXXX";
    const int fd = mkstemp(path);
    unlink(path);
    if (ftruncate(fd, MIB) < 0)
        abort();
    return fd;
}

/* A segment that is right in all but what |change| does to its header. */
static int wrong_header(void (*change)(struct shm_header *header))
{
    const int fd = memory_file(MIB, SEALS);
    struct shm_header header = {.magic = SHM_MAGIC, .version = SHM_VERSION, .size_bytes = MIB};
    change(&header);
    if (pwrite(fd, &header, sizeof(header), 0) != sizeof(header))
        abort();
    return fd;
}

static void change_nothing(struct shm_header *header)
{
    (void)header;
}

static void change_magic(struct shm_header *header)
{
    header->magic++;
}

static void change_version(struct shm_header *header)
{
    header->version++;
}

static void change_size(struct shm_header *header)
{
    header->size_bytes *= 2;
}

/* |fd| in the place of one of the three: refused, and all are closed. */
static void refuse(const struct share_own *good, int place, int fd, const char *what)
{
    struct share_peer peer;
    int fds[SHARE_FDS];
    copy_fds(good, fds);
    close(fds[place]);
    fds[place] = fd;
    const int before = fds_open();
    const int status = share_peer_open(&peer, fds, true);
    const int error = errno;
    OK(status < 0 && error == EPROTO, what);
    EQUAL(fds_open(), before - SHARE_FDS + (fd < 0), "all three are closed");
}

static void hostile(void)
{
    struct share_own good;
    struct share_peer peer;
    const char *step;
    int fds[SHARE_FDS], ends[2], pipes[2];
    share_own_create(&good, 64 * MIB, &step);
    copy_fds(&good, fds);
    close(fds[0]);
    fds[0] = wrong_header(change_nothing);
    OK(share_peer_open(&peer, fds, true) == 0, "a segment made by hand is taken when it is right");
    share_peer_close(&peer, true);
    refuse(&good, 0, memory_file(MIB, 0), "a segment without seals");
    refuse(&good, 0, memory_file(MIB, F_SEAL_SHRINK | F_SEAL_GROW), "seals that can be added to");
    refuse(&good, 0, memory_file(MIB, F_SEAL_GROW | F_SEAL_SEAL), "one that can shrink");
    refuse(&good, 0, memory_file(MIB / 2, SEALS), "half an area");
    refuse(&good, 0, memory_file(0, SEALS), "nothing at all");
    refuse(&good, 0, memory_file((size_t)1 << 40, SEALS), "too much");
    refuse(&good, 0, plain_file(), "a file on a disk");
    refuse(&good, 0, open("/dev/zero", O_RDWR), "a device");
    refuse(&good, 0, dup(good.fds[2]), "an eventfd for a segment");
    refuse(&good, 0, -1, "none");
    refuse(&good, 0, wrong_header(change_magic), "no magic");
    refuse(&good, 0, wrong_header(change_version), "another version");
    refuse(&good, 0, wrong_header(change_size), "a header that tells another size");
    refuse(&good, 1, memory_file((size_t)sysconf(_SC_PAGESIZE), 0), "an inbox without seals");
    refuse(&good, 1, memory_file(2 * (size_t)sysconf(_SC_PAGESIZE), SEALS), "one of two pages");
    refuse(&good, 1, memory_file(0, SEALS), "an empty one");
    refuse(&good, 1, plain_file(), "a file");
    if (pipe(ends) < 0 || pipe(pipes) < 0)
        abort();
    refuse(&good, 2, ends[1], "a pipe for a bell");
    refuse(&good, 2, pipes[0], "its other end");
    refuse(&good, 2, plain_file(), "a file for a bell");
    refuse(&good, 2, memory_file(MIB, SEALS), "memory for a bell");
    close(ends[0]);
    close(pipes[1]);
    share_own_close(&good);
    EQUAL(maps("pvm-") + maps("hostile"), 0, "nothing of them stays mapped");
}

/* A bell that was filled up, and is set to block, keeps nobody who rings it. */
static void full_bell(void)
{
    struct share_own good;
    struct share_peer peer;
    const char *step;
    int fds[SHARE_FDS];
    const uint64_t all = UINT64_MAX - 1;
    share_own_create(&good, 64 * MIB, &step);
    copy_fds(&good, fds);
    close(fds[2]);
    fds[2] = eventfd(0, 0);
    const int theirs = dup(fds[2]);
    OK(share_peer_open(&peer, fds, true) == 0, "a bell that would block");
    OK(write(theirs, &all, sizeof(all)) == sizeof(all), "is filled");
    alarm(10);
    share_bell(peer.bell);
    alarm(0);
    OK(1, "and does not block who rings it");
    close(theirs);
    share_peer_close(&peer, true);
    share_own_close(&good);
}

static void ticks(void)
{
    const uint64_t first = share_ticks(), slow = share_ticks_slow();
    uint64_t last = first;
    int wrong = 0;
    for (int i = 0; i < 100000; i++) {
        const uint64_t now = share_ticks();
        wrong += now == 0 || now < last;
        last = now;
    }
    OK(wrong == 0 && last > first, "ticks go on");
    OK(slow != 0 && share_ticks_slow() > slow, "the slow ones too");
}

int main(void)
{
    TEST(limits);
    TEST(own);
    TEST(limit_reached);
    TEST(children);
    TEST(peers);
    TEST(hostile);
    TEST(full_bell);
    TEST(ticks);
    EQUAL(buf_live_count(), 0, "no buffer is left");
    return tap_done();
}
