/* SPDX-License-Identifier: BSD-3-Clause */
/* Keys of failed hosts: see the header. */
#include "core/lost.h"

#include <string.h>

static void drop(struct lost *lost, size_t index)
{
    lost->count--;
    memmove(&lost->hosts[index], &lost->hosts[index + 1],
            (lost->count - index) * sizeof(lost->hosts[0]));
}

void lost_note(struct lost *lost, uint64_t epoch, const struct wire_key *key)
{
    lost_forget_key(lost, key);
    if (lost->count == LOST_MAX)
        drop(lost, 0);
    lost->hosts[lost->count++] = (struct wire_lost){.epoch = epoch, .public_key = *key};
}

void lost_forget_key(struct lost *lost, const struct wire_key *key)
{
    for (size_t i = lost->count; i-- > 0;) {
        if (memcmp(lost->hosts[i].public_key.bytes, key->bytes, sizeof(key->bytes)) == 0)
            drop(lost, i);
    }
}

const struct wire_lost *lost_find(const struct lost *lost, uint64_t epoch)
{
    for (size_t i = 0; i < lost->count; i++) {
        if (lost->hosts[i].epoch == epoch)
            return &lost->hosts[i];
    }
    return NULL;
}

void lost_restore(struct lost *lost, const struct wire_lost_list *list)
{
    lost->count = MIN_OF(list->count, (size_t)LOST_MAX);
    for (size_t i = 0; i < lost->count; i++)
        lost->hosts[i] = list->items[i];
}
