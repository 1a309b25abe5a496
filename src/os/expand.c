/* SPDX-License-Identifier: BSD-3-Clause */
/* Variables in host options: see the header. */
#include "os/expand.h"

#include "base/mem.h"
#include "base/str.h"

#include <stdbool.h>
#include <string.h>

enum { VARIABLE_NAME_BYTES_MAX = 256 };

static bool is_name_byte(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* Length of the reference at |text| (which starts with '$'), its name copied to |name|; 0 = none.
 */
static size_t reference_length(const char *text, char *name)
{
    bool braced = text[1] == '{';
    const char *start = text + (braced ? 2 : 1);
    size_t length = 0;
    while (is_name_byte(start[length]))
        length++;
    if (length == 0 || length >= VARIABLE_NAME_BYTES_MAX || (braced && start[length] != '}'))
        return 0;
    memcpy(name, start, length);
    name[length] = '\0';
    return length + (braced ? 3 : 1);
}

char *expand_variables(const char *text, char *(*lookup)(const char *name))
{
    struct strbuf result;
    strbuf_init(&result);
    strbuf_add(&result, "", 0);
    while (*text) {
        char name[VARIABLE_NAME_BYTES_MAX];
        size_t length = *text == '$' ? reference_length(text, name) : 0;
        const char *value = length ? lookup(name) : NULL;
        if (value)
            strbuf_add(&result, value, strlen(value));
        else
            strbuf_add(&result, text, length ? length : 1);
        text += length ? length : 1;
    }
    char *copy = result.failed ? NULL : mem_strdup(strbuf_text(&result));
    strbuf_fini(&result);
    return copy;
}
