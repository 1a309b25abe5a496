/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * src/console/job.c: pieces of output become whole lines, and a job ends with the last of its
 * tasks.
 */
#include "console/job.h"

#include "base/mem.h"
#include "tap.h"

#include <stdlib.h>

static char screen[1 << 18];
static char file[1024];
static int files_closed;
static struct job_set set;

static void screen_write(void *context, const char *text, size_t length)
{
    const size_t used = strlen(screen);
    snprintf(screen + used, sizeof(screen) - used, "%.*s", (int)length, text);
}

static void file_write(void *context, const char *text, size_t length)
{
    const size_t used = strlen(file);
    snprintf(file + used, sizeof(file) - used, "%.*s", (int)length, text);
}

static void file_close(void *context)
{
    files_closed++;
}

static struct job *job_new(void)
{
    screen[0] = file[0] = '\0';
    return job_create(&set, 0, set.screen);
}

static void say(struct job *job, int tid, const char *text)
{
    job_output(&set, job, tid, (int)strlen(text), text);
}

static void end(struct job *job, int tid)
{
    job_output(&set, job, tid, JOB_OUTPUT_EOF, NULL);
}

static void lines_are_put_together(void)
{
    struct job *job = job_new();
    job_add_task(job, 0x40002);
    say(job, 0x40002, "ab");
    SAME_TEXT(screen, "", "half a line waits");
    say(job, 0x40002, "c\n\nd\ne");
    SAME_TEXT(screen, "[1:t40002] abc\n[1:t40002] \n[1:t40002] d\n", "whole ones come at once");
    screen[0] = '\0';
    end(job, 0x40002);
    SAME_TEXT(screen, "[1:t40002] e\n[1:t40002] EOF\n[1] finished\n",
              "the rest gets a newline, and a job of one task has finished");
    OK(job_set_is_empty(&set), "and is forgotten");
}

static void tasks_do_not_mix(void)
{
    struct job *job = job_new();
    job_add_task(job, 1);
    job_add_task(job, 2);
    say(job, 1, "on");
    say(job, 2, "tw");
    say(job, 1, "e\n");
    say(job, 2, "o\n");
    SAME_TEXT(screen, "[2:t1] one\n[2:t2] two\n", "each has its own line");
    end(job, 2);
    OK(!job_set_is_empty(&set), "the job goes on while one lives");
    end(job, 2);
    screen[0] = '\0';
    end(job, 1);
    SAME_TEXT(screen, "[2:t1] EOF\n[2] finished\n", "and ends with the last");
}

static void descendants_belong_to_the_job(void)
{
    struct job *job = job_new();
    job_add_task(job, 1);
    job_output(&set, job, 7, JOB_OUTPUT_NEW, NULL);
    job_output(&set, job, 7, JOB_OUTPUT_SPAWNED, NULL);
    SAME_TEXT(screen, "", "a birth is no line");
    end(job, 1);
    OK(!job_set_is_empty(&set), "the job waits for the grandchild");
    say(job, 7, "x\n");
    end(job, 7);
    SAME_TEXT(screen, "[3:t1] EOF\n[3:t7] x\n[3:t7] EOF\n[3] finished\n", "and shows its output");
}

static void output_may_come_before_the_answer(void)
{
    struct job *job = job_new();
    say(job, 5, "early\n");
    job_add_task(job, 5);
    EQUAL(job->task_count, 1, "a task is entered once");
    end(job, 5);
    SAME_TEXT(screen, "[4:t5] early\n[4:t5] EOF\n[4] finished\n", "nothing is lost");
}

static void files_get_the_lines(void)
{
    screen[0] = file[0] = '\0';
    struct job *job = job_create(&set, 0, (struct job_sink){file_write, file_close, NULL});
    job_add_task(job, 1);
    say(job, 1, "text\n");
    end(job, 1);
    SAME_TEXT(file, "[5:t1] text\n[5:t1] EOF\n", "of the tasks");
    SAME_TEXT(screen, "[5] finished\n", "the screen hears of the end");
    EQUAL(files_closed, 1, "and the file is closed");
}

static bool host_is_two(int tid, int host_tid)
{
    return host_tid == 2 && tid / 100 == 2;
}

static void a_host_takes_its_tasks_along(void)
{
    struct job *job = job_new();
    job_add_task(job, 101);
    job_add_task(job, 201);
    say(job, 201, "last words");
    job_set_forget(&set, host_is_two, 2);
    SAME_TEXT(screen, "[6:tc9] last words\n[6:tc9] EOF\n", "their output ends");
    screen[0] = '\0';
    end(job, 101);
    SAME_TEXT(screen, "[6:t65] EOF\n[6] finished\n", "and the job with the others");
}

static void long_lines_come_in_pieces(void)
{
    struct job *job = job_new();
    char *text = malloc(JOB_LINE_BYTES_MAX + 10);
    memset(text, 'y', JOB_LINE_BYTES_MAX + 10);
    job_output(&set, job, 1, JOB_LINE_BYTES_MAX + 10, text);
    EQUAL(strlen(screen), strlen("[7:t1] \n") + JOB_LINE_BYTES_MAX, "a piece is shown");
    screen[0] = '\0';
    end(job, 1);
    SAME_TEXT(screen, "[7:t1] yyyyyyyyyy\n[7:t1] EOF\n[7] finished\n", "then the rest");
    free(text);
}

static void no_memory_is_told(void)
{
    struct job *job = job_new();
    job_add_task(job, 1);
    mem_fail_at(1, 1);
    EQUAL(job_output(&set, job, 1, 3, "abc"), -1, "a piece that cannot be kept");
    EQUAL(job_add_task(job, 2) | job_output(&set, job, 3, JOB_OUTPUT_NEW, NULL), 0,
          "room that is there already needs none");
    mem_fail_at(0, 0);
    job_discard(job);
    OK(job_set_is_empty(&set), "a job can be dropped");
    mem_fail_at(1, 1);
    OK(!job_create(&set, 0, set.screen), "no job without memory");
    mem_fail_at(0, 0);
}

static void the_end_writes_what_is_left(void)
{
    struct job *job = job_new();
    say(job, 1, "unfinished");
    job_set_fini(&set);
    SAME_TEXT(screen, "[9:t1] unfinished\n", "of lines that have no end");
}

int main(void)
{
    job_set_init(&set, (struct job_sink){screen_write, NULL, NULL});
    TEST(lines_are_put_together);
    TEST(tasks_do_not_mix);
    TEST(descendants_belong_to_the_job);
    TEST(output_may_come_before_the_answer);
    TEST(files_get_the_lines);
    TEST(a_host_takes_its_tasks_along);
    TEST(long_lines_come_in_pieces);
    TEST(no_memory_is_told);
    TEST(the_end_writes_what_is_left);
    return tap_done();
}
