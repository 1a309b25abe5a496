/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A task farm that loses nothing: the program that starts it, waits, and writes down the results.
 * README.md tells how it works and what it survives.
 *
 *   farm [-j NAME] [-n ITEMS] [-t MILLISECONDS] [-w WORKERS] [-s SUPERVISORS] [-o FILE] [HOST...]
 *
 * -j names the job: the same name again goes on with it, from any host. -n items (1000), each
 * taking at least -t milliseconds (10), by -w workers in all (8), with -s supervisors (3, of which
 * one leads). -o FILE gets a line "item result" for each item. The hosts named are added first.
 *
 * The same program is spawned for the other roles: `farm -supervisor NAME`, `farm -worker
 * MILLISECONDS`.
 */
#include "ledger.h"

#include <pvm3.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { LOST_DAEMON = 3 }; /* exit status: run me again */

static void add_hosts(char **names, int count)
{
    for (int i = 0; i < count; i++) {
        int code;
        if (pvm_addhosts(&names[i], 1, &code) < 1)
            fprintf(stderr, "farm: %s was not added (code %d)\n", names[i], code);
    }
}

/* Finds the job under way, or begins it. */
static int begin(struct job *job)
{
    struct job found;
    int status = job_read(job->name, &found);
    if (status == 0) {
        printf("going on with %s: %d items\n", found.name, found.item_count);
        *job = found;
        return 0;
    }
    if (status != PvmNotFound)
        return status;
    ledger_remove(job);
    return job_write(job);
}

/* Waits until the job is done, and sees to it that somebody leads it. Nothing is asked again and
 * again: any supervisor lives until the job is done, so the end of one is the time to look. */
static int wait_until_done(const struct job *job)
{
    while (!job_is_done(job)) {
        int tid = job_leader(job), ended = 0;
        if (tid == PvmNotFound)
            tid = job_start_supervisor(job, NULL);
        else if (tid > 0)
            pvm_notify(PvmTaskExit, TAG_TASK_END, 1, &tid);
        if (tid == PvmSysErr || tid == PvmNoFile)
            return tid;
        if (tid < 0) {
            struct timeval moment = {1, 0};
            pvm_trecv(-1, TAG_TASK_END, &moment);
            continue;
        }
        while (ended != tid) {
            int status = pvm_recv(-1, TAG_TASK_END);
            if (status < 0)
                return status;
            pvm_upkint(&ended, 1, 1);
        }
    }
    return 0;
}

static int write_results(const struct ledger *ledger, const char *file)
{
    char other[4096];
    snprintf(other, sizeof(other), "%s.new", file);
    FILE *out = fopen(other, "w");
    if (!out)
        return -1;
    for (int i = 0; i < ledger->job->item_count; i++)
        fprintf(out, "%d %d\n", i, ledger->results[i]);
    int failed = ferror(out);
    return fclose(out) != 0 || failed || rename(other, file) != 0 ? -1 : 0;
}

/* Takes the results out of the ledger and then removes the job: a client that dies before leaves
 * them to the next one. */
static int collect(const struct job *job, const char *file)
{
    struct ledger ledger;
    int status = ledger_open(&ledger, job);
    if (status >= 0 && ledger.done_count != job->item_count) {
        fprintf(stderr, "farm: %d of %d items are in the ledger\n", ledger.done_count,
                job->item_count);
        status = PvmNotFound;
    }
    if (status >= 0 && file && write_results(&ledger, file) < 0) {
        perror(file);
        ledger_close(&ledger);
        return PvmNoFile;
    }
    if (status >= 0) {
        printf("%d results, %d leaders, %d written twice\n", ledger.done_count, ledger.writers,
               ledger.twice_count);
        job_remove(job);
        ledger_remove(job);
    }
    ledger_close(&ledger);
    return status;
}

static int client_main(struct job *job, const char *file)
{
    struct timeval start, end;
    gettimeofday(&start, NULL);
    int status = begin(job);
    if (status >= 0)
        status = wait_until_done(job);
    if (status >= 0)
        status = collect(job, file);
    gettimeofday(&end, NULL);
    if (status < 0) {
        fprintf(stderr, "farm: code %d. The job goes on; `farm -j %s` finds it again.\n", status,
                job->name);
        return status == PvmSysErr ? LOST_DAEMON : 1;
    }
    printf("%.2f s\n", (double)(end.tv_sec - start.tv_sec) +
                           (double)(end.tv_usec - start.tv_usec) * 1e-6);
    pvm_exit();
    return 0;
}

int main(int argc, char **argv)
{
    struct job job = {.name = "farm", .item_count = 1000, .item_ms = 10, .workers = 8,
                      .supervisors = 3};
    const char *file = NULL;
    int option;
    pvm_setopt(PvmAutoErr, 0);
    if (pvm_mytid() < 0)
        return LOST_DAEMON;
    if (argc == 3 && strcmp(argv[1], "-supervisor") == 0)
        return supervisor_main(argv[2]);
    if (argc == 3 && strcmp(argv[1], "-worker") == 0)
        return worker_main(atoi(argv[2]));
    while ((option = getopt(argc, argv, "j:n:t:w:s:o:")) != -1) {
        switch (option) {
        case 'j': snprintf(job.name, sizeof(job.name), "%s", optarg); break;
        case 'n': job.item_count = atoi(optarg); break;
        case 't': job.item_ms = atoi(optarg); break;
        case 'w': job.workers = atoi(optarg); break;
        case 's': job.supervisors = atoi(optarg); break;
        case 'o': file = optarg; break;
        default: return 2;
        }
    }
    if (job.item_count < 1 || job.item_ms < 0 || job.workers < 1 || job.supervisors < 1) {
        fprintf(stderr, "farm: at least one item, worker and supervisor\n");
        return 2;
    }
    add_hosts(argv + optind, argc - optind);
    return client_main(&job, file);
}
