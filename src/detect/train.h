/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Trains: how a member has a majority of the voters confirm that it lives, with few messages.
 *
 * A train is a list of stops (members) and of riders. It goes round the stops in their order; each
 * stop notes that every rider lives and leaves its bit with it. A rider that comes home
 * gets off with the bits: those voters have confirmed its departure (detect/lease.h). A voter whose
 * own last departure is not quite young gets on when a train comes by, so in a quiet machine one
 * train serves several voters, and a round costs each about two messages. A member that does not
 * vote rides alone, past just as many voters as it needs.
 *
 * A train that is not home in time was lost, or somebody on its way is: then the member asks each
 * voter directly (trains of one stop), and those that stay mute through others (there and back),
 * until a majority has confirmed. Mute voters are not on the way of the next trains.
 *
 * Trains carry the leader's word too: when the leader is one of the stops it writes its term, each
 * stop after it that follows it leaves a bit. For a voter that is DETECT_LEADER_HEARD, for the
 * leader that rides DETECT_VOTER_HEARD. So voters take care that the leader is a stop of their
 * trains.
 */
#ifndef DETECT_TRAIN_H
#define DETECT_TRAIN_H

#include "detect/state.h"

/* Departs, or asks again: at round_ns or later. */
void train_run(struct detect *detect);
/* A train arrived. 0; -1: nonsense. */
int train_receive(struct detect *detect, const struct wire_dm_train *message);
/* Members or voters changed, or this daemon did not run for a while: depart at once, or, for one of
 * many, within a round, so that not all ask at the same moment for ever. */
void train_hurry(struct detect *detect, bool spread);

#endif
