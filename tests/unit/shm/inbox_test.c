/* SPDX-License-Identifier: BSD-3-Clause */
/* Bells, what is hot, and who sleeps. The races of the handshake: stress_test.c and tests/model. */
#include "shm/inbox.h"

#include "pair_pair.h"
#include "tap.h"

static struct shm_inbox inbox;
static struct shm_header header;
static struct shm_ears ears;

static void fresh(void)
{
    memset(&inbox, 0, sizeof(inbox));
    memset(&header, 0, sizeof(header));
    shm_ears_init(&ears, &inbox, &header);
}

static void test_bells(void)
{
    static const uint32_t indexes[] = {0, 1, 63, 64, 700, 4032, 4095};
    fresh();
    OK(!shm_ears_listen(&ears), "at first nobody is heard");
    EQUAL(shm_ears_next(&ears, 0), -1, "nobody is hot");
    for (size_t i = 0; i < ARRAY_LEN(indexes); i++)
        OK(!shm_bell_ring(&inbox, &header, indexes[i]), "the owner is awake");
    EQUAL(shm_ears_next(&ears, 0), -1, "until one listens");
    OK(shm_ears_listen(&ears), "they are heard");
    int from = 0;
    for (size_t i = 0; i < ARRAY_LEN(indexes); i++) {
        EQUAL(shm_ears_next(&ears, from), indexes[i], "each in its place");
        from = (int)indexes[i] + 1;
    }
    EQUAL(shm_ears_next(&ears, from), -1, "and no other");
    EQUAL(shm_ears_next(&ears, 65), 700, "from the middle on");
    OK(shm_ears_listen(&ears), "they stay hot");
}

static void test_quiet_bell(void)
{
    fresh();
    shm_bell_ring(&inbox, &header, 5);
    shm_ears_listen(&ears);
    atomic_store(&inbox.summary, 0);
    shm_bell_ring(&inbox, &header, 5);
    EQUAL(atomic_load(&inbox.summary), 0, "a bit that is set is not written again");
    shm_ears_cool(&ears, 5);
    EQUAL(shm_ears_next(&ears, 0), -1, "cool");
    OK(!shm_ears_listen(&ears), "and quiet");
    shm_bell_ring(&inbox, &header, 5);
    OK(shm_ears_listen(&ears), "it is heard again");
    EQUAL(shm_ears_next(&ears, 0), 5, "hot");
}

static void test_warm(void)
{
    fresh();
    shm_ears_cool(&ears, 9);
    shm_ears_warm(&ears, 9);
    EQUAL(shm_ears_next(&ears, 0), 9, "hot without a bell");
    shm_bell_ring(&inbox, &header, 9);
    EQUAL(atomic_load(&inbox.summary), 0, "whose sender need not ring");
    shm_ears_warm(&ears, 8);
    shm_ears_cool(&ears, 9);
    EQUAL(shm_ears_next(&ears, 0), 8, "one of two");
    OK(shm_ears_listen(&ears), "is left");
    shm_ears_cool(&ears, 8);
    OK(!shm_ears_listen(&ears), "none");
}

static void test_sleep(void)
{
    fresh();
    OK(!shm_ears_sleeping(&ears), "awake");
    shm_ears_sleep(&ears);
    OK(shm_ears_sleeping(&ears), "asleep");
    OK(shm_bell_ring(&inbox, &header, 3), "who rings must wake it");
    OK(shm_bell_ring(&inbox, &header, 3), "each time");
    uint32_t last = 0;
    OK(shm_bell_must_signal(&header, &last), "once by signal");
    OK(!shm_bell_must_signal(&header, &last), "not twice");
    shm_ears_sleep(&ears);
    OK(shm_bell_must_signal(&header, &last), "but when it sleeps anew");
    ears.sleeps = UINT32_MAX;
    shm_ears_sleep(&ears);
    OK(shm_ears_sleeping(&ears), "asleep after 2^32 times too");
    shm_ears_awake(&ears);
    OK(!shm_bell_ring(&inbox, &header, 3), "awake again");
    OK(!shm_bell_must_signal(&header, &last), "and is left alone");
}

static void test_socket(void)
{
    fresh();
    OK(!shm_ears_socket(&ears), "nothing in the socket");
    shm_bell_socket(&inbox);
    shm_bell_socket(&inbox);
    OK(shm_ears_socket(&ears), "something");
    OK(!shm_ears_socket(&ears), "said once");
}

/* Whatever stands in the inbox, it is only a hint. */
static void test_hostile(void)
{
    fresh();
    memset(&inbox, 0xff, sizeof(inbox));
    OK(shm_ears_listen(&ears), "all ring");
    int count = 0;
    for (int i = shm_ears_next(&ears, 0); i >= 0; i = shm_ears_next(&ears, i + 1))
        count++;
    EQUAL(count, SHM_INDEX_MAX, "each once");
    for (uint32_t i = 0; i < SHM_INDEX_MAX; i++)
        shm_ears_cool(&ears, i);
    EQUAL(shm_ears_next(&ears, 0), -1, "all cool");
    EQUAL(shm_ears_next(&ears, -1), -1, "below the first");
    EQUAL(shm_ears_next(&ears, SHM_INDEX_MAX), -1, "above the last");
}

int main(void)
{
    TEST(test_bells);
    TEST(test_quiet_bell);
    TEST(test_warm);
    TEST(test_sleep);
    TEST(test_socket);
    TEST(test_hostile);
    return tap_done();
}
