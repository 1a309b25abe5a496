/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's directory: see the header. */
#include "os/dir.h"

#include "base/str.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LOCK_TRIES = 200,           /* races with a daemon that removes its directory */
    LOCK_WAIT_NS = 20 * 1000000, /* between them: a guardian cleans up for at most some seconds */
    VM_LOCK_TRIES = 500,
    VM_LOCK_WAIT_NS = 1000000
};

bool dir_vmid_is_sane(const char *vmid)
{
    size_t length = strlen(vmid);
    if (length == 0 || length > DIR_VMID_BYTES_MAX || vmid[0] == '.')
        return false;
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return strspn(vmid, allowed) == length;
}

/* A host name as a file name; "here" would be taken for the link. */
static void host_file_name(char *dst, size_t size_bytes, const char *host)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-:";
    size_t length = 0;
    dst[0] = '\0';
    bool is_reserved = strcmp(host, "here") == 0;
    for (size_t i = 0; host[i] && length + 4 < size_bytes && length < 240; i++) {
        bool keep = strchr(plain, host[i]) && !(i == 0 && (host[i] == '.' || is_reserved));
        length += str_format(dst + length, size_bytes - length, keep ? "%c" : "%%%02X",
                             (unsigned char)host[i]);
    }
}

static int fail(char *error, const char *path, const char *what)
{
    str_format(error, DIR_ERROR_BYTES, "%s: %s", path, what);
    return -1;
}

/* Makes |path| or finds it: ours, a real directory, closed to others. */
static int ensure_private(const char *path, char *error)
{
    struct stat st;
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return fail(error, path, strerror(errno));
    if (lstat(path, &st) < 0)
        return fail(error, path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return fail(error, path, "is not a directory; remove it or set PVM_TMP to another place");
    if (st.st_uid != geteuid())
        return fail(error, path, "belongs to another user; set PVM_TMP to a place of your own");
    if ((st.st_mode & 077) != 0)
        return fail(error, path, "is open to other users; make it 0700 or remove it");
    return 0;
}

static int join(char *dst, const char *directory, const char *name)
{
    size_t length = str_format(dst, DIR_PATH_BYTES_MAX, "%s/%s", directory, name);
    return length + 1 < DIR_PATH_BYTES_MAX ? 0 : -1;
}

static int paths_make(struct host_dir *dir, const char *tmp, const char *vmid, const char *host,
                      char *error)
{
    char user[32], name[512];
    str_format(user, sizeof(user), "pvm-%lu", (unsigned long)geteuid());
    host_file_name(name, sizeof(name), host);
    if (!dir_vmid_is_sane(vmid))
        return fail(error, vmid,
                    "cannot name a virtual machine (PVM_VMID): use letters, digits, "
                    "'.', '_' and '-'");
    if (name[0] == '\0')
        return fail(error, "host name", "is empty; give one by -n");
    if (tmp[0] != '/')
        return fail(error, tmp, "PVM_TMP must be an absolute path");
    if (join(dir->user_path, tmp, user) < 0 || join(dir->vm_path, dir->user_path, vmid) < 0 ||
        join(dir->path, dir->vm_path, name) < 0 || join(dir->sock_path, dir->path, "sock") < 0)
        return fail(error, "PVM_TMP", "path is too long");
    return 0;
}

/* The process that wrote itself into the lock file, 0 = none. */
static long lock_owner(int fd)
{
    char text[32];
    ssize_t got = pread(fd, text, sizeof(text) - 1, 0);
    if (got <= 0)
        return 0;
    text[got] = '\0';
    return strtol(text, NULL, 10);
}

enum lock_result { LOCK_GOT, LOCK_RETRY, LOCK_HELD, LOCK_FAILED };

/* One attempt at the lock of the directory; |owner|: who holds it. */
static enum lock_result lock_try(struct host_dir *dir, const char *lock_path, long *owner)
{
    *owner = 0;
    int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno == ENOENT ? LOCK_RETRY : LOCK_FAILED;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        *owner = lock_owner(fd);
        int saved = errno;
        close(fd);
        errno = saved;
        return saved == EWOULDBLOCK ? LOCK_HELD : LOCK_FAILED;
    }
    /* The former holder may have removed the name before it let go: then this is no lock at all. */
    struct stat held, named;
    if (fstat(fd, &held) < 0 || lstat(lock_path, &named) < 0 || held.st_ino != named.st_ino ||
        held.st_dev != named.st_dev) {
        close(fd);
        return LOCK_RETRY;
    }
    dir->lock_fd = fd;
    return LOCK_GOT;
}

static void short_wait(void)
{
    struct timespec wait = {.tv_nsec = LOCK_WAIT_NS};
    nanosleep(&wait, NULL);
}

static bool process_lives(long pid)
{
    return pid > 0 && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
}

static enum dir_result lock_take(struct host_dir *dir, char *error)
{
    char lock_path[DIR_PATH_BYTES_MAX + 8];
    str_format(lock_path, sizeof(lock_path), "%s/lock", dir->path);
    long owner = 0;
    if (ensure_private(dir->user_path, error) < 0)
        return DIR_ERROR;
    for (int tries = 0; tries < LOCK_TRIES; tries++) {
        if (ensure_private(dir->user_path, error) < 0 || ensure_private(dir->vm_path, error) < 0 ||
            ensure_private(dir->path, error) < 0) {
            if (errno == ENOENT)
                continue; /* removed by another daemon between two calls */
            return DIR_ERROR;
        }
        switch (lock_try(dir, lock_path, &owner)) {
        case LOCK_GOT:
            return DIR_OK;
        case LOCK_RETRY:
            break;
        case LOCK_FAILED:
            fail(error, lock_path, strerror(errno));
            return DIR_ERROR;
        case LOCK_HELD:
            if (process_lives(owner)) {
                str_format(error, DIR_ERROR_BYTES,
                           "a pvmd already runs here: process %ld, %s; use it, halt it from the "
                           "console, or set PVM_VMID for a second virtual machine",
                           owner, dir->sock_path);
                return DIR_TAKEN;
            }
            short_wait(); /* its guardian still cleans up */
            break;
        }
    }
    str_format(error, DIR_ERROR_BYTES, "%s: stays locked by what is left of a former pvmd",
               lock_path);
    return DIR_TAKEN;
}

static void remove_file(const struct host_dir *dir, const char *name)
{
    char path[DIR_PATH_BYTES_MAX + 16];
    str_format(path, sizeof(path), "%s/%s", dir->path, name);
    unlink(path);
}

/* Files with secrets in them: none stays when its daemon is gone. */
void dir_remove_token(const struct host_dir *dir, uint64_t number)
{
    char prefix[32] = "join-";
    if (number)
        str_format(prefix, sizeof(prefix), "join-%llu-", (unsigned long long)number);
    DIR *listing = opendir(dir->path);
    if (!listing)
        return;
    struct dirent *entry;
    while ((entry = readdir(listing))) {
        if (str_has_prefix(entry->d_name, prefix))
            unlinkat(dirfd(listing), entry->d_name, 0);
    }
    closedir(listing);
}

enum dir_result dir_open(struct host_dir *dir, const char *tmp, const char *vmid, const char *host,
                         char error[DIR_ERROR_BYTES])
{
    memset(dir, 0, sizeof(*dir));
    dir->lock_fd = -1;
    if (paths_make(dir, tmp && *tmp ? tmp : "/tmp", vmid && *vmid ? vmid : "default", host, error) <
        0)
        return DIR_ERROR;
    enum dir_result result = lock_take(dir, error);
    if (result == DIR_OK) {
        remove_file(dir, "sock");
        remove_file(dir, "log");
        dir_remove_token(dir, 0);
    }
    return result;
}

void dir_set_owner(const struct host_dir *dir, long pid)
{
    char text[32];
    size_t length = str_format(text, sizeof(text), "%ld\n", pid);
    /* Only for a message: a full disk here is not worth a word. */
    if (ftruncate(dir->lock_fd, 0) == 0)
        (void)!pwrite(dir->lock_fd, text, length, 0);
}

int dir_open_log(const struct host_dir *dir)
{
    char path[DIR_PATH_BYTES_MAX + 16];
    str_format(path, sizeof(path), "%s/log", dir->path);
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

/* ---- here ---- */

/* Changes of `here` are serialised by a lock on the directory itself, which needs no further name.
 * Waiting has an end: who holds it may have been stopped. */
static int vm_lock(const struct host_dir *dir)
{
    int fd = open(dir->vm_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    for (int tries = 0; fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0; tries++) {
        if (tries == VM_LOCK_TRIES || (errno != EWOULDBLOCK && errno != EINTR)) {
            close(fd);
            errno = EBUSY;
            return -1;
        }
        const struct timespec wait = {.tv_nsec = VM_LOCK_WAIT_NS};
        nanosleep(&wait, NULL);
    }
    return fd;
}

static bool host_is_alive(const char *vm_path, const char *host)
{
    char path[2 * DIR_PATH_BYTES_MAX];
    str_format(path, sizeof(path), "%s/%s/lock", vm_path, host);
    int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    bool alive = flock(fd, LOCK_SH | LOCK_NB) < 0;
    close(fd);
    str_format(path, sizeof(path), "%s/%s/sock", vm_path, host);
    return alive && access(path, F_OK) == 0; /* else it begins or ends */
}

static const char *last_name(const char *path)
{
    return strrchr(path, '/') + 1;
}

static int here_set(const struct host_dir *dir, const char *host)
{
    char here[DIR_PATH_BYTES_MAX + 8], fresh[DIR_PATH_BYTES_MAX + 16];
    str_format(here, sizeof(here), "%s/here", dir->vm_path);
    str_format(fresh, sizeof(fresh), "%s/here.new", dir->vm_path);
    unlink(fresh);
    if (symlink(host, fresh) < 0)
        return -1;
    if (rename(fresh, here) == 0)
        return 0;
    int saved = errno;
    unlink(fresh);
    errno = saved;
    return -1;
}

/* Where `here` points; "" = nowhere. */
static void here_get(const struct host_dir *dir, char *host, size_t size_bytes)
{
    char here[DIR_PATH_BYTES_MAX + 8];
    str_format(here, sizeof(here), "%s/here", dir->vm_path);
    ssize_t length = readlink(here, host, size_bytes - 1);
    host[length > 0 ? length : 0] = '\0';
    if (strchr(host, '/'))
        host[0] = '\0';
}

/* `here` names another daemon, and that one lives. */
static bool here_is_good(const struct host_dir *dir)
{
    char host[512];
    here_get(dir, host, sizeof(host));
    return host[0] != '\0' && strcmp(host, last_name(dir->path)) != 0 &&
           host_is_alive(dir->vm_path, host);
}

int dir_claim_here(const struct host_dir *dir, bool take_over)
{
    if (!take_over && here_is_good(dir))
        return 0;
    int fd = vm_lock(dir);
    if (fd < 0)
        return -1;
    int result = 0;
    if (take_over || !here_is_good(dir))
        result = here_set(dir, last_name(dir->path));
    close(fd);
    return result;
}

/* Some other daemon of this virtual machine on this machine, or "". */
static void other_host(const struct host_dir *dir, char *host, size_t size_bytes)
{
    host[0] = '\0';
    DIR *listing = opendir(dir->vm_path);
    if (!listing)
        return;
    struct dirent *entry;
    while (host[0] == '\0' && (entry = readdir(listing))) {
        const char *name = entry->d_name;
        if (name[0] != '.' && strcmp(name, "here") != 0 &&
            strcmp(name, last_name(dir->path)) != 0 && host_is_alive(dir->vm_path, name))
            str_copy(host, size_bytes, name);
    }
    closedir(listing);
}

bool dir_find_living(const struct host_dir *dir, char sock_path[DIR_PATH_BYTES_MAX])
{
    char host[512];
    other_host(dir, host, sizeof(host));
    return host[0] != '\0' && str_format(sock_path, DIR_PATH_BYTES_MAX, "%s/%s/sock", dir->vm_path,
                                         host) + 1 < DIR_PATH_BYTES_MAX;
}

static void here_release(const struct host_dir *dir)
{
    char host[512];
    int fd = vm_lock(dir);
    if (fd < 0)
        return;
    here_get(dir, host, sizeof(host));
    if (strcmp(host, last_name(dir->path)) == 0) {
        char here[DIR_PATH_BYTES_MAX + 8];
        str_format(here, sizeof(here), "%s/here", dir->vm_path);
        other_host(dir, host, sizeof(host));
        if (host[0] == '\0' || here_set(dir, host) < 0)
            unlink(here);
    }
    close(fd);
}

void dir_abandon(const struct host_dir *dir)
{
    remove_file(dir, "sock");
    here_release(dir);
}

void dir_remove(const struct host_dir *dir, bool keep_log)
{
    dir_remove_token(dir, 0);
    remove_file(dir, "sock");
    if (!keep_log)
        remove_file(dir, "log");
    remove_file(dir, "lock");
    /* After the lock: two daemons that end together must not each give `here` to the other. */
    here_release(dir);
    if (rmdir(dir->path) == 0 && rmdir(dir->vm_path) == 0)
        rmdir(dir->user_path);
}

void dir_close(struct host_dir *dir)
{
    if (dir->lock_fd >= 0)
        close(dir->lock_fd);
    dir->lock_fd = -1;
}
