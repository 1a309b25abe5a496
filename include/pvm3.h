/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The C interface of PVM 3, as programs written for PVM 3.4.6 use it. Manual pages: pvm_<name>(3).
 *
 * Calls return a negative number, one of the error codes below, when they fail. pvm_catchout() and
 * the mailbox macro that prints need <stdio.h> to be included first.
 */
#ifndef PVM3_H
#define PVM3_H

#include <sys/time.h>

#define PVM_VER                    "3.4.6"
#define PVM_MAJOR_VERSION          3
#define PVM_MINOR_VERSION          4
#define PVM_PATCH_VERSION          6

/* Encoding of a message. */
#define PvmDataDefault             0
#define PvmDataRaw                 1
#define PvmDataInPlace             2
#define PvmDataFoo                 PvmDataDefault
#define PvmDataTrace               4

/* pvm_spawn(): where and how. */
#define PvmTaskDefault             0
#define PvmTaskHost                1
#define PvmTaskArch                2
#define PvmTaskDebug               4
#define PvmTaskTrace               8
#define PvmMppFront                16
#define PvmHostCompl               32
#define PvmNoSpawnParent           64

/* pvm_notify(): what to be told of. */
#define PvmTaskExit                1
#define PvmHostDelete              2
#define PvmHostAdd                 3
#define PvmRouteAdd                4
#define PvmRouteDelete             5
#define PvmNotifyCancel            256

/* pvm_setopt(), pvm_getopt(). */
#define PvmRoute                   1
#define PvmDebugMask               2
#define PvmAutoErr                 3
#define PvmOutputTid               4
#define PvmOutputCode              5
#define PvmTraceTid                6
#define PvmTraceCode               7
#define PvmTraceBuffer             8
#define PvmTraceOptions            9
#define PvmFragSize                10
#define PvmResvTids                11
#define PvmSelfOutputTid           12
#define PvmSelfOutputCode          13
#define PvmSelfTraceTid            14
#define PvmSelfTraceCode           15
#define PvmSelfTraceBuffer         16
#define PvmSelfTraceOptions        17
#define PvmShowTids                18
#define PvmPollType                19
#define PvmPollTime                20
#define PvmOutputContext           21
#define PvmTraceContext            22
#define PvmSelfOutputContext       23
#define PvmSelfTraceContext        24
#define PvmNoReset                 25

/* Values of PvmRoute. */
#define PvmDontRoute               1
#define PvmAllowDirect             2
#define PvmRouteDirect             3

/* Values of the trace options. */
#define PvmTraceFull               1
#define PvmTraceTime               2
#define PvmTraceCount              3

/* Values of PvmPollType. */
#define PvmPollConstant            1
#define PvmPollSleep               2

/* pvm_settmask(), pvm_gettmask(): whose. */
#define PvmTaskSelf                0
#define PvmTaskChild               1

/* The context every task starts in unless its spawner was in another. */
#define PvmBaseContext             0

/* pvm_putinfo(), pvm_recvinfo(). */
#define PvmMboxDefault             0
#define PvmMboxPersistent          1
#define PvmMboxMultiInstance       2
#define PvmMboxOverWritable        4
#define PvmMboxFirstAvail          8
#define PvmMboxReadAndDelete       16
#define PvmMboxWaitForInfo         32
#define PvmMboxMaxFlag             512
#define PvmMboxDirectIndexShift    10
#define PvmMboxMaxDirectIndex      (1u << (31 - PvmMboxDirectIndexShift))
/* An index the caller chooses, as part of the flags; one too large is reported and taken as 0. */
#define PvmMboxDirectIndex(index)                                                                 \
    ((unsigned)(index) < PvmMboxMaxDirectIndex                                                    \
         ? ((index) << PvmMboxDirectIndexShift)                                                   \
         : (fprintf(stderr, "mailbox index %d does not fit: the limit is %u\n", (int)(index),     \
                    PvmMboxMaxDirectIndex),                                                       \
            0))
#define PvmMboxDirectIndexOf(flags)                                                               \
    (((unsigned)(flags) >> PvmMboxDirectIndexShift) & (PvmMboxMaxDirectIndex - 1))

/* Type of data: pvm_psend(), pvm_precv(), pvm_reduce() and others. */
#define PVM_STR                    0
#define PVM_BYTE                   1
#define PVM_SHORT                  2
#define PVM_INT                    3
#define PVM_FLOAT                  4
#define PVM_CPLX                   5
#define PVM_DOUBLE                 6
#define PVM_DCPLX                  7
#define PVM_LONG                   8
#define PVM_USHORT                 9
#define PVM_UINT                   10
#define PVM_ULONG                  11

/* pvm_send() with these writes a trace event of the user's own. */
#define PVM_TRACE_TID              (-1111)
#define PVM_TRACE_CODE             (-2222)

/* Errors. */
#define PvmOk                      0
#define PvmBadParam                (-2)
#define PvmMismatch                (-3)
#define PvmOverflow                (-4)
#define PvmNoData                  (-5)
#define PvmNoHost                  (-6)
#define PvmNoFile                  (-7)
#define PvmDenied                  (-8)
#define PvmNoMem                   (-10)
#define PvmBadMsg                  (-12)
#define PvmSysErr                  (-14)
#define PvmNoBuf                   (-15)
#define PvmNoSuchBuf               (-16)
#define PvmNullGroup               (-17)
#define PvmDupGroup                (-18)
#define PvmNoGroup                 (-19)
#define PvmNotInGroup              (-20)
#define PvmNoInst                  (-21)
#define PvmHostFail                (-22)
#define PvmNoParent                (-23)
#define PvmNotImpl                 (-24)
#define PvmDSysErr                 (-25)
#define PvmBadVersion              (-26)
#define PvmOutOfRes                (-27)
#define PvmDupHost                 (-28)
#define PvmCantStart               (-29)
#define PvmAlready                 (-30)
#define PvmNoTask                  (-31)
#define PvmNotFound                (-32)
#define PvmExists                  (-33)
#define PvmHostrNMstr              (-34)
#define PvmParentNotSet            (-35)
#define PvmIPLoopback              (-36)
#define PvmNoEntry                 PvmNotFound
#define PvmDupEntry                PvmDenied

/* How pvmtmpnam() makes a name, and how long it can be. */
#ifdef NOTMPNAM
#define PVMTMPNAMFUN(x) pvmtmpnam(x)
#define PVMTMPNAMLEN 128
#else
#define PVMTMPNAMFUN(x) tmpnam(x)
#define PVMTMPNAMLEN L_tmpnam
#endif

struct pvmhostinfo {
    int hi_tid;    /* base tid of the host */
    char *hi_name;
    char *hi_arch;
    int hi_speed;
    int hi_dsig;   /* data signature */
};

struct pvmtaskinfo {
    int ti_tid;
    int ti_ptid;   /* spawner, 0 = none, PvmParentNotSet = hidden */
    int ti_host;   /* base tid of its host */
    int ti_flag;
    char *ti_a_out;
    int ti_pid;
};

struct pvmminfo {
    int len;       /* bytes of the body */
    int ctx;
    int tag;
    int wid;       /* names a request and its answer */
    int enc;
    int crc;
    int src;
    int dst;
};

/* Mailbox classes in which services make themselves known. */
#define PVMNORESETCLASS "###_PVM_NO_RESET_###"
#define PVMHOSTERCLASS  "###_PVM_HOSTER_###"
#define PVMTASKERCLASS  "###_PVM_TASKER_###"
#define PVMTRACERCLASS  "###_PVM_TRACER_###"
#define PVMRMCLASS      "###_PVM_RM_###"

struct pvmmboxinfo {
    char *mi_name;
    int mi_nentries;
    int *mi_indices;
    int *mi_owners;
    int *mi_flags;
};

#ifdef __cplusplus
extern "C" {
#endif

/* The last error: only of meaning after a call that failed. */
extern int pvm_errno;

/* Joining, leaving, identity. */
int pvm_mytid(void);
int pvm_exit(void);
int pvm_parent(void);
int pvm_siblings(int **tids);
int pvm_tidtohost(int tid);

/* The virtual machine. */
int pvm_start_pvmd(int argc, char **argv, int block);
int pvm_halt(void);
int pvm_config(int *nhost, int *narch, struct pvmhostinfo **hosts);
int pvm_addhosts(char **names, int count, int *results);
int pvm_delhosts(char **names, int count, int *results);
int pvm_mstat(char *host);
int pvm_hostsync(int host, struct timeval *clock, struct timeval *delta);
int pvm_archcode(char *arch);
int pvm_tickle(int narg, int *args, int *nresp, int *resp);
int pvm_getfds(int **fds);
char *pvm_version(void);

/* Tasks. */
int pvm_spawn(char *file, char **argv, int flags, char *where, int count, int *tids);
int pvm_tasks(int where, int *ntask, struct pvmtaskinfo **tasks);
int pvm_pstat(int tid);
int pvm_kill(int tid);
int pvm_sendsig(int tid, int signal);
int pvm_notify(int what, int tag, int count, int *tids);
int pvm_export(char *name);
int pvm_unexport(char *name);
#ifdef EOF /* <stdio.h> was included */
int pvm_catchout(FILE *file);
#endif

/* Options, errors. */
int pvm_getopt(int what);
int pvm_setopt(int what, int value);
int pvm_perror(char *message);
char *pvm_strerror(void);

/* Message buffers. */
int pvm_mkbuf(int encoding);
int pvm_initsend(int encoding);
int pvm_freebuf(int mid);
int pvm_getsbuf(void);
int pvm_setsbuf(int mid);
int pvm_getrbuf(void);
int pvm_setrbuf(int mid);
int pvm_bufinfo(int mid, int *bytes, int *tag, int *tid);
int pvm_getminfo(int mid, struct pvmminfo *info);
int pvm_setminfo(int mid, struct pvmminfo *info);

/* Packing. */
int pvm_pkbyte(char *items, int count, int stride);
int pvm_pkcplx(float *items, int count, int stride);
int pvm_pkdcplx(double *items, int count, int stride);
int pvm_pkdouble(double *items, int count, int stride);
int pvm_pkfloat(float *items, int count, int stride);
int pvm_pkint(int *items, int count, int stride);
int pvm_pklong(long *items, int count, int stride);
int pvm_pkshort(short *items, int count, int stride);
int pvm_pkuint(unsigned int *items, int count, int stride);
int pvm_pkulong(unsigned long *items, int count, int stride);
int pvm_pkushort(unsigned short *items, int count, int stride);
int pvm_pkstr(char *text);
int pvm_packf(const char *format, ...);
int pvm_pkmesg(int mid);
int pvm_pkmesgbody(int mid);

/* Unpacking. */
int pvm_upkbyte(char *items, int count, int stride);
int pvm_upkcplx(float *items, int count, int stride);
int pvm_upkdcplx(double *items, int count, int stride);
int pvm_upkdouble(double *items, int count, int stride);
int pvm_upkfloat(float *items, int count, int stride);
int pvm_upkint(int *items, int count, int stride);
int pvm_upklong(long *items, int count, int stride);
int pvm_upkshort(short *items, int count, int stride);
int pvm_upkuint(unsigned int *items, int count, int stride);
int pvm_upkulong(unsigned long *items, int count, int stride);
int pvm_upkushort(unsigned short *items, int count, int stride);
int pvm_upkstr(char *text);
int pvm_unpackf(const char *format, ...);
int pvm_upkmesg(void);

/* Sending. */
int pvm_send(int tid, int tag);
int pvm_mcast(int *tids, int count, int tag);
int pvm_psend(int tid, int tag, void *items, int count, int type);

/* Receiving. */
int pvm_recv(int tid, int tag);
int pvm_nrecv(int tid, int tag);
int pvm_trecv(int tid, int tag, struct timeval *timeout);
int pvm_probe(int tid, int tag);
int pvm_precv(int tid, int tag, void *items, int count, int type, int *source, int *found_tag,
              int *length);
int (*pvm_recvf(int (*match)(int mid, int tid, int tag)))(int, int, int);
int pvm_addmhf(int source, int tag, int context, int (*handler)(int mid));
int pvm_delmhf(int handler);

/* Contexts. */
int pvm_getcontext(void);
int pvm_setcontext(int context);
int pvm_newcontext(void);
int pvm_freecontext(int context);

/* Mailboxes. */
int pvm_putinfo(char *name, int mid, int flags);
int pvm_recvinfo(char *name, int index, int flags);
int pvm_delinfo(char *name, int index, int flags);
int pvm_getmboxinfo(char *pattern, int *nclass, struct pvmmboxinfo **classes);
int pvm_insert(char *name, int index, int data);
int pvm_lookup(char *name, int index, int *data);
int pvm_delete(char *name, int index);
int pvm_getnoresets(int **tids, int *count);

/* Groups: link with -lgpvm3 before -lpvm3. */
int pvm_joingroup(char *group);
int pvm_lvgroup(char *group);
int pvm_gsize(char *group);
int pvm_getinst(char *group, int tid);
int pvm_gettid(char *group, int instance);
int pvm_barrier(char *group, int count);
int pvm_bcast(char *group, int tag);
int pvm_freezegroup(char *group, int count);
int pvm_reduce(void (*function)(int *, void *, void *, int *, int *), void *data, int count,
               int type, int tag, char *group, int root);
int pvm_gather(void *result, void *data, int count, int type, int tag, char *group, int root);
int pvm_scatter(void *result, void *data, int count, int type, int tag, char *group, int root);
void PvmMax(int *type, void *x, void *y, int *count, int *info);
void PvmMin(int *type, void *x, void *y, int *count, int *info);
void PvmSum(int *type, void *x, void *y, int *count, int *info);
void PvmProduct(int *type, void *x, void *y, int *count, int *info);

/* Services. */
int pvm_reg_hoster(void);
int pvm_reg_tasker(void);
int pvm_reg_rm(struct pvmhostinfo **master);
int pvm_reg_tracer(int trace_context, int trace_tag, int output_context, int output_tag, char *mask,
                   int buffer, int options);

/* What the library itself works with. */
char *pvmgetrsh(void);
char *pvmgettmp(void);

#ifdef __cplusplus
}
#endif

#endif
