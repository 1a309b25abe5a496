/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The library of one task without its sockets: message buffers, packing, matching, sequences,
 * requests. libpvm puts a blocking interface and a transport round it; the simulator makes whole
 * tasks of it.
 *
 * Nothing here blocks. Frames from the daemon go in by client_feed(); frames for the daemon are
 * pulled out by client_pull() (whole frames) or client_out_pieces() (bytes for a vectored write).
 * "Now" does not exist: time-outs are the caller's.
 *
 * Unless said otherwise a function returns a PVM result: negative = one of enum client_error, else
 * as the public call of the same name (manual page pvm_<name>(3)); nothing is changed when it
 * fails. Pointers passed in are borrowed for the call. No call prints, and none touches errno.
 */
#ifndef CLIENT_CLIENT_H
#define CLIENT_CLIENT_H

#include "base/arena.h"
#include "base/buf.h"
#include "client/errors.def"
#include "client/tids.h"
#include "wire/frame.h"
#include "wire/msgs.h"
#include "wire/parcel.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

/* CLIENT_PvmBadParam and so on: the numbers of pvm3.h, which a pure layer does not include. */
enum client_error {
#define CLIENT_ERROR(name, code, text) CLIENT_##name = code,
    ERROR_TABLE(CLIENT_ERROR)
#undef CLIENT_ERROR
};
/* "Bad parameter"; "Error 9" never: NULL for a code without a row. */
const char *client_error_text(int code);

/* ---- life ---- */

struct client;

/* What a shell with routes beside the frames offers (docs/datapath.md); all NULL = frames only. */
struct client_routes {
    void *context;
    /* A buffer for packing, of about |wanted| bytes, that a route can pass on without a copy; NULL:
     * buf_create() is used. */
    struct buf *(*room)(void *context, size_t wanted);
    /* Takes the whole message: 1; 0 = this one cannot go by |route|; PvmNoMem. 0 is fine at any
     * time: the message then goes as frames, and order is kept (decision D4). */
    int (*send)(void *context, void *route, const struct parcel *parcel);
    /* There is much to say to |tid|: a route would be good. Asked once for each peer; for tasks of
     * other hosts |tid| is the daemon's. */
    void (*wanted)(void *context, int tid);
};

struct client_config {
    struct client_routes routes;
    uint32_t signature; /* CST-15; client_signature_native() outside of tests */
    /* True: PvmDataInPlace pieces are copied when sent. False: the caller keeps them unchanged
     * until the outbox is empty again (libpvm sends before it returns). */
    bool copy_in_place;
};

/* Who this task is; filled by the daemon's answer to enrolment. */
struct client_identity {
    int tid;                 /* 0 = not enrolled */
    int parent;              /* tid, or CLIENT_PvmNoParent, CLIENT_PvmParentNotSet */
    int daemon_tid;          /* of this host: S bit and host number */
    struct wire_sink output; /* where the daemon sends our output; tid 0 = nowhere */
    struct wire_sink trace;
    const char *host_name; /* until the next enrolment or client_destroy() */
};

/* What belongs to one thread of the program (decision D14): zeroed at first. A buffer is active in
 * one thread: who makes it active takes it from the other. */
struct client_thread {
    int send_mid; /* active buffers */
    int receive_mid;
    int context;
    bool is_listed;
    struct client_thread *next;
};
/* Calls concern |thread| until the next client_enter(); NULL = the client's own. One thread at a
 * time is in the client. |thread| stays where it is until client_thread_end(). */
void client_enter(struct client *client, struct client_thread *thread);
/* |thread| has ended: frees its active buffers, as its next receive and initsend would have. */
void client_thread_end(struct client *client, struct client_thread *thread);

/* Data signature of the machine this was compiled for (CST-15). */
uint32_t client_signature_native(void);
/* NULL without memory. */
struct client *client_create(const struct client_config *config);
void client_destroy(struct client *client);
/* Queues TM_ENROL: the first frame of a connection. |cookie| from PVMEPID or 0; |name| may be
 * NULL. */
int client_enrol(struct client *client, uint32_t pid, uint64_t cookie, const char *name);
/* 1 enrolled; 0 no answer yet; negative: refused, *error (may be NULL) gets the daemon's words. */
int client_enrolled(struct client *client, const char **error);
const struct client_identity *client_identity(const struct client *client);
/* Before TM_EXIT: what kept messages borrow from others' memory, who take it back when this task is
 * gone, is copied. Without memory for it they stay as they are. */
void client_own_bodies(struct client *client);
/* The connection is gone (lost, or after the answer to TM_EXIT): forgets the tid, waiting and
 * half messages, sequences, unanswered requests and the outbox. Buffers that have a mid and
 * options stay. */
void client_leave(struct client *client);

/* ---- frames ---- */

/* One frame from the daemon. 0 = taken; a frame that makes no sense is dropped and counted.
 * CLIENT_PvmNoMem = nothing changed: feed the same frame again later. */
int client_feed(struct client *client, const struct frame *frame);
/* The next frame for the daemon, with references of its own, its body in one piece: 1; 0 = none;
 * CLIENT_PvmNoMem. Not while client_out_sent() has left a frame half sent. */
int client_pull(struct client *client, struct frame *frame);

/* One whole message of |source| that came by a route. As client_feed(). */
int client_feed_parcel(struct client *client, int source, const struct parcel *parcel);
/* From now on messages for |tid| (the daemon's: for everybody who has no route of his own) go by
 * |route|; NULL = as frames again. 0 or PvmNoMem. */
int client_set_route(struct client *client, int tid, void *route);

struct client_piece {
    const void *data;
    size_t length;
};
/* The first pieces of what is to be sent, at most |max|; returns how many (0 = nothing waits).
 * Valid until the next call on |client|. */
size_t client_out_pieces(const struct client *client, struct client_piece *pieces, size_t max);
/* |length| bytes of them were sent. */
void client_out_sent(struct client *client, size_t length);
bool client_out_is_empty(const struct client *client);

struct client_stats {
    uint64_t frames_bad;    /* dropped: made no sense */
    uint64_t duplicates;    /* dropped: message of a sequence that was delivered before */
    uint64_t messages_torn; /* dropped: FRAME_ABORT, or lengths that do not add up */
    uint64_t notices_held;  /* waited for a message that was to come before them */
    size_t messages_queued; /* delivered, not yet received */
};
struct client_stats client_stats(const struct client *client);

/* ---- message buffers (API-36 to API-43) ---- */

/* As struct pvmminfo. */
struct client_minfo {
    int length, context, tag, wait_id, encoding, crc, source, destination;
};

int client_mkbuf(struct client *client, int encoding);
int client_initsend(struct client *client, int encoding);
int client_freebuf(struct client *client, int mid);
int client_setsbuf(struct client *client, int mid);
int client_setrbuf(struct client *client, int mid);
int client_getsbuf(const struct client *client);
int client_getrbuf(const struct client *client);
int client_bufinfo(const struct client *client, int mid, int *bytes, int *tag, int *tid);
int client_getminfo(const struct client *client, int mid, struct client_minfo *info);
int client_setminfo(struct client *client, int mid, const struct client_minfo *info);
int client_pkmesg(struct client *client, int mid);
int client_pkmesgbody(struct client *client, int mid);
int client_upkmesg(struct client *client);

/* ---- packing (API-44 to API-46) ---- */

enum client_type {
    CLIENT_BYTE,
    CLIENT_SHORT,
    CLIENT_USHORT,
    CLIENT_INT,
    CLIENT_UINT,
    CLIENT_LONG,
    CLIENT_ULONG,
    CLIENT_FLOAT,
    CLIENT_DOUBLE,
    CLIENT_CPLX,
    CLIENT_DCPLX,
    CLIENT_TYPES
};

/* |count| items of |type| at |items|, |stride| items apart, into the active send buffer. A
 * message that was received can be added to, and sent on. */
int client_pack(struct client *client, enum client_type type, const void *items, int count,
                int stride);
/* Out of the active receive buffer. After PvmNoData nothing was taken. */
int client_unpack(struct client *client, enum client_type type, void *items, int count, int stride);
int client_pack_text(struct client *client, const char *text);
/* |text| must have room, as ever: see client_unpack_text_bound() for callers that can say how
 * much. */
int client_unpack_text(struct client *client, char *text);
/* As above; a string that needs more than |size_bytes| is PvmOverflow and stays unread. */
int client_unpack_text_bound(struct client *client, char *text, size_t size_bytes);
int client_vpackf(struct client *client, const char *format, va_list args);
int client_vunpackf(struct client *client, const char *format, va_list args);
int client_packf(struct client *client, const char *format, ...);
int client_unpackf(struct client *client, const char *format, ...);

/* ---- sending (API-47 to API-49) ---- */

/* Queues the active send buffer for |tid|; it stays active. A body of 2 GiB or more cannot come
 * about: the packing that would make it returns PvmOverflow and leaves the buffer as it was. */
int client_send(struct client *client, int tid, int tag);
int client_mcast(struct client *client, const int *tids, int count, int tag);
/* |type| is PVM_BYTE and so on (CST-10). */
int client_psend(struct client *client, int tid, int tag, const void *items, int count, int type);

/* ---- receiving (API-51 to API-55): what has been fed and is delivered ---- */

/* Frees the active receive buffer; takes the first match, makes it active, returns its mid; 0 =
 * none. */
int client_receive(struct client *client, int tid, int tag);
/* Mid of the first match, which stays; 0 = none. */
int client_probe(struct client *client, int tid, int tag);
/* Copies the body of the first match, at most |size_bytes|; 1, or 0 = none. Any result pointer
 * may be NULL; *length is of the whole body. The active buffers stay as they are. */
int client_precv(struct client *client, int tid, int tag, void *items, int count, int type,
                 int *source, int *found_tag, int *length);
/* Asks the daemon, once, to say when |tid| ends: for a receive that waits for it alone (decision
 * D15). 0 or an error; nothing to do for what is no other task. */
int client_watch(struct client *client, int tid);
/* PvmNoTask, or PvmHostFail when its host went: |tid| has ended and all it sent was delivered.
 * Told once, then asked anew: a tid may come again. 0 = not known to have ended. With |again|
 * only what was told before and not contradicted since: for receives that end by themselves. */
int client_end(struct client *client, int tid, bool again);
/* pvm_recvf(): NULL = the default matcher, which alone looks at contexts. Returns the previous
 * one. */
typedef int (*client_matcher_f)(int mid, int tid, int tag);
client_matcher_f client_set_matcher(struct client *client, client_matcher_f matcher);
/* The default rule, for custom matchers that fall back on it. 1 or 0. */
int client_match_default(const struct client *client, int mid, int tid, int tag);
/* |hook| sees every message of a system context (TID_CONTEXT_SYSTEM_MIN and up) when it is
 * delivered, as the active receive buffer, with no send buffer; true = dealt with, it is freed.
 * It may pack, unpack and send, nothing else. */
typedef bool (*client_hook_f)(void *argument, int mid, int context, int tag);
void client_set_hook(struct client *client, client_hook_f hook, void *argument);
/* Message handlers (API-57, API-58). From now on |function| gets every message of |source|, |tag|
 * and |context| (-1 = any) that is delivered, instead of the queue. A number of its own; PvmExists
 * when another handler would get some of these too. */
typedef int (*client_handler_f)(int mid);
int client_add_handler(struct client *client, int source, int tag, int context,
                       client_handler_f function);
/* PvmBadParam, PvmNotFound. Messages that wait for it then wait to be received. */
int client_delete_handler(struct client *client, int handler);
void client_clear_handlers(struct client *client);
/* What |handler| is for: 1; 0 = there is none now, PvmNotFound = nor beyond. */
int client_handler_fields(const struct client *client, int handler, int *source, int *tag,
                          int *context);
/* False = client_run_handlers() has nothing to do and will have nothing. */
bool client_has_handlers(const struct client *client);
/* To be called where nothing else is under way and before it is said that no message is there:
 * calls the handlers of all that was delivered. |call| (NULL: just does it) calls |function|, with
 * what the shell wants to do before and after; |context| is current meanwhile, the message is the
 * active receive buffer and there is no send buffer. A handler may call everything, this too; it is
 * not called anew while it runs. 1 = something was dealt with, or can be received now; 0 = nothing;
 * PvmNoMem: call again, nothing is lost. */
typedef void (*client_call_f)(client_handler_f function, int mid, int context);
int client_run_handlers(struct client *client, client_call_f call);
/* |lost| is called when |host| (its base tid) is gone, after all that came from it was
 * delivered. It may do what a hook may. */
typedef void (*client_lost_f)(void *argument, int host);
void client_set_lost(struct client *client, client_lost_f lost, void *argument);

int client_getcontext(const struct client *client);
int client_setcontext(struct client *client, int context);

/* ---- options (API-61): client/opts.def ---- */

/* 0 and *value, or PvmBadParam. */
int client_getopt(const struct client *client, int option, int *value);
/* 0, or an error. *tell_daemon (may be NULL) true: the caller is to send TM_SETSINKS with
 * client_identity()'s sinks. */
int client_setopt(struct client *client, int option, int value, bool *tell_daemon);
/* Where the output (trace) of tasks spawned from here goes. */
void client_child_sinks(const struct client *client, struct wire_sink sinks[2]);

/* ---- requests ---- */

/* Queues |request| (a TM message, not TM_ENROL) with a fresh wait number, set in it. Returns the
 * number (positive) to ask client_answer() with, 0 for messages that have no answer, or an
 * error. */
int client_request(struct client *client, struct message *request);
/* The answer to |wait|: 1, decoded into |arena|, and forgotten here; 0 = not yet; PvmNoMem: ask
 * again; PvmBadMsg: it came but cannot be read (forgotten); PvmSysErr: unknown, or lost with the
 * connection. */
int client_answer(struct client *client, int wait, struct arena *arena, struct message *answer);
/* Nobody will ask for the answer to |wait|. */
void client_forget(struct client *client, int wait);

/* The requests with rules of their own; each checks its parameters and returns a wait number, or
 * an error. |argv| ends with NULL and may be NULL, |environment| likewise. */
int client_spawn(struct client *client, const char *file, char *const *argv, int flags,
                 const char *where, int count, char *const *environment);
int client_addhosts(struct client *client, char *const *names, int count);
int client_delhosts(struct client *client, char *const *names, int count);
int client_mstat(struct client *client, const char *host);
int client_pstat(struct client *client, int tid);
/* No answer comes: 0 or an error. */
int client_sendsig(struct client *client, int tid, int signal);
int client_notify(struct client *client, int what, int tag, int count, const int *tids);

/* ---- mailboxes (API-63 to API-69) ---- */

/* Requests, each checks its parameters and returns a wait number, or an error. Answered by TM_DONE
 * with an index or an error: put, insert, delete, reset; TM_INFO, its status the index: receive,
 * lookup; TM_INFOLIST: list. A message longer than WIRE_MBOX_BYTES_MAX is PvmNoMem. */
int client_putinfo(struct client *client, const char *name, int mid, int flags);
int client_insert(struct client *client, const char *name, int index, int flags, int value);
int client_recvinfo(struct client *client, const char *name, int index, int flags);
int client_lookup(struct client *client, const char *name, int index);
int client_delinfo(struct client *client, const char *name, int index, int flags);
int client_listinfo(struct client *client, const char *pattern);
/* |name| NULL = all classes, |index| -1 = all: entries that nobody owns, or one of |tids|. */
int client_resetinfo(struct client *client, const char *name, int index, const int *tids,
                     size_t count);
/* Makes the message in |info| the active receive buffer; its mid, or an error. */
int client_take_info(struct client *client, const struct wire_tm_info *info);
/* The number in it; *value (may be NULL) is left as it is when there is none. 0 or an error. */
int client_info_value(struct client *client, const struct wire_tm_info *info, int *value);

#endif
