/* SPDX-License-Identifier: BSD-3-Clause */
/* The daemon's directory (D7): who gets it, what is refused, what is left. */
#include "os/dir.h"

#include "tap.h"
#include "until.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

static char *tmp;
static char error[DIR_ERROR_BYTES];

static bool exists(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0;
}

static mode_t mode_of(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 ? st.st_mode & 0777 : 0;
}

static void here_is(const struct host_dir *dir, const char *wanted, const char *what)
{
    char path[DIR_PATH_BYTES_MAX + 8], target[256];
    snprintf(path, sizeof(path), "%s/here", dir->vm_path);
    ssize_t length = readlink(path, target, sizeof(target) - 1);
    target[length > 0 ? length : 0] = '\0';
    SAME_TEXT(target, wanted, what);
}

/* What makes a daemon one that programs can connect to. */
static void make_socket(const struct host_dir *dir)
{
    int fd = open(dir->sock_path, O_WRONLY | O_CREAT, 0600);
    OK(fd >= 0, "a socket");
    close(fd);
}

static void test_names_of_machines(void)
{
    OK(dir_vmid_is_sane("a.b_c-1"), "letters, digits, dot, underscore, dash");
    OK(!dir_vmid_is_sane(""), "not empty");
    OK(!dir_vmid_is_sane(".."), "not a way out of the directory");
    OK(!dir_vmid_is_sane("a/b"), "no slash");
    OK(!dir_vmid_is_sane("a b") && !dir_vmid_is_sane("a\nb"), "no blanks");
    char longest[DIR_VMID_BYTES_MAX + 2];
    memset(longest, 'x', sizeof(longest));
    longest[DIR_VMID_BYTES_MAX + 1] = '\0';
    OK(!dir_vmid_is_sane(longest), "not longer than the limit");
    longest[DIR_VMID_BYTES_MAX] = '\0';
    OK(dir_vmid_is_sane(longest), "as long as the limit");
}

static void test_open_and_remove(void)
{
    struct host_dir dir;
    EQUAL(dir_open(&dir, tmp, NULL, "node7", error), DIR_OK, "a first daemon gets its directory");
    OK(strstr(dir.path, "/default/node7") != NULL, "without a VMID it is called default");
    EQUAL(mode_of(dir.user_path), 0700, "the user's directory is private");
    EQUAL(mode_of(dir.vm_path), 0700, "the machine's directory is private");
    EQUAL(mode_of(dir.path), 0700, "the host's directory is private");
    int log = dir_open_log(&dir);
    OK(log >= 0, "a log can be opened");
    close(log);
    EQUAL(dir_claim_here(&dir, false), 0, "`here` can be claimed");
    here_is(&dir, "node7", "and names the host");
    dir_remove(&dir, false);
    OK(!exists(dir.user_path), "nothing is left after removal");
    dir_close(&dir);
}

static void test_second_daemon(void)
{
    struct host_dir dir, second;
    EQUAL(dir_open(&dir, tmp, "vm", "node7", error), DIR_OK, "first daemon");
    dir_set_owner(&dir, (long)getpid());
    EQUAL(dir_open(&second, tmp, "vm", "node7", error), DIR_TAKEN, "a second one is refused");
    char pid[32];
    snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
    OK(strstr(error, pid) != NULL, "with words that name the first");
    EQUAL(dir_open(&second, tmp, "vm2", "node7", error), DIR_OK, "another VMID is another machine");
    dir_remove(&second, false);
    dir_close(&second);
    EQUAL(dir_open(&second, tmp, "vm", "node8", error), DIR_OK,
          "another host name is another host");
    dir_claim_here(&dir, false);
    make_socket(&dir);
    make_socket(&second);
    dir_claim_here(&second, false);
    here_is(&dir, "node7", "`here` stays with the first that lives");
    char living[DIR_PATH_BYTES_MAX];
    OK(dir_find_living(&second, living) && strstr(living, "/vm/node7/sock"),
       "another one of the machine is found");
    dir_claim_here(&second, true);
    here_is(&dir, "node8", "unless another takes it over");
    dir_claim_here(&dir, true);
    dir_remove(&dir, false);
    dir_close(&dir);
    here_is(&second, "node8", "and goes to another one when that leaves");
    dir_remove(&second, false);
    dir_close(&second);
    OK(!exists(second.user_path), "the last one takes everything away");
}

static void test_here_after_a_death(void)
{
    struct host_dir dir, second, third;
    EQUAL(dir_open(&dir, tmp, "vm", "a", error), DIR_OK, "first daemon");
    EQUAL(dir_open(&second, tmp, "vm", "b", error), DIR_OK, "second daemon");
    EQUAL(dir_open(&third, tmp, "vm", "c", error), DIR_OK, "a third one, which only begins");
    make_socket(&dir);
    make_socket(&second);
    dir_claim_here(&dir, true);
    dir_abandon(&dir);
    OK(!exists(dir.sock_path), "what is abandoned has no socket");
    OK(exists(dir.path), "but still its directory");
    here_is(&dir, "b", "and `here` goes to one that has one");
    dir_abandon(&second);
    char living[DIR_PATH_BYTES_MAX];
    OK(!dir_find_living(&second, living), "when nobody lives nobody is found");
    here_is(&dir, "", "or, when there is none, nowhere: not back to one that is dead");
    make_socket(&third);
    EQUAL(dir_claim_here(&third, false), 0, "the next that begins takes it");
    here_is(&dir, "c", "for itself");
    dir_remove(&dir, false);
    dir_close(&dir);
    dir_remove(&second, false);
    dir_close(&second);
    here_is(&third, "c", "and keeps it when the others are put away");
    dir_remove(&third, false);
    dir_close(&third);
    OK(!exists(third.user_path), "the last one takes everything away");
}

enum { RACERS = 8, RACES = 60 };

/* One of those that come and go together. */
static void race(int number, int start_fd)
{
    struct host_dir dir;
    char name[16], word;
    snprintf(name, sizeof(name), "r%d", number);
    (void)!read(start_fd, &word, 1);
    for (int i = 0; i < RACES; i++) {
        if (dir_open(&dir, tmp, "race", name, error) != DIR_OK)
            _exit(1);
        int fd = open(dir.sock_path, O_WRONLY | O_CREAT, 0600);
        if (fd < 0 || dir_claim_here(&dir, i % 3 == 0) < 0)
            _exit(2);
        close(fd);
        if (i % 2)
            dir_abandon(&dir);
        dir_remove(&dir, false);
        dir_close(&dir);
    }
    _exit(0);
}

/* One daemon stays; others come and go. Whenever they are quiet `here` names it. */
static void test_here_races(void)
{
    struct host_dir stays;
    int ends[2], failed = 0;
    EQUAL(dir_open(&stays, tmp, "race", "stays", error), DIR_OK, "a daemon that stays");
    make_socket(&stays);
    EQUAL(dir_claim_here(&stays, false), 0, "has `here`");
    if (pipe(ends) < 0)
        return;
    for (int i = 0; i < RACERS; i++)
        if (fork() == 0) {
            close(ends[1]);
            race(i, ends[0]);
        }
    close(ends[0]);
    close(ends[1]); /* now */
    for (int i = 0; i < RACERS; i++) {
        int status = 1;
        wait(&status);
        failed += status != 0;
    }
    EQUAL(failed, 0, "eight others come and go sixty times each, all at once");
    here_is(&stays, "stays", "and `here` names the one that lives");
    dir_remove(&stays, false);
    dir_close(&stays);
    OK(!exists(stays.vm_path), "the last one takes everything away");
}

/* Whoever holds the lock of the machine's directory may have been stopped. */
static void test_locked_for_ever(void)
{
    struct host_dir dir;
    EQUAL(dir_open(&dir, tmp, "vm", "a", error), DIR_OK, "a daemon");
    int fd = open(dir.vm_path, O_RDONLY | O_DIRECTORY);
    OK(fd >= 0 && flock(fd, LOCK_EX) == 0, "somebody locks the directory and stops");
    EQUAL(dir_claim_here(&dir, true), -1, "`here` cannot be had then");
    EQUAL(errno, EBUSY, "and the reason is given");
    close(fd);
    EQUAL(dir_claim_here(&dir, true), 0, "later it can");
    dir_remove(&dir, false);
    dir_close(&dir);
}

static void test_after_a_crash(void)
{
    struct host_dir dir;
    pid_t child = fork();
    if (child == 0) {
        struct host_dir crashed;
        _exit(dir_open(&crashed, tmp, "vm", "n", error) == DIR_OK &&
                      dir_claim_here(&crashed, false) == 0 && dir_open_log(&crashed) >= 0
                  ? 0
                  : 1);
    }
    int status;
    waitpid(child, &status, 0);
    EQUAL(status, 0, "a daemon opens its directory and dies");
    EQUAL(dir_open(&dir, tmp, "vm", "n", error), DIR_OK, "the next one gets it");
    char path[DIR_PATH_BYTES_MAX + 8];
    snprintf(path, sizeof(path), "%s/log", dir.path);
    OK(!exists(path), "the dead one's log is gone");
    EQUAL(dir_claim_here(&dir, false), 0, "`here` of a dead daemon is taken over");
    dir_remove(&dir, true);
    dir_close(&dir);
}

static void test_refusals(void)
{
    struct host_dir dir;
    char path[256];
    EQUAL(dir_open(&dir, tmp, "a/b", "n", error), DIR_ERROR, "an insane VMID is refused");
    EQUAL(dir_open(&dir, "relative", "vm", "n", error), DIR_ERROR, "a relative PVM_TMP is refused");
    EQUAL(dir_open(&dir, "/does/not/exist", "vm", "n", error), DIR_ERROR, "so is a missing one");
    snprintf(path, sizeof(path), "%s/open", tmp);
    mkdir(path, 0755);
    snprintf(path, sizeof(path), "%s/open/pvm-%u", tmp, (unsigned)geteuid());
    mkdir(path, 0755);
    chmod(path, 0755);
    *strrchr(path, '/') = '\0';
    EQUAL(dir_open(&dir, path, "vm", "n", error), DIR_ERROR,
          "a directory open to others is refused");
    OK(strstr(error, "open to other users") != NULL, "with words");
    snprintf(path, sizeof(path), "%s/open/pvm-%u", tmp, (unsigned)geteuid());
    rmdir(path);
    EQUAL(symlink("/tmp", path), 0, "a symbolic link in its place");
    *strrchr(path, '/') = '\0';
    EQUAL(dir_open(&dir, path, "vm", "n", error), DIR_ERROR, "is refused");
    if (geteuid() == 0) {
        snprintf(path, sizeof(path), "%s/theirs", tmp);
        mkdir(path, 0755);
        snprintf(path, sizeof(path), "%s/theirs/pvm-0", tmp);
        mkdir(path, 0700);
        EQUAL(chown(path, 65534, 65534), 0, "a directory of another user");
        *strrchr(path, '/') = '\0';
        EQUAL(dir_open(&dir, path, "vm", "n", error), DIR_ERROR, "is refused");
    }
}

static void test_odd_host_names(void)
{
    struct host_dir dir;
    EQUAL(dir_open(&dir, tmp, "vm", "../../etc/x", error), DIR_OK, "a host name with slashes");
    OK(strstr(dir.path, "%2E.%2F..%2Fetc%2Fx") != NULL, "is written so that it stays inside");
    dir_remove(&dir, false);
    dir_close(&dir);
    EQUAL(dir_open(&dir, tmp, "vm", "here", error), DIR_OK, "a host called here");
    EQUAL(dir_claim_here(&dir, false), 0, "does not collide with the link");
    dir_remove(&dir, false);
    dir_close(&dir);
}

int main(void)
{
    umask(022);
    tmp = private_directory();
    TEST(test_names_of_machines);
    TEST(test_open_and_remove);
    TEST(test_second_daemon);
    TEST(test_here_after_a_death);
    TEST(test_here_races);
    TEST(test_locked_for_ever);
    TEST(test_after_a_crash);
    TEST(test_refusals);
    TEST(test_odd_host_names);
    remove_tree(tmp);
    return tap_done();
}
