/* SPDX-License-Identifier: BSD-3-Clause */
/* Where tasks share no memory: no connection has a share, and the core asks for none. See
 * pvmd/share.h. */
#include "pvmd/share.h"

bool share_is_possible(void)
{
    return false;
}

uint32_t share_accept(struct conn *conn)
{
    (void)conn;
    return 0;
}

bool share_turn(struct conn *conn)
{
    (void)conn;
    return false;
}

bool share_is_read(const struct conn *conn)
{
    (void)conn;
    return true;
}

bool share_is_paused(const struct conn *conn)
{
    (void)conn;
    return false;
}

void share_wrote(const struct conn *conn)
{
    (void)conn;
}

bool share_write(struct conn *conn, const struct effect *effect)
{
    (void)conn;
    (void)effect;
    return false;
}

void share_free(struct conn *conn)
{
    (void)conn;
}

struct fds *share_fds(struct daemon *daemon, uint64_t fds_of)
{
    (void)daemon;
    (void)fds_of;
    return NULL;
}

void shares_listen(struct daemon *daemon)
{
    (void)daemon;
}

bool shares_sleep(struct daemon *daemon)
{
    (void)daemon;
    return true;
}

void shares_look(struct daemon *daemon)
{
    (void)daemon;
}

uint64_t shares_deadline(const struct daemon *daemon)
{
    (void)daemon;
    return UINT64_MAX;
}

void shares_destroy(struct daemon *daemon)
{
    (void)daemon;
}

/* An index is given to nobody, so the core never wants these. */
static void cannot_be(struct daemon *daemon)
{
    daemon_give_up(daemon, "shared memory where there is none");
}

void perform_share_attach(struct daemon *daemon, struct effect *effect)
{
    (void)effect;
    cannot_be(daemon);
}

void perform_share_pause(struct daemon *daemon, struct effect *effect)
{
    (void)effect;
    cannot_be(daemon);
}

void perform_share_wake(struct daemon *daemon, struct effect *effect)
{
    (void)effect;
    cannot_be(daemon);
}

void perform_share_end(struct daemon *daemon, struct effect *effect)
{
    (void)effect;
    cannot_be(daemon);
}
