# SPDX-License-Identifier: BSD-3-Clause
"""The mutations of mutations.py: each breaks one place of the program.

`seed` is one that catches it, found by `mutations.py --find`, so that the check need not search.
`before` is put before the function that is changed. A `rare` one is caught by the tests of its
layer and by too few seeds for every check: --rare tries those.
"""
from dataclasses import dataclass

UNSAFE, STUCK = 3, 4


@dataclass(frozen=True)
class Mutant:
    what: str
    path: str
    old: str
    new: str
    mix: str = "any"
    seed: int = 1
    wanted: frozenset = frozenset({UNSAFE, STUCK})
    before: str = ""
    rare: bool = False


MUTANTS = [
    # ---- who leads ----
    Mutant("a vote is given to everybody who asks", "src/log/election.c",
           "    if ((log->voted_for && log->voted_for != from) || log->leader || "
           "!is_up_to_date(log, vote))\n        return false;\n",
           "    if (!is_up_to_date(log, vote))\n        return false;\n", "crashes",
           seed=58),
    Mutant("a vote is given to those whose log is older", "src/log/election.c",
           "    return vote->last_index >= log_last_index(log);",
           "    return last_term != UINT64_MAX;", "crashes",
           seed=248),
    Mutant("half of the weight is enough", "src/log/voters.c",
           "if (sum * 2 > total)", "if (sum * 2 >= total - 1)", "splits",
           seed=1),
    Mutant("voters are counted, not weighed", "src/log/voters.c",
           "ids[i] == tie ? LOG_WEIGHT_TIE : LOG_WEIGHT", "LOG_WEIGHT", "splits",
           seed=21),
    Mutant("the joint phase is forgotten", "src/log/voters.c",
           "    if (!voters_are_joint(voters))\n        return agreed;\n",
           "    if (agreed || !voters_are_joint(voters))\n        return agreed;\n", "crashes",
           seed=651),
    Mutant("a leader without a quorum goes on", "src/log/lead.c",
           "    if (log->role == LOG_LEADER &&\n        log->now_ns - quorum_at",
           "    if (log->role == LOG_LEARNER &&\n        log->now_ns - quorum_at", "splits",
           seed=2),
    # ---- what is agreed ----
    Mutant("an entry of an older term is committed by counting", "src/log/lead.c",
           "if (agreed > log->commit_index && entry_term(log, agreed) == log->term)",
           "if (agreed > log->commit_index)", "crashes",
           rare=True),
    Mutant("entries that contradict the leader's are kept", "src/log/accept.c",
           "    if (entry_term(log, entry->index) == entry->term)\n        return 0;",
           "    if (entry->index <= log_last_index(log))\n        return 0;", "splits",
           rare=True),
    Mutant("entries are taken wherever they begin", "src/log/accept.c",
           "           (index <= log_last_index(log) && entry_term(log, index) == term);",
           "           (index <= log_last_index(log) && term != UINT64_MAX);", "splits",
           rare=True),
    Mutant("what a follower had before the term counts", "src/log/lead.c",
           "    follower->match_index = 0;\n",
           "    follower->match_index = log_last_index(log);\n", "crashes",
           rare=True),
    # ---- who is alive, and who may act ----
    Mutant("a lease is longer than the removal", "src/detect/times.h",
           "X(LEASE, 920,", "X(LEASE, 1400,", "splits",
           seed=1),
    Mutant("a host is removed whatever the voters have heard", "src/detect/verdict.c",
           "    bool all_silent = newest_ns + share(detect, TIME_REMOVE) <= inquiry->asked_ns;",
           "    bool all_silent = newest_ns != UINT64_MAX;", "splits",
           seed=11),
    Mutant("who asks to come back is fed as what it was", "src/core/member.c",
           "    if (!node->log || is_stranger || log_receive(",
           "    if (!node->log || (is_stranger && 0) || log_receive(", "splits",
           rare=True),
    # ---- requests ----
    Mutant("requests that were applied are forgotten", "src/core/applied.c",
           "    return lane && (id->number < lane->floor || known_find(lane, id->number));",
           "    return lane && id->number == UINT64_MAX;", "crashes",
           seed=292),
    Mutant("requests to a lost host are forgotten", "src/core/wait.c",
           "        lose_parts(node, LIST_ENTRY(pos, struct wait, link), host);",
           "        (void)host;", "crashes",
           seed=5),
    Mutant("tids are given again", "src/core/task.c",
           "    uint32_t local = table->last_local;",
           "    uint32_t local = 0;\n    is_taken = is_never;", "calm",
           before="static bool is_never(void *context, uint32_t tid)\n{\n"
                  "    return !context && !tid;\n}\n",
           seed=1),
    Mutant("nothing is asked again of a new master", "src/core/command.c",
           "    map_init(&node->commands.in_work);\n    propose_all_again(&node->commands);",
           "    map_init(&node->commands.in_work);", "crashes",
           seed=18),
    Mutant("what was taken out of a mailbox stays in it", "src/core/mbox.c",
           "    if (!(flags & MBOX_READ_AND_DELETE)) {", "    if (flags != UINT32_MAX) {", "calm",
           seed=2),
    # ---- messages ----
    Mutant("a notice overtakes messages", "src/core/notify.c",
           ".after = count_of(node, subject, watcher)", ".after = 0", "calm",
           seed=1),
    Mutant("messages are delivered as they come", "src/client/seq.c",
           "!msg->is_complete || msg->sequence > peer->next", "!msg->is_complete", "wire",
           seed=9),
    Mutant("credit is not given back", "src/core/conn.c",
           "    credit_drop(node, frame->credit);\n", "", "calm",
           seed=1),
    Mutant("an end is told while memory is shared", "src/core/conn.c",
           "    share_end(node, conn);\n", "", "calm",
           seed=18),
    Mutant("a hole of one packet is acknowledged", "src/link/ranges.c",
           "items[first].begin > end)", "items[first].begin > end + 1)", "wire",
           seed=5),
    Mutant("nothing that was lost is sent again", "src/link/loss.c",
           "            loss_left_flight(loss, packet);\n"
           "            list_push_back(lost, &packet->node);",
           "            loss_left_flight(loss, packet);", "wire",
           seed=2),
]
