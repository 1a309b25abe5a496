/* SPDX-License-Identifier: BSD-3-Clause
 *
 * covers: API-31
 * The child's descriptors before it joins: null input, one pipe for both outputs, nothing else.
 */
#include "conf.h"

static void child(void)
{
    struct stat in, out, err, null;
    char text[256];
    int open_count = 0;
    for (int fd = 3; fd < 1024; fd++)
        open_count += fcntl(fd, F_GETFD) >= 0;
    fstat(0, &in);
    fstat(1, &out);
    fstat(2, &err);
    stat("/dev/null", &null);
    snprintf(text, sizeof text, "input %s, output %s, same %s, %d more",
             in.st_rdev == null.st_rdev && S_ISCHR(in.st_mode) ? "null" : "other",
             S_ISFIFO(out.st_mode) ? "pipe" : "other",
             out.st_ino == err.st_ino && out.st_dev == err.st_dev ? "yes" : "no", open_count);
    conf_send_text(pvm_parent(), 1, text);
}

static void run(void)
{
    puts(conf_take_text(conf_spawn("child"), 1));
}

CONF_MAIN(run, {"child", child})
