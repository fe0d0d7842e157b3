/* SPDX-License-Identifier: Apache-2.0 */
/* One source at a time has a large content in memory (up to HF_BUNDLE_MAX_BYTES): it asks for a turn before it reads an
 * archive or folder. The bundle has the turn (hf_bundle.turn) until the engine has written or dropped it. Turns come in
 * order. struct hf_source_turns lives while a turn does. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/sched.h"

struct hf_source_turns;
struct hf_source_turn;

/* Borrows `sched`. */
struct hf_source_turns *hf_source_turns_new(const struct hf_sched_ops *sched);
/* Nobody may wait; one turn may be held. */
void hf_source_turns_free(struct hf_source_turns *turns);

/* `begin` comes from the event loop. If `turns` is NULL: before the return, with *ret_turn NULL. */
HF_MUST_USE int hf_source_turn_ask(struct hf_source_turns *turns, void (*begin)(void *arg), void *arg,
                                   struct hf_source_turn **ret_turn);
bool hf_source_turn_has_come(const struct hf_source_turn *turn);
/* Ends the turn, or the wait for it. */
void hf_source_turn_free(struct hf_source_turn *turn);
