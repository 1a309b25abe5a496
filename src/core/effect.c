/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of effects of one step: see the header. */
#include "core/effect.h"

#include "base/check.h"
#include "base/mem.h"

#include <string.h>

void effects_init(struct effects *effects)
{
    *effects = (struct effects){0};
    arena_init(&effects->arena);
}

static void effects_drop(struct effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        slice_drop(&effects->items[i].bytes);
        frame_drop(&effects->items[i].frame);
    }
    effects->count = 0;
}

void effects_fini(struct effects *effects)
{
    effects_drop(effects);
    mem_free(effects->items);
    arena_fini(&effects->arena);
    effects_init(effects);
}

void effects_reset(struct effects *effects)
{
    effects_drop(effects);
    arena_reset(&effects->arena);
}

/* One place is always kept for EFFECT_STOP, so that a daemon without memory can still say that. */
struct effect *effects_add(struct effects *effects, enum effect_kind kind)
{
    size_t need = effects->count + (kind == EFFECT_STOP ? 1 : 2);
    if (mem_grow((void **)&effects->items, &effects->capacity, need, sizeof(*effects->items)) < 0)
        return NULL;
    struct effect *effect = &effects->items[effects->count++];
    memset(effect, 0, sizeof(*effect));
    effect->kind = kind;
    return effect;
}

const char *effect_name(enum effect_kind kind)
{
    static const char *const names[] = {
        [EFFECT_PEER_ADD] = "PEER_ADD",         [EFFECT_PEER_PSK] = "PEER_PSK",
        [EFFECT_PEER_REMOVE] = "PEER_REMOVE",   [EFFECT_PEER_SEND] = "PEER_SEND",
        [EFFECT_PEER_NOTE] = "PEER_NOTE",       [EFFECT_TOMBSTONES] = "TOMBSTONES",
        [EFFECT_LEASE] = "LEASE",               [EFFECT_REJOIN] = "REJOIN",
        [EFFECT_PEER_FRAME] = "PEER_FRAME",     [EFFECT_PEER_CONSUME] = "PEER_CONSUME",
        [EFFECT_PEER_RESET] = "PEER_RESET",     [EFFECT_CONN_SEND] = "CONN_SEND",
        [EFFECT_CONN_PAUSE] = "CONN_PAUSE",     [EFFECT_CONN_CLOSE] = "CONN_CLOSE",
        [EFFECT_SHARE_ATTACH] = "SHARE_ATTACH", [EFFECT_SHARE_PAUSE] = "SHARE_PAUSE",
        [EFFECT_SHARE_WAKE] = "SHARE_WAKE",     [EFFECT_SHARE_END] = "SHARE_END",
        [EFFECT_CHILD_START] = "CHILD_START",   [EFFECT_CHILD_SIGNAL] = "CHILD_SIGNAL",
        [EFFECT_CHILD_PAUSE] = "CHILD_PAUSE",   [EFFECT_RESOLVE] = "RESOLVE",
        [EFFECT_HOST_START] = "HOST_START",     [EFFECT_HOST_CANCEL] = "HOST_CANCEL",
        [EFFECT_CONFIGURE] = "CONFIGURE",       [EFFECT_STOP] = "STOP",
    };
    return (size_t)kind < ARRAY_LEN(names) ? names[kind] : "?";
}
