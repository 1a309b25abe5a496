/* SPDX-License-Identifier: BSD-3-Clause */
/* Paths of the daemon's socket: see the header. */
#include "libpvm/find.h"

#include "base/str.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *find_tmp(void)
{
    const char *tmp = getenv("PVM_TMP");
    return tmp && *tmp ? tmp : "/tmp";
}

/* A directory that is ours and nobody else's: what stands in it can be trusted. */
static int check_directory(const char *path, struct find *find)
{
    struct stat status;
    if (lstat(path, &status) < 0) {
        str_format(find->error, sizeof(find->error), "%s: %s", path, strerror(errno));
        return -1;
    }
    const char *wrong = NULL;
    if (!S_ISDIR(status.st_mode))
        wrong = "is not a directory";
    else if (status.st_uid != geteuid())
        wrong = "belongs to another user";
    else if (status.st_mode & 077)
        wrong = "is open to other users";
    if (wrong)
        str_format(find->error, sizeof(find->error), "%s %s", path, wrong);
    return wrong ? -1 : 0;
}

static void add_path(struct find *find, const char *directory, const char *host)
{
    char *path = find->paths[find->count];
    if (str_format(path, FIND_PATH_BYTES, "%s/%s/sock", directory, host) < FIND_PATH_BYTES - 1)
        find->count++;
}

void find_daemon(struct find *find)
{
    memset(find, 0, sizeof(*find));
    const char *given = getenv("PVMSOCK");
    if (given && *given) {
        if (str_copy(find->paths[0], FIND_PATH_BYTES, given) == 0)
            find->count = 1;
        else
            str_format(find->error, sizeof(find->error), "PVMSOCK is too long");
        return;
    }
    const char *vmid = getenv("PVM_VMID");
    char directory[FIND_PATH_BYTES], host[256];
    const size_t length = str_format(directory, sizeof(directory), "%s/pvm-%lu", find_tmp(),
                                     (unsigned long)geteuid());
    if (check_directory(directory, find) < 0)
        return;
    str_format(directory + length, sizeof(directory) - length, "/%s",
               vmid && *vmid ? vmid : "default");
    if (check_directory(directory, find) < 0)
        return;
    if (gethostname(host, sizeof(host)) == 0) {
        host[sizeof(host) - 1] = '\0';
        add_path(find, directory, host);
    }
    add_path(find, directory, "here");
}
