/* SPDX-License-Identifier: BSD-3-Clause */
/* Where the daemon's socket is looked for, and which directories are not trusted. */
#include "libpvm/find.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char base[64] = "/tmp/pvm-find-XXXXXX", user[128], machine[160];
static struct find find;

static void make(const char *path, mode_t mode)
{
    mkdir(path, mode);
    chmod(path, mode);
}

static void given(void)
{
    setenv("PVMSOCK", "/a/b", 1);
    find_daemon(&find);
    OK(find.count == 1 && strcmp(find.paths[0], "/a/b") == 0, "PVMSOCK names it");
    unsetenv("PVMSOCK");
}

static void found(void)
{
    char wanted[512], host[256];
    gethostname(host, sizeof(host));
    find_daemon(&find);
    EQUAL(find.count, 2, "two places");
    snprintf(wanted, sizeof(wanted), "%s/%s/sock", machine, host);
    SAME_TEXT(find.paths[0], wanted, "that of this host");
    snprintf(wanted, sizeof(wanted), "%s/here/sock", machine);
    SAME_TEXT(find.paths[1], wanted, "and of the first daemon here");
    setenv("PVM_VMID", "other", 1);
    find_daemon(&find);
    OK(find.count == 0 && strstr(find.error, "/other: No such file"),
       "another machine's is another place");
    unsetenv("PVM_VMID");
}

static void not_trusted(void)
{
    chmod(machine, 0750);
    find_daemon(&find);
    OK(find.count == 0 && strstr(find.error, "is open to other users"), "open to others");
    chmod(machine, 0700);
    chmod(user, 0777);
    find_daemon(&find);
    OK(find.count == 0 && strstr(find.error, "is open to other users"), "the one above, too");
    chmod(user, 0700);
    rmdir(machine);
    if (symlink("/tmp", machine) == 0) {
        find_daemon(&find);
        OK(find.count == 0 && strstr(find.error, "is not a directory"), "a link");
        unlink(machine);
    }
    if (geteuid() == 0) {
        make(machine, 0700);
        if (chown(machine, 65534, 65534) == 0) {
            find_daemon(&find);
            OK(find.count == 0 && strstr(find.error, "belongs to another user"), "another user's");
        }
    } else {
        SKIP("another user's", "needs root");
    }
    rmdir(machine);
}

int main(void)
{
    unsetenv("PVMSOCK");
    unsetenv("PVM_VMID");
    if (!mkdtemp(base))
        return 1;
    setenv("PVM_TMP", base, 1);
    SAME_TEXT(find_tmp(), base, "PVM_TMP");
    snprintf(user, sizeof(user), "%s/pvm-%lu", base, (unsigned long)geteuid());
    snprintf(machine, sizeof(machine), "%s/default", user);
    find_daemon(&find);
    OK(find.count == 0 && strstr(find.error, "No such file"), "nothing there");
    make(user, 0700);
    make(machine, 0700);
    TEST(given);
    TEST(found);
    TEST(not_trusted);
    unsetenv("PVM_TMP");
    SAME_TEXT(find_tmp(), "/tmp", "without it");
    rmdir(user);
    rmdir(base);
    return tap_done();
}
