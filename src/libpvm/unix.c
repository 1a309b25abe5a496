/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The transport over a UNIX stream socket: vectored writes, large reads. Frames are handed out as
 * slices of the read buffer; the body of a large frame that is not all there is read right into its
 * place.
 */
#include "libpvm/xport.h"

#include "base/mem.h"
#include "libpvm/scm.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    READ_BUFFER_BYTES = 64 * 1024,
    LARGE_BODY_BYTES =
        8 * 1024, /* from here on a body that is not all there gets a buffer of its own */
    PIECES_MAX = 64
};

struct xport_unix {
    struct xport base;
    int fd;
    enum xport_result ended; /* XPORT_OK while it lives */

    bool is_drained;    /* the last read left nothing: another would only say so */
    struct buf *buffer; /* what was read ahead: bytes [start, end) */
    size_t start;
    size_t end;

    struct frame_header header; /* of the large frame that is being read into |body| */
    struct buf *body;
    size_t body_length; /* bytes of it that are there */

    uint64_t read;  /* bytes of the stream that were read */
    uint64_t taken; /* of these, in frames handed out */
    struct scm_queue came;
    int given[XPORT_FDS_MAX]; /* go with the next byte */
    size_t given_count;
};

static int unix_descriptor(const struct xport *xport)
{
    return ((const struct xport_unix *)xport)->fd;
}

static bool is_temporary(int error)
{
    return error == EAGAIN || error == EWOULDBLOCK || error == ENOBUFS || error == ENOMEM;
}

static enum xport_result unix_send(struct xport *base, const struct client_piece *pieces,
                                   size_t count, size_t *sent)
{
    struct xport_unix *xport = (struct xport_unix *)base;
    struct iovec vectors[PIECES_MAX];
    *sent = 0;
    if (xport->ended != XPORT_OK)
        return XPORT_LOST;
    count = MIN_OF(count, (size_t)PIECES_MAX);
    for (size_t i = 0; i < count; i++)
        vectors[i] = (struct iovec){.iov_base = (void *)(uintptr_t)pieces[i].data,
                                    .iov_len = pieces[i].length};
    ssize_t written;
    do
        written = scm_write(xport->fd, vectors, (int)count, xport->given, xport->given_count);
    while (written < 0 && errno == EINTR);
    if (written < 0)
        /* A lost peer is reported by receive(), after what it sent before. */
        return is_temporary(errno) ? XPORT_AGAIN : XPORT_LOST;
    *sent = (size_t)written;
    xport->given_count = 0;
    return XPORT_OK;
}

static void unix_give(struct xport *base, const int *fds, size_t count)
{
    struct xport_unix *xport = (struct xport_unix *)base;
    CHECK(count <= XPORT_FDS_MAX);
    memcpy(xport->given, fds, count * sizeof(*fds));
    xport->given_count = count;
}

static int unix_take(struct xport *base, int *fds, size_t count)
{
    return scm_take(&((struct xport_unix *)base)->came, fds, count);
}

/* Makes room behind the bytes read ahead; a buffer that frames still point into is left to them. */
static int buffer_room(struct xport_unix *xport)
{
    struct buf *buffer = xport->buffer;
    const size_t length = xport->end - xport->start;
    if (buffer && length == 0 && buffer->references == 1) {
        xport->start = xport->end = 0;
        return 0;
    }
    /* All that may follow the bytes at hand before they are taken: a header, or a body up to
     * LARGE. */
    if (buffer && buffer->capacity - xport->end >= LARGE_BODY_BYTES + FRAME_HEADER_BYTES)
        return 0;
    struct buf *fresh = buf_create(READ_BUFFER_BYTES);
    if (!fresh)
        return -1;
    if (length)
        memcpy(fresh->data, buffer->data + xport->start, length);
    buf_drop(buffer);
    xport->buffer = fresh;
    xport->start = 0;
    xport->end = length;
    return 0;
}

/* One read: into the large body first, then ahead. */
static enum xport_result fill(struct xport_unix *xport)
{
    if (xport->ended != XPORT_OK)
        return xport->ended;
    if (buffer_room(xport) < 0)
        return XPORT_NO_MEMORY;
    struct iovec vectors[2];
    int count = 0;
    size_t missing = 0;
    if (xport->body) {
        missing = xport->header.length - xport->body_length;
        vectors[count++] = (struct iovec){xport->body->data + xport->body_length, missing};
    }
    vectors[count++] = (struct iovec){xport->buffer->data + xport->end,
                                      xport->buffer->capacity - xport->end};
    const size_t fds_before = xport->came.count;
    ssize_t got;
    do
        got = scm_read(xport->fd, vectors, count, xport->read, &xport->came);
    while (got < 0 && errno == EINTR);
    if (got < 0 && is_temporary(errno))
        return XPORT_AGAIN;
    if (got <= 0) {
        xport->ended = XPORT_LOST;
        return XPORT_LOST;
    }
    xport->read += (size_t)got;
    /* A read ends where descriptors came with the bytes; more may be there. */
    xport->is_drained = (size_t)got < missing + xport->buffer->capacity - xport->end &&
                        xport->came.count == fds_before;
    const size_t into_body = MIN_OF((size_t)got, missing);
    xport->body_length += into_body;
    xport->end += (size_t)got - into_body;
    return XPORT_OK;
}

static void frame_fill(struct frame *frame, const struct frame_header *header, struct slice body)
{
    *frame = (struct frame){
        .kind = header->kind,
        .flags = header->flags,
        .source = header->source,
        .destination = header->destination,
        .sequence = header->sequence,
        .body = body,
    };
}

/* The large body, when it is all there. */
static enum xport_result take_large(struct xport_unix *xport, struct frame *frame)
{
    if (xport->body_length < xport->header.length)
        return XPORT_AGAIN;
    const struct slice body = {
        .buf = xport->body, .data = xport->body->data, .length = xport->header.length};
    frame_fill(frame, &xport->header, body);
    xport->body = NULL;
    return XPORT_OK;
}

/* The head of a large frame is in the buffer and its end is not: its body gets its own place. */
static enum xport_result begin_large(struct xport_unix *xport, const struct frame_header *header,
                                     size_t available)
{
    struct buf *body = buf_create(header->length);
    if (!body)
        return XPORT_NO_MEMORY;
    memcpy(body->data, xport->buffer->data + xport->start + FRAME_HEADER_BYTES, available);
    xport->body = body;
    xport->body_length = available;
    xport->header = *header;
    xport->start += FRAME_HEADER_BYTES + available;
    return XPORT_AGAIN;
}

/* A frame out of what was read ahead; AGAIN = more must be read. */
static enum xport_result take(struct xport_unix *xport, struct frame *frame)
{
    if (xport->body)
        return take_large(xport, frame);
    if (xport->end - xport->start < FRAME_HEADER_BYTES)
        return XPORT_AGAIN;
    struct frame_header header;
    if (frame_header_decode(xport->buffer->data + xport->start, &header) < 0) {
        xport->ended = XPORT_BAD;
        return XPORT_BAD;
    }
    const size_t available = xport->end - xport->start - FRAME_HEADER_BYTES;
    if (available < header.length)
        return header.length < LARGE_BODY_BYTES ? XPORT_AGAIN
                                                : begin_large(xport, &header, available);
    struct slice body = {0};
    if (header.length)
        body = slice_of(xport->buffer, xport->start + FRAME_HEADER_BYTES, header.length);
    frame_fill(frame, &header, body);
    xport->start += FRAME_HEADER_BYTES + header.length;
    return XPORT_OK;
}

static enum xport_result unix_receive(struct xport *base, struct frame *frame)
{
    struct xport_unix *xport = (struct xport_unix *)base;
    if (xport->ended == XPORT_BAD)
        return XPORT_BAD;
    /* What came with frames that are all handed out was not wanted. */
    if (xport->came.count)
        scm_expire(&xport->came, xport->taken);
    for (;;) {
        const enum xport_result result = take(xport, frame);
        if (result == XPORT_OK)
            xport->taken += FRAME_HEADER_BYTES + frame->body.length;
        if (result != XPORT_AGAIN)
            return result;
        if (xport->is_drained) {
            xport->is_drained = false;
            return XPORT_AGAIN;
        }
        const enum xport_result filled = fill(xport);
        if (filled != XPORT_OK)
            return filled;
    }
}

static void unix_close(struct xport *base)
{
    struct xport_unix *xport = (struct xport_unix *)base;
    if (!xport)
        return;
    close(xport->fd);
    scm_expire(&xport->came, UINT64_MAX);
    buf_drop(xport->buffer);
    buf_drop(xport->body);
    mem_free(xport);
}

static const struct xport_ops unix_ops = {
    .name = "unix",
    .descriptor = unix_descriptor,
    .send = unix_send,
    .receive = unix_receive,
    .give = unix_give,
    .take = unix_take,
    .close = unix_close,
};

struct xport *xport_unix_create(int fd)
{
    struct xport_unix *xport = mem_calloc(1, sizeof(*xport));
    const int flags = fcntl(fd, F_GETFL);
    if (!xport || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) < 0) {
        mem_free(xport);
        close(fd);
        return NULL;
    }
    xport->base.ops = &unix_ops;
    xport->fd = fd;
    xport->ended = XPORT_OK;
    return &xport->base;
}

/* A path too long for an address is reached through a descriptor of its directory (Linux), or
 * not. */
static int address_fill(struct sockaddr_un *address, const char *path, int *directory)
{
    *directory = -1;
    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    if (strlen(path) < sizeof(address->sun_path)) {
        memcpy(address->sun_path, path, strlen(path) + 1);
        return 0;
    }
#ifdef PLATFORM_LINUX
    const char *slash = strrchr(path, '/');
    char parent[4096];
    if (!slash || (size_t)(slash - path) >= sizeof(parent)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    *directory = open(parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (*directory < 0)
        return -1;
    const int length = snprintf(address->sun_path, sizeof(address->sun_path), "/proc/self/fd/%d%s",
                                *directory, slash);
    if (length > 0 && (size_t)length < sizeof(address->sun_path))
        return 0;
    close(*directory);
#endif
    errno = ENAMETOOLONG;
    return -1;
}

struct xport *xport_unix_connect(const char *path)
{
    struct sockaddr_un address;
    int directory;
    if (address_fill(&address, path, &directory) < 0)
        return NULL;
    const int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    int status = fd < 0 ? -1 : 0;
    if (status == 0) {
        do
            status = connect(fd, (const struct sockaddr *)&address, sizeof(address));
        while (status < 0 && errno == EINTR);
    }
    const int error = errno;
    if (directory >= 0)
        close(directory);
    if (status < 0) {
        if (fd >= 0)
            close(fd);
        errno = error;
        return NULL;
    }
    struct xport *xport = xport_unix_create(fd);
    if (!xport)
        errno = ENOMEM;
    return xport;
}
