/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A job for a virtual machine: a picture is cut into tiles, workers on all hosts draw them, and the
 * job survives what happens to its workers and hosts.
 *
 * One program in two roles. Started by hand it is the master: it starts one worker on each host
 * (more with -n), keeps two tiles in each worker's hands, shows how it goes, and writes a PNG.
 * Started by the master (it has a parent) it is a worker: a loop of receive, draw, send. Three
 * notices make the job robust: a worker's end (its tiles go back to the pile), a host's end (it is
 * shown), a new host (it gets workers at once). What is in the picture is scene.c; the file format
 * is png.c.
 *
 *   picture [-w WIDTH] [-h HEIGHT] [-q SAMPLES] [-n WORKERS] [-a HOST]... [-s STATUS] [-o FILE]
 *
 * -n workers for each host (1); -a add this host first; -q rays for each pixel (144); -s keep a
 * line "tiles-done tiles" in this file, for scripts.
 */
#include "png.h"
#include "scene.h"

#include <pvm3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    TAG_JOB = 1,    /* master to worker: width, height, samples */
    TAG_TILE,       /* master to worker: number, x, y, width, height */
    TAG_PIXELS,     /* worker to master: number, microseconds, bytes */
    TAG_NO_MORE,    /* master to worker: the picture is done */
    TAG_WORKER_END, /* notice: a worker ended */
    TAG_HOST_END,   /* notice: a host left */
    TAG_HOST_NEW    /* notice: hosts came */
};
enum { TILE_EDGE = 32, IN_HAND_MAX = 2, HOSTS_MAX = 64, WORKERS_MAX = 256, REDRAW_US = 200000 };

struct host {
    int tid;
    char name[64];
    int gone;
    int workers;
    int tiles;
    double busy_s; /* what its workers spent drawing */
};

struct worker {
    int tid;
    int host;  /* index */
    int alive;
    int in_hand[IN_HAND_MAX]; /* numbers of tiles, -1 = none */
};

struct job {
    int width, height, samples, workers_per_host;
    const char *program, *file, *status_file;
    unsigned char *rgb;
    struct tile *tiles;
    char *done; /* of each tile */
    int *pile;  /* tiles nobody has in hand; the last one is next */
    int tile_count, pile_count, done_count;
    struct host hosts[HOSTS_MAX];
    int host_count;
    struct worker workers[WORKERS_MAX];
    int worker_count, alive_count;
    long messages, bytes, redone;
    double begin_s, shown_s;
    int lines_shown, on_terminal;
};

static double now_s(void)
{
    struct timeval t;
    gettimeofday(&t, NULL);
    return (double)t.tv_sec + (double)t.tv_usec * 1e-6;
}

/* ---- the worker ---- */

static void worker_draw(int master, int width, int height, int samples, int number,
                        struct tile tile)
{
    static unsigned char rgb[TILE_EDGE * TILE_EDGE * 3];
    double begin = now_s();
    scene_render(width, height, samples, tile, rgb);
    int microseconds = (int)((now_s() - begin) * 1e6);
    pvm_initsend(PvmDataDefault);
    pvm_pkint(&number, 1, 1);
    pvm_pkint(&microseconds, 1, 1);
    pvm_pkbyte((char *)rgb, tile.width * tile.height * 3, 1);
    pvm_send(master, TAG_PIXELS);
}

static int worker_main(int master)
{
    int job[3] = {0, 0, 0};
    /* A worker without its master is of no use: its end comes as a message like any other. */
    pvm_notify(PvmTaskExit, TAG_WORKER_END, 1, &master);
    while (pvm_recv(-1, -1) > 0) {
        int bytes, tag, from, t[5];
        pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &from);
        if (tag == TAG_NO_MORE || tag == TAG_WORKER_END)
            break;
        if (tag == TAG_JOB) {
            pvm_upkint(job, 3, 1);
        } else if (tag == TAG_TILE) {
            pvm_upkint(t, 5, 1);
            worker_draw(master, job[0], job[1], job[2], t[0],
                        (struct tile){t[1], t[2], t[3], t[4]});
        }
    }
    pvm_exit();
    return 0;
}

/* ---- the master: sending ---- */

static void send_counted(struct job *job, int tid, int tag)
{
    int bytes = 0;
    pvm_bufinfo(pvm_getsbuf(), &bytes, NULL, NULL);
    pvm_send(tid, tag);
    job->messages++;
    job->bytes += bytes;
}

/* Gives the worker tiles until its hands are full or the pile is empty. */
static void worker_fill(struct job *job, struct worker *worker)
{
    for (int i = 0; i < IN_HAND_MAX && job->pile_count > 0; i++) {
        if (worker->in_hand[i] >= 0)
            continue;
        int number = job->pile[--job->pile_count];
        struct tile *tile = &job->tiles[number];
        int t[5] = {number, tile->x, tile->y, tile->width, tile->height};
        worker->in_hand[i] = number;
        pvm_initsend(PvmDataDefault);
        pvm_pkint(t, 5, 1);
        send_counted(job, worker->tid, TAG_TILE);
    }
}

static void host_start_workers(struct job *job, int host)
{
    int tids[WORKERS_MAX];
    int room = WORKERS_MAX - job->worker_count;
    int wanted = job->workers_per_host < room ? job->workers_per_host : room;
    if (wanted < 1)
        return;
    int started = pvm_spawn((char *)job->program, NULL, PvmTaskHost, job->hosts[host].name, wanted,
                            tids);
    if (started < wanted)
        fprintf(stderr, "picture: %d of %d workers started on %s (code %d)\n",
                started < 0 ? 0 : started, wanted, job->hosts[host].name,
                started < 0 ? started : tids[started]);
    int settings[3] = {job->width, job->height, job->samples};
    for (int i = 0; i < started; i++) {
        struct worker *worker = &job->workers[job->worker_count++];
        *worker = (struct worker){.tid = tids[i], .host = host, .alive = 1, .in_hand = {-1, -1}};
        job->alive_count++;
        job->hosts[host].workers++;
        pvm_notify(PvmTaskExit, TAG_WORKER_END, 1, &tids[i]);
        pvm_initsend(PvmDataDefault);
        pvm_pkint(settings, 3, 1);
        send_counted(job, worker->tid, TAG_JOB);
        worker_fill(job, worker);
    }
}

/* Takes notice of hosts not known so far. */
static void hosts_look(struct job *job)
{
    int count;
    struct pvmhostinfo *list;
    if (pvm_config(&count, NULL, &list) < 0)
        return;
    for (int i = 0; i < count && job->host_count < HOSTS_MAX; i++) {
        int known = 0;
        for (int k = 0; k < job->host_count; k++)
            known |= job->hosts[k].tid == list[i].hi_tid;
        if (known)
            continue;
        struct host *host = &job->hosts[job->host_count++];
        *host = (struct host){.tid = list[i].hi_tid};
        snprintf(host->name, sizeof(host->name), "%s", list[i].hi_name);
        pvm_notify(PvmHostDelete, TAG_HOST_END, 1, &host->tid);
    }
}

/* ---- the master: receiving ---- */

static struct worker *worker_of(struct job *job, int tid)
{
    for (int i = 0; i < job->worker_count; i++)
        if (job->workers[i].tid == tid)
            return &job->workers[i];
    return NULL;
}

static void take_pixels(struct job *job, int from, int bytes)
{
    static unsigned char rgb[TILE_EDGE * TILE_EDGE * 3];
    int number, microseconds;
    struct worker *worker = worker_of(job, from);
    pvm_upkint(&number, 1, 1);
    pvm_upkint(&microseconds, 1, 1);
    if (!worker || number < 0 || number >= job->tile_count)
        return;
    job->messages++;
    job->bytes += bytes;
    for (int i = 0; i < IN_HAND_MAX; i++)
        if (worker->in_hand[i] == number)
            worker->in_hand[i] = -1;
    worker_fill(job, worker);
    if (job->done[number])
        return;
    struct tile *tile = &job->tiles[number];
    pvm_upkbyte((char *)rgb, tile->width * tile->height * 3, 1);
    for (int row = 0; row < tile->height; row++)
        memcpy(job->rgb + ((size_t)(tile->y + row) * (size_t)job->width + (size_t)tile->x) * 3,
               rgb + (size_t)(row * tile->width) * 3, (size_t)tile->width * 3);
    job->done[number] = 1;
    job->done_count++;
    job->hosts[worker->host].tiles++;
    job->hosts[worker->host].busy_s += microseconds * 1e-6;
}

/* A worker ended: what it had in hand goes back to the pile, and idle workers get it. */
static void take_worker_end(struct job *job)
{
    int tid;
    pvm_upkint(&tid, 1, 1);
    struct worker *worker = worker_of(job, tid);
    if (!worker || !worker->alive)
        return;
    worker->alive = 0;
    job->alive_count--;
    for (int i = 0; i < IN_HAND_MAX; i++) {
        if (worker->in_hand[i] < 0)
            continue;
        job->pile[job->pile_count++] = worker->in_hand[i];
        worker->in_hand[i] = -1;
        job->redone++;
    }
    for (int i = 0; i < job->worker_count; i++)
        if (job->workers[i].alive)
            worker_fill(job, &job->workers[i]);
}

static void take_host_end(struct job *job)
{
    int tid;
    pvm_upkint(&tid, 1, 1);
    for (int i = 0; i < job->host_count; i++)
        if (job->hosts[i].tid == tid)
            job->hosts[i].gone = 1;
}

static void take_host_new(struct job *job)
{
    int before = job->host_count;
    hosts_look(job);
    for (int i = before; i < job->host_count; i++)
        host_start_workers(job, i);
}

static void take_message(struct job *job)
{
    int bytes, tag, from;
    pvm_bufinfo(pvm_getrbuf(), &bytes, &tag, &from);
    if (tag == TAG_PIXELS)
        take_pixels(job, from, bytes);
    else if (tag == TAG_WORKER_END)
        take_worker_end(job);
    else if (tag == TAG_HOST_END)
        take_host_end(job);
    else if (tag == TAG_HOST_NEW)
        take_host_new(job);
}

/* ---- the master: showing ---- */

static void bar(char *text, int width, int share, int whole)
{
    int filled = whole > 0 ? width * share / whole : 0;
    for (int i = 0; i < width; i++)
        text[i] = i < filled ? '#' : '.';
    text[width] = '\0';
}

/* On a terminal a block that is drawn over itself, else a line now and then. */
static void show(struct job *job, int last)
{
    double now = now_s();
    char text[41];
    if (!last && now - job->shown_s < (job->on_terminal ? 0.1 : 1.0))
        return;
    job->shown_s = now;
    int in = 0;
    for (int i = 0; i < job->host_count; i++)
        in += !job->hosts[i].gone;
    bar(text, 40, job->done_count, job->tile_count);
    if (job->on_terminal && job->lines_shown)
        printf("\033[%dA", job->lines_shown);
    printf("%s[%s] %3d/%d tiles  %d hosts  %d workers  %ld messages  %.1f MB  %.1f s\n",
           job->on_terminal ? "\033[K" : "", text, job->done_count, job->tile_count, in,
           job->alive_count, job->messages, (double)job->bytes / 1e6, now - job->begin_s);
    job->lines_shown = 1;
    for (int i = 0; job->on_terminal && i < job->host_count; i++) {
        bar(text, 40, job->hosts[i].tiles, job->tile_count);
        printf("\033[K[%s] %3d      %s%s\n", text, job->hosts[i].tiles, job->hosts[i].name,
               job->hosts[i].gone ? "  LOST: its tiles are drawn elsewhere" : "");
        job->lines_shown++;
    }
    fflush(stdout);
}

static void write_status(const struct job *job)
{
    FILE *file = job->status_file ? fopen(job->status_file, "w") : NULL;
    if (!file)
        return;
    fprintf(file, "%d %d\n", job->done_count, job->tile_count);
    fclose(file);
}

static void show_table(const struct job *job)
{
    double wall = now_s() - job->begin_s, busy = 0;
    printf("\n%-24s %8s %8s %8s %10s\n", "HOST", "STATE", "WORKERS", "TILES", "DRAWING s");
    for (int i = 0; i < job->host_count; i++) {
        const struct host *host = &job->hosts[i];
        printf("%-24s %8s %8d %8d %10.2f\n", host->name, host->gone ? "lost" : "in", host->workers,
               host->tiles, host->busy_s);
        busy += host->busy_s;
    }
    printf("\n%d by %d pixels, %d rays each: %.1f s of drawing in %.1f s\n", job->width,
           job->height, job->samples, busy, wall);
    printf("%ld messages, %.1f MB; %ld tiles lost with their worker and drawn again\n",
           job->messages, (double)job->bytes / 1e6, job->redone);
    printf("the picture is in %s\n", job->file);
}

/* ---- the master ---- */

static int job_prepare(struct job *job)
{
    int columns = (job->width + TILE_EDGE - 1) / TILE_EDGE;
    int rows = (job->height + TILE_EDGE - 1) / TILE_EDGE;
    job->tile_count = columns * rows;
    job->rgb = calloc((size_t)job->width * (size_t)job->height, 3);
    job->tiles = calloc((size_t)job->tile_count, sizeof(job->tiles[0]));
    job->done = calloc((size_t)job->tile_count, 1);
    job->pile = calloc((size_t)job->tile_count, sizeof(job->pile[0]));
    if (!job->rgb || !job->tiles || !job->done || !job->pile)
        return -1;
    for (int i = 0; i < job->tile_count; i++) {
        int x = i % columns * TILE_EDGE, y = i / columns * TILE_EDGE;
        int width = job->width - x < TILE_EDGE ? job->width - x : TILE_EDGE;
        int height = job->height - y < TILE_EDGE ? job->height - y : TILE_EDGE;
        job->tiles[i] = (struct tile){x, y, width, height};
        job->pile[job->tile_count - 1 - i] = i;
    }
    job->pile_count = job->tile_count;
    return 0;
}

/* Tells the workers, and waits a moment until they are gone. */
static void job_end(struct job *job)
{
    struct timeval patience = {5, 0};
    for (int i = 0; i < job->worker_count; i++) {
        if (!job->workers[i].alive)
            continue;
        pvm_initsend(PvmDataDefault);
        pvm_send(job->workers[i].tid, TAG_NO_MORE);
    }
    while (job->alive_count > 0 && pvm_trecv(-1, TAG_WORKER_END, &patience) > 0)
        take_worker_end(job);
}

static int job_run(struct job *job)
{
    job->begin_s = now_s();
    hosts_look(job);
    pvm_notify(PvmHostAdd, TAG_HOST_NEW, -1, NULL);
    for (int i = 0; i < job->host_count; i++)
        host_start_workers(job, i);
    while (job->done_count < job->tile_count) {
        struct timeval tick = {0, REDRAW_US};
        if (job->alive_count == 0) {
            fprintf(stderr, "picture: no worker is left\n");
            return -1;
        }
        int got = pvm_trecv(-1, -1, &tick);
        if (got < 0)
            return -1;
        if (got > 0) {
            take_message(job);
            write_status(job);
        }
        show(job, 0);
    }
    show(job, 1);
    return 0;
}

static int master_main(struct job *job)
{
    if (job_prepare(job) < 0) {
        fprintf(stderr, "picture: not enough memory\n");
        return 1;
    }
    int failed = job_run(job) < 0;
    job_end(job);
    if (!failed && png_write(job->file, job->width, job->height, job->rgb) < 0) {
        perror(job->file);
        failed = 1;
    }
    if (!failed)
        show_table(job);
    pvm_exit();
    return failed;
}

static void add_host(char *name)
{
    int info;
    if (pvm_addhosts(&name, 1, &info) < 1)
        fprintf(stderr, "picture: %s was not added (code %d)\n", name, info);
}

int main(int argc, char **argv)
{
    static struct job job = {.width = 960, .height = 640, .samples = 144, .workers_per_host = 1,
                             .file = "picture.png"};
    int option;
    if (pvm_mytid() < 0) {
        fprintf(stderr, "picture: is a virtual machine running? (start one with: pvm)\n");
        return 1;
    }
    if (pvm_parent() != PvmNoParent && pvm_parent() != PvmParentNotSet)
        return worker_main(pvm_parent());
    while ((option = getopt(argc, argv, "w:h:q:n:a:s:o:")) != -1) {
        switch (option) {
        case 'w': job.width = atoi(optarg); break;
        case 'h': job.height = atoi(optarg); break;
        case 'q': job.samples = atoi(optarg); break;
        case 'n': job.workers_per_host = atoi(optarg); break;
        case 'a': add_host(optarg); break;
        case 's': job.status_file = optarg; break;
        case 'o': job.file = optarg; break;
        default: job.width = 0;
        }
    }
    if (job.width < 1 || job.height < 1 || job.samples < 1 || job.workers_per_host < 1) {
        fprintf(stderr, "usage: picture [-w width] [-h height] [-q samples] [-n workers] "
                        "[-a host]... [-s status-file] [-o file.png]\n");
        pvm_exit();
        return 2;
    }
    job.program = "picture";
    job.on_terminal = isatty(STDOUT_FILENO);
    return master_main(&job);
}
