/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The line editor by libedit. libedit asks for each character through edit_getc(), which waits for
 * messages and signals as well; text that comes meanwhile takes the line off the screen and
 * libedit is told to draw it anew. Completion: complete.h. Keys of one's own: ~/.editrc, program
 * name "pvm".
 */
#if !defined(_GNU_SOURCE)
#define _XOPEN_SOURCE 700 /* wcwidth() is not in POSIX proper */
#endif
#include "console/edit.h"

#include "console/complete.h"

#include "base/mem.h"
#include "base/str.h"

#include <errno.h>
#include <histedit.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

enum { HISTORY_LINES_MAX = 1000, COLUMNS_DEFAULT = 80 };

struct editor {
    struct console *console;
    EditLine *edit;
    History *history;
    const char *prompt;
    char *line; /* the last one given out */
    enum wait_result result;
};

static struct editor *editor_of(EditLine *edit)
{
    void *editor = NULL;
    el_get(edit, EL_CLIENTDATA, &editor);
    return editor;
}

static char *prompt_get(EditLine *edit)
{
    return (char *)editor_of(edit)->prompt;
}

/* ---- text above the line ---- */

static int screen_columns(void)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0)
        return COLUMNS_DEFAULT;
    return size.ws_col;
}

/* Rows between the prompt's row and the cursor's. */
static int cursor_row(const struct editor *editor)
{
    const LineInfoW *info = el_wline(editor->edit);
    int column = (int)strlen(editor->prompt);
    for (const wchar_t *at = info->buffer; at < info->cursor; at++) {
        const int width = wcwidth(*at);
        column += width > 0 ? width : 0;
    }
    return column / screen_columns();
}

/* ECMA-48: CUU, carriage return, ED. Terminals that do not know them are refused in
 * editor_create(). */
static void line_hide(void *context)
{
    const int rows = cursor_row(context);
    if (rows > 0)
        printf("\033[%dA", rows);
    printf("\r\033[J");
}

static void line_show(void *context)
{
    const struct editor *editor = context;
    el_set(editor->edit, EL_REFRESH);
    fflush(stdout);
}

/* ---- characters ---- */

/* One character of one or more bytes: 1, 0 at the end of input, -1 when there is none for now. */
static int edit_getc(EditLine *edit, wchar_t *character)
{
    struct editor *editor = editor_of(edit);
    struct console *console = editor->console;
    mbstate_t state = {0};
    for (;;) {
        char byte;
        fflush(stdout);
        console->line_hide = line_hide;
        console->line_show = line_show;
        console->editor = editor;
        editor->result = console_wait(console, STDIN_FILENO);
        console->line_hide = NULL;
        if (editor->result != WAIT_READABLE) {
            errno = EINTR;
            return -1;
        }
        const ssize_t count = read(STDIN_FILENO, &byte, 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            editor->result = WAIT_IDLE;
            return 0;
        }
        const size_t used = mbrtowc(character, &byte, 1, &state);
        if (used == (size_t)-2)
            continue;
        if (used == (size_t)-1)
            *character = (unsigned char)byte; /* not of this locale: taken as it is */
        return 1;
    }
}

/* ---- completion ---- */

static void candidates_show(const struct candidates *candidates)
{
    size_t width = 0;
    for (size_t i = 0; i < candidates->count; i++)
        width = MAX_OF(width, strlen(candidates->words[i]));
    width += 2;
    const size_t columns = (size_t)screen_columns();
    const size_t per_row = columns > width ? columns / width : 1;
    printf("\n");
    for (size_t i = 0; i < candidates->count; i++)
        printf("%-*s%s", (int)width, candidates->words[i],
               (i + 1) % per_row == 0 || i + 1 == candidates->count ? "\n" : "");
    fflush(stdout);
}

static unsigned char key_complete(EditLine *edit, int key)
{
    struct editor *editor = editor_of(edit);
    const LineInfo *info = el_line(edit);
    struct candidates candidates;
    size_t typed = 0;
    unsigned char answer = CC_ERROR;
    char *line = mem_strndup(info->buffer, (size_t)(info->cursor - info->buffer));
    if (!line)
        return CC_ERROR;
    complete(editor->console, line, &candidates, &typed);
    const size_t common = candidates_common(&candidates);
    if (candidates.count > 0 && (common > typed || candidates.count == 1)) {
        char *word = mem_strndup(candidates.words[0], common);
        if (word && (el_insertstr(edit, word + typed) == 0 || common == typed) &&
            (candidates.count > 1 || el_insertstr(edit, " ") == 0))
            answer = CC_REFRESH;
        mem_free(word);
    } else if (candidates.count > 1) {
        candidates_show(&candidates);
        answer = CC_REDISPLAY;
    }
    candidates_fini(&candidates);
    mem_free(line);
    return answer;
}

/* ---- the editor ---- */

static int terminal_is_able(void)
{
    const char *term = getenv("TERM");
    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
           !str_equal(term, "dumb");
}

static int editor_prepare(struct editor *editor)
{
    HistEvent event;
    EditLine *edit = editor->edit = el_init("pvm", stdin, stdout, stderr);
    editor->history = history_init();
    if (!edit || !editor->history)
        return -1;
    history(editor->history, &event, H_SETSIZE, HISTORY_LINES_MAX);
    history(editor->history, &event, H_SETUNIQUE, 1);
    el_set(edit, EL_CLIENTDATA, editor);
    el_set(edit, EL_PROMPT, prompt_get);
    el_set(edit, EL_EDITOR, "emacs");
    el_set(edit, EL_SIGNAL, 0);
    el_set(edit, EL_HIST, history, editor->history);
    el_set(edit, EL_GETCFN, edit_getc);
    /* The narrow el_set() copies the two texts and never frees them. */
    el_wset(edit, EL_ADDFN, L"pvm-complete", L"complete the word", key_complete);
    el_set(edit, EL_BIND, "^I", "pvm-complete", NULL);
    el_set(edit, EL_BIND, "^R", "em-inc-search-prev", NULL);
    el_source(edit, NULL);
    return 0;
}

struct editor *editor_create(struct console *console, const char *prompt)
{
    if (!terminal_is_able())
        return NULL;
    setlocale(LC_CTYPE, "");
    struct editor *editor = mem_calloc(1, sizeof(*editor));
    if (!editor)
        return NULL;
    editor->console = console;
    editor->prompt = prompt;
    if (editor_prepare(editor)) {
        editor_destroy(editor);
        return NULL;
    }
    return editor;
}

void editor_destroy(struct editor *editor)
{
    if (!editor)
        return;
    if (editor->edit)
        el_end(editor->edit);
    if (editor->history)
        history_end(editor->history);
    mem_free(editor->line);
    mem_free(editor);
}

enum wait_result editor_line(struct editor *editor, const char **line)
{
    int count = 0;
    HistEvent event;
    editor->result = WAIT_IDLE;
    fflush(stdout);
    /* Before the prompt: libedit does it after, and keys typed in between would be shown twice. */
    el_set(editor->edit, EL_PREP_TERM, 1);
    const char *text = el_gets(editor->edit, &count);
    if (!text || count <= 0) {
        /* libedit ends without a line at the end of the file too, where the last wait saw a key. */
        if (editor->result == WAIT_READABLE)
            editor->result = WAIT_IDLE;
        if (editor->result != WAIT_IDLE)
            printf("\n");
        return editor->result;
    }
    mem_free(editor->line);
    const size_t length = strcspn(text, "\n");
    editor->line = mem_strndup(text, length);
    if (!editor->line)
        return WAIT_LOST;
    if (length > strspn(editor->line, " \t"))
        history(editor->history, &event, H_ENTER, editor->line);
    *line = editor->line;
    return WAIT_READABLE;
}
