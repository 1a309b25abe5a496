/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The log's elections, votes, commits and changes of voters (src/log), for spin: up to four
 * members, a few terms and entries, every order of events. What must hold is asserted where it could
 * break: one leader in a term, a leader has all that is committed, what is committed stays.
 *
 * There are no messages in it, and yet all their fates: a request is answered in one step, at any
 * time (so it may have been slow), or never (so it was lost, or one of the two is dead); what is
 * sent of a log is any beginning of it (so it may be old news); an answer that is late is one that
 * is counted late. Time is left out: who may do something may also not do it. So time-outs, leases
 * and tombstones all are among what happens here; with PREVOTE members ask before they stand and
 * keep a leader that they hear of, without it they stand at any time.
 *
 * -DSET=n chooses the change (below), -DTERMS=n and -DLENGTH=n the bounds. -DBREAK_... take out one
 * rule each: spin must then find what it was for (run by log_model.py).
 */

/* Bit masks of members, and who holds the tie, before and after. */
#if SET == 1 /* two become three */
#define MEMBERS 3
#define OLD 3
#define OLD_TIE 0
#define NEW 7
#define NEW_TIE 0
#elif SET == 2 /* three, and one of them, the tie-holder, is replaced */
#define MEMBERS 4
#define OLD 7
#define OLD_TIE 0
#define NEW 14
#define NEW_TIE 1
#elif SET == 3 /* the tie moves among four */
#define MEMBERS 4
#define OLD 15
#define OLD_TIE 0
#define NEW 15
#define NEW_TIE 3
#else /* three stay three: elections alone, more of them */
#define MEMBERS 3
#define OLD 7
#define OLD_TIE 0
#define NEW 7
#define NEW_TIE 0
#endif

#define FOLLOWER 0
#define PRE_CANDIDATE 1
#define CANDIDATE 2
#define LEADER 3

#define NOBODY 7

/* An entry: its term, and whether it changes who votes. */
#define COMMAND 0
#define JOINT 1
#define SETTLED 2
#define ENTRY(t, kind) (((t) << 2) | (kind))
#define TERM_OF(entry) ((entry) >> 2)
#define KIND_OF(entry) ((entry) & 3)

#define HAS(mask, member) (((mask) >> (member)) & 1)

typedef member {
    byte term;
    byte voted;
    byte role;
    byte length;
    byte entries[LENGTH];
    byte granted;       /* mask: (pre-)votes for it */
    byte match[MEMBERS]; /* leader: how much of its log they have */
    byte commit;        /* leader: what it committed itself */
#ifdef PREVOTE
    bit hears;          /* it heard of a leader of its term within the time-out */
#endif
};

member all[MEMBERS];

/* What happened, for the assertions. */
byte leader_of[TERMS + 1];
byte committed[LENGTH];
byte committed_in[LENGTH]; /* the leader's term */
byte committed_length;

/* ---- who votes, as a member knows: the newest entry about it, committed or not ---- */

inline find_kind(WHO, RESULT)
{
    RESULT = COMMAND;
    k = 0;
    do
    :: k < all[WHO].length ->
        if
        :: KIND_OF(all[WHO].entries[k]) != COMMAND -> RESULT = KIND_OF(all[WHO].entries[k])
        :: else
        fi;
        k++
    :: else -> break
    od
}

#ifdef BREAK_TIE /* as if both of two were the tie-holder */
#define WEIGHT(who, tie) 3
#define DECIDES(sum, total) (2 * (sum) >= (total))
#else
#define WEIGHT(who, tie) ((who) == (tie) -> 3 : 2)
#define DECIDES(sum, total) (2 * (sum) > (total))
#endif

inline weigh(SET_OF, TIE, THOSE, RESULT)
{
    sum = 0;
    total = 0;
    k = 0;
    do
    :: k < MEMBERS ->
        if
        :: HAS(SET_OF, k) ->
            total = total + WEIGHT(k, TIE);
            if
            :: HAS(THOSE, k) -> sum = sum + WEIGHT(k, TIE)
            :: else
            fi
        :: else
        fi;
        k++
    :: else -> break
    od;
    RESULT = DECIDES(sum, total)
}

/* |mask| decides, as |m| sees it. */
inline agree(WHO, THOSE, RESULT)
{
    find_kind(WHO, kind);
    if
    :: kind == SETTLED -> weigh(NEW, NEW_TIE, THOSE, RESULT)
    :: kind == COMMAND -> weigh(OLD, OLD_TIE, THOSE, RESULT)
    :: else ->
        weigh(NEW, NEW_TIE, THOSE, RESULT);
#ifndef BREAK_JOINT_QUORUM
        if
        :: RESULT -> weigh(OLD, OLD_TIE, THOSE, RESULT)
        :: else
        fi
#endif
    fi
}

#define ASKED(kind) ((kind) == SETTLED -> NEW : ((kind) == COMMAND -> OLD : (OLD | NEW)))

/* ---- steps of one member ---- */

inline forget_office(WHO)
{
    all[WHO].granted = 0;
    all[WHO].commit = 0;
    k = 0;
    do
    :: k < MEMBERS -> all[WHO].match[k] = 0; k++
    :: else -> break
    od
}

inline follow(WHO, TERM)
{
    if
    :: TERM > all[WHO].term ->
        all[WHO].term = TERM;
        all[WHO].voted = NOBODY;
#ifdef PREVOTE
        all[WHO].hears = 0;
#endif
    :: else
    fi;
    all[WHO].role = FOLLOWER;
    forget_office(WHO)
}

inline put(WHO, WHAT)
{
    all[WHO].entries[all[WHO].length] = WHAT;
    all[WHO].length++
}

#define LAST(m) ((all[m].length) -> all[m].entries[all[m].length - 1] : 0)
#ifdef BREAK_LOG_CHECK
#define UP_TO_DATE(i, j) 1
#else
#define UP_TO_DATE(i, j) (TERM_OF(LAST(i)) > TERM_OF(LAST(j)) || (TERM_OF(LAST(i)) == TERM_OF(LAST(j)) && all[i].length >= all[j].length))
#endif

#ifdef BREAK_VOTE
#define FREE_TO_VOTE(j, i) 1
#else
#define FREE_TO_VOTE(j, i) (all[j].voted == NOBODY || all[j].voted == (i))
#endif

#ifdef PREVOTE
#define KEEPS_LEADER(j) (all[j].hears || all[j].role == LEADER)
#else
#define KEEPS_LEADER(j) 0
#endif

/* Section 3.4. */
inline stand(I)
{
    follow(I, all[I].term + 1);
    all[I].voted = I;
    all[I].role = CANDIDATE;
    all[I].granted = 1 << I
}

inline vote(I, J)
{
    if
    :: all[J].term < all[I].term -> follow(J, all[I].term)
    :: else
    fi;
    if
    :: FREE_TO_VOTE(J, I) && all[J].role == FOLLOWER && UP_TO_DATE(I, J) ->
        all[J].voted = I;
        all[I].granted = all[I].granted | (1 << J)
    :: else
    fi
}

inline lead(I)
{
    assert(leader_of[all[I].term] == 0); /* Election Safety */
    leader_of[all[I].term] = I + 1;
    k = 0;
    do
    :: k < committed_length -> /* Leader Completeness; leaders of older terms may come late */
        assert(committed_in[k] >= all[I].term ||
               (k < all[I].length && all[I].entries[k] == committed[k]));
        k++
    :: else -> break
    od;
    forget_office(I);
    all[I].role = LEADER;
    put(I, ENTRY(all[I].term, COMMAND))
}

/* |j| gets the first |n| entries of |i|'s log; what contradicts them goes, with all behind it. */
inline give(I, J, N)
{
    k = 0;
    do
    :: k < N && k < all[J].length && all[J].entries[k] == all[I].entries[k] -> k++
    :: else -> break
    od;
    if
    :: k < N ->
        do
        :: k < N -> all[J].entries[k] = all[I].entries[k]; k++
        :: else -> break
        od;
        do
        :: k < all[J].length -> all[J].entries[k] = 0; k++
        :: else -> break
        od;
        all[J].length = N
    :: else
    fi
}

inline append(I, J, N)
{
    assert(J != I && !(all[J].term == all[I].term && all[J].role == LEADER));
    if
    :: all[J].term < all[I].term || all[J].role != FOLLOWER -> follow(J, all[I].term)
    :: else
    fi;
#ifdef PREVOTE
    all[J].hears = 1;
#endif
    give(I, J, N);
    if
    :: all[I].match[J] < N -> all[I].match[J] = N
    :: else
    fi
}

/* The first |n| entries, which are committed, from anybody who has them (log_feed). One who stands
 * in their term stands no more: it has a leader. */
inline feed(I, J, N)
{
    if
    :: all[J].term < TERM_OF(committed[N - 1]) -> follow(J, TERM_OF(committed[N - 1]))
#ifndef BREAK_FEED
    :: all[J].term == TERM_OF(committed[N - 1]) && all[J].role == CANDIDATE -> follow(J, all[J].term)
#endif
    :: else
    fi;
    give(I, J, N)
}

/* State Machine Safety: what is committed at an index is so for good. */
inline decide(I, N)
{
    all[I].commit = N;
    k = 0;
    do
    :: k < N ->
        if
        :: k < committed_length -> assert(committed[k] == all[I].entries[k])
        :: else ->
            committed[k] = all[I].entries[k];
            committed_in[k] = all[I].term;
            committed_length = k + 1
        fi;
        k++
    :: else -> break
    od
}

/* Who has the entry |n|. */
inline holders(I, N, RESULT)
{
    RESULT = 1 << I;
    k = 0;
    do
    :: k < MEMBERS ->
        if
        :: all[I].match[k] >= N -> RESULT = RESULT | (1 << k)
        :: else
        fi;
        k++
    :: else -> break
    od
}

#ifdef BREAK_OLD_TERM
#define MAY_COUNT(i, n) 1
#else
#define MAY_COUNT(i, n) (TERM_OF(all[i].entries[(n) - 1]) == all[i].term)
#endif

/* ---- everything that can happen ---- */

/* First what, who and with whom: only what is possible; then, in one step, the doing. */
mtype = {TIME_OUT, WISH, PRE_VOTE, STAND, VOTE, LEAD, GIVE_UP, APPEND, COMMIT, FEED, CHANGE};

#define CAN_VOTE(I, J) (all[I].role == CANDIDATE && all[J].term <= all[I].term && !HAS(all[I].granted, J) && !(KEEPS_LEADER(J) && all[J].term < all[I].term))
#define CAN_PRE_VOTE(I, J) (all[I].role == PRE_CANDIDATE && !HAS(all[I].granted, J) && all[I].term >= all[J].term && !KEEPS_LEADER(J) && UP_TO_DATE(I, J))
#define CAN_APPEND(I, J) (all[I].role == LEADER && all[J].term <= all[I].term && all[I].match[J] < all[I].length)
#define CAN_FEED(I, J) (all[J].role != LEADER && committed_length > 0 && all[I].length > 0 && all[I].entries[0] == committed[0])

#ifdef PREVOTE
#define ALONE_1(I)                                                                                \
    :: all[I].hears -> i = I; what = TIME_OUT                                                     \
    :: all[I].role == FOLLOWER && !all[I].hears && all[I].term < TERMS -> i = I; what = WISH      \
    :: all[I].role == PRE_CANDIDATE && all[I].term < TERMS -> i = I; what = STAND
#define PAIR_1(I, J) :: CAN_PRE_VOTE(I, J) -> i = I; j = J; what = PRE_VOTE
#else
#define ALONE_1(I) :: all[I].term < TERMS -> i = I; what = STAND
#define PAIR_1(I, J)
#endif
#define ALONE(I)                                                                                  \
    ALONE_1(I)                                                                                    \
    :: all[I].role == CANDIDATE && all[I].length < LENGTH -> i = I; what = LEAD                   \
    :: all[I].role == LEADER -> i = I; what = GIVE_UP                                             \
    :: all[I].role == LEADER && all[I].commit < all[I].length ->                                  \
        i = I; what = COMMIT; select(n : all[I].commit + 1 .. all[I].length)                      \
    :: SET && all[I].role == LEADER && all[I].commit > 0 && all[I].length < LENGTH ->             \
        i = I; what = CHANGE
#define PAIR(I, J)                                                                                \
    PAIR_1(I, J)                                                                                  \
    :: CAN_VOTE(I, J) -> i = I; j = J; what = VOTE                                                \
    :: CAN_APPEND(I, J) ->                                                                        \
        i = I; j = J; what = APPEND; select(n : all[I].match[J] + 1 .. all[I].length)             \
    :: CAN_FEED(I, J) -> i = I; j = J; what = FEED; select(n : 1 .. committed_length)

inline try_to_stand(I)
{
    agree(I, all[I].granted, yes);
    if
    :: yes -> stand(I)
    :: else
    fi
}

inline try_to_vote(I, J)
{
    find_kind(I, kind);
    if
    :: HAS(ASKED(kind), J) -> vote(I, J)
    :: else
    fi
}

inline try_to_lead(I)
{
    agree(I, all[I].granted, yes);
    if
    :: yes -> lead(I)
    :: else
    fi
}

inline try_to_append(I, J, N)
{
    find_kind(I, kind);
    if
    :: HAS(ASKED(kind), J) -> append(I, J, N)
    :: else
    fi
}

inline try_to_commit(I, N)
{
    holders(I, N, mask);
    agree(I, mask, yes);
    if
    :: yes -> decide(I, N)
    :: else
    fi
}

/* The first step of a change, or, when that is committed, the second (section 4.3). */
inline try_to_change(I)
{
    find_kind(I, kind);
    if
#ifdef BREAK_JOINT
    :: kind == COMMAND -> put(I, ENTRY(all[I].term, SETTLED))
#else
    :: kind == COMMAND -> put(I, ENTRY(all[I].term, JOINT))
    :: kind == JOINT ->
        k = 0;
        do
        :: KIND_OF(all[I].entries[k]) == JOINT -> break
        :: else -> k++
        od;
        if
        :: k < all[I].commit -> put(I, ENTRY(all[I].term, SETTLED))
        :: else
        fi
#endif
    :: else
    fi
}

active proctype world()
{
    byte i, j, n, k, kind, mask, sum, total;
    bool yes;
    mtype what;
    d_step {
        do
        :: i < MEMBERS -> all[i].voted = NOBODY; i++
        :: else -> break
        od;
        i = 0
    }
end:
    do
    :: atomic {
        if
        ALONE(0) ALONE(1) ALONE(2)
        PAIR(0, 1) PAIR(0, 2) PAIR(1, 0) PAIR(1, 2) PAIR(2, 0) PAIR(2, 1)
#if MEMBERS == 4
        ALONE(3) PAIR(0, 3) PAIR(1, 3) PAIR(2, 3) PAIR(3, 0) PAIR(3, 1) PAIR(3, 2)
#endif
        fi;
        d_step {
            if
#ifdef PREVOTE
            :: what == TIME_OUT -> all[i].hears = 0
            :: what == WISH -> all[i].role = PRE_CANDIDATE; all[i].granted = 1 << i
            :: what == PRE_VOTE -> all[i].granted = all[i].granted | (1 << j)
            :: what == STAND -> try_to_stand(i)
#else
            :: what == STAND -> stand(i)
#endif
            :: what == VOTE -> try_to_vote(i, j)
            :: what == LEAD -> try_to_lead(i)
            :: what == GIVE_UP -> follow(i, all[i].term) /* check-quorum */
            :: what == APPEND -> try_to_append(i, j, n)
            :: what == COMMIT && MAY_COUNT(i, n) -> try_to_commit(i, n)
            :: what == FEED && n <= all[i].length && all[i].entries[n - 1] == committed[n - 1] ->
                feed(i, j, n)
            :: what == CHANGE -> try_to_change(i)
            :: else
            fi;
            /* what was needed for it is no part of the state */
            i = 0; j = 0; n = 0; k = 0; kind = 0; mask = 0; sum = 0; total = 0; yes = 0; what = 0
        }
       }
    od
}
