/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transport contract: how frames move between this task and one peer (its daemon today).
 *
 * A transport moves whole frames in order, each exactly once, until it is lost. It never blocks,
 * never calls back, prints nothing and raises no signal; waiting is the caller's, by poll() on the
 * descriptor. It is used by one thread at a time. tests/xport runs the same battery over every
 * transport.
 */
#ifndef LIBPVM_XPORT_H
#define LIBPVM_XPORT_H

#include "client/client.h"

enum xport_result {
    XPORT_OK = 1,
    XPORT_AGAIN = 0,     /* nothing moved: wait for the descriptor */
    XPORT_LOST = -1,     /* the other side closed or failed; every later call says so too */
    XPORT_BAD = -2,      /* the other side sent what is no frame; then as lost */
    XPORT_NO_MEMORY = -3 /* nothing changed: call again later */
};

enum { XPORT_FDS_MAX = 3 };

struct xport;

struct xport_ops {
    const char *name; /* for messages: "unix" */

    /* The descriptor to poll for reading (and, after XPORT_AGAIN of send, for writing); stays
     * the same until close. Readable whenever receive() would not say AGAIN, except for what it
     * has read ahead: call receive() until AGAIN before waiting. */
    int (*descriptor)(const struct xport *xport);

    /* Sends from the front of |pieces|; *sent says how many bytes, 0 unless XPORT_OK. Less than
     * all is fine: the caller comes back with the rest first. The pieces are borrowed for the
     * call. XPORT_OK, AGAIN or LOST; what was received before the loss can still be had by
     * receive(). */
    enum xport_result (*send)(struct xport *xport, const struct client_piece *pieces, size_t count,
                              size_t *sent);

    /* The next whole frame. XPORT_OK: |frame| holds references of its own (frame_drop() is the
     * caller's); frame->raw is empty. AGAIN, LOST (after all whole frames; a torn one is
     * dropped), BAD, NO_MEMORY: |frame| is untouched. */
    enum xport_result (*receive)(struct xport *xport, struct frame *frame);

    /* |count| descriptors go with the first byte that is sent next: of a frame, if the peer is to
     * find them. They stay the caller's, open until that byte is gone. At most XPORT_FDS_MAX. */
    void (*give)(struct xport *xport, const int *fds, size_t count);
    /* The |count| descriptors that came with the last frame received, the caller's from now on; 0,
     * or -1: there are not so many. Those that nobody took are closed when the frame after it is
     * received. */
    int (*take)(struct xport *xport, int *fds, size_t count);

    /* Ends it and frees |xport|. What was sent is still delivered. NULL is fine. */
    void (*close)(struct xport *xport);
};

/* First member of every transport. */
struct xport {
    const struct xport_ops *ops;
};

/* ---- transports ---- */

/* A connected stream socket |fd| (UNIX or other), made non-blocking and close-on-exec; owned
 * from now on, also on failure (then closed, NULL returned: no memory). */
struct xport *xport_unix_create(int fd);
/* Connects to the socket at |path|, below any limit on its length. NULL and errno. */
struct xport *xport_unix_connect(const char *path);

#endif
