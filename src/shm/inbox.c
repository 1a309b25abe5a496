/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Bells and sleeping: see the header for the handshake.
 *
 * The words are written before the summary and read after it, so a summary that is taken away never
 * hides a bit. Fences stand where one side's store must come before its own load (C11 7.17.4).
 */
#include "shm/inbox.h"

#include "base/check.h"
#include "shm/hints.h"
#include "shm/point.h"

/* The bit was not there: rare while two processes talk. */
static SHM_COLD void bell_set(struct shm_inbox *inbox, uint32_t word, uint64_t bit)
{
    SHM_POINT("bell word before");
    atomic_fetch_or_explicit(&inbox->words[word], bit, memory_order_seq_cst);
    SHM_POINT("bell word set");
    atomic_fetch_or_explicit(&inbox->summary, UINT64_C(1) << word, memory_order_seq_cst);
    SHM_POINT("bell summary set");
    atomic_thread_fence(memory_order_seq_cst);
}

bool shm_bell_ring(struct shm_inbox *inbox, const struct shm_header *header, uint32_t index)
{
    CHECK(index < SHM_INDEX_MAX);
    const uint32_t word = index / 64;
    const uint64_t bit = UINT64_C(1) << (index % 64);
    atomic_thread_fence(memory_order_seq_cst);
    SHM_POINT("bell fence");
    if (SHM_UNLIKELY(!(atomic_load_explicit(&inbox->words[word], memory_order_relaxed) & bit)))
        bell_set(inbox, word, bit);
    SHM_POINT("bell looks for sleeping");
    return atomic_load_explicit(&header->sleeping, memory_order_relaxed) != 0;
}

bool shm_bell_must_signal(const struct shm_header *header, uint32_t *last)
{
    const uint32_t sleep = atomic_load_explicit(&header->sleeping, memory_order_relaxed);
    const bool is_new = sleep != 0 && sleep != *last;
    if (is_new)
        *last = sleep;
    return is_new;
}

void shm_ears_init(struct shm_ears *ears, struct shm_inbox *inbox, struct shm_header *header)
{
    *ears = (struct shm_ears){.inbox = inbox, .header = header};
}

static SHM_COLD void ears_take(struct shm_ears *ears)
{
    uint64_t summary =
        atomic_exchange_explicit(&ears->inbox->summary, 0, memory_order_seq_cst);
    SHM_POINT("ears summary taken");
    for (; summary; summary &= summary - 1) {
        const int word = shm_lowest_bit(summary);
        ears->hot[word] |=
            atomic_load_explicit(&ears->inbox->words[word], memory_order_relaxed);
        SHM_POINT("ears word read");
        if (ears->hot[word])
            ears->hot_words |= UINT64_C(1) << word;
    }
}

bool shm_ears_listen(struct shm_ears *ears)
{
    SHM_POINT("ears listen");
    if (SHM_UNLIKELY(atomic_load_explicit(&ears->inbox->summary, memory_order_relaxed) != 0))
        ears_take(ears);
    return ears->hot_words != 0;
}

int shm_ears_next(const struct shm_ears *ears, int from)
{
    if (from < 0 || from >= SHM_INDEX_MAX)
        return -1;
    int word = from / 64;
    const uint64_t rest = ears->hot[word] & (UINT64_MAX << (from % 64));
    if (rest)
        return word * 64 + shm_lowest_bit(rest);
    const uint64_t words = word == 63 ? 0 : ears->hot_words & (UINT64_MAX << (word + 1));
    if (!words)
        return -1;
    word = shm_lowest_bit(words);
    return word * 64 + shm_lowest_bit(ears->hot[word]);
}

void shm_ears_cool(struct shm_ears *ears, uint32_t index)
{
    CHECK(index < SHM_INDEX_MAX);
    const uint32_t word = index / 64;
    const uint64_t bit = UINT64_C(1) << (index % 64);
    ears->hot[word] &= ~bit;
    if (!ears->hot[word])
        ears->hot_words &= ~(UINT64_C(1) << word);
    SHM_POINT("ears cool before");
    atomic_fetch_and_explicit(&ears->inbox->words[word], ~bit, memory_order_seq_cst);
    atomic_thread_fence(memory_order_seq_cst);
    SHM_POINT("ears cooled");
}

/* The bit in the inbox too, which spares the sender from setting it. */
void shm_ears_warm(struct shm_ears *ears, uint32_t index)
{
    CHECK(index < SHM_INDEX_MAX);
    const uint32_t word = index / 64;
    const uint64_t bit = UINT64_C(1) << (index % 64);
    ears->hot[word] |= bit;
    ears->hot_words |= UINT64_C(1) << word;
    if (!(atomic_load_explicit(&ears->inbox->words[word], memory_order_relaxed) & bit))
        atomic_fetch_or_explicit(&ears->inbox->words[word], bit, memory_order_relaxed);
    SHM_POINT("ears warmed");
}

void shm_ears_sleep(struct shm_ears *ears)
{
    SHM_POINT("ears sleep before");
    ears->sleeps += ears->sleeps == UINT32_MAX ? 2 : 1;
    atomic_store_explicit(&ears->header->sleeping, ears->sleeps, memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    SHM_POINT("ears sleep said");
}

void shm_ears_awake(struct shm_ears *ears)
{
    SHM_POINT("ears awake before");
    atomic_store_explicit(&ears->header->sleeping, 0, memory_order_relaxed);
    SHM_POINT("ears awake said");
}

bool shm_ears_sleeping(const struct shm_ears *ears)
{
    return atomic_load_explicit(&ears->header->sleeping, memory_order_relaxed) != 0;
}

void shm_bell_socket(struct shm_inbox *inbox)
{
    SHM_POINT("bell socket before");
    atomic_store_explicit(&inbox->socket, 1, memory_order_release);
    SHM_POINT("bell socket set");
}

bool shm_ears_socket(struct shm_ears *ears)
{
    if (SHM_LIKELY(atomic_load_explicit(&ears->inbox->socket, memory_order_relaxed) == 0))
        return false;
    SHM_POINT("ears socket before");
    return atomic_exchange_explicit(&ears->inbox->socket, 0, memory_order_acq_rel) != 0;
}
