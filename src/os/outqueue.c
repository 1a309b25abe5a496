/* SPDX-License-Identifier: BSD-3-Clause */
/* What waits to be written to a task: see the header. */
#include "os/outqueue.h"

#include "base/check.h"
#include "base/mem.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

enum { ITEMS_PER_WRITE = 64, CAPACITY_FIRST = 16, WASTE_FACTOR_MAX = 4 };

struct outqueue_item {
    struct slice body;
    struct stream_mark mark;
    struct fds *fds; /* go with its first byte */
    uint8_t header_bytes;
    uint8_t header[STREAM_HEADER_BYTES_MAX];
};

void outqueue_init(struct outqueue *queue)
{
    *queue = (struct outqueue){0};
}

static struct outqueue_item *item_at(const struct outqueue *queue, size_t index)
{
    return &queue->items[(queue->first + index) & (queue->capacity - 1)];
}

static size_t item_bytes(const struct outqueue_item *item)
{
    return item->header_bytes + item->body.length;
}

void outqueue_fini(struct outqueue *queue)
{
    for (size_t i = 0; i < queue->count; i++) {
        slice_drop(&item_at(queue, i)->body);
        fds_drop(item_at(queue, i)->fds);
    }
    mem_free(queue->items);
    *queue = (struct outqueue){0};
}

bool outqueue_is_empty(const struct outqueue *queue)
{
    return queue->count == 0;
}

uint64_t outqueue_bytes(const struct outqueue *queue)
{
    return queue->bytes;
}

static int grow(struct outqueue *queue)
{
    size_t capacity = queue->capacity ? queue->capacity * 2 : CAPACITY_FIRST;
    struct outqueue_item *items = mem_calloc(capacity, sizeof(*items));
    if (!items)
        return -1;
    for (size_t i = 0; i < queue->count; i++)
        items[i] = *item_at(queue, i);
    mem_free(queue->items);
    queue->items = items;
    queue->capacity = capacity;
    queue->first = 0;
    return 0;
}

int outqueue_add(struct outqueue *queue, const uint8_t *header, size_t header_bytes,
                 struct slice body, struct fds *fds, struct stream_mark mark)
{
    if (queue->count == queue->capacity && grow(queue) < 0)
        return -1;
    struct outqueue_item *item = item_at(queue, queue->count++);
    item->body = slice_hold(body);
    item->fds = fds_hold(fds);
    item->mark = mark;
    item->header_bytes = (uint8_t)header_bytes;
    if (header_bytes)
        memcpy(item->header, header, header_bytes);
    queue->bytes += item_bytes(item);
    return 0;
}

/* ---- reporting ---- */

/* Frames written one after the other with the same mark are reported as one. */
struct report {
    outqueue_taken_f taken;
    void *context;
    uint64_t bytes;
    struct stream_mark mark;
};

static void report_flush(struct report *report)
{
    uint64_t bytes = report->bytes;
    report->bytes = 0;
    if (bytes)
        report->taken(report->context, bytes, report->mark);
}

static void report_item(struct report *report, const struct outqueue_item *item)
{
    if (report->bytes && (report->mark.a != item->mark.a || report->mark.b != item->mark.b))
        report_flush(report);
    report->mark = item->mark;
    report->bytes += item_bytes(item);
}

static void drop_first(struct outqueue *queue, struct report *report)
{
    struct outqueue_item *item = item_at(queue, 0);
    queue->bytes -= item_bytes(item) - queue->written;
    queue->written = 0;
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    if (queue->compacted)
        queue->compacted--;
    struct outqueue_item gone = *item; /* reporting may add items and move the ring */
    slice_drop(&item->body);
    fds_drop(item->fds);
    report_item(report, &gone);
}

void outqueue_drop_all(struct outqueue *queue, outqueue_taken_f taken, void *context)
{
    struct report report = {.taken = taken, .context = context};
    while (queue->count > 0)
        drop_first(queue, &report);
    report_flush(&report);
}

/* ---- writing ---- */

static size_t add_part(struct iovec *parts, size_t count, const uint8_t *bytes, size_t length,
                       size_t *skip)
{
    size_t cut = MIN_OF(*skip, length);
    *skip -= cut;
    if (cut == length)
        return count;
    parts[count] = (struct iovec){(void *)(uintptr_t)(bytes + cut), length - cut};
    return count + 1;
}

static size_t gather(const struct outqueue *queue, struct iovec parts[2 * ITEMS_PER_WRITE])
{
    size_t count = 0, skip = queue->written;
    for (size_t i = 0; i < queue->count && i < ITEMS_PER_WRITE; i++) {
        const struct outqueue_item *item = item_at(queue, i);
        if (i > 0 && item->fds)
            break; /* they go with the first byte of a call */
        count = add_part(parts, count, item->header, item->header_bytes, &skip);
        count = add_part(parts, count, item->body.data, item->body.length, &skip);
    }
    return count;
}

static void advance(struct outqueue *queue, size_t bytes, struct report *report)
{
    while (bytes > 0) {
        size_t left = item_bytes(item_at(queue, 0)) - queue->written;
        if (bytes < left) {
            queue->written += bytes;
            queue->bytes -= bytes;
            return;
        }
        bytes -= left;
        drop_first(queue, report);
    }
}

/* What has to wait gives back the big buffers it is a small part of. Without memory it just stays.
 */
static void compact(struct outqueue *queue)
{
    for (; queue->compacted < queue->count; queue->compacted++) {
        struct slice *body = &item_at(queue, queue->compacted)->body;
        /* A body that lies in the memory of its sender wastes none of ours. */
        if (!body->buf || body->buf->release ||
            body->buf->capacity / WASTE_FACTOR_MAX <= body->length)
            continue;
        struct slice copy = slice_copy(body->data, body->length);
        if (!copy.buf && body->length)
            return;
        slice_drop(body);
        *body = copy;
    }
}

enum outqueue_result outqueue_write(struct outqueue *queue, int fd, size_t bytes_max,
                                    outqueue_taken_f taken, void *context)
{
    struct report report = {.taken = taken, .context = context};
    enum outqueue_result result = OUTQUEUE_OK;
    size_t total = 0;
    while (queue->count > 0 && total < bytes_max && result == OUTQUEUE_OK) {
        struct iovec parts[2 * ITEMS_PER_WRITE];
        struct msghdr message = {.msg_iov = parts};
        message.msg_iovlen = gather(queue, parts);
        ssize_t sent = fds_send(fd, &message, queue->written ? NULL : item_at(queue, 0)->fds);
        if (sent >= 0) {
            total += (size_t)sent;
            queue->written_total += (uint64_t)sent;
            advance(queue, (size_t)sent, &report);
        } else if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
            result = OUTQUEUE_BLOCKED;
        } else if (errno != EINTR) {
            result = OUTQUEUE_BROKEN;
        }
    }
    if (result == OUTQUEUE_BLOCKED)
        compact(queue);
    report_flush(&report);
    return result;
}
