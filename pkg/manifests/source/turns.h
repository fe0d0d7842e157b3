/* SPDX-License-Identifier: Apache-2.0 */
/* Lets one source at a time have a large content in memory (an archive may unpack to HF_BUNDLE_MAX_BYTES): it asks for
 * a turn before it reads an archive or a folder. A complete bundle has the turn (hf_bundle.turn) until the engine has
 * written or dropped it. Turns come in order.
 *
 * The turns live until their owner and the holder of the last turn have freed them. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/sched.h"

struct hf_source_turns;
struct hf_source_turn;

/* Borrows `sched`. */
struct hf_source_turns *hf_source_turns_new(const struct hf_sched_ops *sched);
/* Nobody may wait for a turn any more; one may be held. */
void hf_source_turns_free(struct hf_source_turns *turns);

/* Asks for a turn; `begin` is called from the event loop when it has come. If `turns` is NULL, nobody takes turns:
 * `begin` is called before the return, and *ret_turn is NULL. */
HF_MUST_USE int hf_source_turn_ask(struct hf_source_turns *turns, void (*begin)(void *arg), void *arg,
                                   struct hf_source_turn **ret_turn);
/* True if the turn has come. */
bool hf_source_turn_has_come(const struct hf_source_turn *turn);
/* Ends a turn, or the wait for it. */
void hf_source_turn_free(struct hf_source_turn *turn);
