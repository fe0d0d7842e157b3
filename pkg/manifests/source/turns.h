/* SPDX-License-Identifier: Apache-2.0 */
/* manifests/source/turns.h - lets one source at a time have a large content in memory.
 *
 * A small archive may unpack to HF_BUNDLE_MAX_BYTES, and the agent has less memory than the contents of all entries
 * together. So a source asks for a turn before it reads an archive or a folder. When the content is complete, its
 * bundle has the turn (hf_bundle.turn), so that the turn ends when the engine has written the content to disk, or drops
 * it. Turns come in the order in which they were asked for.
 *
 * Threads: loop thread only. Memory: the turns live until their owner and the holder of the last turn have freed them,
 * because a job may outlive the engine. */
#pragma once

#include "base/err.h"
#include "base/macros.h"
#include "loop/sched.h"

struct hf_source_turns;
struct hf_source_turn;

/* Returns NULL if memory runs out. Borrows `sched` until hf_source_turns_free(). */
struct hf_source_turns *hf_source_turns_new(const struct hf_sched_ops *sched);
/* Nobody may wait for a turn any more, but somebody may have one. Accepts NULL. */
void hf_source_turns_free(struct hf_source_turns *turns);

/* Asks for a turn. `begin` is called from the event loop when it has come, never from within a function of this header;
 * but if `turns` is NULL, which means that nobody takes turns, it is called before this function returns, and *ret_turn
 * is NULL. -ENOMEM: out of memory. */
HF_MUST_USE int hf_source_turn_ask(struct hf_source_turns *turns, void (*begin)(void *arg), void *arg,
                                   struct hf_source_turn **ret_turn);
/* Returns true if the turn has come. */
bool hf_source_turn_has_come(const struct hf_source_turn *turn);
/* Ends a turn, or no longer waits for it. Accepts NULL. */
void hf_source_turn_free(struct hf_source_turn *turn);
